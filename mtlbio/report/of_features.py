"""What the page shows of a table of features in another way than of measurements."""

from __future__ import annotations

from mtlbio.cohort.cohort import Cohort
from mtlbio.report.inputs import Inputs
from mtlbio.report.of_samples import donors_and_samples


def features(cohort: Cohort) -> list[str]:
    """Columns of the table."""
    return list(cohort.coding.places)


def sizes(inputs: Inputs) -> list[tuple[int, str]]:
    """How many of what the run is about."""
    return [*donors_and_samples(inputs), (len(inputs.cohort.coding.sources), "features")]
