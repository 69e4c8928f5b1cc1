"""What the deep trunks of a run became: outputs of all samples, and the networks of the multi-task arm."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from mtlbio.model.deep import DeepBlock, Network
from mtlbio.training.problem import FoldData


@dataclass(frozen=True)
class Chosen:
    """What the validation donors of the first seed chose for a fold and an arm.

    Attributes
    ----------
    inputs : "axes" or "components"
    width, depth, dropout : of the network
    scale : (r,) by which the scores are multiplied; as many as are read
    left : mean over the tasks of the best validation loss, relative to that of a constant
    """

    inputs: str
    width: int
    depth: int
    dropout: float
    scale: np.ndarray
    left: float


@dataclass(frozen=True)
class Replica:
    """One network of the multi-task arm; as in :class:`mtlbio.training.deep.network.Trained`."""

    networks: list[Network]
    place: np.ndarray
    bias: np.ndarray


@dataclass(frozen=True)
class DeepFits:
    """The deep trunks of f folds, a arms and s seeds.

    Attributes
    ----------
    outputs : (f, a, s, n, o) of all samples
    best_epoch : (f, a, s, t)
    chosen : {(fold index, arm index): Chosen}
    replicas : {(fold index, seed index): Replica} of the first arm
    squash : how gates become weights, None where the sharing scheme has none
    """

    outputs: torch.Tensor
    best_epoch: torch.Tensor
    chosen: dict[tuple[int, int], Chosen]
    replicas: dict[tuple[int, int], Replica]
    squash: str | None = None

    def of_folds(self, rows: slice) -> "DeepFits":
        """Some of the folds, one after another."""
        places = list(range(len(self.outputs)))[rows]
        return replace(
            self,
            outputs=self.outputs[rows],
            best_epoch=self.best_epoch[rows],
            chosen={(places.index(i), j): value for (i, j), value in self.chosen.items() if i in places},
            replicas={(places.index(i), s): value for (i, s), value in self.replicas.items() if i in places},
        )

    def block(self, i: int, data: FoldData, share: np.ndarray) -> DeepBlock | None:
        """What the supervised dimensions of fold ``i`` take, with a ``share`` (c,) of every column; None for nothing.

        The dimensions are those of the multi-task arm, the first one.
        """
        chosen, seeds = self.chosen[i, 0], range(self.outputs.shape[2])
        source = data.axes.encoder if chosen.inputs == "axes" else data.basis
        replicas = [self.replicas[i, s] for s in seeds]
        return DeepBlock(
            source[:, : len(chosen.scale)] * chosen.scale,
            np.tile(share, (len(replicas), 1)),
            [replica.networks for replica in replicas],
            np.stack([replica.place for replica in replicas]),
            self.squash,
        ).used()

    def bias(self, i: int) -> np.ndarray:
        """(s, o) of fold ``i`` in the multi-task arm."""
        return np.stack([self.replicas[i, s].bias for s in range(self.outputs.shape[2])]).astype(float)


def joined_deep(parts: Sequence[DeepFits], places: Sequence[Sequence[int]]) -> DeepFits:
    """Folds that were fitted apart; ``places`` among all folds of those of every part."""
    order = np.argsort(np.concatenate([np.asarray(place, dtype=int) for place in places]))
    keyed = list(zip(places, parts, strict=True))
    return DeepFits(
        torch.cat([part.outputs.cpu() for part in parts])[order],
        torch.cat([part.best_epoch.cpu() for part in parts])[order],
        {(int(at[i]), j): value for at, part in keyed for (i, j), value in part.chosen.items()},
        {(int(at[i]), s): value for at, part in keyed for (i, s), value in part.replicas.items()},
        parts[0].squash,
    )
