"""How few proteins tell COVID-19 and its outcome, and which way of choosing them does best?

    python benchmarks/real/panels.py DATA [--cohort covid_proteome] [--splits 4] [--tasks disease outcome]

128 patients, 517 proteins (or another real cohort), one panel of 6, 24 or 100 for all tasks, chosen in five folds by
every method and fitted in the same way (ridge, its penalty chosen inside):

- forward: what `mtlbio panel` does, gains of ridge regressions summed over tasks;
- steps: the same without penalties (orthogonal least squares);
- marginal: the largest mean squared correlation;
- group_lasso: entry on the path of scikit-learn's multi-task lasso, missing labels filled by ridge regressions;
- stability: how often `forward` chooses a feature in halves of the donors (Meinshausen & Buehlmann 2010);
- elimination: the smallest ridge coefficients go first, a tenth at a time (Guyon et al. 2002).

Prints the deciding metric of held-out patients as the mean over splits and for the split of the run, and the front of
`forward` with paired intervals against all proteins. Two minutes on an idle core. DATA holds the cohort.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from benchmarks.real.cohorts import COHORTS
from benchmarks.real.runs import described
from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.features import row_space
from mtlbio.cohort.prepare import build_cohort
from mtlbio.cohort.split import make_splits, train_test
from mtlbio.config import Splits
from mtlbio.evaluation.panel.chosen import EVERYTHING, SHARED, choose_panels
from mtlbio.evaluation.panel.entering import entering
from mtlbio.evaluation.panel.fitted import Fitted
from mtlbio.evaluation.panel.front import Scored
from mtlbio.evaluation.ridge import fit_ridge, total_variance

SIZES = (6, 24, 100)
HALVES = 20
RELATIVE = 0.1  # penalty of what fills labels and is eliminated by, of the total variance


def forward(fitted: Fitted, most: int) -> np.ndarray:
    """As the package does."""
    return entering(fitted.x, fitted.y, fitted.weights, most, shares=fitted.shares(np.arange(len(fitted.targets))))


def steps(fitted: Fitted, most: int) -> np.ndarray:
    """Least squares; a penalty that is next to nothing keeps copies from dividing by it."""
    return entering(fitted.x, fitted.y, fitted.weights, most, growth=1e-3)


def marginal(fitted: Fitted, most: int) -> np.ndarray:
    """By correlation."""
    found = 0.0
    for y in fitted.y.T:
        rows = ~np.isnan(y)
        found = found + np.square(np.corrcoef(np.column_stack([y, fitted.x])[rows], rowvar=False)[0, 1:])
    return np.argsort(-found, kind="stable")[:most]


def group_lasso(fitted: Fitted, most: int) -> np.ndarray:
    """By entry on the path, then by the norm over tasks."""
    from sklearn.linear_model import lasso_path

    root = np.sqrt(fitted.weights)[:, None]
    x, y = (root * (values - values.mean(axis=0)) for values in (fitted.x, filled(fitted)))
    coefficients = lasso_path(x, y, eps=0.02, alphas=60, max_iter=500)[1]
    norms = np.sqrt(np.square(coefficients).sum(axis=0))
    entered = np.where((norms > 0).any(axis=1), (norms > 0).argmax(axis=1), norms.shape[1])
    return np.lexsort((-norms.max(axis=1), entered))[:most]


def filled(fitted: Fitted) -> np.ndarray:
    """(n, T) targets, missing ones as a ridge regression on all features predicts them."""
    scores, y = row_space(fitted.x)[1], fitted.y.copy()
    for t in range(y.shape[1]):
        rows = ~np.isnan(y[:, t])
        penalty = np.array([RELATIVE * total_variance(scores[rows], fitted.weights[rows])])
        fit = fit_ridge(scores[rows], y[rows, t], fitted.weights[rows], penalty)
        y[~rows, t] = fit.predict(scores[~rows])[0]
    return y


def stability(fitted: Fitted, most: int) -> np.ndarray:
    """By how often, and how early, halves of the samples choose it."""
    rng, often = np.random.default_rng(0), np.zeros(fitted.x.shape[1])
    for _ in range(HALVES):
        half = rng.permutation(len(fitted.x))[: len(fitted.x) // 2]
        order = entering(fitted.x[half], fitted.y[half], fitted.weights[half], most)
        often[order] += 1 - 0.5 * np.arange(len(order)) / len(order)
    return np.argsort(-often, kind="stable")[:most]


def elimination(fitted: Fitted, most: int) -> np.ndarray:
    """From the last that is left to the first that goes."""
    left, gone = np.arange(fitted.x.shape[1]), np.array([], dtype=int)
    while len(left) > 1:
        basis, scores = row_space(fitted.x[:, left])
        size = np.zeros(len(left))
        for y in fitted.y.T:
            rows = ~np.isnan(y)
            penalty = np.array([RELATIVE * total_variance(scores[rows], fitted.weights[rows])])
            found = basis @ fit_ridge(scores[rows], y[rows], fitted.weights[rows], penalty).coefficients[0, :, 0]
            size += np.square(found) / np.square(found).sum()
        order = np.argsort(size, kind="stable")
        out = order[: max(len(left) // 10, 1)]
        gone, left = np.concatenate([left[out][::-1], gone]), np.delete(left, out)
    return np.concatenate([left, gone])[:most]


METHODS: dict[str, Callable[[Fitted, int], np.ndarray]] = {
    f.__name__: f for f in (forward, steps, marginal, group_lasso, stability, elimination)
}


def compared(cohort: Cohort, splits: pd.DataFrame) -> pd.DataFrame:
    """A row per method, task and size: the deciding metric of held-out samples; size 0 is all features."""
    predicted: dict[tuple[str, str, int], np.ndarray] = {}
    for fold in sorted(splits["fold"].unique()):
        train, test = train_test(splits, fold)
        fitted = Fitted.of(cohort, train, test, len(cohort.genes))
        orders = {name: method(fitted, max(SIZES)) for name, method in METHODS.items()}
        chosen = {(name, size): order[:size] for name, order in orders.items() for size in SIZES}
        chosen["everything", 0] = np.arange(len(fitted.places))
        for (name, size), inside in chosen.items():
            for task, label in cohort.tasks.items():
                found = fitted.predicted(label, inside)[0]
                shape = (len(cohort.obs), *found.shape[1:])
                predicted.setdefault((name, task, size), np.full(shape, np.nan))[test] = found
    rows = [[*key, cohort.tasks[key[1]].score(cohort.y(key[1]), values)] for key, values in predicted.items()]
    return pd.DataFrame(rows, columns=["method", "task", "size", "value"])


def main(data: Path, name: str, splits: int, tasks: list[str]) -> None:
    """Print the tables."""
    if not (data / name).is_dir():
        raise SystemExit(f"{data}: no {name} in it, and nothing to compare")
    with tempfile.TemporaryDirectory() as folder:
        run = described(name, data, Path(folder))
        cohort = build_cohort(run)[0]
    cohort = replace(cohort, tasks={name: cohort.tasks[name] for name in tasks})
    tables = [compared(cohort, make_splits(cohort, Splits(seed=seed))) for seed in range(splits)]
    for title, table in ((f"mean of {splits} splits", pd.concat(tables)), ("the split of the run", tables[0])):
        wide = table.pivot_table(index="method", columns=["task", "size"], values="value", sort=False)
        print(f"{title}\n{wide.to_string(float_format='{:.3f}'.format)}\n")
    options = run.evaluate
    panels = choose_panels(cohort, make_splits(cohort, Splits()), SIZES, len(cohort.genes))
    scored = Scored(cohort, panels, options.bootstrap, options.seed, options.margin)
    for task in tasks:
        whole = scored.of(EVERYTHING, task)
        print("{}, all: {:.3f} ({:.3f} to {:.3f})".format(task, *whole))
        for size in SIZES:
            panel = (SHARED, "", float(size))
            own, lead = scored.of(panel, task), scored.difference(panel, EVERYTHING, task)
            text = "{:.3f} ({:.3f} to {:.3f}), difference {:.3f} ({:.3f} to {:.3f})".format(*own, *lead)
            print(f"{task}, {size}: {text}, {scored.call(panel, EVERYTHING, task)}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder of the real cohorts")
    parser.add_argument(
        "--cohort", choices=sorted(COHORTS), default="covid_proteome", help="of benchmarks/real/cohorts.py"
    )
    parser.add_argument("--splits", type=int, default=4, help="ways to make the folds, the run's among them")
    parser.add_argument("--tasks", nargs="+", default=["disease", "outcome"], help="of the cohort")
    chosen = parser.parse_args()
    main(chosen.data, chosen.cohort, chosen.splits, chosen.tasks)
