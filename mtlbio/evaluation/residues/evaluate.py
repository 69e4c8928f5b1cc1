"""Step ``evaluate`` of a protein run: metrics with intervals, and what the tasks gain from each other."""

from __future__ import annotations

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd

from mtlbio.errors import InputError
from mtlbio.evaluation.bootstrap import expanded, interval
from mtlbio.evaluation.comparisons import MATCHED, MODEL, call_difference
from mtlbio.evaluation.residues.readings import read_sources
from mtlbio.evaluation.residues.scores import Scored, cluster_draws, score_chains
from mtlbio.evaluation.transfer import LEVEL, sentence, verdict_of
from mtlbio.kinds.schemas import ProteinRun
from mtlbio.kinds.vocabulary import CHAINS
from mtlbio.labels.residues import ResidueLabel
from mtlbio.progress import track
from mtlbio.sequence.chains import Chains, read_chains
from mtlbio.sequence.long_form import read_rows
from mtlbio.tables import COMPARISONS, LABEL_NOISE, PREDICTIONS, REPROBE, TRANSFER, read_table, write_table
from mtlbio.tables import METRICS as METRIC_COLUMNS


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
    tables = [read_table(results / "predictions.tsv", PREDICTIONS)]
    tables.append(read_table(results / "baselines" / "predictions.tsv", PREDICTIONS))
    told = read_rows(pd.concat([t for t in tables if len(t)], ignore_index=True))
    metrics, comparisons, primary = [], [], {}
    tasks = [name for name, task in chains.tasks.items() if not task.auxiliary]
    for part in [p for p in ("test", "external") if len(chains.of(p))]:
        for name in track(tasks, f"Scoring {len(told)} arms on {len(tasks)} tasks, {part} chains"):
            arms = {
                arm: score_chains(chains, name, own[name], chains.of(part)) for arm, own in told.items() if name in own
            }
            arms = {arm: scored for arm, scored in arms.items() if len(scored.sums)}
            if not arms:
                continue
            found = task_tables(arms, chains.tasks[name], options.bootstrap, options.seed, options.margin)
            metrics.append(found[0].assign(part=part))
            comparisons.append(found[1].assign(part=part))
            if part == "test":
                primary[name] = arms
    if not metrics:
        raise InputError(f"{results / 'predictions.tsv'}: no held-out chain has a label; nothing can be scored")
    write_table(pd.concat(metrics, ignore_index=True), results / "metrics.tsv", METRIC_COLUMNS)
    comparisons = [c for c in comparisons if len(c)] or comparisons[:1]  # a label with one arm has none
    write_table(pd.concat(comparisons, ignore_index=True), results / "comparisons.tsv", COMPARISONS)
    gains = sharing(chains, primary, options.bootstrap, options.seed, options.margin)
    write_table(gains, results / "transfer.tsv", TRANSFER)
    path = results / "latents.h5ad"
    if not path.exists():
        raise InputError(f"{path}: no such file; run `mtlbio train` first")
    write_table(read_sources(ad.read_h5ad(path), options.bootstrap, options.seed), results / "reprobe.tsv", REPROBE)
    untested = pd.DataFrame({"task": [name for name, task in run.tasks.items() if not task.auxiliary]})
    untested = untested.assign(alarm="no", why="The labels of " + untested["task"] + " were not tested.")
    untested = untested.reindex(columns=LABEL_NOISE)
    write_table(untested, results / "label_noise.tsv", LABEL_NOISE)


def task_tables(
    arms: dict[str, Scored], task: ResidueLabel, draws: int, seed: int, margin: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of metrics.tsv and comparisons.tsv of one task; all arms are drawn together, so differences are paired."""
    rows, pairs, metrics = [], [], list(task.metrics)
    counts = cluster_draws(next(iter(arms.values())).clusters, draws, seed)
    drawn = {(arm, m): own.value(m, counts) for arm, own in arms.items() for m in metrics}
    for arm, own in arms.items():
        for metric in metrics:
            value = float(own.value(metric)[0])
            low, high = interval(drawn[(arm, metric)])
            rows.append(
                [arm, task.name, metric.name, value, low, high, int(own.residues.sum()), len(np.unique(own.clusters))]
            )
    rivals = [arm for arm in arms if arm not in (MODEL, MATCHED)]
    for metric in metrics if MODEL in arms else ():
        sign = -1.0 if metric.lower_is_better else 1.0
        points = {arm: sign * float(own.value(metric)[0]) for arm, own in arms.items()}
        # a constant answer has no correlation, and is not the best for that
        best = max((arm for arm in rivals if np.isfinite(points[arm])), key=points.get, default=None)
        for arm in [a for a in arms if a != MODEL]:
            low, high = interval(sign * (drawn[(MODEL, metric)] - drawn[(arm, metric)]))
            call = call_difference(low, high, margin)
            row = [MODEL, arm, task.name, metric.name, points[MODEL] - points[arm], low, high, call]
            pairs.append([*row, "yes" if arm == best else "no"])
    return pd.DataFrame(rows, columns=METRIC_COLUMNS), pd.DataFrame(pairs, columns=[*COMPARISONS, "best_baseline"])


def sharing(chains: Chains, arms: dict[str, dict[str, Scored]], draws: int, seed: int, margin: float) -> pd.DataFrame:
    """``transfer.tsv``: the multi-task network against the single-task one on the test chains, a row per task.

    ``overlap``: share of the training chains with the task's label that carry another task's label too.
    """
    labelled = {name: chains.labelled(name)[chains.of("train")] for name in chains.tasks}
    compared = [name for name, own in arms.items() if MODEL in own and MATCHED in own]
    rows = []
    for name, own in arms.items():
        metric = chains.tasks[name].decisive
        others = [there for other, there in labelled.items() if other != name]
        both = labelled[name] & np.any(others, axis=0) if others else np.zeros_like(labelled[name])
        first = own.get(MODEL, next(iter(own.values())))
        row = {
            "task": name,
            "metric": metric.name,
            "n_samples": int(first.residues.sum()),
            "n_donors": len(np.unique(first.clusters)),
            "overlap": both.sum() / max(labelled[name].sum(), 1),
        }
        row |= dict.fromkeys(["multitask", "singletask", "gain", "ci_low", "ci_high"], np.nan)
        if name in compared:
            level = expanded(1 - (1 - LEVEL) / len(compared), row["n_donors"])
            counts = cluster_draws(first.clusters, max(draws, 2000), seed)
            values = [float(own[arm].value(metric)[0]) for arm in (MODEL, MATCHED)]
            low, high = interval(own[MODEL].value(metric, counts) - own[MATCHED].value(metric, counts), level)
            row |= {"multitask": values[0], "singletask": values[1], "gain": values[0] - values[1]}
            row |= {"ci_low": low, "ci_high": high}
        row["verdict"] = verdict_of(row["ci_low"], row["ci_high"])
        rows.append(row | {"why": sentence(row, len(compared), len(chains.tasks), margin, CHAINS)})
    return pd.DataFrame(rows, columns=TRANSFER)
