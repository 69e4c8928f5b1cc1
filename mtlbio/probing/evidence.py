"""All that is known about one dimension when it is judged: filled by :mod:`mtlbio.probing.collect_evidence`."""

import math
from dataclasses import dataclass

from mtlbio.kinds.vocabulary import DONORS, Vocabulary


@dataclass(frozen=True)
class TaskEvidence:
    """One task and one dimension.

    Attributes
    ----------
    outcome : whether biology can be about it (not a covariate at the same time)
    called : adjusted effect, both tests, BH over dimensions; or firm
    firm : of a dimension that is linked with the outcomes family-wise (:mod:`mtlbio.probing.linked`), and below the
        level of a single test both as it is and given the other dimensions
    refused : why nothing can be claimed of the task (:mod:`mtlbio.probing.claims`); it is then no outcome
    backwards : a supervised dimension of this task that falls where it was trained to rise. The folds share donors, so
        where there is nothing to learn, what one fold learns is wrong for the next; the tests call that an effect (in
        three of 20 planted cohorts without any cause), and it is none
    own : the effect stands given the other dimensions; ``given`` names them
    share : of the dimension's variance that goes with the task
    sign_stable, worst_left_out : sign consistency, and the level whose omission pulls most
    robustness : of :func:`mtlbio.probing.stability.robustness`, 0-1
    uneven : what of its recruitment goes with the task, which biology has to stand with held fixed too;
        ``told``: it all but tells the task; ``one_order``: donors were seen in one order of its states
    hangs_on : donors without any one of whom less than half of the effect is left (:mod:`mtlbio.probing.influence`)
    reliability_needed, reliability_of : the reliability of a covariate at which the effect could not be told from none
        (:mod:`mtlbio.probing.reliability`)
    entangled : covariates that the audit cannot tell from the task; ``joint``: called without adjusting for them;
        ``joint_suspected``: the same at the level of a single test; ``joint_widest``: largest size of that effect that
        its interval holds, in the same unit
    removal, loss, loss_low, loss_high, donors_needed, metric : from the ablation; the loss with its 95 % interval
    p, p_given, evidence, df : what a number of needed donors follows from (:mod:`mtlbio.probing.sample_size`): the
        larger p of the two tests, the same given the other dimensions, -log p of the family
        (:mod:`mtlbio.probing.linked`), columns of the label
    spent : donors' worth of freedom that the covariates cost its test
    free : degrees of freedom of its denominator, where they count families; None where they count donors
    donors : with the label and all covariates
    unit : of the effect: SD of the dimension, R where a multi-class label has no single direction, log HR per SD
    changes, p_changes : how the effect changes over follow-up, in standard errors (below 0 it fades), and p of that
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
    backwards: bool = False
    share: float = 1.0
    given: str = "nobody"
    sign_stable: bool = True
    robustness: float = math.nan
    hangs_on: tuple[str, ...] = ()
    uneven: tuple[str, ...] = ()
    told: bool = False
    one_order: bool = False
    reliability_needed: float = math.nan
    reliability_of: str | None = None
    worst_left_out: str = "nothing"
    entangled: tuple[str, ...] = ()
    joint: bool = False
    joint_suspected: bool = False
    joint_widest: float = 0.0
    removal: str = "inconclusive"
    refused: str = ""
    loss: float = math.nan
    loss_low: float = math.nan
    loss_high: float = math.nan
    donors_needed: float = math.nan
    metric: str = "metric"
    p: float = math.nan
    p_given: float = math.nan
    evidence: float = math.nan
    df: float = 1.0
    spent: float = 0.0
    free: float | None = None
    donors: int = 0
    unit: str = "SD"
    changes: float = math.nan
    p_changes: float = math.nan

    @property
    def widest(self) -> float:
        """Largest size of the effect that its interval holds, in its unit; 0 where there is no interval."""
        ends = [abs(end) for end in (self.ci_low, self.ci_high) if not math.isnan(end)]
        return max(ends, default=0.0) if not self.backwards else 0.0

    @property
    def untested(self) -> bool:
        """An outcome without a test, or of which no interval says how large the effect may be.

        One that cannot be told from a covariate is tested without that covariate held fixed.
        """
        if self.entangled and math.isfinite(self.joint_widest):
            return False
        return self.outcome and not (math.isfinite(self.q) and math.isfinite(self.ci_high - self.ci_low))

    @property
    def loss_se(self) -> float:
        """Standard error of the loss."""
        return (self.loss_high - self.loss_low) / (2 * 1.96)

    @property
    def suspected(self) -> bool:
        """Not called, yet the interval of the effect leaves zero out."""
        return self.outcome and not self.called and not self.backwards and (self.ci_low > 0 or self.ci_high < 0)


@dataclass(frozen=True)
class CovariateEvidence:
    """One covariate and one dimension: role, share of variance, q and call.

    ``uneven``: it acts differently in the classes of an outcome; ``least_class`` is then the class that it moves least,
    ``least_share`` its share there (:mod:`mtlbio.probing.by_class`).
    """

    name: str
    role: str
    share: float = 0.0
    q: float = math.nan
    called: bool = False
    uneven: bool = False
    least_class: str = ""
    least_share: float = math.nan


@dataclass(frozen=True)
class Evidence:
    """All that is known about a dimension.

    ``technical_share``: of all technical covariates together. ``stability``: median correlation with its partner over
    folds and seeds. ``donors``: in the cohort, the number that a number of needed donors has to exceed.
    ``family``: dimensions (and blocks) of the family-wise level; ``evidence_needed``: sum over outcomes of -log p that
    is firm among them. ``held_fixed``: the covariate that the dimension is, if it is one
    (:mod:`mtlbio.probing.covariate_duplicates`); only what is said depends on it, no verdict. ``falls``: the gene set
    falls as the dimension rises. ``words``: of the run, for what is said. ``heads``: whether the removal was asked of
    the examinee's own heads too, not of refitted ones alone. ``related``: whether families are known. ``cells``: the
    estimated cell type with which the dimension goes though nobody held it fixed, ``cells_share`` how much of it
    (:mod:`mtlbio.probing.composition`).
    """

    dim: str
    tasks: tuple[TaskEvidence, ...]
    covariates: tuple[CovariateEvidence, ...]
    technical_share: float = 0.0
    gene_set: str | None = None
    stability: float = 1.0
    donors: int = 0
    family: int = 1
    evidence_needed: float = math.nan
    held_fixed: str | None = None
    falls: bool = False
    words: Vocabulary = DONORS
    heads: bool = True
    related: bool = False
    cells: str | None = None
    cells_share: float = math.nan

    @property
    def outcomes(self) -> list[TaskEvidence]:
        """Tasks that biology can be about."""
        return [t for t in self.tasks if t.outcome]

    def removals(self, call: str) -> list[TaskEvidence]:
        """Tasks of whose head the removal is ``harmful``, ``harmless`` or ``inconclusive``, of those that are asked."""
        return [t for t in self.asked if t.removal == call]

    @property
    def asked(self) -> list[TaskEvidence]:
        """Tasks of which something can be claimed."""
        return [t for t in self.tasks if not t.refused]

    @property
    def refused(self) -> list[TaskEvidence]:
        """Tasks of which nothing can be claimed."""
        return [t for t in self.tasks if t.refused]

    @property
    def questions(self) -> int:
        """Removals that share the error of calling one harmful: tasks x ways."""
        return len(self.asked) * (2 if self.heads else 1)


def measured(value: float) -> float:
    """A share that could not be estimated counts as none."""
    return 0.0 if math.isnan(value) else value
