"""Two planted assays, a third of the donors lacking one: axes, their blocks, false biology, and whether a block pays.

    python benchmarks/calibration/assays.py [--cohorts 3] [--runs 2] [--mixing 0] [--full]

First the axes alone: how far each follows its programme in held-out donors, and whether its block is named rightly.
Then whole runs: with proteins that drive the outcome, with proteins that hold nothing but noise and a plate, and where
nothing drives disease or outcome. With --mixing what a prediction from both assays loses to that from the better one,
which nobody knows beforehand, with shares pulled to the best single assay, as they are, and to equal ones.
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
from sklearn.metrics import log_loss, roc_auc_score

import mtlbio as mb
from mtlbio.cohort.assays.blocks import block_of_axes, blocks_of, said
from mtlbio.cohort.assays.simulate import WHERE, simulate_blocks, write_blocks
from mtlbio.cohort.prepare import build_cohort
from mtlbio.cohort.split import make_splits, train_test
from mtlbio.config import Training
from mtlbio.kinds.read import read_run
from mtlbio.model.ensemble import FINAL
from mtlbio.model.outputs import Outputs
from mtlbio.probing.rates import wilson
from mtlbio.tables import read_table
from mtlbio.training.assays.axes import fold_axes
from mtlbio.training.assays.canonical import explained_by_axes, matched
from mtlbio.training.assays.fit import targets_of
from mtlbio.training.assays.stack import stack_views
from mtlbio.training.assays.tables import in_blocks
from mtlbio.training.assays.views import fit_views, inner_folds_of
from mtlbio.training.stacked_predictors import StackingWeights
from mtlbio.training.stacking import mix

DESIGNS = {
    "proteins drive the outcome": {"outcome": 1.5},
    "proteins hold nothing": {"outcome": 0.0, "by_interferon": 1.5, "apart": False},
    "nothing drives anything": {"outcome": 0.0, "disease": 0.0, "age": 0.0},
}
# donors, and what is planted, of the cohorts of --mixing
MIXED = {
    "proteins drive the outcome, 120 donors": (120, {"outcome": 1.5}),
    "proteins drive the outcome, 200 donors": (200, {"outcome": 1.5}),
    "proteins hold nothing, 120 donors": (120, {"outcome": 0.0, "by_interferon": 1.5, "apart": False}),
    "both drive the outcome, 120 donors": (120, {"outcome": 1.0, "by_interferon": 1.0}),
    "both a little, 200 donors": (200, {"outcome": 0.7, "by_interferon": 0.7}),
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


def to_equal(task, seen, target, witness: float, alone: int) -> StackingWeights:
    """Shares pulled towards equal ones."""
    return mix(task, seen, target, weight=witness)


def mixing(name: str, seed: int) -> list[dict]:
    """AUROC and log loss, held out, of donors who have both assays: from each of them, and from both."""
    donors, changes = MIXED[name]
    with tempfile.TemporaryDirectory() as folder:
        run = read_run(write_blocks(folder, simulate_blocks(seed, donors=donors, **changes), "planted"))
        cohort = build_cohort(run)[0]
    splits, blocks, options = make_splits(cohort, run.splits), blocks_of(cohort), Training(single_task=False)
    inner, arms = inner_folds_of(cohort, splits, options), [np.ones(len(cohort.tasks))]
    views = fit_views(cohort, blocks, splits, inner, options, arms)
    everybody = np.arange(len(cohort.obs))
    targets = targets_of(cohort, [everybody if fold == FINAL else train_test(splits, fold)[0] for fold in inner])
    both, fold, packing = blocks.names, splits["fold"].to_numpy().astype(int), Outputs.of(cohort.tasks)
    about, rows = (cohort, blocks, views, targets, list(inner.values()), arms), []
    stacks = {
        "to the best": (both, stack_views(*about, [both])),
        "to equal": (both, stack_views(*about, [both], to_equal)),
        **{own: ((own,), stack_views(*about, [(own,)])) for own in both},
    }
    for t, task in enumerate(packing.tasks):
        y = cohort.y(task.name)
        told = np.flatnonzero(blocks.have(both) & ~np.isnan(y))
        row = {"design": name, "task": task.name}
        for way, (pattern, stacked) in stacks.items():
            predicted = np.zeros(len(y))
            for i, number in enumerate(inner):
                outputs = stacked.outputs[pattern][i, 0][:, :, packing.outputs[t]]
                of_fold = task.to_prediction(outputs, targets.mean[i, t], targets.scale[i, t]).mean(axis=0)
                predicted[fold == number] = of_fold[fold == number]
            row[way] = roc_auc_score(y[told], predicted[told])
            row[f"loss, {way}"] = log_loss(y[told], predicted[told])
        rows.append(row)
    return rows


def print_mixing(cohorts: int) -> None:
    """What both assays lose to the better one."""
    table = pd.DataFrame([row for seed in range(cohorts) for name in MIXED for row in mixing(name, seed)])
    better = table[["rna", "proteins"]].max(axis=1)
    print(f"\n{cohorts} cohorts of each of {len(MIXED)} designs, two tasks each; AUROC, mean")
    ways = ["rna", "proteins", "to the best", "to equal"]
    print(table.groupby(["design", "task"], sort=False)[ways].mean().to_string(float_format="%.3f"))
    for way in ("to the best", "to equal"):
        lost = better - table[way]
        print(f"shares pulled {way}: {lost.mean():.4f} of AUROC below the better assay (the mean);", end=" ")
        print(f"by more than .01 in {share(lost > 0.01)}; log loss {table[f'loss, {way}'].mean():.4f}")


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
    parser.add_argument("--mixing", type=int, default=0, help="cohorts of each of five designs")
    parser.add_argument("--full", action="store_true", help="20 cohorts and 100 runs of each design")
    options = parser.parse_args()
    cohorts, runs = (20, 100) if options.full else (options.cohorts, options.runs)
    start = time.perf_counter()
    if options.mixing:
        print_mixing(options.mixing)
        return 0
    table = pd.concat([axes_of(options.donors, seed) for seed in range(cohorts)], ignore_index=True)
    found = table.groupby("programme", sort=False).agg(r2_median=("r2", "median"), r2_least=("r2", "min"))
    found["block named right"] = table.groupby("programme", sort=False)["right"].agg(share)
    print(f"axes of {options.donors} donors, {cohorts} cohorts ({time.perf_counter() - start:.0f} s)\n")
    print(found.to_string(float_format="%.3f"))
    print(f"\nall programmes: block named right {share(table['right'])}")
    found = []
    for seed in range(runs):  # one of each design after another: what is counted so far can be read from the lines
        for name in DESIGNS:
            found.append(whole_run(name, options.donors, seed))
            told = {"seed": seed, **found[-1], "seconds": round(time.perf_counter() - start)}
            print("; ".join(f"{key} {value}" for key, value in told.items()), flush=True)
    for name in DESIGNS if runs else ():
        rows = pd.DataFrame([row for row in found if row["design"] == name])
        print(f"\n{name}")
        for call in ("pays", "does_not", "cannot_tell"):
            print(f"  proteins for the outcome: {call} {share(rows['outcome'] == call)}")
        print(f"  any biology: {share(rows['biology'] != '')}; gain {rows['gain'].median():.3f} (median)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
