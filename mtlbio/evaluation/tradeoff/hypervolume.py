"""The volume that a front covers above a reference point (Zitzler & Thiele 1999, IEEE Trans. Evol. Comput. 3:257)."""

import numpy as np
from scipy.stats import qmc

_EXACT = 4  # tasks up to which the volume is cut into slices
_POINTS = 14  # binary logarithm of the points of a Sobol sequence that are counted beyond


def hypervolume(points: np.ndarray, reference: np.ndarray | float = 0.0) -> float:
    """Volume of the union of the boxes between the reference point and each point, larger being better.

    Exact up to 4 tasks, by slices along the last one; with more, the share of 16,384 points of a Sobol sequence in the
    box below the best values.

    Parameters
    ----------
    points : (m, t); a value below the reference adds nothing
    reference : (t,)

    Examples
    --------
    >>> hypervolume(np.array([[3.0, 1.0], [1.0, 2.0], [1.0, 1.0]]))
    4.0
    """
    above = np.asarray(points, dtype=float) - reference
    above = above[(above > 0).all(axis=1)]
    if not len(above):
        return 0.0
    if above.shape[1] <= _EXACT:
        return _sliced(above[undominated(above)])
    ends = above.max(axis=0)
    inside = qmc.Sobol(above.shape[1], scramble=False).random_base2(_POINTS) * ends
    covered = np.zeros(len(inside), dtype=bool)
    for point in above:
        covered |= (inside < point).all(axis=1)
    return float(covered.mean() * ends.prod())


def _sliced(points: np.ndarray) -> float:
    """Of points (m, t) above 0."""
    if points.shape[1] == 1:
        return float(points.max())
    points = points[np.argsort(-points[:, -1], kind="stable")]
    heights = points[:, -1] - np.append(points[1:, -1], 0.0)
    if points.shape[1] == 2:
        return float(heights @ np.maximum.accumulate(points[:, 0]))
    return float(sum(h * _sliced(points[: k + 1, :-1]) for k, h in enumerate(heights) if h > 0))


def undominated(points: np.ndarray) -> np.ndarray:
    """(m,) bool: no other of the points (m, t) is at least as good for every task and better for one.

    Examples
    --------
    >>> undominated(np.array([[3.0, 1.0], [1.0, 2.0], [1.0, 1.0]])).tolist()
    [True, True, False]
    """
    at_least = (points[None] >= points[:, None]).all(axis=2)
    better = (points[None] > points[:, None]).any(axis=2)
    return np.logical_not((at_least & better).max(axis=1))


def knee(points: np.ndarray) -> int:
    """The point whose largest regret is smallest: what it falls short of the best that any point (m, t) reaches, of all
    tasks the one where that is most. Of two tasks it lies where the front bends most towards both bests."""
    return int((points.max(axis=0) - points).max(axis=1).argmin())
