"""Predictions of a site for its own donors: by the shared head, and by a private one that never leaves.

The shared head has the slopes of all sites and, unless one is shared too, the intercept of the site. The private head
has slopes of the site's own, a ridge around the shared ones; how far they may go is chosen on the site's inner folds,
nowhere at all included. A site that has no inner folds keeps the shared slopes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mtlbio.federation.labelled import Labelled
from mtlbio.federation.losses import Loss, held_out, intercept_of, loss_of
from mtlbio.federation.site import Site
from mtlbio.federation.wire import Message
from mtlbio.labels import Label

SHARED, PRIVATE = "federated_shared", "federated_private"
# Penalty on the distance from the shared slopes, per donor and in units of the penalty of these; inf: no distance.
DISTANCES = (np.inf, *np.logspace(4, 0, 9))
_STEPS, _CLOSE = 60, 1e-12


@dataclass(frozen=True)
class Head:
    """An intercept and slopes (head,) on what :meth:`Site.read_by_heads` gives."""

    label: Label
    intercept: float
    slopes: np.ndarray

    def predict(self, x: np.ndarray) -> np.ndarray:
        """(n,) probabilities of the second class, values in the label's units, or log hazards."""
        eta = self.intercept + x @ self.slopes
        if self.label.classes:
            return 1 / (1 + np.exp(-eta))
        return eta if self.label.follow_up(np.zeros(0)) is not None else self.label.inverse_transform(eta)


def shared_head(site: Site, state: Message, task: str, k: int = 0) -> Head:
    """The head of all donors, or (``k`` above 0) of all but those of inner fold ``k - 1``."""
    return _with_intercept(site, state, task, k, state.arrays[f"slopes.{task}"][k])


def private_head(site: Site, state: Message, task: str, k: int = 0) -> Head:
    """The same with the site's own slopes."""
    distance = np.inf if site.options["privacy"] else private_distance(site, state, task)
    return _with_intercept(site, state, task, k, _near(site, state, task, k, distance))


def private_distance(site: Site, state: Message, task: str) -> float:
    """The penalty of :data:`DISTANCES` with the smallest loss on the site's inner folds."""
    its, x = site.labelled[task], site.read_by_heads(state)[site.labelled[task].rows]
    folds = [k for k in range(1, state.header["dims"]["sets"]) if not its.inside(k).all()]
    if not folds:
        return np.inf
    losses = [
        sum(
            held_out(its.label, x, its.y, its.weights, its.inside(k), _near(site, state, task, k, distance), site.own)
            for k in folds
        )
        for distance in DISTANCES
    ]
    return float(DISTANCES[int(np.argmin(losses))])


def predictions_of(site: Site, state: Message, task: str, arm: str) -> tuple[np.ndarray, np.ndarray]:
    """Predictions (n,) of the site's samples, and (n,) the inner fold whose donors the head has not seen.

    -1: a labelled donor of a site that is not split, whom the head has seen; -2: a donor without a label.
    """
    x, its = site.read_by_heads(state), site.labelled[task]
    make = shared_head if arm == SHARED else private_head
    out, fold = make(site, state, task).predict(x), np.full(len(x), -2)
    fold[its.rows] = its.fold
    for k in np.unique(its.fold[its.fold >= 0]):
        rows = its.rows[its.fold == k]
        out[rows] = make(site, state, task, int(k) + 1).predict(x[rows])
    return out, fold


def _on_own_scale(its: Labelled, score: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """(2,) intercept and slope of the site's own label on a score of least squares."""
    columns = np.column_stack([np.ones(inside.sum()), score[inside]])
    loss = loss_of(its.label, columns, its.y[inside], its.weights[inside], False)
    return _minimised(loss, np.zeros(2), 1e-6 * loss.weight)


def _with_intercept(site: Site, state: Message, task: str, k: int, slopes: np.ndarray) -> Head:
    its = site.labelled[task]
    if site.options["privacy"]:
        score = site.latents(state)[its.rows] @ slopes
        level, slope = _on_own_scale(its, score, its.inside(k))
        return Head(its.label, float(level), slope * slopes)
    if not site.own:
        return Head(its.label, 0.0, slopes)
    rows = its.inside(k)
    x = site.read_by_heads(state)[its.rows[rows]]
    return Head(its.label, intercept_of(its.label, x, its.y[rows], its.weights[rows], slopes), slopes)


def _near(site: Site, state: Message, task: str, k: int, distance: float) -> np.ndarray:
    """Slopes of the site's training donors of set ``k``, drawn towards the shared ones."""
    shared = state.arrays[f"slopes.{task}"][k]
    if not np.isfinite(distance):
        return shared
    its = site.labelled[task]
    rows = its.inside(k)
    x = site.read_by_heads(state)[its.rows[rows]]
    loss = loss_of(its.label, x, its.y[rows], its.weights[rows], site.own)
    unit = state.header["tasks"][task]["penalty"] * float(state.arrays["total_variance"])
    return _minimised(loss, shared, distance * unit * loss.weight)


def _minimised(loss: Loss, centre: np.ndarray, penalty: float) -> np.ndarray:
    """Slopes with the least loss + penalty / 2 |slopes - centre|^2, by Newton's method with halving."""
    slopes = centre
    value, gradient, hessian = loss.at(slopes)
    for _ in range(_STEPS):
        away = gradient + penalty * (slopes - centre)
        move = -np.linalg.solve(hessian + penalty * np.eye(len(slopes)), away)
        gain = -float(away @ move)
        goal = value + penalty / 2 * float(np.square(slopes - centre).sum())
        for halving in range(30):
            tried = slopes + move / 2**halving
            there = loss.at(tried)
            if there[0] + penalty / 2 * float(np.square(tried - centre).sum()) <= goal + 1e-12 * abs(goal):
                break
        slopes, (value, gradient, hessian) = tried, there
        if gain <= _CLOSE * max(1.0, loss.weight):
            break
    return slopes
