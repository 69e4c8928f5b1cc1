"""Step ``evaluate`` of a protein run: metrics with intervals, and what the tasks gain from each other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import read_latents
from mtlbio.errors import InputError
from mtlbio.evaluation.comparisons import score_tables
from mtlbio.evaluation.predictions import read_predictions
from mtlbio.evaluation.residues.readings import read_sources
from mtlbio.evaluation.residues.scores import TaskChains, score_chains
from mtlbio.evaluation.transfer import transfer
from mtlbio.kinds.schemas import ProteinRun
from mtlbio.kinds.vocabulary import CHAINS
from mtlbio.progress import track
from mtlbio.sequence.chains import Chains, read_chains
from mtlbio.sequence.long_form import read_rows
from mtlbio.tables import COMPARISONS, LABEL_NOISE, METRICS, REPROBE, TRANSFER, write_table


def evaluate(run: ProteinRun, results: Path) -> None:
    """Both predictions.tsv -> metrics.tsv, comparisons.tsv, transfer.tsv; latents.h5ad -> reprobe.tsv.

    ``label_noise.tsv`` says that labels of residues are not tested: neighbours are no independent units.

    Metrics are per residue over all chains of a part (``test``, then ``external``, in the column ``part``), the mean of
    an arm's seeds predicts, and intervals come from drawing clusters of homologous chains again.

    Raises
    ------
    InputError
        A table or ``latents.h5ad`` is missing.
    """
    results, options = Path(results), run.evaluate
    chains = read_chains(results / "cohort.h5ad")
    predictions = read_rows(read_predictions(results))
    metrics, comparisons = [], []
    primary: list = []
    tasks = [name for name, task in chains.tasks.items() if not task.auxiliary]
    for part in [p for p in ("test", "external") if len(chains.of(p))]:
        scored = [task_chains(chains, name, predictions, part) for name in tasks]
        scored = [scores for scores in scored if scores.arms]
        if not scored:
            continue
        shown = track(scored, f"Scoring {len(predictions)} arms on {len(tasks)} tasks, {part} chains")
        pair = score_tables(shown, options.bootstrap, options.seed, options.margin)
        metrics.append(pair[0].assign(part=part))
        comparisons.append(pair[1].assign(part=part))
        primary = scored if part == "test" else primary
    if not metrics:
        raise InputError(f"{results / 'predictions.tsv'}: no held-out chain has a label; nothing can be scored")
    write_table(pd.concat(metrics, ignore_index=True), results / "metrics.tsv", METRICS)
    write_table(pd.concat(comparisons, ignore_index=True), results / "comparisons.tsv", COMPARISONS)
    # overlap is about the chains that the networks are trained on
    carriers = {name: set(np.flatnonzero(chains.labelled(name)[chains.of("train")])) for name in chains.tasks}
    gains = transfer(primary, carriers, options.bootstrap, options.seed, options.margin, CHAINS)
    write_table(gains, results / "transfer.tsv", TRANSFER)
    latents = read_latents(results / "latents.h5ad")
    write_table(read_sources(latents, options.bootstrap, options.seed), results / "reprobe.tsv", REPROBE)
    untested = pd.DataFrame({"task": [name for name, task in run.tasks.items() if not task.auxiliary]})
    untested = untested.assign(alarm="no", why="The labels of " + untested["task"] + " were not tested.")
    write_table(untested.reindex(columns=LABEL_NOISE), results / "label_noise.tsv", LABEL_NOISE)


def task_chains(chains: Chains, task: str, predictions: dict[str, dict[str, dict]], part: str) -> TaskChains:
    """The arms of ``predictions`` (arm -> task -> chain -> prediction) that predicted labelled chains of a part."""
    arms = {}
    for arm, by_task in predictions.items():
        if task in by_task:
            arms[arm] = score_chains(chains, task, by_task[task], chains.of(part))
    return TaskChains(chains.tasks[task], {arm: scored for arm, scored in arms.items() if len(scored.sums)})
