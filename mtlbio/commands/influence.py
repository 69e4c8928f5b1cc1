"""``mtlbio influence``: who moves what.

An extra on request, no step of the workflow: it reads what ``prepare`` wrote, and adds ``influence.tsv`` and a folder
``influence/``.
"""

from pathlib import Path

import pandas as pd

from mtlbio.cohort.cohort import read_cohort
from mtlbio.evaluation.influence import influence_of_donors
from mtlbio.integrity.step import checked
from mtlbio.kinds import kind_of
from mtlbio.kinds.schemas import DonorRun
from mtlbio.kinds.vocabulary import Vocabulary
from mtlbio.progress import say
from mtlbio.tables import COUPLING, INFLUENCE, write_table
from mtlbio.text import joined, number

MOST_NAMED = 5


def influence(run: DonorRun, results: Path) -> list[str]:
    """Write ``influence.tsv`` and ``influence/coupling.tsv``; gives what they say in sentences.

    An InputError where the folder is not prepared, or no task has labels that differ.
    """
    results, words = Path(results), kind_of(run).vocabulary
    checked(results, ("prepare",), run)
    cohort = read_cohort(results / "cohort.h5ad")
    say(f"What every {words.unit} moves: a linear multi-task model of {len(cohort.obs)} {words.samples}")
    donors, coupling = influence_of_donors(cohort)
    write_table(donors, results / "influence.tsv", INFLUENCE)
    write_table(coupling, results / "influence" / "coupling.tsv", COUPLING)
    return [*mixup_sentences(donors, words), *coupling_sentences(coupling)]


def mixup_sentences(donors: pd.DataFrame, words: Vocabulary) -> list[str]:
    """Of whom measurements and records hardly go together."""
    first = donors.drop_duplicates("donor")
    if first["evidence"].isna().all():
        return [f"Too few {words.units} to say whose measurements and records do not go together."]
    strong = first[first["suspect"] == "yes"]
    if strong.empty:
        return [f"Of no {words.unit} do the measurements look like somebody else's."]
    named = [f"{row.donor} ({row.odd}, {number(row.evidence, 1)} nats)" for row in strong.head(MOST_NAMED).itertuples()]
    named += [f"{len(strong) - MOST_NAMED} more"] if len(strong) > MOST_NAMED else []
    return [f"Look at {joined(named)}: the measurements look like somebody else's than who is recorded."]


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
