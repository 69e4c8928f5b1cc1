"""How much memory there is, and who says it first."""

import os

import pytest

from mtlbio.launch import machine, run
from mtlbio.launch.options import Options

WHOLE = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 10**6


@pytest.mark.parametrize("text, found", [("max\n", WHOLE), ("512000000\n", 512), (None, WHOLE), ("9" * 18, WHOLE)])
def test_a_container_s_limit_counts_where_it_is_lower(tmp_path, monkeypatch, text, found):
    monkeypatch.setattr(machine, "CGROUP", tmp_path / "memory.max")
    if text is not None:
        machine.CGROUP.write_text(text)
    assert machine.memory_mb() == found


@pytest.mark.parametrize("profile, said", [("keep-going: true\n", True), ("resources:\n  mem_mb: 9\n", False)])
def test_the_default_profile_comes_first(tmp_path, monkeypatch, profile, said):
    (tmp_path / "profiles" / "default").mkdir(parents=True)
    (tmp_path / "profiles" / "default" / "config.yaml").write_text(profile)
    monkeypatch.setattr(run, "snakefile", lambda: tmp_path / "Snakefile")
    assert ("--resources" in run.command([], tmp_path / "results", None, Options())) is said
