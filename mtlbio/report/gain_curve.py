"""What sharing adds with few labels: both networks, the gain, and bias and variance, over the labelled donors."""

import pandas as pd

from mtlbio.kinds.vocabulary import DONORS, Vocabulary
from mtlbio.metrics import metric_named
from mtlbio.report.palette import HIGHLIGHT, MUTED, NEUTRAL
from mtlbio.report.svg import Drawing, new_figure
from mtlbio.report.words import interval

# arm, colour, width, shift of its bars, name: the wide line stays visible under the narrow one
_ARMS = (("singletask", NEUTRAL, 3.6, 0.97, "alone"), ("multitask", HIGHLIGHT, 1.3, 1.03, "all tasks together"))


def gain_figure(table: pd.DataFrame, words: Vocabulary = DONORS) -> Drawing:
    """One row of panels per task of ``curve.tsv``."""
    tasks = list(dict.fromkeys(table["task"]))
    figure = new_figure(8.6, 2.7 * len(tasks))
    described = []
    for panels, task in zip(figure.subplots(len(tasks), 3, squeeze=False), tasks, strict=True):
        rows = table[table["task"] == task].sort_values("donors")
        name = metric_named(rows["metric"].iloc[0]).printed
        _arms(panels[0], rows, f"held-out {name}")
        _gain(panels[1], rows, name)
        _parts(panels[2], rows)
        for panel, heading in zip(panels, (task, "gain from sharing", "bias and variance"), strict=True):
            panel.set_title(heading)
            panel.set_xscale("log")
            panel.set_xticks(rows["donors"], [f"{n:g}" for n in rows["donors"]])
            panel.minorticks_off()
            panel.set_xlim(0.88 * rows["donors"].min(), 1.14 * rows["donors"].max())
            panel.set_xlabel(f"{words.units} with a label of {task}")
            panel.grid(axis="y")
        gains = (f"{r.donors} {words.units} {interval(r.gain, r.ci_low, r.ci_high, 3)}" for r in rows.itertuples())
        described.append(f"{task}: gain of {name} with " + ", ".join(gains))
    return figure, f"Learning curve: {', '.join(tasks)}", "; ".join(described) + "."


def _arms(panel, rows: pd.DataFrame, label: str) -> None:
    for arm, colour, width, shift, name in _ARMS:
        panel.plot(rows["donors"], rows[arm], color=colour, linewidth=width, label=name)
        low, high = rows[f"ci_low_{arm}"], rows[f"ci_high_{arm}"]
        panel.vlines(shift * rows["donors"], low, high, color=colour, linewidth=1.1)
    panel.set_ylabel(label)
    low, high = panel.get_ylim()
    panel.set_ylim(low, high + 0.25 * (high - low))  # room for the legend
    panel.legend(loc="upper left")


def _gain(panel, rows: pd.DataFrame, name: str) -> None:
    panel.axhline(0, color=MUTED, linewidth=0.9, linestyle=(0, (2, 2)))
    panel.vlines(rows["donors"], rows["ci_low"], rows["ci_high"], color=HIGHLIGHT, linewidth=1.6)
    panel.plot(rows["donors"], rows["gain"], "o-", color=HIGHLIGHT, markersize=5, linewidth=1.3)
    panel.set_ylabel(f"difference of {name}")


def _parts(panel, rows: pd.DataFrame) -> None:
    for arm, colour, width, _, name in _ARMS:
        for part, line in (("bias", "-"), ("variance", (0, (3, 2)))):
            style = {"linestyle": line, "color": colour, "linewidth": width, "label": f"{part}, {name}"}
            panel.plot(rows["donors"], rows[f"{part}_{arm}"], **style)
    panel.set_ylim(bottom=0)
    panel.set_ylabel("per variance of the labels")
    panel.legend(loc="best")
