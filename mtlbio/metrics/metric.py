"""A metric with what tables and sentences have to know of it, and all metrics by name."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from mtlbio.metrics import probabilities, ranking, recalibration, values


@dataclass(frozen=True)
class Metric:
    """A function of truth and prediction."""

    name: str  # as ``metrics.tsv`` has it
    function: Callable | None = None  # ``f(y, pred, weights=None)``; None for one that is only ever read from tables
    printed: str = ""  # name in print
    chance: float | None = None  # what predictions that know nothing reach; None where that depends on the cohort
    lower_is_better: bool = False  # comparisons then flip the sign of their difference

    def __post_init__(self) -> None:
        object.__setattr__(self, "printed", self.printed or self.name)


METRICS: dict[str, Metric] = {}


def register(*metrics: Metric) -> None:
    """Make metrics known by name, so that a table that holds one can be read.

    Examples
    --------
    >>> register(Metric("hits", printed="hits at ten"))
    >>> metric_named("hits").printed
    'hits at ten'
    """
    METRICS.update({metric.name: metric for metric in metrics})


def metric_named(name: str) -> Metric:
    """The metric of that name; one that nobody registered has no chance level and is printed as it is written.

    Examples
    --------
    >>> metric_named("auroc").chance, metric_named("mae").lower_is_better
    (0.5, True)

    One of a family, at a time of its own:

    >>> register(Metric("hits_at", printed="hits at"))
    >>> metric_named("hits_at_12.5").printed
    'hits at 12.5'
    """
    family, at, time = name.lower().rpartition("_at_")
    known = METRICS.get(f"{family}_at") if at else None
    of_family = Metric(name) if known is None else replace(known, name=name, printed=f"{known.printed} {time}")
    return METRICS.get(name.lower(), of_family)


AUROC = Metric("auroc", ranking.auroc, "AUROC", 0.5)
MACRO_AUROC = Metric("macro_auroc", ranking.macro_auroc, "macro AUROC", 0.5)
AUPRC = Metric("auprc", ranking.auprc)
BRIER = Metric("brier", probabilities.brier, lower_is_better=True)
LOG_LOSS = Metric("log_loss", probabilities.log_loss, lower_is_better=True)
ACCURACY = Metric("accuracy", probabilities.accuracy)
BALANCED_ACCURACY = Metric("balanced_accuracy", probabilities.balanced_accuracy)
SLOPE = Metric("calibration_slope", recalibration.calibration_slope)
INTERCEPT = Metric("calibration_intercept", recalibration.calibration_intercept)
CALIBRATION_ERROR = Metric("expected_calibration_error", recalibration.expected_calibration_error, lower_is_better=True)
SPEARMAN = Metric("spearman", ranking.spearman, "Spearman ρ", 0.0)
LEVEL_SPEARMAN = Metric("spearman", ranking.ordinal_spearman, "Spearman ρ", 0.0)
MAE_LEVELS = Metric("mae_levels", ranking.mae_levels, lower_is_better=True)
R2 = Metric("r2", values.r2, "R²", 0.0)
MAE = Metric("mae", values.mae, "MAE", lower_is_better=True)
PEARSON = Metric("pearson", values.pearson, "Pearson r", 0.0)
# of residues: sums over chains, see mtlbio.evaluation.residues.scores
Q3, Q8, SOV = Metric("q3", printed="Q3"), Metric("q8", printed="Q8"), Metric("sov", printed="SOV")

register(
    AUROC, MACRO_AUROC, AUPRC, BRIER, LOG_LOSS, ACCURACY, BALANCED_ACCURACY, SLOPE, INTERCEPT, CALIBRATION_ERROR,
    SPEARMAN, MAE_LEVELS, R2, MAE, PEARSON, Q3, Q8, SOV,
)  # fmt: skip
