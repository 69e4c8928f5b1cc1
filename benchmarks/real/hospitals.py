"""Heart disease at four hospitals: does a site gain from the others, and from its own intercept or slopes?

    python benchmarks/real/hospitals.py DATA [--splits 30] [--write]

DATA holds ``heart_four_hospitals/``. In every split a fifth of the patients of each hospital, healthy and sick alike,
is held out. Four forms of a logistic ridge, penalties chosen on inner folds of the training patients: ``own`` trains on
the patients of the hospital alone, ``ridge`` on all of them, ``site_intercept`` and ``site_deviations`` as
:mod:`mtlbio.evaluation.site_forms`; ``unseen`` is ``site_intercept`` of the other hospitals' patients. Prints the mean
AUROC of each hospital, and the difference to ``own`` with the interval of the mean over splits (t; splits share
patients, so it is of this cohort). ``--write`` keeps the table in ``docs/sites.md``.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
import yaml
from scipy import stats

from benchmarks.calibration.pages import DOCS, between
from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.prepare import build_cohort
from mtlbio.evaluation.baselines import BaselineFold, fit_predict
from mtlbio.kinds.read import read_run
from mtlbio.metrics.ranking import auroc

FORMS = ("own", "ridge", "site_intercept", "site_deviations", "unseen")
FEATURES = {"numeric": ["age", "trestbps", "chol", "thalach", "oldpeak"]}
FEATURES["categories"] = ["sex", "cp", "fbs", "restecg", "exang", "slope", "thal", "ca"]


def described(data: Path, folder: Path) -> dict:
    """The run of the 920 patients; writes its table. A cholesterol of 0 is one that was not measured."""
    table = pd.read_csv(data / "heart_four_hospitals" / "heart_disease_4sites.csv")
    table["chol"] = table["chol"].where(table["chol"] > 0)
    table.insert(0, "patient", [f"p{i:04d}" for i in range(len(table))])
    table.to_csv(folder / "heart.csv", index=False)
    return {
        "run": "heart",
        "features": {"path": "heart.csv", **FEATURES},
        "metadata": {"sample": "patient", "donor": "patient"},
        "tasks": {"disease": {"kind": "binary", "column": "target", "positive": 1}},
        "covariates": {"site": {"role": "confounder"}},
    }


def cohort_of(data: Path, folder: Path) -> Cohort:
    """The patients."""
    (folder / "run.yaml").write_text(yaml.safe_dump(described(data, folder)), encoding="utf-8")
    return build_cohort(read_run(folder / "run.yaml"))[0]


def held_out(site: np.ndarray, y: np.ndarray, split: int) -> np.ndarray:
    """(n,) a fifth of every hospital's healthy and sick, one at least."""
    rng, out = np.random.default_rng([split, 4]), np.zeros(len(y), dtype=bool)
    for level in np.unique(site):
        for code in (0, 1):
            members = np.flatnonzero((site == level) & (y == code))
            out[rng.permutation(members)[: max(1, round(len(members) / 5))]] = True
    return out


def one_split(cohort: Cohort, split: int) -> list[dict]:
    """AUROC of every form at every hospital."""
    site, y = cohort.obs["site"].to_numpy().astype(str), cohort.y("disease")
    out = held_out(site, y, split)
    task, rows = cohort.tasks["disease"], []

    def predicted(arm: str, train: np.ndarray) -> np.ndarray:
        fold = BaselineFold(cohort, np.flatnonzero(train), np.flatnonzero(out), cohort.expression.shape[1], "site")
        values = np.full(len(y), np.nan)
        values[out] = fit_predict(arm, fold, task, split)
        return values

    of_all = {arm: predicted(arm, ~out) for arm in ("ridge", "site_intercept", "site_deviations")}
    for level in np.unique(site):
        at = site == level
        forms = {"own": predicted("ridge", ~out & at)} | of_all
        forms["unseen"] = predicted("site_intercept", ~out & ~at)
        for form, values in forms.items():
            rows.append({"split": split, "site": level, "form": form, "auroc": auroc(y[out & at], values[out & at])})
    return rows


def told(found: pd.DataFrame, patients: pd.Series) -> list[str]:
    """Lines of the table: mean AUROC, and what is gained over the hospital's own model."""
    lines = ["| hospital | patients | " + " | ".join(FORMS) + " |", "|---|---" + "|---" * len(FORMS) + "|"]
    wide = found.pivot_table(index=["site", "split"], columns="form", values="auroc")
    for level, rows in wide.groupby(level="site"):
        cells = [f"{rows['own'].mean():.3f}"]
        for form in FORMS[1:]:
            gain = rows[form] - rows["own"]
            half = stats.t.isf(0.025, len(gain) - 1) * gain.std(ddof=1) / np.sqrt(len(gain))
            cells.append(f"{rows[form].mean():.3f} ({gain.mean():+.3f} ± {half:.3f})")
        lines.append(f"| {level} | {patients[level]} | " + " | ".join(cells) + " |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--splits", type=int, default=30)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        cohort = cohort_of(options.data, Path(folder))
    rows = []
    for split in range(options.splits):
        rows += one_split(cohort, split)
        print(f"split {split + 1} of {options.splits}", file=sys.stderr, flush=True)
    lines = told(pd.DataFrame(rows), cohort.obs["site"].value_counts())
    print("\n".join(lines))
    if options.write:
        between(DOCS / "sites.md", "\n".join(lines), "<!-- hospitals -->")


if __name__ == "__main__":
    main()
