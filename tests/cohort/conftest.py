"""Fixtures of the cohort tests."""

from __future__ import annotations

import pytest
from small_cohort import SmallCohort


@pytest.fixture
def small(tmp_path) -> SmallCohort:
    """A small valid cohort, not yet written."""
    return SmallCohort(tmp_path)
