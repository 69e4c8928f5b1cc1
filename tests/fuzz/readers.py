"""Every reader of users' files: a sound file, how it is mutated, and what reads it."""

from __future__ import annotations

import gzip
import io
import random
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import yaml
import zarr
from anndata.io import write_elem
from backbones import backbone, pdb_text
from biotite.structure.io import pdb, pdbx
from mutations import NUMBERS, of_bytes, of_text
from scipy import io as scipy_io
from scipy import sparse
from small_chains import run_of, table
from small_cohort import SmallCohort

from mtlbio.cohort.cells.h5ad import h5ad_obs
from mtlbio.cohort.cells.layers import choose_layer
from mtlbio.cohort.drafts.draft import draft
from mtlbio.cohort.drafts.draft_table import draft_table
from mtlbio.cohort.expression import read_expression, sample_names
from mtlbio.cohort.genesets import read_gmt
from mtlbio.cohort.measurements import check_names, check_values
from mtlbio.cohort.metadata import by_sample, read_metadata, text_table
from mtlbio.cohort.prepare import check
from mtlbio.config import Expression
from mtlbio.kinds.read import read_run
from mtlbio.sequence.features import open_embeddings, open_profiles, wide_of
from mtlbio.sequence.read import read_sources
from mtlbio.sequence.records import read_fasta
from mtlbio.sequence.structures import read_structure
from mtlbio.tables import read_table

Mutate = Callable[[bytes, random.Random], bytes]


@dataclass(frozen=True)
class Reader:
    """``make`` writes a sound input into a folder and gives the file to mutate; ``read`` takes that file."""

    make: Callable[[Path], Path]
    read: Callable[[Path], object]
    mutate: Mutate = of_bytes


def cohort(folder: Path) -> SmallCohort:
    folder.mkdir(parents=True, exist_ok=True)
    return SmallCohort(folder)


def _sound(name: str) -> Callable[[Path], Path]:
    """A file of the small cohort in the format that the name tells."""

    def make(folder: Path) -> Path:
        small, path = cohort(folder), folder / name
        values = small.expression
        frame = small.metadata if name.startswith("m") else values.reset_index()
        if ".csv" in name or ".tsv" in name:
            frame.to_csv(path, index=False, sep="," if ".csv" in name else "\t")
        elif name.endswith(".parquet"):
            frame.to_parquet(path)
        elif name.endswith(".xlsx"):
            frame.to_excel(path, index=False)
        return path

    return make


def _in_workbook(mutate: Mutate) -> Mutate:
    """Of a workbook a part is changed, or now and then its bytes."""

    def inside(data: bytes, draw: random.Random) -> bytes:
        if draw.random() < 0.2:
            return of_bytes(data, draw)
        made = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
            changed = draw.choice(["xl/worksheets/sheet1.xml", *old.namelist()])
            for name in old.namelist():
                part = old.read(name)
                new.writestr(name, mutate(part, draw) if name == changed else part)
        return made.getvalue()

    return inside


def _annotated(kind: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        small = cohort(folder)
        small.counts()
        matrix = small.expression.to_numpy(dtype=np.float32)
        matrix[matrix < 12] = 0
        shaped = {"dense": np.asarray, "csr": sparse.csr_matrix, "csc": sparse.csc_matrix}[kind](matrix)
        obs = small.metadata[["sample_id", "donor_id", "sex"]].set_index("sample_id")
        var = pd.DataFrame(index=list(small.expression.columns))
        ad.AnnData(shaped, obs=obs.assign(sex=obs["sex"].astype("category")), var=var).write_h5ad(folder / "e.h5ad")
        return folder / "e.h5ad"

    return make


def _of_many(name: str) -> Callable[[Path], Path]:
    """An AnnData with raw and layers in another store: ``e.h5mu``, ``e.loom``, ``e.zarr.zip``, or as records."""

    def make(folder: Path) -> Path:
        adata = ad.read_h5ad(_annotated("csr")(folder))
        (folder / "e.h5ad").unlink()
        adata.raw = adata.copy()
        adata.layers["counts"] = sparse.csc_matrix(adata.X)
        adata.X = np.log1p(adata.X.toarray())
        path = folder / name
        if name.endswith(".zip"):
            with zarr.storage.ZipStore(path, mode="w") as packed:
                write_elem(zarr.open_group(packed, mode="w", zarr_format=2), "/", adata)
            return path
        with h5py.File(path, "w") as file:
            if name.endswith(".loom"):
                file["matrix"] = np.asarray(adata.raw.X.T.toarray())
                file["row_attrs/Gene"] = np.array(adata.var_names, dtype="S")
                file["col_attrs/CellID"] = np.array(adata.obs_names, dtype="S")
            elif name.endswith(".h5mu"):
                write_elem(file, "obs", adata.obs[[]])
                write_elem(file, "mod/rna", adata)
            else:
                write_elem(file, "/", adata)
        return path

    return make


def _chosen(path: Path) -> None:
    """As `mtlbio init` reads it: the matrix that it would take, and what describes the cells."""
    keys = choose_layer(path).keys
    h5ad_obs(path, keys.get("modality"))
    data = read_expression(Expression(path=str(path), scale="counts", **keys), "sample_id", on_disk=True)
    assert data.dense().shape == (len(data.samples), len(data.genes))


def _tenx_h5(folder: Path) -> Path:
    small = cohort(folder)
    small.counts()
    matrix = sparse.csr_matrix(small.expression.to_numpy().astype(np.int32))
    genes, cells = list(small.expression.columns), list(small.expression.index)
    with h5py.File(folder / "e.h5", "w") as file:
        group = file.create_group("matrix")
        group["barcodes"] = np.array(cells, dtype="S")
        group["data"], group["indices"], group["indptr"] = matrix.data, matrix.indices, matrix.indptr
        group["shape"] = np.array([len(genes), len(cells)], dtype=np.int32)
        features = group.create_group("features")
        for key in ("id", "name"):
            features[key] = np.array(genes, dtype="S")
        for key, value in (("feature_type", "Gene Expression"), ("genome", "GRCh38")):
            features[key] = np.array([value] * len(genes), dtype="S")
    return folder / "e.h5"


def _tenx(mutated: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        small = cohort(folder)
        small.counts()
        scipy_io.mmwrite(folder / "matrix.mtx", sparse.coo_matrix(small.expression.to_numpy().T.astype(int)))
        genes = list(small.expression.columns)
        (folder / "genes.tsv").write_text("".join(f"ENSG{i}\t{g}\n" for i, g in enumerate(genes)))
        (folder / "barcodes.tsv").write_text("".join(f"{s}\n" for s in small.expression.index))
        return folder / mutated

    return make


def _structure(name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        text = pdb_text({"A": backbone([(-60.0, -45.0)] * 8), "B": backbone([(-120.0, 130.0)] * 6)})
        (folder / "s.pdb").write_text(text)
        if name.endswith(".cif"):
            atoms, file = pdb.PDBFile.read(folder / "s.pdb").get_structure(model=1), pdbx.CIFFile()
            pdbx.set_structure(file, atoms)
            file.write(folder / name)
        return folder / name

    return make


def _fasta(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "s.fasta").write_text(
        "".join(f">{r['id']} of a set\n{r['sequence']}\n" for r in table().to_dict("records"))
    )
    return folder / "s.fasta"


def _profiles(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(0).normal(size=(12, 4)).astype(np.float32)
    np.savez(folder / "p.npz", ids=["a", "b"], offsets=[0, 5, 12], pssm=values, hmm=values[:, :2])
    return folder / "p.npz"


def _embeddings(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with h5py.File(folder / "v.h5", "w") as file:
        for name, length in (("a", 5), ("b", 7)):
            file[name] = np.ones((length, 3), dtype=np.float16)
    return folder / "v.h5"


def _sets(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "s.gmt").write_text("A\tx\tGENE1\tGENE2\nB\ty\tGENE3\n")
    return folder / "s.gmt"


def _gzipped(make: Callable[[Path], Path]) -> Callable[[Path], Path]:
    def compressed(folder: Path) -> Path:
        path = make(folder)
        target = path.with_name(path.name + ".gz")
        target.write_bytes(gzip.compress(path.read_bytes(), mtime=0))
        return target

    return compressed


def _inside(mutate: Mutate) -> Mutate:
    """Of a gzip file, half of the time what it holds and not its own bytes."""

    def mutated(data: bytes, draw: random.Random) -> bytes:
        if draw.random() < 0.5:
            return of_bytes(data, draw)
        return gzip.compress(mutate(gzip.decompress(data), draw), 1, mtime=0)

    return mutated


def of_hdf5(data: bytes, draw: random.Random) -> bytes:
    """What an HDF5 file holds: numbers out of range, other shapes and types, parts that are missing or lie."""
    if draw.random() < 0.25:
        return of_bytes(data, draw)
    stream = io.BytesIO(data)
    with h5py.File(stream, "r+") as file:
        names: list[str] = []
        file.visit(names.append)
        item = file[draw.choice(sorted(names))]
        kind = draw.randrange(6)
        if isinstance(item, h5py.Group):
            if kind < 2 and item.attrs:
                key = draw.choice(sorted(item.attrs))
                _lie(item.attrs, key, item.attrs[key], draw)
            elif kind < 4 and len(item):
                del item[draw.choice(sorted(item))]
            else:
                name = next(n for n in draw.sample(("data", "X", "obs", "nothing", "more", "a"), 6) if n not in item)
                item[name] = item if draw.random() < 0.3 else [1, 2]
        else:
            _spoil(item, kind, draw)
    return stream.getvalue()


def _lie(attributes, key: str, value, draw: random.Random) -> None:
    lies = [
        "csr_matrix",
        "csc_matrix",
        "array",
        "0.9.9",
        "",
        draw.choice(NUMBERS) % 2**63,
        [2**40, 2**40],
        [-1, 3],
        [3],
    ]
    if isinstance(value, np.ndarray) and value.dtype.kind in "iu" and draw.random() < 0.6:
        value = value.copy()
        value[draw.randrange(len(value))] = draw.choice(NUMBERS) % 2**31
        attributes[key] = value
    else:
        attributes[key] = draw.choice(lies)


def _spoil(item: h5py.Dataset, kind: int, draw: random.Random) -> None:
    parent, name, values = item.parent, item.name, item[()]
    attributes = dict(item.attrs)
    if kind < 3 and item.ndim and item.size and item.dtype.kind in "iuf":
        for _ in range(draw.choice((1, 3))):
            place = tuple(draw.randrange(n) for n in item.shape)
            with np.errstate(all="ignore"):
                values[place] = np.array(draw.choice([*(n % 2**31 for n in NUMBERS), -1])).astype(item.dtype)
        item[...] = values
        return
    del parent[name]
    if kind == 3:
        new = parent.create_dataset(name, data=values[: item.shape[0] // 2] if np.ndim(values) else 7)
    elif kind == 4:  # a shape that nothing is stored of
        shape = tuple(draw.choice((n, 10**12, 10**6)) for n in (np.shape(values) or (1,)))
        new = parent.create_dataset(name, shape=shape, dtype="f4", chunks=True)
    else:
        new = parent.create_dataset(name, data=draw.choice(["text", 3, [[1, 2]], [b"a", b"b"], [1.5, float("nan")]]))
    for key, value in attributes.items():
        new.attrs[key] = value


def of_npz(data: bytes, draw: random.Random) -> bytes:
    """The arrays of an npz file: other numbers, shapes, types and names, or its bytes."""
    if draw.random() < 0.5:
        return of_bytes(data, draw)
    arrays = dict(np.load(io.BytesIO(data)))
    name = draw.choice(sorted(arrays))
    array = arrays[name]
    lies = [
        np.array(7), np.array([1.5, np.nan]), np.array(["x"]), array[::-1], array[:1], array[:0], array[..., None],
        np.array([0, 2**40]), np.array([5, -3, 12]),
    ]  # fmt: skip
    arrays[name] = draw.choice(lies)
    if draw.random() < 0.2:
        del arrays[name]
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def of_parquet(data: bytes, draw: random.Random) -> bytes:
    """The columns of a parquet file: other types, names and values, or its bytes."""
    if draw.random() < 0.5:
        return of_bytes(data, draw)
    frame = pd.read_parquet(io.BytesIO(data))
    column = draw.choice(list(frame.columns))
    n = len(frame)
    spoilt = [
        pd.Series(pd.date_range("2020", periods=n)), pd.Series([b"\xff"] * n), pd.Series([[1, 2]] * n),
        pd.Series([None] * n), pd.Series([{"a": 1}] * n), pd.Series([True] * n), pd.Series([float("inf")] * n),
        pd.Series([1e300] * n), pd.Series(["a\nb"] * n).astype("category"), pd.Series([2**62] * n),
        pd.Series(pd.timedelta_range("1h", periods=n)),
    ]  # fmt: skip
    frame[column] = draw.choice(spoilt).to_numpy() if draw.random() < 0.5 else draw.choice(spoilt)
    if draw.random() < 0.3:
        frame = frame.rename(
            columns={column: draw.choice(["", " ", "a\nb", list(frame.columns)[0] + " ", "sample_id "])}
        )
    stream = io.BytesIO()
    try:
        if draw.random() < 0.3:
            frame = frame.set_index(list(frame.columns)[: draw.choice((1, 2))])
        frame.to_parquet(stream)
    except Exception:  # what pandas itself does not write is nobody's file
        return of_bytes(data, draw)
    return stream.getvalue()


def _measured(path: Path, scale: str = "log2") -> None:
    place = path.parent if path.name in ("matrix.mtx", "genes.tsv", "barcodes.tsv") else path
    expression = Expression(path=str(place), scale=scale)
    data = read_expression(expression, "sample_id")
    check_names(data)
    check_values(data, scale)
    assert data.dense().shape == (len(data.samples), len(data.genes))


def _named(path: Path) -> None:
    place = path.parent if path.name in ("matrix.mtx", "genes.tsv", "barcodes.tsv") else path
    sample_names(Expression(path=str(place), scale="counts"), "sample_id")


def _on_disk(path: Path) -> None:
    h5ad_obs(path)
    data = read_expression(Expression(path=str(path), scale="counts"), "sample_id", on_disk=True)
    check_names(data)
    check_values(data, "counts")


def _described(path: Path) -> None:
    frame = text_table(read_metadata(path))
    if len(frame.columns):
        by_sample(frame, frame.columns[0], str(path))


def _prepared(key: str) -> Callable[[Path], None]:
    """All that `mtlbio prepare` objects to, with the mutated file in the place of ``key``."""

    def read(path: Path) -> None:
        check(read_run(_run_beside(path, key)))

    return read


def _run_beside(path: Path, key: str) -> Path:
    yaml_path = path.parent / "run.yaml"
    if not yaml_path.exists():
        small = cohort(path.parent)
        before = path.read_bytes()
        small.set(key, path.name)
        small.set("splits", {"folds": 3})
        small.write()
        path.write_bytes(before)
    return yaml_path


def _table_run(path: Path) -> None:
    yaml_path = path.parent / "run.yaml"
    if not yaml_path.exists():
        content = {
            "run": "t",
            "features": {"path": path.name, "numeric": ["visit"], "categories": ["batch", "sex", "stage"], "rare": 2},
            "metadata": {"sample": "sample_id", "donor": "donor_id"},
            "tasks": {"age": {"kind": "regression"}},
            "covariates": {"sex": {"role": "confounder"}},
            "splits": {"folds": 3},
        }
        yaml_path.write_text(yaml.safe_dump(content))
    check(read_run(yaml_path))


def _drafted(path: Path) -> None:
    draft_table(path)


def _drafted_cohort(path: Path) -> None:
    other = path.parent / "expression.csv"
    if not other.exists():
        cohort(path.parent).expression.to_csv(other)
    draft(other, path)


def _chains_table(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    table().to_csv(folder / "chains.csv", index=False)
    return folder / "chains.csv"


def _profiled(path: Path) -> None:
    source = open_profiles(path, ["pssm", "hmm"])
    for chain, length in (("a", 5), ("b", 7)):
        wide_of(chain, length, {"profiles": source})


def _embedded(path: Path) -> None:
    source = open_embeddings(path)
    for chain, length in (("a", 5), ("b", 7)):
        wide_of(chain, length, {"embeddings": source})


RUN_YAMLS = {
    "cohort": """\
run: small
expression: {path: e.csv, scale: log2, layer: null}
metadata: {path: m.csv, sample: s, donor: d, family: f}
pseudobulk: {by: [tissue], min_cells: 10}
tasks:
  disease: {kind: binary, column: dx, positive: case, where: {a: 1}}
  age: {kind: regression, transform: log, within: 0.2}
  stage: {kind: ordinal, classes: [low, mid, high]}
covariates:
  age: {role: confounder, kind: continuous, reliability: 0.8}
  batch: {role: technical}
qc: {min_genes: 10, min_samples: 3, twins: keep}
splits: {kind: leave_out, by: batch, folds: 3, seed: 1}
training:
  genes: 100
  axes: 5
  seeds: 2
  epochs: 20
  learning_rate: 0.1
  sharing: mmoe
  balancing: gradnorm
  balancing_options: {alpha: 1.0}
  paths: [axes, dense]
baselines: {arms: [ridge], seed: 0}
evaluate: {bootstrap: 200, margin: 0.02}
probe: {alpha: 0.05, permutations: 199, spline_df: 3, share_dominant: 0.6, max_vif: 4.0, null_refits: 3}
report: {title: A, cards: 3}
""",
    "table": """\
run: t
features:
  path: e.csv
  numeric: [a, b]
  categories: [c, d*]
  groups: {g: [a, c]}
  rare: 5
metadata: {sample: s}
tasks: {dose: {kind: regression, head: multiplicative, transform: log}}
""",
    "protein": """\
run: p
kind: protein
chains:
  own: {path: e.csv, split: split, keep: {a: [1, x]}}
features: {letters: blosum62, profiles: m.csv, profile_arrays: [pssm]}
tasks:
  ss: {kind: secondary_structure, q8: q8}
  rsa: {kind: accessibility}
qc: {min_length: 20, max_length: 500}
splits: {test_share: 0.2, word: 5, similarity: 0.03}
training: {encoder: transformer, width: 96, attention_heads: 4, layers: 2, latent: 8, dropout: 0.1, batch: 512}
baselines: {arms: [majority], window: 15}
probe: {residues: 20, bootstrap: 100}
""",
}


def _yaml(kind: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("e.csv", "m.csv"):
            (folder / name).write_text("x\n1\n")
        (folder / "run.yaml").write_text(RUN_YAMLS[kind])
        return folder / "run.yaml"

    return make


READERS: dict[str, Reader] = {
    **{f"yaml of a {kind}": Reader(_yaml(kind), read_run, of_text) for kind in RUN_YAMLS},
    "metadata csv": Reader(_sound("m.csv"), _described, of_text),
    "metadata tsv": Reader(_sound("m.tsv"), _described, of_text),
    "metadata csv.gz": Reader(_gzipped(_sound("m.csv")), _described, _inside(of_text)),
    "metadata xlsx": Reader(_sound("m.xlsx"), _described, _in_workbook(of_text)),
    "names of xlsx": Reader(_sound("e.xlsx"), _named, _in_workbook(of_text)),
    "metadata parquet": Reader(_sound("m.parquet"), _described, of_parquet),
    "expression csv": Reader(_sound("e.csv"), _measured, of_text),
    "expression csv.gz": Reader(_gzipped(_sound("e.csv")), _measured, _inside(of_text)),
    "expression parquet": Reader(_sound("e.parquet"), _measured, of_parquet),
    "expression h5ad": Reader(_annotated("dense"), lambda p: _measured(p, "counts"), of_hdf5),
    "expression h5ad csr": Reader(_annotated("csr"), lambda p: _measured(p, "counts"), of_hdf5),
    "expression h5ad csc": Reader(_annotated("csc"), lambda p: _measured(p, "counts"), of_hdf5),
    "cells on disk": Reader(_annotated("csr"), _on_disk, of_hdf5),
    "cells on disk csc": Reader(_annotated("csc"), _on_disk, of_hdf5),
    "cells on disk dense": Reader(_annotated("dense"), _on_disk, of_hdf5),
    "choice of h5ad": Reader(_of_many("e.h5ad"), _chosen, of_hdf5),
    "choice of h5mu": Reader(_of_many("e.h5mu"), _chosen, of_hdf5),
    "choice of loom": Reader(_of_many("e.loom"), _chosen, of_hdf5),
    "choice of zarr": Reader(_of_many("e.zarr.zip"), _chosen),
    "expression 10x h5": Reader(_tenx_h5, lambda p: _measured(p, "counts"), of_hdf5),
    "expression 10x mtx": Reader(_tenx("matrix.mtx"), lambda p: _measured(p, "counts"), of_text),
    "genes of 10x": Reader(_tenx("genes.tsv"), lambda p: _measured(p, "counts"), of_text),
    "barcodes of 10x": Reader(_tenx("barcodes.tsv"), lambda p: _measured(p, "counts"), of_text),
    "names of csv": Reader(_sound("e.csv"), _named, of_text),
    "names of parquet": Reader(_sound("e.parquet"), _named, of_parquet),
    "names of h5ad": Reader(_annotated("csr"), _named, of_hdf5),
    "names of 10x h5": Reader(_tenx_h5, _named, of_hdf5),
    "names of 10x mtx": Reader(_tenx("barcodes.tsv"), _named, of_text),
    "gene sets": Reader(_sets, read_gmt, of_text),
    "gene sets gz": Reader(_gzipped(_sets), read_gmt, _inside(of_text)),
    "fasta": Reader(_fasta, read_fasta, of_text),
    "fasta gz": Reader(_gzipped(_fasta), read_fasta, _inside(of_text)),
    "chains csv": Reader(_chains_table, lambda p: read_sources(run_of(p)), of_text),
    "structure pdb": Reader(_structure("s.pdb"), lambda p: list(read_structure(p)), of_text),
    "structure cif": Reader(_structure("s.cif"), lambda p: list(read_structure(p)), of_text),
    "profiles": Reader(_profiles, _profiled, of_npz),
    "embeddings": Reader(_embeddings, _embedded, of_hdf5),
    "prepare: metadata": Reader(_sound("metadata.csv"), _prepared("metadata.path"), of_text),
    "prepare: expression": Reader(_sound("expression.csv"), _prepared("expression.path"), of_text),
    "prepare: features": Reader(_sound("metadata.csv"), _table_run, of_text),
    "init: table": Reader(_sound("metadata.csv"), _drafted, of_text),
    "init: metadata": Reader(_sound("metadata.csv"), _drafted_cohort, of_text),
    "own tables": Reader(_sound("m.tsv"), read_table, of_text),
}  # fmt: skip


def fresh(folder: Path) -> Path:
    """The folder, empty."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
