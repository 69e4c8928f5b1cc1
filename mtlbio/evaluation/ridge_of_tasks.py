"""The ridge arm of all tasks of a fold on one matrix: penalties of every task, on every inner fold, are columns of
:mod:`mtlbio.evaluation.ridge_at_once`. For many donors; what it predicts is what the tasks' own fits predict."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mtlbio.evaluation.ridge import CLASS_PENALTIES, PENALTIES, link
from mtlbio.evaluation.ridge_at_once import Models, fit_at_once
from mtlbio.evaluation.tuning import Labels, choose

_AT_ONCE = 256  # models in one product


@dataclass(frozen=True)
class _Group:
    """One training set of a task with every penalty; truth and share (n,)."""

    truth: np.ndarray
    share: np.ndarray
    binary: bool
    penalties: np.ndarray


def can_be_joined(labels: Labels) -> bool:
    """Whether a model of these labels is a single column: a value, or two classes."""
    return labels.own is None and labels.n_classes in (0, 2)


def ridge_of_tasks(
    train: np.ndarray, test: np.ndarray, tasks: dict[str, tuple[np.ndarray, Labels]]
) -> dict[str, tuple[np.ndarray, float]]:
    """What :func:`mtlbio.evaluation.linear.ridge` gives of every task.

    Parameters
    ----------
    train, test : (n, r), (m, r) row-space scores of all training and held-out samples
    tasks : rows (k,) of the training samples with a label, and what may be learnt from them (:func:`can_be_joined`)
    """
    sizes = np.square(train).sum(axis=1)
    penalties = {name: _penalties(train, sizes, rows, labels) for name, (rows, labels) in tasks.items()}
    inner = []
    for name, (rows, labels) in tasks.items():
        for fit, _ in labels.inner_splits():
            inner.append(_group(len(train), rows, labels, fit, penalties[name]))
    paths = _fitted(train, inner)
    chosen, spreads = [], {}
    for name, (rows, labels) in tasks.items():
        own = [next(paths) for _ in labels.inner_splits()]
        best, spreads[name] = choose(labels, _held_out(labels, train, rows, own), len(penalties[name]))
        everybody = np.arange(len(rows))
        chosen.append(_group(len(train), rows, labels, everybody, penalties[name][best : best + 1]))
    found = {}
    for (name, (_, labels)), (coefficients, intercepts) in zip(tasks.items(), _fitted(train, chosen), strict=True):
        found[name] = link(test @ coefficients + intercepts, labels.n_classes), spreads[name]
    return found


def _held_out(labels: Labels, train: np.ndarray, rows: np.ndarray, paths: list[tuple[np.ndarray, np.ndarray]]):
    """Predictions of the held-out rows of an inner split, from its fit among ``paths``."""
    following = iter(paths)

    def candidates(_, held_out: np.ndarray) -> np.ndarray:
        coefficients, intercepts = next(following)
        linear = train[rows[held_out]] @ coefficients + intercepts
        return link(linear.T[..., None], labels.n_classes)

    return candidates


def _penalties(train: np.ndarray, sizes: np.ndarray, rows: np.ndarray, labels: Labels) -> np.ndarray:
    share = labels.weights / labels.weights.sum()
    spread = np.zeros(len(train))
    spread[rows] = share
    total = spread @ sizes - np.square(spread @ train).sum()
    return (CLASS_PENALTIES if labels.n_classes else PENALTIES) * total


def _group(n: int, rows: np.ndarray, labels: Labels, fit: np.ndarray, penalties: np.ndarray) -> _Group:
    truth, share = np.zeros(n), np.zeros(n)
    truth[rows], share[rows[fit]] = labels.y, labels.weights[fit] / labels.weights[fit].sum()
    return _Group(truth, share, labels.n_classes == 2, penalties)


def _fitted(train: np.ndarray, groups: list[_Group]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Coefficients (r, L) and intercepts (L,) of every group, in order."""
    waiting: list[_Group] = []
    for place, group in enumerate(groups):
        waiting.append(group)
        if sum(len(g.penalties) for g in waiting) < _AT_ONCE and place + 1 < len(groups):
            continue
        counts = [len(g.penalties) for g in waiting]
        models = Models(
            np.repeat(np.stack([g.truth for g in waiting], axis=1), counts, axis=1),
            np.repeat(np.stack([g.share for g in waiting], axis=1), counts, axis=1),
            np.repeat([g.binary for g in waiting], counts),
            np.concatenate([g.penalties for g in waiting]),
        )
        coefficients, intercepts = fit_at_once(train, models)
        stops = np.cumsum(counts)
        yield from ((coefficients[:, e - c : e], intercepts[e - c : e]) for e, c in zip(stops, counts, strict=True))
        waiting = []
