"""The deep trunks of a problem, fold after fold, so that a fold that is done can be kept."""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import numpy as np
import torch

from mtlbio.choices.multitask import MultitaskOptions
from mtlbio.config import Training
from mtlbio.config.training import Shape
from mtlbio.model.sharing.make import make_sharing
from mtlbio.training.deep.choice import inputs_of
from mtlbio.training.deep.fits import Chosen, DeepFits, Replica, joined_deep
from mtlbio.training.deep.network import Data, Trained, fit_network
from mtlbio.training.extras import extended
from mtlbio.training.problem import Problem


class Kept(Protocol):
    """Where the deep trunks of a fold are kept until the run is done."""

    def read(self, fold: int) -> DeepFits | None:
        """Those of a fold, by its number; None where they are not there."""

    def write(self, fold: int, found: DeepFits) -> None:
        """Keep them."""


def fit_deep(
    problem: Problem,
    seeds: list[int],
    options: Training,
    order: np.ndarray,
    numbers: Sequence[int] | None = None,
    kept: Kept | None = None,
    progress: Callable[[range, str], Iterable[int]] = lambda folds, name: folds,
) -> DeepFits:
    """Fit the deep trunk of every fold, arm and seed.

    Parameters
    ----------
    order : (n,) rows of the samples, in an order that does not depend on how they came
    numbers : of the folds, by which ``kept`` knows them
    """
    whole, _ = extended(problem, "dense")
    parts = []
    for i in progress(range(len(problem.targets)), "deep"):
        found = kept.read(numbers[i]) if kept is not None and numbers is not None else None
        if found is None:
            found = _fit_fold(problem, whole, i, seeds, options, order)
            if kept is not None and numbers is not None:
                kept.write(numbers[i], found)
        parts.append(found)
    return joined_deep(parts, [[i] for i in range(len(parts))])


def _fit_fold(
    problem: Problem, whole: Problem, i: int, seeds: list[int], options: Training, order: np.ndarray
) -> DeepFits:
    """One fold; ``whole`` is the problem with its auxiliary tasks."""
    packing, multitask, deep = problem.packing, MultitaskOptions.of(options), options.deep
    device, n = whole.targets.device, problem.targets.shape[1]
    outputs = torch.zeros(1, len(problem.active), len(seeds), n, packing.n_outputs)
    best_epoch = torch.zeros(*outputs.shape[:3], len(packing.tasks), dtype=torch.long)
    chosen: dict[tuple[int, int], Chosen] = {}
    replicas: dict[tuple[int, int], Replica] = {}
    along = torch.as_tensor(order, device=device)
    scores = {str(name): inputs_of(problem, i, name) for name in deep.inputs}
    own, columns = len(packing.tasks), packing.n_columns

    for j in range(len(whole.active)):
        active = whole.active[j]

        def fit(name: str, shape: Shape, q: int, active: torch.Tensor = active) -> Trained:
            data = Data(
                scores[name][0],
                whole.targets[i],
                whole.train[i, q] * active,
                whole.validation[i, q] * active,
                along,
                whole.packing,
                own,
                whole.packing.n_columns - columns,
            )
            return fit_network(data, deep, shape, multitask, options.block, seeds[q])

        # what is read first, then the shape: each time the first seed's validation donors choose
        tried = {name: fit(name, deep.shapes[0], 0) for name in deep.inputs}
        name = min(deep.inputs, key=lambda name: tried[name].left)
        of_shapes = [tried[name], *(fit(name, shape, 0) for shape in deep.shapes[1:])]
        best = int(np.argmin([found.left for found in of_shapes]))
        shape, scale = deep.shapes[best], scores[name][1]
        chosen[0, j] = Chosen(name, shape.width, shape.depth, shape.dropout, scale, of_shapes[best].left)
        for q in range(len(seeds)):
            found = fit(name, shape, q) if q else of_shapes[best]
            outputs[0, j, q] = found.outputs[:, : packing.n_outputs].cpu()
            best_epoch[0, j, q] = torch.as_tensor(found.best_epoch[:own])
            if j == 0:
                networks = [_cut(network, columns) for network in found.networks]
                replicas[0, q] = Replica(networks, found.place[:columns], found.bias[: packing.n_outputs])
    squash = make_sharing(multitask.sharing, packing, options.block, multitask.sharing_strength).squash
    return DeepFits(outputs, best_epoch, chosen, replicas, squash)


def _cut(network: dict[str, np.ndarray], columns: int) -> dict[str, np.ndarray]:
    """Without the columns of heads that only served the tasks."""
    of_columns = ("linear", "gate", "offset")
    return {k: np.array(v[..., :columns], order="C") if k in of_columns else v for k, v in network.items()}
