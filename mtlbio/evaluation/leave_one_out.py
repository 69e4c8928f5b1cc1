"""The linear multi-task model of a cohort, its penalties and its coupling chosen on donors that were left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.features import donor_weights, fit_features, floor_of, row_space
from mtlbio.evaluation.coupled import CoupledRidge
from mtlbio.evaluation.linear_targets import Target
from mtlbio.evaluation.ridge import PENALTIES, total_variance

COUPLINGS = (0.01, 0.1, 1.0)  # gamma: of two targets, in the geometric mean of their penalties
COSTS = 0.01  # of the held-out squared error that a coupling may cost
# Directions of the row space that are kept, the strongest: what a normal matrix of all targets, and its product with
# all labels, may take.
MOST_UNKNOWNS, MOST_NUMBERS = 4000, 50_000_000


@dataclass(frozen=True)
class LinearModel:
    """A fit with whose labels belong to whom.

    Attributes
    ----------
    fit : on standardised targets
    targets : its columns
    donors : (G,) names, ``place`` (n,) of every sample's among them, ``weights`` (n,): every donor counts once
    gamma : chosen coupling, in penalties
    """

    fit: CoupledRidge
    targets: tuple[Target, ...]
    donors: np.ndarray
    place: np.ndarray
    weights: np.ndarray
    gamma: float

    @cached_property
    def labels_of(self) -> list[np.ndarray]:
        """(G) places of the labels of every donor among the labels of the fit."""
        return labels_by_donor(self.fit, self.place, len(self.donors))

    @cached_property
    def samples_of(self) -> list[np.ndarray]:
        """(G) places of the samples of every donor."""
        return _by_donor(self.place, len(self.donors))

    @cached_property
    def errors(self) -> np.ndarray:
        """(n, T) standardised label minus the fit without the donor; NaN where there is no label."""
        errors = np.full((len(self.place), len(self.targets)), np.nan)
        errors[self.fit.samples, self.fit.targets] = self.fit.residual_without(self.labels_of)
        return errors


def features_of(cohort: Cohort, targets: int) -> np.ndarray:
    """(n, r) the standardised measurements in their row space, for a model of so many targets."""
    weights = donor_weights(cohort.donors)
    features = fit_features(cohort.expression, None, weights, floor_of(cohort))
    n = len(cohort.obs)
    most = min(MOST_UNKNOWNS // targets, MOST_NUMBERS // (n * targets**2)) - 1
    return row_space(features.transform(cohort.expression))[1][:, : max(most, 1)]


def linear_model(x: np.ndarray, targets: Sequence[Target], donors: np.ndarray) -> LinearModel:
    """Fit targets to features (n, r) of samples of donors (n,).

    The penalty of a target is the one of a path with which it alone is predicted best without the donor. The coupling
    is the strongest that costs next to nothing (``COSTS``): what sharing may do, not what is needed. Targets whose
    predictions go opposite ways are coupled with the opposite sign.
    """
    names, place = np.unique(donors, return_inverse=True)
    weights, y = donor_weights(donors), np.column_stack([target.values for target in targets])
    path = PENALTIES[::2] * total_variance(x, weights) * weights.sum()

    def loss(fit: CoupledRidge) -> float:
        return float(fit.weights @ np.square(fit.residual_without(labels_by_donor(fit, place, len(names)))))

    def best_alone(t: int) -> float:
        losses = [loss(CoupledRidge(x, y[:, [t]], weights, np.array([penalty]))) for penalty in path]
        return float(path[int(np.argmin(losses))])

    penalties = np.array([best_alone(t) for t in range(len(targets))])
    apart = CoupledRidge(x, y, weights, penalties)
    best, gamma = apart, 0.0
    if len(targets) > 1:
        with np.errstate(invalid="ignore", divide="ignore"):
            signs = np.sign(np.nan_to_num(np.corrcoef(apart.predicted, rowvar=False)))
        relation = signs * np.sqrt(np.outer(penalties, penalties))
        fits = {c: CoupledRidge(x, y, weights, penalties, c * relation) for c in COUPLINGS}
        losses = {0.0: loss(apart)} | {c: loss(fit) for c, fit in fits.items()}
        gamma = max(c for c, its in losses.items() if its <= (1 + COSTS) * min(losses.values()))
        best = fits.get(gamma, apart)
    return LinearModel(best, tuple(targets), names, place, weights, gamma)


def labels_by_donor(fit: CoupledRidge, place: np.ndarray, donors: int) -> list[np.ndarray]:
    """(donors) places of the labels of every donor among those of a fit; ``place`` (n,) of every sample's donor."""
    return _by_donor(place[fit.samples], donors)


def _by_donor(owner: np.ndarray, donors: int) -> list[np.ndarray]:
    order = np.argsort(owner, kind="stable")
    return np.split(order, np.searchsorted(owner[order], np.arange(1, donors)))
