"""The trial says what it does; tests do not listen."""

import pytest

from mtlbio.progress import console


@pytest.fixture(autouse=True)
def _quiet(monkeypatch):
    monkeypatch.setattr(console, "quiet", True)
