"""Differential privacy: one noisy release per site, of clipped products, and the ridge heads that follow from it.

Every donor is a row u = (1, columns, label) whose columns are clipped to a length, and the label to 1; a site sends the
products u u' summed over the donors of each inner fold, with normal noise. Without a donor the sums of all tasks move
by at most (2 + clip^2) sqrt(tasks), so noise of a standard deviation of that times :func:`noise_of` is (epsilon,
delta)-private for adding or removing a donor (Balle & Wang 2018, ICML 394). Inner folds hold other donors each, so
they cost nothing more; heads and penalties are made of what was sent, and cost nothing either. Everything else
(standardisation, folds) is fixed before the data are looked at.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from scipy import optimize
from scipy.stats import norm

_MIDDLE, _HALF = 0.5, 0.5  # of columns that are 0 or 1


def noise_of(epsilon: float, delta: float, releases: int = 1) -> float:
    """Standard deviation of the noise per unit that a donor can move the sums by, so that all releases together are
    (epsilon, delta)-private: of several it is that of one times the root of their number.

    Examples
    --------
    >>> round(noise_of(1.0, 1e-5), 3), round(noise_of(1.0, 1e-5, 4), 3)
    (3.731, 7.461)
    """

    def excess(sigma: float) -> float:
        a, b = 1 / (2 * sigma), epsilon * sigma
        return float(norm.cdf(a - b) - np.exp(epsilon + norm.logcdf(-a - b)) - delta)

    return float(optimize.brentq(excess, 1e-3, 1e7, xtol=1e-12)) * float(np.sqrt(releases))


def deviation_of(options: dict[str, Any]) -> float:
    """Standard deviation of the noise that each site adds to each number."""
    privacy = options["privacy"]
    reach = (2 + privacy["clip"] ** 2) * np.sqrt(len(options["tasks"]))
    return float(reach * noise_of(privacy["epsilon"], privacy["delta"], privacy["releases"]))


def public_scales(columns: list[str], bounds: dict[str, list[float]]) -> tuple[np.ndarray, np.ndarray]:
    """Means and scales of columns that nobody had to look at: from declared bounds, or of a 0/1 column."""
    pairs = [bounds.get(name) for name in columns]
    mean = [_MIDDLE if pair is None else (pair[0] + pair[1]) / 2 for pair in pairs]
    scale = [_HALF if pair is None else (pair[1] - pair[0]) / 4 for pair in pairs]
    return np.array(mean), np.array(scale)


def clipped(x: np.ndarray, length: float) -> np.ndarray:
    """Rows (n, p) that are no longer than ``length``."""
    size = np.sqrt(np.square(x).sum(axis=1, keepdims=True))
    return x * np.minimum(1.0, length / np.maximum(size, 1e-300))


def products_of_parts(x: np.ndarray, y: np.ndarray, weights: np.ndarray, part: np.ndarray, parts: int) -> np.ndarray:
    """(parts, p + 2, p + 2) sums of u u' over the donors of each part; labels (n,) within -1 and 1."""
    u = np.column_stack([np.ones(len(x)), x, np.clip(y, -1, 1)])
    inside = (part[:, None] == np.arange(parts)) * weights[:, None]
    return np.einsum("nk,ni,nj->kij", inside, u, u, optimize=True)


def noise(key: bytes, context: str, parts: int, size: int, deviation: float) -> np.ndarray:
    """(parts, size, size) symmetric normal noise that only a site's key gives; the same for the same question."""
    seed = int.from_bytes(hashlib.sha256(key + b"noise" + context.encode()).digest(), "big")
    drawn = np.triu(np.random.default_rng(seed).normal(size=(parts, size, size)) * deviation)
    return drawn + np.swapaxes(np.triu(drawn, 1), 1, 2)


def part_of(donors: np.ndarray, parts: int, salt: str) -> np.ndarray:
    """(n,) part of every donor by a hash of its name, whatever its data."""
    digests = [hashlib.sha256(f"{salt}|{donor}".encode()).digest() for donor in donors]
    return np.array([int.from_bytes(digest[:8], "big") % parts for digest in digests], dtype=int)


def heads_from_products(products: np.ndarray, penalties: np.ndarray, spread: float) -> tuple[np.ndarray, int]:
    """(parts + 1, p + 1) intercept and slopes of all and of all but each part, and the place of the penalty.

    Least squares on the label with a penalty per donor, chosen by the loss on the part that is left out. Noise of a
    standard deviation ``spread`` makes small directions random: none counts for less than twice the length it has.
    """
    whole = products.sum(axis=0)
    size = whole.shape[0] - 1
    least = 2 * spread * np.sqrt(len(products) * size)
    shrunk = np.diag((np.arange(size) > 0).astype(float))
    sets = [whole, *(whole - part for part in products)]
    found = np.array([[_solved(s, penalty * max(s[0, 0], 1.0) * shrunk, least) for s in sets] for penalty in penalties])
    losses = np.zeros(len(penalties))
    for place in range(len(penalties)):
        for k, part in enumerate(products):
            v = np.append(found[place, k + 1], -1.0)
            losses[place] += v @ part @ v
    place = int(losses.argmin()) if len(products) > 1 else len(penalties) // 2
    return found[place], place


def _solved(products: np.ndarray, ridge: np.ndarray, least: float) -> np.ndarray:
    """Least squares with a ridge (p + 1, p + 1); no direction is taken to be told better than noise allows."""
    left = products[:-1, :-1] + ridge
    values, vectors = np.linalg.eigh(left)
    return vectors @ ((vectors.T @ products[:-1, -1]) / np.maximum(values, max(least, 1e-12)))
