"""Sums over the donors who are at risk when one of them has its event: everything that Cox models are made of.

Donors are sorted once, by stratum and time; every sum over risk sets is then a running sum. Events at one time are
shared out as Efron (1977, J. Am. Stat. Assoc. 72:557) does: of d of them the k-th is seen by a risk set that holds each
of the d with the share 1 - k/d. With weights every one of them counts with their mean weight, as in R's ``survival``.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Sums:
    """What one step of Newton's method needs, all for hazards ``exp(eta)``.

    Attributes
    ----------
    loglik : partial log likelihood
    hazard : (n,) what every donor was exposed to while at risk, expected events per unit of its own ``risk``
    risk : (n,) ``exp(eta)``, over that of its stratum's largest
    jumps : (times,) jumps of the cumulative hazard at the times of events, on the same scale
    rates : (events,) by how much each raises the cumulative hazard, on the same scale
    means : (events, p) mean of the columns in the risk set that an event sees
    """

    loglik: float
    hazard: np.ndarray
    risk: np.ndarray
    jumps: np.ndarray
    rates: np.ndarray
    means: np.ndarray


class RiskSets:
    """Who is at risk when; ``at`` gives the sums for a linear predictor.

    Attributes
    ----------
    event : (n,) bool, an event that counts (its weight is not 0)
    time, entry, weights : (n,) as given
    stratum : (n,) codes 0 .. strata - 1
    times, time_stratum : (times,) of events, by stratum and time, each once
    rows, place : (events,) the donors with an event by time, and the place of that time in ``times``
    tied : (events,) k/d of the k-th of d events at its time; ``counts``: (events,) the mean weight of those d
    """

    def __init__(
        self, time: np.ndarray, event: np.ndarray, entry: np.ndarray | None, strata: np.ndarray, weights: np.ndarray
    ):
        self.time, self.entry, self.weights = time, entry, weights
        self.stratum, self.event = strata, event & (weights > 0)
        n_strata = int(strata.max(initial=-1)) + 1
        self._down = np.lexsort((-time, strata))
        self._bounds = np.searchsorted(strata[self._down], np.arange(n_strata + 1))
        rows = np.flatnonzero(self.event)
        self.rows = rows[np.lexsort((time[rows], strata[rows]))]
        key = np.column_stack([strata[self.rows], time[self.rows]])
        first = np.ones(len(key), dtype=bool)
        first[1:] = (key[1:] != key[:-1]).any(axis=1)
        self._first = np.flatnonzero(first)
        self.place = np.cumsum(first) - 1
        self.times, self.time_stratum = time[self.rows[self._first]], strata[self.rows[self._first]]
        self._time_bounds = np.searchsorted(self.time_stratum, np.arange(n_strata + 1))
        size = np.diff(np.append(self._first, len(rows)))
        self.tied = (np.arange(len(rows)) - self._first[self.place]) / size[self.place]
        self.counts = (self.per_time(weights[self.rows]) / size)[self.place]
        # rows of the sorted donors up to which they are still there, or have not yet come, at every time of an event
        self._there = self._ends(self._down, time)
        self._up_to, self._from = self._jumps_before(time), self._jumps_before(None if entry is None else entry)
        self._late = None if entry is None else np.lexsort((-entry, strata))
        self._to_come = None if self._late is None or entry is None else self._ends(self._late, entry)

    def at(self, columns: np.ndarray, eta: np.ndarray, moment: np.ndarray | None = None) -> Sums:
        """The sums for columns (n, p) and a linear predictor (n,).

        ``moment``: (times,) numbers by which events at every time count in ``hazard`` and ``jumps``; 1 by default.
        """
        highest = np.array([eta[self._down[a:b]].max(initial=-np.inf) for a, b in self._strata()])
        eta = eta - highest[self.stratum]
        risk = np.exp(eta)
        mass = self.weights * risk
        both = np.column_stack([mass, mass[:, None] * columns])
        total = self._at_risk(both)[self.place] - self.tied[:, None] * self.per_time(both[self.rows])[self.place]
        seen, means = total[:, 0], total[:, 1:] / total[:, :1]
        loglik = (self.weights * eta)[self.rows].sum() - (self.counts * np.log(seen)).sum()
        rate = self.counts / seen
        rate = rate if moment is None else rate * moment[self.place]
        jumps = self.per_time(rate)
        hazard = self.cumulated(jumps)
        hazard[self.rows] -= self.per_time(rate * self.tied)[self.place]
        return Sums(float(loglik), hazard, risk, jumps, rate, means)

    def information(self, columns: np.ndarray, sums: Sums, moment: np.ndarray | None = None) -> np.ndarray:
        """(p, p) sum over the events of the variance of the columns in their risk sets; ``moment`` as in :meth:`at`."""
        counts = self.counts if moment is None else self.counts * moment[self.place]
        second = columns.T @ ((self.weights * sums.risk * sums.hazard)[:, None] * columns)
        return second - sums.means.T @ (counts[:, None] * sums.means)

    def deaths_and_at_risk(self) -> tuple[np.ndarray, np.ndarray]:
        """(times,) weights of those with an event, and of those at risk, at every time of an event."""
        return self.per_time(self.weights[self.rows]), self._at_risk(self.weights[:, None])[:, 0]

    def steps(self, jumps: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """Times of events and what the jumps (times,) have summed up to after each, per stratum."""
        bounds = zip(self._time_bounds, self._time_bounds[1:], strict=False)
        return [(self.times[a:b], np.cumsum(jumps[a:b])) for a, b in bounds]

    def _strata(self):
        return zip(self._bounds, self._bounds[1:], strict=False)

    def per_time(self, values: np.ndarray) -> np.ndarray:
        """Values of events (events, ...) summed per time (times, ...)."""
        return np.add.reduceat(values, self._first) if len(values) else values

    def _running(self, order: np.ndarray, values: np.ndarray) -> np.ndarray:
        """(n + 1, k) sums of the donors that come first in their stratum; the last row is 0, for none."""
        out = np.zeros((len(values) + 1, values.shape[1]))
        for a, b in self._strata():
            np.cumsum(values[order[a:b]], axis=0, out=out[a:b])
        return out

    def _at_risk(self, values: np.ndarray) -> np.ndarray:
        """(times, k) sums of values (n, k) over those at risk at every time of an event."""
        out = self._running(self._down, values)[self._there]
        return out if self._late is None else out - self._running(self._late, values)[self._to_come]

    def _ends(self, order: np.ndarray, limit: np.ndarray) -> np.ndarray:
        """(times,) row of the running sum that ends with the last donor whose ``limit`` is not below the time."""
        out = np.full(len(self.times), -1)
        for s, (a, b) in enumerate(self._strata()):
            here = slice(self._time_bounds[s], self._time_bounds[s + 1])
            count = (b - a) - np.searchsorted(limit[order[a:b]][::-1], self.times[here], side="left")
            out[here] = np.where(count > 0, a + count - 1, -1)
        return out

    def _jumps_before(self, limit: np.ndarray | None) -> np.ndarray:
        """(n,) how many times of events of its stratum are not after a donor's ``limit``; none where it is None."""
        out = np.zeros(len(self.stratum), dtype=int)
        for s, (a, b) in enumerate(self._strata()):
            if limit is not None:
                here = self.times[self._time_bounds[s] : self._time_bounds[s + 1]]
                out[self._down[a:b]] = np.searchsorted(here, limit[self._down[a:b]], side="right")
        return out

    def cumulated(self, jumps: np.ndarray) -> np.ndarray:
        """(n, ...) jumps (times, ...) summed over the times at which a donor was at risk."""
        out = np.zeros((len(self.stratum), *jumps.shape[1:]))
        for s, (a, b) in enumerate(self._strata()):
            here, rows = jumps[self._time_bounds[s] : self._time_bounds[s + 1]], self._down[a:b]
            total = np.concatenate([np.zeros_like(jumps[:1]), np.cumsum(here, axis=0)])
            out[rows] = total[self._up_to[rows]] - total[self._from[rows]]
        return out
