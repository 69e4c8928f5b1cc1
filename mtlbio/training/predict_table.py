"""Applying the final ensemble of a run of kind table to samples it has never seen."""

from pathlib import Path

import numpy as np

from mtlbio.cohort.metadata import by_sample, read_metadata, text_table
from mtlbio.cohort.tabular import Plan
from mtlbio.errors import InputError, listing
from mtlbio.model.ensemble import load_ensemble, model_description
from mtlbio.progress import say
from mtlbio.text import suggestion
from mtlbio.training.predict import MIN_SHARED, write_predictions


def predict(results: Path, table: Path, out: Path) -> None:
    """Write ``predictions.tsv`` and ``latents.h5ad`` below ``out`` for new samples, whose features stand in the columns
    of the training cohort in ``table``; ``results`` is the folder of the finished run.

    Raises
    ------
    InputError
        No model, an unreadable table, or too few features in common.
    """
    results, out = Path(results), Path(out)
    ensemble = load_ensemble(results / "model")
    values, samples = _coded(model_description(results / "model")["preprocessing"], Path(table))
    write_predictions(results, ensemble, values, samples, out)


def _coded(preprocessing: dict, path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Coded features of new samples (n, columns), and the samples; says what is missing or unknown."""
    plan, sample = Plan.read(preprocessing["table"]), preprocessing["sample"]
    table = read_metadata(path, "features")
    names = [source.name for source in plan.sources]
    if sample not in table.columns:
        raise InputError(
            f"{path}: no column {sample!r} with the sample identifiers; {suggestion(sample, table.columns)}"
        )
    absent = [name for name in names if name not in table.columns]
    if len(names) - len(absent) < MIN_SHARED * len(names):
        raise InputError(
            f"{path}: {len(names) - len(absent)} of the model's {len(names)} features found; at least {MIN_SHARED:.0%} "
            f"are needed (missing: {listing(absent, 5)})"
        )
    if absent:
        say(f"{len(absent)} of the model's {len(names)} features are not in {path.name}: missing for everybody")
    text = text_table(table.assign(**dict.fromkeys(absent, np.nan)), [sample, *names])
    text = by_sample(text, sample, str(path))
    for source in plan.sources:
        levels = {*source.levels, *source.pooled}
        new = sorted(set(text[source.name].dropna()) - levels) if source.kind == "category" else []
        if new:
            consequence = "count as other" if source.pooled else "are no level that the model knows"
            say(f"{source.name}: {listing(new, 5)} did not occur in training and {consequence}")
    return plan.code(text, str(path)), text.index.to_numpy().astype(str)
