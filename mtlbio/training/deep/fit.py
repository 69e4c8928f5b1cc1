"""The deep trunks of a problem, fold after fold, so that a fold that is done can be kept."""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import numpy as np

from mtlbio.config import Training
from mtlbio.training.deep.fits import DeepFits, joined_deep
from mtlbio.training.deep.fold import DeepFold, fit_fold
from mtlbio.training.deep.kept import KeptNetworks
from mtlbio.training.deep.launch import Together
from mtlbio.training.extras import extended
from mtlbio.training.problem import Problem


class Kept(Protocol):
    """Where the deep trunks of a fold are kept until the run is done."""

    def networks(self, fold: int) -> KeptNetworks:
        """Those of its networks that are done, in a folder which every machine of a job sees."""

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
    processes: int = 1,
) -> DeepFits:
    """Fit the deep trunk of every fold, arm and seed.

    Parameters
    ----------
    order : (n,) rows of the samples, in an order that does not depend on how they came
    numbers : of the folds, by which ``kept`` knows them
    processes : that train every network together

    Raises
    ------
    InputError
        One of several processes died, or they do not fit the machines of this job; what is ``kept`` stays.
    """
    whole, _ = extended(problem, "dense")
    given = (whole.packing.tasks, len(problem.packing.tasks), seeds, options)
    folds = range(len(problem.targets))
    keeper = kept if numbers is not None else None
    named = dict(zip(folds, numbers if numbers is not None else folds, strict=True))
    done = {i: found for i in folds if keeper and (found := keeper.read(named[i])) is not None}
    networks = {i: keeper.networks(named[i]) if keeper else None for i in folds if i not in done}

    def fold(i: int) -> DeepFold:
        return DeepFold.of(problem, whole, i, order, options.deep.inputs)

    with Together(processes, *given, problem.targets.device.type) as together:
        if processes > 1:
            together.start({i: fold(i) for i in networks}, networks)
        for i in progress(folds, "deep"):
            if i in done:
                continue
            done[i] = together.wait(i) if processes > 1 else fit_fold(fold(i), *given, networks[i])
            if keeper:
                keeper.write(named[i], done[i])
                keeper.networks(named[i]).clear()
    return joined_deep([done[i] for i in folds], [[i] for i in folds])
