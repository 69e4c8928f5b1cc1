"""The whole pipeline on permuted outcomes; planted: disease follows interferon, the response follows nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from mtlbio.cohort.cohort import Cohort, read_cohort
from mtlbio.cohort.prepare import prepare
from mtlbio.cohort.simulate import simulate, write_simulation
from mtlbio.config import Probe, Training
from mtlbio.kinds.read import read_run
from mtlbio.kinds.schemas import CohortRun
from mtlbio.model.latents import latents_table
from mtlbio.probing import null_refits as room
from mtlbio.probing.cohorts import OfEnsemble, examine_cohort
from mtlbio.probing.null_refits import NULL, RUNS, NullRefits, share_of_biology
from mtlbio.probing.probe import probe
from mtlbio.probing.verdict import VERDICTS
from mtlbio.tables import SPLITS, read_table
from mtlbio.training.refits import Refitter
from mtlbio.training.train import train

TRAINING = Training(genes=300, axes=6, curves=30, seeds=1, epochs=40, patience=15, single_task=False, device="cpu")
PROBE = Probe(permutations=99, bootstrap=100, null_refits=9)


@dataclass(frozen=True)
class Small:
    run: CohortRun
    cohort: Cohort
    splits: pd.DataFrame
    interferon: str
    association: pd.DataFrame
    block: pd.Series

    def null(self, folder=None, **changes):
        """The null of this cohort."""
        probe = PROBE.model_copy(update=changes)
        refits = NullRefits(self.cohort, self.splits, TRAINING, probe, "cpu", examine_cohort)
        return refits.tables(self.association, self.block, folder)


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Small:
    folder = tmp_path_factory.mktemp("null")
    planted = simulate("clear", 4, donors=90, genes=300, batches=2, interferon_effect=3.0, response="nothing")
    run = read_run(write_simulation(folder / "cohort", planted))
    run = run.model_copy(update={"training": TRAINING, "probe": PROBE})
    prepare(run, folder)
    cohort, splits = read_cohort(folder / "cohort.h5ad"), read_table(folder / "splits.tsv", SPLITS)
    (found,) = Refitter.of(cohort, splits, TRAINING, "cpu").fit([cohort])
    latents: ad.AnnData = latents_table(cohort, splits, found)
    truth = planted.truth.loc[latents.obs_names, "interferon"]
    axes = latents.var_names[latents.var["block"] == "axis"]
    r = [abs(np.corrcoef(latents[:, [d]].X[:, 0], truth)[0, 1]) for d in axes]
    assert max(r) > 0.9
    examinee = OfEnsemble(found.ensemble, cohort.expression, latents.obs["fold"].to_numpy(), cohort.obs)
    tables = examine_cohort(cohort, latents, examinee, PROBE)
    return Small(run, cohort, splits, axes[int(np.argmax(r))], tables["association"], latents.var["block"])


@pytest.fixture(scope="module")
def tables(small):
    return small.null()


def test_a_planted_programme_stands_out_and_an_outcome_of_nothing_does_not(small, tables):
    null, _ = tables
    assert list(null.columns) == NULL and set(null["outcome"]) == {"disease", "response"}
    assert len(null) == 2 * len(small.block) and (null["refits"] == 9).all()
    own = null.set_index(["dim", "outcome"])
    assert own.loc[(small.interferon, "disease"), ["p_refit", "p_refit_familywise"]].tolist() == [0.1, 0.1]
    assert own.loc[(small.interferon, "disease"), "q"] < 1e-3
    response = null[null["outcome"] == "response"]
    assert 0.3 < response["p_refit"].mean() < 0.8 and response["p_refit_familywise"].min() > 0.1
    assert (null["p_refit_familywise"] >= null["p_refit"]).all()


def test_analytic_columns_are_those_of_the_association(small, tables):
    null = tables[0].set_index(["dim", "outcome"])
    rows = small.association[small.association["question"] == "task"].set_index(["dim", "variable"])
    for column in ("statistic", "p", "q"):
        np.testing.assert_array_equal(null[column], rows.loc[null.index, column])
    assert null["block"].value_counts().to_dict() == {"axis": 2 * (small.block == "axis").sum(), "supervised": 6}


def test_every_refit_has_its_verdicts(small, tables):
    _, runs = tables
    assert list(runs.columns) == RUNS and runs["refit"].tolist() == list(range(9))
    assert (runs[list(VERDICTS)].sum(axis=1) == len(small.block)).all()
    assert (runs["any_biology"] == (runs["biology"] > 0)).all()
    share, low, high = share_of_biology(runs)
    assert low <= share <= high and share == runs["any_biology"].mean()


def test_a_killed_run_goes_on_and_gives_the_same_tables(small, tables, tmp_path, monkeypatch):
    trials = NullRefits.trials
    calls = []

    def dies(self, refitter, cohorts):
        calls.append(len(cohorts))
        if len(calls) == 2:
            raise KeyboardInterrupt
        return trials(self, refitter, cohorts)

    monkeypatch.setattr(NullRefits, "trials", dies)
    monkeypatch.setattr("mtlbio.training.refits.copies_at_once", lambda refitter: 2)
    monkeypatch.setattr(room, "files_of", lambda module, kind: [])  # the code may be edited while tests run
    with pytest.raises(KeyboardInterrupt):
        small.null(tmp_path, null_refits=3)
    (kept,) = tmp_path.iterdir()
    assert sorted(set(read_table(kept)["refit"])) == [0, 1]
    _, runs = small.null(tmp_path, null_refits=3)
    assert calls == [2, 1, 1]  # the first stack was kept
    pd.testing.assert_frame_equal(runs, tables[1].head(3), check_dtype=False)
    fewer, runs = small.null(tmp_path, null_refits=2)
    assert len(calls) == 3 and len(runs) == 2 and (fewer["refits"] == 2).all()


def test_kept_refits_of_other_options_are_not_used(small):
    def key(cohort=small.cohort, training=TRAINING, **changes):
        return NullRefits(cohort, small.splits, training, PROBE.model_copy(update=changes), "cpu", examine_cohort).key()

    other = small.cohort.obs.assign(disease=small.cohort.obs["disease"].to_numpy()[::-1])
    keys = [key(), key(seed=1), key(training=TRAINING.model_copy(update={"seeds": 2}))]
    keys.append(key(cohort=replace(small.cohort, obs=other)))
    assert len(set(keys)) == 4
    assert key(null_refits=500) == key(training=TRAINING.model_copy(update={"device": "auto"})) == keys[0]


def test_p_of_refits_counts_ties_and_leaves_out_what_could_not_be_tested():
    observed = pd.DataFrame({"dim": ["z01", "z02"], "variable": "disease", "p_wald": [0.02, np.nan], "p": 0.02})
    observed = observed.assign(statistic=1.0, q=0.1)
    rows = [(0, "z01", 0.02), (0, "z02", 0.5), (1, "z01", 0.3), (1, "z02", 0.01), (2, "z01", np.nan), (2, "z02", 0.9)]
    found = pd.DataFrame(rows, columns=["refit", "dim", "p_wald"]).assign(outcome="disease", verdict="unused")
    block = pd.Series("axis", index=["z01", "z02"])
    table = room._compared(observed, found, block).set_index("dim")
    assert table.loc["z01", "p_refit"] == 2 / 3 and table.loc["z01", "refits"] == 2
    assert table.loc["z01", "p_refit_familywise"] == 3 / 4
    assert np.isnan(table.loc["z02", "p_refit"])


@pytest.mark.slow
def test_the_step_writes_the_tables_only_where_they_are_asked_for(tmp_path):
    planted = simulate("clear", 1, donors=150, genes=600, batches=2, interferon_effect=2.5)
    run = read_run(write_simulation(tmp_path / "cohort", planted))
    training = TRAINING.model_copy(update={"genes": 600, "seeds": 2, "axes": "auto"})
    asked = Probe(permutations=199, bootstrap=200, null_refits=39)
    run = run.model_copy(update={"training": training, "probe": asked})
    prepare(run, tmp_path)
    train(run, tmp_path)
    probe(run, tmp_path)
    null, runs = (read_table(tmp_path / "probing" / f"{name}.tsv") for name in ("null", "null_runs"))
    first = [(tmp_path / "probing" / f"{name}.tsv").read_bytes() for name in ("null", "null_runs")]
    latents = ad.read_h5ad(tmp_path / "latents.h5ad")
    truth = planted.truth.loc[latents.obs_names, "interferon"]
    r = [abs(np.corrcoef(latents.X[:, i], truth)[0, 1]) for i in np.flatnonzero(latents.var["block"] == "axis")]
    rows = null.set_index(["outcome", "dim"])
    assert rows.loc[("disease", latents.var_names[int(np.argmax(r))]), "p_refit_familywise"] == 1 / 40
    assert len(runs) == 39 and share_of_biology(runs)[0] < 0.2
    for kept in (tmp_path / "probing" / ".null").iterdir():
        kept.unlink()
    probe(run, tmp_path)
    assert [(tmp_path / "probing" / f"{name}.tsv").read_bytes() for name in ("null", "null_runs")] == first
    probe(run.model_copy(update={"probe": asked.model_copy(update={"null_refits": 0})}), tmp_path)
    assert (tmp_path / "probing" / "null.tsv").read_text() == "\t".join(NULL) + "\n"
    assert (tmp_path / "probing" / "null_runs.tsv").read_text() == "\t".join(RUNS) + "\n"
