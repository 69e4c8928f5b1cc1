"""What is said of deep trunks that were fitted."""

from collections.abc import Iterable

from mtlbio.model.ensemble import FINAL
from mtlbio.training.fold_predictors import Refit


def deep_lines(refit: Refit, tasks: Iterable[str]) -> list[str]:
    """What the deep trunk of each fold is, and what the tasks of the multi-task arm take from it."""
    deep, lines = refit.predictors.deep, list[str]()
    if deep is None:
        return lines
    for i, data in enumerate(refit.folds):
        chosen = deep.chosen[i, 0]
        fold = "all donors" if data.fold == FINAL else f"fold {data.fold}"
        shares = ", ".join(f"{name} {refit.stacking.mixture[i, 0, t].shares[-1]:.2f}" for t, name in enumerate(tasks))
        lines.append(
            f"Deep trunk of {fold}: reads {chosen.inputs}, {chosen.depth} residual blocks of width {chosen.width}, "
            f"dropout {chosen.dropout:g}; shares: {shares}"
        )
    return lines
