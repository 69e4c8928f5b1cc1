"""What weights of the tasks change, and what dimensions and features change: accuracy on one axis of both."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from mtlbio.evaluation.tradeoff.scored import PRESENT
from mtlbio.kinds.vocabulary import Vocabulary
from mtlbio.metrics import metric_named
from mtlbio.report.palette import CLASS_COLOURS, GRID, HIGHLIGHT, INK, MUTED
from mtlbio.report.svg import Drawing, new_figure
from mtlbio.report.words import percent
from mtlbio.text import number

_MARKS = ("o", "s", "^", "D", "v", "P")


def tradeoff_figure(tables: Mapping[str, pd.DataFrame], words: Vocabulary, margin: float) -> Drawing:
    """Left, every task by its weight: what it gains over the present weights, with intervals that hold for all at once,
    over the band of the margin. Right, the mean of the tasks on its way from chance to perfection against the
    dimensions to interpret, a line and a size of mark for each number of features to measure."""
    front, weights, models = tables["front"], tables["preferences"], tables["models"]
    figure = new_figure(10.0, 3.4)
    left, right = figure.subplots(1, 2)
    said = [_weights(left, front, weights, margin), _sizes(right, front, models, words)]
    return figure, "What tasks trade, and what dimensions and features do", " ".join(said)


def _weights(axes, front: pd.DataFrame, weights: pd.DataFrame, margin: float) -> str:
    rows = front[front["point"] != PRESENT].merge(weights, on=["point", "task"])
    axes.axhspan(-margin, margin, color=GRID, alpha=0.6, linewidth=0)
    axes.axhline(0, color=MUTED, linewidth=0.9)
    said, tasks = [], list(rows["task"].unique())
    for k, task in enumerate(tasks):
        colour, mark = CLASS_COLOURS[k % len(CLASS_COLOURS)], _MARKS[k % len(_MARKS)]
        its = rows[(rows["task"] == task) & (rows["serves"] == "weights")].sort_values("weight")
        metric = metric_named(its["metric"].iloc[0]).printed
        x = its["weight"] + 0.006 * (k - (len(tasks) - 1) / 2)
        axes.vlines(x, its["diff_low"], its["diff_high"], color=colour, linewidth=0.8, alpha=0.55)
        axes.plot(x, its["difference"], mark, color=colour, markersize=3.5, label=f"{task} ({metric})")
        tails = rows[(rows["task"] == task) & (rows["serves"] != "weights")]
        for place, row in zip(1.08 + 0.07 * np.arange(len(tails)), tails.itertuples(), strict=True):
            at = place + 0.012 * (k - (len(tasks) - 1) / 2)
            axes.vlines(at, row.diff_low, row.diff_high, color=colour, linewidth=0.8, alpha=0.55)
            axes.plot(at, row.difference, mark, color=colour, markersize=3.5, fillstyle="none")
        said.append(f"{task} {its['difference'].min():+.3f} to {its['difference'].max():+.3f}")
    names = [name.removeprefix("worst ") for name in rows.loc[rows["serves"] != "weights", "point"].unique()]
    axes.set_xticks(
        [0, 0.25, 0.5, 0.75, 1.0, *(1.08 + 0.07 * np.arange(len(names)))],
        ["0", "1/4", "1/2", "3/4", "1", *(f"worst {name}" for name in names)],
    )
    for label in axes.get_xticklabels()[5:]:
        label.set(rotation=90, fontsize=6.5)
    axes.axvline(1.04, color=MUTED, linewidth=0.6)
    axes.set_xlabel("weight of the task in the shared trunk")
    axes.set_ylabel("gain over the present weights")
    axes.set_title("What weights change (band: the margin)")
    axes.legend(loc="upper left", ncols=min(3, len(tasks)), handletextpad=0.2, columnspacing=0.8)
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.18 * (high - low))  # room for the legend
    return f"Gain over the present weights, by weight of the task: {'; '.join(said)}. Band: the margin of {margin:g}."


def _sizes(axes, front: pd.DataFrame, models: pd.DataFrame, words: Vocabulary) -> str:
    columns = ["model", "dims", "features", "price"]
    means = models.groupby(columns, sort=False, dropna=False)["skill"].mean().reset_index()
    run, trunks = means[means["model"] == PRESENT].iloc[0], means[means["model"] != PRESENT]
    sizes = trunks[["features", "price"]].drop_duplicates().sort_values(["price", "features"])
    shades = np.linspace(0.35, 1.0, len(sizes))
    said = []
    for k, ((size, price), shade) in enumerate(zip(sizes.itertuples(index=False), shades, strict=True)):
        same = (trunks["features"] == size) & (trunks["price"].eq(price) | trunks["price"].isna())
        its = trunks[same].sort_values("dims")
        axes.plot(its["dims"], its["skill"], "-", color=HIGHLIGHT, alpha=shade, linewidth=1.1)
        name = f"{int(size):,} {words.features}" + ("" if np.isnan(price) else f" for {number(price)}")
        axes.plot(its["dims"], its["skill"], "o", color=HIGHLIGHT, alpha=shade, markersize=3 + 2 * k, label=name)
        said.append(
            f"{name}: " + ", ".join(f"{int(d)} {percent(s)}" for d, s in zip(its["dims"], its["skill"], strict=True))
        )
    others = front[front["point"] != PRESENT].groupby("point", sort=False)["skill"].mean()
    axes.plot(np.full(len(others), run["dims"]), others, "x", color=MUTED, markersize=4, label="preferences of the run")
    axes.plot(run["dims"], run["skill"], "*", color=INK, markersize=9, label="the run")
    ticks = sorted({*trunks["dims"], run["dims"]})
    axes.set_xscale("log")
    axes.set_xticks(ticks, [f"{int(tick)}" for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel("dimensions to interpret")
    axes.set_ylabel("accuracy (0 chance, 1 perfect)")
    axes.set_title(f"Accuracy, dimensions and {words.features}")
    axes.grid(axis="y")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))  # beside the axes: points may stand anywhere in them
    return (
        f"Mean accuracy on the way from chance to perfection by dimensions of the trunk, {'; '.join(said)}; the run "
        f"with {int(run['dims'])} dimensions {percent(run['skill'])}."
    )
