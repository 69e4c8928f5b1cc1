"""Heart disease at four hospitals that may not pool: what does a site gain from sums of the others?

    python benchmarks/real/federation.py DATA [--splits 30] [--write]

DATA holds ``heart_four_hospitals/``. Splits are those of ``hospitals.py``: a fifth of the patients of each hospital,
healthy and sick alike, is held out. At every hospital: the commonest class there (``majority``), a logistic ridge of
its own patients, of the pooled patients, of the pooled patients with an intercept of each site (arms of the baselines,
penalties on inner folds of patients), the federated slopes with the site's own intercept, and with the site's own
slopes too, which never leave it. Prints AUROC, Brier score and accuracy, means over splits; then the AUROC of the
federated slopes with differential privacy, at a few epsilons. ``--write`` keeps the tables in ``docs/federation.md``.
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
from benchmarks.real.hospitals import FEATURES, described, held_out
from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.prepare import build_cohort
from mtlbio.config.federation import Privacy
from mtlbio.evaluation.baselines import BaselineFold, fit_predict
from mtlbio.federation.heads import private_head, shared_head
from mtlbio.federation.rehearsal import federate, sites_of
from mtlbio.federation.rows import Rows, read_rows
from mtlbio.kinds.read import read_run
from mtlbio.metrics.ranking import auroc

ARMS = ("majority", "own", "pooled", "pooled, intercepts", "federated", "federated, private head")
METRICS = {"AUROC": 1, "Brier score": -1, "accuracy": 1}
EPSILONS = (1.0, 3.0, 10.0, 30.0, 100.0)
DELTA = 1e-4
# what a doctor would say without the data
BOUNDS = {"age": [20, 90], "trestbps": [80, 200], "chol": [100, 600], "thalach": [60, 210], "oldpeak": [-3, 7]}
LEAST_HEALTHY = 5  # patients of each class who train at the smallest hospital


def read(data: Path, folder: Path) -> tuple:
    """The run with its federation, the cohort of the baselines, and the rows that the sites have."""
    content = described(data, folder)
    table = pd.read_csv(folder / "heart.csv")
    levels = {name: sorted(table[name].dropna().unique().tolist()) for name in FEATURES["categories"]}
    content["federation"] = {"study": "heart", "site": "site", "floor": LEAST_HEALTHY, "levels": levels}
    (folder / "run.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    run = read_run(folder / "run.yaml")
    return run, build_cohort(run)[0], read_rows(run)


def scores(y: np.ndarray, p: np.ndarray) -> dict[str, float]:
    """What is printed of predicted probabilities."""
    area = auroc(y, p) if len(np.unique(y)) > 1 else np.nan
    return {"AUROC": area, "Brier score": float(np.square(p - y).mean()), "accuracy": float(((p > 0.5) == y).mean())}


def one_split(run, cohort: Cohort, rows: Rows, split: int) -> list[dict]:
    """Scores of every arm at every hospital."""
    site, y = cohort.obs["site"].to_numpy().astype(str), cohort.y("disease")
    out, task, found = held_out(site, y, split), cohort.tasks["disease"], []

    def baseline(arm: str, train: np.ndarray, test: np.ndarray) -> np.ndarray:
        fold = BaselineFold(cohort, np.flatnonzero(train), np.flatnonzero(test), cohort.expression.shape[1], "site")
        return fit_predict(arm, fold, task, split)

    study = run.model_copy(update={"federation": run.federation.model_copy(update={"seed": split})})
    sites = sites_of(study, rows, ~out)
    state = federate(list(sites.values()))
    pooled, intercepts = (np.full(len(y), np.nan) for _ in range(2))
    pooled[out], intercepts[out] = baseline("ridge", ~out, out), baseline("site_intercept", ~out, out)
    for level, hospital in sites.items():
        at = site == level
        x = hospital.read_by_heads(state, rows.x[out & at])
        predicted = {
            "majority": np.full((out & at).sum(), y[~out & at].mean()),
            "own": baseline("ridge", ~out & at, out & at),
            "pooled": pooled[out & at],
            "pooled, intercepts": intercepts[out & at],
            "federated": shared_head(hospital, state, "disease").predict(x),
            "federated, private head": private_head(hospital, state, "disease").predict(x),
        }
        for arm, p in predicted.items():
            found.append({"split": split, "site": level, "arm": arm} | scores(y[out & at], p))
    return found


def with_noise(run, cohort: Cohort, rows: Rows, split: int) -> list[dict]:
    """AUROC of the federated slopes at every hospital and epsilon, each intercept and scale being the site's own."""
    site, y = cohort.obs["site"].to_numpy().astype(str), cohort.y("disease")
    out, found = held_out(site, y, split), []
    for epsilon in EPSILONS:
        bounds = {name: [float(end) for end in ends] for name, ends in BOUNDS.items()}
        noisy = {"seed": split, "bounds": bounds, "privacy": Privacy(epsilon=epsilon, delta=DELTA)}
        study = run.model_copy(update={"federation": run.federation.model_copy(update=noisy)})
        sites = sites_of(study, rows, ~out)
        state = federate(list(sites.values()))
        for level, hospital in sites.items():
            at = out & (site == level)
            # without the slope that a site fits to the score: by chance it may turn a score that is noise round
            score = hospital.read_by_heads(state, rows.x[at]) @ state.arrays["slopes.disease"][0]
            found.append({"split": split, "site": level, "epsilon": epsilon, "AUROC": auroc(y[at], score)})
    return found


def noise_lines(found: pd.DataFrame) -> list[str]:
    """A row per epsilon: mean AUROC at every hospital, with the standard deviation over splits of their mean."""
    sites = sorted(found["site"].unique())
    out = [f"| epsilon | {' | '.join(sites)} | mean of the four (SD over splits) |", "|---" * (len(sites) + 2) + "|"]
    for epsilon, rows in found.groupby("epsilon"):
        means = rows.groupby("split")["AUROC"].mean()
        cells = [f"{rows.loc[rows['site'] == site, 'AUROC'].mean():.3f}" for site in sites]
        out.append(f"| {epsilon:g} | {' | '.join(cells)} | {means.mean():.3f} ({means.std(ddof=1):.3f}) |")
    return out


def lines(found: pd.DataFrame, patients: pd.Series) -> list[str]:
    """A table for every metric: means over splits, and what is gained over the hospital's own model."""
    out = []
    for metric, sign in METRICS.items():
        out += [f"| {metric} | patients | {' | '.join(ARMS)} |", "|---|---" + "|---" * len(ARMS) + "|"]
        wide = found.pivot_table(index=["site", "split"], columns="arm", values=metric)
        parts = [(level, int(patients[level]), rows) for level, rows in wide.groupby(level="site")]
        parts.append(("mean of the four", int(patients.sum()), wide.groupby(level="split").mean()))
        for level, count, rows in parts:
            cells = []
            for arm in ARMS:
                gain = sign * (rows[arm] - rows["own"])
                half = stats.t.isf(0.025, len(gain) - 1) * gain.std(ddof=1) / np.sqrt(len(gain))
                shown = f" ({gain.mean():+.3f} ± {half:.3f})" if arm not in ("majority", "own") else ""
                cells.append(f"{rows[arm].mean():.3f}{shown}")
            out.append(f"| {level} | {count} | {' | '.join(cells)} |")
        out.append("")
    return out[:-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--splits", type=int, default=30)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    rows, noisy = [], []
    with tempfile.TemporaryDirectory() as folder:
        run, cohort, whole = read(options.data, Path(folder))
        for split in range(options.splits):
            rows += one_split(run, cohort, whole, split)
            noisy += with_noise(run, cohort, whole, split)
            print(f"split {split + 1} of {options.splits}", file=sys.stderr, flush=True)
    text = "\n".join(lines(pd.DataFrame(rows), cohort.obs["site"].value_counts()))
    price = "\n".join(noise_lines(pd.DataFrame(noisy)))
    print(f"{text}\n\n{price}")
    if options.write:
        between(DOCS / "federation.md", price, "<!-- price of noise -->")
        between(DOCS / "federation.md", text, "<!-- four hospitals -->")


if __name__ == "__main__":
    main()
