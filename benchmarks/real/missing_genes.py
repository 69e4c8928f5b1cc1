"""What do missing genes cost, filled with the training mean, and with what the other genes say of them?

    python benchmarks/real/missing_genes.py DATA [--cohorts covid_proteome ...]

Every cohort is trained once; then genes are taken from held-out samples: 10, 30 and 60 % at random, and the 40 % that
are lowest (which a less sensitive platform does not see). DATA as for cohorts.py.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import pandas as pd

from benchmarks.real.cohorts import COHORTS
from benchmarks.real.runs import described, prepared
from benchmarks.shared.places import RESULTS
from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.split import make_splits
from mtlbio.model.ensemble import Ensemble, load_ensemble
from mtlbio.progress import say, show_progress
from mtlbio.tables import SPLITS, read_table, write_table
from mtlbio.training.new_samples.loss import losses, without_genes
from mtlbio.training.new_samples.reference import Reference
from mtlbio.training.train import train

DRAWS = 5


def missing_sets(cohort: Cohort) -> dict[str, list[np.ndarray]]:
    """Genes (bool) that are taken away, by what kind of gap it is."""
    n = len(cohort.genes)
    draws = {
        f"{share:.0%} at random": [np.random.default_rng(seed).random(n) < share for seed in range(DRAWS)]
        for share in (0.1, 0.3, 0.6)
    }
    rank = np.argsort(np.argsort(cohort.expression.mean(axis=0)))
    return draws | {"40% lowest": [rank < 0.4 * n]}


def compared(cohort: Cohort, splits: pd.DataFrame, ensemble: Ensemble, rank: int) -> pd.DataFrame:
    """One row per task and kind of gap: the metric with all genes, and with either fill; draws averaged."""
    rows = []
    for kind, sets in missing_sets(cohort).items():
        for missing in sets:
            fills = [losses(cohort, splits, ensemble, without_genes(ensemble, missing, rank, mean)) for mean in (0, 1)]
            for factors, mean in zip(*fills, strict=True):
                about = {"task": mean.task, "metric": mean.metric, "missing": kind, "all genes": mean.whole}
                rows.append(about | {"training mean": mean.gap, "from the others": factors.gap})
    return pd.DataFrame(rows).groupby(["task", "metric", "missing"], sort=False).mean().reset_index()


def main() -> int:
    """Train, compare and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--cohorts", nargs="+", default=list(COHORTS), choices=list(COHORTS))
    options = parser.parse_args()
    tables = []
    for name in options.cohorts:
        folder = RESULTS / "missing_genes" / name
        run = described(name, options.data.resolve(), folder.parent)
        cohort = prepared(run, folder)
        if not (folder / "model" / "reference.safetensors").exists():
            say(f"training {name}")
            write_table(make_splits(cohort, run.splits), folder / "splits.tsv", SPLITS)
            train(run, folder)
        reference, ensemble = Reference.read(folder / "model"), load_ensemble(folder / "model")
        splits = read_table(folder / "splits.tsv", SPLITS)
        table = compared(cohort, splits, ensemble, reference.factors.loadings.shape[1])
        tables.append(table.assign(cohort=name))
        print(f"\n{name}\n{table.to_string(index=False, float_format='%.3f')}")
    whole = pd.concat(tables)
    better = (whole["from the others"] > whole["training mean"]).mean()
    print(f"\nbetter than the training mean in {better:.0%} of {len(whole)} rows; mean loss by kind of gap:")
    fills = ["training mean", "from the others"]
    lost = whole.assign(**{fill: whole["all genes"] - whole[fill] for fill in fills})
    print(lost.groupby("missing", sort=False)[fills].mean().to_string(float_format="%.3f"))
    return 0


if __name__ == "__main__":
    show_progress()
    sys.exit(main())
