"""Three drugs on one pathway in cell lines: all labels, and sixty lines labelled for one drug.

    python benchmarks/doses/gdsc.py DATA [--full]

DATA holds ``gdsc_ic50/``; settings and intervals: ``fitting.py`` beside it. Small form: the first drug with sixty
lines. Full form: every drug in turn, all 500 curves.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from benchmarks.doses.fitting import cohort_of, compared, fitted, settings, told
from mtlbio.cohort.cohort import Cohort
from mtlbio.metrics import metric
from mtlbio.training.fewer_labels import with_labels_of
from mtlbio.training.subsets import out_of_fold

DRUGS = {"dabrafenib": "1373", "trametinib": "1372", "selumetinib": "1498"}
FOREST = {"dabrafenib": 0.69, "trametinib": 0.59, "selumetinib": 0.58}


def gdsc_cohort(data: Path) -> Cohort:
    """Lines with all three drugs; tissue and microsatellites as categories, mutations and copy numbers as numbers."""
    folder = data / "gdsc_ic50"
    ic50 = pd.read_csv(folder / "ic50_ln_uM_988x265.csv.gz", index_col=0)[list(DRUGS.values())].dropna()
    ic50.columns = list(DRUGS)
    features = pd.read_csv(folder / "genomic_features_988.csv.gz", index_col=0).loc[ic50.index]
    categories = [c for c in features if c.endswith("_FACTOR")]
    numeric = [c for c in features.select_dtypes("number") if c not in categories and features[c].nunique() > 1]
    table = features[categories + numeric].join(ic50)
    table.columns = [str(c) for c in table.columns]
    table.insert(0, "line", [f"L{i}" for i in table.index])
    return cohort_of(
        table.reset_index(drop=True),
        {
            "features": {"numeric": numeric, "categories": categories, "rare": 5},
            "metadata": {"sample": "line", "donor": "line"},
            "tasks": {drug: {"kind": "regression"} for drug in DRUGS},
        },
    )


def forest(cohort: Cohort, fold: np.ndarray) -> np.ndarray:
    """(n, drugs) predictions of one random forest for all drugs, on the same columns and folds."""
    from sklearn.ensemble import RandomForestRegressor

    y, pred = np.stack([cohort.y(drug) for drug in DRUGS], axis=1), np.zeros((len(fold), len(DRUGS)))
    x = np.nan_to_num(cohort.expression)
    for f in np.unique(fold):
        trees = RandomForestRegressor(500, max_features=1 / 3, random_state=0, n_jobs=-1)
        pred[fold == f] = trees.fit(x[fold != f], y[fold != f]).predict(x[fold == f])
    return pred


def gdsc(data: Path, full: bool, labelled: int = 60) -> dict[str, float]:
    """Five folds with all labels; then each drug in turn (the first in the small form) with 60 lines to train on."""
    from sklearn.model_selection import KFold

    cohort = gdsc_cohort(data)
    n, found = len(cohort.samples), {}
    fold = np.zeros(n, dtype=int)
    for f, (_, test) in enumerate(KFold(5, shuffle=True, random_state=0).split(np.zeros((n, 1)))):
        fold[test] = f
    print(f"{n} lines, {len(cohort.genes)} columns")
    refit = fitted(cohort, fold, settings(full), [np.ones(3)])
    trees = forest(cohort, fold)
    for t, drug in enumerate(DRUGS):
        pred = out_of_fold(cohort, refit, 0, drug)
        print(f"{drug}: {told(cohort, drug, pred)}; a forest of others r {FOREST[drug]}")
        print(
            f"{drug}, this or a forest: {compared(cohort, drug, pred, trees[:, t], metric.PEARSON, 'forest')}",
            flush=True,
        )
        found[drug] = float(np.corrcoef(pred, cohort.y(drug))[0, 1])
    for t, drug in enumerate(DRUGS):
        if t and not full:
            break
        rng = np.random.default_rng([t, 52])
        # so many in every fold's training lines
        known = np.concatenate([rng.permutation(np.flatnonzero(fold == f))[: labelled // 4] for f in range(5)])
        few = with_labels_of(cohort, drug, cohort.donors[known])
        refit = fitted(few, fold, settings(full), [np.ones(3), np.eye(3)[t]])
        together, alone = (out_of_fold(few, refit, arm, drug) for arm in (0, 1))
        print(f"{drug}, {labelled} lines: {compared(cohort, drug, together, alone, metric.PEARSON)}")
        print(f"{drug}, {labelled} lines: {compared(cohort, drug, together, alone)}", flush=True)
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with gdsc_ic50/")
    parser.add_argument("--full", action="store_true", help="every drug in turn, all curves")
    given = parser.parse_args()
    gdsc(given.data, given.full)
