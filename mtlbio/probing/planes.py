"""The verdict on a block of axes, and what it means for the axes that were not found again on their own."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from mtlbio.config import TrialOptions
from mtlbio.model.blocks import UNSTABLE
from mtlbio.probing.collect_evidence import asked_heads, removal_fields, worst_way
from mtlbio.probing.evidence import CovariateEvidence, Evidence, TaskEvidence
from mtlbio.probing.judgement import Judgement, Loss, losses_by_dimension, to_settle
from mtlbio.probing.sentences import effect, listed, percent
from mtlbio.probing.subspaces import Subspace
from mtlbio.probing.trial import Trial
from mtlbio.probing.verdict import FIRM, Verdict, judge

_TASK = ("effect", "ci_low", "ci_high", "p", "q")
_REMOVAL = {"delta": "loss", "delta_ci_low": "ci_low", "delta_ci_high": "ci_high", "removal": "removal"}


@dataclass(frozen=True)
class Decided:
    """What a block says of one of its axes, in the place of what the axis says of itself."""

    verdict: Verdict
    losses: dict[str, Loss]
    donors_needed: float
    needed_for: str | None
    subspace: str


def gather_subspace(
    trial: Trial, item: Subspace, tests: pd.DataFrame, ablation: pd.DataFrame, gene_set: str | None, family: int
) -> Evidence:
    """Evidence on a block as on a dimension; a covariate's share is that of the direction that follows it most.

    Parameters
    ----------
    tests : of :func:`mtlbio.probing.subspaces.subspace_tests`
    ablation : with rows of the block
    family : tests of the family-wise level
    """
    own = tests[tests["subspace"] == item.name]
    found = {(row.question, row.variable): row for row in own.itertuples()}
    removed = {r.task: r for r in worst_way(ablation[ablation["dim"] == item.name]).itertuples()}
    tasks, technical = [], []
    for name in trial.tasks:
        row, joint, loss = found.get(("task", name)), found.get(("joint", name)), removed.get(name)
        if row is None:
            continue
        task = TaskEvidence(
            name,
            outcome=name in trial.outcomes,
            effect=float(row.effect),
            ci_low=float(row.ci_low),
            ci_high=float(row.ci_high),
            p=float(row.p),
            q=float(row.q),
            called=bool(row.called),
            firm=bool(row.p_familywise <= FIRM * trial.options.alpha),
            own=bool(row.own),
            share=float(row.peak),
            given=row.given,
            sign_stable=bool(row.sign_stable),
            worst_left_out=row.worst_left_out,
            entangled=tuple(trial.entangled(name)),
            joint=joint is not None and bool(joint.called),
            joint_suspected=joint is not None and bool(joint.p <= trial.options.alpha),
            p_given=float(row.p_given),
            df=float(row.df),
            donors=int(row.n_donors),
            unit="R",
            **removal_fields(loss),
        )
        tasks.append(task)
        if task.called and task.outcome:
            technical.append(row.technical)
    covariates = []
    for info in trial.covariates.values():
        row = found.get((info.role, info.name))
        if row is not None:
            covariates.append(CovariateEvidence(info.name, info.role, float(row.peak), float(row.q), bool(row.called)))
    # biology is about the direction that follows the task: what is technical in that one, and in the block as a whole
    whole = found.get(("technical_all", "technical"))
    technical += [] if whole is None else [whole.share]
    share = max((float(s) for s in technical if not np.isnan(s)), default=0.0)
    donors, steady = trial.obs["donor"].nunique(), item.block.stability
    evidence = Evidence(item.name, tuple(tasks), tuple(covariates), share, gene_set, steady, donors, max(family, 1))
    return replace(evidence, heads=asked_heads(ablation), words=trial.words)


def judge_subspace(evidence: Evidence, options: TrialOptions, whole: str, direction: str) -> Verdict:
    """The verdict on a block: the rules of a dimension, read as statements about its directions.

    One rule is added. A dimension that a technical covariate dominates is technical whatever else is called; a block
    has other directions too, and one of them may keep a firm task effect of its own given that covariate: ``mixed``.

    Parameters
    ----------
    evidence : of :func:`gather_subspace`
    whole, direction : what the sentence calls the block, and one direction of it
    """
    verdict = judge(replace(evidence, dim=direction), options)
    firm = [t for t in evidence.tasks if t.outcome and t.called and t.firm and t.own]
    if verdict.verdict == "technical" and firm:
        best = min(firm, key=lambda t: t.q)
        share = max(c.share for c in evidence.covariates if c.name == verdict.driver)
        why = (
            f"{direction} follows {verdict.driver} ({percent(share)} of its variance); yet given the covariates "
            f"the rest keeps a link to {best.name} ({effect(best)})."
        )
        return Verdict("mixed", verdict.driver, why)
    if verdict.verdict in ("unused", "underpowered"):  # nothing that one direction would have to be named for
        verdict = judge(replace(evidence, dim=whole), options)
    return verdict


def subspace_table(
    trial: Trial,
    found: list[Subspace],
    tests: pd.DataFrame,
    ablation: pd.DataFrame,
    stability: np.ndarray,
    named: dict[str, str],
    association: pd.DataFrame,
) -> tuple[pd.DataFrame, dict[str, Decided]]:
    """``probing/subspaces.tsv``, one row per block, and what that decides on dimensions.

    Parameters
    ----------
    stability : (D,) of the dimensions
    named : gene sets by block
    association : of the dimensions, for the size of the family

    Returns
    -------
    table : columns as in docs/tables.md
    decided : by name, for every dimension below ``UNSTABLE`` in a block that was found again
    """
    outside = ~association["dim"].isin([d for s in found if s.block.stable for d in s.dims])
    family = int((outside & association["p_familywise"].notna()).sum())
    family += int(tests["p_familywise"].notna().sum()) if len(tests) else 0
    rows, out, losses = [], {}, losses_by_dimension(ablation)
    for item in found:
        evidence = gather_subspace(trial, item, tests, ablation, named.get(item.name), family)
        block, noun = item.block, "plane" if len(item.dims) == 2 else f"space of {len(item.dims)} dimensions"
        decided = [d for d, p in zip(item.dims, item.places, strict=True) if block.stable and stability[p] < UNSTABLE]
        verdict = judge_subspace(evidence, trial.options, f"The {noun} of {item.name}", f"One direction of {item.name}")
        if not block.stable:
            why = f"The {noun} of {item.name} was not found again either (stability {block.stability:.2f})."
            verdict = Verdict("underpowered", None, why)
        row = {"subspace": item.name, "n_dims": len(item.dims), "stability": block.stability, "cca": block.cca}
        row |= {"cka": block.cka, "effective_rank": block.effective_rank, "verdict": verdict.verdict}
        row |= {"driver": verdict.driver, "decides": ", ".join(decided) or None}
        for name in trial.tasks:
            task = next((t for t in evidence.tasks if t.name == name), TaskEvidence(name))
            row |= {f"{k}_{name}": getattr(task, k) for k in _TASK}
        for info in trial.covariates.values():
            own = tests[(tests["subspace"] == item.name) & (tests["variable"] == info.name)]
            own = own[own["question"] == info.role]
            row |= {f"{k}_{info.name}": own[k].iloc[0] if len(own) else np.nan for k in ("share", "peak")}
        without = losses.get(item.name, {})
        for name, loss in without.items():
            row |= {f"{k}_{name}": getattr(loss, place) for k, place in _REMOVAL.items()}
        rows.append(row | {"why": verdict.why})
        for dim in decided:
            others = listed([d for d in item.dims if d != dim], len(item.dims))
            its = judge_subspace(evidence, trial.options, "it", "one direction of it")
            needed, needed_for = to_settle(its, evidence, trial.options)
            why = f"{dim} was not found again on its own, but with {others} it spans a {noun} that was (stability "
            why += f"{block.stability:.2f}): the verdict is about that {noun.split()[0]}: {its.why}"
            out[dim] = Decided(replace(its, why=why), without, needed, needed_for, item.name)
    return pd.DataFrame(rows, columns=columns(trial)), out


def columns(trial: Trial) -> list[str]:
    """Columns of ``probing/subspaces.tsv``."""
    out = ["subspace", "n_dims", "stability", "cca", "cka", "effective_rank", "verdict", "driver", "decides"]
    out += [f"{k}_{task}" for task in trial.tasks for k in _TASK]
    out += [f"{k}_{name}" for name in trial.covariates for k in ("share", "peak")]
    return [*out, *(f"{k}_{task}" for task in trial.tasks for k in _REMOVAL), "why"]


def decided_by_subspaces(judged: list[Judgement], decided: dict[str, Decided]) -> list[Judgement]:
    """The dimensions with the verdicts of blocks on the axes that have none of their own."""
    return [replace(j, **vars(decided[j.evidence.dim])) if j.evidence.dim in decided else j for j in judged]
