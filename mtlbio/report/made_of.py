"""Of which files the tables of ``influence/`` were made: those of earlier results are not shown beside newer ones."""

import hashlib
from pathlib import Path

import pandas as pd

from mtlbio.errors import InputError
from mtlbio.tables import read_table, write_table

COLUMNS = ["file", "sha256"]
FILES = ("cohort.h5ad", "latents.h5ad", "verdicts.tsv")
_PLACE = "influence/made_of.tsv"


def write_made_of(results: Path) -> None:
    """Keep the SHA-256 of the files that are there as ``influence/made_of.tsv``."""
    there = [name for name in FILES if (results / name).is_file()]
    table = pd.DataFrame({"file": there, "sha256": [_digest(results / name) for name in there]})
    write_table(table, results / _PLACE, COLUMNS)


def is_current(results: Path) -> bool:
    """Whether the tables are of the files that are there now; also where one of them was made since."""
    try:
        table = read_table(results / _PLACE, COLUMNS)
    except InputError:
        return False
    kept = dict(zip(table["file"].astype(str), table["sha256"].astype(str), strict=True))
    there = [name for name in FILES if (results / name).is_file()]
    return list(kept) == there and all(_digest(results / name) == kept[name] for name in there)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
