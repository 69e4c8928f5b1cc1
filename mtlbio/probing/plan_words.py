"""The answers of ``mtlbio plan`` as somebody reads them who has samples to collect: warnings first."""

import math
import textwrap
from collections.abc import Sequence

import numpy as np
import pandas as pd

from mtlbio.intake.notes import Note
from mtlbio.kinds.vocabulary import Vocabulary
from mtlbio.probing.audit import outside
from mtlbio.probing.plan_composition import composition_warnings
from mtlbio.probing.plan_design import Design, TaskPlan
from mtlbio.probing.plan_families import family_line, family_warnings, in_families
from mtlbio.probing.plan_order import order_warnings
from mtlbio.probing.rates import REFUSED
from mtlbio.probing.trial import Trial
from mtlbio.text import joined

WIDTH = 110
FEW = 10  # donors of the rarest class below which nothing that is said of it is firm
MANY = 0.2  # share of the donors that lack a covariate from which it is said first
LARGE = 1.2  # SD: a programme that differs by more is seen by eye
_METRIC = {"auroc": "AUROC", "macro_auroc": "macro AUROC", "r2": "R2", "spearman": "Spearman's rho"}


def words(design: Design, tasks: list[TaskPlan], rates: list[str], notes: Sequence[Note] = ()) -> str:
    """The whole answer: what the cohort is, warnings, each task, each technical covariate, known error rates, and what
    was noticed in the files (``notes``), of which what is doubtful stands among the warnings."""
    trial = design.trial
    donors, samples = trial.obs["donor"].nunique(), len(trial.obs)
    head = f"{design.name}: {samples} {trial.words.samples} of {donors} {trial.words.units}"
    head += in_families(trial)
    if design.dropped:
        head += "; left out: " + ", ".join(f"{n} ({reason})" for reason, n in design.dropped.items())
    outcomes = [task for task in tasks if task.outcome]
    tests = f"{design.dims} dimensions" + (f" and {len(outcomes)} outcomes" if len(outcomes) > 1 else "")
    warned = [*warnings(design, tasks), *(note.short for note in notes if note.doubt)]
    title = "Warnings" if warned else "No warnings: nothing in this design stands in the way of a verdict."
    parts = [_wrapped(head + "."), _listed(title, warned, "  ! ")]
    parts.append(f"What each task can show with 80 % probability, among {tests} (--dims)")
    for task in tasks:
        first, *more = task_lines(design, task)
        parts[-1] += "\n" + _listed(_wrapped(first, "  "), more, "    - ")
    if any(not task.label.counts for task in outcomes):
        parts.append(_donor_table([task for task in outcomes if not task.label.counts], trial.words))
    if any(task.label.counts for task in outcomes):
        parts.append(_event_table([task for task in outcomes if task.label.counts], trial.words))
    technical = [technical_sentence(design, c.name) for c in trial.role("technical")]
    parts += [_listed("What can be called technical", technical)] if technical else []
    parts += [_listed("What such designs gave on planted cohorts", rates)] if rates else []
    read = [note.short for note in notes if not note.doubt]
    parts += [_listed("Notes on the files", read)] if read else []
    return "\n\n".join(parts)


def warnings(design: Design, tasks: list[TaskPlan]) -> list[str]:
    """What no number of dimensions or replicas mends, the gravest first."""
    trial, audit, out = design.trial, design.audit, grave(design)
    units = trial.words.units
    for pair in audit[(audit["call"] == "not_identifiable") & (audit["kind"] != REFUSED)].itertuples():
        if pair.kind != "task":
            out.append(
                f"{pair.task} and {pair.covariate} go together: a dimension that follows one follows the other and "
                f"becomes `mixed`. {_after(pair)}"
            )
        elif pair.task not in trial.outcomes:
            out.append(f"{_lead(pair)}. {_after(pair)}")
    for task in tasks:
        rows = audit[(audit["call"] == "weak") & (audit["kind"] == "task") & (audit["task"] == task.name)]
        out += [w for w in (_weak(pair, task, design) for pair in rows.itertuples()) if w]
    named = set(audit.loc[audit["call"] == "not_identifiable", "task"])
    for task in tasks:
        if task.vif >= trial.options.max_vif and task.name not in named and task.outcome:
            out.append(
                f"{task.name}: each covariate can be told from it, all of them together hardly (variance inflation "
                f"{task.vif:.1f}): {len(task.units)} {_units(task, trial.words)} count as {task.n_effective:.0f}."
            )
        if task.fewest < FEW:
            out.append(f"{task.name}: only {task.fewest} {units} with {task.rarest}.")
        if task.events < FEW:
            out.append(f"{task.name}: only {task.events} {task.label.counts}.")
        if task.outcome and task.smallest > LARGE:
            only = f"only differences beyond {task.smallest:.1f} {task.label.effect_unit} can become `biology`"
            out.append(f"{task.name}: {only}; expect `underpowered`.")
    out += composition_warnings(trial, design.cells)
    out += family_warnings(design, tasks)
    out += order_warnings(design)
    out += [text for text, share in _lost(trial) if share <= MANY]
    technical = [c.name for c in trial.role("technical")]
    for task in tasks:
        if task.name in technical:
            out.append(
                f"{task.name} is a task and a technical covariate: nothing can become its `biology`, and what follows "
                "it counts as technical for every other task."
            )
    pooled = _pooled(tasks, trial.words).values()
    out += [f"{terms} when a task is tested: the mean of its label in each is held fixed instead." for terms in pooled]
    if not technical:
        out.append(
            "No technical covariate (plate, chip, run) is given: nothing can be called `technical`, and "
            f"{trial.words.processing_as_subject} may pass for biology."
        )
    if not any(task.outcome for task in tasks):
        out.append("Every task is a covariate too: no dimension can become `biology`.")
    return out


def grave(design: Design) -> list[str]:
    """Outcomes that are refused, and those that a covariate cannot be told from: nothing can become `biology` for them;
    and outcomes that go with who was measured how often."""
    rows = design.audit[(design.audit["call"] == "not_identifiable") & (design.audit["kind"] == "task")]
    rows = rows[rows["task"].isin(design.trial.outcomes)]
    tangled = [f"{_lead(pair)}: no verdict can separate them. {_after(pair)}" for pair in rows.itertuples()]
    tangled = list(dict.fromkeys(tangled))  # a task without labels is said once
    uneven = design.audit[(design.audit["call"] == "weak") & (design.audit["kind"] == "recruitment")]
    lost = _lost(design.trial)
    refused = design.audit.loc[design.audit["kind"] == REFUSED, "why"]
    return [*refused, *(text for text, share in lost if share > MANY), *tangled, *uneven["why"]]


def _lost(trial: Trial) -> list[tuple[str, float]]:
    """What is said of donors who lack a covariate, and their share of all; nothing where there are none."""
    missing, everybody = trial.obs[~trial.mask], trial.obs["donor"].nunique()
    lost = everybody - trial.obs["donor"][trial.mask].nunique()
    if not lost:
        return []
    names = [c for c in trial.covariates if missing[c].isna().any()]
    who = f"1 {trial.words.unit} is" if lost == 1 else f"{lost} of {everybody} {trial.words.units} are"
    return [(f"{who} in no test, for want of {' or '.join(names)}.", lost / everybody)]


def task_lines(design: Design, task: TaskPlan) -> list[str]:
    """What can be found out about a task, a sentence each: who, separable from what, biology, removal."""
    words = design.trial.words
    who = ", ".join(f"{n} {label}" for label, n in task.classes.items()) or f"a number, {task.donors} {words.units}"
    if task.label.counts:
        who = f"{int(task.label.telling(task.units.y).sum())} {task.label.counts}, {task.donors} {words.units} followed"
    if sum(task.classes.values()) > task.donors:
        each = "each compared with itself" if task.units.within else "some in more than one state"
        who += f" ({task.donors} {words.units}, {each})"
    lines = [f"{task.name}: {who}"]
    rows = design.audit[(design.audit["kind"] == "task") & (design.audit["task"] == task.name)]
    if len(rows):
        lines.append(f"{_separable(rows, design.trial)}.")
        lines += _estimated(rows, design.trial) if task.outcome else []
    lines += family_line(design, task)
    if not task.outcome:
        lines.append("A covariate too: a dimension that follows it is no `biology`.")
    elif math.isnan(task.smallest):
        why = task.obstacle or "its effect cannot be estimated once the covariates are held fixed"
        lines.append(f"No dimension can become `biology` for it: {why}.")
    else:
        if task.vif >= 1.05 and not task.label.counts:
            count = f"{len(task.units)} {_units(task, words)} count as {len(task.units) / task.vif:.0f}"
            lines.append(
                f"{count}, because the covariates already say part of {task.name} (variance inflation {task.vif:.2f})."
            )
        lines.append(f"A dimension can become `biology` if {task.label.smallest(task.smallest, task.rarest)}.")
    return [*lines, _removal(design, task)]


def technical_sentence(design: Design, name: str) -> str:
    """Whether dimensions that follow a technical covariate can be called technical."""
    rows, trial = design.audit[(design.audit["kind"] == "covariate") & (design.audit["task"] == name)], design.trial
    factor = trial.covariates[name].kind == "categorical"
    what = f"{name} ({trial.obs[name].nunique()} levels)" if factor else name
    if len(rows):
        return f"{what}: {_separable(rows, trial, start='can be told')}."
    few = f"too few {trial.words.units} per level to compare"
    return f"{what}: {few if trial.role('confounder') else 'no confounder is given to compare it with'}."


def _estimated(rows: pd.DataFrame, trial: Trial) -> list[str]:
    """How closely a task goes with what was estimated from the measurements; nothing where nothing was."""
    rows = rows[[bool(trial.covariates[name].estimated) for name in rows["covariate"]]].dropna(subset="value")
    if rows.empty:
        return []
    first = rows.sort_values("value", ascending=False, kind="stable").iloc[0]
    group, name = trial.covariates[first["covariate"]].estimated, first["covariate"]
    return [f"Of the estimated {group}, {name} goes with it most ({first['association']} {first['value']:.2f})."]


def _grouped(names: list[str], trial: Trial) -> list[str]:
    """What was estimated for one covariate of the YAML in one word: composition (11 estimated)."""
    groups = [trial.covariates[name].estimated for name in names]
    many = {
        group: f"{group} ({groups.count(group)} estimated)" for group in groups if group and groups.count(group) > 1
    }
    return list(dict.fromkeys(many.get(group, name) for name, group in zip(names, groups, strict=True)))


def _separable(rows: pd.DataFrame, trial: Trial, start: str = "Can be told") -> str:
    """Can be told from age and sex, hardly from chip, not from batch."""
    adverbs, parts = {"ok": "", "weak": "hardly ", "not_identifiable": "not "}, []
    for call, adverb in adverbs.items():
        names = _grouped(list(rows.loc[rows["call"] == call, "covariate"]), trial)
        parts += [f"{adverb}from {joined(names)}"] if names else []
    sentence = ", ".join(parts)
    if sentence.startswith("not "):
        return f"{start.replace('an be', 'annot be')} {sentence.removeprefix('not ')}"
    if sentence.startswith("hardly "):
        return f"{start.replace('an be', 'an hardly be')} {sentence.removeprefix('hardly ')}"
    return f"{start} {sentence}"


def _lead(pair) -> str:
    if pair.association == "none":
        return f"{pair.task} cannot be tested"
    if pair.rank_deficient and not pd.isna(pair.discordant) and pair.discordant == 0:
        return f"{pair.covariate} is nested in {pair.task} (every level of it holds one {pair.task} only)"
    return f"{pair.task} and {pair.covariate} nearly coincide"


def _weak(pair, task: TaskPlan, design: Design) -> str | None:
    """Why two things are told apart with difficulty; None where the reason is only that a class is rare."""
    options, units = design.trial.options, design.trial.words.units
    if pair.vif >= math.sqrt(options.max_vif):
        why = f"{pair.covariate} alone inflates the variance of the {pair.task} effect {pair.vif:.1f}-fold"
    elif pair.overlap < 0.5:
        why = f"in {100 * pair.overlap:.0f} % of the {units} only could {pair.task} have been otherwise"
    elif task.fewest < 2 * options.min_discordant:
        return None
    else:
        where = outside(design.trial.covariates[pair.covariate].kind)
        why = f"only {pair.discordant:.0f} {units} lie {where}" + (f" of {pair.covariate}" if "level" in where else "")
    return f"{pair.task} and {pair.covariate} are told apart with difficulty: {why}."


def _after(pair) -> str:
    """The audit's sentence from its remedy on."""
    _, remedy, fix = pair.why.partition("to fix it, ")
    return f"To fix it, {fix}" if remedy else pair.why


def _removal(design: Design, task: TaskPlan) -> str:
    metric, units = _METRIC.get(task.label.decisive.name, "metric"), design.trial.words.units
    small = f"(loss below {design.trial.options.margin:g} {metric})"
    if math.isnan(task.harmless):
        return f"How many {units} show that it can do without a dimension {small} was not measured."
    if task.donors >= task.harmless:
        return f"Its {units} suffice to show that it can do without a useless dimension {small}."
    return (
        f"To show that it can do without a useless dimension {small} takes about {task.harmless:.0f} {units}: until "
        "then `underpowered` instead of `unused`."
    )


def _donor_table(outcomes: list[TaskPlan], words: Vocabulary) -> str:
    rows = {}
    for task in outcomes:
        counts = {f"{e:g} SD": _count(n, task.donors) for e, n in task.needed.items()}
        rows[task.name] = {"now": str(task.donors), **counts, "harmless": _count(task.harmless, task.donors)}
    table = pd.DataFrame.from_dict(rows, orient="index").to_string()
    alone = " on that outcome alone (fewer where it moves several)" if len(rows) > 1 else ""
    text = (
        f"{words.capital_units} needed, of the kind you have, for an effect of that size{alone}, and to show that "
        "leaving a useless\ndimension out is harmless (* you have enough; - no number will do)"
    )
    return f"{text}\n{textwrap.indent(table, '  ')}"


def _event_table(outcomes: list[TaskPlan], words: Vocabulary) -> str:
    rows = {}
    for task in outcomes:
        counts = {f"{e:g} ({np.exp(e):.2g})": _count(n, int(task.events)) for e, n in task.events_needed.items()}
        rows[task.name] = {"now": f"{task.events:.0f}", **counts}
    table = pd.DataFrame.from_dict(rows, orient="index").to_string()
    text = (
        f"{outcomes[0].label.counts.capitalize()} needed, among {words.units} of the kind you have, for a log hazard "
        "ratio of that size per SD of a dimension (the hazard\nratio in brackets; * you have enough; - no number will "
        "do)"
    )
    return f"{text}\n{textwrap.indent(table, '  ')}"


def _count(needed: float, donors: int) -> str:
    if not np.isfinite(needed):
        return "-"
    return ">10,000" if needed > 10_000 else f"{needed:.0f}{'*' if needed <= donors else ''}"


def _pooled(tasks: list[TaskPlan], words: Vocabulary) -> dict[str, str]:
    """Covariate -> what is said of its levels, for the test that pools most of them."""
    levels: dict[str, int] = {}
    for name, count in [pair for task in tasks for pair in task.pooled.items()]:
        levels[name] = max(levels.get(name, 0), count)
    one = "1 level of {0} holds too few {2} for a term of its own and is taken together with another"
    many = "{1} levels of {0} hold too few {2} for a term of their own and are taken together"
    return {name: (one if n == 1 else many).format(name, n, words.units) for name, n in levels.items()}


def _units(task: TaskPlan, words: Vocabulary) -> str:
    return words.units if task.units.kind == "donor" else f"{words.unit} states"


def _wrapped(text: str, mark: str = "") -> str:
    return textwrap.fill(text, WIDTH, initial_indent=mark, subsequent_indent=" " * len(mark), break_on_hyphens=False)


def _listed(title: str, lines: list[str], mark: str = "  - ") -> str:
    return "\n".join([title, *(_wrapped(line, mark) for line in lines)])
