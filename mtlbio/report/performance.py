"""The model beside its baselines on held-out donors: one panel per task."""

import pandas as pd

from mtlbio.kinds.vocabulary import DONORS, Vocabulary
from mtlbio.metrics import metric_named
from mtlbio.report.palette import HIGHLIGHT, MUTED
from mtlbio.report.svg import Drawing, list_rows, new_figure
from mtlbio.report.words import COVARIATES, MODEL, SINGLE, arm_label, interval


def performance_rows(metrics: pd.DataFrame, task: str, metric: str) -> pd.DataFrame:
    """Arms of one task: the model first, the covariates last, the others by value; index arm."""
    rows = metrics[(metrics["task"] == task) & (metrics["metric"] == metric)].drop_duplicates("arm").set_index("arm")
    place, values = {MODEL: 0, SINGLE: 1, COVARIATES: 3}, rows["value"].fillna(-9)
    return rows.loc[sorted(rows.index, key=lambda arm: (place.get(arm, 2), -values[arm]))]


def performance_figure(rows: pd.DataFrame, task: str, metric: str, words: Vocabulary = DONORS) -> Drawing:
    """Value with interval per arm, and the line of chance."""
    figure = new_figure(4.2, 0.75 + 0.25 * len(rows))
    axes = figure.subplots()
    printed, chance = metric_named(metric).printed, metric_named(metric).chance
    if chance is not None:
        axes.axvline(chance, color=MUTED, linewidth=0.9, linestyle=(0, (2, 2)))
    for i, (arm, row) in enumerate(rows.iterrows()):
        strong = arm == MODEL
        colour = HIGHLIGHT if strong else MUTED
        axes.plot([row["ci_low"], row["ci_high"]], [i, i], color=colour, linewidth=2.4 if strong else 1.3)
        axes.plot([row["value"]], [i], "o", color=colour, markersize=6.5 if strong else 4.5)
    labels = [arm_label(arm, words) for arm in rows.index]
    list_rows(axes, labels)
    for tick, arm in zip(axes.get_yticklabels(), rows.index, strict=True):
        tick.set_fontweight("bold" if arm == MODEL else "normal")
    axes.set_xlabel(printed + (" (dotted: chance)" if chance is not None else ""))
    intervals = [interval(r["value"], r["ci_low"], r["ci_high"]) for _, r in rows.iterrows()]
    shown = "; ".join(f"{label} {text}" for label, text in zip(labels, intervals, strict=True))
    return figure, f"Held-out performance: {task}", f"{printed} with interval: {shown}."
