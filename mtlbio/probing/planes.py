"""The verdict on a block of axes, and what it means for the axes that were not found again on their own."""

from dataclasses import replace

import numpy as np
import pandas as pd

from mtlbio.config import TrialOptions
from mtlbio.model.blocks import UNSTABLE
from mtlbio.probing.collect_evidence import asks_heads, covariate_evidence, largest, task_evidence, worst_way
from mtlbio.probing.evidence import Evidence
from mtlbio.probing.judgement import to_settle, with_alone
from mtlbio.probing.sentences import effect, listed, percent, two_directions
from mtlbio.probing.subspaces import Subspace, outside
from mtlbio.probing.trial import Trial
from mtlbio.probing.verdict import Verdict, dominant, judge, of_one_outcome

_TASK = ("effect", "ci_low", "ci_high", "p", "q")
_REMOVAL = {"delta": "loss", "delta_ci_low": "loss_low", "delta_ci_high": "loss_high", "removal": "removal"}


def collect_subspace(
    trial: Trial, item: Subspace, tests: pd.DataFrame, ablation: pd.DataFrame, gene_set: str | None, family: int
) -> Evidence:
    """Evidence on a block as on a dimension; a covariate's share is that of the direction that follows it most.

    ``tests``: of :func:`mtlbio.probing.subspaces.subspace_tests`; ``family``: dimensions and blocks that the
    family-wise level holds for.
    """
    records = tests[tests["subspace"] == item.name].to_dict("records")
    rows = {(row["question"], row["variable"]): row for row in records}
    removed = {row["task"]: row for row in worst_way(ablation[ablation["dim"] == item.name]).to_dict("records")}
    # biology is about the direction that follows the task: what is technical in that one, and in the block as a whole
    tasks, technical = [], [row["share"] for row in records if row["question"] == "technical_all"]
    for name in trial.tasks:
        if ("task", name) in rows:
            row = rows["task", name]
            more = {key: row[key] for key in ("own", "given", "p_given", "firm", "sign_stable", "worst_left_out")}
            more |= {"unit": "R", "share": row["peak"]}
            tasks.append(task_evidence(trial, row, rows.get(("joint", name)), removed.get(name), **more))
            technical += [row["technical"]] if tasks[-1].called and tasks[-1].outcome else []
    needed = max((row["evidence_needed"] for row in records if row["evidence_needed"] > 0), default=np.nan)
    pairs = [(info, rows.get((info.role, info.name))) for info in trial.covariates.values()]
    return Evidence(
        item.name,
        tuple(tasks),
        tuple(covariate_evidence(info, row, row["peak"]) for info, row in pairs if row),
        largest(technical),
        gene_set,
        item.block.stability,
        trial.obs["donor"].nunique(),
        max(family, 1),
        needed,
        words=trial.words,
        heads=asks_heads(ablation),
        related=trial.family is not None,
    )


def judge_subspace(evidence: Evidence, options: TrialOptions, whole: str, direction: str) -> Verdict:
    """The verdict on a block: the rules of a dimension, read as statements about its directions.

    One rule is added. A dimension that a technical covariate dominates is technical whatever else is called; a block
    has other directions too, and one of them may keep a firm task effect of its own given that covariate: ``mixed``. A
    technical covariate and a confounder that both dominate need not overlap: a block has room for both.
    ``whole``, ``direction``: what the sentence calls the block, and one direction of it.
    """
    verdict = judge(replace(evidence, dim=direction), options)
    established = [t for t in evidence.outcomes if t.called and t.firm and t.own]
    if verdict.verdict == "technical" and established:
        best = min(established, key=lambda t: t.q)
        share = max(c.share for c in evidence.covariates if c.name == verdict.driver)
        why = (
            f"{direction} follows {verdict.driver} ({percent(share)} of its variance); yet given the covariates "
            f"the rest keeps a link to {best.name} ({effect(best)})."
        )
        return Verdict("mixed", verdict.driver, why)
    technical, confounder = (dominant(evidence, options, role) for role in ("technical", "confounder"))
    if verdict.verdict == "mixed" and technical and confounder:
        return replace(verdict, why=two_directions(whole, technical, confounder))
    if verdict.verdict in ("unused", "underpowered"):  # nothing that one direction would have to be named for
        verdict = judge(replace(evidence, dim=whole), options)
    return verdict


def subspace_table(
    trial: Trial,
    blocks: list[Subspace],
    tests: pd.DataFrame,
    ablation: pd.DataFrame,
    stability: np.ndarray,
    named: dict[str, str],
    association: pd.DataFrame,
) -> tuple[pd.DataFrame, dict[str, dict]]:
    """``probing/subspaces.tsv``, one row per block, and what that decides on dimensions.

    Parameters
    ----------
    stability : (D,) of the dimensions; ``named``: gene sets by block
    association : of the dimensions, for the size of the family

    Returns
    -------
    table : with :func:`columns`
    decided : for every dimension below ``UNSTABLE`` in a block that was found again, by name: the fields of its
        :class:`~mtlbio.probing.judgement.Judgement` in which the block speaks for it
    """
    beside = outside(blocks, association)
    family = tests["subspace"].nunique() + beside.loc[beside["p_familywise"].notna(), "dim"].nunique()
    rows, out = [], {}
    for item in blocks:
        evidence = collect_subspace(trial, item, tests, ablation, named.get(item.name), family)
        block, noun = item.block, "plane" if len(item.dims) == 2 else f"space of {len(item.dims)} dimensions"
        decided = [d for d, p in zip(item.dims, item.places, strict=True) if block.stable and stability[p] < UNSTABLE]
        verdict = judge_subspace(evidence, trial.options, f"The {noun} of {item.name}", f"One direction of {item.name}")
        if not block.stable:
            why = f"The {noun} of {item.name} was not found again either (stability {block.stability:.2f})."
            verdict = Verdict("underpowered", None, why)
        row = {"subspace": item.name, "n_dims": len(item.dims), "stability": block.stability, "cca": block.cca}
        row |= {"cka": block.cka, "effective_rank": block.effective_rank, "verdict": verdict.verdict}
        row |= {"driver": verdict.driver, "decides": ", ".join(decided) or None}
        for task in evidence.tasks:
            row |= {f"{k}_{task.name}": getattr(task, k) for k in _TASK}
            row |= {f"{k}_{task.name}": getattr(task, field) for k, field in _REMOVAL.items()}
        for info in trial.covariates.values():
            test = tests[(tests["subspace"] == item.name) & (tests["question"] == info.role)]
            test = test[test["variable"] == info.name]
            row |= {f"{k}_{info.name}": test[k].iloc[0] if len(test) else np.nan for k in ("share", "peak")}
        rows.append(row | {"why": verdict.why})
        for dim in decided:
            others = listed([d for d in item.dims if d != dim], len(item.dims))
            its = judge_subspace(evidence, trial.options, "it", "one direction of it")
            settled = dict(zip(("donors_needed", "needed_for"), to_settle(its, evidence, trial.options), strict=True))
            why = f"{dim} was not found again on its own, but with {others} it spans a {noun} that was (stability "
            why += f"{block.stability:.2f}): the verdict is about that {noun.split()[0]}: {its.why}"
            outcomes = {t.name: of_one_outcome(evidence, t.name) for t in evidence.outcomes}
            each = {name: judge_subspace(one, trial.options, "it", "it").verdict for name, one in outcomes.items()}
            its = with_alone(replace(its, why=why), each)
            out[dim] = {"verdict": its, "block": evidence, "by_task": each, **settled}
    return pd.DataFrame(rows, columns=columns(trial)), out


def columns(trial: Trial) -> list[str]:
    """Columns of ``probing/subspaces.tsv``, as in docs/tables.md."""
    out = ["subspace", "n_dims", "stability", "cca", "cka", "effective_rank", "verdict", "driver", "decides"]
    out += [f"{k}_{task}" for task in trial.tasks for k in _TASK]
    out += [f"{k}_{name}" for name in trial.covariates for k in ("share", "peak")]
    return [*out, *(f"{k}_{task}" for task in trial.tasks for k in _REMOVAL), "why"]
