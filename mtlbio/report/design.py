"""The audit of the design in one look: which tasks and covariates this design can tell apart."""

import pandas as pd

from mtlbio.report.inputs import Inputs
from mtlbio.report.palette import INK, MUTED, NEUTRAL, ON, VERDICTS
from mtlbio.report.words import shortened
from mtlbio.text import known, number

# call -> colour and mark: colour is never alone
_CALLS = {
    "ok": (NEUTRAL, ""),
    "weak": (VERDICTS["underpowered"].colour, VERDICTS["underpowered"].mark),
    "not_identifiable": (VERDICTS["not_identifiable"].colour, VERDICTS["not_identifiable"].mark),
}
_PAIRS = ("task", "covariate")  # rows of the audit that are about a pair of columns


def pairs_of(inputs: Inputs) -> pd.DataFrame:
    """Rows of ``audit.tsv`` on a task, or a technical covariate, and a covariate."""
    table = inputs.tables.get("audit", pd.DataFrame(columns=["kind", "task", "covariate"]))
    return table[table["kind"].isin(_PAIRS)]


def design_size(pairs: pd.DataFrame) -> tuple[float, float]:
    """Width and height in inches."""
    return 2.2 + 0.9 * pairs["covariate"].nunique(), 1.1 + 0.34 * pairs["task"].nunique()


def draw_design(inputs: Inputs, axes) -> tuple[str, str]:
    """Tasks x covariates: how closely they go together (0 to 1), and whether they can be told apart.

    Gives the title and the description in words. The number is Cramer's V, a share of variance or a squared
    correlation, as ``association`` of the table says; a triangle marks what is weak, a cross what is not identifiable.
    """
    pairs = pairs_of(inputs)
    rows, columns = (list(dict.fromkeys(pairs[name])) for name in ("task", "covariate"))
    for pair in pairs.itertuples():
        i, j = rows.index(pair.task), columns.index(pair.covariate)
        colour, mark = _CALLS.get(pair.call, (MUTED, "?"))
        depth = min(abs(float(pair.value)), 1.0) if known(pair.value) else 0.0
        if mark:
            depth = max(depth, 0.5)
        axes.barh(i, 0.94, 0.9, left=j - 0.47, color=colour, alpha=0.06 + 0.9 * depth, linewidth=0)
        text = f"{mark} {number(pair.value) if known(pair.value) else '–'}".strip()
        axes.text(j, i, text, ha="center", va="center", fontsize=7, color=ON if mark and depth > 0.6 else INK)
    axes.set_xlim(-0.6, max(len(columns), 1) - 0.4)
    axes.set_ylim(max(len(rows), 1) - 0.4, -0.6)
    axes.set_xticks(range(len(columns)), [shortened(c, 14) for c in columns], rotation=35, ha="left")
    axes.xaxis.tick_top()
    axes.set_yticks(range(len(rows)), [shortened(r, 18) for r in rows])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("how closely they go together, 0 to 1")
    calls = ", ".join(f"{n} {str(call).replace('_', ' ')}" for call, n in pairs["call"].value_counts().items())
    return "What this design can tell apart", f"Table in colour of {len(pairs)} pairs: {calls or 'none'}."
