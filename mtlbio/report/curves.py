"""How training went: loss by epoch, mean and spread over the replicas (folds and seeds)."""

import pandas as pd

from mtlbio.report.palette import HIGHLIGHT, NEUTRAL
from mtlbio.report.svg import Drawing, new_figure
from mtlbio.report.words import MODEL, SINGLE


def curve(history: pd.DataFrame, arm: str, task: str, part: str) -> pd.DataFrame:
    """Mean, 10th and 90th percentile of the loss over replicas by epoch.

    Replicas stop at different epochs; an epoch counts while at least half of them are still running, since the mean
    over the few slowest ones would bend the curve. Index epoch, columns mean, low, high, replicas.
    """
    rows = history[(history["arm"] == arm) & (history["task"] == task) & (history["part"] == part)]
    by_epoch = rows.groupby("epoch")["loss"]
    columns = {"mean": by_epoch.mean(), "low": by_epoch.quantile(0.1), "high": by_epoch.quantile(0.9)}
    table = pd.DataFrame(columns | {"replicas": by_epoch.count()})
    return table[table["replicas"] * 2 >= table["replicas"].max()]


def training_figure(history: pd.DataFrame, task: str) -> Drawing:
    """Validation loss of both arms and training loss of the multi-task arm."""
    figure = new_figure(3.6, 2.3)
    axes = figure.subplots()
    replicas = 0
    for arm, part, colour, line, label in (
        (SINGLE, "validation", NEUTRAL, "-", "single-task, validation"),
        (MODEL, "train", HIGHLIGHT, (0, (3, 2)), "multi-task, training"),
        (MODEL, "validation", HIGHLIGHT, "-", "multi-task, validation"),
    ):
        data = curve(history, arm, task, part)
        if not len(data):
            continue
        replicas = max(replicas, int(data["replicas"].max()))
        if part == "validation":
            axes.fill_between(data.index, data["low"], data["high"], color=colour, alpha=0.16, linewidth=0)
        axes.plot(data.index, data["mean"], color=colour, linestyle=line, linewidth=1.5, label=label)
    axes.set_xlabel("epoch")
    axes.set_ylabel(f"loss, {task}")
    axes.grid(axis="y")
    axes.legend(loc="upper right")
    return figure, f"Training: {task}", f"Loss by epoch for {task}, mean and 10 to 90 % band of {replicas} replicas."
