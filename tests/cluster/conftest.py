"""Commands of Slurm that a test writes itself."""

import os

import pytest

from mtlbio.cluster.limits import limits_of


@pytest.fixture
def command(tmp_path, monkeypatch):
    """Puts a shell script of this name in front of the others, and forgets the limits that were asked for."""
    folder = tmp_path / "commands"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    limits_of.cache_clear()

    def write(name: str, script: str) -> None:
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)

    yield write
    limits_of.cache_clear()
