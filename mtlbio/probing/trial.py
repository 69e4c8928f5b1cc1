"""What the trial is about: held-out latents with the labels and covariates of their samples."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import ClassVar, TypeVar

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import CovariateInfo
from mtlbio.cohort.family import clusters_of, families_of
from mtlbio.config import TrialOptions
from mtlbio.kinds.vocabulary import DONORS, Vocabulary
from mtlbio.labels import Label
from mtlbio.probing.design import Nuisance, code, complete_cases, freedom, nuisance
from mtlbio.probing.measurement_error import corrected_columns
from mtlbio.probing.units import Units, donor_units, label_units

AnyTrial = TypeVar("AnyTrial", bound="Trial")


@dataclass(frozen=True)
class Trial:
    """Evidence and options.

    Attributes
    ----------
    z : (samples, D) out-of-fold latents
    dims : (D,) names
    block : (D,) ``axis`` or ``supervised``
    obs : samples x (donor, tasks, covariates; families where they are known)
    inseparable : pairs of names that the audit could not tell apart
    trained_for : dimension -> the task that a supervised dimension was trained to rise with
    within : continuous confounders that vary within donors and are tested there
    uneven : outcome -> what of its recruitment goes with it (:func:`mtlbio.probing.uneven.uneven`)
    one_order : outcomes in whose states donors were seen in one order (:func:`mtlbio.probing.uneven.one_order`)
    told : outcomes of which that leaves too little to see (:func:`mtlbio.probing.uneven.told`)
    refused : task -> why nothing can be claimed of it of these latents (:mod:`mtlbio.probing.claims`); it is held fixed
        where another one is tested
    words : of the run, for what is said
    """

    visits: ClassVar[bool] = True  # whether samples of a donor are visits, whose number may go with an outcome

    z: np.ndarray
    dims: tuple[str, ...]
    block: np.ndarray
    obs: pd.DataFrame
    tasks: dict[str, Label]
    covariates: dict[str, CovariateInfo]
    options: TrialOptions = field(default_factory=TrialOptions)
    inseparable: frozenset[frozenset[str]] = frozenset()
    trained_for: dict[str, str] = field(default_factory=dict)
    within: frozenset[str] = frozenset()
    words: Vocabulary = DONORS
    uneven: dict[str, tuple[str, ...]] = field(default_factory=dict)
    one_order: frozenset[str] = frozenset()
    told: frozenset[str] = frozenset()
    refused: dict[str, str] = field(default_factory=dict)

    @classmethod
    def to_come(cls, obs, tasks, covariates, options, words: Vocabulary = DONORS) -> Trial:
        """The trial of samples that have no latents yet: one dimension of nothing."""
        z, block = np.zeros((len(obs), 1)), np.array(["axis"])
        return cls(z, ("z",), block, obs, dict(tasks), dict(covariates), options, words=words)

    @classmethod
    def of_latents(cls, latents, obs, tasks, covariates, options, **more):
        """The trial of ``latents.h5ad``; ``more`` are further fields."""
        block, z = latents.var["block"].to_numpy().astype(str), np.asarray(latents.X, dtype=float)
        return cls(z, tuple(latents.var_names), block, obs, tasks, covariates, options, **more)

    @cached_property
    def donors(self) -> np.ndarray:
        """(samples,) donor."""
        return self.obs["donor"].to_numpy().astype(str)

    @cached_property
    def family(self) -> np.ndarray | None:
        """(samples,) family; None where none are recorded."""
        return families_of(self.obs)

    @cached_property
    def clusters(self) -> np.ndarray:
        """(samples,) what is independent of each other: families where they are known, else donors."""
        return clusters_of(self.obs)

    @property
    def outcomes(self) -> list[str]:
        """Tasks that biology can be about: not themselves something to control for, and not refused."""
        return [name for name in self.labelled if name not in self.refused]

    @property
    def labelled(self) -> list[str]:
        """Tasks that are not themselves something to control for."""
        return [name for name in self.tasks if name not in self.covariates]

    def role(self, role: str) -> list[CovariateInfo]:
        """Covariates of a role."""
        return [c for c in self.covariates.values() if c.role == role]

    @cached_property
    def mask(self) -> np.ndarray:
        """(samples,) samples whose covariates are known."""
        return complete_cases(self.obs, list(self.covariates.values()))

    def separable(self, a: str, b: str) -> bool:
        """Whether the audit lets ``a`` and ``b`` be told apart."""
        return frozenset((a, b)) not in self.inseparable

    def entangled(self, task: str) -> list[str]:
        """Covariates that cannot be told apart from ``task``."""
        return [c for c in self.covariates if c != task and not self.separable(task, c)]

    def labels(self, task: str) -> np.ndarray:
        """(samples,) class codes or values of a task, NaN where missing."""
        return self.tasks[task].y(self.obs[task])

    def task_units(self, task: str) -> Units:
        """Units on which ``task`` is tested."""
        if task not in self._units:
            self._units[task] = self.units_of(task, self.mask)
        return self._units[task]

    def units_of(self, task: str, mask: np.ndarray) -> Units:
        """Units of the label of ``task`` among the samples in ``mask``."""
        return label_units(self.donors, self.labels(task), self.tasks[task].averaged, mask, self.family)

    @cached_property
    def donor_units(self) -> Units:
        """One unit per donor with known covariates."""
        return donor_units(self.donors, self.mask, self.family)

    def adjustment(
        self,
        units: Units,
        covariates=None,
        interactions: bool = False,
        extra=None,
        tested=None,
        beside=None,
        telling: int | None = None,
    ) -> Nuisance:
        """What a test on ``units`` is adjusted for: covariates (all by default); ``extra``: (units, k) more columns.

        ``tested``: (units, k) what is tested, without which no covariate is corrected for the error of its recording;
        ``beside``: (units, k) what else the caller will hold fixed; ``telling``: units with an event, of a time.
        """
        covariates = list(self.covariates.values()) if covariates is None else covariates
        corrected = None
        if tested is not None and any(c.reliability < 1 for c in covariates):
            fixed = [columns for columns in (extra, beside) if columns is not None]
            corrected = partial(corrected_columns, self.obs, covariates, units, tested, fixed)
        df = self.options.spline_df
        return nuisance(self.obs, covariates, units, df, interactions, extra, corrected, telling)

    def coded(self, info: CovariateInfo, n: int, least: int = 5, inside: int | None = None) -> np.ndarray:
        """(samples, k) columns of a covariate, its spline as ``n`` donors (``inside``: or samples) allow."""
        df, df_inside = (freedom(self.options.spline_df, count) for count in (n, n if inside is None else inside))
        return code(self.obs[info.name], info, self.donors, self.mask, df, least, df_inside)[0]

    @cached_property
    def _units(self) -> dict[str, Units]:
        return {}

    def adjusters(self, units: Units, against: str) -> np.ndarray | None:
        """Labels of the outcomes as nuisance columns (units, k) for a test of the covariate ``against``.

        Only outcomes that are labelled in four fifths of the units: a task that is mostly missing must not shrink the
        cohort. A gap gets the mean and an indicator column.
        """
        return self.label_columns(units, [n for n in self.labelled if self.separable(n, against)], least=0.8)

    def label_columns(self, units: Units, names: list[str], least: float = 0.0) -> np.ndarray | None:
        """Labels as nuisance columns (units, k), of tasks that are labelled in ``least`` of the units."""
        columns = []
        for name in names:
            y = self.labels(name)
            gap = np.isnan(y)
            if units.mean((~gap).astype(float)).mean() < least:
                continue
            coded = np.zeros((len(y), 1))
            if len(np.unique(y[~gap])) > 1:
                labelled = self.tasks[name].test_columns(y[~gap])
                coded = np.tile(labelled.mean(axis=0), (len(y), 1))
                coded[~gap] = labelled
            columns += [units.mean(coded), units.mean(gap.astype(float)[:, None])]
        return np.column_stack(columns) if columns else None
