"""From a tool's answer to verdicts. No tool gives verdicts; these are the readings its users would make of it.

Tests of association are read in three ways, because none of the tools prescribes one:

``disease first``
    a component that is associated with an outcome is biology, else with the batch technical, else with age or sex a
    confounder: what a paper says that reports "factor 3 is associated with disease (q = .001)".
``smallest q``
    the column with the strongest evidence names the component.
``cautious``
    biology only where an outcome and no covariate is associated; outcome and covariate together are ``mixed``, or
    ``not_identifiable`` where every batch holds one disease state only, which a look at the table of counts shows.

A share of variance is read as the component's name where the largest reaches a threshold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

ALPHA = 0.05
ROLES = {
    "disease": "biology",
    "response": "biology",
    "batch": "technical",
    "age": "confounder",
    "sex": "confounder",
}
CATEGORICAL = ("disease", "response", "batch", "sex")
SHARES = (0.05, 0.1, 0.25, 0.5)
# where two columns tie, the one that claims less names the component
_MODEST = ("technical", "confounder", "biology")


@dataclass(frozen=True)
class Read:
    """What a tool says of one cohort.

    Attributes
    ----------
    components : (n, k) the tool's own components or factors
    verdicts : how the answer is read -> one verdict per component
    """

    components: np.ndarray
    verdicts: dict[str, list[str]]


def known(obs: pd.DataFrame) -> list[str]:
    """Columns with a role that the cohort has, in the order of ``ROLES``."""
    return [c for c in ROLES if c in obs]


def nested(obs: pd.DataFrame) -> bool:
    """Whether every batch holds samples of one disease state only."""
    return bool((obs.groupby("batch", observed=True)["disease"].nunique() == 1).all())


def read_tests(q: pd.DataFrame, obs: pd.DataFrame) -> dict[str, list[str]]:
    """Verdicts by reading, from the adjusted p-values (components x columns; NA: not tested)."""
    q = q.fillna(1.0)
    ways: dict[str, Callable[[pd.Series], str]] = {
        "disease first": _disease_first,
        "smallest q": _smallest,
        "cautious": lambda row: _cautious(row, nested(obs)),
    }
    return {name: [way(row) for _, row in q.iterrows()] for name, way in ways.items()}


def _disease_first(row: pd.Series) -> str:
    said = {ROLES[c] for c in row.index if row[c] <= ALPHA}
    return next((v for v in ("biology", "technical", "confounder") if v in said), "unused")


def _smallest(row: pd.Series) -> str:
    if row.min() > ALPHA:
        return "unused"
    tied = {ROLES[c] for c in row.index if row[c] == row.min()}
    return next(v for v in _MODEST if v in tied)


def _cautious(row: pd.Series, one_state_per_batch: bool) -> str:
    said = {ROLES[c] for c in row.index if row[c] <= ALPHA}
    if "biology" not in said:
        return _smallest(row)
    if one_state_per_batch and "technical" in said:
        return "not_identifiable"
    return "biology" if said == {"biology"} else "mixed"


def read_shares(shares: pd.DataFrame, redundant: bool) -> dict[str, list[str]]:
    """Verdicts by threshold, from the shares of variance (components x columns, 0-1; without the residual).

    Parameters
    ----------
    redundant : disease and batch hold the same information, so that neither can be named
    """
    out: dict[str, list[str]] = {}
    for least in SHARES:
        said = []
        for _, row in shares.iterrows():
            top = row.idxmax()
            if row[top] < least:
                said.append("unused")
            elif redundant and top in ("disease", "batch"):
                said.append("not_identifiable")
            else:
                said.append(ROLES[str(top)])
        out[f"largest share >= {least:g}".replace("0.", ".")] = said
    return out
