"""Tables with a row per sample and feature, as text or parquet: the columns that count, text as categories."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from mtlbio.intake.formats.delimited import levels, read_below, separator_and_decimal
from mtlbio.intake.formats.head import look
from mtlbio.reading import understood


def long_table(path: Path, what: str, columns: Sequence[str], text: Sequence[str]) -> pd.DataFrame:
    """Some columns of a table in the long layout.

    Parameters
    ----------
    what : the table, for messages
    columns : names of those that are read
    text : which of them are text: categories, missing = empty
    """
    head = look(path)
    if head.magic.startswith(b"PAR1"):
        with understood(path, "a readable parquet file"):
            stored = pq.read_table(path, columns=list(columns))
            table = stored.to_pandas(strings_to_categorical=True, ignore_metadata=True)
    else:
        separator, decimal = separator_and_decimal(head)
        table = read_below(path, what, None, separator, columns, text, decimal=decimal, few=True)
    for name in text:
        table[name] = levels(table[name])
    return table
