"""From scored dimensions to the rates that ship with the package, which :mod:`mtlbio.probing.rates` reads."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from mtlbio.probing.rates import ANY_FALSE, COLUMNS, FOUND, NO_CLAIM, SHIPPED, shipped_found, shipped_rates, wilson
from mtlbio.tables import write_table

_SPEAKS_AS = {"levels": "axes"}  # part of the grid -> part that its rates are of


def error_rates(rows: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Rates from the scored rows of the parts of the grid, by level of ``probe.alpha``."""
    out = []
    for part, found in rows.items():
        claims = found[found["verdict"] != NO_CLAIM]
        for (alpha, donors, separation, verdict), own in claims.groupby(["alpha", "donors", "separation", "verdict"]):
            wrong = int(own["wrong"].astype(bool).sum())
            out.append(
                (
                    _SPEAKS_AS.get(part, part),
                    alpha,
                    donors,
                    separation,
                    verdict,
                    len(own),
                    wrong,
                    *wilson(wrong, len(own)),
                )
            )
    return pd.DataFrame(out, columns=COLUMNS)


def found_rates(rows: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """What was found, per part, size and separation: dimensions of a planted role with the right verdict, and runs with
    any false biology."""
    out = []
    for part, own in rows.items():
        for (donors, separation), cell in own.groupby(["donors", "separation"]):
            for role, dims in cell.groupby("role"):
                hits = int(dims["right"].astype(bool).sum())
                out.append((part, donors, separation, role, len(dims), hits, *wilson(hits, len(dims))))
            runs = cell.groupby(["cell", "run"])["false_biology"].any()
            hits = int(runs.sum())
            out.append((part, donors, separation, ANY_FALSE, len(runs), hits, *wilson(hits, len(runs))))
    return pd.DataFrame(out, columns=FOUND)


def write_rates(errors: pd.DataFrame, found: pd.DataFrame) -> None:
    """Replace the rates that ship with the package; parts (at a level) that were not made again keep theirs."""
    errors = _replacing(shipped_rates(), errors, ["part", "alpha"])
    found = _replacing(shipped_found(), found, ["part"])
    write_table(errors, Path(str(SHIPPED)) / "error_rates.tsv", COLUMNS)
    write_table(found, Path(str(SHIPPED)) / "found.tsv", FOUND)


def _replacing(shipped: pd.DataFrame, new: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """The rows of both; of what was made anew, the new ones alone."""
    if new.empty:
        return shipped
    made = pd.MultiIndex.from_frame(shipped[by]).isin(pd.MultiIndex.from_frame(new[by]))
    return pd.concat([shipped[~made], new], ignore_index=True)
