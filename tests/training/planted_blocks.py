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

OPTIONS = Training(
    seeds=2, epochs=10, patience=5, curves=10, axes=5, block=2, single_task=False, device="cpu", genes=60
)


def prepared(folder: Path, donors: int = 60) -> tuple[Cohort, pd.DataFrame]:
    """The cohort, whose donors all have transcripts and of whom every fourth lacks proteins, and two folds."""
    path = plant(folder, "small", 0, donors=donors)
    text = path.read_text().replace("  proteins: {path: proteins.parquet", "  proteins: {path: some.parquet")
    table = pd.read_parquet(folder / "proteins.parquet")
    table.iloc[np.arange(len(table)) % 4 > 0].to_parquet(folder / "some.parquet")
    path.write_text(text + "splits: {folds: 2}\n")
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
