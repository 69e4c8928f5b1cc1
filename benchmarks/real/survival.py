"""Times to death in eight cohorts of expression: the network, ridge Cox and clinical covariates on the same folds.

    python benchmarks/real/survival.py [--only NSBCD nki70] [--folds 5] [--write]

Harrell's C of held-out donors with its interval (bootstrap of donors), and the difference to ridge Cox on the same
donors. Cohorts are those of the package SurvSet (``pip install SurvSet==0.2.11``, 47 MB; it is GPL, and nothing else
here needs it): Drysdale 2022, arXiv:2203.03094. Its numeric columns are the measurements, standardised; what it knows
of donors beside them (factors, age, grade) are covariates. What is finished is kept below results/benchmarks/survival/.
``--write`` puts the table into docs/survival.md.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
import yaml

from benchmarks.calibration.pages import DOCS, between
from benchmarks.shared.places import RESULTS
from mtlbio import door
from mtlbio.errors import InputError
from mtlbio.progress import show_progress
from mtlbio.tables import COMPARISONS, METRICS, read_table

COHORTS = ("DBCD", "DLBCL", "chop", "gse4335", "NSBCD", "AML_Bull", "dataOvarian1", "nki70")
ARMS = ("multitask", "ridge", "covariates")
_CLINICAL = ("num_age", "num_Age", "num_grade")  # numbers that are no measurements
_LEAST = 5  # donors of a level; rarer ones are pooled


def cohort(name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Measurements (donors x features), standardised, and what is known of the donors."""
    try:
        from SurvSet.data import SurvLoader
    except ImportError:
        raise InputError("SurvSet is not installed; pip install SurvSet==0.2.11") from None
    table = SurvLoader().load_dataset(name)["df"].reset_index(drop=True)
    table.index = pd.Index([f"P{i:04d}" for i in range(len(table))], name="sample_id")
    factors = [c for c in table if c.startswith("fac_")]
    known = factors + [c for c in _CLINICAL if c in table and c.replace("num_", "fac_") not in factors]
    values = table[[c for c in table if c.startswith("num_") and c not in _CLINICAL]].astype(float)
    values = values.loc[:, values.std() > 0]
    values = (values - values.mean()) / values.std()
    about = table[["time", "event", *known]].rename(columns=lambda c: c.split("_", 1)[-1])
    for column in [c.split("_", 1)[-1] for c in factors]:
        text = about[column].astype("string")
        about[column] = text.where(text.map(text.value_counts()) >= _LEAST, "other")
    return values.rename(columns=lambda c: c.removeprefix("num_")), about.assign(donor_id=about.index)


def described(name: str, folder: Path, folds: int) -> Path:
    """The cohort as files with a YAML; gives the YAML."""
    values, about = cohort(name)
    folder.mkdir(parents=True, exist_ok=True)
    values.to_parquet(folder / "expression.parquet")
    about.to_csv(folder / "metadata.csv")
    known = about.columns.difference(["time", "event", "donor_id"])
    kinds = {c: "continuous" if pd.api.types.is_numeric_dtype(about[c]) else "categorical" for c in known}
    covariates = {column: {"role": "confounder", "kind": kind} for column, kind in kinds.items()}
    content = {
        "run": name,
        "expression": {"path": "expression.parquet", "scale": "z"},
        "metadata": {"path": "metadata.csv"},
        "tasks": {"survival": {"kind": "survival", "time": "time", "event": "event", "positive": 1}},
        "covariates": covariates,
        "splits": {"folds": folds},
        "training": {"device": "cpu"},
        "baselines": {"arms": ["ridge", "covariates"]},
    }
    path = folder / "run.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return path


def tried(name: str, folds: int) -> dict:
    """Harrell's C of every arm with its interval, and how much the network differs from the others."""
    folder = RESULTS / "survival" / f"{name}_{folds}"
    results = folder / "results" / name
    if not (results / "metrics.tsv").exists():
        run = door.read_run(described(name, folder, folds))
        for step in ("prepare", "train", "baselines", "evaluate"):
            door.steps.take(step, run, results)
    metrics = read_table(results / "metrics.tsv", METRICS)
    found = metrics[metrics["metric"] == "c_index"].set_index("arm")
    compared = read_table(results / "comparisons.tsv", COMPARISONS)
    row: dict = {"cohort": name, "donors": int(found["n_donors"].max())}
    for arm in ARMS:
        if arm in found.index:
            row[arm] = found.loc[arm, ["value", "ci_low", "ci_high"]].to_numpy(dtype=float)
    for arm in ARMS[1:]:
        pair = compared[(compared["arm_a"] == "multitask") & (compared["arm_b"] == arm)]
        if len(pair):
            row[f"beyond {arm}"] = pair.iloc[0][["difference", "ci_low", "ci_high"]].to_numpy(dtype=float)
    return row


def table_of(rows: list[dict]) -> str:
    """In markdown."""
    columns = [*ARMS, *(f"beyond {arm}" for arm in ARMS[1:])]
    lines = [f"| cohort | donors | {' | '.join(columns)} |", "|---" * (2 + len(columns)) + "|"]
    for row in rows:
        cells = [f"{v[0]:.3f} ({v[1]:.3f} to {v[2]:.3f})" if (v := row.get(c)) is not None else "-" for c in columns]
        lines.append(f"| {row['cohort']} | {row['donors']} | {' | '.join(cells)} |")
    means = {arm: np.mean([row[arm][0] for row in rows]) for arm in ARMS[:2]}
    lines.append(f"| mean | | {' | '.join(f'{mean:.3f}' for mean in means.values())} | | | |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=COHORTS, default=list(COHORTS), metavar="COHORT")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="put the table into docs/survival.md")
    given = parser.parse_args()
    rows = []
    for name in given.only:
        rows.append(tried(name, given.folds))
        print(table_of(rows[-1:]).splitlines()[2], flush=True)
    print(table_of(rows))
    if given.write:
        between(DOCS / "survival.md", table_of(rows), "<!-- survset -->")


if __name__ == "__main__":
    show_progress()
    main()
