"""What does one task of a real cohort gain when another gives up, and what does it cost to find out?

    python benchmarks/real/tradeoff.py DATA [--cohort covid_proteome] [--preferences 25]

Prepares and trains the cohort in a folder that vanishes, asks `mtlbio tradeoff`, and prints what it says with the
processor's seconds of both, and of 25 preferences beside one. DATA holds the cohort, as in
``benchmarks/real/cohorts.py``. Three minutes on an idle core.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd

import mtlbio
from benchmarks.real.cohorts import COHORTS, write_run
from mtlbio.cohort.cohort import Cohort
from mtlbio.commands.tradeoff import PREFERENCES, tradeoff
from mtlbio.config import Training
from mtlbio.evaluation.tradeoff.simplex import preferences_of
from mtlbio.kinds.read import read_run
from mtlbio.progress import show_progress
from mtlbio.training.fold_parts import read_prepared
from mtlbio.training.preference_stack import fit_preferences, preference_stack
from mtlbio.training.preferences import Preferences


def main(data: Path, cohort: str, preferences: int) -> None:
    """Print the sentences, and what training and preferences took."""
    with tempfile.TemporaryDirectory() as place:
        run, results = read_run(write_run(cohort, data, Path(place))), Path(place) / "results"
        mtlbio.prepare(run, results)
        begin = time.process_time()
        mtlbio.train(run, results)
        trained = time.process_time()
        sentences = tradeoff(run, results, preferences)
        print("\n".join(sentences))
        took = time.process_time() - trained
        cohort, splits = read_prepared(results)
        one, many = (seconds_of(cohort, splits, run.training, count) for count in (0, preferences))
    print(f"mtlbio train: {trained - begin:.0f} s of a processor; mtlbio tradeoff: {took:.0f} s")
    print(f"the stack of one preference: {one:.0f} s; of {preferences}: {many:.0f} s, {many / one:.1f} times as long")


def seconds_of(cohort: Cohort, splits: pd.DataFrame, options: Training, count: int) -> float:
    """Processor's seconds from the prepared cohort to predictions by so many preferences, or by the plain sum."""
    tasks, begin = len(cohort.tasks), time.process_time()
    weights = preferences_of(tasks, count) * tasks if count else np.ones((1, tasks))
    fit_preferences(cohort, preference_stack(cohort, splits, options, Preferences(weights, ("",) * len(weights))))
    return time.process_time() - begin


if __name__ == "__main__":
    show_progress()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--cohort", choices=sorted(COHORTS), default="covid_proteome")
    parser.add_argument("--preferences", type=int, default=PREFERENCES)
    given = parser.parse_args()
    main(given.data, given.cohort, given.preferences)
