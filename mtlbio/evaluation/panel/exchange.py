"""Which feature of a panel could be another one: correlated partners that cost no more than the margin.

The panel of all donors is kept but for one feature. Both panels are fitted on training donors and compared on held-out
ones, paired. That all donors chose the panel favours it over the one with the partner, so a partner that passes passes
a severe test.
"""

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.split import train_test
from mtlbio.evaluation.panel.chosen import Panel, Panels, keep_predictions
from mtlbio.evaluation.panel.fitted import Fitted
from mtlbio.evaluation.panel.front import Scored
from mtlbio.progress import track
from mtlbio.tables import PANEL_EXCHANGE

PARTNERS = 2  # of every feature, the most correlated ones
CORRELATED = 0.5  # absolute correlation from which a feature is a partner

_KEPT: Panel = ("kept", "", 0.0)


def partners_of(fitted: Fitted, inside: np.ndarray) -> list[tuple[int, int, float]]:
    """(feature, partner, correlation) of candidates outside a panel (k,) for features in it, places among candidates;
    ``fitted``: of all donors."""
    share = fitted.weights / fitted.weights.sum()
    x = fitted.x - share @ fitted.x
    x /= np.maximum(np.sqrt(share @ np.square(x)), 1e-12)
    found, outside = [], np.setdiff1d(np.arange(x.shape[1]), inside)
    for feature in inside:
        r = (share * x[:, feature]) @ x[:, outside]
        for k in np.argsort(-np.abs(r), kind="stable")[:PARTNERS]:
            if abs(r[k]) >= CORRELATED:
                found.append((int(feature), int(outside[k]), float(r[k])))
    return found


def exchangeable(
    cohort: Cohort, splits: pd.DataFrame, panel: np.ndarray, everybody: Fitted, scored: Scored, tasks: list[str]
) -> pd.DataFrame:
    """Columns of :data:`mtlbio.tables.PANEL_EXCHANGE`: a row per feature, partner and task.

    ``panel``: columns of the cohort, of the panel that all donors chose; ``everybody``: of all donors; ``scored``: with
    the draws and the margin.
    """
    seed = scored.seed
    inside = np.flatnonzero(np.isin(everybody.places, panel))
    pairs = partners_of(everybody, inside)
    places = everybody.places
    sets: dict[Panel, np.ndarray] = {_KEPT: places[inside]}
    for k, (feature, partner, _) in enumerate(pairs):
        sets["swapped", "", float(k)] = places[np.where(inside == feature, partner, inside)]
    panels = Panels()
    for fold in track(sorted(splits["fold"].unique()), "Exchanging features of the panel") if pairs else ():
        train, test = train_test(splits, fold)
        fitted = Fitted.of(cohort, train, test, len(cohort.genes), seed)
        for name in tasks:
            for which, members in sets.items():
                there = np.flatnonzero(np.isin(fitted.places, members))
                keep_predictions(panels, which, name, cohort, test, fitted, there)
    own, rows = Scored(cohort, panels, scored.draws, seed, scored.margin), []
    for k, (feature, partner, r) in enumerate(pairs):
        for name in tasks:
            other: Panel = ("swapped", "", float(k))
            found = own.difference(other, _KEPT, name)
            row = [cohort.genes[places[feature]], cohort.genes[places[partner]], r, name]
            rows.append([*row, cohort.tasks[name].decisive.name, *found, own.call(other, _KEPT, name)])
    return pd.DataFrame(rows, columns=PANEL_EXCHANGE)


def free_partners(table: pd.DataFrame) -> dict[str, list[str]]:
    """Feature -> partners that cost no task more than the margin."""
    found: dict[str, list[str]] = {}
    for (feature, partner), rows in table.groupby(["feature", "partner"], sort=False):
        if rows["call"].isin(["better", "no_worse"]).all():
            found.setdefault(str(feature), []).append(str(partner))
    return found
