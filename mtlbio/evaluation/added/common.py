"""What old tasks tell of a new one's head before it has labels, where there are many of its kind.

Drugs of a screen are measured alike, and a cell line that is sensitive to most is likely so to the next one. Of tasks
that have nothing in common (a disease, an age) the heads tell nothing of each other, and neither does this.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from mtlbio.labels import Label
from mtlbio.training.frozen_head import Prior

LEAST = 10  # old tasks of the kind, from which their mean is more than chance
SPREAD = 0.5  # powers of ten, of what old tasks say beyond their mean
LEAST_CHANCE = 0.05  # share of a label's variance that is always left to chance


def in_common(predicted: np.ndarray) -> float:
    """How much of the mean of the others an old task takes: the slope of every column of ``predicted`` (n, T), centred,
    on the mean of the other columns; from 0, and 1 at most.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(50, 1))
    >>> round(in_common(np.repeat(x, 12, axis=1)), 6), round(in_common(x * np.tile([1.0, -1.0], 6)), 6)
    (1.0, 0.0)
    """
    own = predicted - predicted.mean(axis=0)
    others = _of_others(own)
    size = float(np.square(others).sum())
    return float(np.clip((own * others).sum() / size, 0.0, 1.0)) if size > 0 else 0.0


def outputs_of_kind(
    task: Label, tasks: Mapping[str, Label], labels: pd.DataFrame, predicted: pd.DataFrame
) -> np.ndarray | None:
    """(samples, T) held-out predictions of the old tasks of the new one's kind, on the scale that is learnt and in
    standard deviations of their labels; None of a kind that is no number.

    Parameters
    ----------
    task, tasks : the new label, and the old ones by name
    labels : (samples, old tasks) as the cohort holds them
    predicted : as :func:`mtlbio.evaluation.added.old_tasks.predictions_of`, the same samples
    """
    if not task.noisy:
        return None
    found = []
    for name, label in predicted.columns:
        old = tasks.get(name)
        if old is None or old.kind != task.kind:
            continue
        y = old.y(labels[name])
        mean, scale = old.standard(old.transform(y[~np.isnan(y)]))
        found.append((old.transform(predicted[name, label].to_numpy(dtype=float)) - mean) / scale)
    return np.column_stack(found) if found else None


def believed(latents: np.ndarray, predicted: np.ndarray | None = None, heads: np.ndarray | None = None) -> Prior:
    """What is believed of a new head on dimensions (n, d): it lies about the mean of the old heads, as far as each
    takes that of the others, and says beyond it as much as they do. Fewer than ``LEAST`` old tasks tell nothing.

    Parameters
    ----------
    predicted : (n, T) what old tasks of the kind say of samples, in standard deviations of their labels
    heads : (d, T) that say it; as nearly as they can on these dimensions where None
    """
    prior = Prior.of(latents)
    if predicted is None or predicted.shape[1] < LEAST:
        return prior
    own, share = predicted - predicted.mean(axis=0), in_common(predicted)
    if heads is None:
        heads = np.linalg.lstsq(latents - prior.mean, own)[0]
    beyond = (own - share * _of_others(own)).var(axis=0) / np.maximum(1 - own.var(axis=0), LEAST_CHANCE)
    signal = float(np.median(beyond))
    if signal <= 0:
        return prior
    return replace(prior, centre=share * heads.mean(axis=1), signal=signal, spread=SPREAD)


def _of_others(own: np.ndarray) -> np.ndarray:
    """(n, T) the mean of the other columns."""
    return (own.sum(axis=1, keepdims=True) - own) / (own.shape[1] - 1)
