"""Can the batch still be read? One paragraph per technical covariate, from ``reprobe.tsv``."""

import pandas as pd

from mtlbio.kinds.vocabulary import DONORS, Vocabulary
from mtlbio.metrics import metric_named
from mtlbio.report.words import interval
from mtlbio.text import known, number


def fresh_readings(table: pd.DataFrame | None, words: Vocabulary = DONORS) -> list[str]:
    """Paragraphs; none where there is no covariate to read."""
    if table is None:
        return []
    return [_paragraph(name, rows, words) for name, rows in table.groupby("covariate", sort=False)]


def _paragraph(name: str, rows: pd.DataFrame, words: Vocabulary) -> str:
    adversary = (rows["adversary"] == "yes").any()
    rows, why = rows[rows["value"].notna()], str(rows["why"].iloc[0])
    if not len(rows):
        return f"{why} Whether the adversary removed it is not known." if adversary else why
    best = rows.sort_values("value", ascending=False, kind="stable").groupby("representation").first()
    parts = []
    if "supervised" in best.index:
        row, readable = best.loc["supervised"], _readable(rows, "supervised")
        parts.append(
            f"{name} {'can' if readable else 'could not'} be read from the dimensions that the tasks trained: "
            f"{_value(row)} by a fresh {row['classifier']} classifier on {int(row['n_donors'])} {words.units}, where "
            f"chance is {number(row['chance'], 1)}"
        )
        if "labels" in best.index and known(row["over_labels"]):
            floor = number(max(best.loc["labels", "value"], row["chance"]))
            beyond = "that is more than they explain" if _beyond(rows) else "more than they explain has not been shown"
            parts[-1] += f" and the labels of the tasks alone give {floor}" + (f": {beyond}" if readable else "")
    if "axes" in best.index:
        verb = "can" if _readable(rows, "axes") else "could not"
        parts.append(f"From {words.axes} it {verb} be read ({_value(best.loc['axes'])})")
    if adversary and "supervised" in best.index:
        parts.append(f"The network was trained with an adversary against it{_removed(rows)}")
    return ". ".join(parts) + "."


def _removed(rows: pd.DataFrame) -> str:
    if not _readable(rows, "supervised"):
        return ", and no fresh classifier reads it from there better than chance"
    if _beyond(rows) or "labels" not in set(rows["representation"]):
        return "; a fresh classifier reads it all the same, so it has not been removed"
    return "; what a fresh classifier still reads may be no more than the labels tell"


def _beyond(rows: pd.DataFrame) -> bool:
    """Whether any classifier reads more from the supervised dimensions than the labels of the tasks tell."""
    return bool((rows.loc[rows["representation"] == "supervised", "over_low"] > 0).any())


def _readable(rows: pd.DataFrame, representation: str) -> bool:
    return bool((rows.loc[rows["representation"] == representation, "readable"] == "yes").any())


def _value(row: pd.Series) -> str:
    return f"{metric_named(row['metric']).printed} {interval(row['value'], row['ci_low'], row['ci_high'])}"
