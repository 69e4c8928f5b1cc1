"""``mtlbio plan``: what the design of a cohort can answer, before anything is trained or even measured."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import CovariateInfo
from mtlbio.cohort.drafts.unused import unused
from mtlbio.cohort.prepare import build_cohort, build_roster, roster_of
from mtlbio.errors import InputError, listing
from mtlbio.intake.notes import Note, noticing
from mtlbio.kinds import kind_of
from mtlbio.kinds.schemas import DonorRun
from mtlbio.labels import Label
from mtlbio.metrics import metric
from mtlbio.probing.association import task_design
from mtlbio.probing.audit import LEAST_UNITS, audited
from mtlbio.probing.claims import with_refusals
from mtlbio.probing.families import evidence_needed, firm_level
from mtlbio.probing.inference import Contrast, variance_inflation
from mtlbio.probing.plan_composition import left_out
from mtlbio.probing.plan_design import Design, TaskPlan
from mtlbio.probing.plan_families import too_few
from mtlbio.probing.plan_words import grave, task_lines, words
from mtlbio.probing.power import (
    donors_for_bins,
    donors_for_effect,
    events_for_hazard,
    smallest_effect,
    smallest_hazard,
)
from mtlbio.probing.rates import findable, prospects
from mtlbio.probing.trial import Trial
from mtlbio.tables import write_table

# Metrics for which it was measured how many donors show that a head can do without a dimension.
MEASURED = (metric.AUROC, metric.MACRO_AUROC, metric.R2)
EFFECTS = (0.3, 0.5, 0.8, 1.2)
PLAN = ["kind", "task", "covariate", "role", "call", "unit", "donors", "vif", "n_effective", "rarest", "rarest_donors"]
PLAN += ["balance", "smallest_effect", "effect_unit", *(f"donors_for_{e:g}" for e in EFFECTS)]
PLAN += ["donors_harmless", "says"]
# of a run with a label whose power grows with events
OF_EVENTS = ["events", *(f"events_for_{e:g}" for e in EFFECTS)]


def plan(run: DonorRun, results: Path, dims: int = 20) -> str:
    """Write ``plan.tsv`` and give the answers in words.

    Of the expression file only the samples' names are read, unless composition is to be estimated from it.

    Parameters
    ----------
    dims : dimensions that the model is expected to find

    Raises
    ------
    InputError
        As ``mtlbio prepare``, as far as the metadata can tell.
    """
    with noticing() as notes:
        design = read_design(run, dims)
    rows, text = planned(design, kind_of(run).planted, notes + unused(run))
    write_table(rows, Path(results) / "plan.tsv", PLAN)
    return text


def planned(design: Design, planted: str | None, notes: list[Note]) -> tuple[pd.DataFrame, str]:
    """``plan.tsv`` and the answers in words, of a design.

    ``planted``: whose rates speak for such runs (:data:`mtlbio.probing.rates.SPEAK_FOR`); ``notes``: on its files.
    """
    tasks = [task_plan(design, name) for name in design.trial.tasks]
    rates: list[str | None] = []
    for name in [task.name for task in tasks if task.outcome and not task.label.counts]:
        if planted is not None:
            asked, level = (design.audit, name, planted), design.trial.options.alpha
            rates += [prospects(*asked, alpha=level), findable(*asked, alpha=level)]
    rows = plan_table(design, tasks, {task.name: " ".join(task_lines(design, task)[1:]) for task in tasks})
    return rows, words(design, tasks, [sentence for sentence in rates if sentence], notes)


def warned(run: DonorRun) -> list[str]:
    """What the design cannot answer, a sentence per outcome and covariate; the expression is read as for a plan."""
    return grave(read_design(run, dims=20))


def read_design(run: DonorRun, dims: int) -> Design:
    """The design of a run's cohort."""
    if run.estimated:
        cohort, notes_of = build_cohort(run)
        cells, (obs, tasks, covariates, qc) = left_out(run, cohort), roster_of(run, cohort, notes_of)
    else:
        cells, (obs, tasks, covariates, qc) = pd.DataFrame(), build_roster(run)
    return design_of(run, obs, tasks, covariates, qc.table(), dims, cells)


def design_of(
    run: DonorRun,
    obs: pd.DataFrame,
    tasks: dict[str, Label],
    covariates: dict[str, CovariateInfo],
    notes: pd.DataFrame,
    dims: int,
    cells: pd.DataFrame | None = None,
) -> Design:
    """The design of samples that are known; ``notes``: rows of ``qc.tsv``, ``cells`` as of :class:`Design`.

    An InputError where too few have all covariates.
    """
    lost = notes[notes["detail"].str.startswith("dropped") | (notes["reason"] == "few cells")]
    dropped = lost["reason"].value_counts().to_dict()
    trial = Trial.to_come(obs, tasks, covariates, run.probe, kind_of(run).vocabulary)
    if trial.mask.sum() < LEAST_UNITS:
        gaps = obs[list(covariates)].isna().groupby(obs["donor"]).any().sum()
        costs = listing([f"{name} is unknown for {count}" for name, count in gaps[gaps > 0].items()])
        raise InputError(
            f"covariates: {int(trial.mask.sum())} samples have all of {listing(covariates)}, and every test is "
            f"adjusted for all of them: of {obs['donor'].nunique()} donors {costs}; leave out what too few have"
        )
    trial, audit = audited(trial)
    refused = kind_of(run).part("probe", "refused", missing={})(run, trial, audit)
    audit = with_refusals(audit, replace(trial, refused=refused))
    return Design(run.run, trial, audit, dims, dropped, pd.DataFrame() if cells is None else cells)


def task_plan(design: Design, name: str) -> TaskPlan:
    """Power of the tests of one task, and of showing that its head can do without a dimension."""
    trial, info = design.trial, design.trial.tasks[name]
    units, nothing = trial.task_units(name), float("nan")
    codes = info.codes(units.y)
    classes = {c: len(np.unique(units.owner[codes == k])) for k, c in enumerate(info.classes)}
    rows = design.audit[(design.audit["kind"] == "task") & (design.audit["task"] == name)]
    vif = float(rows["vif_all"].iloc[0]) if len(rows) else 1.0
    needed = dict.fromkeys(EFFECTS, nothing)
    family = design.audit.loc[(design.audit["kind"] == "family") & (design.audit["task"] == name), "value"]
    cost = float(family.iloc[0]) if len(family) else 1.0
    task = TaskPlan(info, units, name in trial.outcomes, vif, classes, nothing, needed, nothing, cost=cost)
    if info.decisive in MEASURED and task.balance != 0:
        harmless = donors_for_bins(task.balance if classes else None, trial.options.margin)
        task = replace(task, harmless=harmless)
    if not task.outcome or not units.testable(LEAST_UNITS):
        return task
    _, adjustment, columns = task_design(trial, name, units=units)
    # a donor seen in several states is a whole unit per state only where it is compared with itself
    per_donor = len(units) / units.donors if units.within else 1.0
    donors, df = units.donors * per_donor, columns.shape[1]
    contrast = Contrast(columns, adjustment, units)
    # of families the denominator's degrees of freedom are those of the families, and grow with them
    left, free = (contrast.df_residual, contrast.df_error) if units.families else (contrast.df_error, None)
    spent = int(round(max(donors - df - left, 1)))
    outcomes, alpha = len(trial.outcomes), trial.options.alpha
    # the effect is on this outcome alone: the others bring what chance does, -log p of 1 on average
    level = firm_level(evidence_needed(design.dims, outcomes, alpha), outcomes - 1.0, outcomes, alpha)
    # with everything that the test is adjusted for: more than the covariates of the audit
    inflation = variance_inflation(units.centre(columns), adjustment.basis)
    common = (info.test_variance(task.balance), inflation * cost, level, df, spent)
    obstacle = too_few(units, contrast.estimable, alpha, trial.words)
    if units.families and not contrast.estimable:
        return replace(task, pooled=adjustment.pooled, obstacle=obstacle)
    if info.counts:
        task = _by_events(task, inflation * cost, level, spent, free)
        smallest = nothing if obstacle else task.smallest
        return replace(task, smallest=smallest, pooled=adjustment.pooled, obstacle=obstacle)
    needed = {effect: np.ceil(donors_for_effect(effect, *common, free, donors) / per_donor) for effect in EFFECTS}
    smallest = nothing if obstacle else smallest_effect(donors, *common, free)
    return replace(task, smallest=smallest, needed=needed, pooled=adjustment.pooled, obstacle=obstacle)


def _by_events(task: TaskPlan, vif: float, level: float, spent: int, free: float | None) -> TaskPlan:
    """The plan of a label whose power grows with its events."""
    events, donors = int(task.label.telling(task.units.y).sum()), task.donors
    common = (events, donors, vif, level, spent, free)
    found = {effect: events_for_hazard(effect, *common) for effect in EFFECTS}
    needed = {effect: np.ceil(n * donors / events) if events else np.inf for effect, n in found.items()}
    return replace(task, smallest=smallest_hazard(*common), needed=needed, events=events, events_needed=found)


def plan_table(design: Design, tasks: list[TaskPlan], says: dict[str, str]) -> pd.DataFrame:
    """``plan.tsv``: a row per task, per task x covariate (``pair``), per technical covariate x
    confounder, per outcome x gap, number or order of samples, and, with families, per task what they cost."""
    rows = []
    for task in tasks:
        row = {"kind": "task", "task": task.name, "unit": task.units.kind, "donors": task.donors, "vif": task.vif}
        row |= {"n_effective": task.n_effective, "rarest": task.rarest, "balance": task.balance}
        row |= {"rarest_donors": task.fewest, "smallest_effect": task.smallest, "effect_unit": task.label.contrast}
        row |= {f"donors_for_{e:g}": n for e, n in task.needed.items()}
        row |= {"events": task.events} | {f"events_for_{e:g}": n for e, n in task.events_needed.items()}
        rows.append(row | {"donors_harmless": task.harmless, "says": says[task.name]})
    for pair in design.audit.itertuples():
        kind = {"task": "pair", "covariate": "technical"}.get(pair.kind, pair.kind)
        row = {"kind": kind, "task": pair.task, "covariate": pair.covariate, "role": pair.role, "call": pair.call}
        row |= {"unit": pair.unit, "donors": pair.n_donors, "vif": pair.vif, "says": pair.why}
        row |= {"n_effective": pair.n_effective} if pair.kind == "family" else {}
        rows.append(row)
    of_events = OF_EVENTS if any(task.label.counts for task in tasks) else []
    return pd.DataFrame(rows, columns=PLAN + of_events).replace(np.inf, np.nan)
