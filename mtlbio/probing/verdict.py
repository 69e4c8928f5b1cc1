"""From the evidence on one dimension to its verdict: pure, so that every rule can be read and tested on its own."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mtlbio.config import Probe

TRACE = 0.01  # share of a dimension's variance below which a task effect is a trace, whatever its p
RETURNS = 0.5  # correlation with its partner in the folds below which a dimension was not found again
BESIDE = 0.1  # next to a dominant confounder a task effect counts from this fraction of the confounder's share
# A measured dimension is never explained in full: that of age in blood methylation goes with age by .54, with nothing
# else. Without a task effect of its own a covariate names it from LEADS on if it is LONE of all that is explained.
LEADS, LONE = 0.4, 0.75
# fraction of the level that biology needs family-wise: at most one run in twenty may hold a false biology in *every*
# design of the calibration grid, also where the covariate model is only nearly right
FIRM = 0.5
VERDICTS = ("biology", "confounder", "technical", "mixed", "unused", "not_identifiable", "underpowered")


@dataclass(frozen=True)
class TaskEvidence:
    """One task and one dimension.

    Attributes
    ----------
    outcome : whether biology can be about it (not a covariate at the same time)
    called : adjusted effect, both tests, BH over dimensions
    firm : called family-wise as well, also given the other dimensions: the larger p of both tests is below half the
        level after Holm over all dimensions and outcomes
    own : the effect stands given the other dimensions; ``given`` names them
    share : of the dimension's variance that goes with the task
    sign_stable, worst_left_out : sign consistency, and the level whose omission pulls most
    entangled : covariates that the audit cannot tell from the task; ``joint``: called without adjusting for them;
        ``joint_suspected``: the same at the level of a single test
    removal, loss, loss_se, donors_needed, metric : from the ablation
    p, p_given, df : what a number of needed donors follows from (:mod:`mtlbio.probing.settle`): the larger p of the two
        tests, the same given the other dimensions, columns of the label
    donors : with the label and all covariates
    unit : of the effect: SD of the dimension, or R where a multi-class label has no single direction
    """

    name: str
    outcome: bool = True
    effect: float = math.nan
    ci_low: float = math.nan
    ci_high: float = math.nan
    q: float = math.nan
    called: bool = False
    firm: bool = False
    own: bool = False
    share: float = 1.0
    given: str = "nobody"
    sign_stable: bool = True
    worst_left_out: str = "nothing"
    entangled: tuple[str, ...] = ()
    joint: bool = False
    joint_suspected: bool = False
    removal: str = "inconclusive"
    loss: float = math.nan
    loss_se: float = math.nan
    donors_needed: float = math.nan
    metric: str = "metric"
    p: float = math.nan
    p_given: float = math.nan
    df: float = 1.0
    donors: int = 0
    unit: str = "SD"

    @property
    def suspected(self) -> bool:
        """Not called, yet the interval of the effect leaves zero out."""
        return self.outcome and not self.called and (self.ci_low > 0 or self.ci_high < 0)


@dataclass(frozen=True)
class CovariateEvidence:
    """One covariate and one dimension: role, share of variance, q and call."""

    name: str
    role: str
    share: float = 0.0
    q: float = math.nan
    called: bool = False


@dataclass(frozen=True)
class Evidence:
    """All that is known about a dimension.

    ``technical_share``: of all technical covariates together. ``stability``: median correlation with its partner over
    folds and seeds. ``donors``: in the cohort, the number that a number of needed donors has to exceed. ``tests``:
    dimensions x outcomes of the family-wise level.
    """

    dim: str
    tasks: tuple[TaskEvidence, ...]
    covariates: tuple[CovariateEvidence, ...]
    technical_share: float = 0.0
    gene_set: str | None = None
    stability: float = 1.0
    donors: int = 0
    tests: int = 1


@dataclass(frozen=True)
class Verdict:
    """``verdict`` is one of ``VERDICTS``; ``driver`` a covariate, task or gene set, or None; ``why`` one sentence."""

    verdict: str
    driver: str | None
    why: str


def judge(evidence: Evidence, options: Probe) -> Verdict:
    """The verdict on a dimension.

    A dimension that the folds did not find again (``RETURNS``) has no held-out latents of its own: ``underpowered``.
    Otherwise, in this order (the first that applies):

    1. ``not_identifiable``: the dimension follows a task and a covariate that the audit cannot tell from that task,
       and no other covariate dominates it;
    2. two roles dominate (possible only where they cannot be told apart): ``mixed``;
    3. a technical covariate dominates: ``technical``, whatever else is called, with what its removal does;
    4. a confounder dominates: ``confounder``, unless a task effect of its own stands and makes up at least a tenth of
       the confounder's share: ``mixed``;
    5. a firm task effect of its own, not small against any covariate's share: ``biology`` where its sign is stable and
       the technical share below the limit, else ``mixed``. Firm means family-wise: with BH alone 8 % of planted cohorts
       held a false biology. Where the dimension may also follow a task that cannot be told from a covariate, however
       weakly: ``not_identifiable``;
    6. a task effect of its own that is not firm: ``underpowered``;
    7. a covariate with a material share: ``technical`` or ``confounder`` where it leads (from ``LEADS``) and is alone
       (three quarters of all that is explained), else ``mixed``;
    8. nothing: ``unused`` where every head is harmless without it and no interval of a task effect leaves zero out,
       else ``underpowered``: a large effect that eight donors cannot establish is not the absence of one.

    A task effect is a dimension's own if it stands given the other dimensions and makes up at least ``TRACE`` of its
    variance: a dimension that is measured well shows its neighbours' traces at any sample size.
    """
    if evidence.stability < RETURNS:
        why = (
            f"{evidence.dim} was not found again when donors were held out (stability {evidence.stability:.2f}): "
            f"these donors do not establish it, so nothing can be said of it."
        )
        return Verdict("underpowered", None, why)
    technical = _dominant(evidence, options, "technical")
    confounder = _dominant(evidence, options, "confounder")
    tangled = [t for t in evidence.tasks if t.outcome and t.joint and _follows(evidence, t.entangled)]
    free = [c for c in (technical, confounder) if c and not any(c.name in t.entangled for t in tangled)]
    if tangled and not free:
        task, other = tangled[0], _follows(evidence, tangled[0].entangled)[0]
        why = (
            f"{evidence.dim} follows {task.name} and {other.name} together ({_percent(other.share)} of its variance "
            f"goes with {other.name}), and in this cohort the two cannot be told apart; the design audit says what "
            f"would help."
        )
        return Verdict("not_identifiable", other.name, why)
    if technical and confounder:
        first = max(technical, confounder, key=lambda c: c.share)
        why = (
            f"{evidence.dim} follows {technical.name} ({_percent(technical.share)}) and {confounder.name} "
            f"({_percent(confounder.share)}), which overlap in this cohort."
        )
        return Verdict("mixed", first.name, why)
    if technical:
        return Verdict("technical", technical.name, _technical(evidence, technical))
    own = [t for t in evidence.tasks if _own(t) and t not in tangled]
    own = sorted(own, key=lambda t: (not t.sign_stable, t.q))
    largest = max([_known(c.share) for c in evidence.covariates if c.called], default=0.0)
    beside = [t for t in own if _known(t.share) >= BESIDE * largest]
    if confounder:
        return _confounder(evidence, confounder, beside)
    firm = [t for t in beside if t.firm]
    hidden = [t for t in evidence.tasks if t.outcome and t.joint_suspected and _follows(evidence, t.entangled)]
    if firm and hidden and not technical:
        other = _follows(evidence, hidden[0].entangled)[0]
        why = (
            f"{evidence.dim} follows {_names(firm)} ({_effect(firm[0])}), but perhaps {hidden[0].name} and "
            f"{other.name} too, and in this cohort those two cannot be told apart; the design audit says what would "
            f"help."
        )
        return Verdict("not_identifiable", other.name, why)
    if firm:
        return _biology(evidence, firm, options)
    if beside:
        return Verdict("underpowered", evidence.gene_set or beside[0].name, _not_firm(evidence, beside[0]))
    partial = [c for c in evidence.covariates if c.called and _known(c.share) >= options.share_technical]
    if partial:
        return _partial(evidence, sorted(partial, key=lambda c: -c.share))
    return _nothing(evidence, options)


def _own(task: TaskEvidence) -> bool:
    return task.outcome and task.called and task.own and _known(task.share) >= TRACE


def _dominant(evidence: Evidence, options: Probe, role: str) -> CovariateEvidence | None:
    found = [c for c in evidence.covariates if c.role == role and c.called]
    found = [c for c in found if _known(c.share) >= options.share_dominant]
    return max(found, key=lambda c: c.share, default=None)


def _follows(evidence: Evidence, names: tuple[str, ...]) -> list[CovariateEvidence]:
    return sorted((c for c in evidence.covariates if c.name in names and c.called), key=lambda c: -_known(c.share))


def _technical(evidence: Evidence, cause: CovariateEvidence) -> str:
    start = _follows_it(evidence, cause)
    harmed = [t for t in evidence.tasks if t.removal == "harmful"]
    if harmed:
        lost = ", ".join(f"{t.name} ({t.metric} -{t.loss:.3f})" for t in harmed)
        return f"SHORTCUT: {start}, and the model leans on it: taking it out costs {lost}."
    open_ = [t for t in evidence.tasks if t.removal == "inconclusive"]
    if open_:
        needed = _needed(open_, evidence.donors)
        return f"{start}; whether the heads need it is open for {_names(open_)}{needed}."
    return f"{start}, and taking it out leaves every prediction unharmed: a technical bin."


def _confounder(evidence: Evidence, cause: CovariateEvidence, own: list[TaskEvidence]) -> Verdict:
    start = _follows_it(evidence, cause)
    if own:
        why = f"{start}; yet given the covariates its {own[0].name} effect of {_effect(own[0])} stands."
        return Verdict("mixed", cause.name, why)
    outcomes = [t for t in evidence.tasks if t.outcome and not math.isnan(t.effect)]
    if not outcomes:
        return Verdict("confounder", cause.name, f"{start}.")
    nearest = min(outcomes, key=lambda t: 1.0 if math.isnan(t.q) else t.q)
    rest = f"once the covariates are held fixed, no link to {_names(outcomes)} can be shown"
    if nearest.called:
        rest = f"what is left of its link to {nearest.name} is a trace, or that of its neighbours"
    return Verdict("confounder", cause.name, f"{start}; {rest} ({nearest.name}: {_effect(nearest)}).")


def _not_firm(evidence: Evidence, task: TaskEvidence) -> str:
    among = "among so many dimensions"
    if task.given != "nobody" and task.p_given > task.p:
        among = f"beside {_listed(task.given.split(', '))}"
    return (
        f"{evidence.dim} may be linked to {task.name} ({_effect(task)}, q {task.q:.2g}), but {among} it does not pass "
        f"the family-wise level that biology needs; more donors would tell."
    )


def _partial(evidence: Evidence, partial: list[CovariateEvidence]) -> Verdict:
    """No task effect of its own, and a covariate with a material share that does not dominate."""
    first, explained = partial[0], sum(_known(c.share) for c in evidence.covariates if c.called)
    if _known(first.share) >= LEADS and first.share >= LONE * explained:
        rest = "; the rest goes with nothing recorded." + _borrowed(evidence)
        if first.role == "technical":
            return Verdict("technical", first.name, _technical(evidence, first).rstrip(".") + rest)
        return Verdict("confounder", first.name, f"{_follows_it(evidence, first)}{rest}")
    parts = " and ".join(f"{c.name} ({_percent(c.share)})" for c in partial)
    why = f"{evidence.dim} partly follows {parts}; the rest of its variance goes with nothing recorded."
    return Verdict("mixed", first.name, why + _borrowed(evidence))


def _follows_it(evidence: Evidence, cause: CovariateEvidence) -> str:
    return f"{evidence.dim} follows {cause.name}: {_percent(cause.share)} of its variance"


def _biology(evidence: Evidence, own: list[TaskEvidence], options: Probe) -> Verdict:
    best = own[0]
    effects = "; ".join(f"{t.name} {_effect(t)}" for t in own)
    driver = evidence.gene_set or best.name
    name = f" ({evidence.gene_set})" if evidence.gene_set else ""
    if not best.sign_stable:
        why = f"{evidence.dim} is linked to {best.name} ({_effect(best)}), but the sign turns"
        return Verdict("mixed", driver, f"{why} without {best.worst_left_out}.")
    share = _known(evidence.technical_share)
    if share >= options.share_technical:
        why = f"{evidence.dim} keeps a task effect ({effects}), but {_percent(share)} of its variance is technical."
        return Verdict("mixed", driver, why)
    rivals = list(dict.fromkeys(name for t in own for name in t.given.split(", ") if t.given != "nobody"))
    beside = f", also beside {_listed(rivals)}" if rivals else ""
    recorded = any(c.role == "technical" for c in evidence.covariates)
    rest = (
        f"{_percent(share)} of its variance is technical" if recorded else "no processing was recorded to compare with"
    )
    why = (
        f"{evidence.dim}{name} is still linked to {_names(own)} once the covariates are held fixed ({effects})"
        f"{beside}; {rest}."
    )
    return Verdict("biology", driver, why)


def _nothing(evidence: Evidence, options: Probe) -> Verdict:
    said = f"{evidence.dim} has no established link to a task or covariate"
    called = [t for t in evidence.tasks if t.outcome and t.called]
    small = [c for c in evidence.covariates if c.called and _known(c.share) > 0.005]
    if called:
        said = f"{evidence.dim} has no task effect of its own"
    elif small:
        parts = ", ".join(f"{c.name} ({_percent(c.share)})" for c in small)
        said = f"{evidence.dim} has no link to a task and only traces of {parts}"
    open_ = [t for t in evidence.tasks if t.removal == "inconclusive"]
    harmed = [t for t in evidence.tasks if t.removal == "harmful"]
    if harmed:
        lost = ", ".join(f"{t.name} ({t.metric} -{t.loss:.3f})" for t in harmed)
        why = f"{said}, yet predictions need it: taking it out costs {lost}.{_borrowed(evidence)}"
        return Verdict("underpowered", evidence.gene_set, why)
    if open_:
        needed = _needed(open_, evidence.donors)
        why = f"{said}, but that {_names(open_)} can do without it is not shown{needed}.{_borrowed(evidence)}"
        return Verdict("underpowered", evidence.gene_set, why)
    suspected = [t for t in evidence.tasks if t.suspected and _known(t.share) >= TRACE]
    if suspected:
        links = " and ".join(f"{t.name} ({_effect(t)})" for t in suspected)
        why = f"{said}; a link to {links} is suspected, but these donors cannot establish it among so many dimensions."
        return Verdict("underpowered", evidence.gene_set, why)
    why = f"{said}, and every prediction does as well without it (loss below {options.margin:g}).{_borrowed(evidence)}"
    return Verdict("unused", evidence.gene_set, why)


def _borrowed(evidence: Evidence) -> str:
    called = [t for t in evidence.tasks if t.outcome and t.called and not _own(t)]
    if not called:
        return ""
    words = {False: "Its link to {} does not stand beside {}.", True: "Its link to {0} is a trace."}
    return " " + " ".join(
        words[t.own or t.given == "nobody"].format(t.name, _listed(t.given.split(", "))) for t in called
    )


def _listed(names: list[str], limit: int = 3) -> str:
    """z01, z02, z03 and 4 others."""
    if len(names) > limit + 1:
        return f"{', '.join(names[:limit])} and {len(names) - limit} others"
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _needed(tasks: list[TaskEvidence], donors: int) -> str:
    """The number assumes that nothing is lost in truth; where the cohort has as many already, something may be."""
    finite = [t.donors_needed for t in tasks if math.isfinite(t.donors_needed)]
    return f" (about {max(finite):.0f} donors would settle it)" if finite and max(finite) > donors else ""


def _effect(task: TaskEvidence) -> str:
    if task.unit == "R":
        return f"R {task.effect:.2f}, 95 % {task.ci_low:.2f} to {task.ci_high:.2f}"
    return f"{task.effect:+.2f} SD, 95 % {task.ci_low:.2f} to {task.ci_high:.2f}"


def _names(tasks: list[TaskEvidence]) -> str:
    return _listed([t.name for t in tasks], len(tasks))


def _percent(share: float) -> str:
    return f"{100 * _known(share):.0f} %"


def _known(value: float) -> float:
    return 0.0 if math.isnan(value) else value
