"""The deep trunks of one fold, of all arms and seeds, from arrays that another process can be given."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from mtlbio.choices.multitask import MultitaskOptions
from mtlbio.config import Training
from mtlbio.config.training import Shape
from mtlbio.labels import Label
from mtlbio.model.outputs import Outputs
from mtlbio.model.sharing.make import make_sharing
from mtlbio.training.deep.choice import inputs_of
from mtlbio.training.deep.fits import Chosen, DeepFits, Replica
from mtlbio.training.deep.group import ALONE, Group
from mtlbio.training.deep.kept import KeptNetworks
from mtlbio.training.deep.network import Data, Trained, fit_network
from mtlbio.training.problem import Problem


@dataclass(frozen=True)
class DeepFold:
    """What the deep trunks of one fold are fitted to; a arms, s seeds, n samples, t tasks.

    Attributes
    ----------
    scores : (n, r) by what is read, "axes" or "components"
    scale : (r,) by which they were multiplied
    targets : (n, t)
    train, validation : (s, n, t) weights
    active : (a, t) 1 where the arm trains the task
    order : (n,) rows in an order that does not depend on theirs
    """

    scores: dict[str, torch.Tensor]
    scale: dict[str, np.ndarray]
    targets: torch.Tensor
    train: torch.Tensor
    validation: torch.Tensor
    active: torch.Tensor
    order: torch.Tensor

    @classmethod
    def of(cls, problem: Problem, whole: Problem, i: int, order: np.ndarray, names: Sequence[str]) -> "DeepFold":
        """Fold ``i`` of a problem, of which ``whole`` is the one with its auxiliary tasks."""
        read = {str(name): inputs_of(problem, i, name) for name in names}
        return cls(
            {name: scores for name, (scores, _) in read.items()},
            {name: scale for name, (_, scale) in read.items()},
            whole.targets[i],
            whole.train[i],
            whole.validation[i],
            whole.active,
            torch.as_tensor(order, device=whole.targets.device),
        )

    def to(self, device: torch.device) -> "DeepFold":
        """The same on another device."""
        return replace(
            self,
            scores={name: value.to(device) for name, value in self.scores.items()},
            targets=self.targets.to(device),
            train=self.train.to(device),
            validation=self.validation.to(device),
            active=self.active.to(device),
            order=self.order.to(device),
        )


def fit_fold(
    fold: DeepFold,
    tasks: Sequence[Label],
    main: int,
    seeds: list[int],
    options: Training,
    kept: KeptNetworks | None = None,
    group: Group = ALONE,
) -> DeepFits:
    """Train the networks of a fold; the first ``main`` of the tasks are the run's, the others only serve them.

    ``kept`` keeps every network as soon as it is done. All processes of the group get the same.
    """
    whole, packing = (_packed(some) for some in (tasks, tasks[:main]))
    multitask, deep, n = MultitaskOptions.of(options), options.deep, len(fold.targets)
    outputs = torch.zeros(1, len(fold.active), len(seeds), n, packing.n_outputs)
    best_epoch = torch.zeros(*outputs.shape[:3], main, dtype=torch.long)
    chosen: dict[tuple[int, int], Chosen] = {}
    replicas: dict[tuple[int, int], Replica] = {}
    columns = packing.n_columns

    for j, active in enumerate(fold.active):

        def fit(name: str, shape: Shape, q: int, j: int = j, active: torch.Tensor = active) -> Trained:
            called = f"arm{j}-{name}-{shape.width}x{shape.depth}-{shape.dropout:g}-seed{seeds[q]}"
            there = kept.read(called, group) if kept is not None else None
            if there is not None:
                return there
            data = Data(
                fold.scores[name],
                fold.targets,
                fold.train[q] * active,
                fold.validation[q] * active,
                fold.order,
                whole,
                main,
                whole.n_columns - columns,
            )
            found = fit_network(data, deep, shape, multitask, options.block, seeds[q], group)
            if kept is not None:
                kept.write(called, found, group)
            return found

        # what is read first, then the shape: each time the first seed's validation donors choose
        tried = {name: fit(name, deep.shapes[0], 0) for name in deep.inputs}
        name = min(deep.inputs, key=lambda name: tried[name].left)
        of_shapes = [tried[name], *(fit(name, shape, 0) for shape in deep.shapes[1:])]
        best = int(np.argmin([found.left for found in of_shapes]))
        shape, scale = deep.shapes[best], fold.scale[name]
        chosen[0, j] = Chosen(name, shape.width, shape.depth, shape.dropout, scale, of_shapes[best].left)
        for q in range(len(seeds)):
            found = fit(name, shape, q) if q else of_shapes[best]
            outputs[0, j, q] = found.outputs[:, : packing.n_outputs].cpu()
            best_epoch[0, j, q] = torch.as_tensor(found.best_epoch[:main])
            if j == 0:
                networks = [_cut(network, columns) for network in found.networks]
                replicas[0, q] = Replica(networks, found.place[:columns], found.bias[: packing.n_outputs])
    squash = make_sharing(multitask.sharing, packing, options.block, multitask.sharing_strength).squash
    return DeepFits(outputs, best_epoch, chosen, replicas, squash)


def _packed(tasks: Sequence[Label]) -> Outputs:
    # by number: an auxiliary task may have the name of another
    return Outputs.of({f"{t}": task for t, task in enumerate(tasks)})


def _cut(network: dict[str, np.ndarray], columns: int) -> dict[str, np.ndarray]:
    """Without the columns of heads that only served the tasks."""
    of_columns = ("linear", "gate", "offset")
    return {k: np.array(v[..., :columns], order="C") if k in of_columns else v for k, v in network.items()}
