"""Values of a file onto the scale of a model, where genes are missing and samples have gaps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mtlbio.cohort.measurements import Measurements, check_values
from mtlbio.cohort.qc import to_log_scale
from mtlbio.intake.notes import notice
from mtlbio.training.new_samples.checks import FINE, REFUSED, Checks

# Counts that a tool estimated differ in their sums; those that were normalised hardly do.
_SAME_SUM, _LARGE = 0.01, 50
# A library that is so many times smaller is none of a sample; no more than this is added for genes that are missing.
_FAR_SMALLER, _LEAST_PART = 10, 0.01


def with_whole_counts(data: Measurements, scale: str) -> Measurements:
    """Estimated counts (salmon, RSEM) of new samples rounded, with a note; all else as it is."""
    if scale != "counts":
        return data
    values = data.dense()
    there = values[np.isfinite(values)]
    if not there.size or there.min() < 0 or (there == np.round(there)).all():
        return data
    total = np.nansum(values, axis=1)
    if there.max() < _LARGE or (len(total) > 1 and np.std(total) < _SAME_SUM * np.mean(total)):
        return data
    changed = (there != np.round(there)).mean()
    notice(data.source, f"estimated counts rounded to whole numbers ({changed:.0%} of the values were not whole)")
    return replace(data, matrix=np.round(values))


def check_given(data: Measurements, scale: str) -> None:
    """As :func:`mtlbio.cohort.measurements.check_values`, for new samples: gaps are allowed, and a single sample."""
    values = data.dense()
    check_values(replace(data, matrix=np.where(np.isnan(values), 0, values)), scale, must_vary=False)


def check_libraries(counts: np.ndarray, size: float, share: np.ndarray | None, checks: Checks) -> None:
    """Refuse counts (n, genes), NaN where not measured, whose libraries are far smaller than those of training, which
    had ``size`` (a power of ten) or more: single cells, of which a cohort has sums."""
    gaps = np.isnan(counts)
    part = np.ones(len(counts)) if share is None else np.where(gaps, 0.0, share).sum(axis=1)
    whole = float(np.median(np.nansum(counts, axis=1) / np.maximum(part, _LEAST_PART)))
    small = 0 < whole < size / _FAR_SMALLER
    checks.add("library", "all samples", whole, low=size, call=REFUSED if small else FINE, why="median, all genes")
    if small:
        checks.refuse(
            f"the median sample has {whole:,.0f} counts where the training samples had {size:,.0f} or more: single "
            "cells? Add up those of each sample first"
        )


def on_model_scale(values: np.ndarray, scale: str, size: float | None, share: np.ndarray | None) -> np.ndarray:
    """Values (n, genes of the cohort), NaN where not measured, on the model's log-like scale.

    Of counts the library is what was measured: it is brought to the part of ``size`` that the same genes had in
    training, by their mean ``share`` (genes,) of a library, or to all of it where that is not known.
    """
    gaps = np.isnan(values)
    if scale != "counts":
        there = ~gaps.all(axis=0)
        scaled = np.full_like(values, np.nan)
        scaled[:, there] = to_log_scale(values[:, there], scale, size)
        return scaled
    assert size is not None  # counts were brought to one
    if not gaps.any() and (values.sum(axis=1) > 0).all():
        return to_log_scale(values, scale, size)
    part = np.ones(len(values)) if share is None else np.where(gaps, 0.0, share).sum(axis=1)
    return of_libraries(values, size * part)


def of_libraries(counts: np.ndarray, size: float | np.ndarray | None) -> np.ndarray:
    """``log1p`` of counts (n, genes), NaN where not measured, with every library brought to its ``size``; an empty one
    stays 0."""
    total = np.nansum(np.asarray(counts, dtype=float), axis=1, keepdims=True)
    return np.log1p(counts / np.where(total > 0, total, 1.0) * np.reshape(np.asarray(size, dtype=float), (-1, 1)))
