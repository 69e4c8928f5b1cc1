"""The picture of one dimension: the latent against what drives it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mtlbio.probing.columns import column_of
from mtlbio.report.clouds import MOST_LEVELS, scatter, strips
from mtlbio.report.inputs import Inputs
from mtlbio.report.palette import CLASS_COLOURS, FAINT, MUTED, NEUTRAL, VERDICTS
from mtlbio.report.svg import new_figure
from mtlbio.text import known


def card_figure(inputs: Inputs, dim: str):
    """Latent ``dim`` against its driver.

    Returns
    -------
    figure, title, description
    """
    row = inputs.verdicts.loc[dim]
    driver = _drawable(inputs, row)
    frame, points = _frame(inputs, dim, driver)
    group = _grouping(inputs, row, driver, frame)
    accent = VERDICTS[row["verdict"]].colour
    figure = new_figure(3.9, 2.75)
    axes = figure.subplots()
    held_out = f"{dim}, held-out {inputs.words.units}"
    axes.set_ylabel(held_out)
    if driver is None:
        axes.hist(frame[dim], bins=30, color=accent, alpha=0.7)
        axes.set_xlabel(held_out)
        axes.set_ylabel(f"number of {points}")
        return figure, f"Distribution of {dim}", f"Histogram of {dim} over {len(frame)} {points}."
    name = inputs.spoken(driver)
    if pd.api.types.is_numeric_dtype(frame["driver"]):
        score = driver in inputs.members
        axes.set_xlabel(f"{name}\nmean z-score of its {inputs.words.features}" if score else name)
        scatter(axes, frame, dim, _parts(inputs, frame, group, accent), accent)
        r = frame["driver"].corr(frame[dim])
        what = f"score of {name}" if score else name
        title = f"{dim} against the {what}" if score else f"{dim} against {what}"
        note = f"Pearson r {r:.2f} over {len(frame)} {points}"
        axes.set_title(note, fontweight="normal", color=MUTED, fontsize=7.5)
        return figure, title, f"Scatter plot: {note}" + (f", coloured by {group}." if group else ".")
    info = inputs.cohort.tasks.get(driver)
    order = info.classes if info is not None else ()
    if driver in inputs.features and driver not in inputs.obs:  # genotypes in the order of what they do
        order = tuple(frame.groupby("driver")[dim].mean().sort_values().index)
    levels = strips(axes, frame, dim, _parts(inputs, frame, group, accent), accent, order)
    axes.set_xlabel(name)
    title = f"{dim} by {name}"
    return figure, title, f"{levels} levels of {name}, {len(frame)} {points}; boxes are quartiles, lines medians."


def _drawable(inputs: Inputs, row: pd.Series) -> str | None:
    """The driver if there is something to draw against, else the task or covariate that comes nearest to one."""
    driver = row["driver"]
    if known(driver) and (driver in inputs.obs.columns or driver in inputs.members or driver in inputs.features):
        return driver
    values = {c: row.get(column_of("share", c)) for c in inputs.covariates}
    if row["verdict"] in ("biology", "mixed") or not values:
        values = _effects(row, inputs.tasks) or values
    values = {name: value for name, value in values.items() if known(value)}
    # a factor of many levels wins by counting: only where nothing else is there
    few = {n: v for n, v in values.items() if not _crowded(inputs.obs[n])}
    values = few or values
    return max(values, key=lambda name: values[name], default=None)


def _crowded(column: pd.Series) -> bool:
    return not pd.api.types.is_numeric_dtype(column) and column.nunique() > MOST_LEVELS


def _frame(inputs: Inputs, dim: str, driver: str | None) -> tuple[pd.DataFrame, str]:
    """Latent, driver and labels: one row per donor where the driver belongs to the donor, else per sample; and what a
    row is, in the run's words."""
    frame = pd.DataFrame({dim: inputs.latents[dim], "donor": inputs.obs["donor"].astype(str)})
    drawn = [driver] if driver in inputs.obs.columns else []
    for name in dict.fromkeys([*inputs.tasks, *inputs.covariates, *drawn]):
        column = inputs.obs[name]
        numeric = pd.api.types.is_numeric_dtype(column)
        frame[name] = column.astype(float) if numeric else column.astype(object)
    if driver in inputs.members:
        frame["driver"] = set_score(inputs, inputs.members[driver])
        constant = True  # a programme is judged per donor, like the trial does
    elif driver is not None and driver not in frame:
        values = inputs.cohort.coding.decode(inputs.cohort.expression, driver)
        frame["driver"] = pd.Series(values, index=inputs.cohort.samples).reindex(frame.index)
        constant = (frame.groupby("donor")["driver"].nunique() <= 1).all()
    elif driver is not None:
        frame["driver"] = frame[driver]
        constant = (frame.groupby("donor")["driver"].nunique() <= 1).all()
    else:
        constant = True
    if driver is not None:
        frame = frame[frame["driver"].notna()]
    if not constant or frame["donor"].is_unique:
        return frame, inputs.words.units if frame["donor"].is_unique else inputs.words.samples
    pooled = frame.groupby("donor", sort=True).agg(
        {
            c: "mean" if c == dim or (c == "driver" and driver in inputs.members) else "first"
            for c in frame
            if c != "donor"
        }
    )
    return pooled.reset_index(), inputs.words.units


def set_score(inputs: Inputs, genes: list[str]) -> pd.Series:
    """Mean z-score of a set's genes per sample (samples,)."""
    position = {gene: i for i, gene in enumerate(inputs.cohort.genes)}
    columns = [position[gene] for gene in genes if gene in position]
    values = np.asarray(inputs.cohort.expression[:, columns], dtype=float)
    spread = values.std(axis=0)
    scaled = (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    mean = scaled.mean(axis=1) if columns else np.full(len(values), np.nan)
    return pd.Series(mean, index=inputs.cohort.samples).reindex(inputs.latents.index)


def _grouping(inputs: Inputs, row: pd.Series, driver: str | None, frame: pd.DataFrame) -> str | None:
    """The class label to colour by: mostly known, never the driver itself, and the one with the largest effect."""
    tasks = [
        t
        for t, info in inputs.cohort.tasks.items()
        if info.classes and t != driver and frame[t].notna().mean() > 0.7 and 2 <= frame[t].nunique() <= 6
    ]
    if not tasks:
        return None
    effects = _effects(row, tasks)
    return tasks[int(np.argmax([effects.get(t, -1.0) for t in tasks]))]


def _effects(row: pd.Series, tasks: list[str]) -> dict[str, float]:
    """Size of the adjusted effect on every task that has one."""
    found = {t: row.get(column_of("effect", t)) for t in tasks}
    return {t: abs(effect) for t, effect in found.items() if known(effect)}


def _parts(inputs: Inputs, frame: pd.DataFrame, group: str | None, accent: str) -> list[tuple[str, np.ndarray, str]]:
    """(label, rows, colour) per class of the grouping label; the first class stays neutral, unlabelled is faint."""
    if group is None:
        return [("", np.ones(len(frame), bool), accent)]
    labels = frame[group]
    classes = [c for c in inputs.cohort.tasks[group].classes if (labels == c).any()]
    palette = (NEUTRAL, accent) if len(classes) == 2 else (NEUTRAL, *CLASS_COLOURS)
    palette = inputs.kind.part("report", "colours", missing=None)(inputs, group, classes) or palette
    found = [(f"{group}: {c}" if i == 0 else c, (labels == c).to_numpy(), palette[i]) for i, c in enumerate(classes)]
    if labels.isna().any():
        found.append(("not known", labels.isna().to_numpy(), FAINT))
    return found
