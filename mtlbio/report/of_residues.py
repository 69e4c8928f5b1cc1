"""What the page shows of chains and their residues."""

from pathlib import Path

import numpy as np

from mtlbio.cohort.cohort import Cohort, read_latents
from mtlbio.labels.residues import residue_kind
from mtlbio.probing.residues.trial import ResidueTrial
from mtlbio.report.inputs import Inputs
from mtlbio.report.palette import NEUTRAL, STATE_COLOURS
from mtlbio.sequence.chains import WITHIN_CHAINS, residue_cohort


def cohort(results: Path) -> Cohort:
    """The residues on trial."""
    return residue_cohort(read_latents(results / "latents.h5ad"))


def decides(inputs: Inputs, task: str) -> str:
    """The metric on which arms are compared for a label of residues."""
    return next(iter(residue_kind(inputs.run.tasks[task].kind).metrics)).name


def sizes(inputs: Inputs) -> list[tuple[int, str]]:
    """How many of what the run is about."""
    parts = inputs.tables["splits"]["part"].value_counts() if "splits" in inputs.tables else {}
    held_out = [(inputs.obs["donor"].nunique(), "held-out chains"), (len(inputs.obs), "residues on trial")]
    return [*held_out, (int(parts.get("train", 0)), "training chains")]


def colours(inputs: Inputs, task: str, classes: list[str]) -> list[str] | None:
    """One per class of a label with the states of a secondary structure; None of other labels."""
    if not STATE_COLOURS.keys() <= set(inputs.cohort.tasks[task].classes):
        return None
    return [STATE_COLOURS.get(c, NEUTRAL) for c in classes]


def trial(inputs: Inputs) -> ResidueTrial:
    """What the dimensions were tested on."""
    z, dims, cohort = inputs.latents.to_numpy(dtype=float), tuple(inputs.latents.columns), inputs.cohort
    block, of_run = np.full(len(dims), "axis"), (cohort.tasks, cohort.covariates, inputs.run.probe)
    within = frozenset(WITHIN_CHAINS)
    return ResidueTrial(z, dims, block, inputs.obs, *of_run, within=within, words=inputs.words)
