"""How often a feature is chosen: over the folds of the run, and over bootstrap draws of the donors."""

import numpy as np

from mtlbio.evaluation.bootstrap import bootstrap_weights
from mtlbio.evaluation.panel.chosen import FINAL, Panel, Panels
from mtlbio.evaluation.panel.entering import entering
from mtlbio.evaluation.panel.fitted import Fitted
from mtlbio.evaluation.panel.limits import most_of, panel_of

DRAWS = 100


def in_folds(panels: Panels, panel: Panel, features: int) -> np.ndarray:
    """(features,) share of the folds in whose panel each column of the cohort is."""
    members = [places for (its, fold), places in panels.members.items() if its == panel and fold != FINAL]
    counts = np.zeros(features)
    for places in members:
        counts[places] += 1
    return counts / max(len(members), 1)


def in_draws(
    fitted: Fitted,
    panel: Panel,
    features: int,
    prices: np.ndarray | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> np.ndarray:
    """(features,) share of draws of donors (families) in whose panel of the same limit each column is.

    Parameters
    ----------
    fitted : of all donors
    prices : (p,) of the candidates
    """
    columns = fitted.columns_of(panel[1] or None)
    counts, shares = np.zeros(features), fitted.shares(columns)
    most = most_of([panel[2]], prices)
    for times in bootstrap_weights(fitted.clusters, draws, seed):
        y = fitted.y[:, columns]
        order = entering(fitted.x, y, fitted.weights * times, most, shares=shares, prices=prices)
        counts[fitted.places[panel_of(order, panel[2], prices)]] += 1
    return counts / draws
