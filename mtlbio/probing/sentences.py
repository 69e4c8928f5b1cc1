"""The words of a verdict: one plain sentence that says why, with the numbers behind it."""

import math

from mtlbio.kinds.vocabulary import Vocabulary
from mtlbio.probing.evidence import CovariateEvidence, Evidence, TaskEvidence, measured
from mtlbio.probing.open_questions import stands
from mtlbio.probing.uneven import COUNT
from mtlbio.text import joined

# Reliability below which it is not said that an effect depends on it: single readings and questionnaires have more.
UNRELIABLE = 0.5
UNPROPORTIONAL = 0.05  # p of proportional hazards from which it is said that they are not
_AUDIT = "the design audit says what would"


def not_found_again(evidence: Evidence) -> str:
    """The folds did not come back to the dimension."""
    return (
        f"{evidence.dim} was not found again {evidence.words.found_again} (stability {evidence.stability:.2f}): these "
        f"{evidence.words.units} do not establish it, so nothing can be said of it."
    )


def tangled(evidence: Evidence, task: TaskEvidence, other: CovariateEvidence) -> str:
    """It follows a task and a covariate that the cohort cannot tell apart."""
    return (
        f"{evidence.dim} follows {task.name} and {other.name} together ({percent(other.share)} of its variance goes "
        f"with {other.name}), and in {evidence.words.all_units} the two cannot be told apart; {_AUDIT} help."
    )


def perhaps_tangled(evidence: Evidence, firm: list[TaskEvidence], task: TaskEvidence) -> str:
    """Firm effects of other tasks, and such a pair whose effect cannot be excluded."""
    return (
        f"{evidence.dim} follows {names(firm)} ({effect(firm[0])}), but perhaps {pair(task)} too, which in "
        f"{evidence.words.all_units} cannot be told apart; {_AUDIT} help."
    )


def suspected_pair(evidence: Evidence, task: TaskEvidence) -> str:
    """Nothing is established but the suspicion of such a pair."""
    return (
        f"{evidence.dim} seems to follow {pair(task)}, which in {evidence.words.all_units} cannot be told apart: more "
        f"{evidence.words.units} of the same design would not tell which; {_AUDIT}."
    )


def pair(task: TaskEvidence) -> str:
    """disease and batch."""
    return listed([task.name, *task.entangled])


def overlapping(evidence: Evidence, technical: CovariateEvidence, confounder: CovariateEvidence) -> str:
    """Two covariates dominate."""
    return f"{evidence.dim} follows {shares([technical, confounder])}, which overlap in {evidence.words.all_units}."


def two_directions(whole: str, technical: CovariateEvidence, confounder: CovariateEvidence) -> str:
    """Two covariates dominate a block, which has directions enough for both."""
    return (
        f"{whole} holds a direction that follows {technical.name} ({percent(technical.share)} of its variance) and one "
        f"that follows {confounder.name} ({percent(confounder.share)}), so neither of them alone says what it is."
    )


def follows(evidence: Evidence, cause: CovariateEvidence) -> str:
    """Beginning of the sentence on a dimension that a covariate names."""
    return f"{evidence.dim} follows {cause.name}: {percent(cause.share)} of its variance"


def nothing_left(evidence: Evidence) -> str:
    """Beginning of the sentence on a dimension that is a covariate."""
    return (
        f"{evidence.dim} holds nothing but {evidence.held_fixed}, which is a covariate: once that is held fixed, "
        f"nothing of the dimension is left to test"
    )


def technical(evidence: Evidence, cause: CovariateEvidence) -> str:
    """What taking a technical dimension out does."""
    start = follows(evidence, cause)
    harmed, open_ = evidence.removals("harmful"), evidence.removals("inconclusive")
    if harmed:
        leans = "the model leans" if evidence.heads else "predictions from these latents lean"
        return f"SHORTCUT: {start}, and {leans} on it: taking it out costs {lost(harmed)}."
    if not evidence.asked:
        return f"{start}; whether a prediction needs it cannot be asked of these latents."
    if open_:
        need = "the heads" if evidence.heads else "predictions"
        return f"{start}; whether {need} need it is open for {names(open_)}{needed(open_, evidence)}."
    return f"{start}, and taking it out leaves every prediction unharmed: a technical bin."


def uneven(evidence: Evidence, cause: CovariateEvidence) -> str:
    """A technical covariate that does not move everybody."""
    return (
        f"{follows(evidence, cause)}, but in {evidence.words.units} of class {cause.least_class} only "
        f"{percent(cause.least_share)}: {evidence.words.processing_as_subject} would move all of them, so it may be "
        f"who was recruited when."
    )


def confounder(evidence: Evidence, cause: CovariateEvidence) -> str:
    """What is left of the links to the outcomes once the covariates are given."""
    outcomes = [t for t in evidence.outcomes if not math.isnan(t.effect)]
    if evidence.held_fixed and outcomes:
        return f"{nothing_left(evidence)} against {names(outcomes)}."
    start = follows(evidence, cause)
    if not outcomes:
        return f"{start}."
    nearest = min(outcomes, key=lambda t: 1.0 if math.isnan(t.q) else t.q)
    rest = f"once the covariates are held fixed, no link to {names(outcomes)} can be shown"
    suspected = sorted((t for t in outcomes if t.suspected), key=lambda t: t.q)
    if suspected and not nearest.called:
        nearest = suspected[0]
        rest = (
            f"once the covariates are held fixed, no link to {names(outcomes)} passes among so many dimensions, though "
            f"the interval of {nearest.name} leaves zero out"
        )
    if nearest.called:
        rest = f"what is left of its link to {nearest.name} is a trace, or that of its neighbours"
    return f"{start}; {rest} ({nearest.name}: {effect(nearest)})."


def biology(evidence: Evidence, firm: list[TaskEvidence]) -> str:
    """The effects that stand, beside whom, and how much is technical."""
    # a set that falls is said to where the vocabulary tells directions: low hydrophobicity
    name = f" ({evidence.words.low if evidence.falls else ''}{evidence.gene_set})" if evidence.gene_set else ""
    others = list(dict.fromkeys(name for t in firm for name in t.given.split(", ") if t.given != "nobody"))
    beside = f", also beside {listed(others)}" if others else ""
    rest = f"no {evidence.words.processing} was recorded to compare with"
    if any(c.role == "technical" for c in evidence.covariates):
        rest = f"{percent(evidence.technical_share)} of its variance is technical"
    return (
        f"{evidence.dim}{name} is still linked to {names(firm)} once the covariates are held fixed "
        f"({effects(firm, '{} {}', '; ')}){beside}; {rest}.{unrecorded(evidence, firm[0])}{over_time(firm)}"
        f"{of_cells(evidence)}"
        f"{in_one_order(evidence, firm)}{unsaid(evidence)}"
    )


def refused(evidence: Evidence, task: TaskEvidence) -> str:
    """It follows a task of which nothing can be claimed."""
    return f"{evidence.dim} follows {task.name}, but that says nothing: {task.refused}."


def unsaid(evidence: Evidence) -> str:
    """Tasks of which nothing is claimed, after a claim about others; empty where there are none."""
    return f" Nothing is said of {names(evidence.refused)}." if evidence.refused else ""


def in_one_order(evidence: Evidence, firm: list[TaskEvidence]) -> str:
    """That time is part of a link, where it cannot be told from the outcome; empty for most."""
    ordered = [task for task in firm if task.one_order]
    if not ordered:
        return ""
    return (
        f" {evidence.words.capital_units} were seen in one order of {names(ordered)}: what time does by itself is part "
        f"of the link."
    )


def of_cells(evidence: Evidence) -> str:
    """The cell type that a dimension goes with, which was not held fixed; empty where there is none."""
    if evidence.cells is None:
        return ""
    return f" It goes with estimated {evidence.cells} ({percent(evidence.cells_share)})."


def over_time(tasks: list[TaskEvidence]) -> str:
    """Whose hazards are not proportional; empty where none are shown to be so."""
    return "".join(
        f" Its {task.name} effect {'grows' if task.changes > 0 else 'fades'} over follow-up (hazards are not "
        f"proportional, p {task.p_changes:.2g}): the hazard ratio is an average."
        for task in tasks
        if task.p_changes <= UNPROPORTIONAL
    )


def unrecorded(evidence: Evidence, task: TaskEvidence) -> str:
    """How strong something that nobody recorded would have to be to explain a link away, next to what was recorded."""
    if math.isnan(task.robustness):
        return ""
    donors = list(task.hangs_on)
    hangs = f" Without {listed(donors)} less than half of its {task.name} effect is left." if len(donors) == 1 else ""
    if len(donors) > 1:
        hangs = f" Without any one of {listed(donors)} less than half of its {task.name} effect is left."
    recorded = sorted((measured(c.share), c.name) for c in evidence.covariates)[-1:]
    beside = "".join(f"; {name}, the strongest recorded, goes with {percent(share)} of it" for share, name in recorded)
    return (
        f" Something unrecorded that explains it away would have to go with {percent(task.robustness)} of what the "
        f"covariates leave of {evidence.dim} and of {task.name}{beside}.{hangs}{unreliable(task)}"
    )


def unreliable(task: TaskEvidence) -> str:
    """How unreliable the recording of a covariate would have to be to take a link away; empty where no more reliable
    than hardly any covariate is."""
    if not task.reliability_needed >= UNRELIABLE:
        return ""
    return (
        f" If {task.reliability_of} was recorded with a reliability of {task.reliability_needed:.2f} or less, its "
        f"{task.name} effect cannot be told from none."
    )


def not_firm(evidence: Evidence, task: TaskEvidence) -> str:
    """An effect of its own that family-wise, or given its neighbours, is not certain enough."""
    among = "among so many dimensions"
    if task.given != "nobody" and task.p_given > task.p:
        among = f"beside {rivals(task)}"
    if task.uneven:
        among += f", and with the {listed(list(task.uneven))} held fixed,"
    tell = sampled_alike(task, evidence.words) if task.told else f"more {evidence.words.units} would tell"
    return (
        f"{evidence.dim} may be linked to {task.name} ({effect(task)}, q {task.q:.2g}), but {among} it does not pass "
        f"the family-wise level that biology needs; {tell}."
    )


def sampled_alike(task: TaskEvidence, words: Vocabulary) -> str:
    """Which donors would tell of an outcome that their samples' number or order all but tells."""
    how = ["as often"] if COUNT in task.uneven else []
    how += ["at the same times"] if set(task.uneven) - {COUNT} else []
    return f"{words.units} sampled {joined(how)} whatever their {task.name} would tell, more like these would not"


def partly(evidence: Evidence, partial: list[CovariateEvidence]) -> str:
    """Covariates with a material share, and nothing else."""
    if evidence.held_fixed:
        return f"{nothing_left(evidence)}."
    return f"{evidence.dim} partly follows {shares(partial)}; the rest of its variance goes with nothing recorded."


def unlinked(evidence: Evidence) -> str:
    """Beginning of the sentence on a dimension without a link of its own."""
    if evidence.held_fixed:
        return nothing_left(evidence)
    small = [c for c in evidence.covariates if c.called and measured(c.share) > 0.005]
    wrong = [t for t in evidence.tasks if t.backwards]
    if wrong:
        units = f"held-out {evidence.words.units}"
        return f"{evidence.dim} was trained to rise with {wrong[0].name} and on {units} falls with it"
    if any(t.called for t in evidence.outcomes):
        return f"{evidence.dim} has no task effect of its own"
    if small:
        return f"{evidence.dim} has no link to a task and only traces of {shares(small, ', ')}"
    return f"{evidence.dim} has no established link to a task or covariate"


def open_still(evidence: Evidence, kind: str, tasks: list[TaskEvidence]) -> str:
    """What keeps a dimension without a link from being unused: a kind of question of
    :mod:`mtlbio.probing.open_questions`, and its tasks."""
    start, more, each = unlinked(evidence), not_its_own(evidence), effects(tasks, "{} ({})", " and ")
    if kind in ("needed", "needed_otherwise"):
        harmed = evidence.removals("harmful")
        costs = f"taking it out costs {lost(harmed)}{_unasked(evidence, harmed)}"
        return f"{start}, yet predictions need it: {costs}.{more}"
    if kind == "suspected":
        these = f"these {evidence.words.units} cannot establish it among so many dimensions"
        return f"{start}; a link to {each} is suspected, but {these}."
    if kind == "shared":
        return f"{start}, but that {alone(tasks)} is not shown.{more}"
    if kind == "refused":
        return f"{start}; of {names(tasks)} nothing can be claimed: {tasks[0].refused}.{more}"
    if kind == "untested":
        return f"{start}, but whether it is linked to {untested(evidence, tasks)}.{more}"
    if kind == "removal":
        without = f"that {names(tasks)} can do without it is not shown{needed(tasks, evidence)}"
        return f"{start}, but {without}.{more}"
    return f"{start}, but these {evidence.words.units} cannot exclude a large one: {each}."


def untested(evidence: Evidence, tasks: list[TaskEvidence]) -> str:
    """disease could not be tested: too few donors for what is held fixed."""
    words = evidence.words
    if all(math.isfinite(t.q) for t in tasks):
        return f"{names(tasks)} could not be tested: it does not vary among the {words.units} that were asked"
    few = f"{words.units} or families of them" if evidence.related else words.units
    return f"{names(tasks)} could not be tested: too few {few} for what is held fixed"


def _unasked(evidence: Evidence, harmed: list[TaskEvidence]) -> str:
    """After what a removal costs: the links with these tasks that no test could be asked for."""
    tasks = [t for t in harmed if t.untested]
    return f", and whether it is linked to {untested(evidence, tasks)}" if tasks else ""


def not_its_own(evidence: Evidence) -> str:
    """What became of called effects that are none of its own; empty where there are none."""
    return borrowed([t for t in evidence.outcomes if t.called and not stands(t)])


def borrowed(tasks: list[TaskEvidence]) -> str:
    """What became of called effects that are not the dimension's own; empty where there are none."""
    return "".join(f" Its link to {task.name} {_became(task)}." for task in tasks)


def _became(task: TaskEvidence) -> str:
    if not task.own and task.uneven:
        return f"does not stand with the {listed(list(task.uneven))} held fixed{_beside(task, ' and beside ')}"
    return "is a trace" if task.own or task.given == "nobody" else f"does not stand{_beside(task, ' beside ')}"


def _beside(task: TaskEvidence, start: str) -> str:
    return "" if task.given == "nobody" else f"{start}{rivals(task)}"


def alone(tasks: list[TaskEvidence]) -> str:
    """Whose the links may be that are not shown to be the dimension's own."""
    recruited = list(dict.fromkeys(what for task in tasks for what in task.uneven))
    whose = f"its neighbours' or that of the {listed(recruited)}" if recruited else "its neighbours'"
    return f"its link to {names(tasks)} is {whose} alone"


def rivals(task: TaskEvidence, limit: int = 3) -> str:
    """The dimensions beside which the task's effect was tested."""
    return listed(task.given.split(", "), limit)


def lost(tasks: list[TaskEvidence]) -> str:
    """disease (auroc -0.031)."""
    return ", ".join(f"{t.name} ({t.metric} -{t.loss:.3f})" for t in tasks)


def needed(tasks: list[TaskEvidence], evidence: Evidence) -> str:
    """The number assumes that nothing is lost in truth; where the cohort has as many already, something may be."""
    finite = [t.donors_needed for t in tasks if math.isfinite(t.donors_needed)]
    if not finite or max(finite) <= evidence.donors:
        return ""
    return f" (about {max(finite):.0f} {evidence.words.units} would settle it)"


def effect(task: TaskEvidence) -> str:
    """+0.90 SD, 95 % 0.50 to 1.30."""
    if task.unit == "R":
        return f"R {task.effect:.2f}, 95 % {task.ci_low:.2f} to {task.ci_high:.2f}"
    return f"{rounded(task.effect, '+')} {task.unit}, 95 % {rounded(task.ci_low)} to {rounded(task.ci_high)}"


def effects(tasks: list[TaskEvidence], form: str, between: str) -> str:
    """Several effects, each in a form such as ``{} ({})`` of its task and numbers."""
    return between.join(form.format(t.name, effect(t)) for t in tasks)


def shares(covariates: list[CovariateEvidence], between: str = " and ") -> str:
    """age (23 %) and batch (4 %)."""
    return between.join(f"{c.name} ({percent(c.share)})" for c in covariates)


def rounded(value: float, sign: str = "-") -> str:
    """Two digits, and a zero without a sign: -0.00 would claim a direction.

    Examples
    --------
    >>> rounded(0.9, "+"), rounded(-0.004), rounded(0.004, "+")
    ('+0.90', '0.00', '0.00')
    """
    text = f"{value:{sign}.2f}"
    return text.lstrip("+-") if float(text) == 0 else text


def listed(items: list[str], limit: int = 3) -> str:
    """z01, z02, z03 and 4 others."""
    if len(items) > limit + 1:
        return f"{', '.join(items[:limit])} and {len(items) - limit} others"
    return joined(items)


def names(tasks: list[TaskEvidence]) -> str:
    """disease, age and response."""
    return joined([t.name for t in tasks])


def percent(share: float) -> str:
    """23 %."""
    return f"{100 * measured(share):.0f} %"
