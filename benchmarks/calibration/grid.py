"""The calibration grid: how often is a verdict wrong where the truth is planted?

    python benchmarks/calibration/grid.py axes [--full] [--only TEXT] [--workers 2]   # axes are given: the statistics
    python benchmarks/calibration/grid.py levels [...]                                # the same at other probe.alpha
    python benchmarks/calibration/grid.py designs [...]                               # how real cohorts come together
    python benchmarks/calibration/grid.py mixtures [...]                              # what the odds are fitted on
    python benchmarks/calibration/grid.py pipeline [...]                              # prepare, train, probe
    python benchmarks/calibration/grid.py doses [...]                                 # the same for tables of features
    python benchmarks/calibration/grid.py chains [...]                                # the same for protein runs
    python benchmarks/calibration/grid.py latents [...]                               # latents that others make
    python benchmarks/calibration/grid.py corrections [...]                           # after the batch was taken out
    python benchmarks/calibration/grid.py tables                                      # what is there so far
    python benchmarks/calibration/grid.py keep PART                                   # keep its verdicts
    python benchmarks/calibration/grid.py adopt PART                                  # count kept ones too
    python benchmarks/calibration/grid.py ship                                        # its rates and pages

Small form: a few cohorts per cell, minutes. Full form: 600 cohorts per cell of 80 and of 200 donors with given axes, 20
per cell of the whole pipeline; hours, which may be spread over days and machines: what was kept is not made again.
Every cell is a file below results/benchmarks/calibration/: a killed run goes on where it stopped, and a full run adds
to a small one. Cells belong to the sources that made them; when a verdict's code changes they are made anew, or adopted
after a sample of them came out the same.
"""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("NUMBA_NUM_THREADS", "1")

import pandas as pd

from benchmarks.calibration.cells import Cell, axes_grid, levels_grid, pipeline_grid
from benchmarks.calibration.chains import chains_grid, judge_chains
from benchmarks.calibration.designs import designs_grid, judge_designs
from benchmarks.calibration.doses import doses_grid, judge_doses
from benchmarks.calibration.given_axes import judge_axes
from benchmarks.calibration.kept import differing, joined, read_kept, sample_of, write_kept
from benchmarks.calibration.mixtures import judge_mixtures, mixtures_grid
from benchmarks.calibration.other_models import corrections_grid, even_mix, judge_latents, latents_grid
from benchmarks.calibration.pages import write_designs, write_pages
from benchmarks.calibration.score import any_false_biology, confusion, recall, rescored
from benchmarks.calibration.shipping import error_rates, found_rates, write_rates
from benchmarks.calibration.whole import judge_pipeline
from benchmarks.shared.places import RESULTS
from benchmarks.shared.sources import digest_of
from mtlbio.probing.rates import wilson
from mtlbio.progress import console, say, show_progress, track
from mtlbio.tables import read_table, write_table

STORE = RESULTS / "calibration"
GRIDS = {
    "axes": (axes_grid, judge_axes),
    "levels": (levels_grid, judge_axes),
    "designs": (designs_grid, judge_designs),
    "mixtures": (mixtures_grid, judge_mixtures),
    "pipeline": (pipeline_grid, judge_pipeline),
    "doses": (doses_grid, judge_doses),
    "chains": (chains_grid, judge_chains),
    "latents": (latents_grid, judge_latents),
    "corrections": (corrections_grid, judge_latents),
}
_AXES = ("mtlbio.probing", "benchmarks.calibration")
_ALL = (*_AXES, "mtlbio.model", "mtlbio.training", "mtlbio.cohort")
_MIXED = {"latents": even_mix}  # part -> its rows that rates are counted on, where it is not all of them
_SILENT = ("designs", "mixtures", "corrections")  # what speaks for no cohort
ROOMS = dict.fromkeys(("axes", "levels", *_SILENT), _AXES)
ROOMS |= {"pipeline": _ALL, "doses": _ALL, "chains": (*_ALL, "mtlbio.sequence")}
ROOMS |= dict.fromkeys(("latents", "corrections"), (*_AXES, "mtlbio.model", "mtlbio.cohort", "mtlbio.embedding"))


# what scores the verdicts (anew, whenever they are read), ships the rates, reads them or plans with them does not make
# them
APART = {
    "grid",
    "kept",
    "other_models",
    "fit_odds",
    "pages",
    "shipping",
    "sentences",
    "truth",
    "score",
    "rates",
    "cells",
    "power",
    "sample_size",
    "plan",
    "plan_words",
    "null_refits",
    "relabel",
}


def version(part: str) -> str:
    """Digest of the sources that a cell depends on."""
    return digest_of(ROOMS[part], APART)


def one(job: tuple[str, Cell, int]) -> pd.DataFrame:
    """Scored dimensions of one planted cohort."""
    part, cell, run = job
    console.quiet = True
    return GRIDS[part][1](cell, run)


def run_cells(part: str, cells: list[tuple[Cell, int]], workers: int, store: Path) -> None:
    """Make what is missing of every cell, and keep it as a table per cell.

    A quarter of every cell comes first, then half: a grid that is stopped early is even.
    """
    kept = read_kept(part, version(part))
    jobs = [(cell, -(-runs // share)) for share in (4, 2, 1) for cell, runs in cells]
    with ProcessPoolExecutor(workers) as pool:
        for cell, runs in track(jobs, f"{part}: cells of the grid", len(jobs)):
            path = store / f"{cell.slug}.tsv"
            done = read_table(path) if path.exists() else pd.DataFrame({"run": []})
            there = {*done["run"], *kept.loc[kept["cell"] == cell.name, "run"]}
            missing = sorted(set(range(runs)) - there)
            if missing:
                made = pool.map(one, [(part, cell, run) for run in missing], chunksize=2)
                parts = [*([done] if len(done) else []), *made]
                write_table(pd.concat(parts, ignore_index=True), path)


def collected(part: str, latest: bool = False) -> pd.DataFrame:
    """All rows made by the present sources; ``latest``: by those that made the newest cell."""
    folder = STORE / part / version(part)
    if latest:
        folder = max((STORE / part).glob("*/*.tsv"), key=lambda f: f.stat().st_mtime, default=folder / "none").parent
    files = sorted(folder.glob("*.tsv"))
    stored = pd.concat([read_table(f) for f in files], ignore_index=True) if files else pd.DataFrame()
    rows = joined(read_kept(part, folder.name), stored)
    if rows.empty:
        return pd.DataFrame()
    cells = {cell.name: cell for full in (False, True) for cell, _ in GRIDS[part][0](full)}
    return rescored(rows, cells)


def adopt(part: str, workers: int) -> None:
    """Let kept rows of other sources count as those of the present ones, if a sample of them comes out the same."""
    kept = read_kept(part, None)
    cells = {cell.name: cell for full in (False, True) for cell, _ in GRIDS[part][0](full)}
    sample = sample_of(kept[kept["cell"].isin(cells)], 2)
    pairs = sample[["cell", "run"]].drop_duplicates()
    jobs = [(part, cells[cell], run) for cell, run in pairs.itertuples(index=False)]
    with ProcessPoolExecutor(workers) as pool:
        made = list(track(pool.map(one, jobs, chunksize=2), f"{part}: cohorts made again", len(jobs)))
    other = differing(sample, pd.concat(made, ignore_index=True))
    if other:
        raise SystemExit(
            f"{len(other)} of {len(sample)} verdicts are others now, so the kept ones do not count: {other[0]}"
        )
    say(f"{write_kept(part, version(part), kept)}: all {len(sample)} verdicts of {len(jobs)} cohorts are the same")


def _all(rows: pd.DataFrame) -> pd.DataFrame:
    return rows


def show(part: str, rows: pd.DataFrame) -> None:
    """Print the tables of one part."""
    print(f"\n== {part}: {rows.groupby('cell')['run'].nunique().sum()} cohorts, {rows['cell'].nunique()} cells ==")
    print("\nRuns with any false biology (Wilson 95 %)")
    table = any_false_biology(rows)
    print(table.to_string(index=False, float_format="{:.3f}".format))
    large = table[~table["cell"].str.contains(", 40 donors")]  # too small for a promise
    rate, low, high = wilson(int(large["false_runs"].sum()), int(large["runs"].sum()))
    print(f"all cells of 80 donors and more: {rate:.3f} ({low:.3f}-{high:.3f}, n={large['runs'].sum()})")
    print("\nRight verdicts by planted role (share of dimensions)")
    shares = recall(rows).pivot(index="cell", columns="role", values="right")
    print(shares.reindex(rows["cell"].unique()).to_string(float_format="{:.2f}".format, na_rep="-"))
    print("\nPlanted role x verdict")
    print(confusion(rows).to_string())
    if "covered" in rows:
        known = rows["covered"].dropna().astype(float)
        rate, low, high = wilson(int(known.sum()), len(known))
        print(
            f"\ncoverage of the 95 % intervals of the disease effect: {rate:.3f} ({low:.3f}-{high:.3f}, n={len(known)})"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=[*GRIDS, "tables", "ship", "keep", "adopt"])
    parser.add_argument("of", nargs="?", choices=list(GRIDS), help="part that is kept or adopted")
    parser.add_argument("--full", action="store_true", help="as many cohorts as the published rates rest on; hours")
    parser.add_argument("--only", default="", help="only cells whose name contains this text")
    parser.add_argument("--latest", action="store_true", help="cells of the sources that made the newest one")
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
    given = parser.parse_args()
    if given.part in GRIDS:
        cells = [(c, n) for c, n in GRIDS[given.part][0](given.full) if given.only in c.name]
        run_cells(given.part, cells, given.workers, STORE / given.part / version(given.part))
        show(given.part, collected(given.part))
        return
    if given.part in ("keep", "adopt"):
        if given.of is None:
            parser.error(f"{given.part}: name the part: {', '.join(GRIDS)}")
        if given.part == "adopt":
            adopt(given.of, given.workers)
        else:
            say(f"{write_kept(given.of, version(given.of), collected(given.of))}: kept")
        return
    rows = {part: collected(part, given.latest) for part in GRIDS}
    for part, found in rows.items():
        if len(found):
            show(part, found)
    if given.part == "ship":
        made = {part: found for part, found in rows.items() if len(found)}
        counted = {part: _MIXED.get(part, _all)(found) for part, found in made.items() if part not in _SILENT}
        rates = error_rates(counted)
        write_rates(rates, found_rates({part: found for part, found in counted.items() if part != "levels"}))
        write_pages(made, rates)
        if "designs" in made:
            write_designs(made["designs"])
        say(f"wrote the error rates of the package and the pages of {', '.join(made)}")


if __name__ == "__main__":
    show_progress()
    main()
