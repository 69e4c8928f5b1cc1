"""The null of the whole pipeline: permute the outcomes, train again, put every dimension on trial, many times.

The tests of the trial take the latents as given. But supervised dimensions, heads and their mixture were trained on
labels, and a verdict joins many tests. Here nothing is taken as given that has seen an outcome: on every permutation
(:mod:`mtlbio.probing.relabel`) inner folds, paths, mixtures and heads are fitted anew, with all seeds of the run, and
the whole trial runs on the result. What is *not* done anew: genes, axes, curves and row spaces of a fold, which are
found without labels (computed once and reused), and the outer folds, on which the axes hang. The outer folds were
spread evenly over the observed labels and are so over permuted ones by chance only.

The permutation breaks the link of the outcomes with the confounders too. It says how often the procedure speaks of
biology when there is none, not how well it adjusts for age.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort
from mtlbio.config import Probe, Training
from mtlbio.kinds import kind_named
from mtlbio.model.latents import latents_table
from mtlbio.modules import files_of
from mtlbio.probing.of_ensemble import OfEnsemble
from mtlbio.probing.rates import wilson
from mtlbio.probing.relabel import Relabelling, relabelled
from mtlbio.probing.verdict import VERDICTS
from mtlbio.progress import hushed, say
from mtlbio.tables import read_table, write_table

NULL = ["dim", "outcome", "block", "statistic", "p", "q", "refits", "p_refit", "p_refit_familywise"]
RUNS = ["refit", *VERDICTS, "any_biology"]
_FOUND = ["refit", "dim", "outcome", "p_wald", "verdict"]


def null_refits(
    cohort: Cohort,
    splits: pd.DataFrame,
    observed: pd.DataFrame,
    block: pd.Series,
    training: Training,
    probe: Probe,
    device: str,
    examined: Callable,
    folder: Path | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """``null.tsv`` and ``null_runs.tsv``.

    Parameters
    ----------
    cohort, splits : samples in the same order
    observed : ``association`` of the observed labels
    block : by dimension, ``axis`` or ``supervised``
    training : options with which the observed model was trained
    probe : options of the trial; ``null_refits`` and ``seed`` count here
    device : of the training
    examined : tables of :func:`mtlbio.probing.examine.examine` from (cohort, latents, examinee, options). Gene sets are
        left out: they name a dimension, they do not change its verdict
    folder : where finished refits are kept, so that a killed run goes on where it was and a larger ``null_refits`` adds
        to the smaller; nothing is kept where left out

    Returns
    -------
    null : ``NULL``, a row per dimension x outcome. ``p_refit`` = (1 + refits with as small a Wald p) / (1 + refits),
        where the dimension of a refit is the one at the same place: axes are the same, supervised dimensions are those
        of the same task. It is the p that is compared, because the number of labelled units may change.
        ``p_refit_familywise``: a refit counts if *any* dimension and outcome has as small a p (Westfall & Young 1993)
    runs : ``RUNS``, a row per refit: dimensions of each verdict
    """
    outcomes = Relabelling.of(cohort).outcomes
    kept = None if folder is None else folder / f"{_key(cohort, splits, training, probe)}.tsv"
    found = _refitted(cohort, splits, training, probe, device, examined, kept)
    found = found[found["refit"] < probe.null_refits]
    observed = observed[(observed["question"] == "task") & observed["variable"].isin(outcomes)]
    return _compared(observed, found, block), _counted(found)


def empty() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The two tables of a run that did not ask for refits."""
    return pd.DataFrame(columns=NULL), pd.DataFrame(columns=RUNS)


def write_null(null: pd.DataFrame, runs: pd.DataFrame, results: Path) -> None:
    """Write ``probing/null.tsv`` and ``probing/null_runs.tsv``."""
    write_table(null, results / "probing" / "null.tsv", NULL)
    write_table(runs, results / "probing" / "null_runs.tsv", RUNS)


def share_of_biology(runs: pd.DataFrame) -> tuple[float, float, float]:
    """Share of the refits with any dimension called biology, and its 95 % Wilson interval."""
    return wilson(int(runs["any_biology"].astype(bool).sum()), len(runs))


def refitted_trials(
    refitter, cohorts: list[Cohort], splits: pd.DataFrame, probe: Probe, examined: Callable
) -> list[dict]:
    """The trial of every cohort: trained in one stack, tried one by one."""
    tables = []
    for copy, canonical in zip(cohorts, refitter.fit(cohorts), strict=True):
        latents = latents_table(copy, splits, canonical)
        examinee = OfEnsemble(canonical.ensemble, copy.expression, latents.obs["fold"].to_numpy())
        tables.append(examined(copy, latents, examinee, probe))
    return tables


def _refitted(
    cohort, splits, training: Training, probe: Probe, device: str, examined: Callable, kept: Path | None
) -> pd.DataFrame:
    """Rows ``_FOUND`` of every refit, those in ``kept`` first."""
    from mtlbio.training.refits import Refitter, copies_at_once

    parts = [read_table(kept, _FOUND)] if kept is not None and kept.exists() else []
    done = set(parts[0]["refit"]) if parts else set()
    waiting = [number for number in range(probe.null_refits) if number not in done]
    if not waiting:
        return parts[0]
    say(f"whole-pipeline null: {len(waiting)} refits" + (f", {len(done)} kept from before" if done else ""))
    relabelling = Relabelling.of(cohort)
    refitter = Refitter.of(cohort, splits, training, device)
    step, start = copies_at_once(refitter), time.monotonic()
    for first in range(0, len(waiting), step):
        numbers = waiting[first : first + step]
        sources = [relabelling.draw(np.random.default_rng([probe.seed, 29, number])) for number in numbers]
        copies = [relabelled(cohort, relabelling.outcomes, source) for source in sources]
        with hushed():
            trials = refitted_trials(refitter, copies, splits, probe, examined)
        parts += [_rows(number, tables, relabelling) for number, tables in zip(numbers, trials, strict=True)]
        if kept is not None:
            write_table(pd.concat(parts, ignore_index=True), kept, _FOUND)
        ready = first + len(numbers)
        left = (time.monotonic() - start) / ready * (len(waiting) - ready) / 60
        say(f"refit {ready} of {len(waiting)}, about {left:.0f} min left")
    return pd.concat(parts, ignore_index=True)


def _rows(number: int, tables: dict[str, pd.DataFrame], relabelling: Relabelling) -> pd.DataFrame:
    found = tables["association"]
    found = found[(found["question"] == "task") & found["variable"].isin(relabelling.outcomes)]
    verdict = tables["verdicts"].set_index("dim")["verdict"]
    rows = found[["dim", "variable", "p_wald"]].rename(columns={"variable": "outcome"})
    return rows.assign(refit=number, verdict=rows["dim"].map(verdict))[_FOUND]


def _compared(observed: pd.DataFrame, found: pd.DataFrame, block: pd.Series) -> pd.DataFrame:
    """``null.tsv`` from the observed rows and those of the refits."""
    table = observed.rename(columns={"variable": "outcome"}).reset_index(drop=True)
    own = table["p_wald"].to_numpy()
    drawn = found.pivot(index="refit", columns=["dim", "outcome"], values="p_wald")
    drawn = drawn.reindex(columns=pd.MultiIndex.from_frame(table[["dim", "outcome"]])).to_numpy()
    # a refit in which a dimension cannot be tested has no say about it
    says, smallest = ~np.isnan(drawn), np.nanmin(np.where(np.isnan(drawn), 1.0, drawn), axis=1)
    bound = own * (1 + 1e-9)
    single = (1 + (drawn <= bound).sum(axis=0)) / (1 + says.sum(axis=0))
    family = (1 + (smallest[:, None] <= bound).sum(axis=0)) / (1 + len(smallest))
    table["block"] = table["dim"].map(block.astype(str))
    table["refits"] = says.sum(axis=0)
    table["p_refit"] = np.where(np.isnan(own), np.nan, single)
    table["p_refit_familywise"] = np.where(np.isnan(own), np.nan, family)
    return table[NULL]


def _counted(found: pd.DataFrame) -> pd.DataFrame:
    """``null_runs.tsv``."""
    one = found.drop_duplicates(["refit", "dim"])
    counts = pd.crosstab(one["refit"], one["verdict"]).reindex(columns=list(VERDICTS), fill_value=0).reset_index()
    return counts.assign(any_biology=counts["biology"] > 0)[RUNS]


def _key(cohort: Cohort, splits: pd.DataFrame, training: Training, probe: Probe) -> str:
    """A name for everything that a refit depends on: data, labels, options, code."""
    content = hashlib.sha256(np.ascontiguousarray(cohort.expression).tobytes())
    for text in (
        cohort.obs.to_csv(),
        splits.to_csv(),
        repr((cohort.genes, cohort.tasks, cohort.covariates)),
        training.model_dump_json(exclude={"device", "single_task"}),
        probe.model_dump_json(exclude={"null_refits"}),
    ):
        content.update(text.encode())
    for path in files_of(__name__, kind=kind_named(cohort.kind)):
        content.update(Path(path).read_bytes())
    return content.hexdigest()[:16]
