"""A new task with few labels: does meta-learning beat the head on a frozen trunk?

    python benchmarks/sharing/meta_learning.py DATA [--full]

DATA holds ``gdsc_ic50/``. Tasks are drugs, samples cell lines, inputs mutations, copy numbers and tissues. Most drugs
train on 500 lines; 20 other drugs on 150 other lines choose settings, rates and steps of every arm; the drugs that are
left have 5 to 100 labels on lines that nothing has seen, and are scored by Pearson's r on the rest of these. Arms: the
head of ``mtlbio add-task`` on a linear trunk of the training drugs, the same head on principal components (what is
learnt without any label), ridge on the features, and networks (:mod:`benchmarks.sharing.meta.arms`) that see as many
tasks and labels as each other. The interval draws drugs again. Small form: one third of the drugs, 300 batches, ten
minutes; ``--full``: every drug once, 1,000 batches.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
import torch

from benchmarks.real.new_drugs import TASK, Drugs, Trunk, of_drugs, read, trunk_of
from benchmarks.sharing.meta.arms import ARMS, SETTINGS, chosen, learnt, mean_r
from benchmarks.sharing.meta.learners import Episodes
from mtlbio.cohort.features import row_space
from mtlbio.evaluation.added.head import fit_head
from mtlbio.evaluation.baselines import fit_label
from mtlbio.evaluation.linear import ridge
from mtlbio.training.frozen_head import Prior

LABELS = (5, 10, 20, 50, 100)
TASKS, SAMPLES = 8, 10  # of a batch; to adapt to, and as many new ones
CHOOSING_DRUGS, CHOOSING_LINES, FOLDS, COMPONENTS = 20, 150, 3, 50


@dataclass(frozen=True)
class Split:
    """Drugs that train, choose and are tested, and lines for each."""

    train: np.ndarray
    choose: np.ndarray
    test: np.ndarray
    of_train: np.ndarray
    of_choose: np.ndarray
    of_test: np.ndarray


def split(drugs: Drugs, trunk: Trunk, fold: int, seed: int) -> Split:
    """One third of the drugs is tested; lines as the trunk has divided them."""
    order = np.random.default_rng([seed, 11]).permutation(drugs.y.shape[1])
    test = np.sort(order[fold::FOLDS])
    rest = order[~np.isin(order, test)]
    unseen = np.random.default_rng([seed, 13]).permutation(trunk.unseen)
    seen = np.setdiff1d(np.arange(len(drugs.x)), trunk.unseen)
    lines = np.sort(unseen[:CHOOSING_LINES]), np.sort(unseen[CHOOSING_LINES:])
    return Split(np.sort(rest[CHOOSING_DRUGS:]), np.sort(rest[:CHOOSING_DRUGS]), test, seen, *lines)


def standardised(y: np.ndarray, some: np.ndarray) -> np.ndarray:
    """Labels by mean and SD of those that a task may see."""
    return (y - y[some].mean()) / max(y[some].std(), 1e-6)


def batches(x: np.ndarray, y: np.ndarray, lines: np.ndarray, seed: int) -> tuple[Callable, Callable]:
    """What batch number so and so holds, and of which tasks (columns of ``y``) it is."""

    def which(number: int) -> torch.Tensor:
        draws = np.random.default_rng([seed, number, 0])
        return torch.tensor(draws.choice(y.shape[1], TASKS, replace=False))

    def draw(number: int) -> Episodes:
        draws, rows, labels = np.random.default_rng([seed, number, 1]), [], []
        for task in which(number).tolist():
            own = draws.choice(lines[~np.isnan(y[lines, task])], 2 * SAMPLES, replace=False)
            rows.append(own)
            labels.append(standardised(y[own, task], np.arange(SAMPLES)))
        x_all, y_all = x[np.array(rows)], np.array(labels)
        parts = (x_all[:, :SAMPLES], y_all[:, :SAMPLES], x_all[:, SAMPLES:], y_all[:, SAMPLES:])
        return Episodes(*(torch.tensor(part, dtype=torch.float32) for part in parts))

    return draw, which


def new_tasks(x: np.ndarray, y: np.ndarray, drugs: np.ndarray, lines: np.ndarray, k: int, seed: int):
    """Episodes of new drugs with k labels, which labels of the other lines are known, and the rows of each drug."""
    order = [np.random.default_rng([seed, drug]).permutation(lines[~np.isnan(y[lines, drug])]) for drug in drugs]
    some, rest = [rows[:k] for rows in order], [np.setdiff1d(lines, rows[:k]) for rows in order]
    labels = [standardised(y[:, drug], rows) for drug, rows in zip(drugs, some, strict=True)]
    tensors = (
        np.stack([x[rows] for rows in some]),
        np.stack([own[rows] for own, rows in zip(labels, some, strict=True)]),
        np.stack([x[rows] for rows in rest]),
        np.stack([own[rows] for own, rows in zip(labels, rest, strict=True)]),
    )
    episodes = Episodes(*(torch.tensor(part, dtype=torch.float32) for part in tensors))
    return episodes, ~torch.isnan(episodes.y_new), list(zip(some, rest, strict=True))


def heads_and_ridge(drugs: Drugs, trunk: Trunk, parts: Split, k: int, seed: int) -> dict[str, np.ndarray]:
    """(tested drugs,) r of the arms that are no networks."""
    known = trunk.x[parts.of_train]
    basis = np.linalg.svd(known - known.mean(axis=0), full_matrices=False)[2][:COMPONENTS]
    latents = {
        "head on the trunk": trunk.predictions[:, parts.train],
        "head on components": (trunk.x - known.mean(axis=0)) @ basis.T,
    }
    priors = {name: Prior.of(z[parts.of_train]) for name, z in latents.items()}
    priors["head on the trunk"] = of_drugs(latents["head on the trunk"][parts.of_train])
    found: dict[str, list[float]] = {name: [] for name in [*latents, "ridge"]}
    _, _, rows = new_tasks(trunk.x, drugs.y, parts.test, parts.of_test, k, seed)
    for drug, (some, rest) in zip(parts.test, rows, strict=True):
        y, lines = drugs.y[:, drug], drugs.lines[some]
        rest = rest[~np.isnan(y[rest])]
        predicted = {
            name: fit_head(TASK, priors[name], z[some], y[some], lines, lines).predict(z[rest])
            for name, z in latents.items()
        }
        space, scores = row_space(trunk.x[some] - trunk.x[some].mean(axis=0))
        of_rest = (trunk.x[rest] - trunk.x[some].mean(axis=0)) @ space
        predicted["ridge"] = fit_label(ridge, scores, of_rest, y[some], lines, TASK, seed)
        for name, own in predicted.items():
            found[name].append(float(np.corrcoef(own, y[rest])[0, 1]) if np.ptp(own) > 1e-12 else 0.0)
    return {name: np.array(own) for name, own in found.items()}


def compared(drugs: Drugs, trunk: Trunk, parts: Split, number: int, seed: int) -> pd.DataFrame:
    """A row per arm, tested drug and number of labels."""
    x = trunk.x / trunk.x[parts.of_train].std()
    draw, which = batches(x, drugs.y[:, parts.train], parts.of_train, seed)
    tables = []
    found = {k: heads_and_ridge(drugs, trunk, parts, k, seed) for k in LABELS}
    for arm in ARMS:
        make = partial(learnt, arm, x.shape[1], draw=draw, of_batch=which, tasks=len(parts.train), batches=number)
        candidates = [make(setting, seed=seed) for setting in SETTINGS]
        for k in LABELS:
            episodes, known, _ = new_tasks(x, drugs.y, parts.choose, parts.of_choose, k, seed)
            best, choice = chosen(candidates, episodes, known)
            episodes, known, _ = new_tasks(x, drugs.y, parts.test, parts.of_test, k, seed)
            found[k][arm] = mean_r(best.predictions(episodes)[choice], episodes.y_new, known)
        print(f"{arm}: {[round(float(found[k][arm].mean()), 3) for k in LABELS]}", flush=True)
    for k, arms in found.items():
        tables += [pd.DataFrame({"drug": parts.test, "labels": k, "arm": arm, "r": r}) for arm, r in arms.items()]
    return pd.concat(tables)


def main(data: Path, full: bool, seed: int) -> None:
    """Print mean r, and the difference of every arm to the head on the trunk with its interval over drugs."""
    torch.set_num_threads(1)
    drugs = read(data)
    trunk = trunk_of(drugs, seed)
    folds = range(FOLDS if full else 1)
    found = [compared(drugs, trunk, split(drugs, trunk, fold, seed), 1000 if full else 300, seed) for fold in folds]
    table = pd.concat(found)
    wide = table.pivot_table(index=["labels", "drug"], columns="arm", values="r")
    print(f"\n{table['drug'].nunique()} new drugs, mean r")
    print(wide.groupby("labels").mean().T.round(3).to_string())
    print("\nless the head on the trunk, with the 95 % interval over drugs")
    draws = np.random.default_rng(seed)
    for arm in [name for name in wide if name != "head on the trunk"]:
        said = []
        for _, own in wide.groupby("labels"):
            apart = (own[arm] - own["head on the trunk"]).to_numpy()
            again = apart[draws.integers(len(apart), size=(2000, len(apart)))].mean(axis=1)
            low, high = np.quantile(again, [0.025, 0.975])
            said.append(f"{apart.mean():+.3f} ({low:+.3f} to {high:+.3f})")
        print(f"{arm:22}", "  ".join(said))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with gdsc_ic50/")
    parser.add_argument("--full", action="store_true", help="every drug once, 1,000 batches")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    main(given.data, given.full, given.seed)
