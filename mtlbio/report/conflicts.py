"""Do the tasks pull in the same direction? A picture and a sentence per pair, from ``conflict.tsv``."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mtlbio.kinds.vocabulary import DONORS, Vocabulary
from mtlbio.report.palette import HIGHLIGHT, NEUTRAL
from mtlbio.report.svg import new_figure
from mtlbio.report.words import file_stem, percent

FAINT = 0.1  # median cosine below which the share of steps with a negative one is the sign of a rounding
SEVERAL = 0.5  # share of the networks that an epoch must still have to be drawn or counted


def pairs(table: pd.DataFrame | None) -> dict[str, pd.DataFrame]:
    """Rows of every pair by the stem of its figure, as long as half of the networks train both tasks."""
    out: dict[str, pd.DataFrame] = {}
    if table is None:
        return out
    for (a, b), rows in table.groupby(["task_a", "task_b"], sort=False):
        out[f"conflict_{file_stem(a)}_{file_stem(b)}"] = rows[rows["networks"] >= SEVERAL * rows["networks"].max()]
    return out


def sentence(rows: pd.DataFrame, words: Vocabulary = DONORS) -> str:
    """What a pair's rows say."""
    a, b = rows["task_a"].iloc[0], rows["task_b"].iloc[0]
    cosine = rows["cosine"].median()
    said = f"{a} and {b} pulled the shared part against each other in {percent(_steps(rows))} of the steps"
    if abs(cosine) < FAINT:
        said = f"{a} and {b} hardly touched each other in the shared part"
    said += f" (median cosine {cosine:+.2f})"
    if rows["angle"].notna().any():
        said += f"; the {words.features} they ask for lie {rows['angle'].median():.0f} degrees apart"
    overlap = percent(rows["overlap"].iloc[0])
    if not rows["reliable"].iloc[0]:
        return f"{said}. Only {overlap} of the {words.units} have both labels: this may be noise."
    return f"{said}, seen on {overlap} {words.units} in common."


def _steps(rows: pd.DataFrame) -> float:
    return float(np.average(rows["conflicting"], weights=rows["networks"]))


def conflict_figure(rows: pd.DataFrame, words: Vocabulary = DONORS):
    """Cosine of two tasks' gradients by epoch.

    Returns
    -------
    figure, title, description
    """
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
