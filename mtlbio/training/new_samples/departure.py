"""How far a sample lies from the training samples of a model, in numbers that one sample has on its own."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

# Of a gene's distance no more than this counts, in SD: one odd gene does not make an odd sample.
MOST = 10.0
# Where genes do not differ more in their means than in themselves (z-scores), no line fits through the means.
_LEAST_SPREAD = 1.0


@dataclass(frozen=True)
class Departures:
    """Of n samples, each (n,); NaN of a sample without any measured gene.

    Attributes
    ----------
    distance : root mean square over genes of the distance from the training mean, in SD of the gene; about 1
    shift : median over genes of the signed distance in SD; about 0
    slope : of a sample's genes on the training means; about 1, NaN where the means do not differ (z-scores)
    agreement : correlation of a sample's genes with the training means; NaN likewise
    tied : share of a sample's genes that have its most common value
    """

    distance: np.ndarray
    shift: np.ndarray
    slope: np.ndarray
    agreement: np.ndarray
    tied: np.ndarray


def departures(values: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> Departures:
    """Of samples (n, p) on the model's scale, NaN where a gene is missing; ``mean`` and ``scale`` (p,) of training.

    Examples
    --------
    >>> mean = np.array([2.0, 6.0, 10.0])
    >>> found = departures(mean[None] * 0.5, mean, np.ones(3))
    >>> found.slope.tolist(), found.shift.tolist()
    ([0.5], [-3.0])
    """
    values = np.asarray(values, dtype=float)
    z = np.clip((values - mean) / scale, -MOST, MOST)
    varied = np.std(mean) > _LEAST_SPREAD * np.median(scale)
    rows = [_line(row, mean) if varied else (np.nan, np.nan) for row in values]
    slope, agreement = np.array(rows, dtype=float).reshape(-1, 2).T
    there = ~np.isnan(z)
    number = np.where(there.any(axis=1), there.sum(axis=1), np.nan)
    distance = np.sqrt(np.where(there, np.square(z), 0.0).sum(axis=1) / number)
    shift = np.array([np.median(row[mask]) if mask.any() else np.nan for row, mask in zip(z, there, strict=True)])
    tied = np.array([_most_common(row[mask]) for row, mask in zip(values, there, strict=True)])
    return Departures(distance, shift, slope, agreement, tied)


def joined(parts: list[Departures]) -> Departures:
    """Samples of several parts, one after the other."""
    return Departures(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Departures)))


def _line(row: np.ndarray, mean: np.ndarray) -> tuple[float, float]:
    """Slope and correlation of one sample; both 0 where all its genes are equal."""
    there = ~np.isnan(row)
    if not there.any():
        return np.nan, np.nan
    x, y = mean[there] - mean[there].mean(), row[there] - row[there].mean()
    xx, yy, xy = x @ x, y @ y, x @ y
    return (float(xy / xx), float(xy / np.sqrt(xx * yy)) if yy > 0 else 0.0) if xx > 0 else (np.nan, np.nan)


def _most_common(row: np.ndarray) -> float:
    return float(np.unique(row, return_counts=True)[1].max() / len(row)) if len(row) else 1.0
