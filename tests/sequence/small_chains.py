"""Small files of chains, and the run that reads them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from mtlbio.kinds.schemas import ProteinRun

ROWS = [
    ("a1", "ARNDCQEGHILKMFPSTWYVAR", "train"),
    ("a2", "KKLLEEAAKKGGSSTTPPVVII", "train"),
    ("b1", "MMFFWWYYHHCCQQNNDDEERR", "val"),
    ("c1", "GAVLIGAVLIGAVLIGAVLIGA", "test"),
]


def table(**changes) -> pd.DataFrame:
    """Four chains of 22 residues with every label; ``changes`` replace cells of the first row by column."""
    rows = [
        {
            "id": name,
            "sequence": sequence,
            "q8": "CHHHHGGGTTSSEEEEBCIIIC",
            "q3": "CHHHHHHHCCCCEEEEECHHHC",
            "rsa": " ".join(["0.25"] * 21 + ["nan"]),
            "site": "0101" * 5 + "10",
            "split": split,
        }
        for name, sequence, split in ROWS
    ]
    found = pd.DataFrame(rows)
    for column, value in changes.items():
        found.loc[0, column] = value
    return found


def run_of(path: Path, **changes) -> ProteinRun:
    """A run on a table."""
    content = {
        "run": "small",
        "kind": "protein",
        "chains": {"own": {"path": str(path), "split": "split"}},
        "tasks": {
            "structure": {"kind": "secondary_structure", "q8": "q8", "q3": "q3"},
            "exposure": {"kind": "accessibility", "column": "rsa"},
            "site": {"kind": "binary"},
        },
    }
    return ProteinRun.model_validate(content | changes)
