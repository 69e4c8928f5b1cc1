"""One fabricated run with hostile names, reported once for all tests of this room."""

from __future__ import annotations

import pytest
from fabricate import fabricate


@pytest.fixture(scope="session")
def reported(tmp_path_factory):
    """(run, results folder) after ``report``; every user string in it is markup."""
    from mtlbio.report.page import report

    folder = tmp_path_factory.mktemp("results") / "fabricated"
    run = fabricate(folder, donors=60, hostile=True)
    report(run, folder)
    return run, folder


@pytest.fixture(scope="session")
def page(reported) -> str:
    """The text of the page."""
    return (reported[1] / "report.html").read_text(encoding="utf-8")
