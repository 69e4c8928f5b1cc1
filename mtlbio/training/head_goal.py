"""What a head on a frozen trunk minimises: the loss of its labelled samples and a ridge on the prior's scores."""

from functools import cached_property

import numpy as np
import torch
from scipy.optimize import minimize

from mtlbio.labels import Label
from mtlbio.model.outputs import Outputs

# Curvature that a bias has by itself: of some biases the loss knows nothing, such as the level of a hazard.
_VAGUE = 1e-3


class Goal:
    """What is minimised, as a function of weights on uncorrelated scores of the labelled samples and of biases, flat.

    On these scores, and divided by the root of the curvature along each, the search takes a few steps: of few samples
    some directions are known by the prior alone.
    """

    def __init__(
        self,
        task: Label,
        scores: np.ndarray,
        target: np.ndarray,
        weights: np.ndarray,
        believed: np.ndarray,
    ):
        """``believed`` (n, columns): what a head says before any label is seen."""
        self.task, packing = task, Outputs.of({task.name: task})
        share = weights / weights.sum()
        self.mean = share @ scores
        centred = scores - self.mean
        _, spread, axes = np.linalg.svd(np.sqrt(share)[:, None] * centred, full_matrices=False)
        self.axes, self.curvature = axes.T, np.square(spread) * (1.0 if task.steep else 0.25)
        self.columns, self.expand = packing.n_columns, torch.from_numpy(packing.expand.astype(float))
        self.scores, self.target = torch.from_numpy(centred @ self.axes), torch.from_numpy(target)
        self.weights = torch.from_numpy(weights / weights.mean())
        self.believed = torch.from_numpy(believed)
        self.place = len(spread) * self.columns
        self.size = self.place + packing.n_outputs

    def lowest(self, start: np.ndarray, strength: float) -> np.ndarray:
        """The flat weights and biases of the smallest value."""
        if self.task.noisy:  # a squared error is at its lowest after one step of Newton's
            return start - np.linalg.solve(self.curvatures(start, strength), self.value(start, strength)[1])
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
        loss = self._value(variables, strength)
        loss.backward()
        assert variables.grad is not None
        return float(loss.detach()), variables.grad.numpy()

    def log_evidence(self, flat: np.ndarray, strength: float, units: float) -> float:
        """Logarithm of the probability of the labels under the prior, weights and biases integrated out, up to a
        constant (Laplace's approximation about the lowest point ``flat``; exact for a number; MacKay 1992, Neural
        Computation 4:415 and 720).

        ``units``: of how many independent labels the loss is the mean, e.g. donors. Where the spread of the noise is
        not known it is put where the labels are likeliest.
        """
        value = self.value(flat, strength)[0]
        likely = -units / self.task.likelihood * value
        if self.task.noisy:
            likely = -0.5 * (units - 1) * np.log(max(value, np.finfo(float).tiny))
        vague = np.repeat([0.0, _VAGUE], [self.place, self.size - self.place])
        _, size = np.linalg.slogdet(self.curvatures(flat, strength) + np.diag(vague))
        return float(likely + 0.5 * self.place * np.log(strength) - 0.5 * size)

    def curvatures(self, flat: np.ndarray, strength: float) -> np.ndarray:
        """(size, size) second derivatives of what is minimised."""
        of_loss = self._of_square if self.task.noisy else self._of_loss(flat)
        return of_loss + np.diag(np.repeat([strength, 0.0], [self.place, self.size - self.place]))

    @cached_property
    def _of_square(self) -> np.ndarray:
        """The same everywhere, where the loss is half a square of the only output."""
        design = np.column_stack([self.scores.numpy(), np.ones(len(self.scores))])
        return design.T @ (self.weights.numpy()[:, None] * design) / len(design)

    def _of_loss(self, flat: np.ndarray) -> np.ndarray:
        place = torch.from_numpy(flat.copy())
        return torch.autograd.functional.hessian(lambda v: self._value(v, 0.0), place, vectorize=True).numpy()

    def _value(self, variables: torch.Tensor, strength: float) -> torch.Tensor:
        of_scores = variables[: self.place].reshape(-1, self.columns)
        outputs = (self.scores @ of_scores + self.believed) @ self.expand + variables[self.place :]
        loss = (self.weights * self.task.loss(outputs, self.target, self.weights)).mean()
        return loss + 0.5 * strength * of_scores.square().sum()
