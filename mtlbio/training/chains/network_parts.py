"""The networks of a protein run, each of which may be trained by a job of its own and kept until they are gathered."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from mtlbio.kinds import kind_of
from mtlbio.kinds.protein import ProteinKind
from mtlbio.kinds.schemas import ProteinRun
from mtlbio.parts import Part, Parts, checked_part, folder_of_parts
from mtlbio.progress import say
from mtlbio.sequence.chains import Chains, read_chains
from mtlbio.training.chains.batches import Reader
from mtlbio.training.chains.fit import TrainedNetwork
from mtlbio.training.chains.make import fresh_network, make_reader
from mtlbio.training.chains.side_by_side import Job, fit_all, jobs_of
from mtlbio.training.device import choose_device
from mtlbio.training.step_parts import parts_of_step


def fit_part(run: ProteinRun, results: Path, name: str) -> None:
    """Train the networks of one part and keep them for :func:`gathered`, in ``parts/train/<name>``.

    Raises
    ------
    InputError
        The run has no such part, or as of :func:`mtlbio.training.chains.train.train`.
    """
    results, kind = Path(results), kind_of(run)
    assert isinstance(kind, ProteinKind)
    names = kind.networks_of_part(run, checked_part(name, kind.scatter_of(run, "train"), "train"))
    chains = read_chains(results / "cohort.h5ad")
    device = choose_device(run.training.device)
    jobs = [job for job in jobs_of(run, chains) if job.part in names]
    say(f"Training {_networks(len(jobs))} ({run.training.encoder}) on {device}")
    arrays, about = dict[str, np.ndarray](), dict[str, Any]()
    for job, trained in fit_all(run, results, chains, make_reader(run, chains), jobs, device).items():
        weights = trained.network.state_dict()
        arrays |= {f"{job.part}/network/{key}": value.numpy() for key, value in weights.items()}
        arrays |= {f"{job.part}/gramian/{i}": gramian for i, (_, gramian) in enumerate(trained.gramians)}
        about[job.part] = {
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
        for part in filter(None, map(parts.read, kind_of(run).scatter_of(run, "train"))):
            kept |= {job: _network(run, chains, reader, job, part) for job in jobs if job.part in part.about}
        say(f"{len(kept)} of {_networks(len(jobs))} trained before")
    missing = [job for job in jobs if job not in kept]
    if missing:
        say(f"Training {_networks(len(missing))} ({run.training.encoder}) on {device}")
        kept |= fit_all(run, results, chains, reader, missing, device)
    return kept


def _networks(number: int) -> str:
    return f"{number} network{'s' * (number != 1)}"


def _network(run: ProteinRun, chains: Chains, reader: Reader, job: Job, part: Part) -> TrainedNetwork:
    network = fresh_network(run, chains, reader, [chains.tasks[name] for name in job.tasks], job.seed)
    about, of_weights = part.about[job.part], f"{job.part}/network/"
    weights = {key.removeprefix(of_weights): v for key, v in part.arrays.items() if key.startswith(of_weights)}
    network.load_state_dict({key: torch.from_numpy(value) for key, value in weights.items()})
    gramians = [(epoch, np.asarray(part.arrays[f"{job.part}/gramian/{i}"])) for i, epoch in enumerate(about["epochs"])]
    history = [tuple(row) for row in about["history"]]
    return TrainedNetwork(network.eval(), history, gramians, about["residues_per_second"])


def _parts(run: ProteinRun, results: Path) -> Parts:
    features = run.features
    wide = [Path(path) for path in (features.profiles, features.embeddings) if path]
    return parts_of_step(run, results, "train", [results / "cohort.h5ad", *wide])
