"""Do the labels of a task look shuffled? A warning per alarm and one line for the rest, from ``label_noise.tsv``."""

import pandas as pd

from mtlbio.report.words import percent
from mtlbio.text import joined, known


def label_warnings(table: pd.DataFrame | None) -> dict:
    """``alarms``: paragraphs, one per task with an alarm; ``quiet``: a sentence on the other tasks, or ""."""
    if table is None:
        return {"alarms": [], "quiet": ""}
    loud = table["alarm"] == "yes"
    return {"alarms": [_alarm(row) for _, row in table[loud].iterrows()], "quiet": _quiet(table[~loud])}


def _alarm(row: pd.Series) -> str:
    suspects = f" Most likely wrong (with probability): {row['suspects']}." if known(row["suspects"]) else ""
    return f"{row['why']}{suspects} Whatever this page says about {row['task']} rests on these labels."


def _quiet(rows: pd.DataFrame) -> str:
    parts = []
    clean, blind = (rows[rows["could_show"] == word] for word in ("yes", "no"))
    if len(clean):
        bounds = joined([f"{r['task']} (at most {percent(r['share_high'])} drawn anew)" for _, r in clean.iterrows()])
        parts.append(f"No sign of shuffled labels in {bounds}.")
    if len(blind):
        names = joined(list(blind["task"])) + (" either" if parts else "")
        honest = "with such predictions not even half-shuffled labels could be told from honest ones."
        parts.append(f"No alarm for {names}, but {honest}")
    parts += [str(why) for why in rows.loc[~rows["could_show"].isin(["yes", "no"]), "why"]]
    return " ".join(parts)
