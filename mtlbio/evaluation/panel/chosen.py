"""The panels of every fold, and what they predict of its held-out donors."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.split import train_test
from mtlbio.evaluation.panel.entering import entering
from mtlbio.evaluation.panel.fitted import Fitted
from mtlbio.evaluation.panel.limits import most_of, panel_of

SHARED, OWN, ALL = "shared", "own", "all"
FINAL = -1  # the fold that holds nobody out

# (kind of panel, task it is for or "" for all of them, limit); all features: (ALL, "", 0)
Panel = tuple[str, str, float]
EVERYTHING: Panel = (ALL, "", 0.0)


@dataclass(frozen=True)
class Panels:
    """Panels by fold with what they predict.

    Attributes
    ----------
    members : (panel, fold) -> columns of the cohort in the order in which they entered
    predicted : (panel, task) -> (n, ...) predictions of held-out samples
    scores : (panel, task) -> class -> (n,) standardised scores behind them
    """

    members: dict[tuple[Panel, int], np.ndarray] = field(default_factory=dict)
    predicted: dict[tuple[Panel, str], np.ndarray] = field(default_factory=dict)
    scores: dict[tuple[Panel, str], dict[str, np.ndarray]] = field(default_factory=dict)


def kinds_of(tasks: Sequence[str]) -> list[tuple[str, str]]:
    """(kind, task) of the panels that are made: one for all tasks, and one of each task where there are several."""
    return [(SHARED, "")] + ([(OWN, name) for name in tasks] if len(tasks) > 1 else [])


def orders(
    fitted: Fitted, tasks: Sequence[str], most: int, prices: np.ndarray | None
) -> dict[tuple[str, str], np.ndarray]:
    """(kind, task) of a panel -> candidates in the order in which they enter; ``prices`` (p,) of the candidates."""
    found = {}
    for kind, task in kinds_of(tasks):
        columns = fitted.columns_of(task or None)
        y, shares = fitted.y[:, columns], fitted.shares(columns)
        found[kind, task] = entering(fitted.x, y, fitted.weights, most, shares=shares, prices=prices)
    return found


def choose_panels(
    cohort: Cohort,
    splits: pd.DataFrame,
    limits: Sequence[float],
    n_genes: int,
    prices: np.ndarray | None = None,
    seed: int = 0,
) -> Panels:
    """Choose panels of every limit in every fold and of all donors, and predict who is held out.

    Parameters
    ----------
    splits : in the order of the cohort's samples
    n_genes : the most variable features of the training donors are candidates
    prices : (features of the cohort,)
    """
    panels, most = Panels(), most_of(limits, prices)
    everybody = np.arange(len(cohort.obs))
    for fold in [*sorted(splits["fold"].unique()), FINAL]:
        train, test = (everybody, everybody[:0]) if fold == FINAL else train_test(splits, fold)
        fitted = Fitted.of(cohort, train, test, n_genes, seed)
        cost = None if prices is None else prices[fitted.places]
        for (kind, task), order in orders(fitted, list(cohort.tasks), most, cost).items():
            for limit in limits:
                inside = panel_of(order, limit, cost)
                panels.members[(kind, task, float(limit)), int(fold)] = fitted.places[inside]
                for name in [task] if task else cohort.tasks:
                    keep_predictions(panels, (kind, task, float(limit)), name, cohort, test, fitted, inside)
        panels.members[EVERYTHING, int(fold)] = fitted.places
        for name in cohort.tasks:
            keep_predictions(panels, EVERYTHING, name, cohort, test, fitted, np.arange(len(fitted.places)))
    return panels


def keep_predictions(
    panels: Panels, panel: Panel, task: str, cohort: Cohort, test: np.ndarray, fitted: Fitted, inside: np.ndarray
) -> None:
    """Put down what a panel predicts of the held-out samples."""
    if not len(test):
        return
    predicted, scores = fitted.predicted(cohort.tasks[task], inside)
    n = len(cohort.obs)
    panels.predicted.setdefault((panel, task), np.full((n, *predicted.shape[1:]), np.nan))[test] = predicted
    kept = panels.scores.setdefault((panel, task), {})
    for part, values in scores.items():
        kept.setdefault(part, np.zeros(n))[test] = values
