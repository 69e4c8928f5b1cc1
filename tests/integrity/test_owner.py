"""Owners: a live one is left alone, a dead one's run is taken over and its locks are removed."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from mtlbio.errors import InputError
from mtlbio.integrity.owner import OWNER, _one_at_a_time, forget, let_go, owner_of, take_over
from mtlbio.integrity.process import Process

GOOD = {"host": "a", "boot": "b", "pid": 7, "start": 1, "space": ""}


@pytest.fixture
def other():
    """A process that waits."""
    running = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield running
    running.kill()
    running.wait()


def end(process: subprocess.Popen) -> None:
    """Kill it; it stays what its parent has to wait for."""
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)


def test_a_process_is_known_by_when_it_began(other):
    process = Process.of(other.pid)
    assert process.is_alive and process.is_here and Process.of().is_alive
    assert Process.read(json.loads(json.dumps(process.content()))) == process
    assert not replace(process, start=process.start - 1).is_alive  # an earlier one of this number
    assert not replace(process, boot="before the machine was started again").is_alive
    assert replace(process, host="node7").is_alive  # nobody here can tell
    assert replace(process, space="pid:[1]", start=3).is_alive and not replace(process, space="pid:[1]").is_here
    end(other)
    assert not process.is_alive  # before anybody has waited for it
    other.wait()
    assert not process.is_alive
    assert Process.read({"pid": 3}) is None and Process.read("x") is None and Process.read(None) is None


def write(folder, process):
    (folder / OWNER).parent.mkdir(parents=True, exist_ok=True)
    (folder / OWNER).write_text(json.dumps(process.content()))


def test_a_run_at_work_is_refused(tmp_path, other):
    folder, locks = tmp_path / "results/a", tmp_path / ".snakemake/locks"
    write(folder, Process.of(other.pid))
    with pytest.raises(InputError, match=rf"results/a: process {other.pid} is at work on this run; wait for it$"):
        take_over(folder, locks)
    write(folder, replace(Process.of(other.pid), host="node7"))
    with pytest.raises(InputError, match=rf"process {other.pid} on node7 is at work .*if it is no more, add --unlock"):
        take_over(folder, locks)
    forget(folder, locks)
    assert take_over(folder, locks) is None and owner_of(folder) == Process.of()


def test_a_dead_owners_run_is_taken_over_with_its_locks_only(tmp_path, other, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder, locks = tmp_path / "results/a", tmp_path / ".snakemake/locks"
    write(folder, Process.of(other.pid))
    end(other)
    locks.mkdir(parents=True)
    (locks / "0.output.lock").write_text("results/a/qc.tsv\nresults/a/cohort.h5ad\n")
    (locks / "0.input.lock").write_text(f"{tmp_path}/results/a/qc.tsv\n")
    (locks / "1.output.lock").write_text("results/ab/qc.tsv\n")
    line = take_over(folder, locks)
    assert line == f"{folder}: taken over from process {other.pid}, which ended before its work did"
    assert os.listdir(locks) == ["1.output.lock"]
    assert take_over(folder, locks) is None  # it is ours now
    (folder / OWNER).unlink()  # as with the whole folder: it stands beside the locks too
    assert owner_of(folder, locks) == Process.of()
    let_go([folder, tmp_path / "results/none"], locks)
    assert owner_of(folder, locks) is None and not (folder / OWNER).exists()


def test_nobody_lets_go_what_is_another_ones(tmp_path, other):
    write(tmp_path, Process.of(other.pid))
    let_go([tmp_path], tmp_path / "locks")
    assert owner_of(tmp_path) == Process.of(other.pid)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "",
        "[" * 100_000,
        '{"host": 3}',
        "null",
        *(json.dumps(GOOD | {"pid": pid}) for pid in (-1, 0, 10**24, "7", 1e300, True)),
    ],
)
def test_a_damaged_owner_is_nobody(tmp_path, text):
    (tmp_path / OWNER).parent.mkdir()
    (tmp_path / OWNER).write_text(text)
    assert owner_of(tmp_path) is None and take_over(tmp_path, tmp_path / "locks") is None


def test_who_waits_for_the_look_of_another_finds_its_owner(tmp_path):
    """Between the look and the move of one, a second took the place of a third that owned the run already."""
    folder, locks = tmp_path / "results/a", tmp_path / ".snakemake/locks"
    write(folder, replace(Process.of(), start=1))
    code = (
        "import sys; from pathlib import Path; from mtlbio.integrity.owner import take_over; "
        "from mtlbio.errors import InputError\n"
        "try:\n    take_over(Path(sys.argv[1]), Path(sys.argv[2]))\n"
        "except InputError as error: print(error, flush=True)\n"
    )
    with _one_at_a_time(folder / OWNER):
        arguments = [sys.executable, "-c", code, str(folder), str(locks)]
        late = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
        with pytest.raises(subprocess.TimeoutExpired):  # it waits, whatever it would have found
            late.wait(3)
        write(folder, Process.of())
    assert late.communicate()[0] == f"{folder}: process {os.getpid()} is at work on this run; wait for it\n"
    assert owner_of(folder, locks) == Process.of()


def test_of_several_that_start_at_once_one_owns_the_run(tmp_path):
    begin = tmp_path / "begin"
    code = (
        "import sys, time; from pathlib import Path; from mtlbio.integrity.owner import take_over; "
        "from mtlbio.errors import InputError\n"
        "print('ready', flush=True)\n"
        "while not Path(sys.argv[1]).exists(): time.sleep(0.001)\n"
        "try:\n    take_over(Path(sys.argv[2]), Path(sys.argv[3])); print('mine', flush=True); input()\n"
        "except InputError as error: print(error, flush=True)\n"
    )
    folder, locks = tmp_path / "results/a", tmp_path / ".snakemake/locks"
    write(folder, replace(Process.of(), start=1))  # of one that is no more
    arguments = [sys.executable, "-c", code, str(begin), str(folder), str(locks)]
    starts = [subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert [start.stdout.readline() for start in starts] == ["ready\n"] * 4
    begin.touch()
    said = [start.stdout.readline() for start in starts]
    owner = owner_of(folder, locks)
    for start in starts:
        start.communicate("")
    assert said.count("mine\n") == 1, said
    assert owner.pid == starts[said.index("mine\n")].pid
    assert not list(folder.rglob(".mtlbio-*"))
