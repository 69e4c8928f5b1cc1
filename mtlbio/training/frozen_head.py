"""A head on a frozen trunk: the loss of any kind of label, with a prior that follows the trunk's spectrum.

A head is learnt in the principal axes of the trunk's dimensions: what the trunk sees much of in its samples may weigh
more. On uncorrelated scores u_j of variance 1 and spread s_j, weights are drawn from N(0, tau^2 s_j^power), which is a
ridge on the scores u_j s_j^(power/2); its strength 1/tau^2 is left to the caller.
"""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import minimize

from mtlbio.labels import Label
from mtlbio.model.added import AddedHead
from mtlbio.model.outputs import Outputs

# 2: the plain ridge on the dimensions themselves, in which a direction counts as much as the trunk varies along it
POWER = 2.0
# Relative to the total variance of the prior's scores, strong to weak. The strongest still ranks donors: a stronger
# one, which inner folds of a dozen labels choose by chance, would say the same of all.
STRENGTHS = np.logspace(0, -3.5, 8)
_RANK_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Prior:
    """Dimensions -> scores on which a ridge is the prior; ``mean`` (d,) and ``axes`` (d, r)."""

    mean: np.ndarray
    axes: np.ndarray

    @classmethod
    def of(cls, latents: np.ndarray, power: float = POWER) -> "Prior":
        """From the spectrum of the trunk's dimensions (n, d), of labelled and other samples alike.

        Examples
        --------
        >>> latents = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 2.0], [0.0, -2.0]])
        >>> Prior.of(latents, power=0).scores(latents).std(axis=0).round(6).tolist()
        [1.0, 1.0]
        """
        mean = latents.mean(axis=0)
        _, spread, axes = np.linalg.svd((latents - mean) / np.sqrt(len(latents)), full_matrices=False)
        keep = spread > _RANK_TOLERANCE * max(spread[0], np.finfo(float).tiny)
        return cls(mean, axes[keep].T * spread[keep] ** (power / 2 - 1))

    def scores(self, latents: np.ndarray) -> np.ndarray:
        """(n, r) from dimensions (n, d)."""
        return (latents - self.mean) @ self.axes


def fit_heads(
    task: Label, prior: Prior, latents: np.ndarray, y: np.ndarray, weights: np.ndarray, strengths: np.ndarray
) -> list[AddedHead]:
    """A head of every strength, each started from the one before.

    Minimises ``sum_i w_i loss_i / sum_i w_i + strength / 2 * |weights on the prior's scores|^2``; biases are free.

    Parameters
    ----------
    latents : (n, d) of labelled samples; y : (n,) codes or values in the task's units, none missing
    weights : (n,) positive, e.g. every donor once
    strengths : (L,) positive, best given from strong to weak
    """
    values = task.transform(y)
    mean, scale = task.standard(values)
    target, scores = (values - mean) / scale, prior.scores(latents)
    goal = _Goal(task, scores, target, weights)
    flat, heads = np.zeros(goal.size), []
    for strength in strengths:
        flat = goal.lowest(flat, strength)
        of_scores, bias = goal.parts(flat)
        whole = prior.axes @ of_scores
        head = AddedHead(task, whole, bias - goal.expanded(prior.mean @ whole), float(mean), float(scale))
        if task.anchored:
            found = task.anchor(head.outputs(latents), target, weights)
            head = AddedHead(task, head.weights, head.bias + found, head.mean, head.scale)
        heads.append(head)
    return heads


def loss_of(head: AddedHead, latents: np.ndarray, y: np.ndarray, weights: np.ndarray) -> float:
    """Summed loss of labelled samples, each times its weight."""
    target = (head.task.transform(y) - head.mean) / head.scale
    outputs, truth, shares = map(_tensor, (head.outputs(latents), target, weights))
    return float((shares * head.task.loss(outputs, truth, shares)).sum())


def _tensor(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.asarray(values, dtype=float))


class _Goal:
    """What is minimised, as a function of weights on uncorrelated scores of the labelled samples and of biases, flat.

    On these scores, and divided by the root of the curvature along each, the search takes a few steps: of few samples
    some directions are known by the prior alone.
    """

    def __init__(self, task: Label, scores: np.ndarray, target: np.ndarray, weights: np.ndarray):
        self.task, packing = task, Outputs.of({task.name: task})
        share = weights / weights.sum()
        self.mean = share @ scores
        centred = scores - self.mean
        _, spread, axes = np.linalg.svd(np.sqrt(share)[:, None] * centred, full_matrices=False)
        self.axes, self.curvature = axes.T, np.square(spread) * (1.0 if task.steep else 0.25)
        self.columns, self.expand = packing.n_columns, torch.from_numpy(packing.expand.astype(float))
        self.scores, self.target = torch.from_numpy(centred @ self.axes), torch.from_numpy(target)
        self.weights = torch.from_numpy(weights / weights.mean())
        self.place = len(spread) * self.columns
        self.size = self.place + packing.n_outputs

    def lowest(self, start: np.ndarray, strength: float) -> np.ndarray:
        """The flat weights and biases of the smallest value."""
        root = np.concatenate(
            [np.repeat(np.sqrt(self.curvature + strength), self.columns), np.ones(self.size - self.place)]
        )

        def scaled(steps: np.ndarray) -> tuple[float, np.ndarray]:
            value, gradient = self.value(steps / root, strength)
            return value, gradient / root

        options = {"maxiter": 500, "ftol": 1e-13, "gtol": 1e-8}
        return minimize(scaled, start * root, jac=True, method="L-BFGS-B", options=options).x / root

    def parts(self, flat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Weights (r, columns) on the scores as they were given, and biases (outputs,)."""
        of_scores = self.axes @ flat[: self.place].reshape(-1, self.columns)
        return of_scores, flat[self.place :] - self.expanded(self.mean @ of_scores)

    def expanded(self, columns: np.ndarray) -> np.ndarray:
        """(outputs,) of what the columns (columns,) give."""
        return columns @ self.expand.numpy()

    def value(self, flat: np.ndarray, strength: float) -> tuple[float, np.ndarray]:
        """What is minimised, and its gradient."""
        variables = torch.from_numpy(flat.copy()).requires_grad_()
        of_scores = variables[: self.place].reshape(-1, self.columns)
        outputs = self.scores @ of_scores @ self.expand + variables[self.place :]
        loss = (self.weights * self.task.loss(outputs, self.target, self.weights)).mean()
        loss = loss + 0.5 * strength * of_scores.square().sum()
        loss.backward()
        assert variables.grad is not None
        return float(loss.detach()), variables.grad.numpy()
