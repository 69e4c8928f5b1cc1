"""Planted cohorts whose axes turn from fold to fold while the space they span stays: the hard case of stability."""

from __future__ import annotations

import numpy as np
from scipy.stats import ortho_group

from benchmarks.calibration.given_axes import GivenAxes, results_of
from benchmarks.calibration.planted import Planted
from mtlbio.model.ensemble import FINAL
from mtlbio.model.matching import match_axes


class TurningAxes(GivenAxes):
    """:class:`GivenAxes` of which some are rotated at random in every fold, then matched to the final model's axes as
    training does it.

    Parameters
    ----------
    plane : places of the axes that turn
    least : smallest angle, in degrees, by which two axes turn; after matching none is turned by more than 45

    Attributes
    ----------
    correlation : (folds, D) of every axis with its partner, on the fold's training donors
    """

    def __init__(self, planted: Planted, fold: np.ndarray, plane: tuple[int, ...], seed: int = 0, least: float = 0.0):
        d, expression = planted.z.shape[1], planted.cohort.expression
        numbers, clusters = np.unique(fold), planted.cohort.clusters
        self.maps = {int(f): np.eye(d) for f in (FINAL, *numbers)}
        self.dims, self.seeds = tuple(f"z{i + 1:02d}" for i in range(d)), 2
        rng = np.random.default_rng([seed, 88])
        size = self.encoded(expression, FINAL)[0].std(axis=0)
        reference, found = self.encoded(expression, FINAL)[0], []
        for f in numbers:
            turn = np.diag(1 / size)
            turn[np.ix_(plane, plane)] = turn[np.ix_(plane, plane)] @ _rotation(len(plane), least, rng)
            self.maps[int(f)] = turn
            train = ~np.isin(clusters, clusters[fold == f])
            matching = match_axes(reference[train], self.encoded(expression, f)[0][train])
            self.maps[int(f)] = turn @ matching.transfer @ np.diag(size)
            found.append(matching.correlation)
        self.correlation = np.stack(found)
        super().__init__(planted, fold)

    def encoded(self, expression: np.ndarray, fold: int) -> np.ndarray:
        """(seeds, m, D) of the rotated axes."""
        return super().encoded(expression, fold) @ self.maps[int(fold)]


def turning_results(planted: Planted, plane: tuple[int, ...], folds: int = 5, seed: int = 0, least: float = 0.0):
    """(latents as ``latents.h5ad``, examinee) of a planted cohort whose axes ``plane`` turn from fold to fold."""
    latents, _ = results_of(planted, folds)
    fold = latents.obs["fold"].to_numpy()
    examinee = TurningAxes(planted, fold, plane, seed, least)
    z = np.empty(latents.shape)
    for f in np.unique(fold):
        z[fold == f] = examinee.latents(f).mean(axis=0)[fold == f]
    latents.X = ((z - z.mean(axis=0)) / z.std(axis=0)).astype(np.float32)
    latents.var["stability"] = np.median(examinee.correlation, axis=0)
    return latents, examinee


def _rotation(k: int, least: float, rng: np.random.Generator) -> np.ndarray:
    if k > 2:
        return ortho_group.rvs(k, random_state=rng)
    angle = np.deg2rad(rng.choice([-1.0, 1.0]) * rng.uniform(least, 45.0))
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
