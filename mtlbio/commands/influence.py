"""``mtlbio influence``: who moves what.

An extra on request, no step of the workflow: it reads what ``prepare`` wrote and, where it is there, what ``train`` and
``probe`` did, and adds ``influence.tsv`` and a folder ``influence/``.
"""

from pathlib import Path

import pandas as pd

from mtlbio.cohort.cohort import read_cohort
from mtlbio.errors import InputError, listing
from mtlbio.evaluation.influence import influence_of_donors
from mtlbio.integrity.record import place_of, read_record
from mtlbio.integrity.step import checked
from mtlbio.kinds import kind_of
from mtlbio.kinds.schemas import DonorRun
from mtlbio.probing.audit import audited
from mtlbio.probing.retrial import retrial_of
from mtlbio.probing.turned import by_dim, candidates, hanging_effects, turned_verdicts
from mtlbio.progress import say, track
from mtlbio.report.influence import coupling_sentences, mixup_sentences, turned_sentences
from mtlbio.report.made_of import write_made_of
from mtlbio.tables import COUPLING, HANGING, INFLUENCE, TURNED, VERDICTS, read_table, write_table


def influence(run: DonorRun, results: Path, most: int = 20) -> list[str]:
    """Write ``influence.tsv`` and ``influence/{coupling,hanging,turned}.tsv``; gives what they say in sentences.

    ``most``: donors without whom the trial is held again; the last two tables are those of a run with verdicts.

    An InputError where the folder is not prepared, no task has labels that differ, or its verdicts are not those that
    its files give.
    """
    results, words = Path(results), kind_of(run).vocabulary
    tried = most > 0 and read_record(place_of(results, "probe")) is not None
    checked(results, ("prepare", "train", "probe") if tried else ("prepare",), run)
    cohort = read_cohort(results / "cohort.h5ad")
    say(f"What every {words.unit} moves: a linear multi-task model of {len(cohort.obs)} {words.samples}")
    donors, coupling = influence_of_donors(cohort)
    write_table(donors, results / "influence.tsv", INFLUENCE)
    write_table(coupling, results / "influence" / "coupling.tsv", COUPLING)
    turned = _turned(run, results, most) if tried else None
    for name in () if tried else ("hanging", "turned"):  # of earlier verdicts
        (results / "influence" / f"{name}.tsv").unlink(missing_ok=True)
    write_made_of(results)
    said = [f"No verdicts yet: `mtlbio probe` first, to see which of them hang on one {words.unit}."]
    said = turned_sentences(turned, words) if turned is not None else said if most > 0 else []
    return [*mixup_sentences(donors, words), *said, *coupling_sentences(coupling)]


def _turned(run: DonorRun, results: Path, most: int) -> pd.DataFrame:
    """Write ``influence/{hanging,turned}.tsv``; gives the second."""
    retrial = retrial_of(run, results)
    whole = by_dim(retrial.judged())
    verdicts = read_table(results / "verdicts.tsv", VERDICTS).set_index("dim")["verdict"]
    others = [dim for dim, item in whole.items() if verdicts.get(dim) != item.verdict.verdict]
    if others:
        raise InputError(
            f"{results / 'verdicts.tsv'}: the verdict of {listing(others)} is not the one that the latents and tables "
            "beside it give; run `mtlbio probe` again"
        )
    hanging = hanging_effects(audited(retrial.trial)[0])
    write_table(hanging[HANGING], results / "influence" / "hanging.tsv", HANGING)
    chosen = candidates(hanging, most)
    unit = kind_of(run).vocabulary.unit
    turned = turned_verdicts(retrial, whole, track(chosen, f"The trial without one {unit}", len(chosen)))
    write_table(turned, results / "influence" / "turned.tsv", TURNED)
    return turned
