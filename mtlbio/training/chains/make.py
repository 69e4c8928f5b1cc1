"""What training starts from: batches with the run's features, and a network that has learnt nothing yet."""

import numpy as np
import torch

from mtlbio.kinds.schemas import ProteinRun
from mtlbio.model.encoders.base import Shape
from mtlbio.model.residues import ResidueNetwork
from mtlbio.sequence.chains import Chains
from mtlbio.sequence.features import open_wide
from mtlbio.training.chains.batches import Reader

_FEW = 400  # training chains from which further numbers are standardised


def make_reader(run: ProteinRun, chains: Chains) -> Reader:
    """Batches of the run's chains with its features; regressions are standardised on the training chains."""
    features, rows = run.features, chains.residues(chains.of("train"))
    standards = {name: task.standard(chains.labels[name][rows]) for name, task in chains.tasks.items()}
    centre = {name: standard for name, standard in standards.items() if standard is not None}
    return Reader(chains, open_wide(features.profiles, features.profile_arrays, features.embeddings), centre)


def shape_of(options) -> Shape:
    """Size of the encoder as the run has it."""
    return Shape(options.width, options.layers, options.kernel, options.attention_heads, options.dropout)


def fresh_network(run: ProteinRun, chains: Chains, reader: Reader, tasks: list, seed: int) -> ResidueNetwork:
    """A network before training; the same encoder for all arms of a seed."""
    options = run.training
    torch.manual_seed(seed)
    network = ResidueNetwork(
        {task.name: task for task in chains.tasks.values()},
        options.encoder,
        shape_of(options),
        options.latent,
        run.features.letters,
        reader.wide,
        bool(options.masked_residues),
    )
    for name in set(chains.tasks) - {task.name for task in tasks}:
        del network.heads[name]
    if reader.wide:
        _standardise(network, reader)
    return network


def _standardise(network: ResidueNetwork, reader: Reader) -> None:
    """Mean and spread of the further numbers over residues of training chains that have them."""
    places = reader.chains.of("train")
    batches = reader.batches(places[:: max(1, len(places) // _FEW)], 16_384)
    values = np.concatenate([b.wide[b.mask].numpy() for b in batches if b.wide is not None])
    start = 0
    for source in reader.sources.values():
        columns, start = slice(start, start + source.width), start + source.width + 1
        present = values[:, columns][values[:, columns.stop] > 0]
        if len(present):
            spread = present.std(axis=0)
            network.wide_mean[columns] = torch.from_numpy(present.mean(axis=0))
            network.wide_scale[columns] = torch.from_numpy(np.where(spread > 1e-6, spread, 1.0))
