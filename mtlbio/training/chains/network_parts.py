"""The networks of a protein run, each of which may be trained by a job of its own and kept until they are gathered."""

from pathlib import Path

import numpy as np
import torch

from mtlbio.kinds import kind_of
from mtlbio.kinds.schemas import ProteinRun
from mtlbio.parts import Part, Parts, checked_part, folder_of_parts
from mtlbio.progress import say
from mtlbio.sequence.chains import Chains, read_chains
from mtlbio.training.chains.batches import Reader
from mtlbio.training.chains.fit import TrainedNetwork
from mtlbio.training.chains.make import fresh_network, make_reader
from mtlbio.training.chains.side_by_side import Job, fit_all, jobs_of, one
from mtlbio.training.device import choose_device
from mtlbio.training.step_parts import parts_of_step


def fit_part(run: ProteinRun, results: Path, name: str) -> None:
    """Train one network and keep it for :func:`gathered`, in ``parts/train/<name>``.

    Raises
    ------
    InputError
        The run has no such part, or as of :func:`mtlbio.training.chains.train.train`.
    """
    results = Path(results)
    checked_part(name, kind_of(run).scatter_of(run, "train"), "train")
    chains = read_chains(results / "cohort.h5ad")
    device = choose_device(run.training.device)
    job = next(job for job in jobs_of(run, chains) if job.part == name)
    say(f"Training a network ({run.training.encoder}) on {device}")
    trained = one(run, chains, make_reader(run, chains), job, device)
    arrays = {f"network/{key}": value.numpy() for key, value in trained.network.state_dict().items()}
    arrays |= {f"gramian/{i}": gramian for i, (_, gramian) in enumerate(trained.gramians)}
    about = {
        "history": trained.history,
        "epochs": [epoch for epoch, _ in trained.gramians],
        "residues_per_second": trained.residues_per_second,
    }
    _parts(run, results).write(name, arrays, about)


def gathered(
    run: ProteinRun, results: Path, chains: Chains, reader: Reader, jobs: list[Job], device: str
) -> dict[Job, TrainedNetwork]:
    """All networks by job: of the parts that are there, and those that are not there trained here."""
    kept: dict[Job, TrainedNetwork] = {}
    if folder_of_parts(results, "train").is_dir():
        parts = _parts(run, results)
        found = {job: parts.read(job.part) for job in jobs}
        kept = {job: _network(run, chains, reader, job, part) for job, part in found.items() if part}
        say(f"{len(kept)} of {len(jobs)} networks trained before")
    missing = [job for job in jobs if job not in kept]
    if missing:
        say(f"Training {len(missing)} networks ({run.training.encoder}) on {device}")
        kept |= fit_all(run, results, chains, reader, missing, device)
    return kept


def _network(run: ProteinRun, chains: Chains, reader: Reader, job: Job, part: Part) -> TrainedNetwork:
    network = fresh_network(run, chains, reader, [chains.tasks[name] for name in job.tasks], job.seed)
    weights = {key.removeprefix("network/"): v for key, v in part.arrays.items() if key.startswith("network/")}
    network.load_state_dict({key: torch.from_numpy(value) for key, value in weights.items()})
    gramians = [(epoch, np.asarray(part.arrays[f"gramian/{i}"])) for i, epoch in enumerate(part.about["epochs"])]
    history = [tuple(row) for row in part.about["history"]]
    return TrainedNetwork(network.eval(), history, gramians, part.about["residues_per_second"])


def _parts(run: ProteinRun, results: Path) -> Parts:
    features = run.features
    wide = [Path(path) for path in (features.profiles, features.embeddings) if path]
    return parts_of_step(run, results, "train", [results / "cohort.h5ad", *wide])
