"""``mtlbio transfer``: which tasks to train together, and what more labels would change.

An extra on request, no step of the workflow: it reads what ``prepare`` wrote and adds a folder ``transfer/``.
"""

import os
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort, read_cohort
from mtlbio.errors import InputError, listing
from mtlbio.evaluation.affinity import affinity_table, group_table, score_subsets, subset_table
from mtlbio.evaluation.learning_curve import SMALLEST, curve_row, curve_table, sizes
from mtlbio.integrity.step import checked
from mtlbio.kinds import kind_of
from mtlbio.kinds.schemas import DonorRun
from mtlbio.kinds.vocabulary import Vocabulary
from mtlbio.progress import say, track
from mtlbio.report.gain_curve import gain_figure
from mtlbio.report.svg import house_style, save
from mtlbio.tables import AFFINITY, CURVE, GROUPS, SPLITS, SUBSETS, read_table, write_table
from mtlbio.training.device import choose_device
from mtlbio.training.fewer_labels import nested_order, training_donors, with_labels_of
from mtlbio.training.subsets import ALL_SUBSETS, fit_copies, fit_subsets, refitter_of, task_subsets


def transfer(run: DonorRun, results: Path, curves: list[str], draws: int, source: str) -> list[str]:
    """Write ``transfer/{subsets,affinity,groups}.tsv`` and, for ``curves``, ``curve.tsv`` and its figure.

    Gives the results in sentences. An InputError at an unknown task, one task only, too few labels for a curve, or a
    folder that is not prepared.

    Parameters
    ----------
    run : training and evaluate say how networks are fitted and donors drawn
    results : folder of the prepared run
    curves : tasks whose learning curve is drawn
    draws : draws of the labelled donors per point of a curve
    source : the run's YAML, for messages
    """
    results = Path(results)
    subsets = task_subsets(run.tasks)
    unknown = [task for task in curves if task not in run.tasks]
    if unknown:
        raise InputError(f"--curve: no task {unknown[0]!r} in {source}; valid: {listing(run.tasks)}")
    for file in ("cohort.h5ad", "splits.tsv"):
        if not (results / file).exists():
            raise InputError(f"{results / file}: no such file; run `mtlbio prepare {source} --results {results}` first")
    checked(results, ("prepare",))
    cohort, splits = read_cohort(results / "cohort.h5ad"), read_table(results / "splits.tsv", SPLITS)
    if list(cohort.tasks) != [name for name, task in run.tasks.items() if not task.auxiliary]:
        raise InputError(
            f"{results / 'cohort.h5ad'}: prepared with the tasks {listing(cohort.tasks)}, {source} has "
            f"{listing(run.tasks)}; run `mtlbio prepare {source} --results {results}` again"
        )
    device = choose_device(run.training.device)
    refitter = refitter_of(cohort, splits, run.training, subsets, device)
    plans = {task: _plan(cohort, splits, refitter.folds, task, draws, run) for task in dict.fromkeys(curves)}
    folder = results / "transfer"
    sentences = _subsets(run, cohort, refitter, subsets, folder)
    if plans:
        rows = [row for task, sets in plans.items() for row in _curve(run, cohort, splits, task, sets, device)]
        table = curve_table(rows)
        write_table(table, folder / "curve.tsv", CURVE)
        _draw(table, folder, kind_of(run).vocabulary)
    return sentences


def _subsets(run, cohort: Cohort, refitter, subsets, folder: Path) -> list[str]:
    """Train every subset, write its three tables and say what is proposed."""
    which = "every subset" if len(cohort.tasks) <= ALL_SUBSETS else "single tasks, pairs and all tasks together"
    networks = 2 * len(refitter.folds) * len(subsets) * run.training.seeds
    say(f"{which.capitalize()}: {len(subsets)} sets of tasks, {networks} networks")
    predictions = fit_subsets(
        cohort, refitter, subsets, lambda epochs, name: track(epochs, f"Training the {name} block", len(epochs))
    )
    labels, evaluate = {task: cohort.y(task) for task in cohort.tasks}, run.evaluate
    drawn = (evaluate.bootstrap, evaluate.seed, cohort.clusters)
    scores = score_subsets(cohort.tasks, labels, cohort.donors, predictions, *drawn)
    groups = group_table(scores)
    write_table(subset_table(scores), folder / "subsets.tsv", SUBSETS)
    write_table(affinity_table(scores), folder / "affinity.tsv", AFFINITY)
    write_table(groups, folder / "groups.tsv", GROUPS)
    return [groups["why"].iloc[0]]


def _plan(cohort: Cohort, splits: pd.DataFrame, folds: list, task: str, draws: int, run) -> list[list[Cohort]]:
    """The sets of labels of a curve: for every number of donors as many copies of the cohort as there are draws."""
    every = training_donors(cohort, folds, task)
    donors = sizes(every)
    if len(donors) < 2:
        raise InputError(
            f"--curve: {task}: a fold trains on {every} labelled donors; a curve needs {int(np.ceil(SMALLEST / 0.75))}"
        )
    orders = [nested_order(cohort, splits, task, [run.training.seed, draw, 29]) for draw in range(draws)]
    # a beginning of the order is spread over the folds: that much more, for each fold holds some out
    whole = len(orders[0])
    reach = [int(round(size * whole / every)) for size in donors[:-1]]
    copies = [[with_labels_of(cohort, task, order[:count]) for order in orders] for count in reach]
    return [*copies, [cohort]]


def _curve(run, cohort: Cohort, splits: pd.DataFrame, task: str, sets: list[list[Cohort]], device: str) -> list[dict]:
    """Train both networks on every set of labels and score them on all labelled donors."""
    y, evaluate = cohort.y(task), run.evaluate
    refitter = refitter_of(cohort, splits, run.training, [tuple(cohort.tasks), (task,)], device)
    predicted = fit_copies(refitter, [copy for copies in sets for copy in copies], task)
    rows = []
    for copies in sets:
        pairs = [(multi, single) for multi, single in islice(predicted, len(copies))]
        size = training_donors(copies[0], refitter.folds, task)
        drawn = (evaluate.bootstrap, evaluate.seed, cohort.clusters)
        rows.append(curve_row(cohort.tasks[task], y, cohort.donors, size, pairs, *drawn))
    return rows


def _draw(table: pd.DataFrame, folder: Path, words: Vocabulary) -> None:
    """``curve.svg`` and ``curve.png``, each put in its place when it is complete."""
    with house_style(), TemporaryDirectory(prefix=".curve.", dir=folder, ignore_cleanup_errors=True) as holder:
        figure, title, description = gain_figure(table, words)
        save(figure, Path(holder), "curve", title, description)
        for file in sorted(Path(holder).iterdir()):
            os.replace(file, folder / file.name)
