"""All networks of a run, on a CPU one beside the other.

A recurrent network of this size keeps one processor core busy and hardly more: two networks in two processes are
trained 1.4 times as fast as one after the other with two threads each, the start of the processes included
(``benchmarks/proteins/speed.py``). A process is worth its start only where a network has enough to learn.
"""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch

from mtlbio.kinds.schemas import ProteinRun
from mtlbio.progress import show_progress, shown
from mtlbio.sequence.chains import Chains, read_chains
from mtlbio.threads import allotted
from mtlbio.training.chains.batches import Reader
from mtlbio.training.chains.fit import Parts, TrainedNetwork, fit, taking_part
from mtlbio.training.chains.make import fresh_network, make_reader

WORTH = 2_000_000  # residues times epochs of a network, some minutes of training, from which a process is worth it


@dataclass(frozen=True)
class Job:
    """One network: the arm it belongs to, the names of its tasks and its seed."""

    arm: str
    tasks: tuple[str, ...]
    seed: int

    @property
    def part(self) -> str:
        """Its name where it is a part of the step, as :meth:`mtlbio.kinds.protein.ProteinKind.networks_of` has it."""
        return "-".join([self.arm, *(self.tasks if self.arm == "singletask" else ()), str(self.seed)])


def jobs_of(run: ProteinRun, chains: Chains) -> list[Job]:
    """All networks of a run: every arm with every seed."""
    seeds = [run.training.seed + s for s in range(run.training.seeds)]
    arms = arms_of(chains, run.training.single_task)
    return [Job(arm, tuple(task.name for task in tasks), seed) for arm, tasks in arms for seed in seeds]


def arms_of(chains: Chains, single_task: bool | list[str]) -> list[tuple[str, list]]:
    """All tasks together, then, where asked for, each one that is predicted (or each one named) alone."""
    tasks = list(chains.tasks.values())
    names = list(chains.tasks) if single_task is True else single_task or []
    alone = [task for task in tasks if task.name in names and not task.auxiliary]
    return [("multitask", tasks)] + [("singletask", [task]) for task in alone if len(tasks) > 1]


def fit_all(
    run: ProteinRun, results: Path, chains: Chains, reader: Reader, jobs: list[Job], device: str
) -> dict[Job, TrainedNetwork]:
    """Trained networks by job; which of them are trained at the same time changes none of them. Every process reads
    ``chains`` again, from ``cohort.h5ad`` in the folder ``results``."""
    cores = allotted()
    most = max(work(run, chains, job) for job in jobs)
    if device != "cpu" or min(cores, len(jobs)) < 2 or most < WORTH:
        return {job: one(run, chains, reader, job, device) for job in jobs}
    workers = min(cores, len(jobs))
    # those with the most to learn first; a process is started anew, since threads do not survive a fork
    order = sorted(jobs, key=lambda job: -work(run, chains, job))
    aloud, fitted = shown(), {}
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        futures = [pool.submit(_apart, run, Path(results), job, aloud) for job in order]
        for job, future in zip(order, futures, strict=True):
            weights, history, gramians, rate = future.result()
            network = fresh_network(run, chains, reader, [chains.tasks[name] for name in job.tasks], job.seed)
            network.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
            fitted[job] = TrainedNetwork(network.eval(), history, gramians, rate)
    return fitted


def work(run: ProteinRun, chains: Chains, job: Job) -> int:
    """Residues times epochs that a network is trained on."""
    places = taking_part(chains, chains.of("train"), job.tasks, run.training)
    return int(chains.lengths[places].sum()) * run.training.epochs


def one(run: ProteinRun, chains: Chains, reader: Reader, job: Job, device: str) -> TrainedNetwork:
    """The trained network of a job."""
    tasks = [chains.tasks[name] for name in job.tasks]
    network = fresh_network(run, chains, reader, tasks, job.seed)
    about = f"{job.arm} {'+'.join(job.tasks)}, seed {job.seed}"
    parts = Parts(chains.of("train"), chains.of("validation"))
    return fit(network, reader, tasks, parts, run.training, job.seed, device, about)


def _apart(run: ProteinRun, results: Path, job: Job, aloud: bool) -> tuple:
    """What a process sends back: arrays, since a network in shared memory would end with its process."""
    torch.set_num_threads(1)
    if aloud:
        show_progress()
    chains = read_chains(results / "cohort.h5ad")
    fitted = one(run, chains, make_reader(run, chains), job, "cpu")
    weights = {name: value.numpy() for name, value in fitted.network.state_dict().items()}
    return weights, fitted.history, fitted.gramians, fitted.residues_per_second
