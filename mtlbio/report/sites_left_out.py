"""What every task loses where whole sites are held out: a sentence, all metrics of the model, and every site."""

from __future__ import annotations

from typing import Any

import pandas as pd

from mtlbio.evaluation.comparisons import on_trial
from mtlbio.metrics import metric_named
from mtlbio.report.inputs import Inputs
from mtlbio.report.words import arm_label, interval
from mtlbio.text import number

_NUMBERS = {"by_donors": "donors held out", "by_sites": "sites held out", "lost": "lost"}
MOST_SITES = 30  # in a table of the page; all are in the file


def left_out(inputs: Inputs, task: str) -> dict[str, Any] | None:
    """For the page: ``sentence``, ``metrics`` and ``sites`` as tables of text; None where no site was held out."""
    table = inputs.tables.get("sites_left_out")
    rows = table[table["task"] == task] if table is not None else pd.DataFrame()
    if rows.empty:
        return None
    arm, metric = on_trial(set(rows["arm"])), inputs.decides(task)
    whole = rows[rows["site"].isna()]
    decides = whole[whole["metric"] == metric]
    own = rows[rows["site"].notna() & (rows["arm"] == arm)]
    metrics = whole[whole["arm"] == arm]
    metrics = metrics.assign(what=[metric_named(name).printed for name in metrics["metric"]])
    arms = decides.assign(what=[arm_label(a, inputs.words) for a in decides["arm"]])
    return {
        "sentence": sentence(decides[decides["arm"] == arm].iloc[0], inputs.words.units),
        "metrics": _text(metrics, "metric"),
        "arms": _text(arms, metric_named(metric).printed),
        "sites": _text(own.assign(what=own["site"].astype(str)).head(MOST_SITES), "site", count=True),
        "more": max(len(own) - MOST_SITES, 0),
    }


def sentence(row: pd.Series, units: str) -> str:
    """What the metric that decides is with both, and what is lost."""
    printed = metric_named(row["metric"]).printed
    lost = interval(row["lost"], row["lost_low"], row["lost_high"], 3)
    told = f"{lost} is lost" if row["lost_low"] > 0 else f"what is lost, {lost}, may be nothing"
    told = f"what is lost, {lost}, is a gain" if row["lost_high"] < 0 else told
    return (
        f"{row['task']}: {printed} {number(row['by_donors'], 3)} where {units} are held out, "
        f"{number(row['by_sites'], 3)} where whole sites are; {told}."
    )


def _text(rows: pd.DataFrame, heading: str, count: bool = False) -> dict[str, Any]:
    """Header and rows of text."""
    header = [heading, *_NUMBERS.values(), *["donors"] * count]
    lines = []
    for _, row in rows.iterrows():
        values = [interval(row[c], row[f"{c}_low"], row[f"{c}_high"], 3) for c in _NUMBERS]
        lines.append([row["what"], *values, *[f"{int(row['n_donors']):,}"] * count])
    return {"header": header, "rows": lines}
