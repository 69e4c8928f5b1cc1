"""mtlbio against what people use today, on the same planted cohorts and by the same scorer.

    python benchmarks/other_tools/todays_tools.py [--full] [--runs N] [--only TEXT] [--tables] [--workers 1]

Every tool finds its own components or factors, as its users would, and says what each follows; the truth about a
component is what it is planted as (``benchmarks/calibration/whole.py``), whoever found it. None of the tools gives
verdicts, so their answers are read in more than one way (``tools/labels.py``), and the reading that serves the tool
best is starred:

- ``PCA + tests``: Welch, Kruskal-Wallis or Spearman for each component and column, Benjamini-Hochberg;
- ``decoupler``: ``decoupler.tl.rankby_obsm`` on the components, with its own statistics and adjusted p;
- ``MOFA2``: 15 factors trained by mofapy2 on its defaults, and the rule of ``correlate_factors_with_covariates``
  (``pip install mofapy2``; left out where it is missing);
- ``variancePartition``: a linear mixed model for each component by maximum likelihood; the largest share names it;
- ``mtlbio``: prepare, train, probe, as a user's run. Cohorts that ``benchmarks/calibration/grid.py pipeline`` has
  judged with the present sources are taken from there, without their seconds; ``--tables`` shows the newest ones, too.

Principal components are those of standardised genes, as many as parallel analysis counts (fewer idle components than
the fifty of scanpy, which favours the tools). All tools see the whole cohort; mtlbio judges on held-out donors only.
Six designs of 200 donors; small form: 2 cohorts of each, about 8 minutes on one core, nearly all of them for MOFA2 and
mtlbio; full form: 20 cohorts, 80 minutes. Every design and tool is a file below results/benchmarks/todays_tools/ that
is kept: a killed run goes on where it stopped, and a full run adds to a small one.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import inspect
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd

import mtlbio
from benchmarks.calibration.cells import Cell, pipeline_grid
from benchmarks.calibration.grid import collected as of_grid
from benchmarks.calibration.grid import version
from benchmarks.calibration.roles import role_of
from benchmarks.calibration.score import macro_f1, rescored, scored
from benchmarks.calibration.whole import judge_pipeline, planted_shares
from benchmarks.other_tools.tools.associations import decoupler_ranks, mofa_correlations, pca_tests
from benchmarks.other_tools.tools.labels import Read
from benchmarks.other_tools.tools.variance_components import variance_partition
from benchmarks.shared.places import RESULTS, ROOT
from mtlbio.cohort.features import fit_features
from mtlbio.cohort.simulate import Simulation, simulate
from mtlbio.probing.rates import wilson
from mtlbio.progress import console, say, show_progress, track
from mtlbio.tables import read_table, write_table

STORE = RESULTS / "todays_tools"
DONORS, GENES = 200, 5000
ARMS = (
    "base",
    "P(batch = disease) .85",
    "P(batch = disease) 1",
    "disease follows age only",
    "nothing causes anything",
    "interferon rises with age, r .6",
)
TOOLS: dict[str, Callable[[np.ndarray, pd.DataFrame, int], Read]] = {
    "PCA + tests": pca_tests,
    "decoupler": decoupler_ranks,
    "MOFA2": mofa_correlations,
    "variancePartition": variance_partition,
}
OURS = "mtlbio"
SHOWN = ("age", "interferon", "idle interferon", "batch", "composition", "sex", "noise")


def cells() -> list[Cell]:
    """The designs, in the order of ``ARMS``."""
    grid = {cell.arm: cell for cell, _ in pipeline_grid(True) if cell.donors == DONORS}
    return [grid[arm] for arm in ARMS]


def cohort_of(cell: Cell, run: int) -> Simulation:
    """The cohort that ``judge_pipeline`` judges."""
    changes = {{"interferon": "interferon_effect"}.get(key, key): value for key, value in cell.changes.items()}
    return simulate("clear", run, donors=cell.donors, **changes)


def judge(tool: str, cell: Cell, run: int) -> pd.DataFrame:
    """Scored components of one cohort, once for each reading of the tool's answer, with the seconds of computing."""
    console.quiet = True
    start = time.process_time()
    if tool == OURS:
        rows = judge_pipeline(cell, run).drop(columns="block", errors="ignore")
        return rows.assign(reading="-", seconds=time.process_time() - start)
    simulation = cohort_of(cell, run)
    obs = simulation.metadata.set_index("sample_id")
    expression = simulation.expression.to_numpy()
    start = time.process_time()
    read = TOOLS[tool](fit_features(expression, GENES).transform(expression).astype(float), obs, run)
    seconds = time.process_time() - start
    shares = planted_shares(read.components, simulation, obs.index)
    roles = [role_of(row) for row in shares.to_dict("records")]
    dims = [f"c{k + 1:02d}" for k in range(read.components.shape[1])]
    made = [scored(cell, run, dims, roles, said).assign(reading=way) for way, said in read.verdicts.items()]
    return pd.concat(made, ignore_index=True).assign(seconds=seconds)


def sources(tool: str) -> str:
    """Digest of what a tool's rows depend on."""
    if tool == OURS:
        return version("pipeline")
    here, package = ROOT / "benchmarks", Path(mtlbio.__file__).parent
    named = ["cohort/simulate.py", "cohort/features.py", "model/parallel.py", "model/rotation.py"]
    files = [*sorted((here / "other_tools" / "tools").glob("*.py")), here / "calibration" / "roles.py"]
    files += [package / name for name in named]
    # of the module that runs the whole pipeline only the truth about a dimension matters to a tool
    parts = [f.read_bytes() for f in files] + [inspect.getsource(planted_shares).encode()]
    return hashlib.sha256(b"".join(parts)).hexdigest()[:10]


def place_of(tool: str, cell: Cell, latest: bool = False) -> Path:
    """File of a tool and a design; ``latest``: the newest one there is."""
    slug = tool.lower().replace(" + ", "_")
    place = STORE / f"{slug}-{sources(tool)}" / f"{cell.slug}.tsv"
    older = STORE.glob(f"{slug}-*/{cell.slug}.tsv")
    return max(older, key=lambda path: path.stat().st_mtime, default=place) if latest else place


def present(tool: str, wanted: list[Cell], latest: bool = False) -> pd.DataFrame:
    """Rows that are there already, by what is right today; of mtlbio also those of the calibration grid. ``latest``: of
    the sources that made the newest ones."""
    kept = [read_table(path) for path in (place_of(tool, cell, latest) for cell in wanted) if path.exists()]
    if tool == OURS:
        judged = {(cell, run) for own in kept for cell, run in zip(own["cell"], own["run"], strict=True)}
        grid = of_grid("pipeline", latest)
        if len(grid):
            fresh = [place not in judged for place in zip(grid["cell"], grid["run"], strict=True)]
            kept.append(grid[fresh].assign(reading="-", seconds=np.nan).drop(columns="block", errors="ignore"))
    if not kept:
        return pd.DataFrame({"cell": [], "run": []})
    return rescored(pd.concat(kept, ignore_index=True), {cell.name: cell for cell in wanted})


def run_missing(tools: list[str], runs: int, only: str, workers: int) -> None:
    """Make what is missing, one cohort at a time, cohort by cohort over all designs."""
    wanted = [c for c in cells() if only in c.name]
    jobs = [(tool, cell, run) for run in range(runs) for tool in tools for cell in wanted]
    there = {tool: present(tool, wanted) for tool in tools}
    judged = {(t, c, r) for t, own in there.items() for c, r in zip(own["cell"], own["run"], strict=True)}
    jobs = [(tool, cell, run) for tool, cell, run in jobs if (tool, cell.name, run) not in judged]
    with ProcessPoolExecutor(workers) as pool:
        made = pool.map(judge, *zip(*jobs, strict=True)) if jobs else iter(())
        for (tool, cell, _), rows in track(zip(jobs, made, strict=True), "cohorts", len(jobs)):
            path = place_of(tool, cell)
            done = [read_table(path)] if path.exists() else []
            write_table(pd.concat([*done, rows], ignore_index=True), path)


def collected(tools: list[str], runs: int, only: str, latest: bool) -> pd.DataFrame:
    """All rows that are there, with the tool."""
    wanted = [c for c in cells() if only in c.name]
    rows = pd.concat([present(tool, wanted, latest).assign(tool=tool) for tool in tools], ignore_index=True)
    return rows[rows["run"] < runs]


def summary(rows: pd.DataFrame, findable: set[str]) -> dict[str, str]:
    """Numbers of one tool and reading; ``findable``: designs in which there is biology that can be known."""
    cohorts = rows.groupby(["cell", "run"], sort=False)["false_biology"].any()
    biology = rows[rows["verdict"] == "biology"]
    # an interferon dimension where batch and disease are the same: nobody can know
    refusing = rows[(rows["separation"] >= 1) & rows["role"].str.contains("interferon")]
    rate, low, high = wilson(int(cohorts.sum()), len(cohorts))
    said = (rows["verdict"] == "biology") & rows["right"].astype(bool)
    found = said.groupby([rows["cell"], rows["run"]]).any()
    found = found[found.index.get_level_values("cell").isin(findable)]
    out = {
        "cohorts": f"{len(cohorts)}",
        "any false biology": f"{rate:.2f} ({low:.2f}-{high:.2f})",
        "biology found": f"{found.mean():.2f}" if len(found) else "-",
        "biology that is false": f"{int(biology['false_biology'].sum())}/{len(biology)}",
        "macro-F1": f"{macro_f1(rows):.2f}",
        "not identifiable": f"{refusing['right'].mean():.2f}" if len(refusing) else "-",
    }
    for role in SHOWN:
        own = rows[rows["role"] == role]
        out[role] = f"{own['right'].mean():.2f}" if len(own) else "-"
    seconds = rows.groupby(["cell", "run"])["seconds"].first().mean()
    return out | {"CPU seconds": "-" if np.isnan(seconds) else f"{seconds:.1f}"}


def show(rows: pd.DataFrame, designs: list[Cell]) -> None:
    """Print the tables."""
    findable = {c.name for c in designs if c.world.causal and not c.world.nested}
    lines, cohorts = [], {}
    for tool, own in rows.groupby("tool", sort=False):
        readings = dict(list(own.groupby("reading", sort=False)))
        best = max(readings, key=lambda way: macro_f1(readings[way]))
        for way, part in readings.items():
            star = " *" if len(readings) > 1 and way == best else ""
            lines.append({"tool": tool, "read by": way + star, **summary(part, findable)})
            hits = part.groupby(["cell", "run"], sort=False)["false_biology"].any().groupby("cell", sort=False)
            cohorts[f"{tool}, {way}{star}"] = hits.sum().astype(int).astype(str) + "/" + hits.count().astype(str)
    print(
        "Any false biology: share of cohorts (Wilson 95 %). Biology found: share of the cohorts that have some to find,"
    )
    print("with a right one. Then right verdicts by what a component is planted as. * best reading by macro-F1")
    print(pd.DataFrame(lines).to_string(index=False))
    print("\nCohorts with any false biology, by design")
    print(pd.DataFrame(cohorts).T.to_string(na_rep="-"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="20 cohorts of each design; hours")
    parser.add_argument("--runs", type=int, help="cohorts of each design (2, full form 20)")
    parser.add_argument("--only", default="", help="only designs whose name contains this text")
    parser.add_argument("--tools", nargs="+", choices=[*TOOLS, OURS], default=[*TOOLS, OURS])
    parser.add_argument("--tables", action="store_true", help="only print what is there so far")
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args()
    tools, runs = given.tools, given.runs or (20 if given.full else 2)
    if "MOFA2" in tools and importlib.util.find_spec("mofapy2") is None:
        say("MOFA2 is left out: mofapy2 is not installed (pip install mofapy2)")
        tools = [t for t in tools if t != "MOFA2"]
    if not given.tables:
        run_missing(tools, runs, given.only, given.workers)
    rows = collected(tools, runs, given.only, given.tables)
    if rows.empty:
        say("nothing is there yet: run without --tables")
        return
    show(rows, cells())


if __name__ == "__main__":
    show_progress()
    main()
