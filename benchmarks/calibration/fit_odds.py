"""The odds of a dimension: fitted on cohorts whose axes hold anything, tried on designs that were not used for it.

    python benchmarks/calibration/grid.py mixtures --full     # what they are fitted on
    python benchmarks/calibration/grid.py axes --full         # what they are tried on; also designs and pipeline
    python benchmarks/calibration/fit_odds.py [--write]       # coefficients into the package, numbers into docs/odds.md
    python benchmarks/calibration/fit_odds.py --shipped latents [--write]       # those that ship, on cohorts of another
                                                              # kind of run: are they borne out there too?

A multinomial logistic regression, fitted by maximum likelihood with a ridge that is worth one dimension. Coefficients
of a piece on the roles that its term speaks for are held at zero or more.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import pandas as pd
from scipy import optimize, special
from sklearn.metrics import roc_auc_score

from benchmarks.calibration.grid import GRIDS, collected
from benchmarks.calibration.other_models import even_mix
from benchmarks.calibration.pages import DOCS, between
from benchmarks.calibration.score import TERM
from benchmarks.calibration.truth import class_of
from mtlbio.probing.odds import COLUMNS, ROLES, TERMS, coefficients_for, odds_of, pieces_of
from mtlbio.probing.rates import NO_CLAIM, PARTS, SHIPPED
from mtlbio.tables import write_table

FITTED, TRIED = "mixtures", ("axes", "designs", "pipeline")
RIDGE = 1.0
BINS = 10
NAMES = PARTS | {"designs": "designs of real cohorts", "mixtures": "what they are fitted on"}


def terms_in(rows: pd.DataFrame) -> pd.DataFrame:
    """The terms of every kept row."""
    columns = rows.filter(regex=f"^{TERM}")
    return columns.rename(columns=lambda name: name.removeprefix(TERM)).reset_index(drop=True)


def classes_in(rows: pd.DataFrame, part: str) -> np.ndarray:
    """(n,) place in ``ROLES`` of what every planted dimension is."""
    cells = {cell.name: cell for full in (False, True) for cell, _ in GRIDS[part][0](full)}
    pairs = zip(rows["cell"], rows["role"].str.removeprefix("idle "), strict=True)
    return np.array([ROLES.index(class_of(role, cells[cell].world)) for cell, role in pairs])


def fitted(terms: pd.DataFrame, classes: np.ndarray) -> pd.DataFrame:
    """Coefficients, pieces x roles but the last."""
    pieces = pieces_of(terms)
    x, roles = pieces.to_numpy(), len(ROLES) - 1
    truth = np.eye(len(ROLES))[classes]
    held = {piece: term.speaks_for for term in TERMS for piece in term.pieces}
    bounds = [(0.0 if role in held.get(piece, ()) else None, None) for piece in pieces for role in ROLES[:-1]]

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        b = flat.reshape(-1, roles)
        score = np.column_stack([x @ b, np.zeros(len(x))])
        slope = b * (pieces.columns != "always")[:, None] * RIDGE
        value = (special.logsumexp(score, axis=1) - (truth * score).sum(axis=1)).sum() + 0.5 * (slope * b).sum()
        return value, (x.T @ (special.softmax(score, axis=1) - truth)[:, :roles] + slope).ravel()

    options = {"maxiter": 5000, "maxfun": 10_000}
    start = np.zeros(x.shape[1] * roles)
    best = optimize.minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    return pd.DataFrame(best.x.reshape(-1, roles), index=pieces.columns, columns=list(ROLES[:-1]))


def calibration_error(said: np.ndarray, is_so: np.ndarray) -> float:
    """Expected calibration error: mean distance of what was said (n,) and how often it was so, over ten bins of equal
    width weighted by what falls into them (Naeini, Cooper & Hauskrecht 2015, AAAI).

    Examples
    --------
    >>> round(calibration_error(np.array([0.25, 0.25, 0.85]), np.array([0, 1, 1])), 4)
    0.2167
    """
    place = np.minimum((np.asarray(said) * BINS).astype(int), BINS - 1)
    table = pd.DataFrame({"said": said, "so": is_so, "bin": place}).groupby("bin").agg(["mean", "size"])
    gap = (table["said"]["mean"] - table["so"]["mean"]).abs()
    return float((gap * table["said"]["size"]).sum() / len(place))


def tried(rows: pd.DataFrame, odds: pd.DataFrame, classes: np.ndarray) -> dict[str, float]:
    """How good the odds of some dimensions are."""
    values = odds.to_numpy()
    best, open_ = values.argmax(axis=1), (rows["verdict"] == NO_CLAIM).to_numpy()
    out = {"n": len(rows), "right": float((best == classes).mean())}
    out["calibration"] = calibration_error(values.max(axis=1), best == classes)
    out["calibration_biology"] = calibration_error(values[:, 0], classes == 0)
    out["open"], out["open_biology"] = int(open_.sum()), int((classes[open_] == 0).sum())
    both = 0 < out["open_biology"] < out["open"]
    out["auroc"] = float(roc_auc_score(classes[open_] == 0, values[open_, 0])) if both else np.nan
    out["calibration_open"] = calibration_error(values[open_, 0], classes[open_] == 0) if open_.any() else np.nan
    return out


def report(made: dict[str, pd.DataFrame], coefficients: pd.DataFrame) -> pd.DataFrame:
    """A line per part and size, of the designs that were not fitted and of all together."""
    out = []
    for part, rows in made.items():
        odds, classes = odds_of(terms_in(rows), coefficients), classes_in(rows, part)
        for donors in [None, *sorted(rows["donors"].unique())]:
            own = (rows["donors"] == donors).to_numpy() if donors else np.ones(len(rows), dtype=bool)
            out.append({"part": part, "donors": donors or "all", **tried(rows[own], odds[own], classes[own])})
    return pd.DataFrame(out)


def worst_cells(part: str, rows: pd.DataFrame, coefficients: pd.DataFrame) -> pd.DataFrame:
    """Calibration error of every cell, the worst first."""
    odds, classes = odds_of(terms_in(rows), coefficients), classes_in(rows, part)
    out = []
    for cell in rows["cell"].unique():
        own = (rows["cell"] == cell).to_numpy()
        out.append({"part": part, "cell": cell, **tried(rows[own], odds[own], classes[own])})
    return pd.DataFrame(out).sort_values("calibration", ascending=False)


def try_shipped(part: str, write: bool, latest: bool) -> None:
    """How good the odds that ship are on cohorts of another kind of run, half of which hold something."""
    rows = collected(part, latest)
    rows = even_mix(rows[rows[f"{TERM}link"].notna()].reset_index(drop=True))  # kept rows have no terms
    coefficients = coefficients_for("measurements")
    table = report({part: rows}, coefficients)
    print(table.to_string(index=False, float_format="{:.3f}".format))
    print(worst_cells(part, rows, coefficients).to_string(index=False, float_format="{:.3f}".format))
    if write:
        between(DOCS / "odds.md", "\n".join(goodness(table)), f"<!-- {part} -->")


def page(table: pd.DataFrame, mix: pd.Series, coefficients: pd.DataFrame) -> str:
    """What ``docs/odds.md`` says in numbers."""
    shares = ", ".join(f"{100 * mix[role]:.0f} % {role}" for role in ROLES)
    lines = [f"Mix of the {mix.attrs['n']:,} dimensions that they are fitted on: {shares}.", "", *goodness(table)]
    lines += ["", "| piece | " + " | ".join(ROLES[:-1]) + " |", "|---|" + "---|" * (len(ROLES) - 1)]
    lines += [f"| {name} | " + " | ".join(f"{v:+.2f}" for v in row) + " |" for name, row in coefficients.iterrows()]
    return "\n".join(lines)


def goodness(table: pd.DataFrame) -> list[str]:
    """A line per row of :func:`report`."""
    lines = ["| | donors | dimensions | likeliest role is right, % | calibration error | of `odds_biology` |"]
    lines[-1] += " `underpowered` (biology) | AUROC of `odds_biology` among them | calibration error there |"
    lines.append("|---|---|---|---|---|---|---|---|---|")
    for row in table.itertuples():
        auroc = "" if np.isnan(row.auroc) else f"{row.auroc:.3f}"
        whole = f"{row.n:,} | {100 * row.right:.1f} | {row.calibration:.3f} | {row.calibration_biology:.3f}"
        open_ = f"{row.open:,} ({row.open_biology:,}) | {auroc} | {row.calibration_open:.3f}"
        lines.append(f"| {NAMES[row.part]} | {row.donors} | {whole} | {open_} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="ship the coefficients, and write docs/odds.md")
    parser.add_argument("--latest", action="store_true", help="cells of the sources that made the newest one")
    parser.add_argument("--shipped", choices=["latents"], help="try the shipped coefficients on cohorts of this part")
    given = parser.parse_args()
    if given.shipped:
        try_shipped(given.shipped, given.write, given.latest)
        return
    made = {part: collected(part, given.latest) for part in (FITTED, *TRIED)}
    made = {part: rows for part, rows in made.items() if len(rows)}
    if FITTED not in made:
        raise SystemExit("no cells of the mixtures yet: python benchmarks/calibration/grid.py mixtures")
    classes = classes_in(made[FITTED], FITTED)
    coefficients = fitted(terms_in(made[FITTED]), classes)
    table = report(made, coefficients)
    print(table.to_string(index=False, float_format="{:.3f}".format))
    print(coefficients.to_string(float_format="{:+.2f}".format))
    cells = [worst_cells(part, rows, coefficients) for part, rows in made.items() if part != FITTED]
    if cells:
        print(pd.concat(cells).head(40).to_string(index=False, float_format="{:.3f}".format))
    if given.write:
        shipped = coefficients.round(3).rename_axis("piece").reset_index().assign(kind="measurements")
        write_table(shipped[COLUMNS], Path(str(SHIPPED)) / "odds.tsv", COLUMNS)
        mix = pd.Series(np.bincount(classes, minlength=len(ROLES)) / len(classes), list(ROLES))
        mix.attrs["n"] = len(classes)
        between(DOCS / "odds.md", page(table, mix, coefficients))


if __name__ == "__main__":
    main()
