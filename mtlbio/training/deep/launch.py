"""Several processes that train the deep trunks of a problem together, started from the one that asks for them.

On one machine, or where Slurm gave the job several, on each of them as many; :mod:`mtlbio.training.deep.agent` starts
and watches those of one machine. They are given folds as files and leave what they found beside them.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import gettempdir

import torch
from safetensors.numpy import load_file, save_file

from mtlbio.config import Training
from mtlbio.errors import InputError, one_line
from mtlbio.files import scratch
from mtlbio.labels import Label
from mtlbio.modules import PACKAGE
from mtlbio.progress import say
from mtlbio.training.deep.fits import DeepFits
from mtlbio.training.deep.fold import DeepFold
from mtlbio.training.deep.kept import KeptNetworks
from mtlbio.training.deep.orders import Orders, array_files, first_failure
from mtlbio.training.deep.worker import stored
from mtlbio.training.stored import put_together

_SECONDS_BETWEEN_LOOKS = 0.05
_SECONDS_TO_END = 15.0
_SECONDS_TO_SEE = 60.0  # a file that another machine has written


class Together:
    """``processes`` that fit folds; a context, at whose end none is left. One process alone is nobody else."""

    def __init__(
        self, processes: int, tasks: Sequence[Label], main: int, seeds: list[int], options: Training, device: str
    ):
        self.processes, self.machines, self.keeps = processes, 1, False
        saved = [task.saved() for task in tasks] if processes > 1 else []
        self.orders = Orders(saved, main, seeds, options.model_dump_json(), device, [], {})
        self._open = ExitStack()
        self._agent: subprocess.Popen | None = None

    def __enter__(self) -> "Together":
        return self

    def start(self, folds: Mapping[int, DeepFold], kept: Mapping[int, KeptNetworks | None]) -> None:
        """Start the processes on these folds, by number.

        They work in the folder in which networks are ``kept``. Where none are, nothing is known of a folder that other
        machines see, and only this machine takes part.
        """
        places = {i: networks for i in folds if (networks := kept[i]) is not None}
        shared = next((networks.parts.folder for networks in places.values()), None)
        self.machines, self.keeps = machines_of_job() if shared else 1, bool(places)
        check_fit(self.processes, self.machines, self.orders.device)
        if not folds:
            return
        self.folder = self._open.enter_context(scratch(shared or gettempdir()))
        for i, networks in places.items():
            folder = networks.parts.folder.absolute()
            self.orders.kept[str(i)] = (str(folder), networks.parts.key, networks.place)
        for i, fold in folds.items():
            save_file(stored(fold), array_files(self.folder, i)[0])
        self.orders.folds[:] = folds
        self.orders.write(self.folder)
        on_machines = f" on {self.machines} machines" if self.machines > 1 else ""
        say(f"Deep trunk: {self.processes} processes share every batch{on_machines}")
        log = self._open.enter_context(open(self.folder / "log", "wb"))
        self._agent = subprocess.Popen(
            command(self.folder, self.processes, self.machines),
            env=environment(self.machines),
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
        )

    def wait(self, i: int) -> DeepFits:
        """What was found of fold ``i``; an InputError where a process died before that."""
        assert self._agent is not None
        found, gone = array_files(self.folder, i)[1], 0.0
        while not found.exists():
            status = self._agent.poll()
            if status is not None:
                gone += _SECONDS_BETWEEN_LOOKS
                if status or gone > _SECONDS_TO_SEE:
                    raise InputError(self._why(status))
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        return put_together(DeepFits, load_file(found))

    def _why(self, status: int) -> str:
        failure = first_failure(self.folder)
        if failure is None:
            text = (self.folder / "log").read_text(encoding="utf-8", errors="replace").strip()
            how = f"the processes ended with status {status}: {one_line((text.splitlines() or ['no word'])[-1], 200)}"
        elif failure.signal:
            hint = " (too little memory?)" if failure.signal == "SIGKILL" else ""
            how = f"process {failure.process + 1} of {self.processes} was killed by {failure.signal}{hint}"
        else:
            how = f"process {failure.process + 1} of {self.processes} failed: {one_line(failure.message, 200)}"
        done = sum(array_files(self.folder, i)[1].exists() for i in self.orders.folds)
        kept = ", the next start goes on after the last network" if self.keeps else ""
        return f"training.processes: {how}; {done} of {len(self.orders.folds)} folds are done{kept}"

    def __exit__(self, *about) -> None:
        with self._open:
            agent = self._agent
            if agent is None or agent.stdin is None:
                return
            try:
                agent.wait(_SECONDS_TO_SEE if about[0] is None else 0)
            except subprocess.TimeoutExpired:
                agent.terminate()
                try:
                    agent.wait(_SECONDS_TO_END)
                except subprocess.TimeoutExpired:
                    agent.kill()
                    agent.wait()
            agent.stdin.close()


def machines_of_job() -> int:
    """Machines that Slurm gave this job; 1 outside of one."""
    text = os.environ.get("SLURM_JOB_NUM_NODES", "1")
    return max(1, int(text)) if text.isdigit() else 1


def check_fit(processes: int, machines: int, device: str) -> None:
    """Raise InputError where the processes do not fit the machines, or their GPUs."""
    if processes % machines:
        raise InputError(
            f"training.processes: found {processes}, but the job has {machines} machines; valid: a multiple of that"
        )
    gpus = torch.cuda.device_count() if device == "cuda" else 0
    if device == "cuda" and processes // machines > gpus:
        raise InputError(
            f"training.processes: found {processes}, but torch sees {gpus} GPU(s) on a machine, each for one process; "
            f"valid: at most {gpus * machines}, or training.device: cpu"
        )


def command(folder: Path, processes: int, machines: int) -> list[str]:
    """What starts them; Slurm's ``srun`` on every machine where there are several."""
    words = [sys.executable, "-m", "mtlbio.training.deep.agent", str(folder), str(machines), str(processes // machines)]
    if machines == 1:
        return [*words, "localhost:0"]
    # srun does not take the cores of a task from the job
    given = os.environ.get("SLURM_CPUS_PER_TASK", "")
    cores = min(processes // machines, int(given)) if given.isdigit() else processes // machines
    many = ["srun", f"--nodes={machines}", f"--ntasks={machines}", "--ntasks-per-node=1", f"--cpus-per-task={cores}"]
    many.append("--kill-on-bad-exit=1")
    return [*many, *words, f"{socket.gethostname()}:{_free_port()}"]


def environment(machines: int) -> dict[str, str]:
    """Variables of the processes: one thread each, this package, and on one machine no talk to the outside."""
    path = os.pathsep.join([str(PACKAGE.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    given = os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONPATH": path}
    loops = [name for _, name in socket.if_nameindex() if name in ("lo", "lo0")]
    return {"GLOO_SOCKET_IFNAME": loops[0]} | given if loops and machines == 1 else given


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        return probe.getsockname()[1]
