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
from mtlbio.kinds import kind_named
from mtlbio.labels import Label
from mtlbio.progress import track
from mtlbio.tables import PREDICTIONS
from mtlbio.training.frozen_head import Prior

FOLDS, DRAWS = 5, 5
LEAST_OF_MATRIX = 5  # training donors of the rarest class, from which one of several matrices has a ridge of its own
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
    """Ridge on the measurements, standardised on all samples whose donors are not held out; where a kind of run has
    several matrices, the mean of what each says of the samples that have it (late fusion)."""
    cohort, task = added.cohort, added.task
    seen = ~np.isin(cohort.clusters, cohort.clusters[test])
    whole = (np.arange(len(seen)), cohort)
    found: list[np.ndarray] = []
    for rows, part in kind_named(cohort.kind).part("evaluate", "matrices", missing=[whole])(cohort):
        place = np.full(len(seen), -1)
        place[rows] = np.arange(len(rows))
        own, told = train[place[train] >= 0], place[test] >= 0
        if len(rows) < len(seen) and fewest(task, added.y[own], cohort.clusters[own]) < LEAST_OF_MATRIX:
            continue
        weights, floor = donor_weights(part.donors[seen[rows]]), floor_of(part)
        features = fit_features(part.expression[seen[rows]], added.n_genes, weights, floor)
        basis, scores = row_space(features.transform(part.expression[place[own]]))
        of_test = features.transform(part.expression[place[test[told]]]).astype(float) @ basis
        labels = added.y[own], cohort.donors[own], task, seed, cohort.clusters[own]
        predicted = fit_label(ridge, scores, of_test, *labels)
        found.append(np.full((len(test), *predicted.shape[1:]), np.nan))
        found[-1][told] = predicted
    return _mean_of_known(np.stack(found))


def _mean_of_known(values: np.ndarray) -> np.ndarray:
    """Over the first axis, of what is known; NaN where nothing is."""
    known = np.isfinite(values)
    return np.where(known, values, 0.0).sum(axis=0) / np.where(known.any(axis=0), known.sum(axis=0), np.nan)
