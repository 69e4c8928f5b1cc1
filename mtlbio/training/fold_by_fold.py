"""The folds of a run fitted one after another, for cohorts of which a stack of all folds would not fit into memory.

What a fold becomes depends on no other fold, so the numbers are those of the stack but for rounding: axes and row
spaces come from moments (:mod:`mtlbio.training.fold_of_moments`), tasks are fitted one after another
(:mod:`mtlbio.training.columns_in_use`, :mod:`mtlbio.training.sparse_heads_by_task`), and of a fold that is done only
the networks and the outputs of its held-out samples stay.
"""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.moments import FEW, moments_of
from mtlbio.config import Training
from mtlbio.model.ensemble import FINAL
from mtlbio.progress import say, track
from mtlbio.training.deep.fit import Kept
from mtlbio.training.deep.lines import deep_lines
from mtlbio.training.fold_of_moments import inputs_in_blocks, prepare_fold_of_moments
from mtlbio.training.fold_predictors import Refit
from mtlbio.training.joined import joined
from mtlbio.training.problem import make_targets, problem_of_inputs, widths
from mtlbio.training.refits import Refitter, folds_of

_LARGE = 2e9  # bytes that a stack of all folds may take before folds are fitted one after another
# Arrays of the size of all outputs that a step of the stack holds at once, most of them for the gradient.
_HELD = 10


def one_by_one(cohort: Cohort, splits: pd.DataFrame, options: Training, arms: int) -> bool:
    """Whether folds are fitted one after another, as ``training.fit_from`` says, or the size where it says ``auto``."""
    if options.fit_from != "auto":
        chosen = options.fit_from == "moments"
        say(f"Fitted from {options.fit_from} (training.fit_from)")
        return chosen
    size = stack_bytes(cohort, splits, options, arms)
    chosen = size > _LARGE and len(cohort.obs) >= FEW
    if chosen:
        say(f"Fitted from moments, fold after fold: a stack of all folds would take {size / 1e9:.1f} GB")
    return chosen


def stack_bytes(cohort: Cohort, splits: pd.DataFrame, options: Training, arms: int) -> float:
    """Memory that a stack of all folds takes, roughly: the inputs of every fold, and what a step makes of them."""
    samples = (len(folds_of(splits)) + 1) * len(cohort.obs)
    outputs = arms * options.seeds * sum(task.n_outputs for task in cohort.tasks.values())
    return 4.0 * samples * (sum(widths(cohort, options).values()) + _HELD * outputs)


def fit_one_by_one(
    cohort: Cohort,
    splits: pd.DataFrame,
    options: Training,
    device: str,
    arms: list[np.ndarray],
    only: Iterable[int] | None = None,
    kept: Kept | None = None,
) -> Refit:
    """Fit all arms and seeds of every fold, or of ``only`` these; of the outputs those of held-out samples stay."""
    numbers = [*folds_of(splits), FINAL] if only is None else list(only)
    moments, most = moments_of(cohort), int(splits["fold"].value_counts().max())
    refits = []
    for fold in track(numbers, "Fitting one fold after another", len(numbers)):
        data = prepare_fold_of_moments(cohort, splits, fold, options, moments)
        name = "all donors" if fold == FINAL else f"Fold {fold}"
        say(f"{name}: {data.axes.n_axes} axes; training {2 * len(arms) * options.seeds} networks on {device}")
        targets, inputs = make_targets(cohort, [data]), inputs_in_blocks(cohort, data, widths(cohort, options))
        problem = problem_of_inputs(cohort, [data], targets, arms, options.seeds, device, inputs)
        refitter = Refitter.of_problem(cohort, [data], problem, options)
        del inputs, problem
        (refit,) = refitter.refit([cohort], kept=kept, processes=options.processes, by_task=True)
        refits.append(_without_samples(refit, data.test, most))
    refit = joined(refits)
    for line in deep_lines(refit, cohort.tasks):
        say(line)
    return refit


def _without_samples(refit: Refit, test: np.ndarray, most: int) -> Refit:
    """The fold without what its predictors say of every sample."""
    predictors = refit.predictors
    heads = {name: replace(head, outputs=head.outputs[:, :, :0]) for name, head in predictors.heads.items()}
    blocks = {name: replace(block, outputs=block.outputs[..., :0, :]) for name, block in predictors.blocks.items()}
    stacking = refit.stacking.only_held_out(test, most)
    # copies, so that what they were cut from can go
    heads = {name: replace(head, outputs=head.outputs.clone()) for name, head in heads.items()}
    blocks = {name: replace(block, outputs=block.outputs.clone()) for name, block in blocks.items()}
    return replace(refit, predictors=replace(predictors, heads=heads, blocks=blocks), stacking=stacking)
