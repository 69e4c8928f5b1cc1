"""What is lost when a dimension is taken out: one forest plot per task."""

import pandas as pd

from mtlbio.probing.columns import column_of
from mtlbio.report.palette import GRID, INK, MUTED, VERDICTS
from mtlbio.report.svg import Drawing, list_rows, new_figure

MOST_ROWS = 20
_SHAPE = {"harmful": "D", "harmless": "o", "inconclusive": "|"}


def forest_rows(verdicts: pd.DataFrame, task: str) -> pd.DataFrame:
    """Dimensions whose removal was tested on ``task``, the largest losses first, at most ``MOST_ROWS``.

    Index dim, columns verdict, delta, low, high, call.
    """
    names = {"delta": "delta", "delta_ci_low": "low", "delta_ci_high": "high", "removal": "call"}
    names = {column_of(family, task): name for family, name in names.items()}
    if any(c not in verdicts for c in names):
        return pd.DataFrame(columns=["verdict", "delta", "low", "high", "call"])
    rows = verdicts[["verdict", *names]].rename(columns=names).dropna(subset=["delta"])
    return rows.sort_values("delta", ascending=False, kind="stable").head(MOST_ROWS)


def forest_figure(rows: pd.DataFrame, task: str, metric: str, margin: float) -> Drawing:
    """Loss of the task's metric with its interval per dimension, and the margin of harmlessness."""
    figure = new_figure(4.2, 1.0 + 0.21 * len(rows))
    axes = figure.subplots()
    axes.axvspan(-margin, margin, color=GRID, alpha=0.5, linewidth=0)
    axes.axvline(0, color=MUTED, linewidth=0.8)
    axes.axvline(margin, color=INK, linewidth=0.9, linestyle=(0, (4, 2)))
    for i, row in enumerate(rows.itertuples()):
        colour = VERDICTS[row.verdict].colour
        axes.plot([row.low, row.high], [i, i], color=colour, linewidth=1.4, solid_capstyle="butt")
        axes.plot([row.delta], [i], _SHAPE.get(row.call, "|"), color=colour, markersize=5.5, markeredgewidth=1.6)
    list_rows(axes, [f"{VERDICTS[v].mark} {d}" for d, v in rows["verdict"].items()])
    for tick, verdict in zip(axes.get_yticklabels(), rows["verdict"], strict=True):
        tick.set_color(VERDICTS[verdict].colour)
    axes.set_xlabel(f"loss of {metric} without the dimension (dashed: margin {margin:g})")
    calls = ", ".join(f"{n} {call}" for call, n in rows["call"].value_counts().items())
    return figure, f"Taking dimensions out: {task}", f"Forest plot of {len(rows)} dimensions for {task}: {calls}."
