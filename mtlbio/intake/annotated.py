"""Files that hold measurements and what describes the samples at once: AnnData, MuData, loom."""

from pathlib import Path

_FILES = (".h5ad", ".h5mu", ".loom")
_PACKINGS = (".gz", ".bz2", ".xz", ".zst")
_ZARR = (".zarr", ".zarr.zip")
_MARKS = (".zgroup", ".zattrs", "zarr.json")  # of a group in zarr versions 2 and 3


def is_zarr(path: str | Path) -> bool:
    """Whether a path is a zarr store: a folder that is one whatever its name, or a zipped one by its name."""
    path = Path(path)
    if path.is_dir():
        return any((path / mark).is_file() for mark in _MARKS)
    return path.name.lower().endswith(_ZARR)


def is_annotated(path: str | Path) -> bool:
    """Whether a file or folder may describe the samples itself, as AnnData, MuData and loom do."""
    name = Path(path).name.lower()
    return name.endswith(_FILES) or is_packed(name) or is_zarr(path)


def is_packed(path: str | Path) -> bool:
    """Whether such a file was compressed as a whole, as repositories do, and has to be unpacked first."""
    name = Path(path).name.lower()
    return name.endswith(_PACKINGS) and name.removesuffix(Path(name).suffix).endswith(_FILES)
