"""Verdicts of planted cohorts that were counted before and are kept with the sources: a large count is made in pieces.

``kept/<part>.parquet`` holds a row per dimension, without the terms that odds are fitted on, and the digest of the
sources that made it. Where those have changed, the rows count again after a sample of them was made anew and was the
same (``grid.py adopt PART``).
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mtlbio.files import replacing

FOLDER = Path(__file__).parent / "kept"
COLUMNS = ["cell", "run", "dim", "role", "verdict", "firm_p", "covered", "about"]
_VERSION = b"made by"


def read_kept(part: str, version: str | None) -> pd.DataFrame:
    """Rows of a part that the sources with this digest made; of whatever sources where it is None."""
    path = FOLDER / f"{part}.parquet"
    if not path.exists():
        return pd.DataFrame(columns=COLUMNS)
    table = pq.read_table(path)
    made_by = (table.schema.metadata or {}).get(_VERSION, b"").decode()
    return table.to_pandas() if version in (None, made_by) else pd.DataFrame(columns=COLUMNS)


def write_kept(part: str, version: str, rows: pd.DataFrame) -> Path:
    """Keep the rows of a part; gives the file."""
    rows = rows.reindex(columns=COLUMNS).sort_values(["cell", "run", "dim"], ignore_index=True)
    rows = rows.astype({"firm_p": "float32", "run": "int32"})
    table = pa.Table.from_pandas(rows, preserve_index=False).replace_schema_metadata({_VERSION: version})
    with replacing(FOLDER / f"{part}.parquet") as temporary:
        pq.write_table(table, temporary, compression="zstd", compression_level=19)
    return FOLDER / f"{part}.parquet"


def joined(kept: pd.DataFrame, stored: pd.DataFrame) -> pd.DataFrame:
    """Both; of a cohort that is in both, the stored rows, which have more columns."""
    if kept.empty or stored.empty:
        return stored if kept.empty else kept
    twice = pd.MultiIndex.from_frame(kept[["cell", "run"]]).isin(pd.MultiIndex.from_frame(stored[["cell", "run"]]))
    return pd.concat([kept[~twice], stored], ignore_index=True)


def sample_of(kept: pd.DataFrame, cohorts: int) -> pd.DataFrame:
    """Rows of the first and the last cohorts of every cell, so many in all."""
    runs = kept.groupby("cell")["run"].unique()
    chosen = {
        (cell, run) for cell, own in runs.items() for run in [*sorted(own)[: -(-cohorts // 2)], *sorted(own)[-1:]]
    }
    return kept[[pair in chosen for pair in zip(kept["cell"], kept["run"], strict=True)]]


def differing(kept: pd.DataFrame, made: pd.DataFrame) -> list[str]:
    """Dimensions whose role or verdict is another one in rows that were made anew."""
    by = ["cell", "run", "dim"]
    both = kept.merge(made, on=by, how="left", suffixes=("", "_now"))
    role = both["role"].str.removeprefix("idle ") != both["role_now"].str.removeprefix("idle ")
    other = both[role | (both["verdict"] != both["verdict_now"])]
    return [
        f"{row.cell}, cohort {row.run}, {row.dim}: {row.verdict}, now {row.verdict_now}" for row in other.itertuples()
    ]
