"""Which rule finds most at the error that is promised? Seven ways to tell over all axes and outcomes what is firm.

    python benchmarks/calibration/rules.py [--runs 100] [--workers 2] [--write]

On planted cohorts with given axes every rule reads the same tests, and whatever it finds has to pass the same second
test given the other dimensions and the same verdict. Prints, per rule, the share of cohorts with any false biology
(mean and worst cell) and of interferon axes that become biology. Half of ``probe.alpha`` is spent by each.
"""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from scipy import stats

from benchmarks.calibration.cells import ARMS, BASE, Cell
from benchmarks.calibration.given_axes import trial_of
from benchmarks.calibration.pages import DOCS, between
from benchmarks.calibration.planted import plant
from benchmarks.calibration.roles import role_of
from benchmarks.calibration.score import any_false_biology, scored
from benchmarks.shared.places import RESULTS
from mtlbio.probing import linked
from mtlbio.probing.association import association
from mtlbio.probing.by_class import by_class
from mtlbio.probing.collect_evidence import collect_evidence
from mtlbio.probing.leakage import leakage
from mtlbio.probing.stability import stability
from mtlbio.probing.trial import Trial
from mtlbio.probing.verdict import judge
from mtlbio.progress import console, track
from mtlbio.tables import write_table

CELLS = [
    *[("base", n) for n in (40, 80, 200)],
    *[("interferon 1.5", n) for n in (80, 500)],
    *[("nothing causes anything", n) for n in (80, 200)],
    *[("disease follows age only, P .85", n) for n in (80, 200)],
    *[("interferon rises with age, r .6", n) for n in (80, 200)],
    *[("programmes overlap", n) for n in (80, 200)],
    *[(arm, 80) for arm in ("P(batch = disease) .85", "4 batches, P .85", "latent too large: 20 idle axes")],
    *[(arm, 80) for arm in ("age acts as a step", "the age axis turns with the batch", "response through the batch")],
]

SHOWN = ("base, 40 donors", "base, 80 donors", "P(batch = disease) .85, 80 donors", "programmes overlap, 80 donors")
SHOWN += ("interferon rises with age, r .6, 80 donors", "latent too large: 20 idle axes, 80 donors")


def rules(trial: Trial, effects: pd.DataFrame, shares: np.ndarray) -> dict[str, np.ndarray]:
    """p (D,) of every dimension by rule, 1 outside the linked."""
    dims = np.flatnonzero(shares < trial.options.share_dominant).tolist()
    tests = linked.outcome_tests(trial)
    each = [test.evidence(dims, []) for test in tests]
    observed, null = np.array([seen for seen, _ in each]), np.array([flips for _, flips in each])
    single = np.exp(-observed)
    counted = (1 + (null.sum(axis=0) >= observed.sum(axis=0)).sum(axis=0)) / (1 + null.shape[1])
    cauchy = stats.cauchy.sf(np.tan((0.5 - np.clip(single, 1e-15, 1 - 1e-12)) * np.pi).mean(axis=0))
    within = {
        "flips of the sum": linked.step_down(observed.sum(axis=0), null.sum(axis=0)),
        "flips of the larger": linked.step_down(observed.max(axis=0), null.max(axis=0)),
        "Fisher by flips, then Holm": adjust_familywise(counted),
        "Cauchy combination, then Holm": adjust_familywise(cauchy),
        "closed testing of e-values": closed_e((0.5 / np.sqrt(single)).mean(axis=0)),
    }
    out = {}
    for rule, p in within.items():
        out[rule] = np.ones(len(trial.dims))
        out[rule][dims] = p
    rows = effects[(effects["question"] == "task") & effects["variable"].isin(trial.outcomes)]
    holm = rows.assign(p=adjust_familywise(rows["p"].to_numpy())).groupby("dim")["p"].min()
    out["Holm over axes and outcomes"] = holm.reindex(trial.dims).to_numpy()
    out["flips of the sum, given what was found"] = linked.linked_p(trial, shares)
    return out


def closed_e(e: np.ndarray) -> np.ndarray:
    """Family-wise p of e-values (m,) by closed testing with their mean (Vovk & Wang 2021, Ann. Stat. 49:1736)."""
    p = np.empty(len(e))
    for m in range(len(e)):
        others = np.concatenate([[0.0], np.cumsum(np.sort(np.delete(e, m)))])
        p[m] = min(1.0, 1 / ((e[m] + others) / (1 + np.arange(len(others)))).min())
    return p


def adjust_familywise(p: np.ndarray) -> np.ndarray:
    """Holm adjusted p (Holm 1979): the chance of *any* false call stays below the level; NaN stays NaN.

    Examples
    --------
    >>> adjust_familywise(np.array([0.01, 0.04, np.nan, 0.02])).tolist()
    [0.03, 0.04, nan, 0.04]
    """
    p = np.asarray(p, dtype=float)
    out, tested = np.full(p.shape, np.nan), np.flatnonzero(~np.isnan(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    out[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * np.arange(len(order), 0, -1)))
    return out


def judged(job: tuple[str, int, int]) -> pd.DataFrame:
    """Scored dimensions of one cohort by every rule."""
    console.quiet = True
    arm, donors, run = job
    cell = Cell(arm, donors, {**BASE, **ARMS[arm]})
    planted = plant(donors, 5000 + run, **cell.changes)
    roles = [role_of(row) for row in planted.shares.to_dict("records")]
    trial = trial_of(planted, permutations=999)  # Holm over fourteen axes needs p below .002
    # axes as they are measured, on twenty genes: what one holds of another is then no rounding error
    trial = replace(trial, z=planted.cohort.expression.reshape(len(planted.z), -1, 20).mean(axis=2).astype(float))
    effects, uneven = association(trial), by_class(trial)
    steady = stability(trial, np.full(len(trial.dims), 0.95))
    outcomes = (effects["question"] == "task") & effects["variable"].isin(trial.outcomes)
    out = []
    for rule, p in rules(trial, effects, linked.largest_shares(trial, effects)).items():
        found = effects["dim"].map(pd.Series(p, trial.dims)).where(outcomes)
        table = effects.assign(p_familywise=found)
        evidence = collect_evidence(
            trial, table, leakage(trial, table), pd.DataFrame(), steady, pd.DataFrame(), uneven, {}
        )
        verdicts = [judge(item, trial.options).verdict for item in evidence]
        out.append(scored(cell, run, list(trial.dims), roles, verdicts).assign(rule=rule))
    return pd.concat(out, ignore_index=True)


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """A row per rule: any false biology (mean over cells, worst cell), interferon axes that became biology by cell."""
    out = []
    for rule, its in rows.groupby("rule", sort=False):
        false = any_false_biology(its).set_index("cell")["rate"]
        driver = its[its["role"].str.startswith("interferon")]
        power = (driver["verdict"] == "biology").groupby(driver["cell"], sort=False).mean()
        out.append({"rule": rule, "false": false.mean(), "worst": false.max(), "found": power.mean(), **power})
    return pd.DataFrame(out)


def documented(table: pd.DataFrame, runs: int) -> list[str]:
    """The table of docs/evidence.md: a rule per line, %."""
    cells = [name for name in table.columns[4:] if name in SHOWN]
    out = [f"| rule ({runs} cohorts a cell) | any false biology | worst cell | found | {' | '.join(cells)} |"]
    out.append("|---" * (len(cells) + 4) + "|")
    for row in table.sort_values("found", ascending=False).to_dict("records"):
        numbers = [f"{100 * row[name]:.1f}" for name in ("false", "worst")]
        numbers += [f"{100 * row[name]:.0f}" for name in ("found", *cells)]
        out.append(f"| {row['rule']} | {' | '.join(numbers)} |")
    return [
        *out,
        "",
        "*Found*: interferon axes that became biology, over all cells that have some and in the cells of the columns.",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--write", action="store_true", help="write the table into docs/evidence.md")
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
    given = parser.parse_args()
    jobs = [(arm, n, run) for run in range(given.runs) for arm, n in CELLS]
    with ProcessPoolExecutor(given.workers) as pool:
        rows = pd.concat(track(pool.map(judged, jobs, chunksize=4), "cohorts", len(jobs)), ignore_index=True)
    table = summary(rows)
    write_table(table, RESULTS / "rules.tsv")
    if given.write:
        between(DOCS / "evidence.md", "\n".join(documented(table, given.runs)), "<!-- rules -->")
    print(table.set_index("rule").T.to_string(float_format="{:.3f}".format))


if __name__ == "__main__":
    main()
