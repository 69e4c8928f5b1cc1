"""In which order features enter a panel: forward selection on ridge regressions of all targets at once.

The regression of a target on the features S, with penalties ``l`` on the squared coefficients, leaves the loss
``y' M y`` with ``M = (I + sum of x x' / l over S)^-1``. One more feature x lowers it by ``(x' M y)^2 / (l + x' M x)``,
exactly (the matrix inversion lemma), so that the gains of all features follow from two numbers of each, which one
matrix product brings up to date. Without penalties this is orthogonal least squares (Chen, Billings & Luo 1989, Int. J.
Control 50:1873), with large ones the ranking by correlation. Gains are summed over the targets, in units of what the
best feature alone gains for a target: else one that is predicted well would fill a small panel. A missing label is a
row less in its target's regression, and no label is filled in.

The penalty of a feature grows with its rank: that is the prior of coefficients whose variance together does not depend
on how many there are. A small panel then takes what differs, a large one also copies, which average noise away.
"""

from dataclasses import dataclass

import numpy as np

# Of the penalty with the rank, in units of a feature's sum of squares (docs/panels.md has what others reach).
GROWTH = 3.0
_FREE = 1e-3  # of the smallest price that is not 0: what a feature for nothing counts as


@dataclass
class _Regressions:
    """Regressions of targets (r, T) that are known in the same rows on features (r, p) that have entered so far.

    ``left``: (p,) x' M x, ``link``: (p, T) x' M y; ``steps``: (M x, l + x' M x) of each that entered.
    """

    x: np.ndarray
    y: np.ndarray

    def __post_init__(self) -> None:
        self.left, self.link = np.square(self.x).sum(axis=0), self.x.T @ self.y
        self.steps: list[tuple[np.ndarray, float]] = []

    def gains(self, penalty: float) -> np.ndarray:
        """(p, T) by how much the loss of a target falls with each feature; ``penalty`` per row."""
        return np.square(self.link) / (penalty * len(self.y) + np.maximum(self.left, 0.0))[:, None]

    def enter(self, feature: int, penalty: float) -> None:
        """Let a feature in."""
        column = self.x[:, feature]
        rest = column.copy()
        for before, total in self.steps:
            rest -= before * (before @ column / total)
        total = penalty * len(self.y) + column @ rest
        self.steps.append((rest, total))
        shared = self.x.T @ rest
        self.left -= np.square(shared) / total
        self.link -= np.outer(shared, rest @ self.y) / total


def entering(
    x: np.ndarray,
    y: np.ndarray,
    weights: np.ndarray,
    most: int,
    growth: float = GROWTH,
    shares: np.ndarray | None = None,
    prices: np.ndarray | None = None,
) -> np.ndarray:
    """Features in the order in which they enter, the first ``most`` of them.

    Parameters
    ----------
    x : (n, p) features, best standardised
    y : (n, T) targets of variance 1, NaN where missing
    weights : (n,) of the samples; those of weight 0 do not take part
    most : features that enter, at most
    growth : penalty on the squared coefficient of the first feature, in units of a feature's sum of squares over the
        rows of a target; that of the k-th is k times as large
    shares : (T,) what the gain of a target counts, 1 where left out
    prices : (p,) of the features, 0 or more: then the gain for the price decides

    Returns
    -------
    (most,) int, columns of ``x``; of features that gain the same the first enters

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(200, 30))
    >>> y = np.column_stack([x[:, 3] + x[:, 7], x[:, 3] - x[:, 12]])
    >>> sorted(entering(x, y, np.ones(200), most=3, growth=0.1).tolist())
    [3, 7, 12]
    """
    shares = np.ones(y.shape[1]) if shares is None else shares
    groups = []
    for rows, columns in _alike(~np.isnan(y) & (weights > 0)[:, None]):
        regressions = _regressions(x, y[:, columns], weights, rows)
        best = regressions.gains(growth).max(axis=0, initial=0.0)
        groups.append((regressions, shares[columns] / np.where(best > 0, best, np.inf)))
    costs = np.ones(x.shape[1]) if prices is None else np.maximum(prices, _FREE * _least(prices))
    chosen: list[int] = []
    for rank in range(1, min(most, x.shape[1]) + 1):
        gain = np.zeros(x.shape[1])
        for regressions, share in groups:
            gain += regressions.gains(growth * rank) @ share
        gain /= costs
        gain[chosen] = -1.0
        chosen.append(int(gain.argmax()))
        for regressions, _ in groups:
            regressions.enter(chosen[-1], growth * rank)
    return np.array(chosen, dtype=int)


def _least(prices: np.ndarray) -> float:
    """The smallest price that is not 0; 1 where all are."""
    paid = prices[prices > 0]
    return float(paid.min()) if len(paid) else 1.0


def _alike(known: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """(rows, columns) of targets (n, T) that are known in the same rows, of those that are known at all."""
    patterns, place = np.unique(known, axis=1, return_inverse=True)
    pairs = [(np.flatnonzero(rows), np.flatnonzero(place.ravel() == k)) for k, rows in enumerate(patterns.T)]
    return [(rows, columns) for rows, columns in pairs if len(rows)]


def _regressions(x: np.ndarray, y: np.ndarray, weights: np.ndarray, rows: np.ndarray) -> _Regressions:
    """Centred, with weights of mean 1 taken into rows."""
    share = weights[rows] / weights[rows].sum()
    root = np.sqrt(share * len(rows))[:, None]
    x, y = x[rows], y[rows]
    return _Regressions(root * (x - share @ x), root * (y - share @ y))
