"""What a biology is at every site: a sentence and a forest plot per task of a dimension."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mtlbio.report.inputs import Inputs
from mtlbio.report.palette import HIGHLIGHT, INK, MUTED
from mtlbio.report.svg import Drawing, list_rows, new_figure
from mtlbio.report.words import counted, file_stem, interval, percent, probability
from mtlbio.text import joined, known, number

MOST_ROWS = 20  # sites in a picture, those of most weight
MOST_NAMES = 4  # names of sites in a sentence


def of_dimension(inputs: Inputs, dim: str) -> dict[str, pd.DataFrame]:
    """Name of a picture -> rows of ``sites.tsv`` of one task (and class) of a dimension."""
    table = inputs.tables.get("sites")
    if table is None:
        return {}
    own = table[table["dim"] == dim]
    groups = own.groupby(["task", "class"], sort=False, dropna=False)
    parts = {(task, "" if pd.isna(of) else str(of)): rows for (task, of), rows in groups}
    return {file_stem("_".join(["sites", dim, *filter(None, key)])): rows for key, rows in parts.items()}


def sentence(rows: pd.DataFrame, units: str, ratio: str = "") -> str:
    """What the sites say of one task of a dimension; ``units`` in the plural, ``ratio``: what effects are the logarithm
    of, where they are one (:attr:`mtlbio.labels.Label.ratio`)."""
    first = rows.iloc[0]
    called = {call: rows.loc[rows["call"] == call, "site"].astype(str).tolist() for call in rows["call"].unique()}
    tested = int(first["sites"])
    if not tested:
        return f"{heading(rows)}: no site has {units} enough to ask within it ({_few(rows, units)})."
    parts = [f"{len(called.get('same', []))} of {counted(tested, 'site')} show the effect by themselves"]
    if "same" in called:
        parts[0] += f" ({_names(called['same'])})"
    if "opposite" in called:
        parts.append(f"{_names(called['opposite'])} the opposite")
    if "open" in called:
        parts.append(f"the interval holds 0 at {_names(called['open'])}")
    text = f"{heading(rows)}: {'; '.join(parts)}."
    if tested > 1:
        differ = "The sites differ" if first["heterogeneity"] == "differ" else "No difference between sites is seen"
        text += f" {differ} (I² {percent(first['i2'])}, p {probability(first['p_heterogeneity'])})"
        numbers = first[["pooled", "pooled_ci_low", "pooled_ci_high", "new_site_low", "new_site_high"]].astype(float)
        average, low, high, *new = np.exp(numbers) if ratio else numbers
        text += f"; the average site has {f'a {ratio} of ' if ratio else ''}{interval(average, low, high)}"
        if known(new[0]):
            text += f", one more site may have {number(new[0])} to {number(new[1])}"
        text += "."
    carriers = rows.loc[rows["carries"].astype(bool), "site"].astype(str).tolist()
    if carriers:
        which = carriers[0] if len(carriers) == 1 else f"any one of {_names(carriers)}"
        text += f" Without {which} the interval of the others holds 0."
    return text + (f" Too few {units} at {_few(rows, units)}." if "too_few" in called else "")


def heading(rows: pd.DataFrame) -> str:
    """The task, and of a label of several classes the class."""
    first = rows.iloc[0]
    return str(first["task"]) + (f" ({first['class']})" if known(first["class"]) else "")


def sites_figure(rows: pd.DataFrame, dim: str, ratio: str = "") -> Drawing:
    """The effect at every site with its interval, the average site and all donors; the size of a dot is its weight."""
    first = rows.iloc[0]
    tested = rows.dropna(subset=["se"])
    shown = rows.loc[tested["weight"].nlargest(MOST_ROWS).index.sort_values()]
    lines = [(r.site, r.effect, r.ci_low, r.ci_high, r.n_donors) for r in shown.itertuples()]
    lines.append(("average site", first["pooled"], first["pooled_ci_low"], first["pooled_ci_high"], None))
    lines.append(("all donors", first["all_donors"], first["all_ci_low"], first["all_ci_high"], None))
    figure = new_figure(4.2, 1.0 + 0.21 * len(lines))
    axes = figure.subplots()
    axes.axvline(0, color=MUTED, linewidth=0.8)
    for i, (_, effect, low, high, donors) in enumerate(lines):
        colour = INK if donors is not None else HIGHLIGHT
        size = 3.0 + 5.0 * float(shown["weight"].iloc[i]) ** 0.5 if donors is not None else 6.5
        axes.plot([low, high], [i, i], color=colour, linewidth=1.4, solid_capstyle="butt")
        axes.plot([effect], [i], "s" if donors is not None else "D", color=colour, markersize=size)
    list_rows(axes, [name if n is None else f"{name} ({n})" for name, *_, n in lines])
    what = f"log {ratio} of {heading(rows)} per SD of {dim}" if ratio else f"effect of {heading(rows)} on {dim} (SD)"
    axes.set_xlabel(f"adjusted {what}")
    text = "; ".join(f"{name} {interval(*numbers)}" for name, *numbers, _ in lines)
    return figure, f"{heading(rows)} within sites: {dim}", f"Forest plot of {len(shown)} sites: {text}."


def _few(rows: pd.DataFrame, units: str) -> str:
    few = rows[rows["call"] == "too_few"]
    return _names([f"{r.site} ({r.n_rarest} of {r.n_donors})" for r in few.itertuples()])


def _names(names: list[str]) -> str:
    """Some names, and how many more."""
    more = len(names) - MOST_NAMES
    return joined(names if more <= 0 else [*names[: MOST_NAMES - 1], f"{more + 1} more"])
