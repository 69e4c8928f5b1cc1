"""Sums as whole numbers of 128 bits: added in any order they are the same, and masks cancel to the last bit.

A number is two words of 64 bits, how often 1 goes into it and what is left of 1 in parts of 2^-64, negative ones as
their two's complement. All sums are modulo 2^128, as masks need (Bonawitz et al. 2017, CCS 1175).
"""

import numpy as np

MOST = 2.0**62  # what a sum has to stay below
_WORD = 2.0**64


def encode(values: np.ndarray) -> np.ndarray:
    """(...) float -> (..., 2) uint64, high word first; exact but for what is below 2^-64.

    A ValueError where a number is not finite or too large.

    Examples
    --------
    >>> decode(encode(np.array([1.5, -0.25]))).tolist()
    [1.5, -0.25]
    """
    values = np.asarray(values, dtype=float)
    if not (np.abs(values) < MOST).all():
        raise ValueError(f"a sum is missing or {MOST:g} or more")
    size = np.abs(values)
    whole = np.floor(size)
    words = np.stack([whole.astype(np.uint64), ((size - whole) * _WORD).astype(np.uint64)], axis=-1)
    return np.where((values < 0)[..., None], negative(words), words)


def decode(words: np.ndarray) -> np.ndarray:
    """Inverse of :func:`encode`, to the 53 bits that a float has."""
    below = words[..., 0] >> np.uint64(63) == 1
    size = np.where(below[..., None], negative(words), words)
    values = size[..., 0].astype(float) + size[..., 1].astype(float) / _WORD
    return np.where(below, -values, values)


def add(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Sum modulo 2^128 of numbers (..., 2)."""
    low = a[..., 1] + b[..., 1]
    carry = (low < a[..., 1]).astype(np.uint64)
    return np.stack([a[..., 0] + b[..., 0] + carry, low], axis=-1)


def negative(words: np.ndarray) -> np.ndarray:
    """What has to be added to get 0."""
    return add(~words, np.broadcast_to(np.array([0, 1], dtype=np.uint64), words.shape))
