"""Which files belong together where cells come as a matrix, their barcodes and its features.

Cell Ranger calls them ``matrix.mtx.gz``, ``barcodes.tsv.gz`` and ``features.tsv.gz`` (version 2: ``genes.tsv``),
STARsolo the same unpacked; GEO puts a prefix before each; kallisto, alevin-fry and Parse have names of their own.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mtlbio.errors import InputError, listing
from mtlbio.intake.notes import notice

_BARCODES = ("barcodes", "barcode", "cells", "cell", "rows", "cellnames")
_FEATURES = ("features", "feature", "genes", "gene", "cols", "genenames")
_ENDING = re.compile(r"\.(tsv|txt|csv)(\.gz)?$")
_MATRIX = re.compile(r"\.mtx(\.gz)?$")
_H5 = re.compile(r"\.h5$")
_WORDS_OF_H5 = ("raw", "filtered", "feature", "gene", "bc", "matrix", "matrices")
_PARTS_OF_COUNTS = ("spliced", "unspliced", "ambiguous")  # of STARsolo's Velocyto
_DEEP, _FOLDERS = 5, 3000  # how far a folder is searched
_WHAT = (
    "expected matrix.mtx, barcodes.tsv and features.tsv (each .gz or not), as 10x Cell Ranger and STARsolo write them"
)


@dataclass(frozen=True)
class TenxFiles:
    """One matrix and what names its rows and columns; ``matrix`` alone where it is an h5 file.

    Attributes
    ----------
    label : what tells it from others beside it (``GSM1_S1``); empty where it is the only one
    """

    label: str
    matrix: Path
    barcodes: Path | None = None
    features: Path | None = None


def is_matrix_market(path: str | Path) -> bool:
    """Whether a path is that of a matrix in MatrixMarket format."""
    return _MATRIX.search(Path(path).name.lower()) is not None


def find_tenx(path: str | Path) -> list[TenxFiles]:
    """The matrices that a path means: that of a file, those in a folder, or those in folders below it.

    Of raw and filtered matrices the filtered ones, and of STARsolo's folders ``Gene``.

    Raises
    ------
    InputError
        No matrix, or one whose barcodes or features are not beside it.
    """
    path = Path(path)
    if not path.is_dir():
        if _H5.search(path.name.lower()):
            return [TenxFiles("", path)]
        return [found for found in _together(path.parent, only=path) if found.matrix == path]
    found = _in_folder(path)
    if found:
        if found[0].barcodes is None and len(found) == 1:
            notice(path, f"the matrix is read from {found[0].matrix.name} in it")
        return found
    below = {folder: inside for folder in _folders(path) if (inside := _in_folder(folder))}
    below = _preferred(below, path)
    if not below:
        _refuse(path)
    if len(below) == 1:
        folder, found = next(iter(below.items()))
        notice(path, f"the matrix is read from {folder.relative_to(path)} in it")
        return found
    labels = _telling_apart([folder.relative_to(path).parts for folder in below])
    return [
        TenxFiles("_".join(filter(None, (label, one.label))), one.matrix, one.barcodes, one.features)
        for label, inside in zip(labels, below.values(), strict=True)
        for one in inside
    ]


def _in_folder(folder: Path) -> list[TenxFiles]:
    """What lies in a folder itself: matrices with their neighbours, else h5 files of Cell Ranger."""
    names = _names(folder)
    if any(map(is_matrix_market, names)):
        return _together(folder)
    packed = [name for name in names if _H5.search(name.lower()) and "molecule" not in name.lower()]
    packed = [name for name in packed if "filtered" in name] or [name for name in packed if "matri" in name] or packed
    labels = ["_".join(t for t in _tokens(name, _H5) if t.lower() not in _WORDS_OF_H5) for name in packed]
    alone = len(packed) == 1
    return [TenxFiles("" if alone else label, folder / name) for label, name in zip(labels, packed, strict=True)]


def _together(folder: Path, only: Path | None = None) -> list[TenxFiles]:
    names = _names(folder)
    matrices = [name for name in names if is_matrix_market(name)]
    named = [name for name in matrices if "matrix" in map(str.lower, _tokens(name, _MATRIX))]
    if only is None:
        matrices = named or matrices
        if matrices and all(_MATRIX.sub("", name.lower()) in _PARTS_OF_COUNTS for name in matrices):
            raise InputError(f"{folder}: holds spliced and unspliced counts apart; expected the folder of whole counts")
    else:
        matrices = [only.name]
    keyed = {_key(name, _MATRIX, ("matrix",)): name for name in sorted(matrices, reverse=True)}
    roles = {"barcodes": _of_role(names, _BARCODES, _FEATURES), "features": _of_role(names, _FEATURES, _BARCODES)}
    found = []
    for key, name in sorted(keyed.items()):
        beside: dict[str, str] = {}
        for role, candidates in roles.items():
            may_be_shared = role == "features" or len(keyed) == 1
            rest = list(dict.fromkeys(candidates.values()))
            beside[role] = candidates.get(key) or (rest[0] if len(rest) == 1 and may_be_shared else "")
            if not beside[role]:
                others = [other for other in names if other != name]
                raise InputError(f"{folder / name}: no {role} beside it (found: {listing(others)}); {_WHAT}")
        label = "" if len(keyed) == 1 else "_".join(t for t in _tokens(name, _MATRIX) if t.lower() != "matrix")
        found.append(TenxFiles(label, folder / name, folder / beside["barcodes"], folder / beside["features"]))
    return found


def _of_role(names: Iterable[str], role: tuple[str, ...], other: tuple[str, ...]) -> dict[tuple[str, ...], str]:
    """Files whose last telling word is one of a role's, by the rest of their name; unpacked before packed."""
    found = {}
    for name in sorted(names, reverse=True):
        if not _ENDING.search(name.lower()):
            continue
        telling = [t.lower() for t in _tokens(name, _ENDING) if t.lower() in (*role, *other)]
        if telling and telling[-1] in role:
            found[_key(name, _ENDING, (telling[-1],))] = name
    return found


def _key(name: str, ending: re.Pattern, words: tuple[str, ...]) -> tuple[str, ...]:
    """The words of a name without its ending and without the last of ``words`` in it."""
    tokens = [token.lower() for token in _tokens(name, ending)]
    for place in reversed(range(len(tokens))):
        if tokens[place] in words:
            return tuple(tokens[:place] + tokens[place + 1 :])
    return tuple(tokens)


def _tokens(name: str, ending: re.Pattern) -> list[str]:
    stem = name[: match.start()] if (match := ending.search(name.lower())) else name
    return [token for token in re.split(r"[._\- ]+", stem) if token]


def _names(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in folder.iterdir() if entry.is_file() and not entry.name.startswith("."))
    except OSError:
        return []


def _folders(top: Path) -> Iterator[Path]:
    """Folders below one, in order of their names."""
    count = 0
    for place, folders, _ in os.walk(top):
        depth = len(Path(place).relative_to(top).parts)
        folders[:] = sorted(name for name in folders if not name.startswith(".")) if depth < _DEEP else []
        for name in folders:
            count += 1
            if count > _FOLDERS:
                return
            yield Path(place, name)


def _preferred(found: dict[Path, list[TenxFiles]], top: Path) -> dict[Path, list[TenxFiles]]:
    def parts(folder: Path, one: TenxFiles) -> str:
        return "/".join((*folder.relative_to(top).parts, one.matrix.name)).lower()

    for wanted in ("filter", "gene/"):
        chosen = {f: v for f, v in found.items() if any(f"{wanted}" in f"/{parts(f, one)}" for one in v)}
        found = chosen or found
    matrices = {f: v for f, v in found.items() if any(one.barcodes is not None for one in v)}
    return matrices or found


def _telling_apart(paths: list[tuple[str, ...]]) -> list[str]:
    """Of each path the components that the others do not share, joined."""
    common = set.intersection(*map(set, paths))
    return ["_".join(part for part in path if part not in common) or "_".join(path) for path in paths]


def _refuse(folder: Path) -> None:
    names = _names(folder)
    if any(name.startswith("quants_mat.gz") for name in names) or (folder / "alevin/quants_mat.gz").is_file():
        raise InputError(
            f"{folder}: the binary matrix of salmon alevin; expected its text form: alevin-fry, or tximeta in R"
        )
    there = [*names, *(f"{name}/" for name in sorted(os.listdir(folder)) if (folder / name).is_dir())]
    raise InputError(f"{folder}: a folder without matrix.mtx(.gz) (found: {listing(there)}); {_WHAT}")
