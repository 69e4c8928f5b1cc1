"""``mtlbio impute``: what samples lack is filled in, and how far off that is, is measured on donors held out."""

import mudata
import numpy as np
import pandas as pd
import pytest

import mtlbio
from mtlbio.cohort.assays.blocks import blocks_of
from mtlbio.cohort.assays.simulate import plant
from mtlbio.cohort.cohort import read_cohort
from mtlbio.errors import InputError
from mtlbio.evaluation.assays.from_blocks import block_and_source, held_out
from mtlbio.integrity.folder import strangers
from mtlbio.integrity.verify import verify
from mtlbio.tables import IMPUTED, SPLITS, read_table


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """Folder with ``assays/run.yaml`` and its prepared, filled ``r``; two proteins are the first principal
    components of the transcripts."""
    folder = tmp_path_factory.mktemp("impute")
    yaml = plant(folder / "assays", "assays", 0, donors=70)
    run = mtlbio.read_run(yaml)
    rna, proteins = (pd.read_parquet(folder / f"assays/{name}.parquet") for name in ("rna", "proteins"))
    both = rna.index.intersection(proteins.index)
    values = rna.loc[both].to_numpy()
    axes = np.linalg.svd(values - values.mean(axis=0), full_matrices=False)[0]
    proteins.loc[both, proteins.columns[:2]] = (7 + 20 * axes[:, :2]).astype("float32")
    proteins.to_parquet(folder / "assays/proteins.parquet")
    mtlbio.prepare(run, folder / "r")
    mtlbio.impute(run, folder / "r")
    return folder


@pytest.mark.filterwarnings("ignore:From 0.4:FutureWarning")  # of mudata's reader
def test_what_is_measured_stays_and_gaps_are_filled(filled):
    cohort = read_cohort(filled / "r/cohort.h5ad")
    blocks = blocks_of(cohort)
    whole = mudata.read_h5mu(filled / "r/impute/blocks.h5mu")
    assert list(whole.mod) == ["rna", "proteins"] and set(whole.obs_names) == set(cohort.samples)
    assert whole.obs["disease"].astype(str).loc[cohort.samples].tolist() == cohort.obs["disease"].astype(str).tolist()
    for place, (name, part) in enumerate(whole.mod.items()):
        measured = part.obs["measured"].loc[cohort.samples].to_numpy()
        np.testing.assert_array_equal(measured, blocks.present[:, place])
        values = part[cohort.samples].X
        columns = blocks.columns([name])
        np.testing.assert_array_equal(values[measured], cohort.expression[np.ix_(measured, columns)])
        assert part.var["feature"].tolist() == [cohort.genes[at].split(":")[1] for at in columns]
        assert np.isfinite(values).all() and (~measured).sum() > 5
        # a mean varies less than a measurement
        assert values[~measured].std(axis=0).mean() < values[measured].std(axis=0).mean()


def held_out_of(filled):
    """Proteins of those who have transcripts too: places, cohort of transcripts, folds, values (n, proteins)."""
    cohort = read_cohort(filled / "r/cohort.h5ad")
    splits = read_table(filled / "r/splits.tsv", SPLITS).set_index("sample").loc[cohort.samples].reset_index()
    rows, source = block_and_source(cohort, blocks_of(cohort), "proteins", ("rna",))
    values = cohort.expression[np.ix_(rows, blocks_of(cohort).columns(["proteins"]))].astype(float)
    return rows, source, splits.iloc[rows].reset_index(drop=True), values


def test_error_and_correlation_are_of_donors_held_out(filled):
    table = read_table(filled / "r/impute/features.tsv", IMPUTED)
    proteins = table[table["block"] == "proteins"].reset_index(drop=True)
    assert proteins["r"].iloc[:2].min() > 0.9 and proteins["r"].median() < 0.6
    share = proteins["error"] / proteins["spread"]
    assert share.iloc[:2].max() < 0.8 < share.iloc[2:].quantile(0.1)
    _, source, splits, values = held_out_of(filled)
    found = held_out(source, values, splits, 5000)
    off = values - (values - found.truth * found.spread + found.predicted * found.spread)
    np.testing.assert_allclose(proteins["error"], np.sqrt((off**2).mean(axis=0)), rtol=1e-6)
    np.testing.assert_allclose(proteins["spread"], values.std(axis=0), rtol=1e-6)
    means = [values[splits["fold"] != fold].mean(axis=0) for fold in splits["fold"]]  # of the other folds' donors
    np.testing.assert_allclose(values - found.truth * found.spread, means, rtol=1e-6)
    assert set(table["from"]) == {"rna", "proteins"} and (table["n_samples"] >= 30).all()


def test_a_held_out_donor_has_no_part_in_what_is_said_of_it(filled):
    """Another value of a feature in one donor moves that donor's error, and the predictions of others' folds only."""
    _, source, some, values = held_out_of(filled)
    values = values[:, :5]
    before = held_out(source, values, some, 100)
    values[0] += 100.0
    after = held_out(source, values, some, 100)
    own = (some["fold"] == some["fold"].iloc[0]).to_numpy()
    np.testing.assert_array_equal(after.predicted[own], before.predicted[own])
    assert not np.allclose(after.predicted[~own], before.predicted[~own])


def test_the_command_is_the_function_and_the_same_to_the_byte(filled, called):
    files = {path: path.read_bytes() for path in (filled / "r/impute").iterdir()}
    assert {path.name for path in files} == {"features.tsv", "blocks.h5mu"}
    code, said = called("impute", filled / "r", "--run", filled / "assays/run.yaml")
    assert code == 0 and "was filled from rna" in said and "impute\n" in said
    assert {path: path.read_bytes() for path in (filled / "r/impute").iterdir()} == files
    lines, _ = verify(filled / "r")
    assert "impute: 2 files as written" in lines and not strangers(filled / "r")


def test_a_cohort_without_gaps_is_refused(tmp_path):
    yaml = plant(tmp_path / "assays", "assays", 0, donors=60)
    tables = {name: pd.read_parquet(tmp_path / f"assays/{name}.parquet") for name in ("rna", "proteins")}
    both = tables["rna"].index.intersection(tables["proteins"].index)
    for name, table in tables.items():
        table.loc[both].to_parquet(tmp_path / f"assays/{name}.parquet")
    run = mtlbio.read_run(yaml)
    mtlbio.prepare(run, tmp_path / "r")
    with pytest.raises(InputError, match="every sample has every block; found no gap to fill"):
        mtlbio.impute(run, tmp_path / "r")
    assert not (tmp_path / "r/impute").exists()
