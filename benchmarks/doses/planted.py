"""A drug with forty patients learns from two others: planted doses, and the dimension of the enzyme behind all three.

    python benchmarks/doses/planted.py [--full]

Scored on 500 further patients on the drug, whose doses are hidden; settings and intervals: ``fitting.py`` beside it.
Small form: one planted cohort and 200 curves, some minutes on one core. Full form: three cohorts, all 500 curves.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from benchmarks.doses.fitting import compared, fitted, settings
from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.prepare import build_cohort
from mtlbio.cohort.simulate_doses import simulate_doses, write_doses
from mtlbio.kinds.read import read_run
from mtlbio.model.ensemble import FINAL
from mtlbio.training.fold_in_table import fold_in_table
from mtlbio.training.subsets import out_of_fold


def planted(full: bool, seed: int = 0, test: int = 500) -> dict[str, float]:
    """Drug C with 40 patients; scored on ``test`` further patients whose dose is hidden."""
    found = {}
    for s in range(seed, seed + (3 if full else 1)):
        doses = simulate_doses(seed=s, c=40 + test)
        with tempfile.TemporaryDirectory() as folder:
            run = read_run(write_doses(folder, doses))
            cohort = build_cohort(run)[0]
        held_out = np.zeros(len(cohort.samples), dtype=int)
        held_out[-test:] = 1  # the last patients take drug C
        options = settings(full)
        refit = fitted(cohort, held_out, options, [np.ones(3), np.array([0.0, 0.0, 1.0])], only=[1])
        together, alone = (out_of_fold(cohort, refit, arm, "drug_c") for arm in (0, 1))
        print(f"seed {s}: drug_c {compared(cohort, 'drug_c', together, alone)}")
        # the fold's model stands for the final one: its dimensions are those of patients whom it has not seen
        final = [replace(data, fold=FINAL) for data in refit.folds]
        canonical = fold_in_table(cohort, replace(refit, folds=final), list(range(options.seeds)))
        z = canonical.ensemble.latents(cohort.expression).mean(axis=0)[held_out == 1]
        truth = doses.truth.loc[cohort.samples[held_out == 1]]
        r2 = {str(n): np.corrcoef(z[:, k], truth["enzyme"])[0, 1] ** 2 for k, n in enumerate(canonical.feature) if n}
        ordered = sorted(r2, key=r2.get, reverse=True)
        print(f"seed {s}: dimension of the enzyme: {', '.join(f'{n} r2 {r2[n]:.3f}' for n in ordered[:3])}")
        found |= {f"r2_{s}": r2["enzyme"], f"gain_{s}": 1 - mae(cohort, together) / mae(cohort, alone)}
    return found


def mae(cohort: Cohort, pred: np.ndarray, task: str = "drug_c") -> float:
    """Mean absolute error."""
    return float(np.nanmean(np.abs(pred - cohort.y(task))))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="three planted cohorts, all curves")
    given = parser.parse_args()
    planted(given.full)
