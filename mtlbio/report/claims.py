"""A verdict's numbers in a few words, for lists."""

from mtlbio.probing.columns import column_of
from mtlbio.report.adjusted import linked_task
from mtlbio.report.effect_words import effect_in_words
from mtlbio.report.inputs import Inputs
from mtlbio.report.words import percent
from mtlbio.text import joined, known

MOST_EFFECTS = 2


def claim(inputs: Inputs, dim: str) -> str:
    """``disease +0.90 SD (0.50 to 1.30)``, or ``98 % of its variance; every prediction does without it``."""
    row = inputs.verdicts.loc[dim]
    if row["verdict"] not in ("technical", "confounder"):
        own = [t for t in inputs.tasks if row["verdict"] == "biology" and row.get(column_of("verdict", t)) == "biology"]
        nearest = linked_task(inputs, row)
        tasks = own or ([nearest] if nearest else [])
        # the closest link first, whatever the order of the YAML
        tasks = sorted(tasks, key=lambda t: t != nearest)[:MOST_EFFECTS]
        return "; ".join(f"{t} {effect_in_words(inputs, dim, t)}" for t in tasks)
    share = row.get(column_of("share", row["driver"])) if known(row["driver"]) else None
    parts = [f"{percent(share)} of its variance"] if known(share) else []
    if row["verdict"] == "technical":
        removal = {t: row.get(column_of("removal", t)) for t in inputs.tasks}
        harmed = [t for t, call in removal.items() if call == "harmful"]
        if harmed:
            parts.append(f"a shortcut: {joined(harmed)} lose{'s' if len(harmed) == 1 else ''} without it")
        elif removal and set(removal.values()) == {"harmless"}:
            parts.append("every prediction does without it")
    return "; ".join(parts)
