"""Applying the final networks of a run with blocks to samples they have never seen, each with the blocks that it has.

Every block is read, checked and brought onto its scale as new samples of a cohort of that assay alone are. A sample is
predicted by the networks of its blocks, in the shares that were found for exactly these: what one sample lacks changes
no other's prediction.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mtlbio.cohort.assays.blocks import SEPARATOR, Pattern, blocks_of, of_blocks, plain, said
from mtlbio.cohort.measurements import Measurements
from mtlbio.errors import InputError
from mtlbio.intake.notes import noticing
from mtlbio.model.added import named_tasks, read_head
from mtlbio.model.ensemble import FINAL
from mtlbio.progress import say
from mtlbio.tables import CHECKS, PREDICTIONS, RESTS_ON, write_table
from mtlbio.training.assays.networks import BlockModel
from mtlbio.training.assays.new_files import places_of_blocks
from mtlbio.training.new_samples.checks import Checks
from mtlbio.training.new_samples.genes import in_model_order
from mtlbio.training.new_samples.onto_model import Known, compared, filled, rescaled
from mtlbio.training.new_samples.onto_scale import with_whole_counts
from mtlbio.training.new_samples.read import read_new
from mtlbio.training.new_samples.trained_on import prepared
from mtlbio.training.predict import predictions_table, say_known, write_new_latents


def predict(
    results: Path,
    new: Path,
    out: Path,
    standardise: str = "training",
    anyway: bool | None = None,
    tasks: str | None = None,
) -> None:
    """Write ``predictions.tsv``, ``rests_on.tsv``, ``checks.tsv`` and ``latents.h5ad`` for new samples.

    Parameters
    ----------
    results : folder of a finished run with blocks
    new : as of :func:`mtlbio.training.assays.new_files.places_of_blocks`
    out : folder for the results
    standardise, anyway : as of :func:`mtlbio.training.predict.predict`, block by block
    tasks : names of tasks, with commas between, added ones (docs/add_task.md) among them; the run's own where None

    Raises
    ------
    InputError
        As of :func:`mtlbio.training.predict.predict`, of any block; ``blocks.<name>`` says of which.
    """
    results, new, out = Path(results), Path(new), Path(out)
    model = BlockModel.load(results / "model")
    chosen = named_tasks(model.tasks, results, tasks)
    heads = {name: read_head(results, name) for name in chosen if name not in model.tasks}
    places = places_of_blocks(new, model.preprocessing)
    parts, tables = dict[str, tuple[np.ndarray, np.ndarray]](), list[pd.DataFrame]()
    with noticing() as notes:
        for name, (path, preprocessing) in places.items():
            try:
                *part, checks = _block(model, name, path, preprocessing, results, standardise, bool(anyway))
            except InputError as error:
                raise InputError(f"blocks.{name}: {error}") from None
            parts[name] = part[0], part[1]
            tables.append(checks.assign(check=f"{name}: " + checks["check"]))
        samples = np.array(list(dict.fromkeys(np.concatenate([own for own, _ in parts.values()]).tolist())), dtype=str)
        say_known(str(new), samples, results)
    for note in notes:
        say(f"Warning: {note}" if note.doubt else str(note))
    values, patterns = _side_by_side(model, parts, samples)
    outputs = model.outputs(values, patterns)
    latents = model.latents(values, patterns, outputs)
    predicted = [
        (heads[name].task, heads[name].predict(latents))
        if name in heads
        else (model.tasks[name], model.predict(name, outputs))
        for name in chosen
    ]
    own = [name for name in chosen if name in model.tasks]
    write_table(predictions_table(predicted, samples), out / "predictions.tsv", PREDICTIONS)
    write_table(rests_on(model, own, samples, patterns), out / "rests_on.tsv", RESTS_ON)
    write_table(pd.concat(tables, ignore_index=True), out / "checks.tsv", CHECKS)
    write_new_latents(results / "latents.h5ad", latents.mean(axis=0), samples, out / "latents.h5ad")
    having = ", ".join(f"{said(own) or 'none of the blocks'} {patterns.count(own)}" for own in dict.fromkeys(patterns))
    say(f"{len(samples)} samples predicted; they have {having}")


def _block(
    model: BlockModel,
    name: str,
    path: Path,
    preprocessing: dict[str, Any],
    results: Path,
    standardise: str,
    anyway: bool,
) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    """The samples that have a block, its genes (n, p) on the scale of training without gaps, and what was checked."""
    network, reference, checks = model.networks[name,], model.references[name], Checks(str(path))
    data = _named_alone(read_new(path, preprocessing, network.genes), name)
    data = _measured(in_model_order(data, network))
    data = with_whole_counts(data, preprocessing["scale"])
    known = partial(_trained_on, results, name)
    values = compared(data, network, reference, preprocessing, standardise == "training", known, checks)
    if standardise == "cohort":
        values = rescaled(values, network, str(path))
    checks.settle(anyway)
    return data.samples, filled(values, network, reference), checks.table()


def _named_alone(data: Measurements, name: str) -> Measurements:
    """Features without the name of their block, with which a MuData may tell transcripts from proteins."""
    if not all(str(gene).startswith(f"{name}{SEPARATOR}") for gene in data.genes):
        return data
    return replace(data, genes=np.array([plain(gene) for gene in data.genes], dtype=str))


def _measured(data: Measurements) -> Measurements:
    """Without the samples that have none of the genes: they lack the block."""
    there = ~np.isnan(data.dense()).all(axis=1)
    if not there.any():
        raise InputError(f"{data.source}: every value is missing; leave the block out")
    return data.keep(there)


def _trained_on(results: Path, name: str) -> Known:
    """The training samples that have a block, with their folds."""
    found = prepared(results)
    if isinstance(found, str):
        return found
    cohort, splits = found
    rows = np.flatnonzero(blocks_of(cohort).have([name]))
    part = of_blocks(cohort, (name,), rows)
    return part, splits.iloc[rows].reset_index(drop=True)


def _side_by_side(
    model: BlockModel, parts: dict[str, tuple[np.ndarray, np.ndarray]], samples: np.ndarray
) -> tuple[dict[str, np.ndarray], list[Pattern]]:
    """Block -> (n, genes) of all samples, NaN where one lacks it, and which blocks each has."""
    values, have = dict[str, np.ndarray](), np.zeros((len(samples), len(model.names)), dtype=bool)
    for place, name in enumerate(model.names):
        values[name] = np.full((len(samples), len(model.networks[name,].genes)), np.nan)
        if name in parts:
            own, found = parts[name]
            rows = pd.Index(samples).get_indexer(own)
            values[name][rows] = found
            have[rows, place] = ~np.isnan(found).all(axis=1)
    return values, [tuple(name for name, has in zip(model.names, row, strict=True) if has) for row in have]


def rests_on(model: BlockModel, tasks: list[str], samples: np.ndarray, patterns: list[Pattern]) -> pd.DataFrame:
    """Columns ``RESTS_ON``: the blocks that a sample has, and how much of its prediction comes from which network."""
    rows = [
        [sample, None, FINAL, said(pattern), task, said(own), share]
        for sample, pattern in zip(samples, patterns, strict=True)
        if pattern
        for task in tasks
        for own, share in model.shares(pattern, task).items()
    ]
    return pd.DataFrame(rows, columns=RESTS_ON)
