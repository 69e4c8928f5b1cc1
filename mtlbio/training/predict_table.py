"""Applying the final ensemble of a run of kind table to samples it has never seen."""

from pathlib import Path

import numpy as np
import pandas as pd

from mtlbio.cohort.metadata import by_sample, read_metadata, text_table
from mtlbio.cohort.tabular import Plan
from mtlbio.errors import InputError, listing
from mtlbio.intake.notes import notice, noticing
from mtlbio.model.added import predictors
from mtlbio.model.ensemble import Ensemble, load_ensemble, model_description
from mtlbio.progress import say
from mtlbio.text import suggestion
from mtlbio.training.new_samples.checks import FINE, LOOK, REFUSED, Checks
from mtlbio.training.new_samples.genes import MIN_SHARED
from mtlbio.training.new_samples.ranges import Ranges, check_ranges, known_levels, say_cost
from mtlbio.training.new_samples.sites import places_of_sites, read_sites
from mtlbio.training.new_samples.trained_on import prepared
from mtlbio.training.predict import write_predictions

_EARLIER = (
    "the model keeps no ranges of its numbers (an earlier mtlbio trained it): these are not compared with them; train "
    "again for that"
)


def predict(
    results: Path,
    table: Path,
    out: Path,
    anyway: bool | None = None,
    sites: Path | None = None,
    tasks: str | None = None,
) -> None:
    """Write ``predictions.tsv``, ``checks.tsv`` and ``latents.h5ad`` below ``out`` for new samples, whose features
    stand in the columns of the training cohort in ``table``; ``results`` is the folder of the finished run. ``anyway``:
    predict also where too few columns are there, or numbers are in another unit; ``sites``: table that says which site
    each sample comes from, for a model whose heads know sites; where left out, ``table`` may hold that column itself;
    ``tasks``: names with commas between, added ones among them; the model's own where None.

    Raises
    ------
    InputError
        No model, no such task, an unreadable table, too few features in common, or numbers in another unit.
    """
    results, out, checks = Path(results), Path(out), Checks(str(table))
    ensemble = load_ensemble(results / "model")
    preprocessing = model_description(results / "model")["preprocessing"]
    plan, of_sample = Plan.read(preprocessing["table"]), read_sites(sites, ensemble)
    chosen = predictors(ensemble, results, tasks)
    with noticing() as notes:
        values, samples, beside = _coded(plan, preprocessing["sample"], Path(table), ensemble, results, checks)
        ranges = Ranges.read(results / "model")
        if ranges is not None:
            check_ranges(values, plan, ranges, checks)
        elif any(source.kind == "number" for source in plan.sources):
            notice(table, _EARLIER, doubt=True)
        checks.settle(bool(anyway))
        at = places_of_sites(ensemble, beside if of_sample is None else of_sample, samples, str(table))
    for note in notes:
        say(f"Warning: {note}" if note.doubt else str(note))
    write_predictions(results, ensemble, values, samples, out, checks.table(), chosen, at)


def _coded(
    plan: Plan, sample: str, path: Path, ensemble: Ensemble, results: Path, checks: Checks
) -> tuple[np.ndarray, np.ndarray, pd.Series | None]:
    """Coded features of new samples (n, columns), the samples, and their sites where heads know sites and the table
    has them; says what is missing or unknown."""
    table = read_metadata(path, "features")
    names = [source.name for source in plan.sources]
    if sample not in table.columns:
        raise InputError(
            f"{path}: no column {sample!r} with the sample identifiers; {suggestion(sample, table.columns)}"
        )
    absent = [name for name in names if name not in table.columns]
    there = len(names) - len(absent)
    if not there:
        raise InputError(f"{path}: 0 of the model's {len(names)} features found; {suggestion(names[0], table.columns)}")
    share = there / len(names)
    call = REFUSED if share < MIN_SHARED else LOOK if absent else FINE
    checks.add("columns_there", "all samples", share, 1.0, MIN_SHARED, 1.0, call, "of the model's features")
    if absent:
        cost = say_cost(absent, plan, ensemble, prepared(results), checks)
        if share < MIN_SHARED:
            checks.refuse(
                f"{there} of the model's {len(names)} features found; at least {MIN_SHARED:.0%} are needed (missing: "
                f"{listing(absent, 5)}){cost}"
            )
        else:
            lacking = f"{len(absent)} of the model's {len(names)} features are not there: {listing(absent, 5)}"
            checks.look(f"{lacking}; missing for everybody{cost}")
    column = ensemble.site_column if ensemble.site_column in table.columns else None
    text = text_table(table.assign(**dict.fromkeys(absent, np.nan)), [sample, *names, *([column] if column else [])])
    text = by_sample(text, sample, str(path))
    sites = text[column] if column else None
    text = known_levels(text, plan, checks)
    return plan.code(text, str(path)), text.index.to_numpy().astype(str), sites
