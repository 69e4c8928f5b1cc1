"""How many axes the data carry: parallel analysis with donors as the unit (Horn 1965)."""

import numpy as np

_COLUMNS = 64  # that are sorted at once


def count_axes(
    x: np.ndarray,
    donors: np.ndarray,
    seed: int = 0,
    draws: int = 5,
    quantile: float = 0.95,
    eigenvalues: np.ndarray | None = None,
) -> int:
    """Leading components whose variance exceeds that of data without any correlation between genes.

    In each draw every gene's donor means are permuted over the donors and its deviations within each donor, so the
    null keeps the resemblance of a donor's own samples; permuting samples freely would count every donor with many
    visits as an axis. At least 1, for standardised data x (n, p) of donors (n,); ``seed``, ``draws`` and ``quantile``
    are those of the null distribution of the eigenvalues. ``eigenvalues``: of the smaller product matrix of x, largest
    first, where they are known.
    """
    rng = np.random.default_rng([seed, 11])
    _, donor, count = np.unique(donors, return_inverse=True, return_counts=True)
    several = count.max() > 1
    in_order = np.array_equal(donor, np.arange(len(donor)))
    mean = x if in_order else x[np.argsort(donor)]
    if several:
        mean = np.zeros((len(count), x.shape[1]))
        np.add.at(mean, donor, x)
        mean /= count[:, None]
        deviation = x - mean[donor]
        grouped = np.argsort(donor, kind="stable")
    observed = _eigenvalues(x) if eigenvalues is None else eigenvalues
    null = []
    for _ in range(draws):
        shuffled = _permuted(mean, rng.random(mean.shape))
        shuffled = shuffled if in_order else shuffled[donor]
        if several:
            # sorting by donor plus a random number permutes within donors, gene by gene
            order = np.argsort(donor[:, None] + rng.random(x.shape) * 0.999, axis=0)
            within = np.empty_like(deviation)
            within[grouped] = np.take_along_axis(deviation, order, axis=0)
            shuffled = shuffled + within
        size = shuffled.std(axis=0)
        size[size == 0] = 1.0
        shuffled -= shuffled.mean(axis=0)
        shuffled /= size
        null.append(_eigenvalues(shuffled))
    above = observed > np.quantile(null, quantile, axis=0)
    return max(1, int(np.argmin(above)) if not above.all() else len(above))


def _permuted(values: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """Every column of values (n, p) in the order of its random keys (n, p), which are written over."""
    for start in range(0, keys.shape[1], _COLUMNS):
        place = slice(start, start + _COLUMNS)
        keys[:, place] = np.take_along_axis(values[:, place], np.argsort(keys[:, place], axis=0), axis=0)
    return keys


def _eigenvalues(x: np.ndarray) -> np.ndarray:
    """Eigenvalues of the smaller of the two product matrices, largest first; those of the other are 0 beyond them."""
    return np.linalg.eigvalsh(x @ x.T if len(x) <= x.shape[1] else x.T @ x)[::-1]


def generous(counted: int, n_samples: int, at_most: int) -> int:
    """A number of axes to start from: a quarter more than counted plus two, as the penalty removes the idle ones.

    Parallel analysis misses a programme that is weaker than the noise of its eigenvalue: with 30 planted programmes
    it counts 29 or 30, and the missing one can be the one that matters.
    """
    return max(1, min(counted + int(np.ceil(counted / 4)) + 2, at_most, n_samples // 3))
