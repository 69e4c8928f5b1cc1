"""The tests of the outcomes that :mod:`mtlbio.probing.linked` adds up: what counts, what is held fixed, the flips."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd
from scipy import special

from mtlbio.labels import Label
from mtlbio.probing.association import task_design
from mtlbio.probing.design import Nuisance, orthonormal
from mtlbio.probing.families import FIRM
from mtlbio.probing.inference import Contrast
from mtlbio.probing.joint import JointContrast
from mtlbio.probing.trial import Trial
from mtlbio.probing.uneven import uneven_columns
from mtlbio.probing.units import Units

SMALL = 4  # donors of a level from which they flip one by one
_LEAST_P = 1e-300
_CHUNK = 2_000_000  # numbers per block of flips of a joint test
_DRAWS = 4  # flips beyond the level that has to be reached, at least, whatever ``probe.permutations`` says

Evidences = tuple[np.ndarray, np.ndarray]  # observed, and of every flip


@dataclass(frozen=True)
class OutcomeTest:
    """The test of an outcome.

    Attributes
    ----------
    task, label : the outcome
    columns, nuisance, units : of the label, what is held fixed, what counts
    beside : the nuisance where further columns (units, k) will be held fixed, which may tell more of a covariate that
        is recorded with error
    z : (units, D) latents
    signs : (clusters of the outcome, draws)
    recruitment : (units, k) what of its recruitment is held fixed too; k is 0 of most
    """

    task: str
    label: Label
    columns: np.ndarray
    nuisance: Nuisance
    beside: Callable[[np.ndarray], Nuisance]
    units: Units
    z: np.ndarray
    signs: np.ndarray
    recruitment: np.ndarray

    def evidence(self, dims: list[int], given: list[int]) -> Evidences | None:
        """-log p of ``dims`` given other dimensions: observed (m,) and flipped (draws, m). None: too few units, or
        nothing is left of the label."""
        return self._single(dims, self._beside(given))

    def joint_evidence(self, block: list[int], given: list[int]) -> Evidences | None:
        """The same of the joint test of all dimensions of a block: observed (1,) and flipped (draws, 1)."""
        return self._joint(block, self._beside(given))

    def _beside(self, given: list[int]) -> Nuisance:
        """The nuisance with other dimensions, and what of the recruitment is held fixed."""
        columns = np.column_stack([self.z[:, given], self.recruitment])
        if not columns.shape[1]:
            return self.nuisance
        nuisance = self.beside(columns)
        return replace(nuisance, basis=orthonormal(np.column_stack([nuisance.basis, self.units.centre(columns)])))

    def _columns(self, nuisance: Nuisance) -> np.ndarray:
        """(units, k) the label's, given what is held fixed."""
        if nuisance is self.nuisance:
            return self.columns
        return self.label.test_columns_given(self.units.y, nuisance.basis)

    def _single(self, dims: list[int], nuisance: Nuisance) -> Evidences | None:
        contrast = Contrast(self._columns(nuisance), nuisance, self.units)
        if not contrast.estimable:
            return None
        residual = contrast.residual_of_nuisance(self.z[:, dims])
        null = np.column_stack([contrast.flipped(column, self.signs) for column in residual.T])
        freedom = contrast.df, contrast.df_error
        return _minus_log_p(contrast.statistic(residual), *freedom), _minus_log_p(null, *freedom)

    def _joint(self, block: list[int], nuisance: Nuisance) -> Evidences | None:
        contrast = JointContrast(self._columns(nuisance), nuisance, self.units, len(block))
        if not contrast.estimable:
            return None
        residual = contrast.residual_of_nuisance(self.z[:, block])
        signs = np.column_stack([np.ones(self.units.clusters), self.signs])[self.units.cluster]
        step = max(1, _CHUNK // residual.size)
        parts = [signs[:, start : start + step] for start in range(0, signs.shape[1], step)]
        f = np.concatenate([contrast.joint(part[:, :, None] * residual[:, None, :]) for part in parts])
        found = _minus_log_p(f, contrast.joint_df, contrast.joint_df_error)
        return found[:1], found[1:, None]


def models(trial: Trial) -> list[list[OutcomeTest]]:
    """The tests of the outcomes: as always and, where samples per donor or their order go with an outcome, with these
    held fixed too.

    Whether cases came more often because they were cases, or a visit does something by itself, the cohort does not say;
    a link that stands either way needs no answer. Where they tell the outcome, the second model says nothing of it, and
    its sum is that of the other outcomes.
    """
    tests = outcome_tests(trial)
    columns = [test.units.mean(uneven_columns(trial, test.task)) for test in tests]
    if not any(c.shape[1] for c in columns):
        return [tests]
    return [tests, [replace(test, recruitment=c) for test, c in zip(tests, columns, strict=True)]]


def outcome_tests(trial: Trial) -> list[OutcomeTest]:
    """The test of every outcome that has one; a donor (a family) has the same signs in all of them."""
    people = np.unique(trial.clusters)
    draws = max(trial.options.permutations, int(np.ceil(_DRAWS / (FIRM * trial.options.alpha))))
    rng = np.random.default_rng([trial.options.seed, 9, len(people)])
    signs = rng.choice([-1.0, 1.0], size=(len(people), draws))[flip_together(trial, people)]
    out = []
    for task in trial.outcomes:
        units = trial.task_units(task)
        if not units.testable(6):
            continue
        _, nuisance, columns = task_design(trial, task, units=units)
        beside = partial(_beside, trial, task, units, nuisance)
        # clusters are numbered in the order of their names
        places = np.searchsorted(people, np.unique(trial.clusters[units.mask]))
        nothing = np.zeros((len(units), 0))
        label = trial.tasks[task]
        test = OutcomeTest(task, label, columns, nuisance, beside, units, units.mean(trial.z), signs[places], nothing)
        if Contrast(columns, nuisance, units).estimable:
            out.append(test)
    return out


def _beside(trial: Trial, task: str, units: Units, nuisance: Nuisance, given: np.ndarray) -> Nuisance:
    """The nuisance of an outcome where ``given`` (units, k) will be held fixed too."""
    exact = all(c.reliability == 1 for c in trial.covariates.values())
    return nuisance if exact else task_design(trial, task, units=units, beside=given)[1]


def flip_together(trial: Trial, people: np.ndarray) -> np.ndarray:
    """(people,) the donor (family) whose signs a donor takes: the first of its level of two or three, else itself.

    Of several covariates with such levels the one that has most of them.
    """
    groups, most = np.arange(len(people)), 0
    place = np.searchsorted(people, trial.clusters)
    for info in trial.covariates.values():
        if info.kind != "categorical":
            continue
        levels = pd.DataFrame({"donor": place, "level": trial.obs[info.name].to_numpy()})[trial.mask].drop_duplicates()
        levels = levels[~levels["donor"].duplicated(keep=False)]  # who is in several levels flips alone
        small = levels[levels.groupby("level")["donor"].transform("size").between(2, SMALL - 1)]
        if small["level"].nunique() > most:
            groups, most = np.arange(len(people)), small["level"].nunique()
            groups[small["donor"]] = small.groupby("level")["donor"].transform("min")
    return groups


def _minus_log_p(f: np.ndarray, df: float, df_error: float) -> np.ndarray:
    return -np.log(np.maximum(special.fdtrc(df, df_error, f), _LEAST_P))
