"""Are the labels of a task what they say? A test for labels that were drawn anew, from held-out predictions.

If a share of the labels has been shuffled, no prediction is ever nearly sure to be right, however far it leans
(Northcutt et al. 2021, *Confident learning*, J. Artif. Intell. Res. 70:1373, read the same from such predictions). The
share is fitted to the multi-task network's out-of-fold predictions (:mod:`mtlbio.evaluation.shuffled_labels` for
classes, :mod:`mtlbio.evaluation.shuffled_values` for values) and tested by the likelihood ratio against a share of
:data:`TOLERATED`: a few wrong labels are ordinary, and so are predictions that do not fit a curve to the last person.
p comes from labels drawn anew from the fitted model with a tolerated share; alarms hold over all tasks of a run
(Bonferroni).

What looks the same cannot be told apart: people whose class the data do not show, and a task whose predictions are all
alike. The table therefore says whether half-shuffled labels could have been noticed at all.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mtlbio.evaluation.comparisons import on_trial
from mtlbio.evaluation.predictions import TaskPredictions
from mtlbio.evaluation.shuffled_labels import SHARES, ClassLikelihood
from mtlbio.evaluation.shuffled_values import ValueLikelihood
from mtlbio.kinds.vocabulary import DONORS, Vocabulary
from mtlbio.metrics import metric_named
from mtlbio.progress import track
from mtlbio.tables import LABEL_NOISE
from mtlbio.text import number

TOLERATED, HALF, LEVEL = 0.10, 0.5, 0.05
# A share is ruled out where its log likelihood lies so far below the best. More than the 1.9 of a textbook's interval:
# of the networks' own predictions of 57 half-shuffled tasks some put a half at 3.3 (benchmarks/sharing/label_noise.py).
RULED_OUT = 5.0
# Draws of labels: the first tell whether more are worth while.
DRAWS, MORE_DRAWS, PROMISING = 199, 400, 0.15
LEAST_UNITS, LEAST_OF_CLASS, MOST_UNITS = 30, 5, 2000
SUSPECTS, SUSPICIOUS = 10, 0.5
# Logits of probabilities nearer to 0 or 1 are cut; values of a donor within this part of their spread are one label.
_EDGE, _SAME = 1e-6, 0.25


@dataclass(frozen=True)
class Units:
    """One unit per donor and label: repeated samples of a donor with one label are one piece of evidence.

    Attributes
    ----------
    names : (n,) samples of the unit, joined by +
    fold : (n,)
    y : (n,) class codes or values
    pred : (n,) values, or (n, K) log probabilities, means over the samples
    """

    names: np.ndarray
    fold: np.ndarray
    y: np.ndarray
    pred: np.ndarray


def label_noise(tasks: list[TaskPredictions], folds: pd.Series, seed: int, words: Vocabulary = DONORS) -> pd.DataFrame:
    """Test every task.

    Parameters
    ----------
    tasks : predictions of all tasks, with the arm ``multitask``
    folds : fold in which a sample was held out, by sample
    seed : of the draws
    words : of the run, for ``why``

    Returns
    -------
    Columns of :data:`mtlbio.tables.LABEL_NOISE`, one row per task. ``share_low`` to ``share_high`` are the shares that
    are not ruled out; ``could_show`` is ``yes`` where a half is, or an alarm was raised.
    """
    shown = track(tasks, f"Testing the labels of {len(tasks)} tasks", len(tasks))
    rows = [examine(predictions, folds, seed, words) for predictions in shown]
    tested = [row for row in rows if "p" in row]
    for row in tested:
        alarm = row["p"] * len(tested) <= LEVEL
        row["alarm"] = "yes" if alarm else "no"
        row["could_show"] = "yes" if alarm or row["share_high"] < HALF else "no"
        row["suspects"] = row["suspects"] if alarm else None
        row["why"] = _why(row, len(tested), words)
    return pd.DataFrame(rows, columns=LABEL_NOISE)


def examine(predictions: TaskPredictions, folds: pd.Series, seed: int, words: Vocabulary = DONORS) -> dict:
    """Share, p and suspects of one task; a sentence alone where it cannot be asked."""
    task = predictions.task
    row: dict[str, Any] = {"task": task.name, "metric": task.decisive.name}
    model = on_trial(predictions.arms)
    if model not in predictions.arms or not predictions.usable(model).any():
        none = f"no labelled {words.unit} was predicted"
        return row | {"n_units": 0, "why": f"{task.name}: {none}, so its labels were not tested."}
    usable = predictions.usable(model)
    if not task.predicts_label:
        row |= {"value": float(task.score(predictions.y[usable], predictions.arms[model][usable]))}
        unlike = (
            f"a {task.kind} label and its prediction are not alike, so a wrong label cannot be told from a rare one"
        )
        return row | {"n_units": len(np.unique(predictions.donors[usable])), "why": f"{task.name}: {unlike}."}
    units = units_of(predictions, folds, seed)
    row["value"] = float(task.score(predictions.y[usable], predictions.arms[model][usable]))
    row["n_units"] = len(units.y)
    counts = np.unique(units.y, return_counts=True)[1]
    least, of_each = (LEAST_OF_CLASS, f" and {LEAST_OF_CLASS} of each class") if task.classes else (0, "")
    if len(units.y) < LEAST_UNITS or len(counts) < 2 or counts.min() < least:
        few = f"{len(units.y)} labels of {words.units} are too few to test them"
        return row | {"why": f"{task.name}: {few}; {LEAST_UNITS} {words.units}{of_each} are needed."}
    return row | share_of(units, bool(task.classes), seed)


def share_of(units: Units, classes: bool, seed: int) -> dict:
    """Share with the range that is not ruled out, p, and the suspects with their probabilities."""
    likelihood, y = likelihood_of(units, classes)
    profile = likelihood.profile(y[:, None])[:, 0].astype(float)
    below = profile.max() - profile
    best = int(below.argmin())
    near = SHARES[below < RULED_OUT]
    wrong = likelihood.wrong(y, best)
    order = np.argsort(-wrong, kind="stable")[:SUSPECTS]
    suspects = [f"{units.names[i]} ({wrong[i]:.2f})" for i in order if wrong[i] >= SUSPICIOUS]
    shares = {"share": SHARES[best], "share_low": near.min(), "share_high": near.max()}
    return shares | {"p": _p(likelihood, y, profile, seed), "suspects": "; ".join(suspects) or None}


def likelihood_of(units: Units, classes: bool) -> tuple[ClassLikelihood | ValueLikelihood, np.ndarray]:
    """The likelihood, and the labels as it takes them: codes of the classes that occur, or values."""
    if not classes:
        return ValueLikelihood(units.pred, units.fold), units.y
    occur, y = np.unique(units.y.astype(int), return_inverse=True)
    return ClassLikelihood(units.pred[:, occur], units.fold, np.bincount(y) / len(y)), y


def units_of(predictions: TaskPredictions, folds: pd.Series, seed: int = 0) -> Units:
    """Labelled samples as units, in the order of their donors, whatever the order of the samples.

    Values of a donor are one label where they differ by less than a quarter of the standard deviation. Of a unit whose
    samples were held out in several folds those of the most frequent one are taken; of very many units some.
    """
    model = on_trial(predictions.arms)
    usable = predictions.usable(model)
    pred = predictions.arms[model][usable]
    classes = bool(predictions.task.classes)
    if classes:
        pred = np.clip(pred, _EDGE, 1 - _EDGE)
        pred = np.log(np.stack([1 - pred, pred], axis=1) if pred.ndim == 1 else pred)
    y = predictions.y[usable]
    table = pd.DataFrame({"donor": predictions.donors[usable], "sample": predictions.samples[usable], "y": y})
    table["fold"] = folds.reindex(table["sample"]).to_numpy()
    order = np.lexsort((table["sample"], table["y"], table["donor"]))
    table, pred = table.iloc[order].reset_index(drop=True), pred[order]
    gap = 0.0 if classes else _SAME * float(np.std(y))
    new = (table["donor"] != table["donor"].shift()) | (table["y"].diff().abs() > gap)
    unit = (new.cumsum() - 1).to_numpy()
    fold = table.groupby(unit)["fold"].first().to_numpy().copy()
    several = np.flatnonzero(np.bincount(unit) > 1)
    if len(several):
        of_several = np.isin(unit, several)
        modes = table[of_several].groupby(unit[of_several])["fold"].agg(lambda folds: folds.mode().iloc[0])
        fold[several] = modes.to_numpy()
    rows = (table["fold"].to_numpy() == fold[unit]).nonzero()[0]
    unit = unit[rows]
    sizes, columns = np.bincount(unit), pred[rows].reshape(len(rows), -1).T
    mean = np.stack([np.bincount(unit, column) / sizes for column in columns], axis=1)
    grouped = table.iloc[rows].groupby(unit)
    alone = len(sizes) == len(rows)
    names = table["sample"].to_numpy()[rows] if alone else grouped["sample"].agg("+".join).to_numpy()
    values = grouped["y"].mean().to_numpy()
    chosen = np.arange(len(names))
    if len(chosen) > MOST_UNITS:
        chosen = np.sort(np.random.default_rng([seed, 52]).permutation(chosen)[:MOST_UNITS])
    return Units(names[chosen], fold[chosen], values[chosen], (mean if classes else mean[:, 0])[chosen])


def _ratio(profile: np.ndarray) -> np.ndarray:
    return 2 * (profile.max(axis=0) - profile[SHARES <= TOLERATED + 1e-9].max(axis=0))


def _p(likelihood: ClassLikelihood | ValueLikelihood, y: np.ndarray, profile: np.ndarray, seed: int) -> float:
    """Share of draws from the tolerated fit that look at least as shuffled as the labels."""
    ratio = float(_ratio(profile))
    if ratio <= 1e-6:
        return 1.0
    null = int(profile[SHARES <= TOLERATED + 1e-9].argmax())
    rng = np.random.default_rng([seed, 53])
    beyond = draws = 0
    for more in (DRAWS, MORE_DRAWS):
        drawn = likelihood.draw(y, null, more, rng)
        beyond += int((_ratio(likelihood.profile(drawn).astype(float)) >= ratio - 1e-6).sum())
        draws += more
        if (1 + beyond) / (1 + draws) > PROMISING:
            break
    return (1 + beyond) / (1 + draws)


def _why(row: dict, tasks: int, words: Vocabulary) -> str:
    """One sentence that can be quoted."""
    name, shown = row["task"], f"{metric_named(row['metric']).printed} {number(row['value'])}"
    percent = {key: f"{100 * row[key]:.0f}" for key in ("share", "share_low", "share_high")}
    labels = f"{row['n_units']} labels of {words.units}"
    if row["alarm"] == "yes":
        over = f" over {tasks} tasks" if tasks > 1 else ""
        return (
            f"{name}: about {percent['share']} % of its labels ({percent['share_low']} to {percent['share_high']} %) "
            f"look as if they had been drawn anew, more than the {100 * TOLERATED:.0f} % that are tolerated (p "
            f"{row['p']:.2g}, alarm at {LEVEL / tasks:.2g}{over}; {labels}, {shown})."
        )
    if row["could_show"] == "yes":
        bound = f"more than {percent['share_high']} % drawn anew can be ruled out"
        return f"{name}: no sign of shuffled labels ({labels}, {shown}); {bound}."
    little = f"on {labels} with predictions like these ({shown}) not even half-shuffled labels can be ruled out"
    return f"{name}: no alarm, but this says little: {little}."
