"""Does the test for shuffled labels keep its error rate, and what can it see?

    python benchmarks/sharing/label_noise.py [--data DATA] [--full] [--seed 0] [--only simulated planted real]

*simulated*: predictions that know a signal up to noise, with another slope in each of five folds; classes follow the
signal with a given steepness, values with Student's errors of 3 degrees of freedom. Per cell: how often honest labels
raise an alarm, and labels of which 10 % and half were drawn anew; for the latter also how often a half was wrongly
ruled out. *planted*: what the networks predict out of fold for cohorts of 200 donors with a disease, an age, the
response of the patients and a subtype that is easy, as they are and with half of the labels of every task shuffled.
*real*: the same for the cohorts below DATA. Predictions are kept below results/benchmarks/label_noise/.

Small form: 20 tasks per cell, 12 planted cohorts, a quarter of an hour on one core. Full form: 200 tasks per cell.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from scipy.special import expit

from benchmarks.sharing.shuffled_labels import planted_predictions, real_predictions
from mtlbio.evaluation.evaluate import labels_tested
from mtlbio.evaluation.label_noise import HALF, LEVEL, Units, share_of
from mtlbio.labels import Binary, Regression
from mtlbio.metrics.ranking import auroc
from mtlbio.metrics.values import r2

SHARES, FOLDS = (0.0, 0.1, 0.5), 5
SLOPES = np.array([0.4, 0.7, 1.0, 1.6, 2.5])
# (what the labels are, units, steepness or ratio of signal to error)
CELLS = [("class", n, steepness) for n in (60, 200) for steepness in (2.0, 5.0, 12.0)]
CELLS += [("value", n, ratio) for n in (60, 200) for ratio in (0.7, 2.0)]
PARTS = ("simulated", "planted", "real")


def simulated(what: str, n: int, strength: float, share: float, seed: int) -> tuple[Units, float]:
    """A task, and how well it is predicted."""
    rng = np.random.default_rng([seed, n, int(10 * strength), int(100 * share), what == "class"])
    signal, fold = rng.standard_normal(n), rng.permutation(n) % FOLDS
    if what == "class":
        y = (rng.random(n) < expit(strength * signal)).astype(float)
    else:
        y = signal + rng.standard_t(3, n) / np.sqrt(3) / strength
    wrong = np.flatnonzero(rng.random(n) < share)
    y[wrong] = y[rng.permutation(wrong)]
    f = (signal + 0.3 * min(1.0, 3 / strength) * rng.standard_normal(n)) * (SLOPES[fold] if what == "class" else 1.0)
    pred = np.stack([-f / 2, f / 2], axis=1) if what == "class" else f
    found = auroc(y, f) if what == "class" else r2(y, np.polyval(np.polyfit(f, y, 1), f))
    return Units(np.arange(n).astype(str), fold, y, pred), float(found)


def simulated_table(tasks: int, seed: int, cells: Iterable[tuple] = CELLS) -> pd.DataFrame:
    """One row per cell."""
    rows = []
    for what, n, strength in cells:
        row = {"labels": what, "units": n, "strength": strength}
        for share in SHARES:
            found = []
            for task in range(tasks):
                units, value = simulated(what, n, strength, share, 1000 * seed + task)
                one = share_of(units, what == "class", task)
                found.append((value, one["p"] <= LEVEL, one["share"], one["share_high"] < HALF))
            value, alarms, estimate, excluded = np.mean(found, axis=0)
            row |= {f"score {share:g}": value, f"alarms {share:g}": alarms, f"share {share:g}": estimate}
            row |= {f"half excluded {share:g}": excluded}
        rows.append(row)
        print(
            pd.DataFrame([row]).to_string(index=False, header=len(rows) == 1, float_format="{:.2f}".format), flush=True
        )
    return pd.DataFrame(rows)


def networks_table(cohorts: Iterable[tuple[str, dict[float, pd.DataFrame]]], seed: int) -> pd.DataFrame:
    """Every task of every cohort, tested as a run would: columns of label_noise.tsv, cohort and shuffled share."""
    tables = []
    for name, by_share in cohorts:
        for share, predictions in by_share.items():
            labels = {
                task: Regression(task) if rows["label"].isna().all() else Binary(task, ("other", rows["label"].iloc[0]))
                for task, rows in predictions.groupby("task", sort=False)
            }
            table = labels_tested(predictions, labels, seed)
            tables.append(table.assign(cohort=name, shuffled=share))
    return pd.concat(tables, ignore_index=True)


def summary(table: pd.DataFrame, by: str) -> pd.DataFrame:
    """By task or cohort and shuffled share: score, alarms, half of the labels shuffled ruled out."""
    table = table.assign(
        alarms=(table["alarm"] == "yes").astype(int),
        excluded=((table["alarm"] == "no") & (table["could_show"] == "yes")).astype(int),
    )
    keys = ["shuffled", by] if by == "task" else ["shuffled", by, "task"]
    grouped = table.groupby(keys, sort=False)
    found = grouped.agg(
        tasks=("alarms", "size"),
        score=("value", "mean"),
        alarms=("alarms", "sum"),
        half_ruled_out=("excluded", "sum"),
        share=("share", "mean"),
        least_p=("p", "min"),
    )
    return found.reset_index()


def main(options: argparse.Namespace) -> None:
    """Print the tables."""
    if "simulated" in options.only:
        simulated_table(200 if options.full else 20, options.seed)
    for part, by in (("planted", "task"), ("real", "cohort")):
        if part not in options.only or (part == "real" and options.data is None):
            continue
        cohorts = planted_predictions(range(12)) if part == "planted" else real_predictions(options.data.resolve())
        table = networks_table(cohorts, options.seed)
        print(f"\n{part}\n" + summary(table, by).to_string(index=False, float_format="{:.3f}".format))
        clean = table[table["shuffled"] == 0]
        runs = clean.groupby("cohort")["alarm"].agg(lambda own: (own == "yes").any())
        print(f"clean runs with any alarm: {runs.sum()} of {len(runs)}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of real cohorts")
    parser.add_argument("--full", action="store_true", help="200 tasks per cell")
    parser.add_argument("--seed", type=int, default=0, help="of the simulated tasks and of the draws")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    main(parser.parse_args())
