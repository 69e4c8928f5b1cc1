"""The shortest steps that harm no task, in many replicas at once.

On the processor and in numpy, as :mod:`mtlbio.training.balancing.simplex`.
"""

import numpy as np

_TURNS = 200
_PATIENCE = 3
_ROUNDING = 1e-13


def shortest_above(gramian: np.ndarray, least: np.ndarray) -> np.ndarray:
    """Minimisers (N, m) of ``v' G v`` over ``v >= least``.

    Block principal pivoting (Kim & Park 2011, SIAM J. Sci. Comput. 33:3261): guess which entries lie above their bound,
    solve, and exchange all those that are on the wrong side. Where that has not helped three times, only the last of
    them is exchanged (Murty 1974), which ends in any case. Exact up to rounding; problems that have settled rest.

    Parameters
    ----------
    gramian : (N, m, m) positive definite, of a size about 1
    least : (N, m)
    """
    n, m = least.shape
    above, slope_at_least = np.zeros((n, m), dtype=bool), (gramian @ least[:, :, None])[:, :, 0]
    solution, fewest, patience = least.copy(), np.full(n, m + 1), np.full(n, _PATIENCE)
    rows, places = np.arange(n), np.arange(m)
    for _ in range(_TURNS):
        free, matrices = above[rows], gramian[rows]
        matrix = np.where(free[:, :, None] & free[:, None, :], matrices, 0.0)
        matrix[:, places, places] += ~free
        excess = np.linalg.solve(matrix, np.where(free, -slope_at_least[rows], 0.0)[:, :, None])
        slope = (matrices @ excess)[:, :, 0] + slope_at_least[rows]
        excess = excess[:, :, 0]
        wrong = np.where(free, excess < -_ROUNDING, slope < -_ROUNDING)
        count = wrong.sum(1)
        settled = count == 0
        solution[rows[settled]] = least[rows[settled]] + np.maximum(excess[settled], 0.0)
        rows, wrong, count = rows[~settled], wrong[~settled], count[~settled]
        if not len(rows):
            break
        better = count < fewest[rows]
        fewest[rows] = np.where(better, count, fewest[rows])
        patience[rows] = np.where(better, _PATIENCE, patience[rows] - 1)
        last = np.zeros_like(wrong)
        last[np.arange(len(rows)), m - 1 - wrong[:, ::-1].argmax(1)] = True
        above[rows] ^= np.where((patience[rows] >= 0)[:, None], wrong, last)
    return solution
