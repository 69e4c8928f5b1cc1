"""Files in a folder that stands for one table: those of its samples may lie in folders of their own."""

from __future__ import annotations

import os
from pathlib import Path

_MOST, _DEPTH = 20_000, 3
_STORES = {".zgroup", ".zattrs", "zarr.json", ".zarray"}  # a store of many small files is no folder of tables


def names_in(folder: Path) -> list[str]:
    """Names of files in a folder and up to two folders further down, relative to it: by depth, then in sorted order.

    Hidden files, stores of zarr and what is beyond 20,000 names are left out; folders that may not be read are empty.
    """
    found: list[str] = []
    level = [""]
    for _ in range(_DEPTH):
        below: list[str] = []
        for place in level:
            try:
                with os.scandir(folder / place) as entries:
                    inside = sorted(entries, key=lambda entry: entry.name)
            except OSError:
                continue
            if not _STORES.isdisjoint(entry.name for entry in inside):
                continue
            shown = [entry for entry in inside if not entry.name.startswith(".")]
            below += [f"{place}{entry.name}/" for entry in shown if entry.is_dir()]
            found += [f"{place}{entry.name}" for entry in shown if entry.is_file()]
            if len(found) + len(below) > _MOST:
                return found[:_MOST]
        level = below
    return found


def files_in(folder: Path) -> list[Path]:
    """The files themselves, in sorted order; of a store those at its top."""
    names = names_in(folder)
    return sorted(folder / name for name in names) if names else sorted(filter(Path.is_file, folder.iterdir()))
