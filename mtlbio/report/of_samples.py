"""What the page shows of samples of donors, measured or in a table of features."""

from pathlib import Path

from mtlbio.cohort.cohort import Cohort, read_cohort
from mtlbio.cohort.family import FAMILY
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
