"""Cox's proportional hazards (1972, J. R. Stat. Soc. B 34:187): fit, baseline hazard, residuals.

Newton's method with step halving on standardised columns. Ties are Efron's; donors may enter late (left truncation), be
compared within strata only, and carry weights. A step costs O(n p^2) after one sort. A ridge that is too small to be
seen keeps columns that say the same thing, and hazards that separate the events, from running away.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from mtlbio.labels.risk_sets import RiskSets, Sums

_STEPS, _HALVINGS, _CLOSE = 60, 30, 1e-13


@dataclass(frozen=True)
class Cox:
    """A fitted model; hazards are ``exp(x @ coefficients)`` times their stratum's baseline.

    Attributes
    ----------
    coefficients : (p,) log hazard ratio per unit of each column
    information : (p, p) minus the second derivative of ``loglik``
    loglik, null : partial log likelihood, and that of no effect of any column
    strata : what the strata are called, sorted
    events : number of events that count
    converged : whether Newton's method came to its end
    x, sets, sums : columns (n, p), risk sets and their sums at the fit
    """

    coefficients: np.ndarray
    information: np.ndarray
    loglik: float
    null: float
    strata: np.ndarray
    events: int
    converged: bool
    x: np.ndarray = field(repr=False)
    sets: RiskSets = field(repr=False)
    sums: Sums = field(repr=False)
    ridge: np.ndarray = field(repr=False)

    @property
    def covariance(self) -> np.ndarray:
        """(p, p) of the coefficients, the inverse of the information (with the ridge that the fit had)."""
        whole = self.information + np.diag(self.ridge)
        size = np.sqrt(np.maximum(np.diag(whole), 1e-300))
        return np.linalg.pinv(whole / np.outer(size, size), hermitian=True) / np.outer(size, size)

    @property
    def freedom(self) -> float:
        """Columns that were fitted, less what the ridge kept from being fitted: trace of information x covariance."""
        return float((self.information * self.covariance).sum())

    @property
    def evidence(self) -> float:
        """Log marginal likelihood, up to a constant of the columns, if the ridge is a normal prior (MacKay 1992).

        Laplace's approximation; what it is compared over are ridges, of which each is above 0.
        """
        beta, ridge = self.coefficients, np.maximum(self.ridge, 1e-300)
        size = np.sqrt(ridge)
        told = np.linalg.slogdet(self.information / np.outer(size, size) + np.eye(len(beta)))[1]
        return float(self.loglik - ridge @ np.square(beta) / 2 - told / 2)

    @property
    def se(self) -> np.ndarray:
        """(p,) standard errors of the coefficients."""
        return np.sqrt(np.clip(np.diag(self.covariance), 0, None))

    def baseline(self) -> dict[object, tuple[np.ndarray, np.ndarray]]:
        """Stratum -> times of its events, and the cumulative hazard of a donor whose columns are all 0, after each.

        The jumps are those of the likelihood with Efron's ties; without ties that is Breslow's estimate.
        """
        eta = self.x @ self.coefficients
        out = {}
        for s, (times, hazard) in enumerate(self.sets.steps(self.sums.jumps)):
            scale = np.exp(-eta[self.sets.stratum == s].max(initial=-np.inf))
            out[self.strata[s]] = (times, hazard * scale)
        return out

    def martingale(self) -> np.ndarray:
        """(n,) events less those that the model expects of each donor (Therneau 1990, Biometrika 77:147).

        They sum to 0 over every stratum without weights, and lie below 1.
        """
        return self.sets.event - self.sums.risk * self.sums.hazard

    def score_residuals(self) -> np.ndarray:
        """(n, p) part of each donor in the score; times :attr:`covariance` about what the fit moves by with the donor.

        Therneau, Grambsch & Fleming 1990, Biometrika 77:147, with the ties of Efron.
        """
        sets, sums = self.sets, self.sums
        expected = sets.cumulated(sets.per_time(sums.rates[:, None] * sums.means))
        expected[sets.rows] -= sets.per_time((sums.rates * sets.tied)[:, None] * sums.means)[sets.place]
        out = self.x * self.martingale()[:, None] + sums.risk[:, None] * expected
        rows, left = self.schoenfeld()
        out[rows] -= self.x[rows] - left
        return out

    def schoenfeld(self) -> tuple[np.ndarray, np.ndarray]:
        """Donors with an event (events,), by stratum and time, and their columns less the mean at risk (events, p).

        Events at one time all see the mean of what Efron's risk sets of that time hold.
        """
        place = self.sets.place
        size = np.bincount(place, minlength=len(self.sets.times))
        mean = np.zeros((len(size), self.x.shape[1]))
        np.add.at(mean, place, self.sums.means)
        return self.sets.rows, self.x[self.sets.rows] - (mean / size[:, None])[place]


def fit_cox(
    x: npt.ArrayLike,
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    entry: npt.ArrayLike | None = None,
    strata: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    ridge: float | np.ndarray = 1e-10,
    start: Cox | None = None,
) -> Cox:
    """Fit a Cox model.

    Parameters
    ----------
    x : (n, p) columns without an intercept; none (n, 0) for the baseline alone
    time : (n,) of the event or of the last sight of a donor, any unit
    event : (n,) bool or 0/1, whether ``time`` is that of an event
    entry : (n,) time from which a donor was under observation, before ``time``; -inf or left out: from the start
    strata : (n,) donors of different strata are never compared; one stratum where left out
    weights : (n,) 0 or more; 1 where left out
    ridge : penalty per event on half the squared coefficients of columns in standard deviations; one, or (p,)
    start : a fit of the same donors and columns to begin from, whose risk sets are taken over

    Raises
    ------
    ValueError
        Without an event, with a number that is missing, or with an entry that is not before its time.

    Examples
    --------
    >>> import numpy as np
    >>> from mtlbio.labels.cox import fit_cox
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(400, 1))
    >>> dies, leaves = rng.exponential(1 / np.exp(0.6 * x[:, 0])), rng.exponential(2, 400)
    >>> fit = fit_cox(x, np.minimum(dies, leaves), dies <= leaves)
    >>> print(f"{fit.coefficients[0]:.2f} +- {fit.se[0]:.2f} from {fit.events} events")
    0.57 +- 0.07 from 269 events
    """
    x, time = np.asarray(x, dtype=float), np.asarray(time, dtype=float)
    n = len(time)
    weights = np.ones(n) if weights is None else np.asarray(weights, dtype=float)
    names, codes = np.unique(np.zeros(n, dtype=int) if strata is None else np.asarray(strata), return_inverse=True)
    entry = None if entry is None else np.asarray(entry, dtype=float)
    happened = np.asarray(event).astype(float)
    _check(x, time, happened, entry, weights)
    sets = RiskSets(time, happened > 0, entry, codes, weights) if start is None else start.sets
    if not len(sets.rows):
        raise ValueError("a Cox model needs at least one event")

    middle = np.average(x, axis=0, weights=weights)
    scale = np.sqrt(np.average(np.square(x - middle), axis=0, weights=weights))
    scale = np.where(scale > 0, scale, 1.0)
    columns, penalty = (x - middle) / scale, sets.counts.sum() * np.broadcast_to(ridge, x.shape[1:])
    first = np.zeros(x.shape[1]) if start is None else start.coefficients * scale
    beta, sums, converged = _newton(sets, columns, penalty, first)
    null = sets.at(columns[:, :0], np.zeros(n)).loglik if start is None else start.null
    information = sets.information(columns, sums) * np.outer(scale, scale)
    sums = replace(sums, means=sums.means * scale + middle)
    shared = (names, len(sets.rows), converged, x, sets, sums, penalty * np.square(scale))
    return Cox(beta / scale, information, sums.loglik, null, *shared)


def _newton(
    sets: RiskSets, columns: np.ndarray, penalty: np.ndarray, beta: np.ndarray
) -> tuple[np.ndarray, Sums, bool]:
    """Coefficients of standardised columns, the sums there, and whether that is the end; from ``beta`` (p,) on."""
    sums = sets.at(columns, columns @ beta)
    goal = sums.loglik - float(penalty @ np.square(beta)) / 2
    for _ in range(_STEPS):
        residual = sets.weights * (sets.event - sums.risk * sums.hazard)
        gradient = columns.T @ residual - penalty * beta
        curvature = sets.information(columns, sums) + np.diag(penalty)
        step = np.linalg.lstsq(curvature, gradient, rcond=None)[0]
        gain = float(gradient @ step)
        for halving in range(_HALVINGS):
            tried = beta + step / 2**halving
            there = sets.at(columns, columns @ tried)
            reached = there.loglik - float(penalty @ np.square(tried)) / 2
            if reached >= goal - 1e-12 * abs(goal):
                break
        else:
            return beta, sums, False
        beta, sums, goal = tried, there, reached
        if gain < _CLOSE * max(1.0, len(sets.rows)):
            return beta, sums, True
    return beta, sums, False


def _check(x: np.ndarray, time: np.ndarray, event: np.ndarray, entry: np.ndarray | None, weights: np.ndarray) -> None:
    if x.ndim != 2:
        raise ValueError(f"x has {x.ndim} dimension(s); a Cox model needs columns (n, p)")
    named = {"x": x, "time": time, "event": event, "weights": weights}
    if entry is not None:
        named["entry"] = np.where(entry == -np.inf, 0.0, entry)
    for name, values in named.items():
        if len(values) != len(time):
            raise ValueError(f"{name} is of {len(values)} donors, time of {len(time)}")
        if not np.isfinite(values).all():
            raise ValueError(f"{name} has {int((~np.isfinite(values)).sum())} value(s) that are missing or infinite")
    if (weights < 0).any():
        raise ValueError("weights hold a number below 0")
    if not np.isin(event, (0.0, 1.0)).all():
        raise ValueError("event holds something else than 0 and 1")
    if entry is not None and (entry >= time).any():
        raise ValueError(f"entry is not before time in {int((entry >= time).sum())} row(s)")
