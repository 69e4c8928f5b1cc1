"""Blocks of axes on trial: what holds of a plane although its axes do not come back.

Two programmes that fit the data in any rotation give axes that turn from fold to fold. An axis that was not found again
has no held-out latents of its own, but the space it spans with its partners may have (:mod:`mtlbio.model.blocks`). The
questions are those of a dimension, asked of all directions of the block at once, and every answer is the same for any
choice of axes in it:

- a task: joint test given the covariates, and given the other axes (:mod:`mtlbio.probing.joint`);
- a covariate: joint test, and the share of the direction that follows it most;
- removal: all axes of the block are taken out together (:mod:`mtlbio.probing.ablation`).

A block stands in the place of its axes among the dimensions that p values are adjusted over.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort
from mtlbio.model.blocks import UNSTABLE, Block, find_blocks
from mtlbio.probing.association import by_batch, covariate_design, multiple_correlation, task_design, true_share
from mtlbio.probing.enrichment import best_set, enrichment
from mtlbio.probing.examinee import Examinee
from mtlbio.probing.families import adjust_within, linked_rows, of_outcomes, with_blocks
from mtlbio.probing.joint import Joint, joint_test
from mtlbio.probing.leakage import conditioners, in_words, overlap, recruitment_beside, task_rows
from mtlbio.probing.linked import block_links, largest_shares
from mtlbio.probing.replicas import replicas
from mtlbio.probing.shares import block_share, share
from mtlbio.probing.stability import classical_effect, left_out
from mtlbio.probing.trial import Trial
from mtlbio.probing.units import Units

COLUMNS = ["subspace", "question", "variable", "unit", "n", "n_donors", "effect", "ci_low", "ci_high", "share", "peak"]
COLUMNS += ["statistic", "df", "df_error", "p_wald", "p_permutation", "p", "q", "called", "p_familywise", "evidence"]
COLUMNS += ["evidence_needed", "given", "p_given", "own", "firm", "sign_stable", "worst_left_out", "technical"]


@dataclass(frozen=True)
class Subspace:
    """A block by the ``places`` of its axes among all dimensions and their names ``dims``, and how the folds agree."""

    places: tuple[int, ...]
    dims: tuple[str, ...]
    block: Block

    @property
    def name(self) -> str:
        """z07+z09."""
        return "+".join(self.dims)


@dataclass(frozen=True)
class Genes:
    """What gene sets are looked up in: the cohort, loadings (D, genes) of ``names``, and the sets."""

    cohort: Cohort
    loadings: np.ndarray
    names: np.ndarray
    sets: dict[str, list[str]]


def subspaces(trial: Trial, examinee: Examinee, stability: np.ndarray) -> list[Subspace]:
    """Blocks of unstable axes, stable as a block or not; nothing is encoded where all axes are stable.

    ``examinee``: with a final model, to which the folds' blocks are rotated; ``stability``: (D,) of the dimensions.
    """
    axes = np.flatnonzero(trial.block == "axis")
    if not (stability[axes] < UNSTABLE).any():
        return []
    blocks = find_blocks(replicas(examinee, trial.clusters, trial.block == "axis"), stability[axes])
    places = [tuple(int(axes[d]) for d in block.dims) for block in blocks]
    return [Subspace(p, tuple(trial.dims[d] for d in p), b) for p, b in zip(places, blocks, strict=True)]


def outside(blocks: list[Subspace], association: pd.DataFrame) -> pd.DataFrame:
    """Associations of the dimensions that are in no block that was found again."""
    return association[~association["dim"].isin([d for item in blocks if item.block.stable for d in item.dims])]


def subspace_tests(trial: Trial, blocks: list[Subspace], association: pd.DataFrame, genes: Genes | None = None):
    """Every question of every block that was found again, long form with the columns ``COLUMNS``.

    Returns
    -------
    tests : ``effect``: multiple correlation R, 0-1, with the interval of the non-central F; ``share``: of the block's
        variance, ``peak``: of its best direction (tasks: of the direction that follows the task, and ``technical``: the
        share of all technical covariates in that direction). ``q`` is BH over the blocks and the dimensions outside
        them, ``p_familywise`` that of the block in their family, as are the columns ``evidence``
        (:mod:`mtlbio.probing.linked`)
    sets : subspace -> gene set that names the direction that follows its most closely linked outcome
    """
    stable = [item for item in blocks if item.block.stable]
    rows: list[dict] = []
    for number, item in enumerate(stable):
        rows += _questions(trial, item, trial.options.seed * 1000 + 700 + number)
    if not rows:
        return pd.DataFrame(columns=COLUMNS), {}
    table = with_blocks(trial, pd.DataFrame(rows, columns=[*COLUMNS, "direction"]), outside(blocks, association))
    table = _linked(trial, stable, table, association)
    for item in stable:
        _beside_others(trial, item, table, association)
    table["firm"] = _firm(trial, table)
    table["own"] = table["own"] | table["firm"]
    return table[COLUMNS], _named(trial, stable, table, genes)


def _questions(trial: Trial, item: Subspace, seed: int) -> Iterator[dict]:
    """Rows of one block, without what needs the other blocks; ``direction``: (k,) that follows the variable most."""
    permutations, latents = trial.options.permutations, item.block.latents
    for name in trial.tasks:
        yield _task(trial, item, name, "task", seed)
        if name in trial.outcomes and trial.entangled(name):
            yield _task(trial, item, name, "joint", seed)
    for info in trial.covariates.values():
        units, adjustment, columns, categorical = covariate_design(trial, info.name, info.role)
        z = units.mean(latents)
        mean, peak = block_share(z, columns, categorical, adjustment, units)
        wider = by_batch(trial, info.name, units, columns) if info.role == "confounder" else None
        if wider is not None:
            columns, (also, best) = wider, block_share(z, wider, False, adjustment, units)
            mean, peak = np.fmax(mean, also), np.fmax(peak, best)
        mean, peak = true_share(trial, info.name, mean), true_share(trial, info.name, peak)
        joint = joint_test(columns, adjustment, units, z, permutations, seed)
        yield _row(item, info.role, info.name, units, joint, share=mean, peak=peak)
    if trial.role("technical"):
        units, adjustment, columns, categorical = covariate_design(trial, "technical", "technical_all")
        mean, peak = block_share(units.mean(latents), columns, categorical, adjustment, units)
        yield _row(item, "technical_all", "technical", units, share=mean, peak=peak)


def _task(trial: Trial, item: Subspace, name: str, question: str, seed: int) -> dict:
    units = trial.task_units(name)
    if not units.testable(6):
        return _row(item, question, name, units)
    without = tuple(trial.entangled(name)) if question == "joint" else ()
    units, adjustment, columns = task_design(trial, name, without, units=units)
    z = units.mean(item.block.latents)
    joint = joint_test(columns, adjustment, units, z, trial.options.permutations, seed)
    row = _row(item, question, name, units, joint)
    if np.isnan(joint.f):
        return row
    # R of the label with the block: the several columns of a multi-class label have their interval in the same way
    row["effect"], row["ci_low"], row["ci_high"] = multiple_correlation(joint.f, joint.df, joint.df_error)
    row["share"], _ = block_share(z, columns, False, adjustment, units)
    row["peak"] = share(z @ joint.direction[:, None], columns, False, adjustment, units)[0]
    if question == "task" and name in trial.outcomes:
        row["sign_stable"], row["worst_left_out"] = _sign(trial, item, name)
        if trial.role("technical"):
            units, adjustment, columns, categorical = covariate_design(trial, "technical", "technical_all")
            along = units.mean(item.block.latents @ joint.direction[:, None])
            row["technical"] = share(along, columns, categorical, adjustment, units)[0]
    return row


def _row(item: Subspace, question: str, name: str, units: Units, joint: Joint | None = None, **more) -> dict:
    row = {"subspace": item.name, "question": question, "variable": name, "unit": units.kind, "n": len(units)}
    row |= {"n_donors": units.donors, "given": "nobody", "own": False, "firm": False}
    row |= {"sign_stable": True, "worst_left_out": "nothing"}
    if joint is not None:
        row |= {"statistic": joint.f, "df": joint.df, "p": joint.p, "direction": joint.direction}
        row |= {"p_wald": joint.p_wald, "p_permutation": joint.p_permutation}
    return row | more


def _sign(trial: Trial, item: Subspace, task: str) -> tuple[bool, str]:
    """Whether the effect keeps its direction when a batch or site is left out, and the level that pulls most."""
    base = classical_effect(trial, task, trial.task_units(task), item.block.latents)
    if base is None:
        return True, "nothing"
    inward = {}
    for name, units in left_out(trial, task):
        partial = classical_effect(trial, task, units, item.block.latents)
        if partial is not None and partial[0].shape == base[0].shape:
            # the latents have variance 1 in every direction, so this product is the same for any axes
            inward[name] = float((partial[0] * base[0]).sum())
    worst = min(inward, key=lambda level: inward[level], default="nothing")
    return all(value > 0 for value in inward.values()), worst


def _linked(trial: Trial, stable: list[Subspace], table: pd.DataFrame, association: pd.DataFrame) -> pd.DataFrame:
    """``p_familywise`` and the evidence of every block, in its rows of outcomes; a link at both levels is called."""
    inside = [place for item in stable for place in item.places]
    latents = [item.block.latents for item in stable]
    found = block_links(trial, largest_shares(trial, association), inside, latents)
    outcomes = of_outcomes(table, trial.outcomes)
    for number, item in enumerate(stable):
        own = outcomes & (table["subspace"] == item.name)
        table.loc[own, ["p_familywise", "evidence_needed"]] = found.p[number], found.needed[number]
        table.loc[own, "evidence"] = table.loc[own, "variable"].map(found.evidence.iloc[number])
    linked = linked_rows(table, trial.options.alpha)
    return table.assign(called=table["called"] | linked)


def _firm(trial: Trial, table: pd.DataFrame) -> pd.Series:
    """Of a block that is linked family-wise the outcomes that it keeps given the others, as of a dimension."""
    linked = linked_rows(table, trial.options.alpha)
    both = np.fmax(table["p"], table["p_given"].astype(float).fillna(1.0)).where(linked)
    return adjust_within(both, table["subspace"], len(trial.outcomes)) <= trial.options.alpha


def _beside_others(trial: Trial, item: Subspace, table: pd.DataFrame, association: pd.DataFrame) -> None:
    """Fill ``given``, ``p_given`` and ``own`` of the called task effects of one block.

    Held fixed are axes outside the block that carry the task more strongly (smaller p), and axes that a covariate
    dominates; not those that share half of their variance with the block. A direction that is borrowed is not its own.
    """
    shares = largest_shares(trial, association)
    rows = (table["subspace"] == item.name) & table["called"] & of_outcomes(table, trial.outcomes)
    for index in table.index[rows]:
        name, p = table.at[index, "variable"], table.at[index, "p"]
        units, axes = trial.task_units(name), task_rows(trial, association, name)
        z = units.mean(item.block.latents)
        stronger = -axes["p"].where(axes["called"].astype(bool) & (axes["p"] < p)).to_numpy(dtype=float)
        rivals = conditioners(trial, item.places, overlap(z, units.mean(trial.z)), stronger, shares, units.clusters)
        if rivals:
            p = _p_given(trial, name, trial.z[:, rivals], z)
        for held in recruitment_beside(trial, name, rivals):
            p = max(p, np.nan_to_num(_p_given(trial, name, held, z), nan=1.0))
        table.at[index, "given"], table.at[index, "p_given"] = in_words(trial, rivals), p
        table.at[index, "own"] = bool(p <= trial.options.alpha)


def _p_given(trial: Trial, task: str, held: np.ndarray, z: np.ndarray) -> float:
    """p of the joint test of ``z`` (units, k) where ``held`` (samples, j) is held fixed; NaN where nothing is left."""
    units, adjustment, columns = task_design(trial, task, extra=held)
    seed = trial.options.seed * 1000 + 900
    return joint_test(columns, adjustment, units, z, trial.options.permutations, seed).p


def _named(trial: Trial, stable: list[Subspace], table: pd.DataFrame, genes: Genes | None) -> dict[str, str]:
    """Gene set of the direction that follows the block's most closely linked outcome."""
    linked = table[table["called"] & of_outcomes(table, trial.outcomes)].sort_values("p", kind="stable")
    linked = linked.drop_duplicates("subspace").set_index("subspace")
    chosen = [item for item in stable if item.name in linked.index]
    if genes is None or not genes.sets or not chosen:
        return {}
    latents, loadings = [], []
    for item in chosen:
        w = linked.at[item.name, "direction"]
        latents.append(item.block.latents @ w)
        # expression = axes @ loadings = coordinates @ inverse(whitening) @ loadings
        coordinates = np.linalg.solve(item.block.whitening, genes.loadings[list(item.places)])
        loadings.append(w @ coordinates / (w @ w))
    names = tuple(item.name for item in chosen)
    along = replace(trial, z=np.column_stack(latents), dims=names, block=np.array(["axis"] * len(names)))
    sets = enrichment(along, genes.cohort, np.stack(loadings), genes.names, genes.sets)
    best = {name: best_set(sets[sets["dim"] == name]) for name in names}
    return {name: gene_set for name, gene_set in best.items() if gene_set is not None}
