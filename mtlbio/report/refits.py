"""What the page says about the whole-pipeline null, where a run asked for it."""

from __future__ import annotations

from mtlbio.probing.null_refits import share_of_biology
from mtlbio.report.facts import as_text
from mtlbio.report.inputs import Inputs
from mtlbio.report.words import percent
from mtlbio.text import joined

ROWS = 10


def whole_pipeline(inputs: Inputs) -> dict | None:
    """One sentence, and the dimensions with the smallest p; None where there are no refits."""
    null, runs = inputs.tables.get("null"), inputs.tables.get("null_runs")
    if null is None or runs is None or not len(runs):
        return None
    share, low, high = share_of_biology(runs)
    sentence = (
        f"{len(runs)} times the labels of {joined(list(dict.fromkeys(null['outcome'])))} were permuted, the network "
        f"was trained again and every dimension was put on trial: any dimension was called biology in "
        f"{round(share * len(runs))} of them ({percent(share)}, 95 % interval {percent(low)} to {percent(high)})."
    )
    best = null.sort_values(["p_refit_familywise", "p_refit", "p", "dim"], kind="stable").head(ROWS)
    return {"sentence": sentence, "table": as_text(best.drop(columns="refits"))}
