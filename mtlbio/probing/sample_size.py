"""How many donors would settle a dimension that these donors leave open, and what they would settle."""

import math
from collections.abc import Callable

from scipy import stats

from mtlbio.config import TrialOptions
from mtlbio.kinds.vocabulary import Vocabulary
from mtlbio.probing.evidence import Evidence, TaskEvidence
from mtlbio.probing.families import evidence_needed, firm_level, outcome_level
from mtlbio.probing.open_questions import LARGE, clearest, open_question, own_effects
from mtlbio.probing.power import (
    POWER,
    donors_for_harmlessness,
    donors_to_establish,
    donors_to_return,
    f_isf,
    freedom,
    informative,
)
from mtlbio.probing.sentences import names, rivals, sampled_alike, untested
from mtlbio.probing.verdict import RETURNS

MOST = 10_000  # a larger number is no plan


def donors_for_a_verdict(evidence: Evidence, options: TrialOptions) -> tuple[float, str]:
    """Donors with which an ``underpowered`` dimension would be settled with 80 % probability, and for what.

    In the order in which :func:`mtlbio.probing.verdict.judge` asks:

    1. not found again: donors that bring its stability to ``RETURNS``;
    2. a task effect of its own that is not firm: donors that would make it firm;
    3. the first of :data:`mtlbio.probing.open_questions.KINDS` that is open, which is the one that ``why`` names:
       donors that would establish the link, show that every head can do without the dimension, or exclude a large
       effect.

    Returns
    -------
    donors : NaN where none can be stated; the words then say why
    needed_for : in words; what is counted are donors like those of the cohort, with the label that is named

    Examples
    --------
    >>> donors_for_a_verdict(Evidence("z1", (), (), stability=0.25, donors=80), TrialOptions())
    (160.0, 'to find the dimension again when donors are held out (stability 0.25 now, 0.5 needed)')
    """
    if evidence.stability < RETURNS:
        what = f"find the dimension again {evidence.words.finds_again} (stability {evidence.stability:.2f} now"
        needed = donors_to_return(evidence.stability, evidence.donors, RETURNS)
        return _stated(needed, f"{what}, {RETURNS:g} needed)", evidence.words)
    own = [t for t in own_effects(evidence) if not t.firm]
    if own:
        return _effect(own[0], evidence, options)
    kind, tasks = open_question(evidence)
    if kind in ("needed", "suspected", "shared"):
        return _effect(clearest(tasks), evidence, options)
    unasked = [t for t in tasks if t.untested]
    if kind in ("needed_otherwise", "untested") and unasked:
        return math.nan, f"no number can be stated: {untested(evidence, unasked)}"
    if kind == "refused":
        return math.nan, f"no number can be stated: of {names(tasks)} nothing can be claimed of these latents"
    if kind == "needed_otherwise":
        need = names(tasks)
        return math.nan, f"no number can be stated: predictions of {need} need it, and {need} can be no biology here"
    return _bounded(tasks, evidence.words) if kind == "wide" else _removal(tasks, options, evidence)


def _effect(task: TaskEvidence, evidence: Evidence, options: TrialOptions) -> tuple[float, str]:
    """Donors that make a task effect firm and, where its neighbours could carry it, its own."""
    needed, single = _linked(task, evidence, options), outcome_level(len(evidence.outcomes), options.alpha)
    for p in (task.p, task.p_given if task.called else math.nan):
        if not math.isnan(p):
            needed = max(needed, _establish(task, p, single))
    what = f"establish its link to {task.name}"
    if task.called and not task.own and task.given != "nobody":
        what += f" beside {rivals(task, 1)}"
    elif task.called:
        what += f" among {evidence.family} dimensions"
    elif task.suspected:
        what = f"establish its suspected link to {task.name}"
    else:
        what += ", whose predictions need it"
    if task.told:
        return math.nan, f"no number can be stated to {what}: {sampled_alike(task, evidence.words)}"
    nothing = f"the link to {task.name} seen so far is too close to none"
    return _stated(_more(needed, task), f"{what} ({_counted(task, evidence.words)})", evidence.words, nothing)


def _bounded(wide: list[TaskEvidence], words: Vocabulary) -> tuple[float, str]:
    """Donors whose intervals would leave a large effect out, if the effects are what they seem."""
    hardest = min(wide, key=lambda t: LARGE[t.unit] - abs(t.effect))
    large, effect = LARGE[hardest.unit], abs(hardest.effect)
    half = hardest.ci_high - effect if hardest.unit == "R" else (hardest.ci_high - hardest.ci_low) / 2
    needed = hardest.donors * (half / (large - effect)) ** 2 if large > effect else math.nan
    size = f"an R of {large:g}" if hardest.unit == "R" else f"an effect of {large:g} {hardest.unit}"
    what = f"exclude {size} on {hardest.name} ({_counted(hardest, words)})"
    return _stated(needed, what, words, f"the effect on {hardest.name} seen so far is as large as that")


def _linked(task: TaskEvidence, evidence: Evidence, options: TrialOptions) -> float:
    """Donors with which the dimension is linked family-wise, if what the other outcomes bring grows as it should."""
    outcomes = evidence.outcomes
    others = [t for t in outcomes if t.name != task.name and not math.isnan(t.evidence)]
    firm = evidence.evidence_needed
    firm = evidence_needed(evidence.family, len(outcomes), options.alpha) if math.isnan(firm) else firm

    def level(donors: float) -> float:
        beside = sum(_expected_evidence(t, donors / task.donors) for t in others)
        return firm_level(firm, beside, len(outcomes), options.alpha)

    return _establish(task, task.p if math.isnan(task.evidence) else math.exp(-task.evidence), level)


def _expected_evidence(task: TaskEvidence, more: float) -> float:
    """-log p of an outcome with ``more`` times the donors: what its F exceeds 1 by grows with what they tell."""
    f, df = _f(task, math.exp(-task.evidence))
    told = informative(task.donors * more, task.spent) / max(informative(task.donors, task.spent), 1.0)
    return -float(stats.f.logsf(1 + max(f - 1, 0.0) * told, df, _left(task, df, more)))


def _establish(task: TaskEvidence, p: float, level: float | Callable[[float], float]) -> float:
    if not 0 <= p <= 1 or task.donors < 4:
        return math.nan
    f, df = _f(task, p)
    t = math.sqrt(f) if df == 1 else math.sqrt(max(df * (f - 1), 0.0))
    return donors_to_establish(t, task.donors, level, df, task.spent, task.free)


def _f(task: TaskEvidence, p: float) -> tuple[float, int]:
    """A p as a statistic again, and its degrees of freedom; all other columns count as one, which hardly matters."""
    df = max(int(task.df), 1) if math.isfinite(task.df) else 1
    return f_isf(max(p, 1e-300), df, _left(task, df)), df


def _left(task: TaskEvidence, df: int, more: float = 1.0) -> float:
    """Degrees of freedom of the denominator with ``more`` times the donors."""
    return max(freedom(task.donors * more, df + 1, task.free, task.donors), 4.0 if task.free is None else 1.0)


def _removal(tasks: list[TaskEvidence], options: TrialOptions, evidence: Evidence) -> tuple[float, str]:
    """Donors that show of every task whether its head can do without the dimension."""
    numbers = {t: _more(_open_loss(t, options, evidence.questions), t) for t in tasks}
    numbers = {t: n for t, n in numbers.items() if not math.isnan(n)}
    if not numbers:
        return math.nan, "no number can be stated: the loss of the predictions could not be measured"
    hardest = max(numbers, key=lambda task: numbers[task])
    what = f"tell whether {hardest.name} can do without it ({_counted(hardest, evidence.words)})"
    return _stated(numbers[hardest], what, evidence.words, f"the loss of {hardest.name} lies at the margin itself")


def _open_loss(task: TaskEvidence, options: TrialOptions, questions: int) -> float:
    """Harmless if nothing is lost in truth. Donors that should have shown it and did not say that something is: then
    it is the observed loss that has to turn out below the margin, or above zero."""
    if not task.donors_needed <= task.donors:
        return task.donors_needed
    if not task.loss_se > 0:
        return math.nan
    z = stats.norm.ppf(POWER)
    harm = stats.norm.isf(0.025 / questions) + z
    needed = [task.donors * (harm * task.loss_se / task.loss) ** 2] if task.loss > 0 else []
    if task.loss < options.margin:
        needed.append(donors_for_harmlessness(task.loss_se, task.donors, options.margin - max(task.loss, 0.0)))
    return min(needed, default=math.inf)


def _more(needed: float, task: TaskEvidence) -> float:
    """These donors did not do it, whatever the formula says."""
    return needed if math.isnan(needed) else max(needed, task.donors + 1.0)


def _stated(needed: float, what: str, words: Vocabulary, otherwise: str = "") -> tuple[float, str]:
    if math.isnan(needed) or math.isinf(needed):
        return math.nan, f"no number can be stated to {what}: {otherwise}"
    if needed > MOST:
        return math.nan, f"more than {MOST:,} {words.units} to {what}"
    return float(math.ceil(needed)), f"to {what}"


def _counted(task: TaskEvidence, words: Vocabulary) -> str:
    return f"{words.units} with {task.name} known; {task.donors} now"
