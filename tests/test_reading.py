"""Files of users before they are read: what is no file, what expands without end, what does not fit into memory."""

from __future__ import annotations

import gzip
import os
import socket
from pathlib import Path

import pytest

from mtlbio import reading
from mtlbio.cohort.expression import read_expression
from mtlbio.cohort.genesets import read_gmt
from mtlbio.cohort.metadata import read_metadata
from mtlbio.config import Expression
from mtlbio.errors import InputError
from mtlbio.kinds.read import read_run
from mtlbio.sequence.features import open_embeddings, open_profiles
from mtlbio.sequence.records import read_fasta
from mtlbio.sequence.structures import read_structure

READERS = {
    "metadata.csv": read_metadata,
    "metadata.tsv.gz": read_metadata,
    "metadata.parquet": read_metadata,
    "expression.csv": lambda p: read_expression(Expression(path=str(p), scale="log"), "sample_id"),
    "expression.h5ad": lambda p: read_expression(Expression(path=str(p), scale="log"), "sample_id"),
    "expression.h5": lambda p: read_expression(Expression(path=str(p), scale="log"), "sample_id"),
    "sets.gmt": read_gmt,
    "chains.fasta": read_fasta,
    "chain.pdb": lambda p: list(read_structure(p)),
    "chain.cif": lambda p: list(read_structure(p)),
    "profiles.npz": lambda p: open_profiles(p, ["pssm"]),
    "embeddings.h5": open_embeddings,
    "run.yaml": read_run,
}


def a_pipe(path: Path) -> str:
    os.mkfifo(path)
    return "found a pipe, which can be read only once; "


def a_socket(path: Path) -> str:
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind(str(path))
    return "found a socket; "


def a_device(path: Path) -> str:
    path.symlink_to("/dev/zero")
    return "found a device; "


def a_circle(path: Path) -> str:
    path.symlink_to(path.name)
    return "Too many levels of symbolic links; "


def nothing(path: Path) -> str:
    path.write_bytes(b"")
    return "empty; "


def no_file(path: Path) -> str:
    return "no such file; "


@pytest.mark.parametrize("make", [a_pipe, a_socket, a_device, a_circle, nothing, no_file])
@pytest.mark.parametrize("name", READERS)
def test_what_is_no_file_is_one_line_at_once(tmp_path, monkeypatch, name, make):
    monkeypatch.chdir(tmp_path)  # a socket's path has to be short
    words = make(Path(name))
    with pytest.raises(InputError) as caught:
        READERS[name](Path(name))
    if (name, make) == ("run.yaml", nothing):
        words = "expected keys such as run, expression, tasks; found an empty file"
    assert str(caught.value).startswith(f"{name}: {words}") and "\n" not in str(caught.value)


@pytest.mark.parametrize("name", [name for name in READERS if not name.startswith("expression")])
def test_a_folder_is_no_file(tmp_path, name):
    (tmp_path / name).mkdir()
    with pytest.raises(InputError, match=f"{name}: found a folder; expected "):
        READERS[name](tmp_path / name)


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    (tmp_path / "m.csv").write_text("a,b\n1,2\n")
    monkeypatch.setattr(reading.os, "access", lambda path, how: False)
    with pytest.raises(InputError, match=r"m.csv: may not be read \(permission denied\); expected "):
        read_metadata(tmp_path / "m.csv")


def test_gzip_that_expands_without_end_stops(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "_FROM", 3_000_000)
    packed = tmp_path / "m.csv.gz"
    packed.write_bytes(gzip.compress(b"sample_id,donor_id\n" + b"0,0\n" * 2_000_000))
    with pytest.raises(InputError) as caught:
        read_metadata(packed)
    assert "m.csv.gz: 0.0 GB that expand to more than 0.0 GB; expected text that fits into memory (" in str(
        caught.value
    )
    monkeypatch.setattr(reading, "_FROM", 30_000_000)
    assert len(read_metadata(packed)) == 2_000_000
    monkeypatch.setattr(reading, "memory_bytes", lambda: 5_000_000)
    with pytest.raises(InputError, match="expected text that fits into memory"):
        read_metadata(packed)


def test_a_file_larger_than_the_memory_is_not_begun(tmp_path, monkeypatch):
    (tmp_path / "m.csv").write_text("a,b\n" + "1,2\n" * 1000)
    monkeypatch.setattr(reading, "memory_bytes", lambda: 1000)
    with pytest.raises(
        InputError, match=r"m.csv: it needs 0.0 GB of memory; there are 0.0 GB here: a damaged file, or a "
    ):
        read_metadata(tmp_path / "m.csv")


def test_memory_is_what_a_job_may_have():
    import resource

    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert 0 < reading.memory_bytes() <= machine
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (10**12 if machine > 10**12 else machine - 1, before[1]))
    try:
        assert reading.memory_bytes() <= machine - 1
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def test_limits_of_a_job_are_those_of_its_groups_and_of_all_above(tmp_path):
    for folder, name, limit in [
        ("slurm/job_7", "memory.max", "5000\n"),
        ("slurm", "memory.max", "max\n"),
        (".", "memory.max", "9000\n"),
        ("memory/slurm/job_7", "memory.limit_in_bytes", "4000\n"),
    ]:
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / name).write_text(limit)
    assert reading.limits_of_groups("0::/slurm/job_7/step_0\n", tmp_path) == [5000, 9000]
    old = "4:cpu,cpuacct:/slurm\n3:hugetlb,memory:/slurm/job_7\n"
    assert reading.limits_of_groups(old, tmp_path) == [4000]
    assert reading.limits_of_groups("0::/\n", tmp_path) == [9000]


def test_one_endless_line_is_refused(tmp_path, monkeypatch):
    from mtlbio.sequence import records

    (tmp_path / "c.fasta").write_text(">a\n" + "A" * 5000 + "\n")
    assert len(read_fasta(tmp_path / "c.fasta")[0][1]) == 5000
    monkeypatch.setattr(records, "LONGEST_LINE", 1000)
    with pytest.raises(InputError, match="c.fasta: line 2 has more than 1,000 characters; expected shorter lines"):
        read_fasta(tmp_path / "c.fasta")


def test_nul_bytes_end_no_cell_in_silence(tmp_path):
    (tmp_path / "m.csv").write_bytes(b"sample_id,donor_id\nS1\x00x,d\n")
    with pytest.raises(
        InputError, match=r"m.csv: holds NUL bytes; expected text in UTF-8 \(of a spreadsheet: CSV UTF-8\)"
    ):
        read_metadata(tmp_path / "m.csv")


def test_a_row_with_more_cells_than_the_header_loses_none(tmp_path):
    (tmp_path / "m.csv").write_text("sample_id,donor_id\na,b\nc,d,e,f\n")
    with pytest.raises(InputError, match="m.csv: line 3 has 4 fields, the header 2: is a cell with a sepa"):
        read_metadata(tmp_path / "m.csv")


def test_a_mistake_of_a_library_names_what_was_due(tmp_path):
    with pytest.raises(InputError, match=r"^a.csv: not a table \(ZeroDivisionError: two lines\)$"):
        with reading.understood("a.csv", "a table"):
            raise ZeroDivisionError("two\nlines")
    with pytest.raises(InputError, match=r"^a.csv: does not fit into memory \(MemoryError: Unable to allocate\)$"):
        with reading.understood("a.csv", "a table"):
            raise MemoryError("Unable to allocate")
    with pytest.raises(InputError, match=r"^/none/b.csv: No such file or directory; expected a table$"):
        with reading.understood("a.csv", "a table"):
            open("/none/b.csv")
