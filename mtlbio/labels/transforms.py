"""Scales on which a regression label is learnt, and the way back to the units of the user.

A dose is learnt on the square root or the logarithm, where its errors are alike for small and for large doses, and
where factors add up. What goes back is the inverse of the prediction: the median of the dose, not its mean, which is
what the mean absolute error asks for.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Transform:
    """``forward`` to the scale of the training and ``inverse`` back; ``valid`` says which values it can take (bool),
    ``domain`` the same in words."""

    forward: Callable[[np.ndarray], np.ndarray]
    inverse: Callable[[np.ndarray], np.ndarray]
    valid: Callable[[np.ndarray], np.ndarray]
    domain: str


# a prediction beyond this many powers of e is nonsense already, and must not become infinite
_FARTHEST = 300.0


def _logarithm(base: float) -> Transform:
    size = np.log(base)

    def inverse(v: np.ndarray) -> np.ndarray:
        return np.exp(np.clip(np.asarray(v, dtype=float) * size, -_FARTHEST, _FARTHEST))

    return Transform(lambda y: np.log(y) / size, inverse, lambda y: np.asarray(y) > 0, "values above 0")


TRANSFORMS = {
    "none": Transform(lambda y: y, lambda v: v, lambda y: np.full(np.shape(y), True), "any number"),
    "sqrt": Transform(
        np.sqrt, lambda v: np.square(np.maximum(v, 0.0)), lambda y: np.asarray(y) >= 0, "values of 0 or more"
    ),
    "log": _logarithm(np.e),
    "log2": _logarithm(2.0),
    "log10": _logarithm(10.0),
}
