"""Estimated composition of blood against counted cells, in the lupus cohort: do scores say what a laboratory counts?

    python benchmarks/real/composition.py DATA [--verdicts WITHOUT WITH]

DATA holds the cohort GSE65391 in ``sle/`` as in ``cohorts.py``, with the columns ``neutrophil_percent`` and so on of
its metadata. Spearman's rho of scores and counts over patients, each with the mean of its visits, with a bootstrap
interval; over the visits of one patient (each less the patient's mean); and the score that goes most with each count,
which should be the one of that cell. ``--verdicts`` compares two finished runs, without and with composition held
fixed. Seconds.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from mtlbio.cohort.composition import Composition, estimate_composition
from mtlbio.cohort.genesets import builtin_cells
from mtlbio.tables import VERDICTS, read_table

# what was counted -> the score that is about it
COUNTED = {
    "neutrophil_percent": "neutrophils",
    "lymphocyte_percent": "T_cells",
    "monocyte_percent": "monocytes",
    "platelet_count": "platelets",
}
DRAWS = 1000


def read(data: Path) -> tuple[Composition, pd.DataFrame]:
    """Scores of all arrays, and their metadata."""
    metadata = pd.read_csv(data / "sle/metadata.csv", index_col="sample_id")
    expression = pd.read_parquet(data / "sle/expression.parquet").loc[metadata.index]
    genes = list(expression.columns)
    return estimate_composition(
        expression.to_numpy(), genes, metadata["donor_id"].to_numpy(), builtin_cells()
    ), metadata


def agreement(scores: pd.DataFrame, counted: pd.Series, donors: pd.Series, own: str, seed: int = 0) -> dict:
    """How closely the score ``own`` goes with a count, between patients and within them, and which score does most."""
    known = counted.notna()
    scores, counted, donors = scores[known], counted[known], donors[known]
    means, mean = scores.groupby(donors).mean(), counted.groupby(donors).mean()
    rho = {kind: spearmanr(means[kind], mean).statistic for kind in scores}
    rng, drawn = np.random.default_rng(seed), []
    for _ in range(DRAWS):
        rows = rng.integers(0, len(mean), len(mean))
        drawn.append(spearmanr(means[own].to_numpy()[rows], mean.to_numpy()[rows]).statistic)
    low, high = np.quantile(drawn, [0.025, 0.975])
    within = spearmanr(scores[own] - means[own].loc[donors].to_numpy(), counted - mean.loc[donors].to_numpy()).statistic
    most = max(rho, key=lambda kind: rho[kind])
    row = {"patients": len(mean), "arrays": len(counted), "rho": rho[own], "low": low, "high": high, "within": within}
    return row | {"most": f"{most} {rho[most]:.2f}"}


def changed(without: Path, with_: Path) -> pd.DataFrame:
    """Verdicts of two runs on the same latents, those that differ."""
    one, other = (read_table(path / "verdicts.tsv", VERDICTS).set_index("dim") for path in (without, with_))
    named = ["verdict", "driver"]
    both = one[named].join(other[named], rsuffix="_held_fixed")
    return both[both["verdict"] != both["verdict_held_fixed"]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("--verdicts", type=Path, nargs=2, metavar=("WITHOUT", "WITH"), help="folders of two runs")
    given = parser.parse_args()
    found, metadata = read(given.data)
    for kind in found.types:
        print(f"{kind.name}: {len(kind.markers)} of {kind.measured} markers, reliability {kind.reliability:.2f}")
    for name, why in found.refused.items():
        print(f"{name}: not estimated: {why}")
    scores = pd.DataFrame(found.scores, metadata.index, found.names)
    rows = {
        counted: {"score": own} | agreement(scores, metadata[counted], metadata["donor_id"], own)
        for counted, own in COUNTED.items()
    }
    print(pd.DataFrame.from_dict(rows, orient="index").to_string(float_format="{:.2f}".format))
    if given.verdicts:
        print(changed(*given.verdicts).to_string())


if __name__ == "__main__":
    main()
