"""A head on a frozen trunk: the loss of any kind of label, with a prior that follows the trunk's spectrum.

A head is learnt in the principal axes of the trunk's dimensions: what the trunk sees much of in its samples may weigh
more. On uncorrelated scores u_j of variance 1 and spread s_j, weights are drawn from N(0, tau^2 s_j^power), which is a
ridge on the scores u_j s_j^(power/2); its strength 1/tau^2 is left to the caller.
"""

from dataclasses import dataclass

import numpy as np

from mtlbio.labels import Label
from mtlbio.model.added import AddedHead
from mtlbio.training.head_goal import Goal

# 2: the plain ridge on the dimensions themselves, in which a direction counts as much as the trunk varies along it
POWER = 2.0
_RANK_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Prior:
    """What is believed of a head before any of its labels is seen.

    Attributes
    ----------
    mean, axes : (d,), (d, r); of dimensions, which become scores on which a ridge is the prior
    centre : (d,) the head, in standard deviations of its label, about which that ridge lies; 0 where None, and for
        a label of several directions
    signal, spread : what the ridge adds to the centre, to what no head can say (variances): log-normal about
        ``signal`` with this standard deviation in powers of ten
    """

    mean: np.ndarray
    axes: np.ndarray
    centre: np.ndarray | None = None
    signal: float = 1.0  # as much as chance does: nothing is known
    spread: float = 1.0

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
    return fit_path(task, prior, latents, y, weights, strengths)[0]


def fit_path(
    task: Label,
    prior: Prior,
    latents: np.ndarray,
    y: np.ndarray,
    weights: np.ndarray,
    strengths: np.ndarray,
    units: float | None = None,
) -> tuple[list[AddedHead], np.ndarray]:
    """The heads of :func:`fit_heads`, and the logarithm (L,) of what :meth:`Goal.log_evidence` says for each, where the
    labels count as ``units`` independent ones; empty where that is not asked."""
    values = task.transform(y)
    mean, scale = task.standard(values)
    target, scores = (values - mean) / scale, prior.scores(latents)
    centre = np.zeros((latents.shape[1], task.n_columns))
    if prior.centre is not None and task.n_columns == 1:
        centre[:, 0] = prior.centre
    goal = Goal(task, scores, target, weights, (latents - prior.mean) @ centre)
    flat, heads, evidence = np.zeros(goal.size), [], []
    for strength in strengths:
        flat = goal.lowest(flat, strength)
        evidence += [] if units is None else [goal.log_evidence(flat, strength, units)]
        of_scores, bias = goal.parts(flat)
        whole = prior.axes @ of_scores + centre
        head = AddedHead(task, whole, bias - goal.expanded(prior.mean @ whole), float(mean), float(scale))
        if task.anchored:
            found = task.anchor(head.outputs(latents), target, weights)
            head = AddedHead(task, head.weights, head.bias + found, head.mean, head.scale)
        heads.append(head)
    return heads, np.array(evidence)
