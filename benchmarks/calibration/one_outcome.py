"""How often is ``verdict_<task>``, the verdict of one outcome alone, a false biology?

    python benchmarks/calibration/one_outcome.py [--runs 40] [--workers 2] [--write]

Axes are given, four designs at 80 and at 200 donors. Biology of an outcome is right of an axis that drives *that*
outcome; in ``one of two outcomes`` the interferon axis drives disease and not the response. Prints, per design, the
share of cohorts with any false biology in the dimension's own verdict and in that of any single outcome, of all single
verdicts of biology how many were false, and how many of those to be found were. 200 cohorts a cell take seven minutes
on one core. ``--write`` puts the table into docs/evidence.md.
"""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pandas as pd

from benchmarks.calibration.cells import ARMS, BASE, Cell
from benchmarks.calibration.given_axes import judge_planted
from benchmarks.calibration.pages import DOCS, between, rate
from benchmarks.calibration.planted import plant
from benchmarks.calibration.roles import role_of
from benchmarks.calibration.truth import World, right_verdicts
from benchmarks.shared.places import RESULTS
from mtlbio.progress import console, track
from mtlbio.tables import write_table

DESIGNS = {name: ARMS[name] for name in ("base", "P(batch = disease) .85", "disease follows age only")}
DESIGNS |= {"one of two outcomes": {"interferon": 1.5, "response": "nothing"}}
SIZES = (80, 200)
OUTCOMES = ("disease", "response")


def drivers(cell: Cell) -> dict[str, frozenset[str]]:
    """The programmes that drive each outcome of a design."""
    by_outcome = {"disease": cell.changes["interferon"] != 0, "response": cell.changes["response"] == "interferon"}
    return {name: frozenset({"interferon"} if driven else ()) for name, driven in by_outcome.items()}


def judged(job: tuple[str, int, int]) -> pd.DataFrame:
    """A row per axis and outcome of one cohort, and per axis for its own verdict (``outcome`` is then ``all``).

    ``biology``: it is said; ``false``: and is not so; ``there``: it would be right.
    """
    console.quiet = True
    design, donors, run = job
    cell = Cell(design, donors, {**BASE, **DESIGNS[design]})
    planted = plant(donors, 7000 + run, **cell.changes)
    roles = [role_of(row) for row in planted.shares.to_dict("records")]
    own, verdicts = judge_planted(planted, roles, cell, run)
    worlds = {name: World(causal, cell.world.separation, cell.world.several) for name, causal in drivers(cell).items()}
    rows = []
    for (_, row), role, false in zip(verdicts.iterrows(), roles, own["false_biology"], strict=True):
        rows.append((cell.name, run, role, "all", row["verdict"] == "biology", false, False))
        for name in OUTCOMES:
            said, there = row[f"verdict_{name}"] == "biology", "biology" in right_verdicts(role, worlds[name])
            rows.append((cell.name, run, role, name, said, said and not there, there and role == "interferon"))
    return pd.DataFrame(rows, columns=["cell", "run", "role", "outcome", "biology", "false", "there"])


def documented(rows: pd.DataFrame) -> list[str]:
    """The table of docs/evidence.md: a design per line, then all of them."""
    out = [
        "| design | cohorts | any false biology: the dimension's verdict | any single outcome's | single verdicts of "
    ]
    out[0] += "biology that are false | found, of those that are there |"
    out.append("|---" * 6 + "|")
    for cell, its in [*rows.groupby("cell", sort=False), ("all", rows)]:
        single = its["outcome"] != "all"
        any_false = [part.groupby(["cell", "run"])["false"].any() for part in (its[~single], its[single])]
        said, there = its[single & its["biology"]]["false"], its[single & its["there"]]["biology"]
        shares = [rate(hits) if len(hits) else "" for hits in (*any_false, said, there)]
        out.append(f"| {cell} | {len(any_false[0])} | {' | '.join(shares)} |")
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--write", action="store_true", help="write the table into docs/evidence.md")
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
    given = parser.parse_args()
    jobs = [(design, n, run) for design in DESIGNS for n in SIZES for run in range(given.runs)]
    with ProcessPoolExecutor(given.workers) as pool:
        rows = pd.concat(track(pool.map(judged, jobs, chunksize=4), "cohorts", len(jobs)), ignore_index=True)
    write_table(rows, RESULTS / "one_outcome.tsv")
    text = "\n".join(documented(rows))
    if given.write:
        between(DOCS / "evidence.md", text, "<!-- single -->")
    print(text)


if __name__ == "__main__":
    main()
