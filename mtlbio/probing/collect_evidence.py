"""Gathers what the steps of the trial found into one record per dimension."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import CovariateInfo
from mtlbio.probing.enrichment import best_set
from mtlbio.probing.evidence import CovariateEvidence, Evidence, TaskEvidence
from mtlbio.probing.trial import Trial
from mtlbio.probing.verdict import FIRM


def collect_evidence(
    trial: Trial,
    association: pd.DataFrame,
    leakage: pd.DataFrame,
    ablation: pd.DataFrame,
    stability: pd.DataFrame,
    enrichment: pd.DataFrame,
    by_class: pd.DataFrame | None = None,
    duplicates: dict[str, str] | None = None,
) -> list[Evidence]:
    """One :class:`~mtlbio.probing.evidence.Evidence` per dimension, in their order. Empty tables mean: not examined.

    ``duplicates`` is of :func:`mtlbio.probing.covariate_duplicates.covariate_duplicates`.
    """
    rows = {key: group.iloc[0] for key, group in association.groupby(["question", "variable", "dim"])}
    borrowed = {(r.dim, r.task): r for r in leakage.itertuples()}
    steady = {(r.dim, r.task): r for r in stability.itertuples()}
    removed = {(r.dim, r.task): r for r in worst_way(ablation).itertuples()}
    uneven = unequal(by_class)
    sets = dict(list(enrichment.groupby("dim"))) if len(enrichment) else {}
    donors, heads = trial.obs["donor"].nunique(), asked_heads(ablation)
    tests = max(int(association["p_familywise"].notna().sum()), 1)
    out = []
    for dim in trial.dims:
        tasks = []
        for name in trial.tasks:
            row, joint = rows[("task", name, dim)], rows.get(("joint", name, dim))
            own, kept, loss = borrowed.get((dim, name)), steady.get((dim, name)), removed.get((dim, name))
            tasks.append(_of_task(trial, dim, name, row, joint, own, kept, loss))
        covariates = tuple(_of_covariate(info, dim, rows, uneven) for info in trial.covariates.values())
        technical = [c.share for c in covariates if c.role == "technical"]
        if ("technical_all", "technical", dim) in rows:
            technical.append(float(rows[("technical_all", "technical", dim)]["share"]))
        # a supervised dimension is a prediction: the genes it weighs are no programme that a set could name
        is_axis = trial.block[trial.dims.index(dim)] == "axis"
        best = best_set(sets[dim]) if dim in sets and is_axis else None
        again = next((steady[(dim, t)].stability for t in trial.tasks if (dim, t) in steady), 1.0)
        evidence = Evidence(
            dim,
            tuple(tasks),
            covariates,
            technical_share=max([share for share in technical if not np.isnan(share)], default=0.0),
            gene_set=best,
            stability=float(again),
            donors=donors,
            tests=tests,
            held_fixed=(duplicates or {}).get(dim),
            falls=best is not None and bool((sets[dim].set_index("set")["correlation"] < 0)[best]),
            words=trial.words,
            heads=heads,
        )
        out.append(evidence)
    return out


def _of_covariate(info: CovariateInfo, dim: str, rows: dict, uneven: dict) -> CovariateEvidence:
    """One covariate and one dimension, from the row of the association and what :func:`unequal` says of the pair."""
    row = rows[(info.role, info.name, dim)]
    share, q, acts = float(row["share"]), float(row["q"]), uneven.get((dim, info.name), {})
    return CovariateEvidence(info.name, info.role, share, q, bool(row["called"]), **acts)


def _of_task(
    trial: Trial, dim: str, name: str, row: pd.Series, joint: pd.Series | None, own, kept, loss
) -> TaskEvidence:
    """One task and one dimension, from the rows of the association, of the same without entangled covariates, and of
    the steps 2 (``own``), 5 (``kept``) and 3 (``loss``), each None where there is none."""
    unit = trial.tasks[name].effect_unit
    backwards = trial.trained_for.get(dim) == name and unit == "SD" and row["effect"] < 0
    return TaskEvidence(
        name,
        outcome=name in trial.outcomes,
        effect=float(row["effect"]),
        ci_low=float(row["ci_low"]),
        ci_high=float(row["ci_high"]),
        q=float(row["q"]),
        share=float(row["share"]),
        called=bool(row["called"]) and not backwards,
        firm=own is not None and bool(own.p_given_familywise <= FIRM * trial.options.alpha),
        own=own is not None and bool(own.own),
        backwards=bool(backwards),
        given="nobody" if own is None else own.given,
        sign_stable=kept is None or bool(kept.sign_stable),
        worst_left_out="nothing" if kept is None else kept.worst_left_out,
        entangled=tuple(trial.entangled(name)),
        joint=joint is not None and bool(joint["called"]) and not backwards,
        joint_suspected=joint is not None and bool(joint["p"] <= trial.options.alpha),
        joint_widest=0.0 if joint is None else widest(joint),
        **removal_fields(loss),
        p=float(row["p"]),
        p_given=np.nan if own is None else float(own.p_given),
        df=float(row["df"]),
        donors=int(row["n_donors"]),
        unit=unit,
    )


def unequal(by_class: pd.DataFrame | None) -> dict[tuple[str, str], dict]:
    """Fields of a ``CovariateEvidence`` for every dimension and covariate that acts differently in the classes of an
    outcome; of several outcomes the one with a class that it moves least."""
    if by_class is None or by_class.empty:
        return {}
    called = by_class[by_class["called"]].sort_values("share", kind="stable").drop_duplicates(["dim", "variable"])
    return {
        (r.dim, r.variable): {"uneven": True, "least_class": r.least_class, "least_share": float(r.share)}
        for r in called.itertuples()
    }


def widest(row) -> float:
    """Largest size of an effect that its interval holds; infinite where it could not be estimated."""
    ends = np.abs([float(row["ci_low"]), float(row["ci_high"])])
    return np.inf if np.isnan(ends).any() else float(ends.max())


def removal_fields(loss) -> dict:
    """Fields of a ``TaskEvidence`` from its row of :func:`worst_way`; none without one."""
    if loss is None:
        return {}
    return {
        "removal": loss.removal,
        "loss": float(loss.loss),
        "loss_se": float(loss.ci_high - loss.ci_low) / (2 * 1.96),
        "donors_needed": float(loss.donors_needed),
        "metric": loss.metric,
    }


def asked_heads(ablation: pd.DataFrame) -> bool:
    """Whether the removals were asked of the examinee's own heads; an empty table does not deny it."""
    return ablation.empty or bool((ablation["way"] == "conditional").any())


def worst_way(ablation: pd.DataFrame) -> pd.DataFrame:
    """Of the ways of removal the one with the graver call, then the larger loss, per dimension and task."""
    if ablation.empty:
        return ablation
    grave = ablation["call"].map({"harmful": 2, "inconclusive": 1, "harmless": 0})
    order = ablation.assign(_grave=grave, _loss=ablation["loss"].fillna(-np.inf))
    order = order.sort_values(["_grave", "_loss"], ascending=False, kind="stable")
    return order.drop_duplicates(["dim", "task"]).drop(columns=["_grave", "_loss"])
