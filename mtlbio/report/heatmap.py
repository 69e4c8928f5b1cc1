"""All dimensions at once: how much of each the covariates explain, and what it still says about the tasks."""

import numpy as np
import pandas as pd

from mtlbio.probing.columns import column_of
from mtlbio.report.inputs import Inputs
from mtlbio.report.leaning import by_odds
from mtlbio.report.palette import HIGHLIGHT, INK, MUTED, ON, VERDICTS
from mtlbio.report.svg import Drawing, new_figure
from mtlbio.report.words import shortened
from mtlbio.text import known, number


def in_order(verdicts: pd.DataFrame) -> pd.DataFrame:
    """Rows by verdict (the telling ones first), undecided ones by their odds of biology, then by name."""
    place = verdicts["verdict"].map(list(VERDICTS).index)
    return verdicts.iloc[np.lexsort((verdicts.index.astype(str), by_odds(verdicts), place))]


def heatmap_figure(inputs: Inputs) -> Drawing:
    """Dimensions x (covariates | tasks): shares (partial R2, 0 to 1) and absolute standardised effects."""
    figure = new_figure(*heatmap_size(inputs))
    return figure, *draw_heatmap(inputs, figure.subplots())


def columns_of(inputs: Inputs) -> tuple[list[str], list[str]]:
    """Covariates with a share, and tasks with an effect."""
    shares = [c for c in inputs.covariates if column_of("share", c) in inputs.verdicts]
    return shares, [t for t in inputs.tasks if column_of("effect", t) in inputs.verdicts]


def heatmap_size(inputs: Inputs) -> tuple[float, float]:
    """Width and height in inches."""
    columns = sum(map(len, columns_of(inputs)))
    return max(3.6, 1.9 + 0.62 * columns), 1.0 + 0.2 * len(inputs.verdicts)


def draw_heatmap(inputs: Inputs, axes) -> tuple[str, str]:
    """Draw it; gives its title and its description in words."""
    table = in_order(inputs.verdicts)
    shares, effects = columns_of(inputs)
    columns = [column_of("share", c) for c in shares] + [column_of("effect", t) for t in effects]
    values = table[columns].to_numpy(dtype=float)
    scale = np.ones(len(columns))
    top = np.nanmax(np.abs(values[:, len(shares) :]), initial=0.0) if effects else 0.0
    scale[len(shares) :] = max(top, 0.2)  # a floor: effects near zero must not be blown up to full colour
    place = np.arange(len(columns)) + 0.5 * (np.arange(len(columns)) >= len(shares))
    for i, row in enumerate(values):
        colour = VERDICTS[table["verdict"].iloc[i]].colour
        for j, value in enumerate(row):
            if not known(float(value)):
                axes.text(place[j], i, "·", ha="center", va="center", color=MUTED)
                continue
            depth = min(abs(value) / scale[j], 1.0)
            tint = colour if j < len(shares) else HIGHLIGHT
            # colour by opacity, so that a cell of zero is the page's own ground, light or dark
            axes.barh(i, 0.94, 0.9, left=place[j] - 0.47, color=tint, alpha=0.06 + 0.9 * depth, linewidth=0)
            ink, weight = (ON, "bold") if depth > 0.6 else (INK, "normal")
            axes.text(place[j], i, number(value), ha="center", va="center", fontsize=6.5, color=ink, fontweight=weight)
    axes.set_xlim(-0.6, place[-1] + 0.6)
    axes.set_ylim(len(table) - 0.4, -0.6)
    axes.set_xticks(place, [shortened(c, 14) for c in (*shares, *effects)], rotation=35, ha="left")
    axes.xaxis.tick_top()
    axes.set_yticks(range(len(table)), [f"{VERDICTS[v].mark} {d}" for d, v in table["verdict"].items()])
    for tick, verdict in zip(axes.get_yticklabels(), table["verdict"], strict=True):
        tick.set_color(VERDICTS[verdict].colour)
        tick.set_fontweight("bold")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    description = (
        f"Table in colour of {len(table)} dimensions. Columns {', '.join(shares) or 'none'}: share of the dimension "
        f"that the covariate explains. Columns {', '.join(effects) or 'none'}: standardised effect after adjustment."
    )
    return "What every dimension follows", description
