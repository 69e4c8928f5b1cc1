"""Damaged files by the thousand: each is read, or refused in one line that names it; no other error, hang or crash."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from readers import READERS
from tried import tried

FAST = 12  # mutations of each reader in the fast tests
# Formats, what reads them, and mutations of each reader in the slow tests: at least 2,000 of a format.
FORMATS = {
    "YAML": (670, ["yaml of a cohort", "yaml of a table", "yaml of a protein"]),
    "csv and tsv": (500, ["metadata csv", "metadata tsv", "expression csv", "names of csv"]),
    "csv.gz": (1000, ["metadata csv.gz", "expression csv.gz"]),
    "workbooks": (1000, ["metadata xlsx", "names of xlsx"]),
    "parquet": (670, ["metadata parquet", "expression parquet", "names of parquet"]),
    "h5ad": (400, [*(f"expression h5ad{kind}" for kind in ("", " csr", " csc")), "cells on disk", "cells on disk csc",
        "cells on disk dense", "names of h5ad", "choice of h5ad"]),
    "further stores of cells": (670, ["choice of h5mu", "choice of loom", "choice of zarr"]),
    "10x": (
        340,
        ["expression 10x h5", "names of 10x h5", *(f"{what} 10x{end}" for what, end in
         (("expression", " mtx"), ("genes of", ""), ("barcodes of", ""), ("names of", " mtx")))],
    ),
    "gene sets": (1000, ["gene sets", "gene sets gz"]),
    "FASTA": (1000, ["fasta", "fasta gz"]),
    "structures": (1000, ["structure pdb", "structure cif"]),
    "features of residues": (1000, ["profiles", "embeddings"]),
    "tables of chains": (2000, ["chains csv"]),
    "what prepare and init make of tables": (
        100, ["prepare: metadata", "prepare: expression", "prepare: features", "init: table", "init: metadata"],
    ),
    "tables of mtlbio": (300, ["own tables"]),
}  # fmt: skip


@pytest.mark.parametrize("name", READERS)
def test_a_few_damaged_files_of_every_kind(name, tmp_path):
    wrong, read = tried(name, 0, FAST, tmp_path / "f")
    assert wrong == [] and 0 <= read <= FAST


def test_every_reader_is_tried_and_every_format_of_users_two_thousand_times():
    assert sorted(name for _, names in FORMATS.values() for name in names) == sorted(READERS)
    few = {what: count * len(names) for what, (count, names) in FORMATS.items() if count * len(names) < 2000}
    assert few == {"what prepare and init make of tables": 500, "tables of mtlbio": 300}


@pytest.mark.slow
@pytest.mark.parametrize("what", FORMATS)
def test_many_damaged_files(what, tmp_path):
    """In a process of its own: a crash is a failure that names the case."""
    count, names = FORMATS[what]
    root = Path(__file__).parents[2]
    paths = ":".join(str(root / folder) for folder in ("", "tests/fuzz", "tests/cohort", "tests/sequence"))
    done = subprocess.run(
        [sys.executable, root / "tests/fuzz/tried.py", str(FAST), str(FAST + count), *names],
        env=os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=3000,
    )
    assert done.returncode == 0, (done.returncode, done.stderr[-500:])
    assert done.stdout == ""
