"""The paths of a stack of networks under other options of the training: only the blocks are fitted again."""

from __future__ import annotations

from dataclasses import replace

from mtlbio.config import Training
from mtlbio.training.networks import BlockOptions
from mtlbio.training.predictors import Predictors
from mtlbio.training.problem import Problem
from mtlbio.training.replicas import fit

# what changes a path's use but not its fit
_AFTERWARDS = {"paths", "borrowing"}


def with_options(problem: Problem, paths: Predictors, options: Training, changes: dict, seeds: list[int]) -> Predictors:
    """The paths with the blocks of ``options.paths`` fitted under the changed options.

    Parameters
    ----------
    problem : what the blocks are fitted to; it may have fewer arms than what ``paths`` was fitted to
    paths : of the unchanged options; they are given back as they are where no change touches a fit
    options : the changed ones
    changes : the options that differ
    """
    if not set(changes) - _AFTERWARDS:
        return paths
    blocks = {
        name: fit(problem, getattr(problem, name), seeds, BlockOptions.of(options))
        for name in paths.blocks
        if name in options.paths
    }
    return replace(paths, blocks=paths.blocks | blocks)
