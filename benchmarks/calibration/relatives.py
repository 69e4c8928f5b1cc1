"""Does the test of a label hold its level where relatives were measured, and what if they count as strangers?

    python benchmarks/calibration/relatives.py [--draws 400] [--write]

Nothing is linked with anything: dimensions run in families (intraclass correlation .6), and so does the label, by .6 or
as a whole. Prints how often p is below .05 and below .001 with donors as clusters; with families and G - 1 degrees of
freedom; with families and the trial's own (:func:`mtlbio.probing.inference.satterthwaite`); and with the
randomisation too,
as the trial has it.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from scipy import stats

from benchmarks.calibration.pages import DOCS, between
from mtlbio.probing.design import Nuisance, orthonormal
from mtlbio.probing.inference import Contrast
from mtlbio.probing.units import Units, donor_units
from mtlbio.progress import track

DIMS, CORRELATION = 20, 0.6
FAMILIES = {
    "60 of 2": [2] * 60,
    "30 of 4": [4] * 30,
    "10 of 4": [4] * 10,
    "30 of 1 to 12": list(range(1, 13)) * 2 + [1, 2, 4, 6, 8, 10],
    "12, a third of all in one": [20, 12, 8, 6, 5, 4, 3, 3, 2, 2, 1, 1],
}
WAYS = {"donors": "donors", "g-1": "families, G - 1", "own": "families", "both": "families, both tests"}


def units_of(sizes: list[int]) -> Units:
    """A unit per donor, families as clusters."""
    names = np.array([f"d{i:04d}" for i in range(sum(sizes))])
    return donor_units(
        names, np.ones(len(names), dtype=bool), np.repeat([f"F{k:03d}" for k in range(len(sizes))], sizes)
    )


def in_families(units: Units, columns: int, correlation: float, rng: np.random.Generator) -> np.ndarray:
    """(units, columns) normal values with an intraclass correlation."""
    common = rng.normal(size=(units.clusters, columns))[units.cluster]
    return np.sqrt(correlation) * common + np.sqrt(1 - correlation) * rng.normal(size=(len(units), columns))


def rejections(sizes: list[int], correlation: float, draws: int) -> pd.DataFrame:
    """Share of the dimensions with p below each level, a row per draw of a label and way to test it."""
    rng, units = np.random.default_rng([len(sizes), draws]), units_of(sizes)
    alone = replace(units, cluster=np.arange(len(units)), donor=None)
    rows = []
    for draw in range(draws):
        label = (in_families(units, 1, correlation, rng) > 0).astype(float)
        z = in_families(units, DIMS, CORRELATION, rng)
        given = np.column_stack([np.ones(len(units)), in_families(units, 3, 0.3, rng)])
        nuisance = Nuisance(orthonormal(given), np.zeros(len(units), dtype=int), ())
        test, strangers = Contrast(label, nuisance, units), Contrast(label, nuisance, alone)
        if not test.estimable:
            continue
        wald = test.wald(z)
        p = {"donors": strangers.wald(z).p, "g-1": stats.f.sf(wald.f, 1, units.clusters - 1), "own": wald.p}
        p["both"] = np.maximum(wald.p, test.randomisation(z, 199, draw))
        rows += [
            {"way": way, "draw": draw, "5": (v <= 0.05).mean(), "0.1": (v <= 0.001).mean()} for way, v in p.items()
        ]
    return pd.DataFrame(rows)


def table_of(draws: int) -> list[str]:
    """The table of docs/families.md."""
    out = [f"| families | label | {' | '.join(WAYS.values())} |", "|---" * (len(WAYS) + 2) + "|"]
    for name, sizes in track(FAMILIES.items(), "families", len(FAMILIES)):
        for correlation, words in ((0.6, "runs in them"), (0.999, "all of one")):
            found = rejections(sizes, correlation, draws).groupby("way")[["5", "0.1"]].mean() * 100
            cells = [f"{found.at[way, '5']:.1f} / {found.at[way, '0.1']:.2f}" for way in WAYS]
            out.append(f"| {name} | {words} | {' | '.join(cells)} |")
    return [*out, "", f"% of {DIMS} dimensions x {draws:,} labels with p below .05 / below .001."]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=400)
    parser.add_argument("--write", action="store_true", help="write the table into docs/families.md")
    given = parser.parse_args()
    lines = table_of(given.draws)
    if given.write:
        between(DOCS / "families.md", "\n".join(lines), "<!-- level -->")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
