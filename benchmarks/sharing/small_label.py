"""Does a task with forty labels profit from tasks with three hundred?

    python benchmarks/sharing/small_label.py [--full] [--seed 0]

Planted cohorts of 300 donors: all have a disease state and an age, about 150 are patients, and the response of 40 of
these is known to training. *related*: the response is driven by the interferon programme, which drives the disease as
well. *unrelated*: it is driven by cell composition, which drives neither.

Every scheme trains its multi-task network and the matched network of the response alone, same folds, seeds and paths.
Printed per scheme, mean over cohorts: AUROC of both on all patients, also those whose response was hidden; the gain and
its 95 % interval, for which cohorts are drawn again and patients within them; and the words that a user would read, who
has 40 labels to compare by (helps / cannot tell / hurts, number of cohorts). Small form: two cohorts, some minutes on
one core. Full form: nine.
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

from benchmarks.shared.planted_tasks import TASKS
from benchmarks.sharing.refitted import with_options
from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.simulate import Simulation, simulate
from mtlbio.cohort.split import make_splits
from mtlbio.config import Splits, Training
from mtlbio.evaluation.bootstrap import bootstrap_weights, interval
from mtlbio.evaluation.predictions import TaskPredictions
from mtlbio.evaluation.transfer import transfer
from mtlbio.training.cross_task_stacking import with_cross_task_stacks
from mtlbio.training.fewer_labels import with_labels_of
from mtlbio.training.predictors import fit_predictors
from mtlbio.training.refits import Refit, Refitter
from mtlbio.training.stacking import stack_predictors
from mtlbio.training.subsets import out_of_fold

CAUSES = {"related": "interferon", "unrelated": "composition"}
LABELLED, EFFECT, DRAWS = 40, 1.5, 1000
VERDICTS = ("helps", "cannot tell", "hurts")
# name -> options of the training; those without `paths` read all four
SCHEMES = {
    "hard sharing (default)": {},
    "hard sharing + borrowing": {"borrowing": True},
    "dense: hard": {"paths": ["dense"]},
    "dense: trace_norm": {"paths": ["dense"], "sharing": "trace_norm"},
    "dense: task_relation": {"paths": ["dense"], "sharing": "task_relation"},
    "dense: hard + borrowing": {"paths": ["dense"], "borrowing": True},
}

# (multi-task, single-task) predictions of all samples, out of fold
Pair = tuple[np.ndarray, np.ndarray]


def as_cohort(simulation: Simulation) -> Cohort:
    """A simulation with its three tasks, as ``prepare`` would hand it on."""
    obs = simulation.metadata.set_index("sample_id").rename(columns={"donor_id": "donor"})
    return Cohort(simulation.expression.to_numpy(), tuple(simulation.expression.columns), obs, TASKS)


def planted(kind: str, seed: int, donors: int = 300, genes: int = 2000) -> tuple[Cohort, Cohort]:
    """A cohort in which the response of every patient is known, and the same with that of ``LABELLED`` patients."""
    simulation = simulate("clear", seed, donors=donors, genes=genes, labelled=1.0)
    full, rng = as_cohort(simulation), np.random.default_rng([seed, 40])
    if kind != "related":
        odds = EFFECT * simulation.truth[CAUSES[kind]].to_numpy()
        sick = (full.obs["disease"] == "case").to_numpy()
        responds = odds - np.median(odds[sick]) + rng.logistic(size=donors) > 0
        response = pd.Series(np.where(responds, "responder", "non_responder"), full.obs.index).where(sick)
        full = replace(full, obs=full.obs.assign(response=response))
    chosen = rng.permutation(np.flatnonzero(full.obs["response"].notna()))[:LABELLED]
    return full, with_labels_of(full, "response", full.donors[chosen])


class Fits:
    """Everything that is fitted to some sets of labels of one cohort; what two schemes have in common is done once.

    ``same_inner`` gives all copies the inner validation donors of the first: these are spread evenly over the labels,
    and other labels of one task would otherwise mean other validation donors of all tasks.
    """

    def __init__(
        self, copies: list[Cohort], arms: list[np.ndarray], options: Training, folds: int, same_inner: bool = False
    ):
        self.copies = copies
        splits = make_splits(copies[0], Splits(folds=folds))
        self.refitter = Refitter.of(copies[0], splits, options, "cpu", arms, final=False)
        self.labelled = self.refitter.labelled(copies)
        if same_inner:
            self.labelled = [(self.labelled[0][0], targets) for _, targets in self.labelled]
        self.problem = self.refitter.stacked(copies, self.labelled)
        self.base = fit_predictors(self.problem, self.refitter.seeds, options)

    def refits(self, changes: dict) -> list[Refit]:
        """The paths and mixtures of every copy under other options; only the dense block is fitted again."""
        options = self.refitter.options.model_copy(update=changes)
        paths = with_options(self.problem, self.base, options, changes, self.refitter.seeds)
        problem, found = replace(self.refitter.problem, paths=tuple(options.paths)), []
        for k, (folds, targets) in enumerate(self.labelled):
            own = paths.of_folds(slice(k * len(folds), (k + 1) * len(folds)))
            stacking = stack_predictors(problem, own.outputs, folds, targets)
            stacking = with_cross_task_stacks(problem, stacking, folds, targets) if options.borrowing else stacking
            found.append(Refit(folds, targets, own, stacking))
        return found


def one_cohort(
    seed: int, kinds: list[str], schemes: dict[str, dict], options: Training, folds: int, size: dict
) -> dict[tuple[str, str], tuple[Cohort, Cohort, Pair]]:
    """Full labels, labels of training, and predictions by kind of response and scheme."""
    full, seen = zip(*(planted(kind, seed, **size) for kind in kinds), strict=True)
    fits = Fits(list(seen), [np.ones(3), np.array([0.0, 0.0, 1.0])], options, folds)
    found = {}
    for name, changes in schemes.items():
        for kind, whole, known, refit in zip(kinds, full, seen, fits.refits(changes), strict=True):
            pair = tuple(out_of_fold(known, refit, arm, "response") for arm in (0, 1))
            found[kind, name] = (whole, known, pair)
    return found


def summary(cohorts: list[tuple[Cohort, Cohort, Pair]]) -> dict:
    """One row of the table."""
    task, values, drawn = TASKS["response"], [], []
    verdicts = []
    for s, (full, seen, pair) in enumerate(cohorts):
        y = full.y("response")
        known = ~np.isnan(y)
        weights = bootstrap_weights(full.donors[known], DRAWS, s, y[known])
        values.append([task.score(y[known], pred[known]) for pred in pair])
        drawn.append([task.score(y[known], pred[known], weights) for pred in pair])
        arms = dict(zip(("multitask", "singletask"), pair, strict=True))
        own = TaskPredictions(task, full.samples, full.donors, seen.y("response"), arms)
        verdicts += list(transfer([own], {own.task.name: own.carriers}, DRAWS, s, 0.02)["verdict"])
    values, drawn = np.array(values), np.array(drawn)  # (cohorts, 2), (cohorts, 2, draws)
    rng = np.random.default_rng([len(cohorts), 42])
    chosen = rng.integers(0, len(cohorts), (len(cohorts), DRAWS))
    gain = np.take_along_axis(drawn[:, 0] - drawn[:, 1], chosen, axis=0).mean(axis=0)
    low, high = interval(gain)
    together, alone = values.mean(axis=0)
    return {
        "together": together,
        "alone": alone,
        "gain": together - alone,
        "low": low,
        "high": high,
        "helps / cannot tell / hurts": " / ".join(str(verdicts.count(word)) for word in VERDICTS),
    }


def table_of(
    seeds: range, kinds: list[str], schemes: dict[str, dict], options: Training, folds: int = 5, **size
) -> pd.DataFrame:
    """One row per kind of response and scheme."""
    found: dict[tuple[str, str], list] = {}
    for seed in seeds:
        for key, value in one_cohort(seed, kinds, schemes, options, folds, size).items():
            found.setdefault(key, []).append(value)
    return pd.DataFrame([{"response": kind, "scheme": name} | summary(own) for (kind, name), own in found.items()])


def main(full: bool, first: int) -> None:
    """Print the table, kind after kind."""
    table = table_of(range(first, first + (9 if full else 2)), list(CAUSES), SCHEMES, Training())
    table = table.sort_values("response", key=lambda names: names.map(list(CAUSES).index), kind="stable")
    print(table.to_string(index=False, float_format="{:.3f}".format))
    ours = table[table["scheme"] == "hard sharing + borrowing"].set_index("response")
    print(f"related, borrowing: interval of the gain above 0: {'yes' if ours.at['related', 'low'] > 0 else 'NO'}")
    words = ours.at["unrelated", "helps / cannot tell / hurts"]
    print(f"unrelated, borrowing: never said to help: {'yes' if words.startswith('0 ') else 'NO'} ({words})")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="nine cohorts")
    parser.add_argument("--seed", type=int, default=0, help="first cohort")
    given = parser.parse_args()
    main(given.full, given.seed)
