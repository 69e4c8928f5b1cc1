"""How often does `mtlbio predict` refuse or warn of samples that are in order, and miss another scale?

    python benchmarks/real/new_batches.py DATA [--repeats 10]

Half of the batches of a real cohort (plates, chips, sites; where none are known, half of the donors) are what a model
was trained on, the others are new samples: as one table, as a table per batch, and one by one. No network is needed:
what is compared are genes. DATA as for cohorts.py; the leukaemia cohort ships with mtlbio.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import pandas as pd

from benchmarks.real.cohorts import COHORTS
from benchmarks.real.runs import described, prepared
from benchmarks.shared.places import RESULTS, ROOT
from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.features import fit_features
from mtlbio.cohort.prepare import build_cohort
from mtlbio.intake.notes import noticing
from mtlbio.kinds.read import read_run
from mtlbio.training.new_samples.checks import Checks
from mtlbio.training.new_samples.departure import departures, joined
from mtlbio.training.new_samples.readings import Model
from mtlbio.training.new_samples.scale import check_scale

BATCHES = {"sle": ("batch", "array_chip"), "ra_methylation": ("array_chip",), "ageing_proteome": ("cohort",)}
GENES = 5000
FOLDS = 5
# What is done to values on the model's scale; a table on that scale has to be refused.
SCALES = {
    "log10 for log2": lambda x, train: x * np.log10(2),
    "ln for log2": lambda x, train: x * np.log(2),
    "z-scores": lambda x, train: (x - train.mean(axis=0)) / train.std(axis=0),
    "linear": lambda x, train: 2.0**x,
}


def cohorts(data: Path) -> dict[str, Cohort]:
    """Real cohorts by name: those below ``data``, and leukaemia."""
    found = {"leukaemia": build_cohort(read_run(ROOT / "config" / "runs" / "leukaemia.yaml"))[0]}
    for name in COHORTS:
        if (data / name).is_dir():
            folder = RESULTS / "new_batches" / name
            found[name] = prepared(described(name, data, folder.parent), folder)
    return found


def model_of(cohort: Cohort, rows: np.ndarray, rng: np.random.Generator) -> Model:
    """What a model that was trained on some samples compares new ones with."""
    values, donors = cohort.expression[rows], cohort.donors[rows]
    names = rng.permutation(np.unique(donors))
    fold = pd.Series(np.arange(len(names)) % FOLDS, names)[donors].to_numpy()
    held_out = []
    for k in range(FOLDS):
        own = fit_features(values[fold != k], GENES)
        held_out.append(departures(values[fold == k][:, own.genes_idx], own.mean, own.scale))
    whole = fit_features(values, GENES)
    return Model("log2", None, whole.genes_idx, whole.mean, whole.scale, joined(held_out))


def call_of(values: np.ndarray, model: Model) -> str:
    """``refused``, ``warned`` or ``passed``."""
    checks = Checks("new")
    with noticing() as notes:
        check_scale(values, values, np.arange(len(values)).astype(str), model, checks)
    return "refused" if checks.refusals else "warned" if notes else "passed"


def counted(cohort: Cohort, by: str | None, repeats: int) -> dict[str, list[str]]:
    """Calls by kind of table: new samples as they are, and on other scales."""
    units = cohort.donors if by is None else cohort.obs[by].astype(str).to_numpy()
    donors, rng = cohort.donors, np.random.default_rng(0)
    calls: dict[str, list[str]] = {}
    for _ in range(repeats):
        names = rng.permutation(np.unique(units))
        inside = np.isin(units, names[: max(1, len(names) // 2)])
        new = ~inside & ~np.isin(donors, donors[inside])
        if new.sum() < 2 or inside.sum() < 20:
            continue
        model, values = model_of(cohort, inside, rng), cohort.expression[new].astype(float)
        tables = {"one table": [values], "one by one": list(values[:, None][:50])}
        if by is not None:
            tables["a table per batch"] = [values[units[new] == unit] for unit in np.unique(units[new])]
        for name, change in SCALES.items():
            tables[name] = [change(values, cohort.expression[inside])]
            tables[f"{name}, one by one"] = [change(row[None], cohort.expression[inside]) for row in values[:10]]
        for kind, parts in tables.items():
            calls.setdefault(kind, []).extend(call_of(part, model) for part in parts)
    return calls


def main() -> int:
    """Count and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--repeats", type=int, default=10, help="halves that are drawn of each cohort")
    options = parser.parse_args()
    rows = []
    for name, cohort in cohorts(options.data.resolve()).items():
        for by in BATCHES.get(name, (None,)):
            for kind, calls in counted(cohort, by, options.repeats).items():
                shares = {call: np.mean([c == call for c in calls]) for call in ("refused", "warned", "passed")}
                about = {"cohort": name, "halves of": by or "donors", "new samples": kind, "n": len(calls)}
                rows.append(about | shares)
    print(pd.DataFrame(rows).to_string(index=False, float_format="%.3f"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
