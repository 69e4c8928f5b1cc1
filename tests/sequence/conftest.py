"""Fixtures of the room."""

from __future__ import annotations

import pytest
from small_chains import run_of, table

from mtlbio.kinds.schemas import ProteinRun


@pytest.fixture
def written(tmp_path):
    """Write a table of chains and give the run that reads it."""

    def write(changed: dict | None = None, **run) -> ProteinRun:
        path = tmp_path / "chains.csv"
        table(**(changed or {})).to_csv(path, index=False)
        return run_of(path, **run)

    return write
