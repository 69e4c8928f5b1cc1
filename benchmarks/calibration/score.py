"""Scores of verdicts against the planted truth: the same for mtlbio and for the tools it is compared with."""

from __future__ import annotations

import numpy as np
import pandas as pd

from benchmarks.calibration.cells import Cell
from benchmarks.calibration.truth import right_verdicts
from mtlbio.probing.rates import NO_CLAIM, wilson

# programmes and features that drive an outcome in some designs
DRIVERS = ("interferon", "enzyme", "inhibitor")
# one row per dimension of a planted cohort
ROWS = [
    "cell",
    "alpha",
    "donors",
    "separation",
    "run",
    "dim",
    "role",
    "verdict",
    "wanted",
    "right",
    "wrong",
    "false_biology",
]

TERM = "term_"  # beginning of the columns with what the odds of a dimension rest on


def scored(
    cell: Cell, run: int, dims: list[str], roles: list[str], verdicts: list[str], about: list[str] | None = None
) -> pd.DataFrame:
    """Rows with the columns ``ROWS``, one per dimension.

    ``wanted`` is the verdict that was given where that is right, else the first of the right ones. ``wrong``: it claims
    something that is not so. ``false_biology``: ``biology`` is said of a dimension that is none, or that nobody could
    know to be. A dimension that could drive an outcome and drives nothing is called ``idle``. ``about``: the outcome
    that each verdict is about, where it is known.
    """
    rows = []
    for dim, role, verdict, task in zip(dims, roles, verdicts, about or [None] * len(dims), strict=True):
        right = right_verdicts(role, cell.world, task)
        role = f"idle {role}" if role in DRIVERS and "unused" in right else role
        wanted = verdict if verdict in right else _first(right)
        false = verdict == "biology" and verdict not in right
        judged = (verdict in right, verdict not in right and verdict != NO_CLAIM, false)
        place = (cell.name, cell.alpha, cell.donors, cell.changes["batch_disease"], run)
        rows.append((*place, dim, role, verdict, wanted, *judged))
    return pd.DataFrame(rows, columns=ROWS)


def firm_p(association: pd.DataFrame, dims: list[str]) -> np.ndarray:
    """(D,) family-wise p where an outcome stands given the other dimensions: what another level of firmness would have
    called biology can be read from kept rows. NaN where none stands."""
    standing = association[association["own"].eq(True)]
    return standing.groupby("dim")["p_familywise"].min().reindex(dims).to_numpy(dtype=float)


def rescored(rows: pd.DataFrame, cells: dict[str, Cell]) -> pd.DataFrame:
    """Kept rows by what is right today; ``cells`` by name. Further columns stay, cells that are no more are dropped."""
    out = []
    for (name, run), own in rows.groupby(["cell", "run"], sort=False):
        if name in cells:
            roles = own["role"].str.removeprefix("idle ")
            about = list(own["about"]) if "about" in own else None
            fresh = scored(cells[name], run, list(own["dim"]), list(roles), list(own["verdict"]), about)
            out.append(fresh.join(own.drop(columns=ROWS, errors="ignore").reset_index(drop=True)))
    return pd.concat(out, ignore_index=True) if out else pd.DataFrame(columns=ROWS)


def _first(right: frozenset[str]) -> str:
    """The definite verdict before the refusing ones."""
    order = ("biology", "confounder", "technical", "unused", "mixed", "not_identifiable")
    return next(v for v in order if v in right)


def any_false_biology(rows: pd.DataFrame) -> pd.DataFrame:
    """Per cell: runs with any false ``biology``, with the Wilson interval."""
    runs = rows.groupby(["cell", "run"], sort=False)["false_biology"].any()
    out = []
    for cell, hits in runs.groupby("cell", sort=False):
        rate, low, high = wilson(int(hits.sum()), len(hits))
        out.append((cell, len(hits), int(hits.sum()), rate, low, high))
    return pd.DataFrame(out, columns=["cell", "runs", "false_runs", "rate", "low", "high"])


def recall(rows: pd.DataFrame) -> pd.DataFrame:
    """Per cell and role: share of right verdicts and of ``underpowered`` ones, with the Wilson interval."""
    out = []
    for (cell, role), own in rows.groupby(["cell", "role"], sort=False):
        rate, low, high = wilson(int(own["right"].sum()), len(own))
        open_ = float((own["verdict"] == NO_CLAIM).mean())
        out.append((cell, role, len(own), rate, low, high, open_, float(own["wrong"].mean())))
    return pd.DataFrame(out, columns=["cell", "role", "n", "right", "low", "high", "underpowered", "wrong"])


def confusion(rows: pd.DataFrame) -> pd.DataFrame:
    """Counts of planted role x verdict."""
    return pd.crosstab(rows["role"], rows["verdict"])


def macro_f1(rows: pd.DataFrame) -> float:
    """Mean over verdicts of F1; a dimension's class is ``wanted``.

    ``underpowered`` is an answer withheld: it costs recall and no precision.
    """
    scores = []
    classes = sorted({v for v in rows["wanted"] if v != NO_CLAIM})
    for verdict in classes:
        truth, said = rows["wanted"] == verdict, rows["verdict"] == verdict
        hits = int((truth & said).sum())
        scores.append(2 * hits / max(int(truth.sum() + said.sum()), 1))
    return float(np.mean(scores)) if scores else np.nan
