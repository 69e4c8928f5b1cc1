"""HDF5 files and zarr stores, opened and looked into alike: groups of arrays with attributes."""

import json
import os
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import h5py
import zarr

from mtlbio.cohort.cells.hdf5 import opened_hdf5
from mtlbio.errors import InputError
from mtlbio.intake.annotated import is_packed, is_zarr
from mtlbio.reading import regular_file, understood

Group: TypeAlias = Any  # h5py.Group or zarr.Group
Array: TypeAlias = Any  # h5py.Dataset or zarr.Array

# codecs that run what a file tells them to
_UNSAFE = ("pickle",)
_ABOUT_ARRAYS = (".zarray", "zarr.json")  # in zarr versions 2 and 3


def is_group(item: object) -> bool:
    """Whether something in a store is a group (of arrays and groups)."""
    return isinstance(item, (h5py.Group, zarr.Group))


def is_array(item: object) -> bool:
    """Whether something in a store is an array with a shape."""
    return isinstance(item, (h5py.Dataset, zarr.Array)) and item.shape is not None


def located(store: Group, name: str) -> Group | Array:
    """What lies at a full name (``item.name``) of an open store."""
    if isinstance(store, h5py.Group):
        return store[name]
    return zarr.open(store.store, path=name.strip("/"), mode="r")


def stored_bytes(array: Array) -> int:
    """Bytes that an array takes up in its store."""
    return array.id.get_storage_size() if isinstance(array, h5py.Dataset) else int(array.nbytes_stored())


def below(place: Group) -> Iterator[Array]:
    """Every array below a group."""
    if isinstance(place, h5py.Group):
        found: list[Array] = []
        place.visititems(lambda name, item: found.append(item) if is_array(item) else None)
        yield from found
    else:
        yield from (item for _, item in place.members(max_depth=None) if is_array(item))


@contextmanager
def opened_store(path: str | Path, expected: str) -> Iterator[Group]:
    """The top group of an HDF5 file, a zarr folder (version 2 or 3) or a zipped one; ``expected`` says what is due.

    Raises
    ------
    InputError
        No store, a damaged one, or one that only runs foreign code can read.
    """
    path = Path(path)
    if is_packed(path):
        raise InputError(
            f"{path}: compressed as a whole, and has to be read in parts: unpack it first (gunzip -k FILE)"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of old layouts, files beside the arrays, codecs without a specification
        if not is_zarr(path):
            with opened_hdf5(path, expected) as file:
                yield file
            return
        with understood(path, expected):
            with _zarr_folder(path) if path.is_dir() else _zarr_zip(path, expected) as group:
                yield group


@contextmanager
def _zarr_folder(path: Path) -> Iterator[Group]:
    _check_codecs(_descriptions(path), path)
    yield zarr.open_group(str(path), mode="r", use_consolidated=False)


@contextmanager
def _zarr_zip(path: Path, expected: str) -> Iterator[Group]:
    regular_file(path, expected)
    with zipfile.ZipFile(path) as packed:
        names = packed.namelist()
        _check_codecs((packed.read(n) for n in names if n.rpartition("/")[2] in _ABOUT_ARRAYS), path)
    groups = [n.rpartition("/")[0] for n in names if n.rpartition("/")[2] in (".zgroup", "zarr.json")]
    store = zarr.storage.ZipStore(path, mode="r")
    try:
        # somebody may have packed the folder itself
        yield zarr.open_group(store, path=min(groups, key=len, default=""), mode="r", use_consolidated=False)
    finally:
        store.close()


def _descriptions(path: Path) -> Iterator[bytes]:
    """What is written about each array; the many folders of its chunks are not looked into."""
    for place, folders, files in os.walk(path):
        name = next((name for name in _ABOUT_ARRAYS if name in files), None)
        if name is not None:
            text = Path(place, name).read_bytes()
            yield text
            if name == ".zarray" or b'"array"' in text:
                folders.clear()


def _check_codecs(texts: Iterator[bytes], path: Path) -> None:
    for text in texts:
        try:
            content = json.loads(text)
        except ValueError:
            continue  # the library says it where it reads
        named = [*(content.get("filters") or ()), *(content.get("codecs") or ()), content.get("compressor")]
        used = [codec.get("id", codec.get("name")) for codec in named if isinstance(codec, dict)]
        if any(str(name).rpartition(".")[2] in _UNSAFE for name in used):
            raise InputError(
                f"{path}: holds arrays of Python objects (pickle), which could run any code: save its text columns as "
                f"strings (adata.write_zarr of a current anndata does)"
            )
