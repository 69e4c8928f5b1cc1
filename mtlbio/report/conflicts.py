"""Do the tasks pull in the same direction? A picture and a sentence per pair, from ``conflict.tsv``."""

import numpy as np
import pandas as pd

from mtlbio.kinds.vocabulary import DONORS, Vocabulary
from mtlbio.report.palette import HIGHLIGHT, NEUTRAL
from mtlbio.report.svg import Drawing, new_figure
from mtlbio.report.words import file_stem, percent

FAINT = 0.1  # median cosine below which the share of steps with a negative one is the sign of a rounding
SEVERAL = 0.5  # share of the networks that an epoch must still have to be drawn or counted


def pairs(table: pd.DataFrame | None) -> dict[str, pd.DataFrame]:
    """Rows of every pair by the stem of its figure, as long as half of the networks train both tasks."""
    groups = () if table is None else table.groupby(["task_a", "task_b"], sort=False)
    return {
        f"conflict_{file_stem(a)}_{file_stem(b)}": rows[rows["networks"] >= SEVERAL * rows["networks"].max()]
        for (a, b), rows in groups
    }


def sentence(rows: pd.DataFrame, words: Vocabulary = DONORS) -> str:
    """What a pair's rows say."""
    a, b = rows["task_a"].iloc[0], rows["task_b"].iloc[0]
    cosine = rows["cosine"].median()
    steps = percent(np.average(rows["conflicting"], weights=rows["networks"]))
    text = f"{a} and {b} pulled the shared part against each other in {steps} of the steps"
    if abs(cosine) < FAINT:
        text = f"{a} and {b} hardly touched each other in the shared part"
    text += f" (median cosine {cosine:+.2f})"
    if rows["angle"].notna().any():
        text += f"; the {words.features} they ask for lie {rows['angle'].median():.0f} degrees apart"
    overlap = percent(rows["overlap"].iloc[0])
    if not rows["reliable"].iloc[0]:
        return f"{text}. Only {overlap} of the {words.units} have both labels: this may be noise."
    return f"{text}, seen on {overlap} {words.units} in common."


def conflict_figure(rows: pd.DataFrame, words: Vocabulary = DONORS) -> Drawing:
    """Cosine of two tasks' gradients by epoch."""
    a, b = rows["task_a"].iloc[0], rows["task_b"].iloc[0]
    figure = new_figure(3.6, 2.3)
    axes = figure.subplots()
    colour = HIGHLIGHT if rows["reliable"].iloc[0] else NEUTRAL
    axes.axhline(0, color=NEUTRAL, linewidth=0.8)
    axes.fill_between(rows["epoch"], rows["cosine_low"], rows["cosine_high"], color=colour, alpha=0.16, linewidth=0)
    axes.plot(rows["epoch"], rows["cosine"], color=colour, linewidth=1.5)
    axes.set_ylim(-1.05, 1.05)
    axes.set_xlabel("epoch")
    axes.set_ylabel("cosine of the gradients")
    axes.grid(axis="y")
    return figure, f"Gradients of {a} and {b}", sentence(rows, words)
