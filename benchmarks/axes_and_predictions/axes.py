"""How well axes follow planted programmes, out of fold: mtlbio against rotated components and MOFA2.

    python benchmarks/axes_and_predictions/axes.py [--full] [--seed 0]

For every programme: r2 of the best axis and, behind the slash, of the runner-up (large: the programme is split or
stacking). Axes are fitted on four fifths of the donors and read on the rest, over all five folds; MOFA2 cannot encode
new samples and is fitted and read on all of them, which flatters it. Every finder gets the same number of axes.
Small form: one seed, some minutes on one core,
nearly all of them for MOFA2. Full form: five seeds.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from benchmarks.other_tools.tools.associations import mofa_factors
from mtlbio.cohort.features import fit_features
from mtlbio.cohort.simulate import Simulation, simulate
from mtlbio.model.axes import sparse_axes
from mtlbio.model.parallel import count_axes, generous
from mtlbio.model.rotation import principal_components, rotated_start, varimax
from mtlbio.progress import show_progress

DESIGNS = ("clear", "correlated", "confounded", "nested", "buried")
SHOWN = ("age", "interferon", "composition", "sex", "batch")
FOLDS, GENES = 5, 5000


def encoder_of(scores: np.ndarray, x: np.ndarray) -> np.ndarray:
    """(p, k) encoder that gives the scores (n, k) back: rotated components lie in the row space of ``x``."""
    return x.T @ np.linalg.solve(x @ x.T + 1e-9 * np.trace(x @ x.T) / len(x) * np.eye(len(x)), scores)


def of_mtlbio(x: np.ndarray, k: int) -> np.ndarray:
    """Gene-sparse axes."""
    return sparse_axes(x, rotated_start(x, k)).encoder


def of_varimax(x: np.ndarray, k: int) -> np.ndarray:
    """Principal components after varimax."""
    scores, loadings = principal_components(x, k)
    return encoder_of(scores @ varimax(loadings), x)


def of_promax(x: np.ndarray, k: int) -> np.ndarray:
    """Principal components after varimax and promax."""
    return encoder_of(rotated_start(x, k)[0], x)


FINDERS = {"mtlbio": of_mtlbio, "PCA + varimax": of_varimax, "PCA + promax": of_promax}


def mofa(x: np.ndarray, k: int, seed: int) -> np.ndarray | None:
    """(n, k) factors of MOFA2 on its defaults, or None where mofapy2 is not installed."""
    return mofa_factors(x, k, seed) if importlib.util.find_spec("mofapy2") else None


def follow(latents: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """(programmes, 2) r2 of the best axis and of the runner-up."""
    keep = latents[:, latents.std(axis=0) > 1e-9]
    r2 = np.corrcoef(truth, keep, rowvar=False)[: truth.shape[1], truth.shape[1] :] ** 2
    r2 = np.pad(r2, ((0, 0), (0, max(0, 2 - r2.shape[1]))))
    return np.sort(r2, axis=1)[:, ::-1][:, :2]


def one_cohort(simulation: Simulation, seed: int) -> dict[str, tuple[np.ndarray, float, float]]:
    """By finder: r2 (programmes, 2) averaged over folds, number of axes, seconds per fit."""
    expression, truth = simulation.expression.to_numpy(), simulation.truth[simulation.loadings.index].to_numpy()
    fold = np.random.default_rng([seed, 4]).permutation(len(truth)) % FOLDS
    found: dict[str, list] = {name: [] for name in FINDERS}
    wanted = []
    for f in range(FOLDS):
        train = fold != f
        features = fit_features(expression[train], GENES)
        x = features.transform(expression).astype(float)
        k = generous(count_axes(x[train], np.arange(train.sum()), seed), train.sum(), 60)
        wanted.append(k)
        for name, finder in FINDERS.items():
            start = time.perf_counter()
            encoder = finder(x[train], k)
            seconds = time.perf_counter() - start
            found[name].append((follow(x[~train] @ encoder, truth[~train]), encoder.shape[1], seconds))
    result = {
        name: tuple(np.mean([part[i] for part in parts], axis=0) for i in range(3)) for name, parts in found.items()
    }
    start = time.perf_counter()
    factors = mofa(fit_features(expression, GENES).transform(expression).astype(float), max(wanted), seed)
    if factors is not None:
        result["MOFA2 (in-sample)"] = (follow(factors, truth), factors.shape[1], time.perf_counter() - start)
    return result


def main(full: bool, seed: int) -> None:
    """Print one table over all designs."""
    seeds = range(seed, seed + (5 if full else 1))
    rows = []
    for design in DESIGNS:
        runs = []
        for s in seeds:
            simulation = simulate(design, s)
            runs.append(one_cohort(simulation, s))
        names = list(simulation.loadings.index)
        for finder in runs[0]:
            r2 = np.mean([run[finder][0] for run in runs], axis=0)
            row = {"design": design, "axes by": finder}
            row |= {p: f"{r2[names.index(p), 0]:.2f} / {r2[names.index(p), 1]:.2f}" for p in SHOWN}
            others = [i for i, name in enumerate(names) if name not in SHOWN]
            row["nuisance"] = f"{r2[others, 0].mean():.2f} / {r2[others, 1].mean():.2f}" if others else "-"
            row["axes"] = f"{np.mean([run[finder][1] for run in runs]):.0f}"
            row["seconds"] = f"{np.mean([run[finder][2] for run in runs]):.2f}"
            rows.append(row)
    print(f"r2 of the best axis / the runner-up; 300 donors, seeds {list(seeds)}")
    print(pd.DataFrame(rows).to_string(index=False))
    if "MOFA2 (in-sample)" not in runs[0]:
        print("MOFA2 skipped: mofapy2 is not installed (pip install mofapy2)")


if __name__ == "__main__":
    show_progress()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="five seeds")
    parser.add_argument("--seed", type=int, default=0, help="first seed")
    given = parser.parse_args()
    main(given.full, given.seed)
