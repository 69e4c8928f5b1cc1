"""Can the batch still be read? One paragraph per technical covariate, from ``reprobe.tsv``."""

from __future__ import annotations

import pandas as pd

from mtlbio.kinds.vocabulary import DONORS, Vocabulary
from mtlbio.report.words import interval, metric_name
from mtlbio.text import known, number


def fresh_readings(table: pd.DataFrame | None, words: Vocabulary = DONORS) -> list[str]:
    """Paragraphs; none where there is no covariate to read."""
    if table is None:
        return []
    return [_paragraph(name, rows, words) for name, rows in table.groupby("covariate", sort=False)]


def _paragraph(name: str, rows: pd.DataFrame, words: Vocabulary) -> str:
    asked = rows[rows["value"].notna()]
    adversary = (rows["adversary"] == "yes").any()
    if not len(asked):
        said = str(rows["why"].iloc[0])
        return f"{said} Whether the adversary removed it is not known." if adversary else said
    best = asked.sort_values("value", ascending=False, kind="stable").groupby("representation").first()
    parts = []
    if "supervised" in best.index:
        row, able = best.loc["supervised"], _readable(asked, "supervised")
        parts.append(
            f"{name} {'can' if able else 'could not'} be read from the dimensions that the tasks trained: "
            f"{_value(row)} by a fresh {row['classifier']} classifier on {int(row['n_donors'])} {words.units}, where "
            f"chance is {number(row['chance'], 1)}"
        )
        if "labels" in best.index and known(row["over_labels"]):
            floor = number(max(best.loc["labels", "value"], row["chance"]))
            beyond = "that is more than they explain" if _beyond(asked) else "more than they explain has not been shown"
            parts[-1] += f" and the labels of the tasks alone give {floor}" + (f": {beyond}" if able else "")
    if "axes" in best.index:
        row = best.loc["axes"]
        verb = "can" if _readable(asked, "axes") else "could not"
        parts.append(f"From {words.axes} it {verb} be read ({_value(row)})")
    if adversary and "supervised" in best.index:
        parts.append(_adversary(asked))
    return ". ".join(parts) + "."


def _adversary(asked: pd.DataFrame) -> str:
    told = "The network was trained with an adversary against it"
    if not _readable(asked, "supervised"):
        return f"{told}, and no fresh classifier reads it from there better than chance"
    if _beyond(asked) or "labels" not in set(asked["representation"]):
        return f"{told}; a fresh classifier reads it all the same, so it has not been removed"
    return f"{told}; what a fresh classifier still reads may be no more than the labels tell"


def _beyond(asked: pd.DataFrame) -> bool:
    """Whether any classifier reads more from the supervised dimensions than the labels of the tasks tell."""
    return bool((asked.loc[asked["representation"] == "supervised", "over_low"] > 0).any())


def _readable(asked: pd.DataFrame, representation: str) -> bool:
    return bool((asked.loc[asked["representation"] == representation, "readable"] == "yes").any())


def _value(row: pd.Series) -> str:
    return f"{metric_name(row['metric'])} {interval(row['value'], row['ci_low'], row['ci_high'])}"
