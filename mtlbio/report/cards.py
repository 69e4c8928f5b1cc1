"""Which dimensions come first, and the picture of each: the latent against what drives it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mtlbio.report.inputs import Inputs
from mtlbio.report.palette import CLASS_COLOURS, FAINT, INK, MUTED, NEUTRAL, VERDICTS
from mtlbio.report.svg import RASTERISE_ABOVE, new_figure
from mtlbio.report.words import known

SHOWN_FIRST = ("biology", "technical", "confounder", "mixed", "not_identifiable")
MOST_LEVELS = 12  # more levels than this are drawn as medians without names


def strength(row: pd.Series) -> float:
    """What a dimension is ranked by among its kind: the driver's share, or the largest effect on a task."""
    share = row.get(f"share_{row['driver']}")
    if row["verdict"] in ("technical", "confounder") and known(share):
        return float(share)
    effects = [abs(float(v)) for c, v in row.items() if str(c).startswith("effect_") and known(v)]
    shares = [float(v) for c, v in row.items() if str(c).startswith("share_") and known(v)]
    return max(effects or shares or [0.0])


def choose(verdicts: pd.DataFrame, cards: int) -> list[str]:
    """Dimensions to show first.

    Each of the telling verdicts is represented before any comes twice, even where ``cards`` is smaller than their
    number. Within a verdict the strongest comes first. Unused dimensions only appear where nothing else is there.
    """
    ranked = {
        kind: list(rows.apply(strength, axis=1).sort_values(ascending=False, kind="stable").index)
        for kind, rows in verdicts.groupby("verdict")
    }
    telling = [k for k in SHOWN_FIRST if k in ranked]
    room = max(cards, len(telling))
    # the first round covers every kind; later rounds fill up in the same order, and the silent kinds come last
    queue = [ranked[k][i] for i in range(len(verdicts)) for k in telling if i < len(ranked[k])]
    queue += ranked.get("underpowered", [])
    chosen = set((queue or ranked["unused"])[:room])
    return [d for k in (*SHOWN_FIRST, "underpowered", "unused") for d in ranked.get(k, []) if d in chosen]


def card_figure(inputs: Inputs, dim: str):
    """Latent ``dim`` against its driver.

    Returns
    -------
    figure, title, description
    """
    row = inputs.verdicts.loc[dim]
    driver = _drawable(inputs, row)
    frame, unit = _frame(inputs, dim, driver)
    group = _grouping(inputs, row, driver, frame)
    accent = VERDICTS[row["verdict"]].colour
    figure = new_figure(3.9, 2.75)
    axes = figure.subplots()
    axes.set_ylabel(f"{dim}, held-out donors")
    if driver is None:
        axes.hist(frame[dim], bins=30, color=accent, alpha=0.7)
        axes.set_xlabel(f"{dim}, held-out donors")
        axes.set_ylabel(f"number of {unit}s")
        return figure, f"Distribution of {dim}", f"Histogram of {dim} over {len(frame)} {unit}s."
    name = inputs.spoken(driver)
    if pd.api.types.is_numeric_dtype(frame["driver"]):
        score = driver in inputs.members
        axes.set_xlabel(f"{name}\nmean z-score of its genes" if score else name)
        _scatter(axes, frame, dim, _parts(inputs, frame, group, accent), accent)
        r = frame["driver"].corr(frame[dim])
        what = f"score of {name}" if score else name
        title = f"{dim} against the {what}" if score else f"{dim} against {what}"
        note = f"Pearson r {r:.2f} over {len(frame)} {unit}s"
        axes.set_title(note, fontweight="normal", color=MUTED, fontsize=7.5)
        return figure, title, f"Scatter plot: {note}" + (f", coloured by {group}." if group else ".")
    info = inputs.cohort.tasks.get(driver)
    order = info.classes if info is not None else ()
    levels = _strips(axes, frame, dim, _parts(inputs, frame, group, accent), accent, order)
    axes.set_xlabel(name)
    title = f"{dim} by {name}"
    return figure, title, f"{levels} levels of {name}, {len(frame)} {unit}s; boxes are quartiles, lines medians."


def _drawable(inputs: Inputs, row: pd.Series) -> str | None:
    """The driver if there is something to draw against, else the task or covariate that comes nearest to one."""
    driver = row["driver"]
    if known(driver) and (driver in inputs.obs.columns or driver in inputs.members):
        return driver
    values = {c: row.get(f"share_{c}") for c in inputs.covariates}
    if row["verdict"] in ("biology", "mixed") or not values:
        values = {t: abs(row[f"effect_{t}"]) for t in inputs.tasks if known(row.get(f"effect_{t}"))} or values
    values = {name: value for name, value in values.items() if known(value)}
    return max(values, key=values.get) if values else None


def _frame(inputs: Inputs, dim: str, driver: str | None) -> tuple[pd.DataFrame, str]:
    """Latent, driver and labels: one row per donor where the driver belongs to the donor, else per sample."""
    frame = pd.DataFrame({dim: inputs.latents[dim], "donor": inputs.obs["donor"].astype(str)})
    for name in dict.fromkeys([*inputs.tasks, *inputs.covariates]):
        column = inputs.obs[name]
        numeric = pd.api.types.is_numeric_dtype(column)
        frame[name] = column.astype(float) if numeric else column.astype(object)
    if driver in inputs.members:
        frame["driver"] = set_score(inputs, inputs.members[driver])
        constant = True  # a programme is judged per donor, like the trial does
    elif driver is not None:
        frame["driver"] = frame[driver]
        constant = (frame.groupby("donor")["driver"].nunique() <= 1).all()
    else:
        constant = True
    if driver is not None:
        frame = frame[frame["driver"].notna()]
    if not constant or frame["donor"].is_unique:
        return frame, "donor" if frame["donor"].is_unique else "sample"
    pooled = frame.groupby("donor", sort=True).agg(
        {
            c: "mean" if c == dim or (c == "driver" and driver in inputs.members) else "first"
            for c in frame
            if c != "donor"
        }
    )
    return pooled.reset_index(), "donor"


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
        if info.is_class and t != driver and frame[t].notna().mean() > 0.7 and 2 <= frame[t].nunique() <= 6
    ]
    if not tasks:
        return None
    effects = [abs(row[f"effect_{t}"]) if known(row.get(f"effect_{t}")) else -1.0 for t in tasks]
    return tasks[int(np.argmax(effects))]


def _parts(inputs: Inputs, frame: pd.DataFrame, group: str | None, accent: str) -> list[tuple[str, np.ndarray, str]]:
    """(label, rows, colour) per class of the grouping label; the first class stays neutral, unlabelled is faint."""
    if group is None:
        return [("", np.ones(len(frame), bool), accent)]
    labels = frame[group]
    classes = [c for c in inputs.cohort.tasks[group].classes if (labels == c).any()]
    palette = (NEUTRAL, accent) if len(classes) == 2 else (NEUTRAL, *CLASS_COLOURS)
    found = [(f"{group}: {c}" if i == 0 else c, (labels == c).to_numpy(), palette[i]) for i, c in enumerate(classes)]
    if labels.isna().any():
        found.append(("not known", labels.isna().to_numpy(), FAINT))
    return found


def _scatter(axes, frame: pd.DataFrame, dim: str, parts: list, accent: str) -> None:
    size = 11 if len(frame) <= 400 else 5
    for label, rows, colour in parts:
        axes.scatter(
            frame["driver"][rows],
            frame[dim][rows],
            s=size,
            color=colour,
            alpha=0.8,
            linewidths=0,
            label=label,
            rasterized=len(frame) > RASTERISE_ABOVE,
        )
    x, y = frame["driver"].to_numpy(float), frame[dim].to_numpy(float)
    if len(np.unique(x)) >= 8:
        grid, line = smooth(x, y)
        axes.plot(grid, line, color=INK, linewidth=1.6)
    _legend(axes, len(parts))


def _legend(axes, entries: int) -> None:
    if entries < 2:
        return
    axes.figure.legend(
        *axes.get_legend_handles_labels(),
        loc="outside upper right",
        ncols=min(entries, 4),
        handletextpad=0.1,
        columnspacing=0.9,
        borderaxespad=0.1,
        markerscale=1.5,
    )


def smooth(x: np.ndarray, y: np.ndarray, span: float = 0.6, points: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Local linear regression with tricube weights (Cleveland 1979), without the robustness rounds.

    Parameters
    ----------
    x, y : (n,)
    span : share of the points that a local fit sees

    Returns
    -------
    grid (points,), fitted (points,)
    """
    grid = np.linspace(x.min(), x.max(), points)
    distance = np.abs(grid[:, None] - x[None, :])
    reach = np.quantile(distance, span, axis=1, keepdims=True) + 1e-12
    weight = np.clip(1 - (distance / reach) ** 3, 0, None) ** 3
    centred = x[None, :] - grid[:, None]
    s0, s1, s2 = weight.sum(1), (weight * centred).sum(1), (weight * centred**2).sum(1)
    t0, t1 = (weight * y).sum(1), (weight * centred * y).sum(1)
    determinant = s0 * s2 - s1**2
    fitted = np.where(
        determinant > 1e-9 * s0 * s2, (s2 * t0 - s1 * t1) / np.where(determinant > 0, determinant, 1), t0 / s0
    )
    return grid, fitted


def _strips(axes, frame: pd.DataFrame, dim: str, parts: list, accent: str, order: tuple[str, ...]) -> int:
    levels = [str(v) for v in frame["driver"].unique()]
    text = frame["driver"].astype(str)
    if len(levels) > MOST_LEVELS:
        _medians(axes, frame[dim], text, accent)
        return len(levels)
    levels = [c for c in order if c in levels] or sorted(levels)
    position = text.map({level: i for i, level in enumerate(levels)}).to_numpy(float)
    jitter = np.random.default_rng([0, len(frame)]).uniform(-0.22, 0.22, len(frame))
    for label, rows, colour in parts:
        axes.scatter(
            position[rows] + jitter[rows],
            frame[dim][rows],
            s=9 if len(frame) <= 400 else 4,
            color=colour,
            alpha=0.75,
            linewidths=0,
            label=label,
            rasterized=len(frame) > RASTERISE_ABOVE,
        )
    axes.boxplot(
        [frame[dim][position == i] for i in range(len(levels))],
        positions=range(len(levels)),
        widths=0.62,
        showfliers=False,
        showcaps=False,
        manage_ticks=False,
        medianprops={"color": INK, "linewidth": 1.6},
        boxprops={"color": MUTED, "linewidth": 0.9},
        whiskerprops={"color": MUTED, "linewidth": 0.9},
    )
    longest = max(len(level) for level in levels)
    crowded = longest * len(levels) > 42
    shown = [level if len(level) <= 16 else level[:15] + "…" for level in levels]
    axes.set_xticks(range(len(levels)), shown, rotation=40 if crowded else 0, ha="right" if crowded else "center")
    axes.set_xlim(-0.6, len(levels) - 0.4)
    _legend(axes, len(parts))
    return len(levels)


def _medians(axes, values: pd.Series, text: pd.Series, accent: str) -> None:
    """Many levels: a median with its quartiles per level, in order of the median."""
    quartiles = values.groupby(text).quantile([0.25, 0.5, 0.75]).unstack().sort_values(0.5)
    place = np.arange(len(quartiles))
    axes.vlines(place, quartiles[0.25], quartiles[0.75], color=accent, alpha=0.35, linewidth=2)
    axes.scatter(place, quartiles[0.5], s=9, color=accent, linewidths=0)
    axes.set_xticks([])
    axes.set_title(f"{len(quartiles)} levels in order of their medians", fontweight="normal", color=MUTED, fontsize=7.5)
