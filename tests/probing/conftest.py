"""Planted cohorts for the tests of the trial (``planted.py`` lies beside this file)."""

import sys
from pathlib import Path

import pytest

from mtlbio.progress import console

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def _quiet(monkeypatch):
    monkeypatch.setattr(console, "quiet", True)
