"""What a feature changes: the model's typical prediction with one feature at each of its levels, a picture per task."""

import re
from collections.abc import Iterator

import pandas as pd

from mtlbio.kinds.vocabulary import DONORS, Vocabulary
from mtlbio.report.palette import HIGHLIGHT, INK, MUTED, ON
from mtlbio.report.svg import Drawing, list_rows, new_figure
from mtlbio.report.words import counted, shortened
from mtlbio.text import joined

MOST_FEATURES = 8
MOST_NAMED = 10  # of those left out
FEW = 10  # a level of fewer samples is drawn open: the model has hardly seen it
_LONGEST = 18  # characters of a feature's or level's name
_LANES = (0.27, -0.27)  # where a level's name may stand, in rows: above its dot, else below
_GAP = 0.04  # inches between two names


def shown_features(effects: pd.DataFrame, task: str) -> tuple[pd.DataFrame, pd.Series]:
    """Rows of the features that move a task's prediction most, and what is left out.

    Returns
    -------
    rows : of at most ``MOST_FEATURES`` features, the widest range first, levels from low to high
    left : feature -> its range, for the others
    """
    rows = effects[effects["task"] == task].dropna(subset=["prediction"])
    by_feature = rows.groupby("feature", sort=False)["prediction"]
    width = (by_feature.max() - by_feature.min()).sort_values(ascending=False, kind="stable")
    rows = rows.assign(_place=-rows["feature"].map(width))
    rows = rows.sort_values(["_place", "feature", "prediction"], kind="stable").drop(columns="_place")
    return rows[rows["feature"].isin(width.index[:MOST_FEATURES])], width.iloc[MOST_FEATURES:]


def effects_figure(rows: pd.DataFrame, task: str, unit: str | None) -> Drawing:
    """Levels as dots on a line of predicted values, one line per feature."""
    features = list(dict.fromkeys(rows["feature"]))
    figure = new_figure(4.2, 0.72 + 0.42 * len(features))
    axes = figure.subplots()
    base = typical(rows)
    for i, feature in enumerate(features):
        levels = rows[rows["feature"] == feature]
        ends = [levels["prediction"].min(), levels["prediction"].max()]
        axes.plot(ends, [i, i], color=MUTED, linewidth=1.2, solid_capstyle="butt")
        if base is not None:  # a stroke: a line from top to bottom would run through the names of the levels
            axes.plot([base, base], [i - 0.15, i + 0.15], color=MUTED, linewidth=1.4)
        for few, part in levels.groupby(levels["samples"] < FEW):
            dots = axes.plot(part["prediction"], [i] * len(part), "o", color=HIGHLIGHT, markersize=5, zorder=3)[0]
            dots.set_markerfacecolor(ON if few else HIGHLIGHT)
    list_rows(axes, [shortened(f, _LONGEST) for f in features], room=0.35)
    axes.margins(x=0.06)
    axes.set_xlabel(f"predicted {task}{f', {unit}' if unit else ''}")
    _name_levels(figure, axes, rows, features)
    return figure, f"What a feature changes: {task}", f"{'; '.join(_ranges(rows, unit))}."


def typical(rows: pd.DataFrame) -> float | None:
    """The typical prediction with everybody as they are, from the factors; None where they have none."""
    ratios = (rows["prediction"] / rows["factor"]).dropna()
    return None if ratios.empty else float(ratios.median())


def sentences(rows: pd.DataFrame, left: pd.Series, unit: str | None, words: Vocabulary = DONORS) -> list[str]:
    """What changes the prediction most, and what the picture leaves out."""
    texts = [f"Widest: {next(_ranges(rows, unit, words))}."]
    if len(left):
        named = list(left.index[:MOST_NAMED])
        named += [f"{len(left) - len(named)} others"] if len(left) > len(named) else []
        each = "it spans" if len(left) == 1 else "each spans at most"
        texts.append(f"Left out: {joined(named)} ({each} {left.iloc[0]:.2g}{f' {unit}' if unit else ''}).")
    return texts


def level_name(value: object) -> str:
    """A level as text, a measured number with three digits.

    Examples
    --------
    >>> level_name("*1/*2"), level_name("-1.2631"), level_name(75.6), level_name("2")
    ('*1/*2', '−1.26', '75.6', '2')
    """
    text = f"{value:g}" if isinstance(value, float) else str(value)
    if not re.fullmatch(r"-?\d+(\.\d+)?", text):
        return text
    short = f"{float(text):.3g}" if "." in text and abs(float(text)) < 1000 else text
    return short.replace("-", "−")


def _ranges(rows: pd.DataFrame, unit: str | None, words: Vocabulary | None = None) -> Iterator[str]:
    """cyp from 1.07 mg/day (*3/*3) to 4.7 mg/day (*1/*1), for every feature; with ``words`` on how many samples."""
    after = f" {unit}" if unit else ""
    for feature, part in rows.groupby("feature", sort=False):
        ends = [part.iloc[0], part.iloc[-1]]
        few = ["" if words is None else f", {counted(int(e['samples']), words.sample, words.samples)}" for e in ends]
        texts = [f"{e['prediction']:.3g}{after} ({level_name(e['value'])}{n})" for e, n in zip(ends, few, strict=True)]
        yield f"{feature} from {texts[0]} to {texts[1]}"


def _name_levels(figure, axes, rows: pd.DataFrame, features: list[str]) -> None:
    """Write the levels' names where there is room: the ends first, then the commonest; the rest go without."""
    figure.draw_without_rendering()  # the layout decides how wide the axes are
    box, gap = axes.get_window_extent(), _GAP * figure.dpi
    for i, feature in enumerate(features):
        levels = rows[rows["feature"] == feature]
        inner = levels.iloc[1:-1].sort_values("samples", ascending=False, kind="stable")
        ordered = pd.concat([levels.iloc[:1], levels.iloc[1:].tail(1), inner])
        occupied: dict[float, list[tuple[float, float]]] = {lane: [] for lane in _LANES}
        for value, prediction in zip(ordered["value"], ordered["prediction"], strict=True):
            name = shortened(level_name(value), _LONGEST)
            text = axes.text(prediction, i, name, fontsize=7.5, color=INK, ha="center", va="center")
            text.set_in_layout(False)
            extent = text.get_window_extent()
            # a name at an end moves inwards rather than over the names of the features
            shift = max(box.x0 - extent.x0, 0) - max(extent.x1 - box.x1, 0)
            low, high = extent.x0 + shift, extent.x1 + shift
            free = [k for k in _LANES if all(high + gap < a or b + gap < low for a, b in occupied[k])]
            if not free:
                text.remove()
                continue
            occupied[free[0]].append((low, high))
            middle = axes.transData.inverted().transform(((low + high) / 2, 0))[0]
            text.set_position((middle, i - free[0]))
