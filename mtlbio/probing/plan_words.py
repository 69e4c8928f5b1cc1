"""The answers of ``mtlbio plan`` as somebody reads them who has samples to collect: warnings first."""

from __future__ import annotations

import math
import textwrap

import numpy as np
import pandas as pd

from mtlbio.kinds.vocabulary import Vocabulary
from mtlbio.probing.plan_design import Design, TaskPlan
from mtlbio.text import joined

WIDTH = 110
FEW = 10  # donors of the rarest class below which nothing that is said of it is firm
NO_VALUE = {
    "unknown",
    "missing",
    "not available",
    "not known",
    "not recorded",
    "unspecified",
    "other/unknown",
    "?",
    "-",
}
LARGE = 1.2  # SD: a programme that differs by more is seen by eye
_METRIC = {"auroc": "AUROC", "macro_auroc": "macro AUROC", "r2": "R2", "spearman": "Spearman's rho"}


def words(design: Design, tasks: list[TaskPlan], rates: list[str]) -> str:
    """The whole answer: what the cohort is, warnings, each task, each technical covariate, known error rates."""
    donors, samples = design.obs["donor"].nunique(), len(design.obs)
    head = f"{design.name}: {samples} {design.words.samples} of {donors} {design.words.units}"
    if design.dropped:
        head += "; left out: " + ", ".join(f"{n} ({reason})" for reason, n in design.dropped.items())
    outcomes = [task for task in tasks if task.outcome]
    tests = f"{design.dims} dimensions" + (f" and {len(outcomes)} outcomes" if len(outcomes) > 1 else "")
    parts = [_wrapped(head + ".")]
    warned = warnings(design, tasks)
    title = "Warnings" if warned else "No warnings: nothing in this design stands in the way of a verdict."
    parts.append("\n".join([title, *(_wrapped(w, "  ! ") for w in warned)]))
    parts.append(f"What each task can show with 80 % probability, among {tests} (--dims)")
    for task in tasks:
        first, *more = task_lines(design, task)
        parts[-1] += "\n".join(["", _wrapped(first, "  "), *(_wrapped(line, "    - ") for line in more)])
    if any(task.outcome for task in tasks):
        parts.append(_donor_table(tasks, design.words))
    technical = [c for c in design.covariates.values() if c.role == "technical"]
    if technical:
        said = [_wrapped(technical_sentence(design, c.name), "  - ") for c in technical]
        parts.append("\n".join(["What can be called technical", *said]))
    if rates:
        parts.append("\n".join(["What such designs gave on planted cohorts", *(_wrapped(r, "  - ") for r in rates)]))
    return "\n\n".join(parts)


def warnings(design: Design, tasks: list[TaskPlan]) -> list[str]:
    """What no number of dimensions or replicas mends, the gravest first."""
    audit, units, other = design.audit, design.words.units, []
    outcomes = {task.name for task in tasks if task.outcome}
    for pair in audit[audit["call"] == "not_identifiable"].itertuples():
        if pair.kind == "task":
            if pair.task not in outcomes:
                other.append(f"{_lead(pair)}. {_after(pair)}")
        else:
            other.append(
                f"{pair.task} and {pair.covariate} go together: a dimension that follows one follows the other and "
                f"becomes `mixed`. {_after(pair)}"
            )
    for task in tasks:
        rows = audit[(audit["call"] == "weak") & (audit["kind"] == "task") & (audit["task"] == task.name)]
        other += [w for w in (_weak(pair, task, design) for pair in rows.itertuples()) if w]
    named = set(audit.loc[audit["call"] == "not_identifiable", "task"])
    for task in tasks:
        if task.vif >= design.options.max_vif and task.name not in named and task.outcome:
            other.append(
                f"{task.name}: each covariate can be told from it, all of them together hardly (variance inflation "
                f"{task.vif:.1f}): {task.units} {_units(task, design.words)} count as {task.n_effective:.0f}."
            )
        if task.fewest < FEW:
            other.append(f"{task.name}: only {task.fewest} {units} with {task.rarest}.")
        if task.outcome and task.smallest > LARGE:
            other.append(
                f"{task.name}: only differences beyond {task.smallest:.1f} SD can become `biology`; expect "
                f"`underpowered`."
            )
    known = design.trial.mask
    lost = design.obs["donor"].nunique() - design.obs["donor"][known].nunique()
    if lost:
        missing = [c for c in design.covariates if design.obs.loc[~known, c].isna().any()]
        who = f"1 {design.words.unit} is" if lost == 1 else f"{lost} {units} are"
        other.append(f"{who} in no test, for want of {' or '.join(missing)}.")
    other += _no_value(design)
    for task in tasks:
        if task.name in design.covariates and design.covariates[task.name].role == "technical":
            other.append(
                f"{task.name} is a task and a technical covariate: nothing can become its `biology`, and what follows "
                "it counts as technical for every other task."
            )
    for terms in _pooled(tasks, design.words).values():
        other.append(f"{terms} when a task is tested: differences among them are not removed.")
    if not any(c.role == "technical" for c in design.covariates.values()):
        other.append(
            "No technical covariate (plate, chip, run) is given: nothing can be called `technical`, and "
            f"{design.words.processing_as_subject} may pass for biology."
        )
    if not outcomes:
        other.append("Every task is a covariate too: no dimension can become `biology`.")
    return grave(design) + other


def grave(design: Design) -> list[str]:
    """Outcomes that a covariate cannot be told from: nothing can become `biology` for them."""
    rows, outcomes = design.audit, set(design.trial.outcomes)
    rows = rows[(rows["call"] == "not_identifiable") & (rows["kind"] == "task") & rows["task"].isin(outcomes)]
    return [f"{_lead(pair)}: no verdict can separate them. {_after(pair)}" for pair in rows.itertuples()]


def _no_value(design: Design) -> list[str]:
    """Levels that look like a missing value: as a level they stand for nobody in common and may fill a whole batch."""
    found = []
    for name, info in design.covariates.items():
        if info.kind != "categorical":
            continue
        level = design.obs[name].dropna().astype(str)
        for value, count in level[level.str.casefold().isin(NO_VALUE)].value_counts().items():
            found.append(
                f"{name}: {count} {design.words.samples} are {value!r}, which is taken for a level like any other; if "
                f"it means that {name} is not known, leave the field empty."
            )
    return found


def task_lines(design: Design, task: TaskPlan) -> list[str]:
    """What can be found out about a task, a sentence each: who, separable from what, biology, removal."""
    units = design.words.units
    who = ", ".join(f"{n} {label}" for label, n in task.classes.items()) or f"a number, {task.donors} {units}"
    if sum(task.classes.values()) > task.donors:
        each = "each compared with itself" if task.within else "some in more than one state"
        who += f" ({task.donors} {units}, {each})"
    found = [f"{task.name}: {who}"]
    rows = design.audit[(design.audit["kind"] == "task") & (design.audit["task"] == task.name)]
    if len(rows):
        found.append(f"{_told(rows)}.")
    if not task.outcome:
        found.append("A covariate too: a dimension that follows it is no `biology`.")
    elif math.isnan(task.smallest):
        why = "its effect cannot be estimated once the covariates are held fixed"
        found.append(f"No dimension can become `biology` for it: {why}.")
    else:
        if task.vif >= 1.05:
            found.append(
                f"{task.units} {_units(task, design.words)} count as {task.n_effective:.0f}, because the covariates "
                f"already say part of {task.name} (variance inflation {task.vif:.2f})."
            )
        found.append(f"A dimension can become `biology` if {_difference(task)}.")
    return [*found, _removal(design, task)]


def technical_sentence(design: Design, name: str) -> str:
    """Whether dimensions that follow a technical covariate can be called technical."""
    rows = design.audit[(design.audit["kind"] == "covariate") & (design.audit["task"] == name)]
    levels = design.obs[name].nunique()
    what = f"{name} ({levels} levels)" if design.covariates[name].kind == "categorical" else name
    if not len(rows):
        confounders = any(c.role == "confounder" for c in design.covariates.values())
        few = f"too few {design.words.units} per level to compare"
        why = few if confounders else "no confounder is given to compare it with"
        return f"{what}: {why}."
    return f"{what}: {_told(rows, start='can be told')}."


def _told(rows: pd.DataFrame, start: str = "Can be told") -> str:
    """Can be told from age and sex, hardly from chip, not from batch."""
    told = {call: list(rows.loc[rows["call"] == call, "covariate"]) for call in ("ok", "weak", "not_identifiable")}
    words = {"ok": "", "weak": "hardly ", "not_identifiable": "not "}
    parts = [f"{words[call]}from {joined(names)}" for call, names in told.items() if names]
    said = ", ".join(parts)
    if parts[0].startswith("not "):
        return f"{start.replace('an be', 'annot be')} {said.removeprefix('not ')}"
    if parts[0].startswith("hardly "):
        return f"{start.replace('an be', 'an hardly be')} {said.removeprefix('hardly ')}"
    return f"{start} {said}"


def _lead(pair) -> str:
    if pair.rank_deficient and not pd.isna(pair.discordant) and pair.discordant == 0:
        return f"{pair.covariate} is nested in {pair.task} (every level of it holds one {pair.task} only)"
    return f"{pair.task} and {pair.covariate} nearly coincide"


def _weak(pair, task: TaskPlan, design: Design) -> str | None:
    """Why two things are told apart with difficulty; None where the reason is only that a class is rare."""
    start, units = f"{pair.task} and {pair.covariate} are told apart with difficulty: ", design.words.units
    if pair.vif >= math.sqrt(design.options.max_vif):
        alone = f"{pair.covariate} alone inflates the variance of the {pair.task} effect {pair.vif:.1f}-fold"
        return f"{start}{alone}."
    if pair.overlap < 0.5:
        return f"{start}in {100 * pair.overlap:.0f} % of the {units} only could {pair.task} have been otherwise."
    if task.fewest < 2 * design.options.min_discordant:
        return None
    return f"{start}only {pair.discordant:.0f} {units} lie outside the majority of their level of {pair.covariate}."


def _after(pair) -> str:
    """The audit's sentence from its remedy on."""
    _, found, fix = pair.why.partition("to fix it, ")
    return f"To fix it, {fix}" if found else pair.why


def _difference(task: TaskPlan) -> str:
    size = f"{task.smallest:.2f} of its standard deviations (SD)"
    return task.label.difference(size, task.rarest)


def _removal(design: Design, task: TaskPlan) -> str:
    metric = _METRIC.get(task.label.decisive.name, "metric")
    margin, units = f"{design.options.margin:g} {metric}", design.words.units
    if math.isnan(task.harmless):
        return f"How many {units} show that it can do without a dimension (loss below {margin}) was not measured."
    if task.donors >= task.harmless:
        return f"Its {units} suffice to show that it can do without a useless dimension (loss below {margin})."
    return (
        f"To show that it can do without a useless dimension (loss below {margin}) takes about {task.harmless:.0f} "
        f"{units}: until then `underpowered` instead of `unused`."
    )


def _donor_table(tasks: list[TaskPlan], words: Vocabulary) -> str:
    outcomes = [task for task in tasks if task.outcome]
    rows = {}
    for task in outcomes:
        rows[task.name] = {"now": str(task.donors)}
        rows[task.name] |= {f"{e:g} SD": _count(n, task.donors) for e, n in task.needed.items()}
        rows[task.name]["harmless"] = _count(task.harmless, task.donors)
    table = pd.DataFrame.from_dict(rows, orient="index").to_string()
    text = (
        f"{words.capital_units} needed, of the kind you have, for an effect of that size, and to show that leaving a "
        "useless\ndimension out is harmless (* you have enough; - no number will do)"
    )
    return f"{text}\n{textwrap.indent(table, '  ')}"


def _count(needed: float, donors: int) -> str:
    if not np.isfinite(needed):
        return "-"
    return ">10,000" if needed > 10_000 else f"{needed:.0f}{'*' if needed <= donors else ''}"


def _pooled(tasks: list[TaskPlan], words: Vocabulary) -> dict[str, str]:
    """Covariate -> what is said of its levels, for the test that pools most of them."""
    found: dict[str, int] = {}
    for task in tasks:
        for term in task.pooled:
            name, _, rest = term.partition(" (")
            found[name] = max(found.get(name, 0), int(rest.split()[0]))
    one = "1 level of {0} holds too few {2} for a term of its own and is taken together with another"
    many = "{1} levels of {0} hold too few {2} for a term of their own and are taken together"
    return {name: (one if n == 1 else many).format(name, n, words.units) for name, n in found.items()}


def _units(task: TaskPlan, words: Vocabulary) -> str:
    return words.units if task.unit == "donor" else f"{words.unit} states"


def _wrapped(text: str, mark: str = "") -> str:
    return textwrap.fill(text, WIDTH, initial_indent=mark, subsequent_indent=" " * len(mark), break_on_hyphens=False)
