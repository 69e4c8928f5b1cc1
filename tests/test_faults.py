"""The outer net: whatever stops a command is one line and an exit status, and no traceback reaches a user."""

from __future__ import annotations

import errno
import json
import lzma
import os
import signal
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import anndata.io
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import yaml
from safetensors import SafetensorError, safe_open

from mtlbio import cli, faults
from mtlbio.errors import InputError, one_line


@pytest.fixture
def called(monkeypatch, capsys):
    """Let a command raise an error; gives (exit status, stdout, stderr)."""

    def call(error: BaseException, *words: str) -> tuple[int, str, str]:
        def command() -> None:
            raise error

        monkeypatch.setattr(sys, "argv", ["mtlbio", *(words or ("prepare", "run.yaml"))])
        status = faults.run(command)
        out, err = capsys.readouterr()
        return status, out, err

    monkeypatch.setattr(faults, "_folder", [])
    return call


def caught(function, *arguments) -> Exception:
    try:
        function(*arguments)
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


def library_errors(folder: Path) -> dict[str, Exception]:
    """What the libraries that read files really raise, by name."""
    wrong = folder / "wrong"
    wrong.write_bytes(b"\x00wrong" * 20)
    return {
        "pyarrow": caught(pa.ipc.open_file, pa.BufferReader(b"no")),
        "pandas": caught(pd.read_csv, folder / "empty.csv") if (folder / "empty.csv").write_text("") == 0 else None,
        "yaml": caught(yaml.safe_load, "a: ["),
        "json": caught(json.loads, "{"),
        "zlib": caught(zlib.decompress, b"no"),
        "lzma": caught(lzma.decompress, b"no"),
        "zip": caught(zipfile.ZipFile, wrong),
        "unicode": caught(b"\xff".decode),
        "numpy": caught(np.empty, (10**9, 10**9)),
        "safetensors": caught(lambda: safe_open(wrong, "numpy").__enter__()),
        "end": EOFError(),
        "recursion": RecursionError("maximum recursion depth exceeded"),
        "anndata": anndata.io.read_elem and _anndata_error(folder),
    }


def _anndata_error(folder: Path) -> Exception:
    import h5py

    with h5py.File(folder / "a.h5", "w") as file:
        group = file.create_group("obs")
        group.attrs["encoding-type"], group.attrs["encoding-version"] = "nobody", "0.1"
        return caught(anndata.io.read_elem, group)


def test_what_libraries_raise_is_one_line_and_status_2(called, tmp_path):
    errors = library_errors(tmp_path)
    assert isinstance(errors["safetensors"], SafetensorError) and len(errors) == 13
    for name, error in errors.items():
        status, out, err = called(error)
        assert (status, out) == (2, ""), name
        assert err.startswith("mtlbio: error: mtlbio prepare run.yaml: ") and err.count("\n") == 1, (name, err)


@pytest.mark.parametrize(
    "code, words",
    [
        (errno.ENOSPC, "No space left on device; free some space, or give a folder on another disk"),
        (errno.EROFS, "Read-only file system; give a folder that can be written"),
        (errno.EACCES, "Permission denied; ask for access, or give another place"),
        (errno.ENAMETOOLONG, "File name too long; give it a shorter name"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_what_the_system_says_names_the_file(called, code, words):
    status, _, err = called(OSError(code, os.strerror(code), "results/a b.tsv"))
    assert (status, err) == (2, f"mtlbio: error: results/a b.tsv: {words}\n")


def test_the_long_text_of_hdf5_is_cut_to_file_and_reason(called):
    text = (
        "[Errno 28] Unable to synchronously write data (file write failed: time = Mon,\n filename = 'r/cohort.h5ad', "
        "file descriptor = 3, errno = 28, error message = 'No space left on device', buf = 0x55, total write size = 9)"
    )
    status, _, err = called(OSError(text))
    assert status == 2
    assert err == (
        "mtlbio: error: r/cohort.h5ad: No space left on device; free some space, or give a folder on another disk\n"
    )


def test_a_library_that_names_no_file_is_named_the_one_that_the_package_read(called, tmp_path, monkeypatch):
    from mtlbio.cohort import metadata
    from mtlbio.intake import rows

    path = tmp_path / "m.csv"
    path.write_text("a,b\n1,2\n")

    def broken(*arguments, **options):
        raise MemoryError("Unable to allocate 8 TiB")

    monkeypatch.setattr(rows, "understood", lambda *_: open(os.devnull))  # nobody catches it before
    monkeypatch.setattr(metadata.pd, "read_csv", broken)
    error = caught(metadata.read_csv, path, ["a", "b"])
    assert called(error)[2] == f"mtlbio: error: {path}: not enough memory (Unable to allocate 8 TiB)\n"


def test_memory_that_torch_has_not_is_no_mistake_of_mtlbio(called):
    error = RuntimeError("[enforce fail at alloc_cpu.cpp] . DefaultCPUAllocator: can't allocate memory: you tried")
    status, _, err = called(error, "train", "run.yaml")
    assert (
        status == 2
        and err.startswith("mtlbio: error: mtlbio train run.yaml: not enough memory (")
        and err.count("\n") == 1
    )


def test_a_line_stays_one_line_whatever_it_quotes(called):
    status, _, err = called(InputError("a\nb.csv: column 'x\r\x1b[2J\u2028y' \udcff"))
    assert (status, err) == (2, "mtlbio: error: a\\nb.csv: column 'x\\r\\x1b[2J\\u2028y' \\udcff\n")
    assert one_line("plain  text: é, 日本, a\u00a0b") == "plain  text: é, 日本, a\\xa0b"


def test_a_mistake_of_mtlbio_is_saved_among_the_logs(called, tmp_path):
    (tmp_path / "results").mkdir()
    faults.keep_tracebacks_in(tmp_path / "results")
    status, out, err = called(ZeroDivisionError("division by\nzero"), "probe", "run.yaml")
    place = tmp_path / "results/logs/probe.traceback.txt"
    assert (status, out) == (1, "")
    assert err == (
        f"mtlbio: error: a mistake of mtlbio, ZeroDivisionError: division by zero; please report it with {place}\n"
    )
    text = place.read_text()
    assert text.startswith("mtlbio probe run.yaml\npython 3.") and "Traceback (most recent call last)" in text
    assert text.endswith("ZeroDivisionError: division by\nzero\n")


def test_a_traceback_goes_where_it_can_be_written(called, tmp_path, monkeypatch):
    import tempfile

    below = tmp_path / "file"
    below.write_text("")
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    faults.keep_tracebacks_in(below / "results")
    monkeypatch.setattr(tempfile, "tempdir", str(below / "tmp"))
    _, _, err = called(KeyError("x"))
    (place,) = home.iterdir()
    assert err.endswith(f"please report it with {place}\n") and "KeyError: 'x'" in place.read_text()
    monkeypatch.setenv("HOME", str(below))
    status, _, err = called(KeyError("x"))
    first, *rest = err.splitlines()
    assert status == 1
    assert first == "mtlbio: error: a mistake of mtlbio, KeyError: 'x'; its traceback could not be saved and follows"
    assert rest[0] == "Traceback (most recent call last):" and rest[-1] == "KeyError: 'x'"


def test_the_traceback_of_a_refused_input_can_be_asked_for(called, monkeypatch):
    monkeypatch.setenv("MTLBIO_TRACEBACK", "1")
    err = called(InputError("a.csv: wrong"))[2]
    assert err.startswith("Traceback") and err.endswith("mtlbio: error: a.csv: wrong\n")


def test_other_ends_of_a_command(called):
    assert called(SystemExit(3)) == (3, "", "") and called(SystemExit()) == (0, "", "")
    assert called(KeyboardInterrupt()) == (130, "", "mtlbio: stopped by Ctrl-C; call it again to go on\n")


def mtlbio(*words: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "mtlbio", *words], capture_output=True, text=True, timeout=120, **options
    )


@pytest.mark.parametrize(
    "words, line",
    [
        (("prepare",), "Missing argument 'RUN.yaml'; `mtlbio prepare --help` lists what is valid"),
        (("prepar",), "Did you mean 'prepare', 'report'?; `mtlbio --help` lists what is valid"),
        (("plan", "run.yaml", "--dims", "0"), "`mtlbio plan --help` lists what is valid"),
        (("plan", "run.yaml", "--dims", "1000000000"), "`mtlbio plan --help` lists what is valid"),
        (("simulate", "d", "--seed", "-1"), "`mtlbio simulate --help` lists what is valid"),
    ],
)
def test_a_wrong_word_on_the_command_line_is_one_line(monkeypatch, capsys, words, line):
    monkeypatch.setattr(sys, "argv", ["mtlbio", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    err = capsys.readouterr().err
    assert (
        ended.value.code == 2
        and err.startswith("mtlbio: error: ")
        and err.endswith(f"{line}\n")
        and err.count("\n") == 1
    )


def test_nobody_reads_what_is_printed():
    command = f"{sys.executable} -m mtlbio config | true; echo ${{PIPESTATUS[0]}}"
    # a pipe holds 64 kB: what is printed has to be more, or the reader gone before
    done = subprocess.run(
        ["bash", "-c", command.replace("| true", "| (exec <&-; sleep 2)")], capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("141\n", "")


def test_ctrl_c_in_the_middle_of_a_step(tmp_path):
    """The real signal, while a reader works."""
    code = (
        "import sys, time; from mtlbio import cli; from mtlbio.integrity import step as taking\n"
        "def step(run, results):\n    print('in', flush=True); time.sleep(60)\n"
        "taking.function_at = lambda place: step\n"
        "sys.argv = ['mtlbio', 'prepare', 'run.yaml']; cli.main()\n"
    )
    (tmp_path / "e.csv").write_text("sample_id,g\na,1\n")
    (tmp_path / "run.yaml").write_text(
        "run: a\nexpression: {path: e.csv, scale: log}\nmetadata: {path: e.csv}\ntasks: {age: {kind: regression}}\n"
    )
    started = subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        # a shell that starts the tests in the background has it ignored
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    assert started.stdout.readline() == "in\n"
    started.send_signal(signal.SIGINT)
    out, err = started.communicate(timeout=60)
    assert (started.returncode, err) == (130, "mtlbio: stopped by Ctrl-C; call it again to go on\n")


def test_a_step_of_a_workflow_reports_its_mistake(tmp_path, monkeypatch, capsys):
    """What Snakemake's log holds is what :func:`mtlbio.summary.complaints.complaint` looks for."""
    from mtlbio.integrity import step as taking
    from mtlbio.summary.complaints import complaints

    def broken(run, results):
        raise AssertionError("two\nlines")

    monkeypatch.chdir(tmp_path)
    Path("e.csv").write_text("sample_id,g\na,1\n")
    Path("run.yaml").write_text(
        "run: a\nexpression: {path: e.csv, scale: log}\nmetadata: {path: e.csv}\ntasks: {age: {kind: regression}}\n"
    )
    monkeypatch.setattr(taking, "function_at", lambda place: broken)
    monkeypatch.setattr(taking, "checked", lambda *_: {})
    monkeypatch.setattr(sys, "argv", ["mtlbio", "train", "run.yaml", "--results", "results/a"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    log = Path("results/a/logs/train.log")
    log.write_text(capsys.readouterr().err)
    assert ended.value.code == 1
    assert [said.text for said in complaints(Path("results/a"))] == [
        f"a mistake of mtlbio, AssertionError: two lines; please report it with "
        f"{tmp_path}/results/a/logs/train.traceback.txt"
    ]
