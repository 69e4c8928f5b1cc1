"""A dimension after the trial: all that its row of verdicts.tsv is filled from (:mod:`mtlbio.probing.columns`)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from mtlbio.config import TrialOptions
from mtlbio.probing.collect_evidence import worst_way
from mtlbio.probing.evidence import Evidence
from mtlbio.probing.rates import Rate
from mtlbio.probing.sample_size import donors_for_a_verdict
from mtlbio.probing.verdict import Verdict, judge


@dataclass(frozen=True)
class Loss:
    """What a task's metric loses without a dimension, with the 95 % interval, and what that is called."""

    loss: float = math.nan
    ci_low: float = math.nan
    ci_high: float = math.nan
    removal: str = "inconclusive"


@dataclass(frozen=True)
class Judgement:
    """One dimension.

    Attributes
    ----------
    stability : median absolute correlation with its partner; NaN where there is one network only
    losses : by task; a task that was not examined is left out
    about : the task that the verdict is about
    n_effective, vif : of that task, from the audit
    donors_needed, needed_for : of :func:`mtlbio.probing.sample_size.donors_for_a_verdict`, of an ``underpowered`` one
    shares : further shares of the dimension's variance by the name of their column
    subspace : the block whose verdict this is
    """

    evidence: Evidence
    verdict: Verdict
    stability: float
    losses: dict[str, Loss]
    about: str
    n_effective: float = math.nan
    vif: float = math.nan
    donors_needed: float = math.nan
    needed_for: str | None = None
    shares: dict[str, float] = field(default_factory=dict)
    subspace: str | None = None
    rate: Rate = Rate()

    def loss(self, task: str) -> Loss:
        """What a task loses without the dimension."""
        return self.losses.get(task, Loss())


def judgements(
    evidence: list[Evidence], ablation: pd.DataFrame, audit: pd.DataFrame, stability: np.ndarray, options: TrialOptions
) -> list[Judgement]:
    """The verdict on every dimension, with what belongs to it; ``stability``: (D,) of the dimensions."""
    # the audit's figures of a task are the same in every row of that task
    design = audit[audit["kind"] == "task"].drop_duplicates("task").set_index("task")
    losses, out = losses_by_dimension(ablation), []
    for item, steady in zip(evidence, stability, strict=True):
        verdict, about = judge(item, options), about_task(item)
        effective, vif = (design[column].get(about, math.nan) for column in ("n_effective", "vif_all"))
        without, needed = losses.get(item.dim, {}), to_settle(verdict, item, options)
        out.append(Judgement(item, verdict, steady, without, about, effective, vif, *needed))
    return out


def to_settle(verdict: Verdict, evidence: Evidence, options: TrialOptions) -> tuple[float, str | None]:
    """Donors that an ``underpowered`` verdict lacks and for what; NaN and None of any other."""
    return donors_for_a_verdict(evidence, options) if verdict.verdict == "underpowered" else (math.nan, None)


def about_task(evidence: Evidence) -> str:
    """The task that a verdict is about: one that cannot be told from a covariate, else the one most closely linked."""
    tasks = evidence.outcomes or list(evidence.tasks)
    return min(tasks, key=lambda t: (not t.joint, 2.0 if math.isnan(t.q) else t.q)).name


def losses_by_dimension(ablation: pd.DataFrame) -> dict[str, dict[str, Loss]]:
    """Dimension (or block) -> task -> the loss of the worse way of removal."""
    out: dict[str, dict[str, Loss]] = {}
    for row in worst_way(ablation).itertuples():
        out.setdefault(row.dim, {})[row.task] = Loss(row.loss, row.ci_low, row.ci_high, row.removal)
    return out
