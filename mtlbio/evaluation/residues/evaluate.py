"""Step ``evaluate`` of a protein run: metrics with intervals, and what the tasks gain from each other."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import parse_schema, read_latents
from mtlbio.errors import InputError
from mtlbio.evaluation.comparisons import score_tables
from mtlbio.evaluation.predictions import read_predictions
from mtlbio.evaluation.reprobe import reprobe
from mtlbio.evaluation.residues.scores import TaskChains, score_chains
from mtlbio.evaluation.transfer import transfer
from mtlbio.kinds.schemas import ProteinRun
from mtlbio.kinds.vocabulary import CHAINS
from mtlbio.labels import of_covariate
from mtlbio.progress import track
from mtlbio.sequence.chains import WITHIN_CHAINS, Chains, read_chains
from mtlbio.sequence.long_form import read_rows
from mtlbio.tables import COMPARISONS, LABEL_NOISE, METRICS, REPROBE, TRANSFER, write_table

# a row is a chain here, not a residue
WHOLE_CHAINS = replace(CHAINS, sample=CHAINS.unit, samples=CHAINS.units)


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
    # can the data set be read? The same fresh classifiers as for a batch, on the means of chains
    whole = by_chain(read_latents(results / "latents.h5ad"))
    readings = reprobe(whole, options.bootstrap, options.seed, words=WHOLE_CHAINS)
    write_table(readings, results / "reprobe.tsv", REPROBE)
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


def by_chain(latents: ad.AnnData) -> ad.AnnData:
    """A row per chain: mean latents, and the labels as numbers of the chain (share of a state, mean accessibility)."""
    tasks, covariates = parse_schema(latents.uns["mtlbio"])
    obs, chain = latents.obs, latents.obs["donor"].astype(str).to_numpy()
    table, infos = obs[[]].copy(), []
    for task in tasks.values():
        y = task.y(obs[task.name])
        shares = task.indicators(y) or [y]
        for k, values in enumerate(shares):
            name = task.name if len(shares) == 1 else f"{task.name}_{task.classes[k]}"
            table[name] = np.where(np.isnan(y), np.nan, values)
            infos.append(of_covariate(name, ()))
    means = table.groupby(chain).mean()
    whole = obs.assign(chain=chain).drop_duplicates("chain").set_index("chain").loc[means.index]
    means = means.assign(donor=means.index, fold=whole["fold"].to_numpy())
    of_chains = [info for info in covariates.values() if info.name not in WITHIN_CHAINS]
    for info in of_chains:
        means[info.name] = whole[info.name].astype(str if info.kind == "categorical" else float).to_numpy()
    schema = {"tasks": [t.saved() for t in infos], "covariates": [asdict(c) for c in of_chains], "auxiliary": []}
    x = pd.DataFrame(np.asarray(latents.X)).groupby(chain).mean().loc[means.index].to_numpy(dtype=np.float32)
    return ad.AnnData(X=x, obs=means, var=latents.var.copy(), uns={"mtlbio": json.dumps(schema)})
