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

from mtlbio.probing.design import orthonormal
from mtlbio.probing.families import FIRM, firm, of_outcomes
from mtlbio.probing.outcome_tests import OutcomeTest, models
from mtlbio.probing.trial import Trial

TWIN = 0.5  # squared correlation from which two axes count as the same programme


@dataclass(frozen=True)
class Links:
    """What the family says of m dimensions (or blocks); NaN of those outside it.

    Attributes
    ----------
    p : (m,) family-wise
    evidence : (m, outcomes) -log p of every outcome, as it was asked last: given what had been found by then; of
        several models the smaller
    needed : (m,) sum of evidence that is firm: what the largest of the dimensions still in the race exceeds by chance
        in ``FIRM`` x ``probe.alpha`` of the flips; of several models by the one that is harder to satisfy
    """

    p: np.ndarray
    evidence: pd.DataFrame
    needed: np.ndarray


def with_links(trial: Trial, association: pd.DataFrame) -> pd.DataFrame:
    """The associations with ``p_familywise``, ``evidence`` and ``evidence_needed`` in the rows of outcomes: the first
    and the last are those of the dimension."""
    found, rows = links(trial, largest_shares(trial, association)), of_outcomes(association, trial.outcomes)
    table = association.copy()
    for column, values in (("p_familywise", found.p), ("evidence_needed", found.needed)):
        table[column] = table["dim"].map(pd.Series(values, trial.dims)).where(rows)
    for task, values in found.evidence.set_axis(list(trial.dims)).items():
        own = rows & (table["variable"] == task)
        table.loc[own, "evidence"] = table.loc[own, "dim"].map(values)
    return table


def largest_shares(trial: Trial, association: pd.DataFrame) -> np.ndarray:
    """(D,) largest share of any covariate in every dimension."""
    covariates = association[association["question"].isin(["confounder", "technical"])]
    return covariates.groupby("dim")["share"].max().reindex(trial.dims).fillna(0.0).to_numpy()


def links(trial: Trial, shares: np.ndarray) -> Links:
    """Of every dimension of the trial.

    ``shares``: (D,) largest share of any covariate. The rest is asked given what is firm
    (:func:`mtlbio.probing.families.firm`).
    """
    family = np.flatnonzero(shares < trial.options.share_dominant).tolist()
    found = _search(trial, models(trial), [(d,) for d in family], trial.block[family] == "axis")
    p, needed = np.full(len(trial.dims), np.nan), np.full(len(trial.dims), np.nan)
    p[family], needed[family] = found.p, found.needed
    evidence = found.evidence.set_axis(family).reindex(range(len(trial.dims)))
    return Links(p, evidence, needed)


def linked_p(trial: Trial, shares: np.ndarray) -> np.ndarray:
    """(D,) family-wise p of every dimension of the family; NaN outside it. Arguments as of :func:`links`."""
    return links(trial, shares).p


def block_links(trial: Trial, shares: np.ndarray, inside: list[int], latents: list[np.ndarray]) -> Links:
    """Of blocks of axes, which stand in the family in the place of their axes.

    Parameters
    ----------
    inside : places of the dimensions that are in a block
    latents : (samples, k) of every block
    """
    family = [d for d in np.flatnonzero(shares < trial.options.share_dominant).tolist() if d not in set(inside)]
    starts = len(trial.dims) + np.cumsum([0, *(block.shape[1] for block in latents)])
    blocks = [tuple(range(start, end)) for start, end in zip(starts[:-1], starts[1:], strict=True)]
    wider = replace(trial, z=np.column_stack([trial.z, *latents]))
    axes = np.concatenate([np.ones(len(blocks), dtype=bool), trial.block[family] == "axis"])
    found = _search(wider, models(wider), [*blocks, *((d,) for d in family)], axes)
    m = len(blocks)
    return Links(found.p[:m], found.evidence.iloc[:m], found.needed[:m])


def _search(trial: Trial, models: list[list[OutcomeTest]], items: list[tuple[int, ...]], axes: np.ndarray) -> Links:
    """The strongest first, the others given it: ``items`` are places of the latents, several of a block.

    Of several models every one is asked against its own flips, given the same dimensions, and the largest p counts: a
    link is refuted by any of them (an intersection-union test: Berger 1982, Technometrics 24:295). The strongest is the
    one whose least surplus over chance is largest.

    ``axes``: (m,) whether the others are asked given it where it is found: a supervised dimension is a trained
    combination of everything.
    """
    names = [test.task for test in models[0]]
    p, needed = np.full(len(items), np.nan), np.full(len(items), np.nan)
    evidence = np.full((len(items), len(names)), np.nan)
    left, least = list(range(len(items))), 0.0
    found: list[int] = []
    twins = _twins(trial.z, items)
    while left and names:
        stages = [_stage(*_summed(tests, items, left, found, twins), trial.options.alpha) for tests in models]
        surplus = np.stack([stage.total - (stage.needed - stages[0].needed) for stage in stages])
        order = np.argsort(-surplus.min(axis=0), kind="stable")
        p_stage = np.max([step_down(stage.total, stage.null, order) for stage in stages], axis=0)
        p_stage = np.maximum(p_stage, least)
        evidence[left] = np.min([stage.observed for stage in stages], axis=0)
        needed[left] = _least_sum(stages, surplus.argmin(axis=0), evidence[left])
        strongest = int(order[0])
        if not firm(p_stage[strongest], trial.options.alpha):
            p[left] = p_stage
            break
        item, least = left.pop(strongest), float(p_stage[strongest])
        p[item] = least
        if axes[item]:
            found.append(item)
    return Links(p, pd.DataFrame(evidence, columns=names), needed)


@dataclass(frozen=True)
class _Stage:
    """What one model says of the m items that are left: ``observed`` (m, outcomes), its ``total`` (m,), the ``null``
    (draws, m) of that, and the total that is ``needed``."""

    observed: np.ndarray
    total: np.ndarray
    null: np.ndarray
    needed: float


def _stage(observed: np.ndarray, null: np.ndarray, alpha: float) -> _Stage:
    needed = float(np.quantile(null.max(axis=1), 1 - FIRM * alpha, method="higher"))
    return _Stage(observed, observed.sum(axis=1), null, needed)


def _least_sum(stages: list[_Stage], hardest: np.ndarray, evidence: np.ndarray) -> np.ndarray:
    """(m,) sum of the ``evidence`` (m, outcomes), the smaller of all models, at which the ``hardest`` one (m,) is
    satisfied; NaN where that one says nothing of any outcome."""
    of = np.arange(len(hardest))
    total, needed = np.stack([stage.total for stage in stages]), np.array([stage.needed for stage in stages])
    needed = np.where(needed > 0, needed, np.nan)
    return needed[hardest] + (evidence.sum(axis=1) - total[hardest, of])


def _twins(z: np.ndarray, items: list[tuple[int, ...]]) -> np.ndarray:
    """(m, m) whether two items are the same programme: a direction of one shares ``TWIN`` with one of the other, which
    for two dimensions is their squared correlation."""
    with np.errstate(invalid="ignore"):  # a dimension may be constant
        twins = np.square(np.nan_to_num(np.corrcoef(z, rowvar=False))).reshape(z.shape[1], z.shape[1]) >= TWIN
    first = [item[0] for item in items]
    twins = twins[np.ix_(first, first)]
    blocks = [m for m, item in enumerate(items) if len(item) > 1]
    bases = [orthonormal(z[:, item] - z[:, item].mean(axis=0)) for item in items] if blocks else []
    for block in blocks:
        for other, basis in enumerate(bases):
            shared = np.linalg.svd(bases[block].T @ basis, compute_uv=False)  # canonical correlations
            twins[block, other] = twins[other, block] = np.square(shared).max(initial=0.0) >= TWIN
    return twins


def step_down(observed: np.ndarray, null: np.ndarray, order: np.ndarray | None = None) -> np.ndarray:
    """Step-down max-T p (m,) of statistics (m,) under their joint null (draws, m): Westfall & Young 1993, alg. 2.8.

    ``order``: (m,) in which they are asked, the largest first where it is not given.

    Examples
    --------
    >>> null = np.array([[1.0, 2.0], [3.0, 0.0], [0.0, 1.0]])
    >>> step_down(np.array([2.5, 5.0]), null).tolist()
    [0.5, 0.25]
    """
    order = np.argsort(-observed, kind="stable") if order is None else order
    # the largest of the dimensions that are still in the race, for every draw
    largest = np.maximum.accumulate(null[:, order[::-1]], axis=1)[:, ::-1]
    exceeding = (largest >= observed[order] * (1 - 1e-10)).sum(axis=0)
    p = np.empty(len(observed))
    p[order] = np.maximum.accumulate((1 + exceeding) / (1 + len(null)))
    return p


def _summed(
    tests: list[OutcomeTest], items: list[tuple[int, ...]], left: list[int], found: list[int], twins: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Evidence of the items that are ``left``, each given those of ``found`` that are not the same programme: observed
    by outcome (m, outcomes), and summed over outcomes of flips (draws, m)."""
    draws = tests[0].signs.shape[1]
    observed, null = np.zeros((len(left), len(tests))), np.zeros((draws, len(left)))
    given = [tuple(f for f in found if not twins[item, f]) for item in left]
    for beside in dict.fromkeys(given):
        fixed = [dim for item in beside for dim in items[item]]
        those = [m for m, its in enumerate(given) if its == beside]
        single = [m for m in those if len(items[left[m]]) == 1]
        for column, test in enumerate(tests):
            asked = [(single, test.evidence([items[left[m]][0] for m in single], fixed))] if single else []
            blocks = [m for m in those if m not in single]
            asked += [([m], test.joint_evidence(list(items[left[m]]), fixed)) for m in blocks]
            for places, evidence in asked:
                if evidence is not None:  # what has no test has no evidence, observed or flipped
                    observed[places, column] = np.nan_to_num(evidence[0])
                    null[:, places] += np.nan_to_num(evidence[1])
    return observed, null
