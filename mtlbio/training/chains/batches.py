"""Mini-batches of chains of similar length, made when they are needed: memory does not grow with the chains."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch

from mtlbio.sequence.chains import Chains
from mtlbio.sequence.features import Wide, wide_of
from mtlbio.sequence.letters import PADDING


@dataclass(frozen=True)
class Batch:
    """Some chains side by side, padded to the longest.

    Attributes
    ----------
    places : (b,) of the chains
    letters : (b, length) int64 codes; ``mask`` : (b, length) bool, real residues
    wide : (b, length, w) further numbers, None without
    labels : task -> (b, length): int64 Q8 code (-1: none) or float32 (NaN: none)
    q3 : task -> (b, length) int64 (-1: none), of secondary structures
    """

    places: np.ndarray
    letters: torch.Tensor
    mask: torch.Tensor
    wide: torch.Tensor | None
    labels: dict[str, torch.Tensor]
    q3: dict[str, torch.Tensor]

    def to(self, device: str) -> "Batch":
        """The same on another device."""
        if device == "cpu":
            return self
        wide = None if self.wide is None else self.wide.to(device, non_blocking=True)
        labels, q3 = (
            {name: value.to(device, non_blocking=True) for name, value in part.items()}
            for part in (self.labels, self.q3)
        )
        return Batch(self.places, self.letters.to(device), self.mask.to(device), wide, labels, q3)


def padded(length: int) -> int:
    """Length to which a batch is padded: eight steps between a power of two and the next.

    Fused kernels are made for every new shape of a batch. With as many shapes as lengths that took a third of the time
    of a training.

    Examples
    --------
    >>> [padded(n) for n in (9, 100, 128, 250, 257)]
    [9, 104, 128, 256, 288]
    """
    step = 2 ** max(int(length).bit_length() - 4, 0)
    return -(-int(length) // step) * step


def make_batches(
    lengths: np.ndarray, places: np.ndarray, residues: int, rng: np.random.Generator | None = None
) -> list[np.ndarray]:
    """Places of the chains of every batch: similar lengths together, at most ``residues`` with the padding.

    Parameters
    ----------
    lengths : of all chains
    places : of the chains that take part
    rng : lengths are blurred by a tenth and the batches shuffled; in order of length where left out

    Examples
    --------
    >>> [b.tolist() for b in make_batches(np.array([3, 9, 4, 8]), np.arange(4), residues=20)]
    [[0, 2], [3, 1]]
    """
    key = lengths[places].astype(float)
    if rng is not None:
        key = key * rng.uniform(0.9, 1.1, len(key))
    order = places[np.argsort(key, kind="stable")]
    batches: list[list[int]] = [[]]
    longest = 0
    for place in order:
        longest = max(longest, padded(lengths[place]))
        if batches[-1] and longest * (len(batches[-1]) + 1) > residues:
            batches.append([])
            longest = padded(lengths[place])
        batches[-1].append(place)
    turns = range(len(batches)) if rng is None else rng.permutation(len(batches))
    return [np.array(batches[i]) for i in turns]


class Reader:
    """Gives batches of chains with the labels of some tasks.

    Parameters
    ----------
    chains : all of them
    sources : further numbers by name, see :func:`mtlbio.sequence.features.open_wide`
    centre : task -> (mean, scale) by which the labels of a regression are standardised
    """

    def __init__(
        self, chains: Chains, sources: Mapping[str, Wide] = {}, centre: Mapping[str, tuple[float, float]] = {}
    ):
        self.chains, self.sources, self.centre = chains, sources, centre
        self.wide = sum(source.width + 1 for source in sources.values())

    def batch(self, places: np.ndarray, tasks: tuple[str, ...] = ()) -> Batch:
        """The chains at ``places`` with the labels of ``tasks``."""
        chains = self.chains
        lengths = chains.lengths[places]
        column = np.arange(padded(lengths.max()))
        mask = column < lengths[:, None]
        rows = np.where(mask, chains.offsets[places][:, None] + column, 0)
        letters = np.where(mask, chains.letters[rows], PADDING).astype(np.int64)
        labels, q3 = {}, {}
        for name in tasks:
            centre = self.centre.get(name, (0.0, 1.0))
            fine, coarse = chains.tasks[name].batch(*chains.labels_at(name, rows), mask, *centre)
            labels[name] = torch.from_numpy(fine)
            if coarse is not None:
                q3[name] = torch.from_numpy(coarse)
        wide = None
        if self.sources:
            along = np.zeros((*mask.shape, self.wide), dtype=np.float32)
            for i, place in enumerate(places):
                along[i, : lengths[i]] = wide_of(chains.names[place], int(lengths[i]), self.sources)
            wide = torch.from_numpy(along)
        return Batch(places, torch.from_numpy(letters), torch.from_numpy(mask), wide, labels, q3)

    def batches(
        self, places: np.ndarray, residues: int, tasks: tuple[str, ...] = (), rng: np.random.Generator | None = None
    ) -> Iterator[Batch]:
        """All chains at ``places``, batch after batch."""
        for part in make_batches(self.chains.lengths, places, residues, rng):
            yield self.batch(part, tasks)
