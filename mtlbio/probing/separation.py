"""What would make two things separable that a cohort cannot tell apart: how many donors, and where."""

import numpy as np

_MOST_STEPS = 400


def inflation(counts: np.ndarray) -> float:
    """Variance inflation of the class given the level, from donors per level x class: total over within-level sum of
    squares of the indicator of a class, the worst class but the first (that is what a test of the classes uses)."""
    counts = np.asarray(counts, dtype=float)
    n, sizes = counts.sum(), counts.sum(axis=1, keepdims=True)
    part = counts[:, 1:]
    total = part.sum(axis=0) * (1 - part.sum(axis=0) / n)
    within = (part * (1 - part / np.maximum(sizes, 1))).sum(axis=0)
    ratio = np.divide(total, within, out=np.full(total.shape, np.inf), where=within > 1e-9 * n)
    return float(ratio[total > 0].max(initial=1.0)) if (total > 0).any() else float("inf")


def discordant(counts: np.ndarray) -> int:
    """Donors outside the majority class of their level, summed over levels."""
    counts = np.asarray(counts)
    return int((counts.sum(axis=1) - counts.max(axis=1)).sum())


def donors_to_add(counts: np.ndarray, max_vif: float, least: int) -> np.ndarray:
    """Donors to add per level x class until the pair passes the audit; all zero where nothing is missing.

    Greedy: every donor goes where it lowers the variance inflation most (steps of 1 % in large cohorts), so the sum is
    close to the least that will do. Possibly short of the aim after ``_MOST_STEPS`` steps, which takes more classes or
    levels than donors.
    """
    start = np.asarray(counts).astype(int)
    now = start.copy()
    step = max(1, int(start.sum() // 100))
    for _ in range(_MOST_STEPS):
        if inflation(now) < max_vif and discordant(now) >= least:
            break
        options = []
        for place in np.ndindex(now.shape):
            now[place] += step
            options.append((inflation(now), -discordant(now), place))
            now[place] -= step
        now[min(options)[2]] += step
    return now - start


def donors_off_the_line(donors: int, vif: float, max_vif: float) -> int:
    """Donors to add in whom the label does not follow the covariate, until the variance inflation is ``max_vif``.

    With m such donors next to n the covariance falls to n / (n + m) of what it was and the variances stay, so R2 falls
    by the square of that: n / (n + m) = sqrt(aim / R2) with R2 = 1 - 1 / vif.
    """
    r2, aim = 1 - 1 / vif, 1 - 1 / max_vif
    return max(int(np.ceil(donors * (np.sqrt(r2 / aim) - 1))), 1)
