"""Which dimensions are linked with *any* outcome, at one error rate for the whole trial.

The family are the dimensions that no covariate dominates: the others cannot become biology, whatever their p. Of a
dimension the evidence against every outcome's null is added up, ``sum over outcomes of -log p`` (Fisher 1925) with p of
the HC3 (or donor-clustered) F, so that a programme that moves disease a little and response a little counts as both.

Its distribution under the null comes from flipping the signs of whole donors' residuals given the covariates, of whole
families' where they are known (the restricted wild bootstrap: Wu 1986, Ann. Stat. 14:1261; Cameron, Gelbach & Miller
2008). The same flips serve all dimensions and outcomes, so what they have in common is kept, and the largest sum of a
flip is what chance alone can do anywhere (Westfall & Young 1993). Flips, not exchanges: classes of a disease may differ
in variance. Donors of a level of two or three (a matched pair, a small plate) flip together: what the level leaves of a
pair is one number and its mirror image, and where each flips for itself, half of the pairs vanish (8 % of null cohorts
held a false biology).

The strongest dimension comes first. Where it is found, the others are asked again *given it*, and so on until nothing
is found: an axis that holds a trace of a neighbour's programme is linked with everything the neighbour is linked with,
and with donors enough any trace is significant. docs/evidence.md compares this with six other rules.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import special

from mtlbio.probing.association import task_design
from mtlbio.probing.design import Nuisance, orthonormal
from mtlbio.probing.families import FIRM, firm, of_outcomes
from mtlbio.probing.inference import Contrast
from mtlbio.probing.recruitment import uneven_columns
from mtlbio.probing.trial import Trial
from mtlbio.probing.units import Units

TWIN = 0.5  # squared correlation from which two axes count as the same programme
SMALL = 4  # donors of a level from which they flip one by one
_LEAST_P = 1e-300
_DRAWS = 4  # flips beyond the level that has to be reached, at least, whatever ``probe.permutations`` says


@dataclass(frozen=True)
class OutcomeTest:
    """The test of an outcome.

    Attributes
    ----------
    columns, nuisance, units : of the label, what is held fixed, what counts
    z : (units, D) latents
    signs : (clusters of the outcome, draws)
    uneven : (units, k) what of its recruitment goes with the outcome; k is 0 of most
    """

    columns: np.ndarray
    nuisance: Nuisance
    units: Units
    z: np.ndarray
    signs: np.ndarray
    uneven: np.ndarray

    def evidence(self, dims: list[int], given: list[int]) -> tuple[np.ndarray, np.ndarray] | None:
        """-log p of ``dims`` given other dimensions: observed (m,) and flipped (draws, m). None: too few units.

        Where samples per donor, or their order, go with the outcome, the smaller one of two: without and with them
        held fixed. Whether cases came more often because they were cases, or a visit does something by itself, the
        cohort does not say; a link that stands either way needs no answer.
        """
        found = self._evidence(dims, self._beside(self.z[:, given]))
        if found is None or not self.uneven.shape[1]:
            return found
        fixed = self._evidence(dims, self._beside(np.column_stack([self.z[:, given], self.uneven])))
        # who came how often tells the outcome: nothing is left to see, observed or flipped
        fixed = (0.0 * found[0], 0.0 * found[1]) if fixed is None else fixed
        return np.fmin(found[0], fixed[0]), np.fmin(found[1], fixed[1])

    def _beside(self, columns: np.ndarray) -> Nuisance:
        """The nuisance with more columns (units, k)."""
        if not columns.shape[1]:
            return self.nuisance
        basis = np.column_stack([self.nuisance.basis, self.units.centre(columns)])
        return replace(self.nuisance, basis=orthonormal(basis))

    def _evidence(self, dims: list[int], nuisance: Nuisance) -> tuple[np.ndarray, np.ndarray] | None:
        contrast = Contrast(self.columns, nuisance, self.units)
        if not contrast.estimable:
            return None
        residual = contrast.residual_of_nuisance(self.z[:, dims])
        null = np.column_stack([contrast.flipped(column, self.signs) for column in residual.T])
        return _minus_log_p(contrast.statistic(residual), contrast), _minus_log_p(null, contrast)


def with_links(trial: Trial, association: pd.DataFrame) -> pd.DataFrame:
    """The associations with ``p_familywise``: that of a dimension, in its rows of all outcomes."""
    p = pd.Series(linked_p(trial, largest_shares(trial, association)), trial.dims)
    return association.assign(p_familywise=association["dim"].map(p).where(of_outcomes(association, trial.outcomes)))


def largest_shares(trial: Trial, association: pd.DataFrame) -> np.ndarray:
    """(D,) largest share of any covariate in every dimension."""
    covariates = association[association["question"].isin(["confounder", "technical"])]
    return covariates.groupby("dim")["share"].max().reindex(trial.dims).fillna(0.0).to_numpy()


def linked_p(trial: Trial, shares: np.ndarray) -> np.ndarray:
    """(D,) family-wise p of every dimension of the family; NaN outside it.

    ``shares``: (D,) largest share of any covariate. The rest is asked given what is firm
    (:func:`mtlbio.probing.families.firm`).
    """
    p = np.full(len(trial.dims), np.nan)
    left = np.flatnonzero(shares < trial.options.share_dominant).tolist()
    tests = outcome_tests(trial)
    with np.errstate(invalid="ignore"):  # a dimension may be constant
        twins = np.square(np.nan_to_num(np.corrcoef(trial.z, rowvar=False))).reshape(len(p), len(p)) >= TWIN
    found: list[int] = []
    least = 0.0
    while left and tests:
        observed, null = _summed(tests, left, found, twins)
        stage = np.maximum(step_down(observed, null), least)
        strongest = int(observed.argmax())
        if not firm(stage[strongest], trial.options.alpha):
            p[left] = stage
            break
        dim, least = left.pop(strongest), float(stage[strongest])
        p[dim] = least
        if trial.block[dim] == "axis":  # a supervised dimension is a trained combination of everything
            found.append(dim)
    return p


def step_down(observed: np.ndarray, null: np.ndarray) -> np.ndarray:
    """Step-down max-T p (m,) of statistics (m,) under their joint null (draws, m): Westfall & Young 1993, alg. 2.8.

    Examples
    --------
    >>> null = np.array([[1.0, 2.0], [3.0, 0.0], [0.0, 1.0]])
    >>> step_down(np.array([2.5, 5.0]), null).tolist()
    [0.5, 0.25]
    """
    order = np.argsort(-observed, kind="stable")
    # the largest of the dimensions that are still in the race, for every draw
    largest = np.maximum.accumulate(null[:, order[::-1]], axis=1)[:, ::-1]
    exceeding = (largest >= observed[order] * (1 - 1e-10)).sum(axis=0)
    p = np.empty(len(observed))
    p[order] = np.maximum.accumulate((1 + exceeding) / (1 + len(null)))
    return p


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
        # clusters are numbered in the order of their names
        places = np.searchsorted(people, np.unique(trial.clusters[units.mask]))
        uneven = units.mean(uneven_columns(trial, task))
        test = OutcomeTest(columns, nuisance, units, units.mean(trial.z), signs[places], uneven)
        if Contrast(columns, nuisance, units).estimable:
            out.append(test)
    return out


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


def _summed(
    tests: list[OutcomeTest], dims: list[int], found: list[int], twins: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Evidence of ``dims`` over all outcomes, each given those of ``found`` that are not the same programme: observed
    (m,) and flipped (draws, m)."""
    draws = tests[0].signs.shape[1]
    observed, null = np.zeros(len(dims)), np.zeros((draws, len(dims)))
    given = [tuple(f for f in found if not twins[d, f]) for d in dims]
    for beside in dict.fromkeys(given):
        places = [m for m, those in enumerate(given) if those == beside]
        for test in tests:
            evidence = test.evidence([dims[m] for m in places], list(beside))
            if evidence is not None:  # a dimension without a test has no evidence, observed or flipped
                observed[places] += np.nan_to_num(evidence[0])
                null[:, places] += np.nan_to_num(evidence[1])
    return observed, null


def _minus_log_p(f: np.ndarray, contrast: Contrast) -> np.ndarray:
    return -np.log(np.maximum(special.fdtrc(contrast.df, contrast.df_error, f), _LEAST_P))
