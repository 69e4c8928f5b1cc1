"""How many axes the data carry: parallel analysis with donors as the unit (Horn 1965)."""

import numpy as np


def count_axes(x: np.ndarray, donors: np.ndarray, seed: int = 0, draws: int = 5, quantile: float = 0.95) -> int:
    """Leading components whose variance exceeds that of data without any correlation between genes.

    In each draw every gene's donor means are permuted over the donors and its deviations within each donor, so the
    null keeps the resemblance of a donor's own samples; permuting samples freely would count every donor with many
    visits as an axis. At least 1, for standardised data x (n, p) of donors (n,); ``seed``, ``draws`` and ``quantile``
    are those of the null distribution of the eigenvalues.
    """
    rng = np.random.default_rng([seed, 11])
    _, donor, count = np.unique(donors, return_inverse=True, return_counts=True)
    mean = np.zeros((len(count), x.shape[1]))
    np.add.at(mean, donor, x)
    mean /= count[:, None]
    deviation = x - mean[donor]
    grouped = np.argsort(donor, kind="stable")
    observed = _eigenvalues(x)
    null = []
    for _ in range(draws):
        order = np.argsort(rng.random(mean.shape), axis=0)
        shuffled = np.take_along_axis(mean, order, axis=0)[donor]
        if count.max() > 1:
            # sorting by donor plus a random number permutes within donors, gene by gene
            order = np.argsort(donor[:, None] + rng.random(x.shape) * 0.999, axis=0)
            within = np.empty_like(deviation)
            within[grouped] = np.take_along_axis(deviation, order, axis=0)
            shuffled = shuffled + within
        size = shuffled.std(axis=0)
        size[size == 0] = 1.0
        shuffled = (shuffled - shuffled.mean(axis=0)) / size
        null.append(_eigenvalues(shuffled))
    above = observed > np.quantile(null, quantile, axis=0)
    return max(1, int(np.argmin(above)) if not above.all() else len(above))


def _eigenvalues(x: np.ndarray) -> np.ndarray:
    """Eigenvalues of the smaller of the two product matrices, largest first; those of the other are 0 beyond them."""
    return np.linalg.eigvalsh(x @ x.T if len(x) <= x.shape[1] else x.T @ x)[::-1]


def generous(counted: int, n_samples: int, at_most: int) -> int:
    """A number of axes to start from: a quarter more than counted plus two, as the penalty removes the idle ones.

    Parallel analysis misses a programme that is weaker than the noise of its eigenvalue: with 30 planted programmes
    it counts 29 or 30, and the missing one can be the one that matters.
    """
    return max(1, min(counted + int(np.ceil(counted / 4)) + 2, at_most, n_samples // 3))
