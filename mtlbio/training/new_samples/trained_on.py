"""The cohort that a model was trained on, where it lies beside the model."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from mtlbio.cohort.cohort import Cohort, read_cohort
from mtlbio.errors import InputError
from mtlbio.integrity.step import checked
from mtlbio.tables import SPLITS, read_table


def prepared(results: Path) -> tuple[Cohort, pd.DataFrame] | str:
    """The cohort that a model was trained on, and its folds; where it is not at hand, why not."""
    if not (results / "cohort.h5ad").is_file():
        return "no cohort.h5ad beside the model"
    try:
        checked(results, ("prepare",))
        return read_cohort(results / "cohort.h5ad"), read_table(results / "splits.tsv", SPLITS)
    except InputError as error:
        return str(error)
