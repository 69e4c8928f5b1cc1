"""Of which files the tables of a command were made: those of earlier results are not shown beside newer ones."""

import hashlib
from pathlib import Path

import pandas as pd

from mtlbio.errors import InputError
from mtlbio.tables import read_table, write_table

COLUMNS = ["file", "sha256"]
# command -> files that its tables are of
FILES = {
    "influence": ("cohort.h5ad", "latents.h5ad", "verdicts.tsv"),
    "panel": ("cohort.h5ad", "splits.tsv"),
    "tradeoff": ("cohort.h5ad", "splits.tsv", "predictions.tsv", "latents.h5ad"),
}
NAME = "made_of.tsv"


def write_made_of(results: Path, command: str = "influence", folder: Path | None = None) -> None:
    """Keep the SHA-256 of the files that are there as ``made_of.tsv``, in ``folder``, or that of the command."""
    there = [name for name in FILES[command] if (results / name).is_file()]
    table = pd.DataFrame({"file": there, "sha256": [_digest(results / name) for name in there]})
    write_table(table, (folder or results / command) / NAME, COLUMNS)


def is_current(results: Path, command: str = "influence") -> bool:
    """Whether the tables are of the files that are there now; also where one of them was made since."""
    try:
        table = read_table(results / command / NAME, COLUMNS)
    except InputError:
        return False
    kept = dict(zip(table["file"].astype(str), table["sha256"].astype(str), strict=True))
    there = [name for name in FILES[command] if (results / name).is_file()]
    return list(kept) == there and all(_digest(results / name) == kept[name] for name in there)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
