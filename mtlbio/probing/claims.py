"""What may be claimed of latents that another model made, from what that model saw and what was taken out before.

A test compares donors. It is fair as long as nothing that made the latents knew the labels:

- latents that saw a label follow it whatever is true, and prove nothing about it;
- a correction that was told to protect an outcome (ComBat with ``mod``, limma with a design) takes from the batch what
  the outcome does not explain. Where the two go together, its error in the direction of the batch is the mirror image
  of its error in the direction of the outcome, and stays in the data: the axes of largest variance find it, and no
  adjustment takes it out again (Nygaard, Rodland & Hovig 2016, Biostatistics 17:29). With 80 donors whose batch is
  their disease with probability .85 all of 200 null cohorts held a false link, with .6 8 %, with .5 6 %.

So a task is refused where its label was seen, and where it was protected from a correction for something that goes with
it by ``FREE`` or more. What is not said is taken for the worst. docs/latents.md has the numbers.
"""

from dataclasses import dataclass

import pandas as pd

from mtlbio.cohort.cohort import Cohort
from mtlbio.config import Latents
from mtlbio.probing.examinee import DONORS, NOTHING
from mtlbio.probing.rates import REFUSED, cramers_v
from mtlbio.probing.trial import Trial
from mtlbio.probing.verdict import UNCLAIMED
from mtlbio.text import joined

# Cramer's V (bias-corrected) of outcome and covariate from which they are not free of each other. V .18, of 80 donors
# with P(batch = disease) .58, still gave 7 to 9 % false links in place of 5, V .32 gave 8 to 16 %, V .4 24 to 41 %.
FREE = 0.15


@dataclass(frozen=True)
class Statement:
    """What is known of the model that made the latents, with the worst in the place of what was not said.

    Attributes
    ----------
    saw : ``nothing``, ``donors``, or the tasks whose labels it saw
    corrected_for : covariates that were taken out beforehand
    kept : tasks that the correction protected
    assumed : keys that nobody stated
    """

    saw: str | tuple[str, ...]
    corrected_for: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()

    @classmethod
    def of_cohort(cls, latents: Latents, cohort: Cohort) -> "Statement":
        """The statement of a run on its cohort."""
        technical = [c.name for c in cohort.covariates.values() if c.role == "technical"]
        return cls.of(latents, [name for name in cohort.tasks if name not in cohort.covariates], technical)

    @classmethod
    def of(cls, latents: Latents, tasks: list[str], technical: list[str]) -> "Statement":
        """The statement of a run; ``technical``: names of its technical covariates."""
        saw = NOTHING if latents.encode is not None else latents.saw
        stated = {"saw": saw, "corrected_for": latents.corrected_for, "kept": latents.kept}
        # nothing was taken out: nothing could be protected
        needless = {"kept"} if latents.corrected_for == [] else set()
        assumed = tuple(key for key, value in stated.items() if value is None and key not in needless)
        seen = tasks if saw is None else saw
        corrected = technical if latents.corrected_for is None else latents.corrected_for
        kept = tasks if latents.kept is None and corrected else latents.kept or []
        return cls(seen if isinstance(seen, str) else tuple(seen), tuple(corrected), tuple(kept), assumed)

    @property
    def sentence(self) -> str:
        """One sentence for the page."""
        if isinstance(self.saw, str):
            seen = {NOTHING: "the donor on trial was not seen by the model", DONORS: "it saw all donors and no label"}
            first = f"Latents of another model, of which is said that {seen[self.saw]}"
        else:
            first = f"Latents of another model, which saw the labels of {joined(list(self.saw))}"
        if not self.corrected_for:
            second = "nothing was taken out of the data beforehand"
        else:
            second = f"{joined(list(self.corrected_for))} taken out beforehand"
            second += f" while {joined(list(self.kept))} was protected" if self.kept else ", no outcome protected"
        said = f" Not stated, and taken for the worst: {joined([f'latents.{k}' for k in self.assumed])}."
        return f"{first}; {second}.{said if self.assumed else ''}"


def refused(trial: Trial, audit: pd.DataFrame, statement: Statement) -> dict[str, str]:
    """Task -> why nothing can be claimed of it, of the tasks that are refused.

    ``audit``: of the design, which knows how closely each task goes with what was corrected for.
    """
    out = {}
    for task in trial.labelled:
        reason = _seen(task, statement) or _protected(task, audit, statement)
        if reason:
            out[task] = reason
    return out


def with_refusals(audit: pd.DataFrame, trial: Trial) -> pd.DataFrame:
    """The audit with a row of kind ``latents`` for every task that is refused, before its own."""
    if not trial.refused:
        return audit
    rows = [
        {"kind": REFUSED, "task": task, "covariate": "the latents", "call": UNCLAIMED, "why": _sentence(task, reason)}
        for task, reason in trial.refused.items()
    ]
    return pd.concat([pd.DataFrame(rows), audit], ignore_index=True)[list(audit)]


def _sentence(task: str, reason: str) -> str:
    return f"Nothing is claimed of {task}: {reason}."


def _seen(task: str, statement: Statement) -> str | None:
    if isinstance(statement.saw, str) or task not in statement.saw:
        return None
    if "saw" in statement.assumed:
        return f"it is not stated what the model saw (latents.saw), and if it saw {task}, its latents follow it anyway"
    return f"the model that made the latents saw {task}, so that they follow it whatever is true"


def _protected(task: str, audit: pd.DataFrame, statement: Statement) -> str | None:
    if task not in statement.kept:
        return None
    rows = audit[(audit["kind"] == "task") & (audit["task"] == task)]
    rows = rows[rows["covariate"].isin(statement.corrected_for)]
    # 1 where they cannot be told apart, 0 where the covariate has no say
    strength = cramers_v(rows).fillna(0.0).where(rows["call"] != UNCLAIMED, 1.0)
    if not (strength >= FREE).any():
        return None
    value, name = max(zip(strength, rows["covariate"], strict=True))
    start = f"{name} was taken out of the data while {task} was protected"
    if {"corrected_for", "kept"} & set(statement.assumed):
        start = f"it is not stated that no correction for {name} protected {task} (latents.corrected_for, latents.kept)"
    return (
        f"{start}; the two go together (Cramer's V {value:.2f}, free below {FREE:g}), and such a correction leaves its "
        f"own error in the direction of {task}, which no adjustment takes out"
    )
