"""From the evidence on one dimension to its verdict: pure, so that every rule can be read and tested on its own."""

from dataclasses import dataclass, replace

from mtlbio.config import TrialOptions
from mtlbio.probing import sentences
from mtlbio.probing.evidence import CovariateEvidence, Evidence, TaskEvidence, measured
from mtlbio.probing.open_questions import open_question, own_effects

RETURNS = 0.5  # correlation with its partner in the folds below which a dimension was not found again
# A measured dimension is never explained in full: that of age in blood methylation goes with age by .54, with nothing
# else. Without a task effect of its own a covariate names it from LEADS on if it is LONE of all that is explained.
LEADS, LONE = 0.4, 0.75
EVEN = 0.25  # share that a technical covariate must have in every class where it is shown to act differently in them
# fraction of the technical limit that biology may not reach where a technical covariate is called: a supervised
# dimension with 24 % batch in truth was measured at 19 %, and called biology
SHOWN = 0.75
# Standard deviations (or R): what the interval of a task that cannot be told from a covariate has to leave out before
# another task makes biology. With a hint alone 3 of 12 interferon dimensions of 80 donors whose batch was their disease
# were biology for their response.
MATERIAL = 0.5
UNCLAIMED = "not_identifiable"
VERDICTS = ("biology", "confounder", "technical", "mixed", "unused", UNCLAIMED, "underpowered")


@dataclass(frozen=True)
class Verdict:
    """``verdict`` is one of ``VERDICTS``; ``driver`` a covariate, task or gene set, or None; ``why`` one sentence."""

    verdict: str
    driver: str | None
    why: str


def judge(evidence: Evidence, options: TrialOptions) -> Verdict:
    """The verdict on a dimension, by the first of these rules that applies.

    0. the folds did not find it again (``RETURNS``), so that it has no held-out latents of its own: ``underpowered``;
    1. it follows a task and a covariate that the audit cannot tell from that task, and no other covariate dominates it:
       ``not_identifiable``;
    2. two roles dominate (possible only where they cannot be told apart): ``mixed``;
    3. a technical covariate dominates: ``technical``, whatever else is called, with what its removal does; where it
       hardly moves one class of an outcome (below ``EVEN``, and the difference is called) ``mixed``: what was done to
       the samples moves everybody;
    4. a confounder dominates: ``confounder``, unless a task effect of its own stands and makes up at least a tenth of
       the confounder's share: ``mixed``;
    5. a firm task effect of its own, not small against any covariate's share: ``biology`` where its sign is stable and
       the technical share below the limit (below ``SHOWN`` of it where a technical covariate is called), else
       ``mixed``. Firm means family-wise: with BH alone 8 % of planted cohorts held a false biology. Where the dimension
       may also follow a task that cannot be told from a covariate (a hint at the level of a single test, or an interval
       that holds ``MATERIAL``): ``not_identifiable``;
    6. a task effect of its own that is not firm: ``underpowered``;
    7. a covariate with a material share: ``confounder`` where one leads (from ``LEADS``) and is alone (three quarters
       of all that is explained), else ``mixed``;
    8. nothing: ``unused`` where every head is harmless without it, every outcome could be tested, no task effect is
       called and no interval of one leaves zero out or holds a large one, else ``underpowered``: an effect that eight
       donors cannot establish is not the absence of one, nor is one that a neighbour may carry
       (:mod:`mtlbio.probing.open_questions` has the order in which this is asked).

    Of a task that is refused (:mod:`mtlbio.probing.claims`) nothing is claimed: a dimension that follows it, and is
    none of the above down to rule 6, is ``not_identifiable``, and none is ``unused``.

    Where 6 or 8 would say ``underpowered`` and there is a hint of a task that cannot be told from a covariate, more
    donors of this design would not tell either: ``not_identifiable``. An effect counts from 1 % of the variance: a
    dimension that is measured well shows its neighbours' traces at any sample size.
    """
    if evidence.stability < RETURNS:
        return Verdict("underpowered", None, sentences.not_found_again(evidence))
    tangled = [t for t in evidence.outcomes if t.joint and _followed(evidence, t.entangled)]
    effects = own_effects(evidence, tangled)
    verdict = _of_covariates(evidence, options, tangled, effects)
    if verdict is None and effects:
        verdict = _of_effects(evidence, options, effects)
    verdict = verdict or _of_refused(evidence) or _of_shares(evidence, options)
    return verdict or _open(evidence, _of_nothing(evidence, options))


def of_one_outcome(evidence: Evidence, task: str) -> Evidence:
    """The evidence without the other outcomes: one that nobody can tell from a covariate must not silence the rest."""
    return replace(evidence, tasks=tuple(t for t in evidence.tasks if t.name == task or not t.outcome))


def _of_covariates(
    evidence: Evidence, options: TrialOptions, tangled: list[TaskEvidence], effects: list[TaskEvidence]
) -> Verdict | None:
    """Rules 1 to 4: a covariate dominates, or cannot be told from a task."""
    technical, confounder = (dominant(evidence, options, role) for role in ("technical", "confounder"))
    both = [c for c in (technical, confounder) if c]
    if tangled and all(any(c.name in t.entangled for t in tangled) for c in both):
        other = _followed(evidence, tangled[0].entangled)[0]
        return Verdict("not_identifiable", other.name, sentences.tangled(evidence, tangled[0], other))
    if technical and confounder:
        first = max(technical, confounder, key=lambda c: c.share)
        return Verdict("mixed", first.name, sentences.overlapping(evidence, technical, confounder))
    if technical and technical.uneven and technical.least_share < EVEN:
        return Verdict("mixed", technical.name, sentences.uneven(evidence, technical))
    if technical:
        return Verdict("technical", technical.name, sentences.technical(evidence, technical))
    if confounder and effects:
        start, effect = sentences.follows(evidence, confounder), sentences.effect(effects[0])
        why = f"{start}; yet given the covariates its {effects[0].name} effect of {effect} stands."
        return Verdict("mixed", confounder.name, why)
    if confounder:
        return Verdict("confounder", confounder.name, sentences.confounder(evidence, confounder))
    return None


def _of_effects(evidence: Evidence, options: TrialOptions, effects: list[TaskEvidence]) -> Verdict:
    """Rules 5 and 6: task effects of its own."""
    firm = [t for t in effects if t.firm]
    if not firm:
        why = sentences.not_firm(evidence, effects[0])
        return _open(evidence, Verdict("underpowered", evidence.gene_set or effects[0].name, why))
    hidden = [t for t in evidence.outcomes if t.entangled and (t.joint_suspected or t.joint_widest > MATERIAL)]
    if hidden:
        why = sentences.perhaps_tangled(evidence, firm, hidden[0])
        return Verdict("not_identifiable", hidden[0].entangled[0], why)
    best, driver = firm[0], evidence.gene_set or firm[0].name
    if not best.sign_stable:
        why = f"{evidence.dim} is linked to {best.name} ({sentences.effect(best)}), but the sign turns"
        return Verdict("mixed", driver, f"{why} without {best.worst_left_out}.")
    share = measured(evidence.technical_share)
    shown = any(c.role == "technical" and c.called for c in evidence.covariates)
    if share >= options.share_technical * (SHOWN if shown else 1.0):
        part, links = sentences.percent(share), sentences.effects(firm, "{} {}", "; ")
        why = f"{evidence.dim} keeps a task effect ({links}), but {part} of its variance is technical."
        return Verdict("mixed", driver, why)
    return Verdict("biology", driver, sentences.biology(evidence, firm))


def _of_refused(evidence: Evidence) -> Verdict | None:
    """It follows a task of which nothing can be claimed."""
    followed = [t for t in evidence.refused if t.called or t.joint]
    if not followed:
        return None
    return Verdict(UNCLAIMED, followed[0].name, sentences.refused(evidence, followed[0]))


def _of_shares(evidence: Evidence, options: TrialOptions) -> Verdict | None:
    """Rule 7: covariates with a material share that does not dominate."""
    partial = [c for c in evidence.covariates if c.called and measured(c.share) >= options.share_technical]
    if not partial:
        return None
    partial.sort(key=lambda c: -c.share)
    first, explained = partial[0], sum(measured(c.share) for c in evidence.covariates if c.called)
    why, borrowed = sentences.partly(evidence, partial), sentences.not_its_own(evidence)
    if first.role == "technical" or measured(first.share) < LEADS or first.share < LONE * explained:
        return Verdict("mixed", first.name, why + borrowed)
    if not evidence.held_fixed:
        why = f"{sentences.follows(evidence, first)}; the rest goes with nothing recorded."
    return Verdict("confounder", first.name, why + borrowed)


def _of_nothing(evidence: Evidence, options: TrialOptions) -> Verdict:
    """Rule 8: no effect of its own, no covariate with a material share."""
    kind, tasks = open_question(evidence)
    if kind is not None:
        return Verdict("underpowered", evidence.gene_set, sentences.open_still(evidence, kind, tasks))
    start, borrowed = sentences.unlinked(evidence), sentences.not_its_own(evidence)
    why = f"{start}, and every prediction does as well without it (loss below {options.margin:g}).{borrowed}"
    return Verdict("unused", evidence.gene_set, why)


def _open(evidence: Evidence, verdict: Verdict) -> Verdict:
    """More donors settle what is underpowered, but not a suspicion that this design cannot resolve."""
    suspected = [t for t in evidence.outcomes if t.entangled and t.joint_suspected]
    if verdict.verdict != "underpowered" or not suspected:
        return verdict
    why = sentences.suspected_pair(evidence, suspected[0])
    return Verdict("not_identifiable", suspected[0].entangled[0], why)


def dominant(evidence: Evidence, options: TrialOptions, role: str) -> CovariateEvidence | None:
    """The covariate of a role that is called and has the largest share, where that dominates."""
    called = [c for c in evidence.covariates if c.role == role and c.called]
    large = [c for c in called if measured(c.share) >= options.share_dominant]
    return max(large, key=lambda c: c.share, default=None)


def _followed(evidence: Evidence, names: tuple[str, ...]) -> list[CovariateEvidence]:
    return sorted((c for c in evidence.covariates if c.name in names and c.called), key=lambda c: -measured(c.share))
