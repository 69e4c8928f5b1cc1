"""How often a feature is chosen: over the folds of the run, and over bootstrap draws of the donors."""

import numpy as np

from mtlbio.evaluation.bootstrap import bootstrap_weights
from mtlbio.evaluation.panel.chosen import FINAL, Panel, Panels
from mtlbio.evaluation.panel.entering import entering
from mtlbio.evaluation.panel.fitted import Fitted
from mtlbio.evaluation.panel.limits import most_of, panel_of

DRAWS = 100


def in_folds(panels: Panels, panel: Panel, features: int) -> np.ndarray:
    """(folds, features) bool: which columns of the cohort are in the panel of each fold."""
    members = [places for (its, fold), places in panels.members.items() if its == panel and fold != FINAL]
    inside = np.zeros((len(members), features), dtype=bool)
    for row, places in zip(inside, members, strict=True):
        row[places] = True
    return inside


def in_draws(
    fitted: Fitted,
    panel: Panel,
    features: int,
    prices: np.ndarray | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> np.ndarray:
    """(draws, features) bool: which columns are in the panel of the same limit of each draw of donors (families).

    Parameters
    ----------
    fitted : of all donors
    prices : (p,) of the candidates
    """
    columns = fitted.columns_of(panel[1] or None)
    inside, shares = np.zeros((draws, features), dtype=bool), fitted.shares(columns)
    most = most_of([panel[2]], prices)
    for row, times in zip(inside, bootstrap_weights(fitted.clusters, draws, seed), strict=True):
        y = fitted.y[:, columns]
        order = entering(fitted.x, y, fitted.weights * times, most, shares=shares, prices=prices)
        row[fitted.places[panel_of(order, panel[2], prices)]] = True
    return inside


def agreement(inside: np.ndarray, candidates: int) -> tuple[float, float]:
    """How alike the panels of several draws are, and its standard error: 1 where all are the same, 0 as by chance
    (Nogueira, Sechidis & Brown 2018, J. Mach. Learn. Res. 18:174, definition 4 and theorem 7).

    Parameters
    ----------
    inside : (panels, features) bool, two panels or more
    candidates : features that a panel could have had

    Examples
    --------
    >>> same = np.array([[True, True, False, False]] * 3)
    >>> agreement(same, 4)
    (1.0, 0.0)
    """
    often, sizes = inside.mean(axis=0), inside.sum(axis=1)
    many, share = len(inside), sizes.mean() / candidates
    chance = share * (1 - share)
    if many < 2 or chance <= 0:
        return np.nan, np.nan
    found = 1 - many / (many - 1) * (often * (1 - often)).sum() / candidates / chance
    own = inside @ often / candidates - sizes * share / candidates
    own = own + found / 2 * (2 * share * sizes / candidates - sizes / candidates - share + 1)
    error = np.sqrt(4 / many**2 * np.square(own / chance - (own / chance).mean()).sum())
    return float(found), float(error)
