"""The sparse heads of one fold, task by task: the path of :mod:`mtlbio.training.sparse_heads` in less memory and time.

Only samples that train or validate a task are looked at. Where the loss is a squared error, products of the features,
once for each group of inner validation samples, stand for the samples in every step; where it is not, the samples are
multiplied with the weights of all seeds and penalties of the task at once.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from mtlbio.labels import Label
from mtlbio.training.curvature import curvatures
from mtlbio.training.problem import Problem
from mtlbio.training.sparse_heads import PENALTIES, SparseHeads, descend

_BLOCK = 8192  # rows in double precision at once


@dataclass(frozen=True)
class _Rows:
    """Labelled samples of a task: features (n, k), target (n,), weights (s, n) of either kind, ``expand`` (c, o)."""

    label: Label
    features: torch.Tensor
    target: torch.Tensor
    train: torch.Tensor
    validation: torch.Tensor
    expand: torch.Tensor

    def outputs(self, weights: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        """(s, g, n, o) of weights (k, s, g, c) and biases (s, g, 1, o)."""
        k, s, g, c = weights.shape
        return self._of(self.features @ weights.reshape(k, s * g * c).to(self.features), weights.shape, bias)

    def _of(self, products: torch.Tensor, shape: torch.Size, bias: torch.Tensor) -> torch.Tensor:
        values = products.reshape(len(products), *shape[1:]).permute(1, 2, 0, 3)
        single = self.expand.shape == (1, 1)  # which is a one
        return (values if single else values @ self.expand) + bias.to(self.expand)

    def slopes(self, weights: torch.Tensor, bias: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Of the summed training losses, by weights and biases."""
        k, s, g, c = weights.shape
        products = (self.features @ weights.reshape(k, s * g * c)).requires_grad_()
        bias = bias.detach().requires_grad_()
        outputs, train = self._of(products, weights.shape, bias), self.train[:, None]
        loss = (self.label.loss(outputs, self.target, train.expand(outputs.shape[:-1])) * train).sum()
        slope, slope_of_bias = torch.autograd.grad(loss, (products, bias))
        return (self.features.T @ slope).reshape(weights.shape), slope_of_bias

    def validation_losses(self, weights: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        """(g,) pooled over the seeds."""
        outputs, validate = self.outputs(weights, bias), self.validation[:, None]
        return (self.label.loss(outputs, self.target, validate.expand(outputs.shape[:-1])) * validate).sum((0, 2))


@dataclass(frozen=True)
class _Products:
    """What half the squared error needs of the training samples of every seed: ``second`` (s, k, k), ``mean`` (s, k) of
    the features, ``with_target`` (s, k), ``level`` (s,) of the target, ``weight`` (s,): 1, or 0 without samples."""

    second: torch.Tensor
    mean: torch.Tensor
    with_target: torch.Tensor
    level: torch.Tensor
    weight: torch.Tensor

    @classmethod
    def of(cls, rows: _Rows) -> "_Products":
        """A sample that validates for one seed trains for the others with the same weight, but for a factor."""
        s, k = len(rows.train), rows.features.shape[1]
        validates = torch.cat([rows.validation > 0, (rows.validation == 0).all(0, keepdim=True)])
        whole = torch.zeros(s, k + 2, k + 2, dtype=torch.float64, device=rows.features.device)
        for group in validates:
            members = group.nonzero().ravel()
            trains = (rows.train[:, members] > 0).all(1).nonzero().ravel() if len(members) else members
            if not len(trains):
                continue
            reference = rows.train[trains[0], members].double()
            products = whole.new_zeros(k + 2, k + 2)
            for start in range(0, len(members), _BLOCK):
                some = members[start : start + _BLOCK]
                root = reference[start : start + _BLOCK].sqrt()[:, None]
                one = torch.ones_like(root)
                block = torch.cat([rows.features[some].double(), rows.target[some, None].double(), one], 1) * root
                products += block.T @ block
            for seed in trains:
                whole[seed] += rows.train[seed, members].double().sum() / reference.sum() * products
        return cls(whole[:, :k, :k], whole[:, :k, -1], whole[:, :k, k], whole[:, k, -1], whole[:, -1, -1])

    def slopes(self, weights: torch.Tensor, bias: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """As of :meth:`_Rows.slopes`."""
        k, s, g, _ = weights.shape
        flat, level = weights[..., 0].permute(1, 0, 2), bias[:, :, 0, 0]  # (s, k, g), (s, g)
        slope = self.second @ flat + self.mean[..., None] * level[:, None] - self.with_target[..., None]
        of_bias = torch.einsum("sk,skg->sg", self.mean, flat) + self.weight[:, None] * level - self.level[:, None]
        return slope.permute(1, 0, 2)[..., None], of_bias[:, :, None, None]


def fit_sparse_heads_by_task(problem: Problem, features: torch.Tensor, iterations: int = 120) -> SparseHeads:
    """As of :func:`mtlbio.training.sparse_heads.fit_sparse_heads`, for ``features`` (1, n, k) of one fold."""
    packing, values, device = problem.packing, features[0], features.device
    (n, k), s = values.shape, problem.train.shape[1]
    expand = torch.as_tensor(packing.expand, device=device, dtype=features.dtype)
    step, step_bias = _steps(problem, values)
    weights, bias = values.new_zeros(s, k, packing.n_columns), values.new_zeros(s, packing.n_outputs)
    outputs, penalty = values.new_zeros(s, n, packing.n_outputs), []
    for t, label in enumerate(packing.tasks):
        columns, place = packing.columns[t], packing.outputs[t]
        train, validation = problem.train[0, :, :, t], problem.validation[0, :, :, t]
        known = ((train + validation).sum(0) > 0).nonzero().ravel()
        whole = len(known) == n
        rows = _Rows(
            label,
            values if whole else values[known],
            problem.targets[0, known, t],
            train[:, known],
            validation[:, known],
            expand[columns, place],
        )
        source: _Rows | _Products = _Products.of(rows) if label.noisy else rows
        dtype = torch.float64 if label.noisy else values.dtype
        shape = (k, s, len(PENALTIES), columns.stop - columns.start)
        found, level = _descend(source.slopes, shape, place, step.to(dtype), step_bias.to(dtype), iterations)
        best = int(rows.validation_losses(found.to(values), level.to(values)).argmin())
        chosen, chosen_bias = found[:, :, best].to(values), level[:, best, 0].to(values)
        penalty.append(best)
        weights[:, :, columns], bias[:, place] = chosen.transpose(0, 1), chosen_bias
        of_task = (values @ chosen.reshape(k, -1)).reshape(n, s, -1).transpose(0, 1)
        outputs[:, :, place] = of_task @ expand[columns, place] + chosen_bias[:, None]
    best_of_tasks = torch.tensor([penalty], device=device)
    return SparseHeads(weights[None], bias[None], outputs[None], best_of_tasks)


def _descend(
    slopes: Callable[[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]],
    shape: tuple[int, ...],
    place: slice,
    step: torch.Tensor,
    step_bias: torch.Tensor,
    iterations: int,
) -> tuple[torch.Tensor, torch.Tensor]:
    k, s, g, c = shape
    penalty = torch.tensor(PENALTIES, device=step.device).to(step)[:, None]
    start = step.new_zeros(shape), step.new_zeros(s, g, 1, place.stop - place.start)
    return descend(slopes, start, (step[:, None, None], step_bias[:, None, None, None]), penalty, iterations)


def _steps(problem: Problem, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(s,) step of the weights and of the biases, as those of :mod:`mtlbio.training.sparse_heads`."""
    train = problem.train[0]  # (s, n, t)
    s, n, t = train.shape
    flat = train.permute(0, 2, 1).reshape(s * t, n)
    curvature = curvatures(features, flat).reshape(s, t).amax(1).clamp_min(1.0)
    steep = torch.tensor([task.steep for task in problem.packing.tasks], device=features.device)
    scale = (0.9 / curvature).sqrt().repeat_interleave(t)
    joint = curvatures(features, flat, scale).reshape(s, t)[:, steep]
    joint = joint.amax(1).clamp_min(1.0) if steep.any() else torch.ones_like(curvature)
    return 0.9 / (curvature * joint), 1 / joint
