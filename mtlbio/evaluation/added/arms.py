"""An added task on held-out donors: a head on the trunk's dimensions, and ridge on the measurements themselves.

Both see the same labels, in the same folds of donors. The dimensions of every sample are those of the models that have
never seen its donor. Few labels make one draw of folds a matter of luck, so folds are drawn several times and the
predictions of a sample averaged.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.features import donor_weights, fit_features, floor_of, row_space
from mtlbio.cohort.split import inner_folds
from mtlbio.evaluation.added.common import believed
from mtlbio.evaluation.added.head import fit_head
from mtlbio.evaluation.baselines import fit_label
from mtlbio.evaluation.bootstrap import fewest
from mtlbio.evaluation.comparisons import GIVEN
from mtlbio.evaluation.linear import ridge
from mtlbio.labels import Label
from mtlbio.progress import track
from mtlbio.tables import PREDICTIONS
from mtlbio.training.frozen_head import Prior

FOLDS, DRAWS = 5, 5
MANY = 100  # labelled donors from which one draw of folds is enough


@dataclass(frozen=True)
class Added:
    """A task that a run never saw, on the run's samples.

    Attributes
    ----------
    task : the label
    column : (samples,) of the label, as the cohort holds it, missing where there is none
    latents : (samples, dims) held-out dimensions
    cohort : the samples, in the same order
    n_genes : the most variable columns that the raw arm reads, chosen in each fold, as the run did
    old : (samples, T) of old tasks of the kind, as :func:`mtlbio.evaluation.added.common.outputs_of_kind`
    """

    task: Label
    column: pd.Series
    latents: np.ndarray
    cohort: Cohort
    n_genes: int
    old: np.ndarray | None = None

    @cached_property
    def y(self) -> np.ndarray:
        """(samples,) codes or values, NaN where there is no label."""
        return self.task.y(self.column)

    def prior(self, seen: np.ndarray) -> Prior:
        """What is believed of the head from samples ``seen`` (samples,), labelled or not."""
        latents, old = self.latents[seen], None if self.old is None else self.old[seen]
        return believed(latents, old)

    @property
    def labelled(self) -> np.ndarray:
        """Places of the samples with a label."""
        return np.flatnonzero(~np.isnan(self.y))

    def folds(self, seed: int) -> np.ndarray:
        """(labelled,) folds of whole donors, or families."""
        rows = self.labelled
        y, clusters = self.y[rows], self.cohort.clusters[rows]
        return inner_folds(clusters, self.task.spread_evenly(y), min(FOLDS, fewest(self.task, y, clusters)), seed)


def predict_held_out(added: Added, seed: int = 0) -> pd.DataFrame:
    """Predictions of all labelled samples by both arms, ``latents`` and ``ridge``; columns of
    :data:`mtlbio.tables.PREDICTIONS`, where ``seed`` numbers the draws of folds."""
    rows = added.labelled
    draws = DRAWS if len(np.unique(added.cohort.clusters[rows])) < MANY else 1
    jobs = [(draw, folds, k) for draw in range(draws) for folds in [added.folds(seed + draw)] for k in np.unique(folds)]
    parts = []
    for draw, folds, k in track(jobs, f"Fitting {added.task.name} on {len(jobs)} folds"):
        train, test = rows[folds != k], rows[folds == k]
        about = {"sample": added.cohort.samples[test], "donor": added.cohort.donors[test], "fold": k, "seed": str(draw)}
        for arm, predict in ((GIVEN, _by_trunk), ("ridge", _by_ridge)):
            columns = added.task.rows(added.y[test], predict(added, train, test, seed + draw))
            parts += [pd.DataFrame(about | {"arm": arm, "task": added.task.name} | rest) for rest in columns]
    return pd.concat(parts, ignore_index=True).astype({"label": object})[PREDICTIONS]


def _by_trunk(added: Added, train: np.ndarray, test: np.ndarray, _: int) -> np.ndarray:
    """A head on the dimensions, its prior from all samples whose donors are not held out."""
    donors, clusters = added.cohort.donors, added.cohort.clusters
    prior = added.prior(~np.isin(clusters, clusters[test]))
    labels = added.latents[train], added.y[train], donors[train], clusters[train]
    return fit_head(added.task, prior, *labels).predict(added.latents[test])


def _by_ridge(added: Added, train: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
    """Ridge on the measurements, standardised on all samples whose donors are not held out."""
    cohort, task = added.cohort, added.task
    seen = ~np.isin(cohort.clusters, cohort.clusters[test])
    weights, floor = donor_weights(cohort.donors[seen]), floor_of(cohort)
    features = fit_features(cohort.expression[seen], added.n_genes, weights, floor)
    basis, scores = row_space(features.transform(cohort.expression[train]))
    of_test = features.transform(cohort.expression[test]).astype(float) @ basis
    return fit_label(ridge, scores, of_test, added.y[train], cohort.donors[train], task, seed, cohort.clusters[train])
