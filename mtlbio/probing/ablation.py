"""Step 3: what does each head lose, on held-out donors, when a dimension, or a block of them, is taken out?

Two ways, because they answer two questions:

- ``conditional``: the dimension is replaced by its mean given the others, and the model's own heads predict: what this
  model uses the dimension for. An examinee without heads (:mod:`mtlbio.probing.examinee`) is not asked;
- ``refit``: ridge heads are fitted on the training donors with and without it: what information is lost. They see the
  training donors' *held-out* latents: on its own training donors a supervised dimension already knows the labels, heads
  would rely on it, and fail on new donors for a reason that has nothing to do with the dimension taken out.

Loss = metric with minus metric without, on pooled held-out predictions averaged over seeds; paired donor bootstrap, of
whole families where they are known.
A metric below chance counts as chance, with and without: a head that knows nothing has nothing to lose, and the noise
of two worthless predictions is no evidence that a dimension is needed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mtlbio.config import TrialOptions
from mtlbio.evaluation.bootstrap import bootstrap_weights
from mtlbio.labels import Label
from mtlbio.probing.examinee import Examinee, WithHeads
from mtlbio.probing.power import donors_for_harmlessness
from mtlbio.probing.refit import Sets, refitted
from mtlbio.probing.trial import Trial
from mtlbio.progress import track

COLUMNS = ["dim", "task", "metric", "way", "score", "loss", "ci_low", "ci_high", "lower", "upper", "donors_needed"]
COLUMNS += ["call", "removal"]


@dataclass
class Removed:
    """Held-out predictions of one task with everything (n, ...) and without each set of dimensions (S, n, ...);
    NaN = none."""

    full: np.ndarray
    without: np.ndarray

    @classmethod
    def empty(cls, sets: int, n: int, *shape: int) -> Removed:
        """None yet."""
        return cls(np.full((n, *shape), np.nan), np.full((sets, n, *shape), np.nan))


def ablation(trial: Trial, examinee: Examinee, blocks: dict[str, tuple[int, ...]] | None = None) -> pd.DataFrame:
    """Loss of the metric that decides about every task, without every dimension, and without every block.

    ``examinee``: with the samples and dimensions of ``trial``; ``blocks``: name -> places of dimensions that are taken
    out together.

    Returns
    -------
    ``COLUMNS``: a row per dimension (or block, by its name) x task x way. ``ci_low`` .. ``ci_high``:
    95 % percentile interval; ``upper``: one-sided 95 % bound for harmlessness. ``lower``: the bound for harm, one-sided
    97.5 % shared out over tasks and ways, so that a useless dimension is called a shortcut for *any* task in at most
    one case of forty. ``donors_needed``: test donors with which a dimension of no loss would be shown to be harmless
    with 80 % power. ``call`` is of the way, ``removal`` of all ways that were taken (:func:`combined`)
    """
    sets = {dim: (d,) for d, dim in enumerate(examinee.dims)} | (blocks or {})
    removed = held_out_predictions(trial, examinee, list(sets.values()))
    tasks = asked(trial)
    if not tasks:
        return pd.DataFrame(columns=COLUMNS)
    tables = []
    for task in track(tasks.values(), "loss of every head without every dimension"):
        y, ways = trial.labels(task.name), removed[task.name]
        for way, predictions in ways.items():
            questions = len(ways) * len(tasks)
            table = losses(task, y, trial.donors, predictions, trial.options, questions, trial.clusters)
            tables.append(table.assign(dim=list(sets), task=task.name, metric=task.decisive.name, way=way))
    table = pd.concat(tables, ignore_index=True)
    table["removal"] = table.groupby(["dim", "task"])["call"].transform(lambda calls: combined(*calls))
    return table[COLUMNS]


def asked(trial: Trial) -> dict[str, Label]:
    """Tasks of which something can be claimed: latents that saw a label would lose it with every dimension."""
    return {name: task for name, task in trial.tasks.items() if name not in trial.refused}


def held_out_predictions(trial: Trial, examinee: Examinee, sets: Sets) -> dict[str, dict[str, Removed]]:
    """Predictions of every held-out sample: task -> way -> :class:`Removed`; ``sets`` are left out one by one."""
    fold, clusters = examinee.fold, trial.clusters
    model = examinee if isinstance(examinee, WithHeads) else None
    n = len(fold)
    out: dict[str, dict[str, Removed]] = {}
    for name, task in asked(trial).items():
        heads = len(task.indicators(np.zeros(0)) or ()) or 1  # that are refitted
        conditional = {} if model is None else {"conditional": Removed.empty(len(sets), n, *task.width)}
        out[name] = conditional | {"refit": Removed.empty(len(sets), n, *([heads] if heads > 1 else []))}
    held_out = np.full((n, len(examinee.dims)), np.nan)
    for f in track(np.unique(fold), "encoding held-out donors"):
        test = np.flatnonzero(fold == f)
        latents = np.asarray(examinee.latents(int(f)), dtype=float)
        held_out[test] = latents[:, test].mean(axis=0)
        if model is None:
            continue
        train = ~np.isin(clusters, np.unique(clusters[test]))
        replaced = conditional_means(latents[:, train], latents[:, test], sets)
        for name in out:
            removed = out[name]["conditional"]
            removed.full[test] = model.predict_from_latents(name, latents[:, test], int(f)).mean(axis=0)
            for i, places in enumerate(sets):
                without = latents[:, test].copy()
                without[:, :, places] = replaced[i]
                removed.without[i, test] = model.predict_from_latents(name, without, int(f)).mean(axis=0)
    for f in np.unique(fold):
        test = np.flatnonzero(fold == f)
        train = ~np.isin(clusters, np.unique(clusters[test]))
        for name, task in asked(trial).items():
            y = trial.labels(name)
            rows = train & ~np.isnan(y)
            if len(np.unique(y[rows])) > 1:
                full, without = refitted(held_out[rows], y[rows], clusters[rows], held_out[test], task, sets)
                out[name]["refit"].full[test], out[name]["refit"].without[:, test] = full, without
    return out


def conditional_means(train: np.ndarray, test: np.ndarray, sets: Sets) -> list[np.ndarray]:
    """Sets of dimensions of the test samples as the linear regression on all others predicts them, per replica.

    With the precision matrix P of the training latents (Ledoit & Wolf 2004 shrinkage), the regression of the dimensions
    S on the others is z_S - P_SS^-1 (P (z - mean))_S: one inverse serves all sets.

    Parameters
    ----------
    train, test : (seeds, samples, D)
    sets : places of dimensions that are predicted together from the rest

    Returns
    -------
    For each set (seeds, test samples, its size)
    """
    from sklearn.covariance import ledoit_wolf

    out = [test[:, :, list(places)].copy() for places in sets]
    for s in range(len(train)):
        mean, spread = train[s].mean(axis=0), train[s].std(axis=0)
        spread = np.where(spread > 0, spread, 1.0)
        precision = np.linalg.inv(ledoit_wolf((train[s] - mean) / spread)[0])
        unexpected = (test[s] - mean) / spread @ precision
        for values, places in zip(out, map(list, sets), strict=True):
            residual = np.linalg.solve(precision[np.ix_(places, places)], unexpected[:, places].T).T
            values[s] -= residual * spread[places]
    return out


def losses(
    task: Label,
    y: np.ndarray,
    donors: np.ndarray,
    removed: Removed,
    options: TrialOptions,
    questions: int = 1,
    clusters: np.ndarray | None = None,
) -> pd.DataFrame:
    """Loss of the task's metric without each dimension, a row each; ``questions`` share the error of calling harm.

    ``clusters``: (n,) what is drawn again as a whole, donors where left out.
    """
    rows = ~np.isnan(y) & ~np.isnan(removed.full.reshape(len(y), -1)).any(axis=1)
    clusters = (donors if clusters is None else clusters)[rows]
    y, donors, full = y[rows], donors[rows], removed.full[rows]
    chance, base = task.decisive.chance, task.score(y, full) if rows.any() else np.nan
    floor = -np.inf if chance is None else chance
    table = pd.DataFrame({"score": np.full(len(removed.without), base)}, columns=COLUMNS[4:12])
    if not np.isfinite(base):
        return table.assign(call="inconclusive")
    weights = bootstrap_weights(clusters, options.bootstrap, options.seed, task.strata(y))
    left = np.array([task.score(y, without[rows]) for without in removed.without])
    loss = max(base, floor) - np.maximum(left, floor)
    drawn = np.array([task.score(y, without[rows], weights) for without in removed.without])
    draws = np.maximum(task.score(y, full, weights), floor) - np.maximum(drawn, floor)
    low, high, lower, upper = np.nanquantile(draws, [0.025, 0.975, 0.025 / questions, 0.95], axis=1)
    people = len(np.unique(donors))
    needed = [donors_for_harmlessness(se, people, options.margin) for se in np.nanstd(draws, axis=1)]
    calls = [call(*bounds, options.margin) for bounds in zip(lower, upper, strict=True)]
    return table.assign(loss=loss, ci_low=low, ci_high=high, lower=lower, upper=upper, donors_needed=needed, call=calls)


def call(lower: float, upper: float, margin: float) -> str:
    """``harmless``: one-sided 95 % upper bound of the loss below the margin (non-inferiority); ``harmful``: lower
    bound above 0; a loss that is certain but certainly smaller than the margin is harmless."""
    if upper < margin:
        return "harmless"
    return "harmful" if lower > 0 else "inconclusive"


def combined(*calls: str) -> str:
    """Harmful if any way is, harmless only if all are: a bin has to be useless to the model and in itself."""
    if "harmful" in calls:
        return "harmful"
    return "harmless" if set(calls) == {"harmless"} else "inconclusive"
