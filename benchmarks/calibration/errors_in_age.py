"""How much of an age that is recorded with error is left in the dimensions, by the method that adjusts for it?

    python benchmarks/calibration/errors_in_age.py [--runs 100] [--donors 80 300]

Nine idle axes hold 4-20 % of what age does, and disease follows the same: linear, U-shaped, or a step; age is 20-80,
evenly, and recorded with an error of ten years (reliability .75). Per method: the mean adjusted disease effect of the
idle axes, which is 0 in truth (bias, with its standard error over cohorts), how often a single test at .05 calls one,
and how often it finds the first axis, which drives disease (power).
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from benchmarks.calibration.planted import COVARIATES, TASKS
from mtlbio.probing.association import task_design
from mtlbio.probing.design import nuisance, orthonormal
from mtlbio.probing.inference import Contrast
from mtlbio.probing.trial import Trial

RELIABILITY, ERROR = 0.75, 10.0
SHAPES = {
    "linear": (lambda a: a, 1.2),
    "U": (lambda a: (np.square(a) - 1) / 0.9, 1.5),
    "step": (lambda a: np.where(a > 0.5, 1.5, -0.75), 1.5),
}


def planted(donors: int, shape: str, rng: np.random.Generator) -> tuple[Trial, np.ndarray]:
    """The trial of a cohort, and the true ages."""
    acts, log_odds = SHAPES[shape]
    age = rng.uniform(20, 80, donors)
    activity = acts((age - 50) / 17.3)
    z = rng.normal(size=(donors, 10))
    share = np.square(rng.uniform(0.2, 0.45, 9))
    z[:, 1:] = np.sqrt(1 - share) * z[:, 1:] + np.sqrt(share) * activity[:, None]
    disease = rng.random(donors) < 1 / (1 + np.exp(-z[:, 0] - log_odds * activity))
    obs = pd.DataFrame({"donor": [f"d{i:05d}" for i in range(donors)], "disease": np.where(disease, "case", "healthy")})
    obs = obs.assign(age=age + rng.normal(0, ERROR, donors), sex=rng.choice(["f", "m"], donors))
    obs = obs.assign(batch=rng.choice(["B0", "B1"], donors))
    dims = tuple(f"z{i + 1:02d}" for i in range(10))
    tasks = {"disease": TASKS["disease"]}
    return Trial(z, dims, np.array(["axis"] * 10), obs, tasks, dict(COVARIATES)), age


def with_age(trial: Trial, age: np.ndarray, reliability: float = 1.0) -> Trial:
    """The trial with other ages, or another reliability of them."""
    covariates = trial.covariates | {"age": replace(trial.covariates["age"], reliability=reliability)}
    return replace(trial, obs=trial.obs.assign(age=age), covariates=covariates)


def as_trial(trial: Trial) -> tuple[np.ndarray, np.ndarray]:
    """Effects and p of the trial's own test, (D,) each."""
    units, adjustment, columns = task_design(trial, "disease")
    wald = Contrast(columns, adjustment, units).wald(units.mean(trial.z))
    return wald.coefficients[0], wald.p


def calibrated(trial: Trial, told: bool) -> tuple[np.ndarray, np.ndarray]:
    """Regression calibration by a straight line and a normal age; ``told``: the label is among its predictors. With it
    the same as corrected moments (Fuller 1987, ch. 2)."""
    units, _, columns = task_design(trial, "disease")
    beside = [c for name, c in trial.covariates.items() if name != "age"]
    others = nuisance(trial.obs, beside, units).basis
    recorded = units.mean(trial.obs["age"].to_numpy(dtype=float)[:, None])
    basis = orthonormal(np.column_stack([others, columns])) if told else others
    residual = recorded - basis @ (basis.T @ recorded)
    variance = np.square(residual).sum() / (len(residual) - basis.shape[1])
    error = (1 - RELIABILITY) * recorded.var(ddof=1)
    expected = recorded - min(1.0, error / variance) * residual
    given = replace(
        nuisance(trial.obs, beside, units), basis=orthonormal(np.column_stack([others, expected - expected.mean()]))
    )
    wald = Contrast(columns, given, units).wald(units.mean(trial.z))
    return wald.coefficients[0], wald.p


def simex(trial: Trial, rng: np.random.Generator, copies: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Effects at added errors of 0 to 2 times the variance, extrapolated to -1 by a parabola (Cook & Stefanski 1994,
    JASA 89:1314); it has no p here."""
    recorded = trial.obs["age"].to_numpy(dtype=float)
    error, added, effects = np.sqrt((1 - RELIABILITY) * recorded.var(ddof=1)), np.array([0.0, 0.5, 1.0, 1.5, 2.0]), []
    for times in added:
        noise = error * np.sqrt(times) * rng.normal(size=(copies if times else 1, len(recorded)))
        effects.append(np.mean([as_trial(with_age(trial, recorded + u))[0] for u in noise], axis=0))
    parabola = np.polynomial.polynomial.polyfit(added, np.array(effects), 2)
    effect = parabola[0] - parabola[1] + parabola[2]
    return effect, np.full(len(effect), np.nan)


def methods(trial: Trial, age: np.ndarray, rng: np.random.Generator) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Effects and p of every method."""
    recorded = trial.obs["age"].to_numpy(dtype=float)
    return {
        "the true age": as_trial(with_age(trial, age)),
        "as recorded": as_trial(trial),
        "calibration without the label": calibrated(trial, False),
        "corrected moments (line)": calibrated(trial, True),
        "SIMEX, parabola": simex(trial, rng),
        "mtlbio": as_trial(with_age(trial, recorded, RELIABILITY)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--donors", type=int, nargs="+", default=[80, 300])
    given = parser.parse_args()
    for shape in SHAPES:
        for donors in given.donors:
            found: dict[str, list] = {}
            for run in range(given.runs):
                rng = np.random.default_rng([run, donors, 4713])
                for name, result in methods(*planted(donors, shape, rng), rng).items():
                    found.setdefault(name, []).append(result)
            print(f"\n{shape}, {donors} donors, {given.runs} cohorts: bias (se), level at .05, power")
            for name, results in found.items():
                effect, p = (np.array(values) for values in zip(*results, strict=True))
                bias = effect[:, 1:].mean(axis=1)
                tests = (
                    "" if np.isnan(p).all() else f"  {np.mean(p[:, 1:] <= 0.05):.3f}  {np.mean(p[:, 0] <= 0.05):.2f}"
                )
                print(f"  {name:30s} {bias.mean():+.3f} ({bias.std() / np.sqrt(len(bias)):.3f}){tests}")


if __name__ == "__main__":
    main()
