"""Points of one dimension: against a number, by level, or by so many levels that only medians fit."""

import numpy as np
import pandas as pd

from mtlbio.report.palette import INK, MUTED
from mtlbio.report.svg import RASTERISE_ABOVE
from mtlbio.report.words import shortened

_CROWDED = 42  # characters in a row from which the names of levels are turned
MOST_LEVELS = 12  # more levels than this are drawn as medians without names


def scatter(axes, frame: pd.DataFrame, dim: str, parts: list) -> None:
    """Draw ``dim`` against the numeric driver: one colour per part, and a smooth line through all points."""
    x, y = frame["driver"].to_numpy(float), frame[dim].to_numpy(float)
    _points(axes, x, y, parts, 11 if len(frame) <= 400 else 5, 0.8)
    if len(np.unique(x)) >= 8:
        axes.plot(*smooth(x, y), color=INK, linewidth=1.6)
    _legend(axes, len(parts))


def _points(axes, x: np.ndarray, y: np.ndarray, parts: list, size: float, alpha: float) -> None:
    style = {"s": size, "alpha": alpha, "linewidths": 0, "rasterized": len(x) > RASTERISE_ABOVE}
    for label, rows, colour in parts:
        axes.scatter(x[rows], y[rows], color=colour, label=label, **style)


def _legend(axes, entries: int) -> None:
    if entries < 2:
        return
    layout = {"handletextpad": 0.1, "columnspacing": 0.9, "borderaxespad": 0.1, "markerscale": 1.5}
    handles, labels = axes.get_legend_handles_labels()
    axes.figure.legend(handles, labels, loc="outside upper right", ncols=min(entries, 4), **layout)


def smooth(x: np.ndarray, y: np.ndarray, span: float = 0.6, points: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Local linear regression with tricube weights (Cleveland 1979), without the robustness rounds.

    From ``x``, ``y`` (n,) to a grid (points,) and fitted values (points,); ``span`` is the share of the points that a
    local fit sees.
    """
    grid = np.linspace(x.min(), x.max(), points)
    distance = np.abs(grid[:, None] - x[None, :])
    reach = np.quantile(distance, span, axis=1, keepdims=True) + 1e-12
    weight = np.clip(1 - (distance / reach) ** 3, 0, None) ** 3
    centred = x[None, :] - grid[:, None]
    s0, s1, s2 = weight.sum(1), (weight * centred).sum(1), (weight * centred**2).sum(1)
    t0, t1 = (weight * y).sum(1), (weight * centred * y).sum(1)
    determinant = s0 * s2 - s1**2
    fitted = np.where(
        determinant > 1e-9 * s0 * s2, (s2 * t0 - s1 * t1) / np.where(determinant > 0, determinant, 1), t0 / s0
    )
    return grid, fitted


def strips(
    axes,
    frame: pd.DataFrame,
    dim: str,
    parts: list,
    accent: str,
    order: tuple[str, ...],
    crowded: int | None = None,
    legend: bool = True,
) -> int:
    """Draw ``dim`` by level of the driver as points and boxes; gives the number of levels.

    ``order`` sorts them; ``crowded``: characters in a row from which their names are turned; ``legend``: of the parts.
    """
    levels = [str(v) for v in frame["driver"].unique()]
    text = frame["driver"].astype(str)
    if len(levels) > MOST_LEVELS:
        _medians(axes, frame[dim], text, accent)
        return len(levels)
    levels = [c for c in order if c in levels] or sorted(levels)
    position = text.map({level: i for i, level in enumerate(levels)}).to_numpy(float)
    jitter = np.random.default_rng([0, len(frame)]).uniform(-0.22, 0.22, len(frame))
    y = frame[dim].to_numpy(float)
    _points(axes, position + jitter, y, parts, 9 if len(frame) <= 400 else 4, 0.75)
    lines = {"boxprops": {"color": MUTED, "linewidth": 0.9}, "whiskerprops": {"color": MUTED, "linewidth": 0.9}}
    lines |= {"medianprops": {"color": INK, "linewidth": 1.6}}
    boxes, hidden = [y[position == i] for i in range(len(levels))], {"showfliers": False, "showcaps": False}
    axes.boxplot(boxes, positions=range(len(levels)), widths=0.62, manage_ticks=False, **hidden, **lines)
    turned = max(map(len, levels)) * len(levels) > (crowded or _CROWDED)
    shown = [shortened(level, 16) for level in levels]
    axes.set_xticks(range(len(levels)), shown, rotation=40 if turned else 0, ha="right" if turned else "center")
    axes.set_xlim(-0.6, len(levels) - 0.4)
    if legend:
        _legend(axes, len(parts))
    return len(levels)


def _medians(axes, values: pd.Series, text: pd.Series, accent: str) -> None:
    """Many levels: a median with its quartiles per level, in order of the median.

    Sorted medians rise even for noise, so the same curve for shuffled levels is drawn beside it.
    """
    quartiles = values.groupby(text).quantile([0.25, 0.5, 0.75]).unstack().sort_values(0.5)
    place = np.arange(len(quartiles))
    axes.plot(place, shuffled_medians(values.to_numpy(), text.to_numpy()), color=MUTED, linewidth=1.2, label="shuffled")
    axes.vlines(place, quartiles[0.25], quartiles[0.75], color=accent, alpha=0.35, linewidth=2)
    axes.scatter(place, quartiles[0.5], s=9, color=accent, linewidths=0, label="median and quartiles")
    axes.set_xticks([])
    axes.set_title(f"{len(quartiles)} levels in order of their medians", fontweight="normal", color=MUTED, fontsize=7.5)
    _legend(axes, 2)


def shuffled_medians(values: np.ndarray, levels: np.ndarray, shuffles: int = 50) -> np.ndarray:
    """What sorted medians (levels,) look like on average when the levels (n,) say nothing about the values (n,)."""
    rng = np.random.default_rng([0, len(values)])
    codes = pd.factorize(levels)[0]
    runs = [np.sort(pd.Series(rng.permutation(values)).groupby(codes).median()) for _ in range(shuffles)]
    return np.mean(runs, axis=0)
