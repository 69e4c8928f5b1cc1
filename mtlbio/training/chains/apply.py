"""A network applied to chains: predictions and h_t of every residue."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch

from mtlbio.labels.residues import ResidueLabel
from mtlbio.model.residues import ResidueNetwork
from mtlbio.training.chains.batches import Reader

RESIDUES = 16_384  # of a batch, with padding


@dataclass(frozen=True)
class Applied:
    """What one network says of one chain: its place, h_t (length, latent), predictions by task."""

    place: int
    latents: np.ndarray
    predictions: dict[str, np.ndarray]


@torch.no_grad()
def apply(
    network: ResidueNetwork,
    reader: Reader,
    tasks: dict[str, ResidueLabel],
    places: np.ndarray,
    centre: Mapping[str, tuple[float, float]],
    device: str = "cpu",
) -> Iterator[Applied]:
    """Chain after chain in order of length; memory holds one batch."""
    network.to(device).eval()
    for batch in reader.batches(places, RESIDUES):
        batch = batch.to(device)
        latents = network.latents(batch.letters, batch.mask, batch.wide)
        raw = {name: value.float().cpu().numpy() for name, value in network.outputs(latents).items()}
        encoded = latents.float().cpu().numpy()
        lengths = batch.mask.sum(1).tolist()
        for i, (place, length) in enumerate(zip(batch.places, lengths, strict=True)):
            outputs = {
                name: task.to_prediction(raw[name][i, :length], *centre.get(name, (0.0, 1.0)))
                for name, task in tasks.items()
                if name in raw
            }
            yield Applied(int(place), encoded[i, :length].copy(), outputs)
    network.to("cpu")
