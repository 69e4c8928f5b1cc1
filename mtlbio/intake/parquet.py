"""Names and types of the columns of a parquet file, and what it claims to hold, read once."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from mtlbio.errors import InputError
from mtlbio.reading import check_fits, regular_file, understood


def parquet_schema(path: Path) -> pa.Schema:
    """Names and types of the columns (``pyarrow.Schema``), after a look at whether the rest fits into memory."""
    found = regular_file(path, "a parquet file")
    schema, rows, claimed = _claims(Path(path), found.st_mtime_ns, found.st_size)
    check_fits(path, claimed, f"a table of {rows:,} rows and {len(schema.names):,} columns")
    return schema


@lru_cache(maxsize=4)  # of ten thousand columns the names alone take a tenth of the time that the values take
def _claims(path: Path, changed: int, size: int) -> tuple[pa.Schema, int, int]:
    """Schema, rows and bytes of a parquet file as it says; the same as long as it was not changed."""
    with understood(path, "a readable parquet file"), pq.ParquetFile(path) as file:
        about, schema = file.metadata, file.schema_arrow
        groups = [about.row_group(i) for i in range(about.num_row_groups)]
        rows, told = sum(group.num_rows for group in groups), about.num_rows
        claimed = max(sum(group.total_byte_size for group in groups), rows * len(schema.names))
    if rows != told or rows < 0:
        raise InputError(f"{path}: not a readable parquet file (it claims {told:,} rows and has {rows:,})")
    return schema, rows, claimed
