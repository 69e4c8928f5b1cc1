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

import hashlib
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort
from mtlbio.config import Probe, Training
from mtlbio.kinds import kind_named
from mtlbio.model.latents import latents_table
from mtlbio.modules import files_of
from mtlbio.parts import Parts
from mtlbio.probing.cohorts import OfEnsemble
from mtlbio.probing.families import of_outcomes
from mtlbio.probing.rates import wilson
from mtlbio.probing.relabel import Relabelling, relabelled
from mtlbio.probing.verdict import VERDICTS
from mtlbio.progress import hushed, say
from mtlbio.tables import read_table, write_table

NULL = ["dim", "outcome", "block", "statistic", "p", "q", "refits", "p_refit", "p_refit_familywise"]
RUNS = ["refit", *VERDICTS, "any_biology"]
_ROWS = ["refit", "dim", "outcome", "p_wald", "verdict"]


@dataclass(frozen=True)
class NullRefits:
    """Refits of one run to permuted outcomes.

    Attributes
    ----------
    cohort, splits : samples in the same order
    training : options with which the observed model was trained; ``device`` : of the training
    probe : options of the trial; ``null_refits`` and ``seed`` count here
    examined : tables of :func:`mtlbio.probing.examine.examine` from (cohort, latents, examinee, options). Gene sets are
        left out: they name a dimension, they do not change its verdict
    """

    cohort: Cohort
    splits: pd.DataFrame
    training: Training
    probe: Probe
    device: str
    examined: Callable

    def tables(
        self,
        association: pd.DataFrame,
        block: pd.Series,
        folder: Path | None = None,
        parts: Sequence[Path] = (),
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """``null.tsv`` and ``null_runs.tsv``.

        Parameters
        ----------
        association : of the observed labels
        block : by dimension, ``axis`` or ``supervised``
        folder : where finished refits are kept, so that a killed run goes on where it was and a larger ``null_refits``
            adds to the smaller; nothing is kept where left out
        parts : folders, of which some hold refits that jobs of their own have made (:meth:`make_part`)

        Returns
        -------
        null : ``NULL``, a row per dimension x outcome. ``p_refit`` = (1 + refits with as small a Wald p) / (1 +
            refits), where the dimension of a refit is the one at the same place: axes are the same, supervised
            dimensions are those of the same task. It is the p that is compared, because the number of labelled units
            may change. ``p_refit_familywise``: a refit counts if *any* dimension and outcome has as small a p
            (Westfall & Young 1993)
        runs : ``RUNS``, a row per refit: dimensions of each verdict
        """
        store = None if folder is None else folder / f"{self.key()}.tsv"
        kept = self.kept(store, parts)
        waiting = [number for number in range(self.probe.null_refits) if number not in set(kept["refit"])]
        if store is not None and parts and len(kept):
            write_table(kept, store, _ROWS)
        refits = self.made(waiting, kept, store)
        refits = refits[refits["refit"] < self.probe.null_refits]
        outcomes = Relabelling.of(self.cohort).outcomes
        one = refits.drop_duplicates(["refit", "dim"])
        runs = pd.crosstab(one["refit"], one["verdict"]).reindex(columns=list(VERDICTS), fill_value=0).reset_index()
        runs = runs.assign(any_biology=runs["biology"] > 0)[RUNS]
        return _compared(association[of_outcomes(association, outcomes)], refits, block), runs

    def make_part(self, numbers: Iterable[int], folder: Path, part: Path) -> None:
        """Make the refits of these ``numbers``, but for those that ``folder`` keeps as in :meth:`tables`, and keep them
        in the folder ``part``."""
        before = self.kept(folder / f"{self.key()}.tsv")
        rows = self.made([number for number in numbers if number not in set(before["refit"])], before.iloc[:0])
        columns = {column: rows[column].tolist() for column in _ROWS if column != "p_wald"}
        Parts(part.parent, self.key()).write(part.name, {"p_wald": rows["p_wald"].to_numpy(dtype=float)}, columns)

    def kept(self, store: Path | None, parts: Sequence[Path] = ()) -> pd.DataFrame:
        """Rows ``_ROWS`` of the refits that are there: of the file ``store``, then of ``parts``."""
        rows = read_table(store, _ROWS) if store is not None and store.exists() else pd.DataFrame(columns=_ROWS)
        for folder in filter(Path.is_dir, parts):
            part = Parts(folder.parent, self.key()).read(folder.name)
            made = pd.DataFrame({**part.about, "p_wald": part.arrays["p_wald"]})[_ROWS] if part else rows.iloc[:0]
            made = made[~made["refit"].isin(rows["refit"])]
            if len(made):
                rows = pd.concat([rows, made], ignore_index=True) if len(rows) else made
        return rows

    def made(self, waiting: list[int], kept: pd.DataFrame, store: Path | None = None) -> pd.DataFrame:
        """Rows ``_ROWS`` of the refits that are ``kept`` and of those that are made now, which ``store`` keeps."""
        from mtlbio.training.refits import Refitter, copies_at_once

        if not waiting:
            return kept
        done = kept["refit"].nunique()
        parts = [kept] if done else []
        say(f"whole-pipeline null: {len(waiting)} refits" + (f", {done} kept from before" if done else ""))
        relabelling = Relabelling.of(self.cohort)
        refitter = Refitter.of(self.cohort, self.splits, self.training, self.device)
        step, start = copies_at_once(refitter), time.monotonic()
        for first in range(0, len(waiting), step):
            numbers = waiting[first : first + step]
            sources = [relabelling.draw(np.random.default_rng([self.probe.seed, 29, number])) for number in numbers]
            copies = [relabelled(self.cohort, relabelling.outcomes, source) for source in sources]
            with hushed():
                trials = self.trials(refitter, copies)
            parts += [_rows(n, tables, relabelling.outcomes) for n, tables in zip(numbers, trials, strict=True)]
            if store is not None:
                write_table(pd.concat(parts, ignore_index=True), store, _ROWS)
            ready = first + len(numbers)
            left = (time.monotonic() - start) / ready * (len(waiting) - ready) / 60
            say(f"refit {ready} of {len(waiting)}, about {left:.0f} min left")
        return pd.concat(parts, ignore_index=True)

    def trials(self, refitter, cohorts: list[Cohort]) -> list[dict]:
        """The trial of every cohort: trained in one stack, tried one by one."""
        tables = []
        for copy, canonical in zip(cohorts, refitter.fit(cohorts), strict=True):
            latents = latents_table(copy, self.splits, canonical)
            examinee = OfEnsemble(canonical.ensemble, copy.expression, latents.obs["fold"].to_numpy(), copy.obs)
            tables.append(self.examined(copy, latents, examinee, self.probe))
        return tables

    def key(self) -> str:
        """A name for everything that a refit depends on: data, labels, options, code."""
        content = hashlib.sha256(np.ascontiguousarray(self.cohort.expression).tobytes())
        for text in (
            self.cohort.obs.to_csv(),
            self.splits.to_csv(),
            repr((self.cohort.genes, self.cohort.tasks, self.cohort.covariates)),
            self.training.model_dump_json(exclude={"device", "single_task"}),
            self.probe.model_dump_json(exclude={"null_refits"}),
        ):
            content.update(text.encode())
        for path in files_of(__name__, kind=kind_named(self.cohort.kind)):
            content.update(Path(path).read_bytes())
        return content.hexdigest()[:16]


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


def _rows(number: int, tables: dict[str, pd.DataFrame], outcomes: tuple[str, ...]) -> pd.DataFrame:
    association, verdict = tables["association"], tables["verdicts"].set_index("dim")["verdict"]
    rows = association[of_outcomes(association, outcomes)].rename(columns={"variable": "outcome"})
    return rows.assign(refit=number, verdict=rows["dim"].map(verdict))[_ROWS]


def _compared(observed: pd.DataFrame, refits: pd.DataFrame, block: pd.Series) -> pd.DataFrame:
    """``null.tsv`` from the observed rows and those of the refits."""
    table = observed.rename(columns={"variable": "outcome"}).reset_index(drop=True)
    p = table["p_wald"].to_numpy()
    null = refits.pivot(index="refit", columns=["dim", "outcome"], values="p_wald")
    null = null.reindex(columns=pd.MultiIndex.from_frame(table[["dim", "outcome"]])).to_numpy()
    # a refit in which a dimension cannot be tested has no say about it
    says, smallest = ~np.isnan(null), np.nanmin(np.where(np.isnan(null), 1.0, null), axis=1)
    bound = p * (1 + 1e-9)
    single = (1 + (null <= bound).sum(axis=0)) / (1 + says.sum(axis=0))
    family = (1 + (smallest[:, None] <= bound).sum(axis=0)) / (1 + len(smallest))
    table = table.assign(block=table["dim"].map(block.astype(str)), refits=says.sum(axis=0))
    single, family = (np.where(np.isnan(p), np.nan, values) for values in (single, family))
    return table.assign(p_refit=single, p_refit_familywise=family)[NULL]
