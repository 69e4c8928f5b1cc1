"""The panels of a card: a dimension by a task after adjustment, against what drives it, and its distribution."""

from __future__ import annotations

import textwrap
from typing import Protocol

import numpy as np
import pandas as pd

from mtlbio.report.adjusted import Adjusted
from mtlbio.report.clouds import scatter, strips
from mtlbio.report.effect_words import effect_in_words
from mtlbio.report.grouping import Part, grouping, parts_of
from mtlbio.report.inputs import Inputs
from mtlbio.report.of_units import frame_of
from mtlbio.report.palette import MUTED, VERDICTS
from mtlbio.report.words import shortened
from mtlbio.text import number

_WIDTH, _NARROW = 52, 25  # characters below a panel, alone and one of two
_QUIET = {"fontweight": "normal", "color": MUTED, "fontsize": 7.5}


class Panel(Protocol):
    """Draws itself; gives its title and its description in words."""

    def __call__(self, axes, narrow: bool) -> tuple[str, str]: ...


def by_adjusted_task(
    inputs: Inputs, dim: str, task: str, look: Adjusted, axes, narrow: bool = False
) -> tuple[str, str]:
    """``dim`` by a task with the covariates held fixed."""
    info, words = inputs.cohort.tasks[task], inputs.words
    accent = VERDICTS[inputs.verdicts.at[dim, "verdict"]].colour
    frame = pd.DataFrame({dim: look.values[dim], "driver": look.label})
    counted = f"{look.donors:,} {words.unit if look.donors == 1 else words.units}"
    parts: list[Part] = [("", np.ones(len(frame), bool), accent)]
    if info.classes:
        frame["driver"] = np.asarray(info.classes, dtype=object)[frame["driver"].astype(int)]
        parts = parts_of(inputs, frame.assign(**{task: frame["driver"]}), task, accent)
        strips(axes, frame, dim, parts, accent, tuple(info.classes), crowded=_NARROW if narrow else None, legend=False)
    else:
        scatter(axes, frame, dim, parts)
    held = "covariates held fixed" if look.terms else "no covariates"
    compared = f", within {words.units}" if look.within else ""
    axes.set_xlabel(wrapped(f"{task}{compared}", narrow) + f"\n{counted}")
    axes.set_ylabel(f"{dim}, {held} (SD)")
    effect = effect_in_words(inputs, dim, task)
    axes.set_title(effect, **_QUIET)
    fixed = f"held fixed: {', '.join(look.terms)}" if look.terms else "no covariates were recorded"
    return f"{dim} by {task} after adjustment", f"{task}: {effect}; {counted}{compared}; {fixed}."


def by_driver(inputs: Inputs, dim: str, driver: str, axes, narrow: bool = False) -> tuple[str, str]:
    """``dim`` as it is against a covariate, a task, a feature or the score of a gene set."""
    row, words = inputs.verdicts.loc[dim], inputs.words
    frame, points = frame_of(inputs, dim, driver)
    group = grouping(inputs, row, driver, frame)
    accent = VERDICTS[row["verdict"]].colour
    name, parts = inputs.spoken(driver), parts_of(inputs, frame, group, accent)
    axes.set_xlabel(wrapped(name, narrow))
    axes.set_ylabel(dim if narrow else f"{dim}, {inputs.whose}")
    if pd.api.types.is_numeric_dtype(frame["driver"]):
        title = f"{dim} against {name}"
        if driver in inputs.members:
            title = f"{dim} against the score of {name}"
            axes.set_xlabel(f"{wrapped(name, narrow)}\nmean z-score of its {words.features}")
        scatter(axes, frame, dim, parts)
        note = f"Pearson r {frame['driver'].corr(frame[dim]):.2f} over {len(frame)} {points}"
        axes.set_title(f"r {number(frame['driver'].corr(frame[dim]))}" if narrow else note, **_QUIET)
        return title, f"Scatter plot: {note}" + (f", coloured by {group}." if group else ".")
    task = inputs.cohort.tasks.get(driver)
    order = tuple(task.classes) if task is not None else ()
    if driver in inputs.features and driver not in inputs.obs:  # genotypes in the order of what they do
        order = tuple(frame.groupby("driver")[dim].mean().sort_values().index)
    levels = strips(axes, frame, dim, parts, accent, order, crowded=_NARROW if narrow else None)
    described = f"{levels} levels of {name}, {len(frame)} {points}; boxes are quartiles, lines medians."
    return f"{dim} by {name}", described


def distribution(inputs: Inputs, dim: str, axes, narrow: bool = False) -> tuple[str, str]:
    """A histogram, where there is nothing to draw against."""
    frame, points = frame_of(inputs, dim, None)
    axes.hist(frame[dim], bins=30, color=VERDICTS[inputs.verdicts.at[dim, "verdict"]].colour, alpha=0.7)
    axes.set(xlabel=f"{dim}, {inputs.whose}", ylabel=f"number of {points}")
    return f"Distribution of {dim}", f"Histogram of {dim} over {len(frame)} {points}."


def wrapped(name: str, narrow: bool) -> str:
    """A name on at most two lines below a panel."""
    lines = textwrap.wrap(name, _NARROW if narrow else _WIDTH) or [name]
    return "\n".join(lines[:1] + [shortened(" ".join(lines[1:]), _NARROW if narrow else _WIDTH)] * (len(lines) > 1))
