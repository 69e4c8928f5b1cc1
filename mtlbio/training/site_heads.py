"""Heads that know the site: each site's deviations from heads that all sites share.

What differs between hospitals is most often who is sent there: an intercept. Slopes may differ too; a site then leans
more, or less, on what the heads say, those of other tasks included. Both are ridges towards the shared heads (Evgeniou
& Pontil 2004, KDD 109), fitted to samples that the network has not trained on; how far a site may go, nowhere at all
included, is chosen on inner folds of donors, task by task. What comes out is linear in the outputs of training, so
that every site has heads of its own on the same dimensions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch

from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.features import donor_weights
from mtlbio.config.training import Sites
from mtlbio.labels import Label
from mtlbio.training.problem import FoldData, Problem, Targets
from mtlbio.training.stacked_predictors import CrossTaskStack, StackedPredictors, column_means, minimiser

# Variances of sites around what they share, in squared units of an output.
VARIANCES = (0.0, 0.03, 0.1, 0.3, 1.0, 3.0)


@dataclass(frozen=True)
class SiteTask:
    """One task of one network at its n labelled validation samples; o outputs, c columns of the task.

    Attributes
    ----------
    task, expand : the label and its (c, o) of :class:`mtlbio.model.outputs.Outputs`
    outputs, target, weights : (n, o), (n,), (n,) weights that sum to the number of donors
    values : (n, k) standardised columns that slopes may lean on; k is 0 where only intercepts are asked
    site, group : (n,) codes of sites, and of inner folds
    sites : how many sites there are
    """

    task: Label
    expand: np.ndarray
    outputs: np.ndarray
    target: np.ndarray
    weights: np.ndarray
    values: np.ndarray
    site: np.ndarray
    group: np.ndarray
    sites: int

    def fit(self, rows: np.ndarray, intercept: float, slope: float) -> np.ndarray:
        """(sites, 1 + k, c) intercepts and slopes, from the samples ``rows`` (n,), with these variances."""
        k, c = self.values.shape[1], len(self.expand)
        prior = np.concatenate([[intercept], np.full(k, slope)])[None, :, None] * np.ones((self.sites, 1, c))
        free = torch.as_tensor(prior > 0)
        if not free.any():
            return np.zeros(prior.shape)
        pull = torch.as_tensor(0.5 / prior[prior > 0])
        outputs, y, weights = (torch.as_tensor(v[rows]) for v in (self.outputs, self.target, self.weights))
        basis, at = torch.as_tensor(self._basis[rows]), torch.as_tensor(self.site[rows])
        expand = torch.as_tensor(self.expand, dtype=torch.float64)

        def objective(point: torch.Tensor) -> torch.Tensor:
            deviations = torch.zeros(prior.shape, dtype=torch.float64).masked_scatter(free, point)
            moved = outputs + torch.einsum("nk,nkc->nc", basis, deviations[at]) @ expand
            return (self.task.loss(moved, y, weights) * weights).sum() + (pull * point**2).sum()

        found = np.zeros(prior.shape)
        found[prior > 0] = minimiser(objective, np.zeros(int(free.sum())), [(None, None)] * int(free.sum()))
        return found

    def losses(self, rows: np.ndarray, deviations: np.ndarray) -> np.ndarray:
        """Weighted losses of the samples ``rows`` (n,) with deviations (sites, 1 + k, c)."""
        moved = self.outputs + np.einsum("nk,nkc->nc", self._basis, deviations[self.site]) @ self.expand
        outputs, y, weights = (torch.as_tensor(v[rows]) for v in (moved, self.target, self.weights))
        return (self.task.loss(outputs, y, weights) * weights).numpy()

    def chosen(self) -> np.ndarray:
        """(sites, 1 + k, c) with the variances that held-out inner folds speak for: of intercepts, then of slopes.

        The smallest one whose loss is within a standard error of the least (Breiman, Friedman, Olshen & Stone 1984):
        with the least itself, sites that are alike would lose what noise wins.
        """
        groups = [self.group == group for group in np.unique(self.group)]
        if len(groups) < 2:
            return np.zeros((self.sites, 1 + self.values.shape[1], len(self.expand)))

        def held_out(intercept: float, slope: float) -> np.ndarray:
            return np.concatenate([self.losses(out, self.fit(~out, intercept, slope)) for out in groups])

        intercept = _smallest([held_out(variance, 0.0) for variance in VARIANCES])
        slope = 0.0
        if self.values.shape[1]:
            slope = _smallest([held_out(intercept, variance) for variance in VARIANCES])
        return self.fit(np.ones(len(self.target), dtype=bool), intercept, slope)

    @property
    def _basis(self) -> np.ndarray:
        return np.column_stack([np.ones(len(self.values)), self.values])


def _smallest(losses: list[np.ndarray]) -> float:
    """The smallest of ``VARIANCES`` whose losses (n,) are not worse than the least ones beyond their error."""
    best = losses[int(np.argmin([each.sum() for each in losses]))]
    beyond = ((each - best).sum() - np.sqrt(len(best)) * (each - best).std() for each in losses)
    return next(variance for variance, worse in zip(VARIANCES, beyond, strict=True) if worse <= 0)


def levels_of(cohort: Cohort, by: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """(samples,) codes of the levels of a covariate, -1 where it is missing, and what they are called, sorted."""
    code, names = pd.factorize(cohort.obs[by].astype(object), sort=True)
    return code, tuple(map(str, names))


def with_site_heads(
    problem: Problem, stacking: StackedPredictors, cohort: Cohort, folds: list[FoldData], targets: Targets, sites: Sites
) -> StackedPredictors:
    """The predictors of all folds and arms with what is special about each site, where that helps."""
    packing, active = problem.packing, problem.active.cpu().numpy() > 0
    code, names = levels_of(cohort, sites.by)
    outputs, found = stacking.outputs.copy(), {}
    for i, data in enumerate(folds):
        validated = data.train[(data.inner[data.train] >= 0) & (data.inner[data.train] < outputs.shape[2])]
        validated = validated[code[validated] >= 0]
        for j in range(len(active)):
            unseen = stacking.outputs[i, j][data.inner[validated], validated].astype(float)
            columns = unseen @ column_means(packing)
            mean, spread = columns.mean(axis=0), columns.std(axis=0)
            scale = np.where(spread > 0, spread, 1.0)
            values = (columns - mean) / scale
            lean = np.flatnonzero(active[j][packing.task_of_column] & (spread > 0))
            weights = np.zeros((len(names), packing.n_columns, packing.n_columns))
            bias = np.zeros((len(names), packing.n_outputs))
            for t in np.flatnonzero(active[j]).tolist():
                has = targets.labelled[validated, t]
                rows, place, own = validated[has], packing.outputs[t], packing.columns[t]
                if not len(rows):
                    continue
                of_donors = donor_weights(cohort.donors[rows])
                task = SiteTask(
                    packing.tasks[t],
                    packing.expand[own, place].astype(float),
                    unseen[has][:, place],
                    targets.values[i, rows, t].astype(float),
                    of_donors * len(np.unique(cohort.donors[rows])) / of_donors.sum(),
                    values[has][:, lean if sites.heads == "deviations" else []],
                    code[rows],
                    data.inner[rows],
                    len(names),
                )
                chosen = task.chosen()
                bias[:, place] = chosen[:, 0] @ task.expand
                if sites.heads == "deviations":
                    weights[:, lean, own] = chosen[:, 1:]
            one = np.ones(packing.n_outputs)
            found[i, j] = [CrossTaskStack(one, weights[s], mean, scale, bias[s]) for s in range(len(names))]
            for s, site in enumerate(found[i, j]):
                here = np.flatnonzero(code == s)
                outputs[i, j][:, here] = site.apply(outputs[i, j][:, here], packing)
    return replace(stacking, outputs=outputs, sites=found, site_column=sites.by)
