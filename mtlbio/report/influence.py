"""Who moves what, in sentences: whose sample is not theirs, which verdict hangs on whom, which task moves another."""

from __future__ import annotations

import pandas as pd

from mtlbio.kinds.vocabulary import Vocabulary
from mtlbio.report.inputs import Inputs
from mtlbio.report.words import counted, probability
from mtlbio.text import joined, number

MOST_NAMED = 5  # donors in a sentence
MOST_VERDICTS = 8  # sentences
CLAIM_NOTHING = ("unused", "underpowered")


def influence(inputs: Inputs) -> list[str]:
    """The sentences of ``mtlbio influence``; none where it was not asked, or of other results than these."""
    donors, coupling, turned = (inputs.tables.get(name) for name in ("influence", "coupling", "turned"))
    if donors is None or coupling is None:
        return []
    said = [] if turned is None else turned_sentences(turned, inputs.words)
    return [*mixup_sentences(donors, inputs.words), *said, *coupling_sentences(coupling)]


def mixup_sentences(donors: pd.DataFrame, words: Vocabulary) -> list[str]:
    """Of whom measurements and records hardly go together."""
    first = donors.drop_duplicates("donor")
    if first["evidence"].isna().all():
        return [f"Too few {words.units} to say whose measurements and records do not go together."]
    strong = first[first["suspect"] == "yes"]
    if strong.empty:
        return [f"Of no {words.unit} do the measurements or a record look like somebody else's."]
    named = [f"{row.donor} ({row.odd}, {number(row.evidence, 1)} nats)" for row in strong.head(MOST_NAMED).itertuples()]
    named += [f"{len(strong) - MOST_NAMED} more"] if len(strong) > MOST_NAMED else []
    return [f"Look at {joined(named)}: the measurements, or what is named, look like somebody else's."]


def turned_sentences(turned: pd.DataFrame, words: Vocabulary) -> list[str]:
    """Which verdict is another one without whom."""
    if turned.empty:
        return [f"No verdict hangs on one {words.unit}: all stay without any one of those who move a test most."]
    pairs = turned[["verdict", "verdict_without"]]
    claims = turned[~pairs.isin(CLAIM_NOTHING).all(axis=1)]
    biology = pairs.loc[claims.index].eq("biology").any(axis=1)
    order = claims.assign(first=biology).sort_values(["first", "again"], ascending=False, kind="stable")
    out = []
    for row in order.head(MOST_VERDICTS).itertuples():
        sure = "" if row.again == "yes" else "; with other draws of the permutations it may not turn"
        numbers = f"{row.task}: p {probability(row.p)} with, {probability(row.p_without)} without"
        before, after = (str(v).replace("_", " ") for v in (row.verdict, row.verdict_without))
        out.append(f"{row.dim} is {before}, and without {row.donor} {after} ({numbers}{sure}).")
    more, quiet = len(claims) - MOST_VERDICTS, len(turned) - len(claims)
    out += [f"{counted(more, 'more verdict')} turn: influence/turned.tsv."] if more > 0 else []
    if quiet:
        times = f"{counted(quiet, 'time')} without one {words.unit}"
        out.append(f"{times} a dimension goes from unused to underpowered, or back: neither claims anything.")
    return out


def coupling_sentences(coupling: pd.DataFrame) -> list[str]:
    """Which task moves which other one most."""
    moving = coupling[coupling["rate"] > 0].sort_values("rate", ascending=False, kind="stable")
    if moving.empty:
        return []
    row = moving.iloc[0]
    return [
        f"Labels of {row['by']} that move its own predictions by one standard deviation move those of {row['task']} by "
        f"{number(row['rate'], 4)}, more than those of any other task move another."
    ]
