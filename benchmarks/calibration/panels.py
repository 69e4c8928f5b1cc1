"""Does the smallest panel hold the features that act, and is a batch marker in it named?

    python benchmarks/calibration/panels.py [--cohorts 20]

Plants cohorts of 300 donors and 2,000 features in correlated tens, 12 of which act on a disease, a severity and a
response that 60 % have. Prints of how many cohorts a smallest panel was shown to be no worse, how large it is, and how
many of the 12 are in it; then the same cohorts with three markers of a batch that goes with the disease (P = .85): how
often a marker sits in the panel, how often its sentence names the batch, and how often it names the batch where nothing
follows it. A quarter of an hour on an idle core.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort, CovariateInfo
from mtlbio.cohort.split import make_splits
from mtlbio.config import Probe, Splits
from mtlbio.evaluation.panel.chosen import FINAL, SHARED, Panels, choose_panels
from mtlbio.evaluation.panel.front import Scored, looked_at, smallest
from mtlbio.kinds.vocabulary import DONORS
from mtlbio.labels import Binary, Regression
from mtlbio.probing.panel import try_panel
from mtlbio.report.smaller_panel import covariate_sentence

SIZES = (6, 12, 18, 24, 30, 60)
BLOCK, WITHIN = 10, 0.5  # features that are correlated, and how much
MARKERS = 3
TASKS = {
    "disease": Binary("disease", ("control", "case")),
    "severity": Regression("severity"),
    "response": Binary("response", ("no", "yes")),
}
BATCH = {"batch": CovariateInfo("batch", "technical", "categorical")}


def planted(
    seed: int, donors: int = 300, features: int = 2000, causal: int = 12, markers: int = 0
) -> tuple[Cohort, list[str]]:
    """A cohort in memory and the names of its features that act; the first ``markers`` features tell the batch."""
    rng = np.random.default_rng([seed, features])
    blocks = features // BLOCK
    common = np.repeat(rng.normal(size=(donors, blocks)), BLOCK, axis=1)
    x = np.sqrt(WITHIN) * common + np.sqrt(1 - WITHIN) * rng.normal(size=(donors, features))
    place = np.sort((1 + rng.choice(blocks - 1, causal, replace=False)) * BLOCK + rng.integers(BLOCK, size=causal))
    weights = rng.choice([-1, 1], size=(causal, 3)) * rng.uniform(0.6, 1.0, size=(causal, 3))
    lead = x[:, place] @ weights / np.sqrt(np.square(weights).sum(axis=0))
    case = rng.random(donors) < 1 / (1 + np.exp(-2.5 * lead[:, 0]))
    severity, response = lead[:, 1:].T + 0.6 * rng.normal(size=(2, donors))
    half = np.where(rng.random(donors) < 0.85, case, ~case)
    x[:, :markers] += 2.0 * half[:, None]
    obs = pd.DataFrame(
        {
            "donor": [f"P{i:04d}" for i in range(donors)],
            "disease": np.where(case, "case", "control"),
            "severity": severity,
            "response": pd.Series(np.where(response > 0, "yes", "no"), dtype=object).where(rng.random(donors) < 0.6),
            "batch": np.char.add("B", (2 * half + rng.integers(2, size=donors)).astype(str)),
        }
    )
    obs.index = pd.Index([f"S{i:04d}" for i in range(donors)])
    names = tuple(f"G{j:04d}" for j in range(features))
    preprocessing = {"kind": "cohort", "scale": "log2"}
    cohort = Cohort(x.astype(np.float32), names, obs, dict(TASKS), dict(BATCH), preprocessing)
    return cohort, [names[j] for j in place]


def scored_panels(cohort: Cohort, sizes: tuple[int, ...] = SIZES, draws: int = 1000, margin: float = 0.02) -> Scored:
    """Panels of a cohort, compared as ``mtlbio panel`` compares them."""
    splits = make_splits(cohort, Splits())
    panels = choose_panels(cohort, splits, sizes, len(cohort.genes))
    return Scored(cohort, panels, draws, 0, margin)


def found(seed: int, **options: int) -> dict[str, float]:
    """Of one cohort: whether a panel was shown to do, its size, and how many features that act are in it."""
    cohort, causal = planted(seed, **options)
    scored, tasks = scored_panels(cohort), list(cohort.tasks)
    row = [(SHARED, "", float(size)) for size in SIZES]
    does = smallest(scored, row, tasks)
    chosen = looked_at(scored, row, tasks)
    inside = {cohort.genes[j] for j in scored.panels.members[chosen, FINAL]}
    return {"shown": does is not None, "size": len(inside), "of 12": len(inside & set(causal))}


def told(seed: int, markers: int, size: int = 24, **options: int) -> dict[str, float]:
    """Of one cohort with a batch: whether a marker is in the panel of all donors, and whether the batch is named."""
    cohort, _ = planted(seed, markers=markers, **options)
    scored = scored_panels(cohort, (size,))
    inside = scored.panels.members[(SHARED, "", float(size)), FINAL]
    sentence, follows = sentence_of(cohort, scored.panels, size)
    marked = [cohort.genes[j] for j in inside if j < markers]
    named = follows.loc[(follows["covariate"] == "batch") & (follows["call"] == "follows"), "dim"]
    row = {"in the panel": bool(marked), "batch named": "batch" in sentence}
    return row | {"marker named": bool(set(marked) & set(named))}


def sentence_of(cohort: Cohort, panels: Panels, size: int) -> tuple[str, pd.DataFrame]:
    """What ``mtlbio panel`` says of covariates in the shared panel of a size, and the table behind it."""
    panel = (SHARED, "", float(size))
    fold = make_splits(cohort, Splits())["fold"].to_numpy()
    values = {cohort.genes[j]: cohort.expression[:, j].astype(float) for j in panels.members[panel, FINAL]}
    scores = {(task, part): z for task in cohort.tasks for part, z in panels.scores[panel, task].items()}
    options = Probe(permutations=199, bootstrap=100)
    verdicts, follows = try_panel(cohort, fold, scores, values, options, DONORS)
    return covariate_sentence(follows, verdicts, list(cohort.tasks)), follows


def main(cohorts: int) -> None:
    """Print the counts."""
    table = pd.DataFrame([found(seed) for seed in range(cohorts)]).astype(float)
    print(table.to_string(index=False, float_format="{:.0f}".format))
    good = (table["shown"] == 1) & (table["size"] <= 30) & (table["of 12"] >= 9)
    print(f"{cohorts} cohorts: shown in {table['shown'].sum():.0f}, 30 or fewer with 9 or more in {good.sum()}")
    for markers in (MARKERS, 0):
        shares = pd.DataFrame([told(seed, markers) for seed in range(cohorts)]).mean()
        print(f"{markers} markers: " + ", ".join(f"{name} in {share:.0%}" for name, share in shares.items()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohorts", type=int, default=20, help="planted cohorts")
    options = parser.parse_args()
    main(options.cohorts)
