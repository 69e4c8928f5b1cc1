"""Folds that were fitted apart, put together into what one stack of all folds would have given."""

from collections.abc import Iterable, Sequence
from dataclasses import fields

import numpy as np
import torch

from mtlbio.model.ensemble import FINAL
from mtlbio.training.deep.fits import joined_deep
from mtlbio.training.fold_predictors import Refit
from mtlbio.training.predictors import Predictors
from mtlbio.training.problem import Targets
from mtlbio.training.replicas import Fitted
from mtlbio.training.sparse_heads import SparseHeads
from mtlbio.training.stacked_predictors import StackedPredictors
from mtlbio.training.task_weights import Gradients

_OF_FOLDS = ("block", "bias", "outputs", "best_epoch", "offsets")  # of a block, folds first


def joined(refits: Sequence[Refit]) -> Refit:
    """One refit of all folds, those that hold somebody out in order, then the final one.

    All are of one cohort with the same options, so that their arrays have the same widths. A fold that stopped before
    the last one moves no more: its losses stay what they are, its gradients are 0.
    """
    numbers = [data.fold for refit in refits for data in refit.folds]
    order = sorted(range(len(numbers)), key=lambda place: (numbers[place] == FINAL, numbers[place]))

    def tensors(parts: Iterable[torch.Tensor], axis: int = 0) -> torch.Tensor:
        return torch.cat([part.cpu() for part in parts], dim=axis).index_select(axis, torch.tensor(order))

    def arrays(parts: Iterable[np.ndarray]) -> np.ndarray:
        return np.concatenate(list(parts))[order]

    def heads(parts: list[SparseHeads]) -> SparseHeads:
        return SparseHeads(*(tensors([getattr(part, field.name) for part in parts]) for field in fields(SparseHeads)))

    def block(parts: list[Fitted]) -> Fitted:
        epochs = max(len(part.history) for part in parts)
        apart = [part.gradients for part in parts if part.gradients is not None]
        gradients = None
        if apart:
            shared, maps = (
                tensors([_longer(getattr(part, name), epochs - 1) for part in apart], axis=1)
                for name in ("shared", "maps")
            )
            gradients = Gradients(shared, maps, apart[0].task_of_map.cpu())
        whole = {name: tensors([getattr(part, name) for part in parts]) for name in _OF_FOLDS}
        history = tensors([_longer(part.history, epochs, still=True) for part in parts], axis=2)
        return Fitted(**whole, history=history, squash=parts[0].squash, gradients=gradients)

    predictors, targets = [refit.predictors for refit in refits], [refit.targets for refit in refits]
    stacks = [refit.stacking for refit in refits]
    # place among the joined folds of every fold of every part
    places = np.split(np.argsort(order), np.cumsum([len(refit.folds) for refit in refits])[:-1])
    keyed = list(zip(places, stacks, strict=True))
    deep = [part.deep for part in predictors if part.deep is not None]
    return Refit(
        [[data for refit in refits for data in refit.folds][place] for place in order],
        Targets(
            arrays(part.values for part in targets),
            targets[0].labelled,
            arrays(part.mean for part in targets),
            arrays(part.scale for part in targets),
        ),
        Predictors(
            {name: heads([part.heads[name] for part in predictors]) for name in predictors[0].heads},
            {name: block([part.blocks[name] for part in predictors]) for name in predictors[0].blocks},
            joined_deep(deep, [place.tolist() for place in places]) if deep else None,
        ),
        StackedPredictors(
            {(int(at[i]), j, t): value for at, stack in keyed for (i, j, t), value in stack.mixture.items()},
            arrays(stack.outputs for stack in stacks),
            {(int(at[i]), j): value for at, stack in keyed for (i, j), value in stack.cross_task.items()},
            {(int(at[i]), j): value for at, stack in keyed for (i, j), value in stack.sites.items()},
            stacks[0].site_column,
        ),
    )


def _longer(values: torch.Tensor, length: int, still: bool = False) -> torch.Tensor:
    """Values of so many epochs: what follows is the last one where they stand still, else 0."""
    more = length - len(values)
    if not more:
        return values
    last = values[-1:] if still else torch.zeros_like(values[:1])
    return torch.cat([values, last.expand(more, *values.shape[1:])])
