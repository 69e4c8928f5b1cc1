"""The picture of one dimension: what its verdict claims."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pandas as pd

from mtlbio.probing.columns import column_of
from mtlbio.report.adjusted import Adjusted, adjusted, linked_task
from mtlbio.report.clouds import MOST_LEVELS
from mtlbio.report.follow_up import by_follow_up
from mtlbio.report.inputs import Inputs
from mtlbio.report.panels import Panel, by_adjusted_task, by_driver, distribution
from mtlbio.report.svg import Drawing, new_figure
from mtlbio.text import known

CARD_SIZE = 3.9, 2.75  # inches
Looks = Callable[[str], "Adjusted | None"]


def card_figure(inputs: Inputs, dim: str, looks: Looks | None = None) -> Drawing:
    """What the verdict on ``dim`` claims, in one panel or two.

    - ``biology``: the dimension by its task after adjustment, beside what names it;
    - ``mixed``: the same, beside the covariate with the largest share;
    - ``technical``, ``confounder``, ``not_identifiable``: against the covariate, not adjusted;
    - ``underpowered``, ``unused``: by the task that it comes nearest to, after adjustment.

    ``looks``: task -> :func:`mtlbio.report.adjusted.adjusted`, so that a page asks once per task.
    """
    panels = panels_of(inputs, dim, looks)
    figure = new_figure(*CARD_SIZE)
    drawn = figure.subplots(1, len(panels), squeeze=False)[0]
    told = [panel(axes, narrow=len(panels) > 1) for axes, panel in zip(drawn, panels, strict=True)]
    titles, descriptions = zip(*told, strict=True)
    return figure, "; ".join(titles), " ".join(descriptions)


def panels_of(inputs: Inputs, dim: str, looks: Looks | None = None) -> list[Panel]:
    """The panels of a card, the claim first; ``looks`` as of :func:`card_figure`."""
    return [panel for panel in _panels(inputs, dim, looks or partial(adjusted, inputs)) if panel is not None]


def _panels(inputs: Inputs, dim: str, looks: Looks) -> list[Panel | None]:
    row = inputs.verdicts.loc[dim]
    driver, verdict = drawable(inputs, row), row["verdict"]
    task = linked_task(inputs, row)
    by_task: Panel | None = None
    claims_a_task = verdict not in ("technical", "confounder", "not_identifiable") and not known(row.get("held_fixed"))
    if claims_a_task and task is not None and inputs.cohort.tasks[task].counts:
        by_task = partial(by_follow_up, inputs, dim, task)
    elif claims_a_task and task is not None and (look := looks(task)) is not None:
        by_task = partial(by_adjusted_task, inputs, dim, task, look)
    if by_task is not None and verdict == "mixed":
        driver = _largest_share(inputs, row)
    if by_task is not None and (driver == task or verdict in ("underpowered", "unused")):
        return [by_task]
    if driver is None:
        return [by_task or partial(distribution, inputs, dim)]
    return [by_task, partial(by_driver, inputs, dim, driver)]


def drawable(inputs: Inputs, row: pd.Series) -> str | None:
    """The driver if there is something to draw against, else the task or covariate that comes nearest to one."""
    driver = row["driver"]
    if known(driver) and (driver in inputs.obs.columns or driver in inputs.members or driver in inputs.features):
        return driver
    values = sizes(row, "share", inputs.covariates)
    if row["verdict"] in ("biology", "mixed") or not inputs.covariates:
        values = sizes(row, "effect", inputs.tasks) or values
    # a factor of many levels wins by counting: only where nothing else is there
    few = {name: value for name, value in values.items() if not _crowded(inputs.obs[name])}
    values = few or values
    return max(values, key=lambda name: values[name], default=None)


def sizes(row: pd.Series, family: str, names: list[str]) -> dict[str, float]:
    """Size of the share of every covariate, or of the adjusted effect on every task, that has one."""
    values = {name: row.get(column_of(family, name)) for name in names}
    return {name: abs(value) for name, value in values.items() if known(value)}


def _largest_share(inputs: Inputs, row: pd.Series) -> str | None:
    shares = sizes(row, "share", inputs.covariates)
    return max(shares, key=lambda name: shares[name], default=None)


def _crowded(column: pd.Series) -> bool:
    return not pd.api.types.is_numeric_dtype(column) and column.nunique() > MOST_LEVELS
