"""Step ``train`` of a protein run: the multi-task networks and their single-task twins, then the axes of h_t."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from mtlbio.kinds.schemas import ProteinRun
from mtlbio.labels.residues.alphabet import MISSING_STATE
from mtlbio.model.residue_axes import find_axes, matched, window_letters
from mtlbio.model.residue_store import ProteinModel, save_model
from mtlbio.model.residues import ResidueNetwork
from mtlbio.parts import sweep
from mtlbio.sequence.chains import HELD_OUT, Chains, read_chains
from mtlbio.sequence.long_form import prediction_rows
from mtlbio.sequence.split import FOLDS
from mtlbio.tables import CONFLICT, HISTORY, PREDICTIONS, write_table
from mtlbio.training.chains.apply import apply
from mtlbio.training.chains.batches import Reader
from mtlbio.training.chains.fit import TrainedNetwork
from mtlbio.training.chains.latents import write_latents
from mtlbio.training.chains.make import make_reader, shape_of
from mtlbio.training.chains.network_parts import fit_part, gathered
from mtlbio.training.chains.side_by_side import Job, arms_of, jobs_of
from mtlbio.training.conflict import conflict_row
from mtlbio.training.device import choose_device

_AXES_CHAINS = 400  # training chains on whose residues the axes are found


def train(run: ProteinRun, results: Path) -> None:
    """Write ``model/``, ``history.tsv``, ``conflict.tsv``, ``latents.h5ad`` and ``predictions.tsv``.

    Raises
    ------
    InputError
        A GPU was asked for and there is none, or the results folder lacks the prepared chains.
    """
    results, options = Path(results), run.training
    chains = read_chains(results / "cohort.h5ad")
    device = choose_device(options.device)
    reader = make_reader(run, chains)
    seeds = [options.seed + s for s in range(options.seeds)]
    arms = arms_of(chains, options.single_task)
    held_out = chains.of(*HELD_OUT)
    everything = gathered(run, results, chains, reader, jobs_of(run, chains), device)
    tables, history, conflicts, networks = [], [], [], []
    for arm, tasks in arms:
        predicted = {task.name: task for task in tasks if not task.auxiliary}
        fitted = [everything[Job(arm, tuple(task.name for task in tasks), seed)] for seed in seeds]
        for seed, trained in zip(seeds, fitted, strict=True):
            history += [(arm, 0, str(seed), *row) for row in trained.history]
            applied = apply(trained.network, reader, predicted, held_out, reader.centre, device)
            predictions = {chain.place: chain.predictions for chain in applied}
            tables.append(prediction_rows(chains, held_out, predictions, arm, str(seed), FOLDS))
        if arm == "multitask":
            networks, conflicts = [f.network for f in fitted], conflict_rows(chains, tasks, fitted)
    further = {"profile_arrays": run.features.profile_arrays, "three": three_only(chains)}
    model = ProteinModel(
        networks,
        canonical(networks, reader, device),
        chains.tasks,
        dict(reader.centre),
        shape_of(options),
        encoder=options.encoder,
        latent=options.latent,
        letters=run.features.letters,
        wide={name: source.width for name, source in reader.sources.items()},
        masked=bool(options.masked_residues),
        training=options.model_dump(mode="json") | further,
    )
    save_model(model, results / "model")
    write_latents(model, reader, run.probe.residues, device, results / "latents.h5ad")
    write_table(pd.concat(tables, ignore_index=True), results / "predictions.tsv", PREDICTIONS)
    write_table(pd.DataFrame(history, columns=HISTORY), results / "history.tsv", HISTORY)
    write_table(pd.DataFrame(conflicts, columns=CONFLICT), results / "conflict.tsv", CONFLICT)
    sweep(results, "train")


def train_part(run: ProteinRun, results: Path, part: str) -> None:
    """Train one network, for :func:`train` to gather: ``parts/train/<part>``; errors as of that, and an InputError
    where the run has no such part."""
    fit_part(run, results, part)


def three_only(chains: Chains) -> list[str]:
    """Secondary structures of which no training chain has eight states: their head can tell three."""
    rows = chains.residues(chains.of("train"))
    return [name for name in chains.q3 if (chains.labels[name][rows] == MISSING_STATE).all()]


def canonical(networks: list[ResidueNetwork], reader: Reader, device: str) -> list:
    """Axes of every replica, in one order, from residues of some training chains."""
    chains = reader.chains
    places = chains.of("train")
    # chains with the most labels, evenly spread: they are what the heads were trained on
    labelled = np.sum([chains.labelled(name) for name in chains.tasks], axis=0)[places]
    places = places[labelled == labelled.max()]
    places = places[:: max(1, len(places) // _AXES_CHAINS)]
    latents = []
    for network in networks:
        encoded = {chain.place: chain.latents for chain in apply(network, reader, {}, places, {}, device)}
        latents.append(np.concatenate([encoded[int(p)] for p in places]))
    letters = np.concatenate([chains.letters[chains.rows(p)] for p in places])
    offsets = np.concatenate([[0], np.cumsum(chains.lengths[places])])
    window = window_letters(letters, offsets)
    return matched([find_axes(h, window) for h in latents], latents)


def conflict_rows(chains: Chains, tasks: list, fitted: list[TrainedNetwork]) -> list[tuple]:
    """Rows of ``conflict.tsv``: cosines of the tasks' gradients in some mini-batches that hold all tasks.

    ``networks`` counts mini-batches; a mini-batch has one gradient per task, so there is no principal angle.
    """
    rows = []
    places = chains.of("train")
    for a, b in combinations(range(len(tasks)), 2):
        first, second = (chains.labelled(tasks[i].name)[places] for i in (a, b))
        for epoch in sorted({epoch for f in fitted for epoch, _ in f.gramians}):
            grams = np.array([g for f in fitted for at, g in f.gramians if at == epoch])
            norms = np.sqrt(np.maximum(np.einsum("qtt->qt", grams), 0))
            cosine = grams[:, a, b] / np.maximum(norms[:, a] * norms[:, b], 1e-30)
            sizes, names = (np.median(norms[:, a]), np.median(norms[:, b])), (tasks[a].name, tasks[b].name)
            rows.append(conflict_row(epoch, names, cosine, (cosine < 0).mean(), np.nan, sizes, (first, second)))
    return rows
