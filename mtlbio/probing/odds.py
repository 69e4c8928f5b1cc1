"""How likely a dimension is what, whatever the verdict dares to say.

A verdict is a word and keeps a promise: ``biology`` is said only where it is wrong in few runs. Of a dimension that is
``underpowered`` a reader wants to know more: of planted dimensions with such evidence, how many were what?
:data:`TERMS` sum up the evidence in a dozen numbers, and a multinomial logistic regression of what planted dimensions
were on these numbers gives the odds. Its coefficients, ``data/odds.tsv``, are fitted on the calibration grid by
``benchmarks/calibration/fit_odds.py``; those of a term on what it speaks for are held to be no less than zero, so that
more evidence of a link never makes biology less likely than nothing. docs/odds.md has them, the mix of the grid, and
how well they are calibrated on designs that they were not fitted on.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
import pandas as pd
from scipy import special, stats

from mtlbio.probing.evidence import Evidence, TaskEvidence, measured
from mtlbio.probing.rates import SHIPPED
from mtlbio.probing.verdict import RETURNS
from mtlbio.tables import read_table

ROLES = ("biology", "confounder", "technical", "mixed", "none")  # the last is what the others are compared with
COLUMNS = ["kind", "piece", *ROLES[:-1]]
# kinds of runs whose planted dimensions bear out the coefficients that were fitted on another (docs/odds.md)
BORNE_OUT = {"latents": "measurements"}
MOST = 8.0  # -log10 p from which a link is as certain as it gets


@dataclass(frozen=True)
class Term:
    """One number that sums up evidence.

    Attributes
    ----------
    name : its column in ``probing/odds.tsv``
    meaning : as docs/odds.md has it
    value : of the evidence on a dimension
    knots : where its slope may change; the first is where it starts to count, the last where it stops
    speaks_for : roles that it can only make more likely, against none
    """

    name: str
    meaning: str
    value: Callable[[Evidence], float]
    knots: tuple[float, ...]
    speaks_for: tuple[str, ...] = ()

    @property
    def pieces(self) -> list[str]:
        """Names of its columns in the regression: a piece between two knots each."""
        return [f"{self.name} {low:g}-{high:g}" for low, high in zip(self.knots, self.knots[1:], strict=False)]

    def columns(self, values: np.ndarray) -> np.ndarray:
        """(n, pieces) how far every value has come within each piece, 0-1."""
        ends = list(zip(self.knots, self.knots[1:], strict=False))
        return np.stack([np.clip((values - low) / (high - low), 0.0, 1.0) for low, high in ends], axis=-1)


def _linked(evidence: Evidence) -> float:
    return combined([_p(task) for task in _tested(evidence)])


def _linked_beside(evidence: Evidence) -> float:
    return combined([max(_p(task), measured(task.p_given)) for task in _tested(evidence)])


def _p(task: TaskEvidence) -> float:
    """p of a link. Where samples per donor, or their order, go with the outcome, what counts is the evidence that is
    left with them held fixed too (:mod:`mtlbio.probing.linked`)."""
    if not task.uneven or math.isnan(task.evidence):
        return task.p
    return max(task.p, math.exp(-task.evidence))


def _tested(evidence: Evidence) -> list[TaskEvidence]:
    """Outcomes with a p; where a supervised dimension falls with its task, no effect is seen."""
    return [task for task in evidence.outcomes if not math.isnan(task.p) and not task.backwards]


def combined(p: list[float]) -> float:
    """-log10 of the p of several together (Fisher 1925), at most ``MOST``; 0 of none.

    Examples
    --------
    >>> round(combined([0.01]), 6), round(combined([0.05, 0.05]), 2), combined([])
    (2.0, 1.76, 0.0)
    """
    if not p:
        return 0.0
    twice = -2 * sum(math.log(max(value, 1e-300)) for value in p)
    return min(float(-stats.chi2.logsf(twice, 2 * len(p)) / math.log(10)), MOST)


def _share(role: str) -> Callable[[Evidence], float]:
    return lambda evidence: max(
        [measured(c.share) for c in evidence.covariates if c.role == role]
        + ([measured(evidence.technical_share)] if role == "technical" else []),
        default=0.0,
    )


def _covariate(role: str) -> Callable[[Evidence], float]:
    return lambda evidence: max(
        [-math.log10(max(c.q, 1e-300)) for c in evidence.covariates if c.role == role and c.q < 1],
        default=0.0,
    )


def _entangled(evidence: Evidence) -> float:
    return max((0.5 * (t.joint_suspected + t.joint) for t in evidence.outcomes if t.entangled), default=0.0)


def _needed(evidence: Evidence) -> float:
    return max((t.loss / t.loss_se for t in evidence.outcomes if t.loss_se > 0), default=0.0)


def _size(evidence: Evidence) -> float:
    return float(max([task.donors for task in evidence.outcomes] or [evidence.donors]))


def _separated(evidence: Evidence) -> float:
    return float(any(task.entangled for task in evidence.outcomes))


TERMS = (
    Term(
        "link",
        "-log10 p of all outcomes together, given the covariates (Fisher's sum)",
        _linked,
        (0, 1, 2, 4, MOST),
        ("biology", "mixed"),
    ),
    Term(
        "beside",
        "the same given the other dimensions too, where any is its rival",
        _linked_beside,
        (0, 1, 2, 4, MOST),
        ("biology", "mixed"),
    ),
    Term("needed", "largest loss of an outcome without it, in standard errors", _needed, (0, 1, 3)),
    Term(
        "confounder",
        "largest share of a confounder",
        _share("confounder"),
        (0, 0.1, 0.4, 0.8),
        ("confounder", "mixed"),
    ),
    Term(
        "confounder_q",
        "-log10 q of a confounder",
        _covariate("confounder"),
        (0, 2, 6),
        ("confounder", "mixed"),
    ),
    Term(
        "technical",
        "largest share of a technical covariate, or of all together",
        _share("technical"),
        (0, 0.1, 0.4, 0.8),
        ("technical", "mixed"),
    ),
    Term(
        "technical_q",
        "-log10 q of a technical covariate",
        _covariate("technical"),
        (0, 2, 6),
        ("technical", "mixed"),
    ),
    Term("inseparable", "whether an outcome cannot be told from a covariate", _separated, (0, 1)),
    Term("joint", "a link with such an outcome, not adjusted: 0, suspected (.5), called (1)", _entangled, (0, 0.5, 1)),
    Term("size", "donors of the outcome that has most, log2", lambda e: math.log2(max(_size(e), 1.0)), (5, 6, 7, 9)),
)


def terms_of(evidence: list[Evidence]) -> pd.DataFrame:
    """(D, 1 + terms) the evidence on every dimension, summed up: ``probing/odds.tsv``."""
    rows = [{"dim": item.dim, **{term.name: float(term.value(item)) for term in TERMS}} for item in evidence]
    return pd.DataFrame(rows, columns=["dim", *(term.name for term in TERMS)])


def pieces_of(terms: pd.DataFrame) -> pd.DataFrame:
    """(D, 1 + pieces) columns of the regression, the first of them 1."""
    columns = {"always": np.ones(len(terms))}
    for term in TERMS:
        columns |= dict(zip(term.pieces, term.columns(terms[term.name].to_numpy(dtype=float)).T, strict=True))
    return pd.DataFrame(columns)


def odds_of(terms: pd.DataFrame, coefficients: pd.DataFrame) -> pd.DataFrame:
    """(D, ROLES) probability of every role, which sum to 1.

    Parameters
    ----------
    terms : of :func:`terms_of`
    coefficients : pieces x roles but the last, of :func:`coefficients_for`
    """
    against_none = pieces_of(terms)[list(coefficients.index)].to_numpy() @ coefficients.to_numpy()
    score = np.column_stack([against_none, np.zeros(len(terms))])
    return pd.DataFrame(special.softmax(score, axis=1), columns=list(ROLES))


def odds_by_dimension(evidence: list[Evidence], terms: pd.DataFrame, coefficients: pd.DataFrame) -> list[dict]:
    """Odds of every dimension by role (:func:`odds_of`); empty where there are none to give.

    A dimension that the folds did not find again has no held-out latents of its own, so nothing can be said of it; and
    where every task is a covariate too, no dimension can be biology: planted cohorts always had an outcome.
    """
    likely = odds_of(terms, coefficients).to_dict("records")
    return [
        odds if item.outcomes and not item.stability < RETURNS else {}
        for item, odds in zip(evidence, likely, strict=True)
    ]


def coefficients_for(kind: str | None) -> pd.DataFrame | None:
    """Coefficients for runs of a kind (a key of :data:`mtlbio.probing.rates.SPEAK_FOR`); None where there are none."""
    own = _shipped()[lambda table: table["kind"] == BORNE_OUT.get(str(kind), kind)]
    return own.drop(columns="kind").set_index("piece")[list(ROLES[:-1])] if len(own) else None


@cache
def _shipped() -> pd.DataFrame:
    with resources.as_file(SHIPPED / "odds.tsv") as path:
        return read_table(path, COLUMNS)
