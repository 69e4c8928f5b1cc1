"""The baselines: what the network has to beat, on the same folds of donors.

Decisions that hold for every arm:

- whatever is fitted (genes, scales, penalties, levels, knots) is fitted on the training donors of the fold;
- the donor is the unit: a training sample weighs one over the number of labelled samples of its donor, in the fit, in
  the choice of the setting and in gene means and variances; inner folds keep donors, and known families, whole;
- only labelled samples train; every held-out sample is predicted;
- an ordinal task is a regression on the level, whose residual spread on inner held-out donors turns the predicted
  level into class probabilities (a normal distribution cut halfway between levels): the order is used and few
  parameters are spent;
- a time to an event has a linear model of its own (Cox) in the linear arms; the others regress the events beyond those
  that were to be expected of everybody alike (martingale residuals);
- a class without a training donor gets the smoothed prevalence (count + 1/2) / (donors + K / 2) and the other classes
  share the rest; with one class left this is the prevalence for everybody.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain, product
from pathlib import Path

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort, read_cohort
from mtlbio.cohort.features import Features, donor_weights, features_of, row_space, row_space_of_moments
from mtlbio.cohort.moments import Moments, moments_of, standardised_blocks
from mtlbio.cohort.split import inner_folds, train_test
from mtlbio.config import Baselines
from mtlbio.errors import InputError, listing
from mtlbio.evaluation.boosting import lightgbm
from mtlbio.evaluation.covariates import design, usable_covariates
from mtlbio.evaluation.linear import elasticnet, pca_linear, ridge
from mtlbio.evaluation.ridge_of_tasks import can_be_joined, ridge_of_tasks
from mtlbio.evaluation.site_forms import site_deviations, site_intercept
from mtlbio.evaluation.tuning import Labels
from mtlbio.kinds.schemas import DonorRun
from mtlbio.labels import Label, OwnModel
from mtlbio.progress import say, track
from mtlbio.tables import PREDICTIONS, SITE_BASELINES, SITE_SPLITS, SPLITS, read_table, write_table

INNER_FOLDS = 5
# Elastic net and trees see this many of the fold's genes, the most variable ones: for speed.
SCREENED_GENES = 1000

Arm = Callable[[np.ndarray, np.ndarray, Labels], tuple[np.ndarray, float]]
_ARMS: dict[str, tuple[str, Arm]] = {
    "ridge": ("rotated", ridge),
    "elasticnet": ("screened", elasticnet),
    "lightgbm": ("screened", lightgbm),
    "pca_linear": ("rotated", pca_linear),
    "covariates": ("covariates", ridge),
}
# Arms that fit whatever linear model a label brings along.
_OWN_MODELS = (ridge, pca_linear)
# Arms that know the site of every sample besides.
_SITE_ARMS = {"site_intercept": site_intercept, "site_deviations": site_deviations}


@dataclass(frozen=True)
class BaselineFold:
    """Features of one fold for all tasks; rows of a train array follow ``train``, of a test array ``test``."""

    cohort: Cohort
    train: np.ndarray
    test: np.ndarray
    n_genes: int
    sites: str | None = None  # covariate whose levels the arms of sites are about
    moments: Moments | None = None  # of all samples, where they are many

    @cached_property
    def rotated(self) -> tuple[np.ndarray, np.ndarray]:
        """Row-space scores of the fold's genes: (train, r), (test, r)."""
        if self.moments is not None:
            return self._rotated_of_moments(self.moments)
        x_train, x_test = self._standardised(self.n_genes)
        basis, scores = row_space(x_train)
        return scores, x_test.astype(float) @ basis

    def _rotated_of_moments(self, moments: Moments) -> tuple[np.ndarray, np.ndarray]:
        """The same, standardised and rotated a block of samples at a time."""
        expression, features = self.cohort.expression, self._features(self.n_genes)
        left_out = np.setdiff1d(np.arange(len(expression)), self.train)
        rest = moments.without(Moments.of(expression, left_out, moments.about))
        basis = row_space_of_moments(*np.linalg.eigh(rest.standardised(features)))
        scores = [np.empty((len(rows), basis.shape[1])) for rows in (self.train, self.test)]
        for made, rows in zip(scores, (self.train, self.test), strict=True):
            for place, x in standardised_blocks(expression, rows, features):
                made[place] = x @ basis
        return scores[0], scores[1]

    @cached_property
    def screened(self) -> tuple[np.ndarray, np.ndarray]:
        """The most variable genes, standardised: (train, p), (test, p)."""
        x_train, x_test = self._standardised(min(self.n_genes, SCREENED_GENES))
        return x_train.astype(float), x_test.astype(float)

    def covariates(self, task: str, labelled: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Design matrices for a task, rotated: (labelled training samples, r), (test, r)."""
        usable = usable_covariates(self.cohort, task)
        x_train, x_test = design(self.cohort.obs, usable, self.train[labelled], self.test)
        # levels and splines overlap: on orthogonal columns the same model is fitted many times faster
        basis, scores = row_space(x_train)
        return scores, x_test @ basis

    @cached_property
    def site(self) -> tuple[np.ndarray, np.ndarray]:
        """Codes of the sites of training (n,) and test samples (m,), -1 where it is not known."""
        code = pd.factorize(self.cohort.obs[self.sites].astype(object), sort=True)[0]
        return code[self.train], code[self.test]

    def _standardised(self, n_genes: int) -> tuple[np.ndarray, np.ndarray]:
        features, expression = self._features(n_genes), self.cohort.expression
        return features.transform(expression[self.train]), features.transform(expression[self.test])

    def _features(self, n_genes: int) -> Features:
        return features_of(self.cohort, self.train, n_genes, donor_weights(self.cohort.donors[self.train]))


def baselines(run: DonorRun, results: Path) -> None:
    """Step ``baselines``: cohort.h5ad, splits.tsv -> baselines/predictions.tsv; with ``splits.also`` the same of whole
    levels that are held out, sites/splits.tsv -> sites/baselines.tsv."""
    results = Path(results)
    cohort = read_cohort(results / "cohort.h5ad")
    pairs = {"splits.tsv": "baselines/predictions.tsv"}
    pairs |= {SITE_SPLITS: SITE_BASELINES} if run.splits.also is not None else {}
    for name, made in pairs.items():
        splits = read_table(results / name, SPLITS)
        options = run.baselines
        genes, fit_from = run.training.genes, run.training.fit_from
        table = predict_baselines(cohort, splits, arms_of(options), genes, options.seed, options.sites, fit_from)
        write_table(table, results / made, PREDICTIONS)


def arms_of(options: Baselines) -> list[str]:
    """Names of the arms that a run asks for."""
    return [*options.arms, *(_SITE_ARMS if options.sites else ())]


def predict_baselines(
    cohort: Cohort,
    splits: pd.DataFrame,
    arms: list[str],
    n_genes: int,
    seed: int = 0,
    sites: str | None = None,
    fit_from: str = "rows",
) -> pd.DataFrame:
    """Out-of-fold predictions of every baseline arm for every task; columns of ``mtlbio.tables.PREDICTIONS``.

    Parameters
    ----------
    splits : columns sample, donor, fold; one row per sample of the cohort, in any order
    arms : names out of ridge, elasticnet, lightgbm, pca_linear, covariates; with ``sites``, the covariate that says at
        which site a sample is from, also site_intercept, site_deviations (:mod:`mtlbio.evaluation.site_forms`)
    n_genes : the most variable genes used, chosen in each fold
    fit_from : rows, moments or auto, as ``training.fit_from``: from moments the ridge arm of all tasks is one fit

    Raises
    ------
    InputError
        Splits and cohort name different samples, or a task has no labelled training sample in some fold.
    """
    splits = _aligned(splits, cohort)
    frames: dict[tuple[str, str], list] = {}
    for arm, task in product(arms, cohort.tasks):
        if arm == "covariates" and not usable_covariates(cohort, task):
            say(f"baselines: no covariates arm for {task}: the cohort has no covariate beside it")
        else:
            frames[arm, task] = []
    folds, moments = sorted(splits["fold"].unique()), moments_of(cohort, fit_from)
    for fold in track(folds, f"Fitting {listing(arms)} on {len(folds)} folds"):
        data = BaselineFold(cohort, *train_test(splits, fold), n_genes, sites, moments)
        joined = fit_ridge_arm(data, seed) if moments is not None and "ridge" in arms else {}
        for (arm, task), parts in frames.items():
            done = joined.get(task) if arm == "ridge" else None
            predicted = fit_predict(arm, data, cohort.tasks[task], seed) if done is None else done
            parts.append(_rows(cohort, cohort.tasks[task], arm, fold, data.test, predicted))
    if not frames:
        return pd.DataFrame(columns=PREDICTIONS)
    return pd.concat(chain(*frames.values()), ignore_index=True)


def fit_predict(arm: str, data: BaselineFold, task: Label, seed: int = 0) -> np.ndarray:
    """Fit one arm on one fold for one task and predict the held-out samples: (m,) or (m, K), as the label has it."""
    y = data.cohort.y(task.name)[data.train]
    labelled = np.flatnonzero(~np.isnan(y))
    if len(labelled) == 0:
        raise InputError(f"task {task.name}: no labelled sample among the training donors of a fold; use fewer folds")
    y, donors = y[labelled], data.cohort.donors[data.train][labelled]
    clusters = data.cohort.clusters[data.train][labelled]
    fit: Arm
    if arm in _SITE_ARMS:
        site, test_site = data.site
        features, fit = "rotated", partial(_SITE_ARMS[arm], site=site[labelled], test_site=test_site)
    else:
        features, fit = _ARMS[arm]
    if features == "covariates":
        train, test = data.covariates(task.name, labelled)
    else:
        train, test = getattr(data, features)
        train = train[labelled]
    return fit_label(fit, train, test, y, donors, task, seed, clusters)


def fit_ridge_arm(data: BaselineFold, seed: int = 0) -> dict[str, np.ndarray]:
    """Predictions of the ridge arm for the tasks of a fold that are one column each, all fitted at once."""
    train, test = data.rotated
    tasks: dict[str, tuple[np.ndarray, Labels]] = {}
    fits: dict[str, Callable[[Arm], np.ndarray]] = {}
    for name, task in data.cohort.tasks.items():
        y = data.cohort.y(name)[data.train]
        labelled = np.flatnonzero(~np.isnan(y))
        donors = data.cohort.donors[data.train][labelled]
        if len(labelled) == 0 or task.own_model(y[labelled], donor_weights(donors)) is not None:
            continue
        clusters = data.cohort.clusters[data.train][labelled]
        fits[name] = partial(
            fit_label, train=train, test=test, y=y[labelled], donors=donors, task=task, seed=seed, clusters=clusters
        )

        # an arm that learns nothing: it only takes down what it would have to learn
        def learn(_, held_out, labels: Labels, name=name, rows=labelled) -> tuple[np.ndarray, float]:
            tasks[name] = rows, labels
            return np.zeros((len(held_out), labels.n_classes) if labels.n_classes else len(held_out)), 1.0

        fits[name](learn)
    tasks = {name: found for name, found in tasks.items() if can_be_joined(found[1])}
    predicted = ridge_of_tasks(train, test, tasks)
    return {name: fits[name](lambda *_, name=name: predicted[name]) for name in tasks}


def fit_label(fit: Arm, train, test, y, donors, task: Label, seed: int, clusters=None) -> np.ndarray:
    """Fit one arm to labelled samples, as a value or as classes, and predict the test samples in the label's form.

    ``clusters`` (n,): what no inner fold may split, the donors where left out.
    """
    clusters = donors if clusters is None else clusters
    own = task.own_model(y, donor_weights(donors))
    if own is not None:
        return fit_own(fit, train, test, task.spread_evenly(y), donors, own, seed, clusters)
    if task.predicts_value:
        return fit_value(fit, train, test, y, donors, task, seed, clusters)
    return task.from_classes(fit_classes(fit, train, test, y, donors, len(task.classes), seed, clusters))


def fit_value(fit: Arm, train, test, y, donors, task: Label, seed: int, clusters) -> np.ndarray:
    """Predictions of test samples by way of a value; ``y`` (n,) in the task's units, or codes of levels."""
    weights, y = donor_weights(donors), task.transform(y)
    mean = np.average(y, weights=weights)
    scale = np.sqrt(np.average(np.square(y - mean), weights=weights))
    if scale < 1e-12 or train.shape[1] == 0:
        predicted, spread = np.zeros(len(test)), 1.0
    else:
        inner = inner_folds(clusters, y, min(INNER_FOLDS, len(np.unique(clusters))), seed)
        predicted, spread = fit(train, test, Labels((y - mean) / scale, 0, weights, inner, seed))
    return task.from_value(mean + scale * predicted, scale * spread)


def fit_own(fit: Arm, train, test, y, donors, own: OwnModel, seed: int, clusters) -> np.ndarray:
    """Predictions of test samples by the label's own model, where the arm is linear; other arms fit its values. ``y``
    (n,) is what inner folds spread evenly."""
    inner = inner_folds(clusters, y, min(INNER_FOLDS, len(np.unique(clusters))), seed)
    weights, values = donor_weights(donors), own.values()
    if train.shape[1] == 0:
        return own.from_scores(np.zeros(len(train)), np.zeros(len(test)))
    if fit in _OWN_MODELS:
        scores, _ = fit(train, np.concatenate([test, train]), Labels(values, 0, weights, inner, seed, own))
        return own.from_scores(scores[len(test) :], scores[: len(test)])
    scale = max(np.sqrt(np.average(np.square(values), weights=weights)), 1e-12)
    predicted, _ = fit(train, test, Labels(values / scale, 0, weights, inner, seed))
    return own.from_values(predicted * scale)


def fit_classes(fit: Arm, train, test, y, donors, n_classes: int, seed: int, clusters) -> np.ndarray:
    """Class probabilities (m, n_classes) of test samples; ``y`` (n,) codes, of which some class may be absent."""
    per_class = np.array([len(np.unique(donors[y == k])) for k in range(n_classes)])
    prevalence = (per_class + 0.5) / (per_class + 0.5).sum()
    present = np.flatnonzero(per_class)
    predicted = np.tile(prevalence, (len(test), 1))
    if len(present) > 1 and train.shape[1] > 0:
        codes = np.searchsorted(present, y).astype(float)
        folds = min(INNER_FOLDS, min(len(np.unique(clusters[y == k])) for k in present))
        inner = inner_folds(clusters, codes, folds, seed) if folds > 1 else np.zeros(len(y), dtype=int)
        shares, _ = fit(train, test, Labels(codes, len(present), donor_weights(donors), inner, seed))
        predicted[:, present] = shares * prevalence[present].sum()
    return predicted


def _rows(cohort: Cohort, task: Label, arm: str, fold, test: np.ndarray, predicted: np.ndarray) -> pd.DataFrame:
    """Rows of predictions.tsv, those of a sample beside each other."""
    base = {"sample": cohort.samples[test], "donor": cohort.donors[test], "fold": fold, "seed": "0", "arm": arm}
    blocks = task.rows(cohort.y(task.name)[test], predicted)
    parts = [pd.DataFrame(base | {"task": task.name} | columns) for columns in blocks]
    table = pd.concat(parts, ignore_index=True)
    order = np.arange(len(table)).reshape(len(parts), len(test)).T.ravel()
    return table.iloc[order].astype({"label": object})[PREDICTIONS]


def _aligned(splits: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    """Splits in the order of the cohort's samples."""
    by_sample = splits.set_index(splits["sample"].astype(str))
    if sorted(by_sample.index) != sorted(cohort.samples):
        raise InputError("splits.tsv and cohort.h5ad name different samples; run `mtlbio prepare` again")
    return by_sample.loc[cohort.samples].reset_index(drop=True)
