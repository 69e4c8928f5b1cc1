"""Can the batch still be read? A fresh classifier asks the representation of held-out samples.

An adversary that has been fooled has not removed anything: its head is one classifier, trained along with what it
reads. So every technical covariate, and the covariate of an adversary, is read again, after training and from nothing,
by a linear and by a boosted classifier, on folds of donors:

- from the ``axes``, which no adversary reaches;
- from the ``supervised`` dimensions, on which the predictions rest beside the axes;
- from ``both``;
- from the true ``labels`` of the tasks. Where batch and disease go together, a network that knows the disease and
  nothing else gives the batch away too: what is read beyond the labels is what training has to answer for.

A donor counts once, in the fit and in the score, however many samples it gave. Families, where they are known, are held
out and drawn again as a whole, as donors are otherwise. Intervals come from the bootstrap over donors, widened where a
level has few and because the folds' classifiers share most of their training donors (:data:`SHARED`), and hold for both
classifiers at once (Bonferroni), since the better of the two is what a reader looks at. They are about donors, given
these networks.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import anndata as ad
import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import CovariateInfo, parse_schema
from mtlbio.cohort.family import clusters_of
from mtlbio.cohort.features import donor_weights
from mtlbio.cohort.split import inner_folds
from mtlbio.evaluation.baselines import Arm, fit_label
from mtlbio.evaluation.boosting import few_trees
from mtlbio.evaluation.bootstrap import bootstrap_weights, expanded, fewest, interval
from mtlbio.evaluation.covariates import design
from mtlbio.evaluation.linear import fit_penalised, ridge
from mtlbio.evaluation.tuning import Labels
from mtlbio.kinds.vocabulary import DONORS, Vocabulary
from mtlbio.labels import Label, of_covariate
from mtlbio.metrics import metric_named
from mtlbio.tables import REPROBE
from mtlbio.text import number

FOLDS = 5
LEVEL = 0.95
# Held-out predictions of k folds vary together, which no bootstrap of them shows. Nadeau & Bengio (2003, Mach. Learn.
# 52:239) put the variance of a mean over k folds at 1 + k * (test / training donors) = 1 + k / (k - 1) times what it
# seems; on cohorts without a batch effect the plain intervals were indeed too short by about the root of that.
SHARED = float(np.sqrt(1 + FOLDS / (FOLDS - 1)))
# A level needs a donor for every fold, and many levels (chips) cost time without telling more.
LEAST_DONORS, MOST_LEVELS = 5, 8
CLASSIFIERS = ("linear", "boosted")

_SOURCES = {
    "axes": "from the axes",
    "supervised": "from the supervised dimensions",
    "both": "from all dimensions",
    "labels": "from the labels of the tasks",
}
# (training rows, test rows) -> features of both
Features = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Question:
    """What is to be read: a covariate as a task, on the samples (in the order of their names) where it is known.

    Attributes
    ----------
    task : binary, multiclass or regression
    rows : (n,) rows of the table of latents
    y : (n,) codes or values
    donors, clusters : (n,) donors, and what is held out and drawn again as a whole: they, or their families
    left_out : in words, "" where nothing was left out
    """

    task: Label
    rows: np.ndarray
    y: np.ndarray
    donors: np.ndarray
    clusters: np.ndarray
    left_out: str = ""


def reprobe(
    latents: ad.AnnData, draws: int, seed: int, adversary: str | None = None, words: Vocabulary = DONORS
) -> pd.DataFrame:
    """Read every technical covariate, and the adversary's, with fresh classifiers.

    Parameters
    ----------
    latents : ``latents.h5ad``
    draws, seed : of the donor bootstrap; the seed is that of folds and trees too
    adversary : covariate that the run's adversary was trained against
    words : of the run, for ``why``

    Returns
    -------
    Columns of :data:`mtlbio.tables.REPROBE`: per covariate and representation a row of each classifier (of the labels
    the linear one only), or one row without a value where the covariate cannot be asked for; ``why`` says it.
    """
    tasks, covariates = parse_schema(latents.uns["mtlbio"])
    rows = []
    for info in covariates.values():
        if info.estimated or (info.role != "technical" and info.name != adversary):
            continue
        common = {"covariate": info.name, "role": info.role, "adversary": "yes" if info.name == adversary else "no"}
        target = question(latents.obs, info, words)
        if isinstance(target, str):
            rows.append(common | dict.fromkeys(["representation", "classifier", "metric"]) | {"why": target})
        else:
            others = [task for task in tasks.values() if task.name != info.name]
            rows += [common | row for row in _readings(latents, target, others, draws, seed, words)]
    return pd.DataFrame(rows, columns=REPROBE)


def question(obs: pd.DataFrame, info: CovariateInfo, words: Vocabulary = DONORS) -> Question | str:
    """What can be asked about a covariate, or the sentence that says why nothing can.

    Parameters
    ----------
    obs : one row per sample, with ``donor``, ``fold`` and the covariate
    """
    order = np.argsort(obs.index.to_numpy().astype(str), kind="stable")  # trees depend on the order of their rows
    donors, column = obs["donor"].to_numpy().astype(str)[order], obs[info.name].iloc[order]
    clusters = clusters_of(obs)[order]
    observed = column.notna().to_numpy()
    left_out = [] if observed.all() else [f"{(~observed).sum()} {words.samples} without a value left out"]
    if info.kind == "continuous":
        y, n = column.to_numpy(dtype=float), len(np.unique(clusters[observed]))
        if n < 2 * FOLDS or np.ptp(y[observed]) == 0:
            valued = f"{n} {words.units} with a value"
            return f"{info.name}: {valued}, of which {2 * FOLDS} are needed, or all values are the same."
        task = of_covariate(info.name, ())
        return Question(task, order[observed], y[observed], donors[observed], clusters[observed], "".join(left_out))
    level = column.astype(object).where(observed, "").astype(str).to_numpy()
    sizes = pd.Series(clusters[observed]).groupby(level[observed]).nunique().sort_values(ascending=False, kind="stable")
    levels = sizes.index[sizes >= LEAST_DONORS][:MOST_LEVELS].sort_values()
    if len(levels) < 2:
        few = f"fewer than two of its {len(sizes)} levels have {LEAST_DONORS} {words.units}"
        return f"{info.name}: {few}, so nothing is read."
    rows = observed & np.isin(level, levels)
    folds = pd.Series(obs["fold"].to_numpy()[order][rows]).groupby(level[rows]).nunique()
    if (folds == 1).all() and obs["fold"].nunique() > 1:
        alone = f"so its {words.samples} come from a network of their own"
        return f"{info.name}: each level was held out as a whole, {alone}."
    if len(levels) < len(sizes):
        bounds = f"at most {MOST_LEVELS}, of {LEAST_DONORS} {words.units} or more"
        left_out.append(f"read are the {len(levels)} largest of {len(sizes)} levels ({bounds})")
    task, y = of_covariate(info.name, tuple(levels)), levels.get_indexer(level[rows]).astype(float)
    return Question(task, order[rows], y, donors[rows], clusters[rows], "; ".join(left_out))


def predicted(target: Question, features: Features, classifier: str, seed: int) -> np.ndarray:
    """Out-of-fold predictions by a fresh classifier: (n,) probability or value, (n, K) for several levels.

    Folds keep donors whole and spread the levels evenly.
    """
    task, y, donors, clusters = target.task, target.y, target.donors, target.clusters
    several = pd.DataFrame({"cluster": clusters, "y": y}).drop_duplicates()
    fold = inner_folds(several["cluster"].to_numpy(), several["y"].to_numpy(), FOLDS, seed)
    folds = pd.Series(fold, several["cluster"]).groupby(level=0).first()[clusters].to_numpy()
    fit: Arm = few_trees if classifier == "boosted" else partial(_linear, penalty=1 / len(np.unique(donors)))
    out = np.full((len(y), *task.width), np.nan)
    for fold in np.unique(folds):
        train, test = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        x_train, x_test = _standardised(*features(train, test), donor_weights(donors[train]))
        out[test] = fit_label(fit, x_train, x_test, y[train], donors[train], task, seed, clusters[train])
    return out


def scored(target: Question, pred: np.ndarray, draws: int, seed: int) -> tuple[float, np.ndarray]:
    """The metric with every donor counted once, and the same on bootstrap draws of donors (draws,)."""
    task, y, once = target.task, target.y, donor_weights(target.donors)
    weights = once * bootstrap_weights(target.clusters, draws, seed, task.strata(y))
    return float(task.score(y, pred, once)), np.asarray(task.score(y, pred, weights))


def widened(value: float, drawn: np.ndarray, level: float) -> tuple[float, float]:
    """Percentile interval of the draws, stretched about the value by :data:`SHARED`; nothing lies above 1.

    Examples
    --------
    >>> import numpy as np
    >>> [round(end, 3) for end in widened(0.6, np.linspace(0.5, 0.7, 101), 0.8)]
    [0.48, 0.72]
    """
    low, high = interval(drawn, level)
    return value - SHARED * (value - low), min(value + SHARED * (high - value), 1.0)


def _readings(
    latents: ad.AnnData, target: Question, tasks: list[Label], draws: int, seed: int, words: Vocabulary
) -> Iterator[dict]:
    """Rows of one covariate, without what names it."""
    metric, donors = target.task.decisive, len(np.unique(target.donors))
    level = expanded(1 - (1 - LEVEL) / len(CLASSIFIERS), fewest(target.task, target.y, target.clusters))
    chance = 0.0 if metric.chance is None else metric.chance
    floor = None
    for name, features in _representations(latents, target, tasks).items():
        for classifier in CLASSIFIERS if name != "labels" else CLASSIFIERS[:1]:
            value, drawn = scored(target, predicted(target, features, classifier, seed), draws, seed)
            low, high = widened(value, drawn, level)
            low = max(low, 0.0) if chance else low
            row = {"representation": name, "classifier": classifier, "metric": metric.name, "value": value}
            row |= {"ci_low": low, "ci_high": high, "chance": metric.chance}
            row |= {"readable": "yes" if low > chance else "no", "levels": len(target.task.classes)}
            row |= {"n_samples": len(target.y), "n_donors": donors}
            if name == "labels":
                # labels that do worse than chance tell nothing; to do better than they is no feat
                floor = max(value, chance), np.maximum(drawn, chance)
            elif floor is not None:
                row["over_labels"] = value - floor[0]
                row["over_low"], row["over_high"] = widened(value - floor[0], drawn - floor[1], level)
            yield row | {"why": _why(target, row, words)}


def _representations(latents: ad.AnnData, target: Question, tasks: list[Label]) -> dict[str, Features]:
    """What is read, in the order of the rows: the labels of the tasks first, if there are any."""
    z, axes = np.asarray(latents.X, dtype=float)[target.rows], (latents.var["block"] == "axis").to_numpy()
    labels = [CovariateInfo(task.name, "task", task.as_covariate) for task in tasks]
    blocks = {"axes": axes, "supervised": ~axes, "both": np.ones(len(axes), bool)}
    features: dict[str, Features] = {}
    if labels:
        features["labels"] = partial(design, latents.obs.iloc[target.rows], labels)
    return features | {name: partial(_rows, z[:, block]) for name, block in blocks.items() if block.any()}


def _rows(x: np.ndarray, train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return x[train], x[test]


def _why(target: Question, row: dict, words: Vocabulary) -> str:
    """One sentence that can be quoted."""
    able = "reads it" if row["readable"] == "yes" else "does not read it better than chance"
    value, low, high = (number(row[key]) for key in ("value", "ci_low", "ci_high"))
    text = (
        f"{target.task.name}: a fresh {row['classifier']} classifier {able} {_SOURCES[row['representation']]}; "
        f"{metric_named(row['metric']).printed} {value} ({low} to {high}) "
        f"on {row['n_donors']} {words.units}, chance {row['chance']:g}"
    )
    return f"{text}; {target.left_out}." if target.left_out else f"{text}."


def _linear(train: np.ndarray, test: np.ndarray, labels: Labels, penalty: float) -> tuple[np.ndarray, float]:
    """Ridge regression, or logistic regression shrunk by one donor's worth: separable levels stay finite."""
    if labels.n_classes == 0:
        return ridge(train, test, labels)
    return fit_penalised(train, labels, slice(None), np.array([penalty])).predict(test)[0], 1.0


def _standardised(train: np.ndarray, test: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean = np.average(train, axis=0, weights=weights)
    scale = np.sqrt(np.average(np.square(train - mean), axis=0, weights=weights))
    varies = scale > 1e-8
    return (train - mean)[:, varies] / scale[varies], (test - mean)[:, varies] / scale[varies]
