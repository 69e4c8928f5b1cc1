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

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort
from mtlbio.model.blocks import UNSTABLE, Block, find_blocks
from mtlbio.probing.association import by_batch, covariate_design, effects, task_design
from mtlbio.probing.enrichment import best_set, enrichment
from mtlbio.probing.examinee import Examinee
from mtlbio.probing.families import with_blocks
from mtlbio.probing.inference import Contrast, Wald
from mtlbio.probing.joint import Joint, joint_test
from mtlbio.probing.leakage import TWIN, largest_shares
from mtlbio.probing.replicas import replicas
from mtlbio.probing.shares import block_share, share
from mtlbio.probing.stability import LEAST, left_out
from mtlbio.probing.trial import Trial
from mtlbio.probing.units import Units

COLUMNS = ["subspace", "question", "variable", "unit", "n", "n_donors", "effect", "ci_low", "ci_high", "share", "peak"]
COLUMNS += ["statistic", "df", "p_wald", "p_permutation", "p", "q", "called", "p_familywise"]
COLUMNS += ["given", "p_given", "own", "sign_stable", "worst_left_out", "technical"]


@dataclass(frozen=True)
class Subspace:
    """A block by the names of its axes.

    Attributes
    ----------
    places : of its axes among all dimensions; ``dims``: their names
    block : how the folds agree on it
    """

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

    Parameters
    ----------
    examinee : with a final model, to which the folds' blocks are rotated
    stability : (D,) of the dimensions
    """
    axes = np.flatnonzero(trial.block == "axis")
    if not (stability[axes] < UNSTABLE).any():
        return []
    found = replicas(examinee, trial.donors, trial.block == "axis")
    blocks = find_blocks(found, stability[axes])
    places = [tuple(int(axes[d]) for d in block.dims) for block in blocks]
    return [Subspace(p, tuple(trial.dims[d] for d in p), b) for p, b in zip(places, blocks, strict=True)]


def subspace_tests(trial: Trial, found: list[Subspace], association: pd.DataFrame, genes: Genes | None = None):
    """Every question of every block that was found again, long form with the columns ``COLUMNS``.

    Returns
    -------
    tests : ``effect``: multiple correlation R, 0-1, with the interval of the non-central F; ``share``: of the block's
        variance, ``peak``: of its best direction (tasks: of the direction that follows the task, and ``technical``: the
        share of all technical covariates in that direction). ``q`` is BH over the blocks and the dimensions outside
        them, ``p_familywise`` Holm over the same and all outcomes
    sets : subspace -> gene set that names the direction that follows its most closely linked outcome
    """
    stable = [s for s in found if s.block.stable]
    rows, directions = [], {}
    for number, item in enumerate(stable):
        for row, direction in _questions(trial, item, trial.options.seed * 1000 + 700 + number):
            rows.append(row)
            directions[item.name, row["question"], row["variable"]] = direction
    table = pd.DataFrame(rows, columns=COLUMNS)
    if table.empty:
        return table, {}
    table = with_blocks(trial, table, association[~association["dim"].isin([d for s in stable for d in s.dims])])
    for item in stable:
        _beside_others(trial, item, table, association)
    return table, _named(trial, stable, table, directions, genes)


def _questions(trial: Trial, item: Subspace, seed: int):
    """(row, direction) of every question of one block, without what needs the other blocks."""
    for name in trial.tasks:
        yield _task(trial, item, name, "task", seed)
        if name in trial.outcomes and trial.entangled(name):
            yield _task(trial, item, name, "joint", seed)
    for info in trial.covariates.values():
        units, given, columns, categorical = covariate_design(trial, info.name, info.role)
        z = units.mean(item.block.latents)
        mean, peak = block_share(z, columns, categorical, given, units)
        wider = by_batch(trial, info.name, units, columns) if info.role == "confounder" else None
        if wider is not None:
            columns, (also, best) = wider, block_share(z, wider, False, given, units)
            mean, peak = np.fmax(mean, also), np.fmax(peak, best)
        joint = joint_test(columns, given, units, z, trial.options.permutations, seed)
        yield _row(item, info.role, info.name, units, joint) | {"share": mean, "peak": peak}, joint.direction
    if trial.role("technical"):
        units, given, columns, categorical = covariate_design(trial, "technical", "technical_all")
        mean, peak = block_share(units.mean(item.block.latents), columns, categorical, given, units)
        yield _row(item, "technical_all", "technical", units, None) | {"share": mean, "peak": peak}, None


def _task(trial: Trial, item: Subspace, name: str, question: str, seed: int) -> tuple[dict, np.ndarray | None]:
    units = trial.task_units(name)
    if len(units) < 6 or len(np.unique(units.y)) < 2:
        return _row(item, question, name, units, None), None
    without = tuple(trial.entangled(name)) if question == "joint" else ()
    units, given, columns = task_design(trial, name, without, units=units)
    z = units.mean(item.block.latents)
    joint = joint_test(columns, given, units, z, trial.options.permutations, seed)
    row = _row(item, question, name, units, joint)
    if np.isnan(joint.f):
        return row, None
    # R of the label with the block: the several columns of a multi-class label have their interval in the same way
    gap = np.full((2, 1), np.nan)
    wald = Wald(gap, gap, np.array([joint.f]), joint.df, joint.df_error, np.array([joint.p_wald]))
    effect, low, high = effects(wald, z[:, :1])
    along = z @ joint.direction
    row |= {"effect": effect[0], "ci_low": low[0], "ci_high": high[0]}
    row["share"], _ = block_share(z, columns, False, given, units)
    row["peak"] = share(along[:, None], columns, False, given, units)[0]
    if question == "task" and name in trial.outcomes:
        row["sign_stable"], row["worst_left_out"] = _sign(trial, item, name)
        row["technical"] = _technical(trial, item, joint.direction)
    return row, joint.direction


def _row(item: Subspace, question: str, name: str, units: Units, joint: Joint | None) -> dict:
    row = dict.fromkeys(COLUMNS, np.nan) | {"subspace": item.name, "question": question, "variable": name}
    row |= {"unit": units.kind, "n": len(units), "n_donors": units.donors, "given": "nobody", "own": False}
    row |= {"sign_stable": True, "worst_left_out": "nothing", "called": False}
    if joint is not None:
        row |= {"statistic": joint.f, "df": joint.df, "p": joint.p}
        row |= {"p_wald": joint.p_wald, "p_permutation": joint.p_permutation}
    return row


def _technical(trial: Trial, item: Subspace, direction: np.ndarray) -> float:
    """Share of all technical covariates together in one direction of the block."""
    if not trial.role("technical"):
        return float("nan")
    units, given, columns, categorical = covariate_design(trial, "technical", "technical_all")
    return float(share(units.mean(item.block.latents @ direction[:, None]), columns, categorical, given, units)[0])


def _sign(trial: Trial, item: Subspace, task: str) -> tuple[bool, str]:
    """Whether the effect keeps its direction when a batch or site is left out, and the level that pulls most."""

    def effect(units: Units) -> np.ndarray | None:
        if len(units) < LEAST or len(np.unique(units.y)) < 2:
            return None
        units, given, columns = task_design(trial, task, units=units)
        contrast = Contrast(columns, given, units, robust=False)
        if not contrast.estimable or not contrast.full_rank:
            return None
        left = contrast.residual_of_nuisance(units.mean(item.block.latents))
        return contrast.inverse @ (contrast.a.T @ left)

    base = effect(trial.task_units(task))
    if base is None:
        return True, "nothing"
    inward = {}
    for name, level, kept in left_out(trial, task):
        partial = effect(kept)
        if partial is not None and partial.shape == base.shape:
            # the latents have variance 1 in every direction, so this product is the same for any axes
            inward[f"{name} = {level}"] = float((partial * base).sum())
    worst = min(inward, key=lambda level: inward[level], default="nothing")
    return all(value > 0 for value in inward.values()), worst


def _beside_others(trial: Trial, item: Subspace, table: pd.DataFrame, association: pd.DataFrame) -> None:
    """Fill ``given``, ``p_given`` and ``own`` of the called task effects of one block.

    Held fixed are axes outside the block that carry the task more strongly (smaller p), and axes that a covariate
    dominates; not those that share half of their variance with the block. A direction that is borrowed is not its own.
    """
    shares = largest_shares(trial, association)
    rows = (table["subspace"] == item.name) & (table["question"] == "task") & table["called"]
    for index in table.index[rows & table["variable"].isin(trial.outcomes)]:
        name = table.at[index, "variable"]
        units = trial.task_units(name)
        dims, z = units.mean(trial.z), units.mean(item.block.latents)
        basis = np.linalg.qr(z - z.mean(axis=0))[0]
        centred = dims - dims.mean(axis=0)
        twin = np.square(basis.T @ centred).sum(axis=0) / np.maximum(np.square(centred).sum(axis=0), 1e-300)
        allowed = (trial.block == "axis") & (twin < TWIN)
        allowed[list(item.places)] = False
        own = association[(association["question"] == "task") & (association["variable"] == name)]
        own = own.set_index("dim").reindex(trial.dims)
        p = own["p"].fillna(1.0).to_numpy()
        carriers = np.flatnonzero(allowed & own["called"].to_numpy(dtype=bool) & (p < table.at[index, "p"]))
        dominated = np.flatnonzero(allowed & (shares >= trial.options.share_dominant))
        ranked = [*carriers[np.argsort(p[carriers], kind="stable")], *dominated[np.argsort(-twin[dominated])]]
        given = [int(d) for d in dict.fromkeys(ranked)][: max(3, units.donors // 15)]
        p_given = table.at[index, "p"]
        if given:
            units, fixed, columns = task_design(trial, name, extra=trial.z[:, given], units=units)
            seed = trial.options.seed * 1000 + 900
            p_given = joint_test(columns, fixed, units, z, trial.options.permutations, seed).p
        table.at[index, "given"] = ", ".join(trial.dims[d] for d in given) or "nobody"
        table.at[index, "p_given"] = p_given
        table.at[index, "own"] = bool(p_given <= trial.options.alpha)


def _named(trial: Trial, stable: list[Subspace], table: pd.DataFrame, directions: dict, genes: Genes | None):
    """Gene set of the direction that follows the block's most closely linked outcome."""
    if genes is None or not genes.sets:
        return {}
    linked = table[(table["question"] == "task") & table["called"] & table["variable"].isin(trial.outcomes)]
    linked = linked.sort_values("p", kind="stable").drop_duplicates("subspace").set_index("subspace")
    chosen = [s for s in stable if s.name in linked.index]
    if not chosen:
        return {}
    latents, loadings = [], []
    for item in chosen:
        w = directions[item.name, "task", linked.at[item.name, "variable"]]
        latents.append(item.block.latents @ w)
        # expression = axes @ loadings = coordinates @ inverse(whitening) @ loadings
        own = np.linalg.solve(item.block.whitening, genes.loadings[list(item.places)])
        loadings.append(w @ own / (w @ w))
    names = tuple(s.name for s in chosen)
    along = replace(trial, z=np.column_stack(latents), dims=names, block=np.array(["axis"] * len(names)))
    found = enrichment(along, genes.cohort, np.stack(loadings), genes.names, genes.sets)
    named = {name: best_set(found[found["dim"] == name]) for name in names}
    return {name: found for name, found in named.items() if found is not None}
