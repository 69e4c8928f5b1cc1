"""The blocks of a cohort as matrices without gaps: what an added task is predicted from beside the trunk."""

import numpy as np

from mtlbio.cohort.assays.blocks import blocks_of, of_blocks
from mtlbio.cohort.cohort import Cohort


def matrices(cohort: Cohort) -> list[tuple[np.ndarray, Cohort]]:
    """Of every block the places of the samples that have it, and these samples with its features alone."""
    blocks = blocks_of(cohort)
    rows = {name: np.flatnonzero(blocks.have([name])) for name in blocks.names}
    return [(own, of_blocks(cohort, (name,), own)) for name, own in rows.items()]
