"""A time to an event by a dimension: Kaplan-Meier curves of its thirds, with who was still at risk below them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mtlbio.labels.risk_sets import RiskSets
from mtlbio.report.effect_words import effect_in_words
from mtlbio.report.inputs import Inputs
from mtlbio.report.palette import INK, MUTED, NEUTRAL, VERDICTS

THIRDS = ("lowest third", "middle third", "highest third")
_TICKS = 4  # times at which those at risk are counted, besides the beginning
_SHORT = ("low", "mid", "high")


@dataclass(frozen=True)
class Curve:
    """Kaplan & Meier 1958, J. Am. Stat. Assoc. 53:457: who is left after every time of an event.

    Attributes
    ----------
    times, left : (events + 1,) from time 0 on, where all are left
    last : until when anybody is followed
    """

    times: np.ndarray
    left: np.ndarray
    last: float


def kaplan_meier(time: np.ndarray, event: np.ndarray, entry: np.ndarray) -> Curve:
    """The curve of donors (n,); ``entry``: since when each is followed, -inf from the beginning.

    Examples
    --------
    >>> import numpy as np
    >>> curve = kaplan_meier(np.array([1.0, 2, 3, 4]), np.array([True, False, True, True]), np.full(4, -np.inf))
    >>> curve.times.tolist(), curve.left.tolist()
    ([0.0, 1.0, 3.0, 4.0], [1.0, 0.75, 0.375, 0.0])
    """
    sets = RiskSets(time, event, entry, np.zeros(len(time), dtype=int), np.ones(len(time)))
    deaths, at_risk = sets.deaths_and_at_risk()
    left = np.cumprod(1 - deaths / np.maximum(at_risk, 1))
    return Curve(np.append(0.0, sets.times), np.append(1.0, left), float(time.max(initial=0.0)))


def at_risk(time: np.ndarray, entry: np.ndarray, at: np.ndarray) -> np.ndarray:
    """(k,) how many are followed at the times ``at`` (k,); who enters at 0 is."""
    there = (time[None, :] >= at[:, None]) & ((entry[None, :] < at[:, None]) | (entry[None, :] <= 0))
    return there.sum(axis=1)


def thirds(values: np.ndarray) -> np.ndarray:
    """(n,) 0, 1, 2: the third that a value lies in; equal values stay together."""
    edges = np.quantile(values, [1 / 3, 2 / 3])
    return (values > edges[0]).astype(int) + (values > edges[1])


def by_follow_up(inputs: Inputs, dim: str, task: str, axes, narrow: bool = False) -> tuple[str, str]:
    """Curves of the donors with the lowest, middle and highest values of ``dim``, not adjusted; the adjusted hazard
    ratio above them."""
    trial = inputs.kind.part("report", "trial")(inputs)
    units, label = trial.task_units(task), trial.tasks[task]
    time, event, entry, _ = label.follow_up(units.y)
    group = thirds(units.mean(trial.z)[:, trial.dims.index(dim)])
    accent, end = VERDICTS[inputs.verdicts.at[dim, "verdict"]].colour, float(time.max())
    ticks = _round_times(end)
    told = []
    for third, colour, style in zip(range(3), (NEUTRAL, MUTED, accent), ("-", (0, (4, 1.5)), "-"), strict=True):
        own = group == third
        if not own.any():
            continue
        curve = kaplan_meier(time[own], event[own], entry[own])
        until = max(curve.last, curve.times[-1])
        steps = np.append(curve.times, until), np.append(curve.left, curve.left[-1])
        axes.step(*steps, where="post", color=colour, linestyle=style, linewidth=1.5, label=THIRDS[third])
        row = -0.30 - 0.095 * third
        counts = at_risk(time[own], entry[own], ticks)
        for at, count in zip(ticks, counts, strict=True):
            place = {"transform": axes.get_xaxis_transform(), "ha": "center", "va": "top", "fontsize": 6.5}
            axes.text(at, row, str(count), color=colour if third != 1 else INK, **place)
        beside = {"transform": axes.transAxes, "ha": "right", "va": "top", "fontsize": 6.5, "color": MUTED}
        axes.text(-0.06, row, _SHORT[third], **beside)
        told.append(f"{THIRDS[third]}: {own.sum()} followed, {int(event[own].sum())} {label.counts}")
    axes.set(xlim=(0, end), ylim=(0, 1.02), xticks=ticks)
    unit = f" ({label.unit})" if label.unit else ""
    axes.set_xlabel(f"{task}{unit}; below: at risk")
    axes.set_ylabel("share without event" if narrow else "share of the donors without the event")
    axes.legend(loc="lower left", fontsize=6.5, handlelength=1.6, borderaxespad=0.1, labelspacing=0.2)
    effect = effect_in_words(inputs, dim, task)
    axes.set_title(effect, fontweight="normal", color=MUTED, fontsize=7.5)
    return f"{task} by thirds of {dim}", f"Kaplan-Meier curves, not adjusted. {'; '.join(told)}. Adjusted: {effect}."


def _round_times(end: float) -> np.ndarray:
    """The beginning and up to four round times until the end."""
    rough = end / _TICKS
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 3, 5, 6, 10) if power * factor >= rough * 0.999)
    return np.arange(0, end * 1.0001, step)
