"""The picture of one dimension: the latent against what drives it."""

import numpy as np
import pandas as pd

from mtlbio.probing.columns import column_of
from mtlbio.probing.enrichment import set_scores
from mtlbio.report.clouds import MOST_LEVELS, scatter, strips
from mtlbio.report.inputs import Inputs
from mtlbio.report.palette import CLASS_COLOURS, FAINT, MUTED, NEUTRAL, VERDICTS
from mtlbio.report.svg import Drawing, new_figure
from mtlbio.text import known


def card_figure(inputs: Inputs, dim: str) -> Drawing:
    """Latent ``dim`` against its driver."""
    row = inputs.verdicts.loc[dim]
    driver = _drawable(inputs, row)
    frame, points = _frame(inputs, dim, driver)
    group = _grouping(inputs, row, driver, frame)
    accent = VERDICTS[row["verdict"]].colour
    figure = new_figure(3.9, 2.75)
    axes = figure.subplots()
    held_out = f"{dim}, held-out {inputs.words.units}"
    if driver is None:
        axes.hist(frame[dim], bins=30, color=accent, alpha=0.7)
        axes.set(xlabel=held_out, ylabel=f"number of {points}")
        return figure, f"Distribution of {dim}", f"Histogram of {dim} over {len(frame)} {points}."
    name, parts = inputs.spoken(driver), _parts(inputs, frame, group, accent)
    axes.set(xlabel=name, ylabel=held_out)
    if pd.api.types.is_numeric_dtype(frame["driver"]):
        title = f"{dim} against {name}"
        if driver in inputs.members:
            title = f"{dim} against the score of {name}"
            axes.set_xlabel(f"{name}\nmean z-score of its {inputs.words.features}")
        scatter(axes, frame, dim, parts)
        note = f"Pearson r {frame['driver'].corr(frame[dim]):.2f} over {len(frame)} {points}"
        axes.set_title(note, fontweight="normal", color=MUTED, fontsize=7.5)
        return figure, title, f"Scatter plot: {note}" + (f", coloured by {group}." if group else ".")
    task = inputs.cohort.tasks.get(driver)
    order = task.classes if task is not None else ()
    if driver in inputs.features and driver not in inputs.obs:  # genotypes in the order of what they do
        order = tuple(frame.groupby("driver")[dim].mean().sort_values().index)
    levels = strips(axes, frame, dim, parts, accent, order)
    described = f"{levels} levels of {name}, {len(frame)} {points}; boxes are quartiles, lines medians."
    return figure, f"{dim} by {name}", described


def _drawable(inputs: Inputs, row: pd.Series) -> str | None:
    """The driver if there is something to draw against, else the task or covariate that comes nearest to one."""
    driver = row["driver"]
    if known(driver) and (driver in inputs.obs.columns or driver in inputs.members or driver in inputs.features):
        return driver
    values = _sizes(row, "share", inputs.covariates)
    if row["verdict"] in ("biology", "mixed") or not inputs.covariates:
        values = _sizes(row, "effect", inputs.tasks) or values
    # a factor of many levels wins by counting: only where nothing else is there
    few = {name: value for name, value in values.items() if not _crowded(inputs.obs[name])}
    values = few or values
    return max(values, key=lambda name: values[name], default=None)


def _sizes(row: pd.Series, family: str, names: list[str]) -> dict[str, float]:
    """Size of the share of every covariate, or of the adjusted effect on every task, that has one."""
    values = {name: row.get(column_of(family, name)) for name in names}
    return {name: abs(value) for name, value in values.items() if known(value)}


def _crowded(column: pd.Series) -> bool:
    return not pd.api.types.is_numeric_dtype(column) and column.nunique() > MOST_LEVELS


def _frame(inputs: Inputs, dim: str, driver: str | None) -> tuple[pd.DataFrame, str]:
    """Latent, driver and labels: one row per donor where the driver belongs to the donor, else per sample; and what a
    row is, in the run's words."""
    frame = pd.DataFrame({dim: inputs.latents[dim], "donor": inputs.obs["donor"].astype(str)})
    columns = [*inputs.tasks, *inputs.covariates, *([driver] if driver in inputs.obs.columns else [])]
    for name in dict.fromkeys(columns):
        column = inputs.obs[name]
        frame[name] = column.astype(float if pd.api.types.is_numeric_dtype(column) else object)
    of_donor = driver is None or driver in inputs.members  # a programme is judged per donor, like the trial does
    if driver in inputs.members:
        frame["driver"] = set_score(inputs, inputs.members[driver])
    elif driver is not None and driver not in frame:
        values = inputs.cohort.coding.decode(inputs.cohort.expression, driver)
        frame["driver"] = pd.Series(values, index=inputs.cohort.samples).reindex(frame.index)
    elif driver is not None:
        frame["driver"] = frame[driver]
    if driver is not None:
        of_donor = of_donor or (frame.groupby("donor")["driver"].nunique() <= 1).all()
        frame = frame[frame["driver"].notna()]
    if frame["donor"].is_unique:
        return frame, inputs.words.units
    if not of_donor:
        return frame, inputs.words.samples
    means = {dim, "driver"} if driver in inputs.members else {dim}
    how = {column: "mean" if column in means else "first" for column in frame if column != "donor"}
    return frame.groupby("donor", sort=True).agg(how).reset_index(), inputs.words.units


def set_score(inputs: Inputs, genes: list[str]) -> pd.Series:
    """Mean z-score of a set's genes per sample (samples,)."""
    present = set(inputs.cohort.genes)
    scores = set_scores(inputs.cohort, {"": [gene for gene in genes if gene in present]})[:, 0]
    return pd.Series(scores, index=inputs.cohort.samples).reindex(inputs.latents.index)


def _grouping(inputs: Inputs, row: pd.Series, driver: str | None, frame: pd.DataFrame) -> str | None:
    """The class label to colour by: mostly known, never the driver itself, and the one with the largest effect."""
    tasks = [
        t
        for t, info in inputs.cohort.tasks.items()
        if info.classes and t != driver and frame[t].notna().mean() > 0.7 and 2 <= frame[t].nunique() <= 6
    ]
    effects = _sizes(row, "effect", tasks)
    return max(tasks, key=lambda task: effects.get(task, -1.0), default=None)


def _parts(inputs: Inputs, frame: pd.DataFrame, group: str | None, accent: str) -> list[tuple[str, np.ndarray, str]]:
    """(label, rows, colour) per class of the grouping label; the first class stays neutral, unlabelled is faint."""
    if group is None:
        return [("", np.ones(len(frame), bool), accent)]
    labels = frame[group]
    classes = [c for c in inputs.cohort.tasks[group].classes if (labels == c).any()]
    palette = (NEUTRAL, accent) if len(classes) == 2 else (NEUTRAL, *CLASS_COLOURS)
    palette = inputs.kind.part("report", "colours", missing=None)(inputs, group, classes) or palette
    parts = [(f"{group}: {c}" if i == 0 else c, (labels == c).to_numpy(), palette[i]) for i, c in enumerate(classes)]
    if labels.isna().any():
        parts.append(("not known", labels.isna().to_numpy(), FAINT))
    return parts
