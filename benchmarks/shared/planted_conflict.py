"""Two tasks on one trunk, planted: at odds, or with nothing to do with each other; and the front between them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.split import make_splits
from mtlbio.config import Splits, Training
from mtlbio.evaluation.tradeoff.points import Points, points_of
from mtlbio.evaluation.tradeoff.scored import PRESENT, Scored
from mtlbio.labels import Regression
from mtlbio.training.preference_stack import fit_preferences, preference_stack

# the trunk alone: sparse heads of their own would spare the tasks the conflict
OPTIONS = Training(genes=60, axes=4, curves=20, block=1, seeds=1, epochs=150, paths=["dense"], single_task=False)


def planted(donors: int = 300, genes: int = 60, seed: int = 0, noise: float = 0.5) -> Cohort:
    """Two numbers, each a dense sum of all genes, along two directions at a right angle: one dimension serves one of
    them or the other, two serve both."""
    rng = np.random.default_rng([seed, 71])
    x = rng.standard_normal((donors, genes))
    along, _ = np.linalg.qr(rng.standard_normal((genes, 2)))
    y = x @ along + noise * rng.standard_normal((donors, 2))
    obs = pd.DataFrame({"donor": [f"d{i:04d}" for i in range(donors)], "one": y[:, 0], "two": y[:, 1]})
    obs.index = [f"s{i:04d}" for i in range(donors)]
    tasks = {name: Regression(name) for name in ("one", "two")}
    return Cohort((7 + x).astype(np.float32), tuple(f"g{i:03d}" for i in range(genes)), obs, tasks)


def front_of(cohort: Cohort, options: Training, preferences: int = 9, folds: int = 2, draws: int = 400):
    """Points, and their scores; the present weights are the plain sum."""
    splits = make_splits(cohort, Splits(folds=folds))
    points = points_of(len(cohort.tasks), preferences, None)
    with_present = Points((*points.names, PRESENT), np.vstack([points.weights, [0.5, 0.5]]), (*points.tails, ""))
    refitter = preference_stack(cohort, splits, options, with_present.trained(cohort, 0.5))
    predicted = dict(zip(with_present.names, fit_preferences(cohort, refitter), strict=True))
    return points, Scored(cohort, predicted, draws, 0)
