"""What the page shows of samples of donors, measured or in a table of features."""

from pathlib import Path

import numpy as np

from mtlbio.cohort.cohort import Cohort, read_cohort
from mtlbio.cohort.family import FAMILY
from mtlbio.probing.trial import Trial
from mtlbio.report.inputs import Inputs


def cohort(results: Path) -> Cohort:
    """The prepared cohort."""
    return read_cohort(results / "cohort.h5ad")


def decides(inputs: Inputs, task: str) -> str:
    """The metric on which arms are compared for a task."""
    return inputs.cohort.tasks[task].decisive.name


def sizes(inputs: Inputs) -> list[tuple[int, str]]:
    """How many of what the run is about."""
    of_samples = [(inputs.obs["donor"].nunique(), "donors"), (len(inputs.obs), "samples")]
    if FAMILY in inputs.obs:
        of_samples.insert(0, (inputs.obs[FAMILY].nunique(), "families"))
    return [*of_samples, (len(inputs.features or inputs.cohort.genes), inputs.words.features)]


def features(cohort: Cohort) -> list[str]:
    """Columns of a table of features."""
    return list(cohort.coding.places)


def trial(inputs: Inputs) -> Trial:
    """What the dimensions were tested on."""
    block = inputs.about["block"] if "block" in inputs.about else ["axis"] * len(inputs.about)
    z, dims = inputs.latents.to_numpy(dtype=float), tuple(inputs.latents.columns)
    cohort = inputs.cohort
    of_run = (cohort.tasks, cohort.covariates, inputs.run.probe)
    return Trial(z, dims, np.asarray(block).astype(str), inputs.obs, *of_run, words=inputs.words)
