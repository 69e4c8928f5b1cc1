"""Which dimensions come first on the page."""

import pandas as pd

from mtlbio.probing.columns import column_of, of_family
from mtlbio.probing.verdict import RETURNS
from mtlbio.report.leaning import odds
from mtlbio.text import known

# a shortcut is a technical dimension that a prediction leans on: whoever reads one card only should see it
SHOWN_FIRST = ("biology", "shortcut", "technical", "confounder", "mixed", "not_identifiable")


def strength(row: pd.Series) -> float:
    """What a dimension is ranked by among its kind: the driver's share, the odds of biology where nothing is decided,
    or the largest effect on a task. An undecided one without odds comes after those that have them, and one that was
    not found again comes last."""
    likely = odds(row)
    if row["verdict"] == "underpowered" and known(row.get("stability")) and row["stability"] < RETURNS:
        return -2.0
    if row["verdict"] == "underpowered" and likely:
        return likely["biology"]
    share = row.get(column_of("share", row["driver"]))
    if row["verdict"] in ("technical", "confounder") and known(share):
        return float(share)
    effects = [abs(float(row[c])) for c in of_family("effect", row.index) if known(row[c])]
    shares = [float(row[c]) for c in of_family("share", row.index) if known(row[c])]
    largest = max(effects or shares or [0.0])
    return -1 / (1 + largest) if row["verdict"] == "underpowered" else largest


def kind(row: pd.Series) -> str:
    """The verdict, with ``shortcut`` for a technical dimension whose removal harms a task."""
    harmful = any(row[c] == "harmful" for c in of_family("removal", row.index))
    return "shortcut" if row["verdict"] == "technical" and harmful else row["verdict"]


def ranked(verdicts: pd.DataFrame, supervised: frozenset[str] = frozenset()) -> dict[str, list[str]]:
    """Dimensions of every kind, those that matter most first; kinds in the order of the page.

    Within a kind axes come before ``supervised`` dimensions, which were trained to follow their task, and the strongest
    comes first.
    """

    def rank(rows: pd.DataFrame) -> list[str]:
        by_strength = rows.apply(strength, axis=1).sort_values(ascending=False, kind="stable").index
        return sorted(by_strength, key=lambda dim: dim in supervised)

    groups = {name: rank(rows) for name, rows in verdicts.groupby(verdicts.apply(kind, axis=1))}
    return {name: groups[name] for name in (*SHOWN_FIRST, "underpowered", "unused") if name in groups}


def choose(verdicts: pd.DataFrame, cards: int, supervised: frozenset[str] = frozenset()) -> list[str]:
    """Dimensions to show first, in the order of :func:`ranked`.

    Each of the telling kinds is represented before any comes twice, even where ``cards`` is smaller than their
    number. Unused dimensions only appear where nothing else is there.
    """
    groups = ranked(verdicts, supervised)
    telling = [k for k in SHOWN_FIRST if k in groups]
    room = max(cards, len(telling))
    # the first round covers every kind; later rounds fill up in the same order, and the silent kinds come last
    queue = [groups[k][i] for i in range(len(verdicts)) for k in telling if i < len(groups[k])]
    queue += groups.get("underpowered", [])
    chosen = set((queue or groups["unused"])[:room])
    return [d for dims in groups.values() for d in dims if d in chosen]
