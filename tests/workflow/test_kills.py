"""Whatever is killed, and when: the same command goes on by itself, and ends with the same files.

``MTLBIO_GRID=full`` kills a hundred times, otherwise once in every step.
"""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.shared.small_run import write_small_run
from mtlbio.integrity.process import Process
from mtlbio.integrity.record import contents
from mtlbio.kinds import STEPS

pytestmark = pytest.mark.slow

KILLS = 100 if os.environ.get("MTLBIO_GRID") == "full" else 6
COMMAND = [sys.executable, "-m", "mtlbio", "run", "cohort/run.yaml", "--cores", "2"]


def written(results: Path) -> dict:
    """Content of everything that steps wrote; logs, times and marks of processes are not of it."""
    left_out = ("logs", "benchmarks", "manifest", "set_aside")
    places = [place for place in results.iterdir() if place.name not in left_out]
    return {name: content for name, content in contents(results, places).items() if ".snakemake" not in name}


def start(folder: Path) -> subprocess.Popen:
    environment = os.environ | {"XDG_CACHE_HOME": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
    log = (folder / "log.txt").open("a")
    return subprocess.Popen(COMMAND, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True)


def began(results: Path, step: str) -> bool:
    """Whether a process is at work on a step."""
    place = results / "manifest" / f"{step}.started"
    return place.exists() and place.stat().st_size > 0


def kill_in(step: str, folder: Path, how: str, draw: random.Random) -> bool:
    """Start the command and kill it in the middle of a step; whether it came that far before it ended."""
    running = start(folder)
    while running.poll() is None and not began(folder / "results/small", step):
        time.sleep(0.02)
    time.sleep(draw.uniform(0, 1.5))
    if running.poll() is not None:
        return False
    if how == "all":
        os.killpg(running.pid, signal.SIGKILL)
    else:
        os.kill(running.pid, signal.SIGKILL)  # its job goes on, as on a cluster
    running.wait()
    return True


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kills")
    write_small_run(folder / "cohort")
    assert start(folder).wait() == 0, (folder / "log.txt").read_text()[-3000:]
    return folder


def test_a_killed_run_goes_on_by_itself_and_ends_with_the_same_files(folder):
    expected = written(folder / "results/small")
    assert len(expected) > 30
    draw, kills = random.Random(0), 0
    while kills < KILLS:
        # from nothing, killed once in every step, in turn with and without the job that runs
        subprocess.run(["rm", "-rf", "results", ".snakemake"], cwd=folder, check=True)
        (folder / "log.txt").write_text("")
        killed = sum(kill_in(step, folder, draw.choice(["all", "main"]), draw) for step in STEPS)
        kills += killed
        ended, log = start(folder).wait(), (folder / "log.txt").read_text()
        assert ended == 0, log[-3000:]
        assert written(folder / "results/small") == expected
        assert [p.name for p in (folder / "results").rglob(".mtlbio-*")] == []
        assert not (folder / "results/small/manifest/owner.json").exists()
        # a job that was left running may be what began: then the next call was killed before it owned anything
        assert 1 <= log.count("taken over from process") <= killed
        again = subprocess.run([*COMMAND, "-n"], cwd=folder, capture_output=True, text=True)
        assert "Nothing to be done" in again.stdout + again.stderr


def test_a_run_that_is_at_work_is_left_alone(folder):
    subprocess.run(["rm", "-rf", "results", ".snakemake"], cwd=folder, check=True)
    running = start(folder)
    while not began(folder / "results/small", "train"):
        time.sleep(0.05)
    second = subprocess.run(COMMAND, cwd=folder, capture_output=True, text=True)
    assert running.wait() == 0
    assert second.returncode != 0
    expected = f"results/small: process {running.pid} is at work on this run; wait for it\n"
    assert second.stderr.startswith("mtlbio: error: ") and second.stderr.endswith(expected)
    assert not Process.of(running.pid).is_alive
