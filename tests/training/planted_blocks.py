"""A small cohort with two blocks, prepared in memory, and training that is short."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from mtlbio.cohort.assays.blocks import blocks_of
from mtlbio.cohort.assays.simulate import plant
from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.prepare import build_cohort
from mtlbio.cohort.split import make_splits
from mtlbio.config import Training
from mtlbio.kinds.read import read_run

OPTIONS = Training(seeds=1, epochs=10, patience=5, curves=5, axes=3, block=2, single_task=False, device="cpu", genes=20)


def prepared(folder: Path, donors: int = 150) -> tuple[Cohort, pd.DataFrame]:
    """The cohort, whose donors all have transcripts and of whom a fourth lacks proteins, and two folds; tasks of every
    form of label."""
    path = plant(folder, "small", 0, donors=donors)
    text = path.read_text().replace("  proteins: {path: proteins.parquet", "  proteins: {path: some.parquet")
    table = pd.read_parquet(folder / "proteins.parquet")
    table.iloc[np.arange(len(table)) % 4 > 0].to_parquet(folder / "some.parquet")
    described = pd.read_csv(folder / "metadata.csv")
    described["stage"] = pd.qcut(described["age"], 3, labels=["low", "mid", "high"])
    described.to_csv(folder / "metadata.csv", index=False)
    more = "tasks:\n  age: {kind: regression}\n  stage: {kind: ordinal, classes: [low, mid, high]}\n"
    more += "  plate: {kind: multiclass}\n"
    path.write_text(text.replace("tasks:\n", more) + "splits: {folds: 2}\n")
    run = read_run(path)
    cohort = build_cohort(run)[0]
    rna = blocks_of(cohort).have(["rna"])
    cohort = replace(cohort, expression=cohort.expression[rna], obs=cohort.obs[rna])
    return cohort, make_splits(cohort, run.splits)


def lacking(cohort: Cohort, row: int, block: str) -> Cohort:
    """The cohort without one block of one sample."""
    expression = cohort.expression.copy()
    expression[row, blocks_of(cohort).columns([block])] = np.nan
    return replace(cohort, expression=expression)
