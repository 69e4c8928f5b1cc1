"""When a deep trunk is trained: as the run's ``training.encoder`` says, and why, in one line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mtlbio.choices.sharing import SHARED, SHARING
from mtlbio.errors import listing

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Encoder:
    """Whether a deep trunk is trained, and why."""

    deep: bool
    why: str


def objection(training) -> str | None:
    """What of a section ``training`` a deep trunk cannot serve, with the key that says so; None where it can."""
    if not SHARING[training.sharing].shared:
        return (
            f"training.sharing: {training.sharing} sharing lets no task train what another one reads, and a deep trunk "
            f"is read by all; valid beside it: {listing(SHARED, limit=20)}"
        )
    for key in ("adversary", "reconstruction", "masked_genes"):
        if getattr(training, key) is not None:
            return f"training.{key}: reaches the linear trunk only; valid beside a deep trunk: leave it out"
    return None


def encoder_of(training, donors: Mapping[str, int]) -> Encoder:
    """What becomes of ``training.encoder`` in a cohort with so many labelled ``donors`` of every task.

    Examples
    --------
    >>> from mtlbio.config import Training
    >>> encoder_of(Training(encoder="auto"), {"disease": 90}).why
    'auto: disease has 90 labelled donors, fewer than 2000 (training.deep.from_donors)'
    """
    if training.encoder == "linear":
        return Encoder(False, "training.encoder: linear")
    if training.encoder == "mlp":
        return Encoder(True, "training.encoder: mlp")
    refused = objection(training)
    if refused:
        return Encoder(False, f"auto: {refused}")
    least = training.deep.from_donors
    task = max(donors, key=lambda name: donors[name])
    enough = donors[task] >= least
    says = f"auto: {task} has {donors[task]} labelled donors, {'at least' if enough else 'fewer than'} {least}"
    return Encoder(enough, f"{says} (training.deep.from_donors)")


def sentence(encoder: Encoder) -> str:
    """What a plan, or a log, says of it."""
    if encoder.deep:
        return (
            f"A deep trunk is trained beside the linear predictors ({encoder.why}); a task takes from it what its "
            "inner validation donors say is won (docs/deep.md)."
        )
    return f"No deep trunk is trained ({encoder.why})."


def plan_lines(training, table: pd.DataFrame) -> list[str]:
    """What ``mtlbio plan`` says of the encoder, from the labelled donors in ``plan.tsv``; nothing of a linear one."""
    if training.encoder == "linear":
        return []
    tasks = table[table["kind"] == "task"]
    return ["", sentence(encoder_of(training, dict(zip(tasks["task"], tasks["donors"].astype(int), strict=True))))]
