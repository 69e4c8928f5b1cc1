"""A dimension after the trial: all that its row of verdicts.tsv is filled from (:mod:`mtlbio.probing.columns`)."""

import math
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from mtlbio.config import TrialOptions
from mtlbio.probing.evidence import Evidence, TaskEvidence
from mtlbio.probing.rates import Rate
from mtlbio.probing.sample_size import donors_for_a_verdict
from mtlbio.probing.sentences import listed
from mtlbio.probing.verdict import UNCLAIMED, Verdict, judge, of_one_outcome


@dataclass(frozen=True)
class Judgement:
    """One dimension.

    Attributes
    ----------
    stability : median absolute correlation with its partner; NaN where there is one network only
    about : the task that the verdict is about
    by_task : the verdict that each outcome alone would get
    n_effective, vif : of that task, from the audit
    donors_needed, needed_for : of :func:`mtlbio.probing.sample_size.donors_for_a_verdict`, of an ``underpowered`` one
    shares : further shares of the dimension's variance by the name of their column
    block : evidence on the block whose verdict this is
    odds : probability of every role (:data:`mtlbio.probing.odds.ROLES`); empty where none can be given
    """

    evidence: Evidence
    verdict: Verdict
    stability: float
    about: str
    n_effective: float = math.nan
    vif: float = math.nan
    donors_needed: float = math.nan
    needed_for: str | None = None
    shares: dict[str, float] = field(default_factory=dict)
    block: Evidence | None = None
    rate: Rate = Rate()
    by_task: dict[str, str] = field(default_factory=dict)
    odds: dict[str, float] = field(default_factory=dict)

    def removal(self, task: str) -> TaskEvidence:
        """What a task loses without the dimension, or without its block."""
        return next((t for t in (self.block or self.evidence).tasks if t.name == task), TaskEvidence(task))


def judgements(
    evidence: list[Evidence], audit: pd.DataFrame, stability: np.ndarray, options: TrialOptions
) -> list[Judgement]:
    """The verdict on every dimension, with what belongs to it; ``stability``: (D,) of the dimensions."""
    # the audit's figures of a task are the same in every row of that task
    design = audit[audit["kind"] == "task"].drop_duplicates("task").set_index("task")
    out = []
    for item, steady in zip(evidence, stability, strict=True):
        verdict, task = judge(item, options), about_task(item)
        effective, vif = (design[column].get(task, math.nan) for column in ("n_effective", "vif_all"))
        by_task = {t.name: judge(of_one_outcome(item, t.name), options).verdict for t in item.outcomes}
        by_task |= {t.name: UNCLAIMED for t in item.refused}
        settled = to_settle(verdict, item, options)
        verdict = with_alone(verdict, by_task)
        out.append(Judgement(item, verdict, steady, task, effective, vif, *settled, by_task=by_task))
    return out


def with_alone(verdict: Verdict, by_task: dict[str, str]) -> Verdict:
    """A verdict whose ``why`` names the outcomes that alone are biology, where another one cannot be told."""
    alone = [t for t in by_task if verdict.verdict == "not_identifiable" and by_task[t] == "biology"]
    if not alone:
        return verdict
    return replace(verdict, why=f"{verdict.why} For {listed(alone)} alone it is biology.")


def to_settle(verdict: Verdict, evidence: Evidence, options: TrialOptions) -> tuple[float, str | None]:
    """Donors that an ``underpowered`` verdict lacks and for what; NaN and None of any other."""
    return donors_for_a_verdict(evidence, options) if verdict.verdict == "underpowered" else (math.nan, None)


def about_task(evidence: Evidence) -> str:
    """The task that a verdict is about: one that cannot be told from a covariate, else the one most closely linked."""
    tasks = evidence.outcomes or list(evidence.tasks)
    return min(tasks, key=lambda t: (not t.joint, 2.0 if math.isnan(t.q) else t.q)).name
