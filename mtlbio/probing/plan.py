"""``mtlbio plan``: what the design of a cohort can answer, before anything is trained or even measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from mtlbio.calibration.rates import prospects
from mtlbio.cohort.cohort import CovariateInfo, TaskInfo
from mtlbio.cohort.prepare import build_roster
from mtlbio.config import Probe
from mtlbio.kinds import kind_of
from mtlbio.kinds.schemas import DonorRun
from mtlbio.probing.association import task_design
from mtlbio.probing.audit import audit, inseparable
from mtlbio.probing.inference import Contrast
from mtlbio.probing.power import donors_for_bins, donors_for_effect, smallest_effect, test_level
from mtlbio.probing.trial import Trial
from mtlbio.probing.verdict import FIRM
from mtlbio.tables import write_table

EFFECTS = (0.3, 0.5, 0.8, 1.2)
PLAN = ["kind", "task", "covariate", "role", "call", "unit", "donors", "vif", "n_effective", "rarest", "rarest_donors"]
PLAN += [
    "balance",
    "smallest_effect",
    "effect_unit",
    *(f"donors_for_{e:g}" for e in EFFECTS),
    "donors_harmless",
    "says",
]


@dataclass(frozen=True)
class Design:
    """What is known of a cohort before it is measured.

    Attributes
    ----------
    obs : one row per sample with ``donor``, tasks and covariates
    audit : :func:`mtlbio.probing.audit.audit`
    dims : dimensions that are expected
    dropped : reason -> number of samples (cells) that are not in ``obs``
    """

    name: str
    obs: pd.DataFrame
    tasks: dict[str, TaskInfo]
    covariates: dict[str, CovariateInfo]
    options: Probe
    audit: pd.DataFrame
    dims: int
    dropped: dict[str, int]

    @property
    def trial(self) -> Trial:
        """The trial to come, with one empty dimension."""
        empty, block = np.zeros((len(self.obs), 1)), np.array(["axis"])
        pairs = frozenset(inseparable(self.audit))
        return Trial(empty, ("z",), block, self.obs, self.tasks, self.covariates, self.options, pairs)


@dataclass(frozen=True)
class TaskPlan:
    """What can be found out about one task.

    Attributes
    ----------
    outcome : whether biology can be about it
    donors, units, unit : labelled donors with known covariates; what is counted, and its kind
    within : donors are compared with themselves (paired designs)
    vif, n_effective : given all covariates, from the audit
    classes : donors per class, empty for numbers
    variance : of the label in the test: p (1 - p) of the rarest class, 1 for numbers
    smallest : smallest effect that becomes biology with 80 % power, in SD of a dimension
    needed : effect -> donors that find it
    harmless : donors that show useless dimensions to be harmless
    pooled : covariates of which rare levels are pooled in the adjustment, in words
    """

    name: str
    kind: str
    outcome: bool
    donors: int
    units: int
    unit: str
    within: bool
    vif: float
    n_effective: float
    classes: dict[str, int]
    variance: float
    smallest: float
    needed: dict[float, float]
    harmless: float
    pooled: tuple[str, ...]

    @property
    def rarest(self) -> str | None:
        """The class of fewest donors."""
        return min(self.classes, key=self.classes.get) if self.classes else None

    @property
    def balance(self) -> float:
        """Share of the rarest class."""
        return self.classes[self.rarest] / max(sum(self.classes.values()), 1) if self.classes else float("nan")


def plan(run: DonorRun, results: Path, dims: int = 20) -> str:
    """Write ``plan.tsv`` and give the answers in words.

    Of the expression file only the samples' names are read.

    Parameters
    ----------
    dims : dimensions that the model is expected to find

    Raises
    ------
    InputError
        As ``mtlbio prepare``, as far as the metadata can tell.
    """
    from mtlbio.probing.plan_words import task_lines, words

    design = read_design(run, dims)
    tasks = [task_plan(design, name) for name in design.tasks]
    planted = kind_of(run).planted
    said = [prospects(design.audit, task.name, kind=planted) for task in tasks if task.outcome and planted]
    rates = [sentence for sentence in said if sentence]
    rows = plan_table(design, tasks, {task.name: " ".join(task_lines(design, task)[1:]) for task in tasks})
    write_table(rows, Path(results) / "plan.tsv", PLAN)
    return words(design, tasks, rates)


def warned(run: DonorRun) -> list[str]:
    """What the design cannot answer, a sentence per outcome and covariate; of the expression only names are read."""
    from mtlbio.probing.plan_words import grave

    return grave(read_design(run, dims=20))


def read_design(run: DonorRun, dims: int) -> Design:
    """The design of a run's cohort."""
    obs, tasks, covariates, qc = build_roster(run)
    notes = qc.table()
    lost = notes[notes["detail"].str.startswith("dropped") | (notes["reason"] == "few cells")]
    dropped = lost["reason"].value_counts().to_dict()
    return Design(run.run, obs, tasks, covariates, run.probe, audit(obs, tasks, covariates, run.probe), dims, dropped)


def task_plan(design: Design, name: str) -> TaskPlan:
    """Power of the tests of one task, and of showing that its head can do without a dimension."""
    trial, info = design.trial, design.tasks[name]
    outcome = name in trial.outcomes
    units = trial.task_units(name)
    codes = units.y.astype(int) if info.is_class else np.zeros(0, dtype=int)
    classes = {c: len(np.unique(units.cluster[codes == k])) for k, c in enumerate(info.classes)}
    share = min(classes.values()) / max(sum(classes.values()), 1) if classes else float("nan")
    variance = share * (1 - share) if info.kind in ("binary", "multiclass") else 1.0
    rows = design.audit[(design.audit["kind"] == "task") & (design.audit["task"] == name)]
    vif = float(rows["vif_all"].iloc[0]) if len(rows) else 1.0
    smallest, needed, pooled = float("nan"), dict.fromkeys(EFFECTS, float("nan")), ()
    if outcome and len(units) >= 4 and len(np.unique(units.y)) > 1:
        _, given, columns = task_design(trial, name, units=units)
        pooled = tuple(term for term in given.terms if "pooled" in term)
        # a donor seen in several states is a whole unit per state only where it is compared with itself
        per_donor = len(units) / units.donors if units.within else 1.0
        df = columns.shape[1]
        freedom = Contrast(columns, given, units).df_error
        spent = int(round(max(units.donors * per_donor - df - freedom, 1)))
        level = test_level(design.dims * len(trial.outcomes), FIRM * design.options.alpha)
        smallest = smallest_effect(units.donors * per_donor, variance, vif, level, df, spent)
        needed = {e: np.ceil(donors_for_effect(e, variance, vif, level, df, spent) / per_donor) for e in EFFECTS}
    harmless = float("nan")
    if info.kind != "ordinal" and not (info.is_class and share == 0):
        harmless = donors_for_bins(share if info.is_class else None, design.options.margin)
    return TaskPlan(
        name,
        info.kind,
        outcome,
        units.donors,
        len(units),
        units.kind,
        units.within,
        vif,
        len(units) / vif,
        classes,
        variance,
        smallest,
        needed,
        harmless,
        pooled,
    )


def plan_table(design: Design, tasks: list[TaskPlan], says: dict[str, str]) -> pd.DataFrame:
    """``plan.tsv``: a row per task, per task x covariate (``pair``), per technical covariate x confounder."""
    rows = []
    for task in tasks:
        row = {"kind": "task", "task": task.name, "unit": task.unit, "donors": task.donors, "vif": task.vif}
        row |= {"n_effective": task.n_effective, "rarest": task.rarest, "balance": task.balance}
        row |= {"rarest_donors": task.classes.get(task.rarest, np.nan), "smallest_effect": task.smallest}
        row |= {"effect_unit": "SD between classes" if task.kind in ("binary", "multiclass") else "SD per SD"}
        row |= {f"donors_for_{e:g}": n for e, n in task.needed.items()}
        rows.append(row | {"donors_harmless": task.harmless, "says": says[task.name]})
    for pair in design.audit.itertuples():
        kind = "pair" if pair.kind == "task" else "technical"
        row = {"kind": kind, "task": pair.task, "covariate": pair.covariate, "role": pair.role, "call": pair.call}
        row |= {"unit": pair.unit, "donors": pair.n_donors, "vif": pair.vif, "says": pair.why}
        rows.append(row)
    return pd.DataFrame(rows, columns=PLAN).replace(np.inf, np.nan)
