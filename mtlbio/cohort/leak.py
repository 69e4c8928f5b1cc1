"""Measurements that alone tell a label: the label under another name, or what was derived from it.

A gene may do so by rights (XIST tells sex), and then others of its programme nearly do. So a column that takes the
label's own values, or a few that stand alone, are worth a look; many together are only told.
"""

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import CovariateInfo
from mtlbio.intake.notes import notice
from mtlbio.labels import Label
from mtlbio.metrics.ranking import auroc

AUROC, R2 = 0.99, 0.99  # beyond which a column tells a label
_SAME = 0.99995  # squared correlation of a number with itself, rounded
_FEW = 3  # columns that stand alone
_SOME = 60  # samples of a class that a first look takes
_BY_CHANCE = 1e-3  # expected number of columns of noise that separate two classes, above which nothing is said


@dataclass(frozen=True)
class Leak:
    """A column that tells a label: ``value`` is its AUROC (of several classes the least between neighbours) or R2."""

    column: str
    value: float
    same: bool


def say_leaks(
    values: np.ndarray, names: np.ndarray, obs: pd.DataFrame, tasks: Mapping[str, Label], source: str, table: bool
) -> None:
    """Notice the columns of measurements that alone tell a task.

    Parameters
    ----------
    values : (samples, columns) as they were read, NaN where missing
    obs : ``donor`` and a column per task, a row per sample
    table : whether the columns are features of a table, of which none stands for a programme of many
    """
    for name, label in tasks.items():
        found = leaks(values, names, label.y(obs[name]), obs["donor"].to_numpy().astype(str), bool(label.classes))
        line = in_words(found, f"tasks.{name}", "AUROC" if label.classes else "R2")
        for text in line:
            notice(source, text, doubt=table or text.startswith("a leak"))


def say_leaking_covariates(
    obs: pd.DataFrame, tasks: Mapping[str, Label], covariates: Mapping[str, CovariateInfo], source: str
) -> None:
    """Notice the covariates that alone tell a task: numbers, and confounders with as many levels as the task.

    A batch in which only one class was measured is no leak, and is told by the audit of the design.
    """
    donors = obs["donor"].to_numpy().astype(str)
    for name, label in tasks.items():
        columns = dict[str, np.ndarray]()
        for other, info in covariates.items():
            if other == name or info.estimated:
                continue
            if info.kind == "continuous":
                columns[other] = obs[other].to_numpy(dtype=float)
            elif info.role == "confounder" and label.classes and obs[other].nunique() == len(label.classes):
                codes = pd.factorize(obs[other])[0].astype(float)
                columns[other] = np.where(codes < 0, np.nan, codes)
        if not columns:
            continue
        values = np.stack(list(columns.values()), axis=1)
        found = leaks(values, np.array(list(columns)), label.y(obs[name]), donors, bool(label.classes))
        for leak in found:
            metric = "AUROC" if label.classes else "R2"
            notice(
                source,
                f"a leak: covariates.{leak.column} alone tells tasks.{name} ({metric} {leak.value:.3g}): nothing is "
                f"left of the task once it is held fixed; leave one of them out",
                doubt=True,
            )


def in_words(found: list[Leak], task: str, metric: str) -> list[str]:
    """A line on what is the label itself, and one on what tells it otherwise."""
    same, others = [leak for leak in found if leak.same], [leak for leak in found if not leak.same]
    lines = []
    if same:
        what = "say" if len(same) > 1 else "says"
        lines.append(
            f"a leak: {_listed(same, metric)} {what} the same as {task}, which would be predicted from itself: leave "
            f"the column out"
        )
    if others and len(others) <= _FEW:
        what = "tell" if len(others) > 1 else "tells"
        lines.append(
            f"a leak? {_listed(others, metric)} alone {what} {task}: leave out what was derived from the label or "
            f"stands for it (XIST may tell sex, a score may not tell its disease)"
        )
    elif others:
        lines.append(f"{len(others)} columns tell {task} each alone ({_listed(others[:_FEW], metric)}, ...)")
    return lines


def leaks(values: np.ndarray, names: np.ndarray, y: np.ndarray, donors: np.ndarray, is_class: bool) -> list[Leak]:
    """The columns that alone tell a label, the best first.

    Parameters
    ----------
    values : (samples, columns), NaN where missing
    y : (samples,) codes or values, NaN where missing
    donors : (samples,) who repeats counts once as evidence
    """
    labelled = np.isfinite(y)
    values, y, donors = values[labelled], y[labelled], donors[labelled]
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of columns without any value
        found = _of_classes(values, y, donors) if is_class else _of_number(values, y, donors)
    return sorted((Leak(str(names[j]), value, same) for j, value, same in found), key=lambda leak: -leak.value)


def _of_number(values: np.ndarray, y: np.ndarray, donors: np.ndarray) -> list[tuple[int, float, bool]]:
    if len(np.unique(donors)) < 8 or np.ptp(y) == 0:
        return []
    whole = np.isfinite(values)
    filled = values if whole.all() else np.where(whole, values, np.nanmean(values, axis=0))
    spread = filled.std(axis=0)
    r = (y - y.mean()).astype(filled.dtype) @ filled / (len(y) * np.where(spread > 0, spread, np.inf) * y.std())
    return [(int(j), float(r[j] ** 2), bool(r[j] ** 2 > _SAME)) for j in np.flatnonzero(r**2 > R2)]


def _of_classes(values: np.ndarray, y: np.ndarray, donors: np.ndarray) -> list[tuple[int, float, bool]]:
    classes = np.unique(y)
    people = pd.DataFrame({"y": y, "donor": donors}).drop_duplicates()["y"].value_counts()
    if len(classes) < 2 or _chance(people.to_numpy(), values.shape[1]) > _BY_CHANCE:
        return []
    candidates = np.flatnonzero(_may_separate(values, y, classes))
    found = []
    for j in candidates:
        known = np.isfinite(values[:, j])
        column, codes = values[known, j], y[known]
        if len(np.unique(codes)) < len(classes) or np.ptp(column) == 0:
            continue
        means = [column[codes == k].mean() for k in classes]
        order = classes[np.argsort(means)]
        pairs = zip(order[:-1], order[1:], strict=True)
        beside = [(high, np.isin(codes, (low, high))) for low, high in pairs]
        least = min(auroc(codes[both] == high, column[both]) for high, both in beside)
        if least > AUROC:
            levels = [set(np.round(column[codes == k], 9)) for k in classes]
            same = all(len(level) == 1 for level in levels) and len(set.union(*levels)) == len(classes)
            found.append((int(j), float(least), same))
    return found


def _chance(people: np.ndarray, columns: int) -> float:
    """Expected number of columns of noise, at most, that separate the donors of the two largest classes."""
    first, second = sorted(people, reverse=True)[:2]
    return columns * 2 / math.comb(int(first + second), int(second))


def _may_separate(values: np.ndarray, y: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """(columns,) whether an AUROC beyond .99 between the two first classes is possible: then 98 % of the one lie on one
    side of the other's median. Some samples of each are enough to see that most columns are far from it."""
    one, rest = (_some(values[y == k]) for k in classes[:2])
    middle = np.median(rest, axis=0) if np.isfinite(rest).all() else np.nanmedian(rest, axis=0)
    above, below = (one > middle).mean(axis=0), (one < middle).mean(axis=0)
    absent = 1 - np.isfinite(one).mean(axis=0)
    return np.maximum(above, below) + absent > 0.85


def _some(rows: np.ndarray) -> np.ndarray:
    return rows[:: max(1, len(rows) // _SOME)]


def _listed(found: list[Leak], metric: str) -> str:
    return ", ".join(f"{leak.column!r} ({metric} {leak.value:.3g})" for leak in found[:5])
