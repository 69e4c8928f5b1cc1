"""How many donors a question needs: planning formulas, from a design or from what a cohort has shown so far.

All rest on one scaling: at a fixed design (class balance, variance inflation) the noncentrality of the test of an
effect grows in proportion to the donors, so its root, the expected t, grows with their root. That holds for donors
who are like those already measured.
"""

from collections.abc import Callable

import numpy as np
from scipy import optimize, special, stats

POWER = 0.8


def noncentrality_root(level: float, df: float, df_error: float) -> float:
    """Root of the noncentrality at which the F test rejects with probability ``POWER``.

    With one column this is the expected t: about t_(level/2) + z_power (Cohen 1988, Statistical Power Analysis, ch. 8).
    ``level`` is two-sided; ``df``: tested columns, ``df_error``: degrees of freedom of the denominator; inf where the
    level is too strict for any effect to be shown with so few.

    Examples
    --------
    >>> round(noncentrality_root(0.05, 1, 1e6), 3)
    2.802
    """
    critical = f_isf(level, df, df_error)
    if critical > 1e6:  # too few donors for a level so strict, whatever the effect; its power has no series there
        return float("inf")

    def gap(root: float) -> float:
        return float(stats.ncf.sf(critical, df, df_error, root**2)) - POWER

    high = 4.0
    while gap(high) < 0:
        high *= 1.5
    return float(optimize.brentq(gap, 0.0, high, xtol=1e-6))


def f_isf(p: float, df: float, df_error: float) -> float:
    """F that is exceeded with probability p, for any p above 0 (``scipy.stats.f.isf`` is inf below 1e-16).

    By the regularised incomplete beta function I: sf(F) = I_x(df_error / 2, df / 2), x = df_error / (df_error + df F).

    Examples
    --------
    >>> round(f_isf(0.05, 1, 15), 4), round(f_isf(1e-20, 1, 15), 1)
    (4.5431, 5613.3)
    """
    x = float(special.betaincinv(df_error / 2, df / 2, p))
    return df_error / df * (1 - x) / x if x > 0 else float("inf")


def smallest_effect(
    donors: float, variance: float, vif: float, level: float, df: int = 1, spent: int = 1, free: float | None = None
) -> float:
    """Smallest effect, in standard deviations of the dimension per unit of the label, found with ``POWER``.

    The effect d leaves 1 - d2 v of the dimension's variance as error, so the noncentrality with n donors is
    n d2 v / (vif (1 - d2 v)); solved for d. Whatever else the covariates explain of the dimension would only help. HC3
    divides by 1 - leverage, so the columns of the nuisance count off n.

    Parameters
    ----------
    donors : n, labelled
    variance : v of the label: p (1 - p) for classes of shares p and 1 - p, 1 for a standardised number
    vif : variance inflation of the label given the covariates
    df, spent : columns of the label, and of the nuisance with the intercept
    free : degrees of freedom of the denominator where families are fewer than donors

    Returns
    -------
    NaN where fewer than four degrees of freedom are left, or where no effect would do
    """
    left = donors - spent - df
    if left < 4 or not np.isfinite(vif) or variance <= 0:
        return float("nan")
    needed = noncentrality_root(level, df, left if free is None else min(left, free)) ** 2
    return float(np.sqrt(needed / (variance * ((donors - spent + 1) / vif + needed))))


def donors_for_effect(
    effect: float,
    variance: float,
    vif: float,
    level: float,
    df: int = 1,
    spent: int = 1,
    free: float | None = None,
    now: float = 1.0,
) -> float:
    """Donors with which an effect is found with ``POWER``: the inverse of :func:`smallest_effect`; inf if none do.

    ``free``: with families, the degrees of freedom that ``now`` donors have; more families bring more.
    """
    explained = effect**2 * variance
    if not 0 < explained < 1 or not np.isfinite(vif):
        return float("inf")
    per_donor = explained / (vif * (1 - explained))
    return _least(
        lambda n: noncentrality_root(level, df, freedom(n, spent + df, free, now)) ** 2 / per_donor + spent - 1,
        spent + df + 4,
    )


def smallest_hazard(
    events: float, donors: float, vif: float, level: float, spent: int = 1, free: float | None = None
) -> float:
    """Smallest log hazard ratio per standard deviation of a dimension that is found with ``POWER``.

    The information on a log hazard ratio is the number of events times the variance of the dimension among those at
    risk, whoever else is followed (Schoenfeld 1983, Biometrics 39:499; of a number Hsieh & Lavori 2000, Control. Clin.
    Trials 21:552). What the columns of the nuisance cost, they cost per donor.

    Parameters
    ----------
    events : of the donors with all covariates
    donors, vif, spent, free : as of :func:`smallest_effect`

    Returns
    -------
    NaN where fewer than four degrees of freedom are left, or without an event

    Examples
    --------
    >>> round(smallest_hazard(50, 200, 1.0, 0.05), 2), round(smallest_hazard(50, 2000, 1.0, 0.05), 2)
    (0.4, 0.4)
    """
    left = donors - spent - 1
    if left < 4 or events <= 0 or not np.isfinite(vif):
        return float("nan")
    root = noncentrality_root(level, 1, left if free is None else min(left, free))
    return float(root / np.sqrt(events / vif * (donors - spent + 1) / donors))


def events_for_hazard(
    effect: float, events: float, donors: float, vif: float, level: float, spent: int = 1, free: float | None = None
) -> float:
    """Events with which a log hazard ratio per standard deviation is found, if donors come with them as now."""
    if events <= 0 or not np.isfinite(vif):
        return float("inf")

    def needed(n: float) -> float:
        followed = donors * n / events
        root = noncentrality_root(level, 1, freedom(followed, spent + 1, free, donors))
        return root**2 / effect**2 * vif * followed / (followed - spent + 1)

    return _least(needed, int(np.ceil((spent + 5) * events / donors)) + 1)


def freedom(donors: float, spent: float, free: float | None = None, now: float = 1.0) -> float:
    """Degrees of freedom of the denominator with a number of donors.

    Parameters
    ----------
    spent : by the label and what is held fixed
    free : where families are fewer than donors, those that ``now`` donors have (:mod:`mtlbio.probing.inference`): they
        grow with the families, as the donors do

    Examples
    --------
    >>> freedom(60, 5), freedom(60, 5, 6.0, 60), freedom(240, 5, 6.0, 60)
    (55.0, 6.0, 24.0)
    """
    left = float(donors - spent)
    return left if free is None else max(min(left, free * donors / now), 1.0)


def donors_to_establish(
    t: float,
    donors: float,
    level: float | Callable[[float], float],
    df: int = 1,
    spent: float = 0.0,
    free: float | None = None,
) -> float:
    """Donors with which an effect that was *observed* would be found with probability ``POWER``.

    The expected t grows with the root of the donors, but the observed t is the truth plus an error of size 1: a plan
    that takes it for the truth, n (noncentrality_root / t)^2, keeps its promise in 62 to 80 % of the cases only
    (``docs/plan.md``). So the error is averaged over (assurance: O'Hagan, Stevens & Campbell 2005, Pharm Stat 4:187,
    with a flat prior): t k - c = z_power sqrt(1 + k2), with k2 = donors needed / donors and c the noncentrality that
    the test needs less z_power.

    Parameters
    ----------
    t : absolute t of one column; root of the noncentrality estimate, sqrt(df (F - 1)), of several
    level : of the test, or what it is with a number of donors; it must not fall with them
    spent : degrees of freedom that the covariates cost (:func:`informative`)
    free : of the denominator, where families are fewer than donors (:func:`freedom`)

    Returns
    -------
    inf where t <= z_power: the truth is then too likely to be next to nothing
    """
    z = float(stats.norm.ppf(POWER))
    if not t > z:
        return float("inf")
    square = t**2 - z**2

    def needed(n: float) -> float:
        c = noncentrality_root(level(n) if callable(level) else level, df, freedom(n, 1 + df, free, donors)) - z
        told = informative(donors, spent) * ((c * t + z * np.sqrt(c**2 + square)) / square) ** 2
        # the inverse of ``informative``
        return spent + told / 2 + np.sqrt(told * (spent + told / 4))

    return _least(needed, int(spent) + df + 5)


def informative(donors: float, spent: float) -> float:
    """Donors without covariates that would tell as much as these do when covariates cost ``spent`` degrees of freedom.

    Columns that have nothing to do with a label still explain ``spent / donors`` of it by chance, and HC3 divides by
    1 - leverage, which is the same on average: so the noncentrality grows in proportion to (n - spent)^2 / n.

    Examples
    --------
    >>> informative(60, 0), informative(60, 12), informative(240, 12)
    (60.0, 38.4, 216.6)
    """
    return float(max(donors - spent, 0.0) ** 2 / donors)


def donors_to_return(stability: float, donors: float, target: float) -> float:
    """Donors with which a dimension of this stability is found again at ``target``: at most twice as many.

    Spearman-Brown prophecy (Spearman 1910; Brown 1910) with donors for items: s / (1 - s) grows in proportion to the
    donors. It fits badly, because an axis is found or not found: of 42 dimensions with a stability below .5 (29 planted
    programmes at 60 and 90 donors, 13 axes of halved real cohorts) 41 reached .5 with twice the donors, most of them
    .9, whatever their stability had been. So the prophecy counts where it asks for less than that, and else twice.
    """
    odds = stability / (1 - stability) if 0 < stability < 1 else 0.0
    prophecy = target / (1 - target) / odds if odds > 0 else np.inf
    return float(np.ceil(donors * min(prophecy, 2.0)))


def donors_for_harmlessness(se: float, donors: int, margin: float) -> float:
    """Donors with which a true loss of zero would be shown to lie below the margin: the standard error of the loss
    falls with the root of the donors, so n = donors * ((z_.95 + z_power) se / margin)^2."""
    return float(np.ceil(donors * ((special.ndtri(0.95) + special.ndtri(POWER)) * se / margin) ** 2))


def donors_for_bins(rarest: float | None, margin: float) -> float:
    """Donors with which four of five useless dimensions are shown to be harmless to a task, before any model is fitted.

    Measured on planted cohorts with 15 given axes, ten of them useless (``docs/plan.md``): at a margin of .02, an AUROC
    needs about 130 / (4 p (1 - p)) donors with p the share of the rarest class, an R2 about 55. What a useless
    dimension adds to a head shrinks with the donors, so does the error of its loss: hence 1 / margin, not its square.

    ``rarest``: p; None for a regression.
    """
    needed = 55.0 if rarest is None else 130.0 / (4 * rarest * (1 - rarest))
    return float(np.ceil(needed * 0.02 / margin))


def _least(needed, start: int) -> float:
    """Smallest whole n >= start with n >= needed(n), where ``needed`` falls with n."""
    high = min(max(guess, needed(guess)) for guess in (start, max(start, 100)))
    low, high = start - 1, int(np.ceil(min(high, 1e9)))
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if needed(middle) <= middle + 0.01 else (middle, high)
    return float(high)
