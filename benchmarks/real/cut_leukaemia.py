"""Make the leukaemia cohort that ships with mtlbio from the whole one.

    python benchmarks/real/cut_leukaemia.py FOLDER   # with expression.parquet (samples x genes, log2) and metadata.csv

Patients are chosen by lineage and genes by variance: no label that a model later predicts takes part.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.shared.places import ROOT
from mtlbio.cohort.genesets import builtin_sets
from mtlbio.files import replacing

TARGET = ROOT / "mtlbio" / "cohort" / "data" / "leukaemia"
COLUMNS = ["sample_id", "donor_id", "mol_biol", "bt_stage", "age", "sex", "response", "relapse", "diagnosis_year"]


def cut(source: Path, target: Path, genes: int) -> None:
    """Write the B-lineage patients and the ``genes`` most variable genes (plus every builtin marker gene)."""
    metadata = pd.read_csv(source / "metadata.csv", dtype={"sample_id": str, "donor_id": str})
    metadata = metadata.loc[metadata["disease"] == "B_ALL", COLUMNS]
    metadata["diagnosis_year"] = metadata["diagnosis_year"].astype("Int64")
    expression = pd.read_parquet(source / "expression.parquet").loc[metadata["sample_id"]]
    variable = expression.var().sort_values(ascending=False, kind="stable").index[:genes]
    markers = {gene for members in builtin_sets().values() for gene in members}
    kept = [gene for gene in expression.columns if gene in markers or gene in set(variable)]
    # two decimals: the arrays' own replicates differ by far more than .005
    small = expression[kept].round(2).astype(np.float32)
    target.mkdir(parents=True, exist_ok=True)
    with replacing(target / "expression.parquet") as path:
        _write_small(small, path)
    with replacing(target / "metadata.csv") as path:
        metadata.to_csv(path, index=False)
    print(f"{small.shape[0]} patients x {small.shape[1]} genes -> {target.name}")


def _write_small(table: pd.DataFrame, path: Path) -> None:
    """Parquet of half the usual size, the sample as its first column.

    Thousands of short columns would otherwise cost more in their descriptions than in their values.
    """
    pq.write_table(
        pa.Table.from_pandas(table.reset_index(), preserve_index=False),
        path,
        compression="zstd",
        compression_level=19,
        write_statistics=False,
        use_dictionary=False,
        store_schema=False,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help="folder with the whole cohort")
    parser.add_argument("--target", type=Path, default=TARGET, help="where the cut goes")
    parser.add_argument("--genes", type=int, default=3500, help="how many of the most variable genes are kept")
    given = parser.parse_args()
    cut(given.source, given.target, given.genes)
