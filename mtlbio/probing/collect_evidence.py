"""Gathers what the steps of the trial say into one record per dimension."""

from dataclasses import replace

import numpy as np
import pandas as pd

from mtlbio.probing.association import OF_TIME
from mtlbio.probing.enrichment import best_set
from mtlbio.probing.evidence import CovariateEvidence, Evidence, TaskEvidence
from mtlbio.probing.trial import Trial


def collect_evidence(
    trial: Trial,
    association: pd.DataFrame,
    leakage: pd.DataFrame,
    ablation: pd.DataFrame,
    stability: pd.DataFrame,
    enrichment: pd.DataFrame,
    by_class: pd.DataFrame,
    duplicates: dict[str, str],
) -> list[Evidence]:
    """One :class:`~mtlbio.probing.evidence.Evidence` per dimension, in their order. Empty tables mean: not examined.

    ``duplicates`` is of :func:`mtlbio.probing.covariate_duplicates.covariate_duplicates`.
    """
    tests = _by(association, "question", "variable", "dim")
    beside, steady, removed = (_by(table, "dim", "task") for table in (leakage, stability, worst_way(ablation)))
    uneven = unequal(by_class)
    sets = dict(list(enrichment.groupby("dim"))) if len(enrichment) else {}
    common = {"donors": trial.obs["donor"].nunique(), "words": trial.words, "heads": asks_heads(ablation)}
    common["related"] = trial.family is not None
    common["family"] = max(association.loc[association["p_familywise"].notna(), "dim"].nunique(), 1)
    needed = association.groupby("dim")["evidence_needed"].max()
    out = []
    for dim in trial.dims:
        tasks = []
        for name in trial.tasks:
            row, joint, pair = tests["task", name, dim], tests.get(("joint", name, dim)), (dim, name)
            tasks.append(_of_task(trial, row, joint, beside.get(pair), steady.get(pair), removed.get(pair)))
        covariates = []
        for info in trial.covariates.values():
            row, acts = tests[info.role, info.name, dim], uneven.get((dim, info.name), {})
            covariates.append(covariate_evidence(info, row, row["share"], **acts))
        technical = [c.share for c in covariates if c.role == "technical"]
        technical += [row["share"] for row in [tests.get(("technical_all", "technical", dim))] if row]
        # a supervised dimension is a prediction: the genes it weighs are no programme that a set could name
        is_axis = trial.block[trial.dims.index(dim)] == "axis"
        best = best_set(sets[dim]) if dim in sets and is_axis else None
        evidence = Evidence(
            dim,
            tuple(tasks),
            tuple(covariates),
            technical_share=largest(technical),
            gene_set=best,
            stability=next((float(steady[dim, t]["stability"]) for t in trial.tasks if (dim, t) in steady), 1.0),
            evidence_needed=float(needed[dim]),
            held_fixed=duplicates.get(dim),
            falls=best is not None and bool((sets[dim].set_index("set")["correlation"] < 0)[best]),
            **common,
        )
        out.append(evidence)
    return out


def largest(shares: list[float]) -> float:
    """The largest share; one that could not be estimated counts as none."""
    return max((float(share) for share in shares if not np.isnan(share)), default=0.0)


def covariate_evidence(info, row: dict, share: float, **uneven) -> CovariateEvidence:
    """One covariate, from a row of tests of a dimension or a block."""
    return CovariateEvidence(info.name, info.role, float(share), float(row["q"]), bool(row["called"]), **uneven)


def task_evidence(trial: Trial, row: dict, joint: dict | None, removal: dict | None, **more) -> TaskEvidence:
    """What the tests of a dimension and those of a block say of a task alike.

    ``row``: of the tests; ``joint``: without adjustment for the covariates that cannot be told from the task.
    ``removal``: of :func:`worst_way`. ``more``: what they say each in their own way.
    """
    name = row["variable"]
    more |= {key: float(row[key]) for key in ("effect", "ci_low", "ci_high", "p", "q", "df", "evidence")}
    residual = row.get("df_residual", np.nan)
    related = trial.family is not None and residual > row["df_error"]
    left = residual if related else row["df_error"]
    more["spent"] = float(np.nan_to_num(max(row["n_donors"] - row["df"] - left, 0.0)))
    more["free"] = float(row["df_error"]) if related else None
    if joint is not None:
        ends = np.abs([joint["ci_low"], joint["ci_high"]])
        more["joint_widest"] = np.inf if np.isnan(ends).any() else float(ends.max())
    if removal is not None:
        more |= {key: removal[key] for key in ("removal", "loss", "donors_needed", "metric")}
        more |= {"loss_low": removal["ci_low"], "loss_high": removal["ci_high"]}
    return TaskEvidence(
        name,
        outcome=name in trial.outcomes,
        called=bool(row["called"]),
        entangled=tuple(trial.entangled(name)),
        uneven=trial.uneven.get(name, ()),
        told=name in trial.told,
        refused=trial.refused.get(name, ""),
        one_order=name in trial.one_order,
        joint=joint is not None and bool(joint["called"]),
        joint_suspected=joint is not None and bool(joint["p"] <= trial.options.alpha),
        donors=int(row["n_donors"]),
        **more,
    )


def _of_task(
    trial: Trial, row: dict, joint: dict | None, beside: dict | None, steady: dict | None, removal: dict | None
) -> TaskEvidence:
    """One task and one dimension; ``beside``, ``steady``, ``removal``: its rows of the steps 2, 5 and 3, if any."""
    name, more = row["variable"], {"share": float(row["share"]), "unit": trial.tasks[row["variable"]].effect_unit}
    more |= {key: float(row.get(key, np.nan)) for key in OF_TIME}
    if beside is not None:
        more |= {key: beside[key] for key in ("own", "given", "p_given", "firm")}
    if steady is not None:
        more |= {key: steady[key] for key in ("sign_stable", "worst_left_out")}
        more |= {"robustness": float(steady["robustness_value"]), "hangs_on": steady["hangs_on"]}
        more |= {key: steady[key] for key in ("reliability_needed", "reliability_of")}
    row = row | {"called": row["called"] or more.get("firm", False)}
    evidence = task_evidence(trial, row, joint, removal, **more)
    if trial.trained_for.get(row["dim"]) == name and evidence.unit != "R" and evidence.effect < 0:
        return replace(evidence, backwards=True, called=False, joint=False)
    return evidence


def unequal(by_class: pd.DataFrame) -> dict[tuple[str, str], dict]:
    """Fields of a ``CovariateEvidence`` for every dimension and covariate that acts differently in the classes of an
    outcome; of several outcomes the one with a class that it moves least."""
    if by_class.empty:
        return {}
    called = by_class[by_class["called"]].sort_values("share", kind="stable").drop_duplicates(["dim", "variable"])
    return {
        (r.dim, r.variable): {"uneven": True, "least_class": r.least_class, "least_share": float(r.share)}
        for r in called.itertuples()
    }


def asks_heads(ablation: pd.DataFrame) -> bool:
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


def _by(table: pd.DataFrame, *keys: str) -> dict:
    """The rows of a table by what stands in some of its columns."""
    return {tuple(row[key] for key in keys): row for row in table.to_dict("records")}
