"""One network for every set of blocks: each is trained, as a cohort of one assay is, on the samples that have the set.

Whom a network predicts depends on what a sample has, and on nothing that was imputed: a sample without proteins takes
no part in any network that reads them. All networks share their outer and inner folds, so that what one of them says of
a sample that it has not seen can be weighed against what another one says.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from mtlbio.cohort.assays.blocks import Blocks, Pattern, of_blocks, said
from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.split import train_test
from mtlbio.config import Training
from mtlbio.errors import InputError
from mtlbio.model.ensemble import FINAL
from mtlbio.progress import say, track
from mtlbio.training.device import choose_device
from mtlbio.training.fold_predictors import Refit
from mtlbio.training.problem import FoldData, Targets, inner_of, make_targets
from mtlbio.training.refits import Refitter, folds_of

LEAST_ALONE = 10  # training samples with a block, in every fold
LEAST_TOGETHER = 30  # from which a network of several blocks is worth having


@dataclass(frozen=True)
class View:
    """A set of blocks, the places of the samples that have it, and what was fitted to them."""

    blocks: Pattern
    rows: np.ndarray
    refit: Refit


@dataclass(frozen=True)
class SharedInner(Refitter):
    """A refitter whose inner folds are those of the whole cohort; ``inner``: of every fold, (n,) of its samples."""

    inner: dict[int, np.ndarray] = field(default_factory=dict)

    def labelled(self, copies: list[Cohort]) -> list[tuple[list[FoldData], Targets]]:
        """Folds with the shared inner folds, and the targets."""
        folds = [replace(data, inner=self.inner[data.fold]) for data in self.folds]
        return [(folds, make_targets(copy, folds)) for copy in copies]


def sets_of_blocks(blocks: Blocks) -> list[Pattern]:
    """The sets of blocks that a network may read: each alone, what samples have, and that without each one block."""
    found: set[Pattern] = {(name,) for name in blocks.names}
    for pattern in blocks.each:
        found |= {pattern} | {without(pattern, name) for name in pattern if len(pattern) > 1}
    places = {own: [blocks.names.index(name) for name in own] for own in found}
    return sorted(found, key=lambda own: (len(own), places[own]))


def without(pattern: Pattern, name: str) -> Pattern:
    """A set of blocks without one of them."""
    return tuple(own for own in pattern if own != name)


def inner_folds_of(cohort: Cohort, splits: pd.DataFrame, options: Training) -> dict[int, np.ndarray]:
    """(n,) inner fold of every training sample of each fold, the final one included; -1 for the others."""
    everybody = np.arange(len(cohort.obs))
    train = {fold: train_test(splits, fold)[0] for fold in folds_of(splits)} | {FINAL: everybody}
    return {fold: inner_of(cohort, rows, options) for fold, rows in train.items()}


def fit_views(
    cohort: Cohort,
    blocks: Blocks,
    splits: pd.DataFrame,
    inner: dict[int, np.ndarray],
    options: Training,
    arms: list[np.ndarray],
) -> dict[Pattern, View]:
    """A network of every set of blocks that enough training samples have, in every fold and for every arm.

    Raises
    ------
    InputError
        Too few training samples of a fold have a block.
    """
    views = dict[Pattern, View]()
    device = choose_device(options.device)
    for own in sets_of_blocks(blocks):
        rows = np.flatnonzero(blocks.have(own))
        least = _least_trained(splits, rows)
        if len(own) == 1 and least < LEAST_ALONE:
            raise InputError(
                f"blocks.{own[0]}: a fold has {least} training samples with it; expected {LEAST_ALONE} or more"
            )
        if len(own) > 1 and least < LEAST_TOGETHER:
            say(f"{said(own)}: {least} training samples have both; predicted from each alone")
            continue
        part = of_blocks(cohort, own, rows)
        some = splits.iloc[rows].reset_index(drop=True)
        found = Refitter.of(part, some, options, device, arms, message=f"Axes of {said(own)}", only=list(inner))
        of_rows = {fold: values[rows] for fold, values in inner.items()}
        refitter = SharedInner(found.options, found.folds, found.problem, of_rows)
        (refit,) = refitter.refit([part], _progress(own))
        views[own] = View(own, rows, refit)
    return views


def _progress(own: Pattern):
    def wrapped(epochs: range, name: str) -> Iterable[int]:
        return track(epochs, f"Training the {name} block of {said(own)}", len(epochs))

    return wrapped


def _least_trained(splits: pd.DataFrame, rows: np.ndarray) -> int:
    some = splits.iloc[rows].reset_index(drop=True)
    return min(len(train_test(some, fold)[0]) for fold in folds_of(splits))
