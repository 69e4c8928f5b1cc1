"""What a dimension leans to: its odds, in words, and in which order the undecided ones are worth a look."""

import pandas as pd

from mtlbio.probing.columns import ODDS
from mtlbio.report.words import percent
from mtlbio.text import joined, known

_WORDS = {"none": "nothing"}  # role -> what a sentence says
_SAID = 0.05  # odds below which a role is not mentioned
_EVEN = 0.5  # the likeliest role leans nowhere below this


def odds(row: pd.Series) -> dict[str, float]:
    """Role -> odds of a row of verdicts.tsv, the likeliest first; empty where the table has none, and of an axis that
    is judged as a part of a plane: the odds are of its own evidence, which turns with it."""
    if known(row.get("subspace")):
        return {}
    values = {role: float(row[column]) for role, column in ODDS.items() if known(row.get(column))}
    return dict(sorted(values.items(), key=lambda item: -item[1]))


def leaning(row: pd.Series) -> str | None:
    """One sentence on what a dimension without a verdict leans to; None where the table has no odds."""
    ranked = odds(row)
    if not ranked or row["verdict"] != "underpowered":
        return None
    # of five roles that sum to 1 the likeliest is always said
    first, *others = [(role, value) for role, value in ranked.items() if value >= _SAID]
    where = _WORDS.get(first[0], first[0])
    start = f"Leans to {where}" if first[1] >= _EVEN else f"Leans nowhere, most to {where}"
    rest = joined([f"{percent(value)} {_WORDS.get(role, role)}" for role, value in others])
    counted = f"of planted dimensions with such evidence, {percent(first[1])} were {where}{', ' if rest else ''}{rest}"
    return f"{start}: {counted}."


def by_odds(verdicts: pd.DataFrame) -> pd.Series:
    """What rows of one verdict are ordered by: of undecided ones the likeliest biology comes first, those without odds
    last; else the name."""
    if ODDS["biology"] not in verdicts:
        return pd.Series(0.0, verdicts.index)
    likely = verdicts.apply(lambda row: odds(row).get("biology", 0.0), axis=1).astype(float)
    return -likely.where(verdicts["verdict"] == "underpowered", 0.0)
