"""What a dimension that is neither biology nor a covariate's leaves open: one order of questions for all that is said.

``why`` of an ``underpowered`` dimension and the number of donors that would settle it answer the same question: the
first of :data:`KINDS` that is open. Each has to be closed before a dimension is ``unused``.
"""

import math

from mtlbio.probing.evidence import Evidence, TaskEvidence, measured

TRACE = 0.01  # share of a dimension's variance below which a task effect is a trace, whatever its p
BESIDE = 0.1  # next to a dominant confounder a task effect counts from this fraction of the confounder's share
# Largest effect, by its unit, that an interval has to leave out before a dimension is unused: one standard deviation.
# R of two classes of equal size that lie one standard deviation apart is 1 / sqrt(5); their log odds, of which log
# hazards are the like, change by 1 per standard deviation.
LARGE = {"SD": 1.0, "R": 0.45, "log HR per SD": 1.0}
KINDS = ("needed", "suspected", "shared", "needed_otherwise", "untested", "removal", "wide", "refused")


def own_effects(evidence: Evidence, without: tuple[TaskEvidence, ...] | list[TaskEvidence] = ()) -> list[TaskEvidence]:
    """Called effects of its own that are no trace, nor small against a covariate's share; the clearest first."""
    largest = max([measured(c.share) for c in evidence.covariates if c.called], default=0.0)
    found = [t for t in evidence.outcomes if stands(t) and t not in without and measured(t.share) >= BESIDE * largest]
    return sorted(found, key=lambda t: (not t.sign_stable, t.q))


def stands(task: TaskEvidence) -> bool:
    """Whether an effect is called, the dimension's own and more than a trace."""
    return task.called and task.own and measured(task.share) >= TRACE


def open_question(evidence: Evidence) -> tuple[str | None, list[TaskEvidence]]:
    """The first open question of :data:`KINDS` and the tasks that it is about; None where none is open.

    - ``needed``: predictions of an outcome need the dimension, and no link with it is established;
    - ``suspected``: the interval of an effect leaves zero out;
    - ``shared``: a called effect that a neighbour may carry;
    - ``needed_otherwise``: predictions need it of a task that can be no biology, or that could not be tested;
    - ``untested``: an outcome of which there is no test, or no interval;
    - ``removal``: not shown to be harmless;
    - ``wide``: the interval of an effect holds a large one;
    - ``refused``: a task of which nothing can be claimed of these latents.
    """
    harmed, outcomes = evidence.removals("harmful"), evidence.outcomes
    asked: dict[str, list[TaskEvidence]] = {
        "needed": [t for t in harmed if t.outcome and not t.untested],
        "suspected": [t for t in outcomes if t.suspected and measured(t.share) >= TRACE],
        "shared": [t for t in outcomes if t.called and not t.own and measured(t.share) >= TRACE and not harmed],
        "needed_otherwise": harmed,
        "untested": [t for t in outcomes if t.untested],
        "removal": evidence.removals("inconclusive"),
        "wide": [t for t in outcomes if t.widest >= LARGE[t.unit]],
        "refused": evidence.refused,
    }
    return next(((kind, asked[kind]) for kind in KINDS if asked[kind]), (None, []))


def clearest(tasks: list[TaskEvidence]) -> TaskEvidence:
    """The task whose test is closest to a link."""
    return min(tasks, key=lambda t: 1.0 if math.isnan(t.p) else t.p)
