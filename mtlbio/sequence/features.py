"""What the encoder sees of a residue: its letter, and where the user has them a profile or an embedding."""

import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from mtlbio.cohort.cells.hdf5 import check_walk
from mtlbio.cohort.cells.stored import check_claims
from mtlbio.errors import InputError, listing
from mtlbio.reading import check_fits, regular_file, understood
from mtlbio.sequence.letters import AMINO_ACIDS, MASKED, PADDING, UNKNOWN
from mtlbio.sequence.scales import blosum62


def letter_table(kind: str) -> np.ndarray:
    """(23, F) float32: the input of every letter code; unknown, masked and padding are told apart by their columns.

    Parameters
    ----------
    kind : ``one_hot`` (F = 22) or ``blosum62`` (F = 22: a row of the matrix over 4, then the two flags)
    """
    table = np.zeros((PADDING + 1, len(AMINO_ACIDS) + 2), dtype=np.float32)
    table[:UNKNOWN, :UNKNOWN] = np.eye(UNKNOWN) if kind == "one_hot" else blosum62() / 4
    table[UNKNOWN, UNKNOWN] = table[MASKED, MASKED] = 1.0
    return table


@dataclass(frozen=True)
class Wide:
    """Further numbers of every residue, read chain by chain so that memory does not grow with their number.

    Attributes
    ----------
    path : the file, for messages
    width : numbers per residue
    has : whether a chain has them
    read : chain -> (length, width) float32
    """

    path: str
    width: int
    has: Callable[[str], bool]
    read: Callable[[str], np.ndarray]


def open_profiles(path: str | Path, arrays: list[str]) -> Wide:
    """Profiles of an npz of ``ids``, ``offsets`` (chains + 1) and arrays of (residues, k), such as pssm and hmm.

    Raises
    ------
    InputError
        A part is missing or the arrays do not fit the offsets.
    """
    regular_file(path, "an npz file of arrays")
    with understood(path, "an npz file of arrays"), zipfile.ZipFile(path) as archive:
        size = sum(member.file_size for member in archive.infolist())
    check_fits(path, size, "what is packed in it")
    with understood(path, "an npz file of arrays"):
        stored = np.load(path, allow_pickle=False)
        missing = [name for name in ("ids", "offsets", *arrays) if name not in stored.files]
        if missing:
            raise InputError(f"{path}: no array {listing(missing)}; found {listing(stored.files)}")
        ids, offsets, parts = stored["ids"], stored["offsets"], [stored[name] for name in arrays]
    _check_offsets(path, ids, offsets)
    for name, part in zip(arrays, parts, strict=True):
        if part.ndim != 2 or len(part) != offsets[-1]:
            raise InputError(f"{path}: {name} has shape {part.shape}; expected ({offsets[-1]} residues, columns)")
        if part.dtype.kind not in "biuf":
            raise InputError(f"{path}: {name} is of type {part.dtype}; expected numbers")
        if not np.isfinite(part).all():
            raise InputError(f"{path}: {name} has values that are no numbers")
    place = {str(name): i for i, name in enumerate(ids)}

    def read(chain: str) -> np.ndarray:
        start, end = offsets[place[chain]], offsets[place[chain] + 1]
        return np.concatenate([part[start:end].astype(np.float32) for part in parts], axis=1)

    return Wide(str(path), sum(part.shape[1] for part in parts), place.__contains__, read)


def open_embeddings(path: str | Path) -> Wide:
    """Embeddings of an HDF5 file with one data set of (length, width) per chain, named by it.

    Raises
    ------
    InputError
        Not HDF5, nothing in it, or data sets of different widths.
    """
    expected = "an HDF5 file with one data set per chain, (length, width)"
    check_walk(path, expected)
    with understood(path, expected):
        file = h5py.File(path, "r")
        names = [name for name in file if isinstance(file[name], h5py.Dataset)]
        if not names:
            raise InputError(f"{path}: no data set; expected one per chain, (length, width)")
        width = file[names[0]].shape[-1] if file[names[0]].shape else 0
        wrong = [name for name in names if file[name].shape is None or file[name].shape[1:] != (width,)]
        if wrong:
            shape = file[wrong[0]].shape
            raise InputError(f"{path}: {wrong[0]} has shape {shape}; expected (length, width) of one width")
        text = [name for name in names if file[name].dtype.kind not in "biuf"]
        if text:
            raise InputError(f"{path}: {text[0]} is of type {file[text[0]].dtype}; expected numbers")

    def read(chain: str) -> np.ndarray:
        check_claims(file[chain], Path(path))
        with understood(path, expected):
            values = file[chain][()].astype(np.float32)
        if not np.isfinite(values).all():
            raise InputError(f"{path}: chain {chain} has values that are no numbers")
        return values

    return Wide(str(path), width, set(names).__contains__, read)


def _check_offsets(path: str | Path, ids: np.ndarray, offsets: np.ndarray) -> None:
    """Raise InputError unless the offsets cut rows into one piece for each of the chains."""
    whole = offsets.ndim == 1 and offsets.dtype.kind in "iu" and ids.ndim == 1
    if not whole or len(offsets) != len(ids) + 1 or offsets[0] != 0 or (np.diff(offsets.astype(np.int64)) < 0).any():
        raise InputError(
            f"{path}: offsets of shape {offsets.shape} for ids of shape {ids.shape}; expected whole numbers from 0 "
            f"that do not fall, one more than chains"
        )
    if len(set(ids.tolist())) < len(ids):
        raise InputError(f"{path}: ids name a chain twice; expected each once")


def open_wide(profiles: str | None, arrays: list[str], embeddings: str | None) -> dict[str, Wide]:
    """The sources of further numbers that a run names."""
    sources = {"profiles": open_profiles(profiles, arrays)} if profiles else {}
    return sources | ({"embeddings": open_embeddings(embeddings)} if embeddings else {})


def wide_of(chain: str, length: int, sources: Mapping[str, Wide]) -> np.ndarray:
    """(length, sum of width + 1): the numbers of every source and a flag that says that the chain has them.

    Raises
    ------
    InputError
        A source holds another number of residues than the sequence.
    """
    parts = []
    for source in sources.values():
        block = np.zeros((length, source.width + 1), dtype=np.float32)
        if source.has(chain):
            values = source.read(chain)
            if len(values) != length:
                raise InputError(
                    f"{source.path}: chain {chain} has {len(values)} rows; its sequence has {length} residues"
                )
            block[:, :-1], block[:, -1] = values, 1.0
        parts.append(block)
    return np.concatenate(parts, axis=1) if parts else np.zeros((length, 0), dtype=np.float32)
