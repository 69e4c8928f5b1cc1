"""The Slurm of one node that ``.ci/slurm.sh`` starts, for tests that kill its jobs and its daemons."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / ".ci" / "slurm.sh"


def asked(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout


def answers() -> bool:
    """Whether a Slurm controller answers within a moment."""
    try:
        return subprocess.run(["sinfo", "-h"], capture_output=True, timeout=10).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


any_slurm = pytest.mark.skipif(not answers(), reason="no Slurm answers here")
# MTLBIO_SLURM says that the Slurm is ours to break
own_slurm = pytest.mark.skipif(
    not os.environ.get("MTLBIO_SLURM") or not answers(), reason="MTLBIO_SLURM is not set, see .ci/slurm.sh"
)

# a test node is quick: no waiting between looks
QUICK = ["--slurm-init-seconds-before-status-checks", "1", "--seconds-between-status-checks", "1"]
QUICK += ["--latency-wait", "5"]


def kill(daemon: str) -> None:
    """Kill a daemon the hard way."""
    file = Path(os.environ["MTLBIO_SLURM"]) / f"{daemon}.pid"
    os.kill(int(file.read_text()), 9)
    file.unlink()


def start(daemon: str) -> None:
    """Start it again, with what it had written down."""
    subprocess.run([SCRIPT, {"slurmctld": "controller", "slurmd": "daemon"}[daemon]], check=True, timeout=60)


def within(seconds: float, what, found):
    """Wait until ``found()`` is something, and return it."""
    for _ in range(int(seconds * 5)):
        if value := found():
            return value
        time.sleep(0.2)
    raise AssertionError(f"{what}: not within {seconds} s")


class Running:
    """A workflow of a clone that runs on Slurm in the background, every step one job."""

    def __init__(self, clone, *words: str, scatter: bool = False):
        self.clone, self.log = clone, clone.folder / "said"
        command = [sys.executable, "-m", "snakemake", "--workflow-profile", "workflow/profiles/slurm", *QUICK, *words]
        command += ["--config", f"scatter={str(scatter).lower()}"]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, cwd=clone.folder, env=clone.environment, stdout=log, stderr=log)

    @property
    def said(self) -> str:
        """What the terminal has shown so far."""
        return self.log.read_text()

    def lines(self, start: str) -> list[str]:
        """Lines of the terminal that begin like this; a job's number is replaced by N."""
        found = [re.sub(r"Slurm job \d+", "Slurm job N", line) for line in self.said.splitlines()]
        return [line for line in found if line.startswith(start)]

    def jobs(self, state: str = "RUNNING") -> dict[str, str]:
        """Rule and wildcards -> number, of the jobs of this workflow that are in a state."""
        name = re.search(r"SLURM run ID: (\S+)", self.said)
        if name is None:
            return {}
        told = asked("squeue", "-h", f"--name={name[1]}", f"--states={state}", "-o", "%i %k").split()
        return dict(zip(told[1::2], told[::2], strict=True))

    def job(self, rule: str, run: str, state: str = "RUNNING") -> str:
        """Number of a job, as soon as it is there."""
        comment = f"rule_{rule}_wildcards_{run}"
        return within(60, f"{comment}: {state}", lambda: self.jobs(state).get(comment))

    def end(self, seconds: float = 180) -> int:
        """Wait for the end; the exit status."""
        return self.process.wait(timeout=seconds)


@contextmanager
def running(clone, *words: str, scatter: bool = False):
    """Run a workflow in the background; it is ended in any case."""
    workflow = Running(clone, *words, scatter=scatter)
    try:
        yield workflow
    finally:
        if workflow.process.poll() is None:
            workflow.process.send_signal(signal.SIGINT)
            workflow.process.wait(timeout=60)
