"""Proteins, metabolites, or both: held-out AUROC on COVID plasma, next to ridge and late fusion.

    python benchmarks/real/assays.py DATA [--lacking 0.3] [--seeds 5] [--split 0] [--mofa]
    python benchmarks/real/assays.py DATA --folds 20     # ridge alone, on other draws of the folds

DATA holds ``covid_proteome`` with ``expression.parquet`` (proteins), ``metabolomics_gcms.csv.gz`` and ``metadata.csv``;
none of it ships with mtlbio. ``--lacking``: so many of the donors lose one of the two blocks, each as often.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import pandas as pd
import yaml

import mtlbio as mb
from benchmarks.encoders.mofa import ROUNDS, posterior_means
from mtlbio.cohort.assays.blocks import blocks_of, of_blocks
from mtlbio.cohort.assays.features import features_of_blocks
from mtlbio.cohort.cohort import Cohort, read_cohort
from mtlbio.cohort.split import make_splits, train_test
from mtlbio.evaluation.assays.baselines import block_baselines
from mtlbio.evaluation.baselines import predict_baselines
from mtlbio.evaluation.predictions import collect
from mtlbio.kinds.read import read_run
from mtlbio.kinds.schemas import BlocksRun
from mtlbio.progress import show_progress
from mtlbio.tables import PREDICTIONS, SPLITS, read_table

FILES = ("expression.parquet", "metabolomics_gcms.csv.gz", "metadata.csv")
TASKS = {
    "disease": {"kind": "binary", "positive": "COVID19"},
    "outcome": {"kind": "binary", "positive": "favourable"},
    "icu": {"kind": "binary", "positive": 1},
}
ARMS = {
    "proteins": "without_metabolites",
    "metabolites": "without_proteins",
    "both": "multitask",
    "ridge proteins": "ridge_proteins",
    "ridge metabolites": "ridge_metabolites",
    "ridge both": "ridge_all",
    "late fusion": "late_fusion",
    "MOFA2 and ridge": "mofa",
}


def write_run(data: Path, folder: Path, lacking: float, seeds: int, split: int = 0) -> Path:
    """The two blocks, some samples of which are left out, and the run's YAML; its path."""
    rng = np.random.default_rng(0)
    tables = {
        "proteins": pd.read_parquet(data / FILES[0]),
        "metabolites": pd.read_csv(data / FILES[1], index_col=0),
    }
    if "sample_id" in tables["proteins"]:
        tables["proteins"] = tables["proteins"].set_index("sample_id")
    lost = rng.permutation(tables["proteins"].index)[: round(lacking * len(tables["proteins"]))]
    for place, (name, table) in enumerate(tables.items()):
        table.index.name = "sample_id"
        table.drop(index=lost[place::2]).to_parquet(folder / f"{name}.parquet")
    content = {
        "run": "covid",
        "blocks": {name: {"path": f"{name}.parquet", "scale": "log2"} for name in tables},
        "metadata": {"path": str(data / FILES[2])},
        "tasks": TASKS,
        "covariates": {"age": {"role": "confounder", "kind": "continuous"}, "sex": {"role": "confounder"}},
        "training": {"seeds": seeds, "single_task": False},
        "splits": {"seed": split},
        "baselines": {"arms": ["ridge"]},
    }
    (folder / "run.yaml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return folder / "run.yaml"


def mofa_predictions(cohort: Cohort, splits: pd.DataFrame, factors: int = 15) -> pd.DataFrame:
    """Ridge heads on the factors of MOFA2, fitted to the two blocks of each fold's training donors who have both; all
    others who have both are projected on its weights."""
    both = blocks_of(cohort).present.all(axis=1)
    part, some = of_blocks(cohort, blocks_of(cohort).names, both), splits[both].reset_index(drop=True)
    of_feature, tables = blocks_of(part).of_feature, []
    for fold in sorted(some["fold"].unique()):
        train = train_test(some, fold)[0]
        x = features_of_blocks(part, train, 5000, even=False).transform(part.expression).astype(float)
        weights, precision = _mofa([x[train][:, of_feature == view] for view in np.unique(of_feature)], factors)
        latents = posterior_means(x, weights, precision)
        about = {"genes": tuple(f"f{k}" for k in range(factors)), "preprocessing": {"kind": "cohort", "scale": "z"}}
        own = predict_baselines(replace(part, expression=latents, **about), some, ["ridge"], factors)
        tables.append(own[own["fold"].astype(int) == fold])
    return pd.concat(tables, ignore_index=True).assign(arm="mofa")


def _mofa(views: list[np.ndarray], factors: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights (features of all views, factors) and noise precisions of MOFA2."""
    from mofapy2.run.entry_point import entry_point

    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
        model = entry_point()
        model.set_data_options(scale_views=True)
        model.set_data_matrix([[view] for view in views], likelihoods=["gaussian"] * len(views))
        model.set_model_options(factors=factors, spikeslab_weights=True, ard_weights=True)
        model.set_train_options(iter=ROUNDS, convergence_mode="fast", seed=0, verbose=False, quiet=True)
        model.build()
        model.run()
    nodes = model.model.nodes
    weights = np.concatenate([np.asarray(own["E"]) for own in nodes["W"].getExpectations()])
    precision = [np.atleast_2d(np.asarray(own["E"]))[0] for own in nodes["Tau"].getExpectations()]
    spread = [np.nanstd(view) for view in views]  # by which MOFA2 scaled a view
    sizes = np.concatenate([np.full(view.shape[1], own) for view, own in zip(views, spread, strict=True)])
    return weights * sizes[:, None], np.concatenate(precision) / sizes**2


def ridge_on_other_folds(cohort: Cohort, run: BlocksRun, draws: int) -> pd.DataFrame:
    """AUROC of ridge over draws of the folds: how far a number depends on who is held out with whom."""
    rows = []
    for seed in range(draws):
        splits = make_splits(cohort, run.splits.model_copy(update={"seed": seed}))
        table = block_baselines(cohort, splits, ["ridge"], run.training.genes)
        for name, task in cohort.tasks.items():
            scored = collect(table, task)
            for arm in ("ridge_proteins", "ridge_metabolites", "ridge_all", "late_fusion"):
                scores = scored.common(arm)
                rows += [] if scores is None else [[name, arm, scores.value(arm, task.decisive)]]
    table = pd.DataFrame(rows, columns=["task", "arm", "auroc"])
    return table.groupby(["task", "arm"], sort=False)["auroc"].agg(["mean", "std", "min", "max"])


def main() -> int:
    """Train once, and print what every arm reaches on the donors who have both blocks, and whether a block pays."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--lacking", type=float, default=0.0)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--split", type=int, default=0, help="seed of the folds")
    parser.add_argument("--mofa", action="store_true", help="MOFA2 too, by mofapy2")
    parser.add_argument("--folds", type=int, default=0, help="only ridge, on so many draws of the folds")
    options = parser.parse_args()
    data = options.data.resolve() / "covid_proteome"
    missing = [name for name in FILES if not (data / name).exists()]
    if missing:
        print(f"skipped: no {data / missing[0]}")
        return 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        run, results = read_run(write_run(data, folder, options.lacking, options.seeds, options.split)), folder / "r"
        if options.folds:
            mb.prepare(run, results)
            found = ridge_on_other_folds(read_cohort(results / "cohort.h5ad"), run, options.folds)
            print(found.to_string(float_format="%.3f"))
            return 0
        for step in (mb.prepare, mb.train, mb.baselines, mb.evaluate):
            step(run, results)
        cohort, splits = read_cohort(results / "cohort.h5ad"), read_table(results / "splits.tsv", SPLITS)
        files = ("predictions.tsv", "predictions_without.tsv", "baselines/predictions.tsv")
        parts = [read_table(results / name, PREDICTIONS) for name in files]
        parts += [mofa_predictions(cohort, splits)] if options.mofa else []
        whole = set(cohort.samples[blocks_of(cohort).present.all(axis=1)])
        table = pd.concat(parts, ignore_index=True)
        table, rows = table[table["sample"].isin(whole)], []
        for name, task in cohort.tasks.items():
            scored = collect(table, task)
            own = {arm: scored.common(of) for arm, of in ARMS.items()}
            values = {arm: scores.value(ARMS[arm], task.decisive) for arm, scores in own.items() if scores}
            better = max(values["proteins"], values["metabolites"])
            rows.append({"task": name, **values, "both - better": values["both"] - better})
        print(f"{len(whole)} donors have both blocks; AUROC of those, held out\n")
        print(pd.DataFrame(rows).set_index("task").T.to_string(float_format="%.3f"))
        print()
        print(read_table(results / "pays.tsv").drop(columns="why").to_string(index=False, float_format="%.3f"))
        print()
        print(read_table(results / "cross_prediction.tsv").to_string(index=False, float_format="%.3f"))
    return 0


if __name__ == "__main__":
    show_progress()
    sys.exit(main())
