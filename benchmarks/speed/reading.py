"""How long does it take to read what people have, next to pandas and scanpy alone, and does memory stay flat?

    python benchmarks/speed/reading.py [--small] [--rounds 3] [--only tables cells]

Tables: 734 samples x 12,594 genes as parquet, csv.gz and csv.gz with genes in rows, read by
``mtlbio.cohort.expression`` and by pandas. Cells: an h5ad of simulated counts (rows compressed) at a quarter, a half
and all of 300,000 cells, summed to samples of donors by mtlbio (which checks every value on the way) and by scanpy
(``read_h5ad`` and ``sc.get.aggregate``). Each reading is a process of its own, readers take turns, seconds are the
least of all rounds without imports, memory is the peak of the process above what it had after its imports. The bar:
``ratio`` at most 1.5, and mtlbio's memory of all cells not above 1.2 times that of a quarter.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
OTHER = {"parquet": "pandas", "csv.gz": "pandas", "h5ad": "scanpy"}


def main() -> None:
    """Make files, read them in turns, print a row for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="a tenth of samples and cells")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=("tables", "cells"), default=["tables", "cells"])
    parser.add_argument("--genes", type=int, default=12_594)
    parser.add_argument("--read", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.read:
        read(*given.read)
        return
    share = 10 if given.small else 1
    with TemporaryDirectory() as place:
        print("what", "size", "mtlbio_s", "other", "other_s", "ratio", "mtlbio_MB", "other_MB", sep="\t")
        if "tables" in given.only:
            for path in tables(Path(place), 734 // share, given.genes):
                compare(path, f"{734 // share} x {given.genes}", given.rounds)
        if "cells" in given.only:
            for cells in (75_000 // share, 150_000 // share, 300_000 // share):
                path = cells_file(Path(place) / "cells.h5ad", cells)
                compare(path, f"{cells} cells", given.rounds)


def compare(path: Path, size: str, rounds: int) -> None:
    """Read a file in turns by both readers, and print a row."""
    ending = "csv.gz" if path.name.endswith("csv.gz") else path.suffix[1:]
    taken: dict[str, list[tuple[float, float]]] = {"mtlbio": [], OTHER[ending]: []}
    for _ in range(rounds):
        for reader in taken:
            words = [sys.executable, __file__, "--read", reader, str(path)]
            found = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
            taken[reader].append((found["seconds"], found["megabytes"]))
    (own, own_mb), (other, other_mb) = ((min(s for s, _ in t), min(m for _, m in t)) for t in taken.values())
    row = [
        "genes in rows" if path.name.startswith("rows") else ending,
        size,
        f"{own:.2f}",
        OTHER[ending],
        f"{other:.2f}",
        f"{own / other:.2f}",
    ]
    print(*row, f"{own_mb:.0f}", f"{other_mb:.0f}", sep="\t", flush=True)


def read(reader: str, path: str) -> None:
    """In a process of its own: read a file and print what it took as JSON."""
    work = {"mtlbio": with_mtlbio, "pandas": with_pandas, "scanpy": with_scanpy}[reader](path)
    before, start = peak_megabytes(), time.perf_counter()
    work()
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "megabytes": peak_megabytes() - before}))


def peak_megabytes() -> float:
    """Most memory that this process ever had (Linux; what getrusage says includes the process that started it)."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1000


def with_mtlbio(path: str) -> Callable[[], object]:
    """Reading, and of cells the sums, after all imports."""
    import mtlbio.progress
    from mtlbio.cohort.cells.h5ad import h5ad_obs
    from mtlbio.cohort.cells.pseudobulk import pseudobulk
    from mtlbio.cohort.expression import read_expression
    from mtlbio.cohort.metadata import text_table
    from mtlbio.cohort.qc import QcList
    from mtlbio.config import Expression

    mtlbio.progress.say = lambda *_: None
    if not path.endswith("h5ad"):
        lies: Literal["rows", "columns"] = "rows" if path.endswith("rows.csv.gz") else "columns"
        return lambda: read_expression(Expression(path=path, scale="log2", genes_in=lies), "sample_id")

    def cells():
        data = read_expression(Expression(path=path, scale="counts"), "sample_id", on_disk=True)
        table = text_table(h5ad_obs(path))
        return pseudobulk(data, table[["donor"]], table[["condition"]], "counts", 10, QcList(), path)

    return cells


def with_pandas(path: str) -> Callable[[], object]:
    """What pandas takes alone."""
    import pandas as pd
    import pyarrow.parquet  # noqa: F401

    if path.endswith("parquet"):
        return lambda: pd.read_parquet(path)
    return lambda: pd.read_csv(path, index_col=0)


def with_scanpy(path: str) -> Callable[[], object]:
    """Sums over the cells of each donor and condition, with everything in memory."""
    import anndata as ad
    import scanpy as sc

    return lambda: sc.get.aggregate(ad.read_h5ad(path), by=["donor", "condition"], func="sum")


def tables(folder: Path, samples: int, genes: int) -> list[Path]:
    """The same measurements as parquet and csv.gz."""
    import numpy as np
    import pandas as pd

    values = np.random.default_rng(0).normal(7, 1, (samples, genes)).round(4)
    table = pd.DataFrame(values, columns=[f"GENE{i}" for i in range(genes)])
    table.index = pd.Index([f"S{i}" for i in range(samples)], name="sample_id")
    table.to_parquet(folder / "e.parquet")
    table.to_csv(folder / "e.csv.gz", compression={"method": "gzip", "compresslevel": 1})
    table.T.rename_axis("gene").to_csv(folder / "rows.csv.gz", compression={"method": "gzip", "compresslevel": 1})
    return [folder / "e.parquet", folder / "e.csv.gz", folder / "rows.csv.gz"]


def cells_file(path: Path, cells: int, genes: int = 10_000, detected: int = 500, donors: int = 60) -> Path:
    """Counts of cells that each detect some genes, written block by block; 60 donors in two conditions."""
    import anndata as ad
    import h5py
    import numpy as np
    import pandas as pd
    from anndata.io import write_elem

    rng = np.random.default_rng(0)
    obs = pd.DataFrame({"donor": pd.Categorical([f"D{i}" for i in rng.integers(0, donors, cells)])})
    obs["condition"] = pd.Categorical(rng.choice(["ctrl", "stim"], cells))
    obs.index = [f"CELL{i}-1" for i in range(cells)]
    var = pd.DataFrame(index=[f"GENE{i}" for i in range(genes)])
    ad.AnnData(obs=obs, var=var).write_h5ad(path)
    with h5py.File(path, "r+") as file:
        if "X" in file:
            del file["X"]
        group = file.create_group("X")
        group.attrs.update({"encoding-type": "csr_matrix", "encoding-version": "0.1.0", "shape": [cells, genes]})
        write_elem(group, "indptr", np.arange(cells + 1, dtype=np.int64) * detected)
        group["indptr"].attrs.clear()
        length = cells * detected
        data = group.create_dataset("data", (length,), np.float32, chunks=(min(length, 1_000_000),))
        indices = group.create_dataset("indices", (length,), np.int32, chunks=(min(length, 1_000_000),))
        step = 10_000
        for start in range(0, cells, step):
            rows = min(step, cells - start)
            first = rng.integers(0, genes // detected, (rows, detected))
            places = (first + np.arange(detected) * (genes // detected)).astype(np.int32)
            piece = slice(start * detected, (start + rows) * detected)
            indices[piece] = places.ravel()
            data[piece] = rng.geometric(0.5, rows * detected).astype(np.float32)
    return path


if __name__ == "__main__":
    main()
