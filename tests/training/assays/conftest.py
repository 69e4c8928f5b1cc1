"""One small fit to two blocks, which every test of them reads."""

import pytest
from planted_blocks import OPTIONS, prepared

from mtlbio.training.assays.fit import fit_blocks


@pytest.fixture(scope="session")
def planted(tmp_path_factory):
    """Folder of the planted files."""
    return tmp_path_factory.mktemp("blocks")


@pytest.fixture(scope="session")
def cohort_and_splits(planted):
    return prepared(planted)


@pytest.fixture(scope="session")
def fit(cohort_and_splits):
    return fit_blocks(*cohort_and_splits, OPTIONS)
