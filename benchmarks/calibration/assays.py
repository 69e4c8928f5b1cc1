"""Two planted assays, a third of the donors lacking one: axes, their blocks, false biology, and whether a block pays.

    python benchmarks/calibration/assays.py [--cohorts 3] [--runs 2] [--full]

First the axes alone: how far each follows its programme in held-out donors, and whether its block is named rightly.
Then whole runs: with proteins that drive the outcome, with proteins that hold nothing but noise and a plate, and where
nothing drives disease or outcome.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import pandas as pd

import mtlbio as mb
from mtlbio.cohort.assays.blocks import block_of_axes, blocks_of, said
from mtlbio.cohort.assays.simulate import WHERE, simulate_blocks, write_blocks
from mtlbio.cohort.prepare import build_cohort
from mtlbio.cohort.split import make_splits
from mtlbio.config import Training
from mtlbio.kinds.read import read_run
from mtlbio.model.ensemble import FINAL
from mtlbio.probing.rates import wilson
from mtlbio.tables import read_table
from mtlbio.training.assays.axes import fold_axes
from mtlbio.training.assays.canonical import explained_by_axes, matched
from mtlbio.training.assays.tables import in_blocks

DESIGNS = {
    "proteins drive the outcome": {"outcome": 1.5},
    "proteins hold nothing": {"outcome": 0.0, "by_interferon": 1.5, "apart": False},
    "nothing drives anything": {"outcome": 0.0, "disease": 0.0, "age": 0.0},
}
SHORT = "training: {seeds: 2, single_task: false, device: cpu}\nbaselines: {arms: [covariates]}\n"
SHORT += "probe: {permutations: 499, bootstrap: 500}\n"


def axes_of(donors: int, seed: int) -> pd.DataFrame:
    """Of every programme of one cohort: r2 of the axis that follows it most, in held-out donors who have a block of
    it, and the blocks that this axis is said to be in."""
    planted = simulate_blocks(seed, donors=donors)
    with tempfile.TemporaryDirectory() as folder:
        run = read_run(write_blocks(folder, planted, "planted"))
        cohort = build_cohort(run)[0]
    splits, blocks, options = make_splits(cohort, run.splits), blocks_of(cohort), Training()
    fold = splits["fold"].to_numpy().astype(int)
    numbers = [*sorted(set(fold.tolist())), FINAL]
    axes = {number: fold_axes(cohort, blocks, splits, number, options) for number in numbers}
    matchings = matched(axes)
    dims = [f"z{k + 1:02d}" for k in range(axes[FINAL].axes.n_axes)]
    z = np.zeros((len(fold), len(dims)))
    for number in numbers[:-1]:
        held_out = fold == number
        z[held_out] = (axes[number].values @ matchings[number].transfer)[held_out]
    share = explained_by_axes(cohort, blocks, fold, axes, matchings)
    named, rows = block_of_axes(in_blocks(dims, blocks, share)), []
    for programme, where in WHERE.items():
        have = np.logical_or.reduce([blocks.have([name]) for name in where])
        truth = planted.truth[programme].loc[cohort.samples].to_numpy()
        r2 = np.array([np.corrcoef(z[have, k], truth[have])[0, 1] ** 2 for k in range(len(dims))])
        best = dims[int(np.nanargmax(r2))]
        rows.append({"programme": programme, "r2": np.nanmax(r2), "right": named.get(best) == said(where)})
    return pd.DataFrame(rows)


def whole_run(name: str, donors: int, seed: int) -> dict:
    """One run of a design: what was called biology, and whether proteins pay."""
    with tempfile.TemporaryDirectory() as folder:
        path = write_blocks(folder, simulate_blocks(seed, donors=donors, **DESIGNS[name]), "planted")
        path.write_text(path.read_text() + SHORT)
        run, results = read_run(path), Path(folder) / "r"
        for step in (mb.prepare, mb.train, mb.baselines, mb.evaluate, mb.trial):
            step(run, results)
        verdicts, paid = read_table(results / "verdicts.tsv"), read_table(results / "pays.tsv")
    biology = verdicts.loc[verdicts["verdict"] == "biology", "driver"].astype(str)
    calls = paid[paid["block"] == "proteins"].set_index("task")["call"]
    row = paid[(paid["block"] == "proteins") & (paid["task"] == "outcome")].iloc[0]
    return {"design": name, "biology": ", ".join(biology), "outcome": calls["outcome"], "gain": row["gain"]}


def share(hits: pd.Series) -> str:
    """Hits of so many, with the 95 % Wilson interval."""
    rate, low, high = wilson(int(hits.sum()), len(hits))
    return f"{hits.sum()} of {len(hits)}, {100 * rate:.0f} % ({100 * low:.0f}-{100 * high:.0f})"


def main() -> int:
    """Count, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--donors", type=int, default=200)
    parser.add_argument("--cohorts", type=int, default=3, help="for the axes")
    parser.add_argument("--runs", type=int, default=2, help="whole runs of each design")
    parser.add_argument("--full", action="store_true", help="20 cohorts and 100 runs of each design")
    options = parser.parse_args()
    cohorts, runs = (20, 100) if options.full else (options.cohorts, options.runs)
    start = time.perf_counter()
    table = pd.concat([axes_of(options.donors, seed) for seed in range(cohorts)], ignore_index=True)
    found = table.groupby("programme", sort=False).agg(r2_median=("r2", "median"), r2_least=("r2", "min"))
    found["block named right"] = table.groupby("programme", sort=False)["right"].agg(share)
    print(f"axes of {options.donors} donors, {cohorts} cohorts ({time.perf_counter() - start:.0f} s)\n")
    print(found.to_string(float_format="%.3f"))
    print(f"\nall programmes: block named right {share(table['right'])}")
    for name in DESIGNS if runs else ():
        rows = pd.DataFrame([whole_run(name, options.donors, seed) for seed in range(runs)])
        print(f"\n{name} ({time.perf_counter() - start:.0f} s)")
        for call in ("pays", "does_not", "cannot_tell"):
            print(f"  proteins for the outcome: {call} {share(rows['outcome'] == call)}")
        print(f"  any biology: {share(rows['biology'] != '')}; gain {rows['gain'].median():.3f} (median)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
