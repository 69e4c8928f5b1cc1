"""Performance against the size of a panel: a picture per task."""

import pandas as pd

from mtlbio.kinds.vocabulary import Vocabulary
from mtlbio.metrics import metric_named
from mtlbio.report.palette import GRID, HIGHLIGHT, MUTED, NEUTRAL
from mtlbio.report.svg import Drawing, new_figure
from mtlbio.report.words import interval

_KINDS = (("shared", HIGHLIGHT, 0.98, "for all tasks"), ("own", NEUTRAL, 1.02, "for this task"))


def front_figure(front: pd.DataFrame, task: str, words: Vocabulary) -> Drawing:
    """The rows of a task of ``panel/front.tsv``: shared and own panels over the line of all features."""
    rows = front[front["task"] == task]
    whole, metric = rows[rows["panel"] == "all"].iloc[0], metric_named(rows["metric"].iloc[0]).printed
    priced = rows["price"].notna().any()
    across = "price" if priced else "size"
    figure = new_figure(4.4, 2.9)
    axes = figure.subplots()
    axes.axhspan(whole["ci_low"], whole["ci_high"], color=GRID, alpha=0.5, linewidth=0)
    axes.axhline(whole["value"], color=MUTED, linewidth=0.9, linestyle=(0, (4, 2)))
    said = [f"all {words.features} {interval(whole['value'], whole['ci_low'], whole['ci_high'])}"]
    for kind, colour, shift, name in _KINDS:
        its = rows[rows["panel"] == kind]
        if its.empty:
            continue
        x = shift * its[across]
        axes.vlines(x, its["ci_low"], its["ci_high"], color=colour, linewidth=1.1)
        axes.plot(x, its["value"], "o-", color=colour, markersize=4, linewidth=1.3, label=name)
        chosen = its[its["chosen"] == "yes"]
        axes.plot(shift * chosen[across], chosen["value"], "o", color=colour, markersize=9, fillstyle="none")
        said += [
            f"{name} {row[across]:g}: {interval(row['value'], row['ci_low'], row['ci_high'])}"
            for _, row in its.iterrows()
        ]
    ticks = rows.loc[rows["panel"] == "shared", across]
    axes.set_xscale("log")
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel(f"{'price of' if priced else words.features + ' in'} the panel (circle: the smallest that does)")
    axes.set_ylabel(f"held-out {metric}")
    axes.set_title(task)
    axes.grid(axis="y")
    axes.legend(loc="lower right")
    return figure, f"Smaller panels for {task}", f"{metric} of {'; '.join(said)}. Dashed: all {words.features}."
