"""Where new samples of a run with blocks are: a MuData, or a YAML that names a file for every block."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mtlbio.cohort.cells.modality import modalities
from mtlbio.cohort.cells.stores import opened_store
from mtlbio.cohort.metadata import suffix
from mtlbio.config.yaml import read_yaml
from mtlbio.errors import InputError, listing
from mtlbio.text import suggestion

_PLACES = ("layer", "modality", "genes")
# what a run's own YAML may say of a block besides; new samples are read without it
_OTHERS = ("genes_in", "drop", "format", "missing")


def places_of_blocks(new: Path, trained: Mapping[str, Mapping[str, Any]]) -> dict[str, tuple[Path, dict[str, Any]]]:
    """Block -> file, and the scale, layer, modality and column of genes by which it is read.

    Parameters
    ----------
    new : a MuData whose modalities are called as the run's blocks, or as the modalities that these were read from; or a
        YAML with ``blocks``, such as the run's own: block -> path, relative to the YAML, or the keys of ``expression``
    trained : block -> its preprocessing in the trained run

    Raises
    ------
    InputError
        Neither of the two, a block that the run does not have, or none that it has.
    """
    if suffix(new) in (".yaml", ".yml"):
        return _of_yaml(new, trained)
    names = _modalities(new)
    if not names:
        example = ", ".join(f"{name}: new_{name}.csv" for name in trained)
        raise InputError(
            f"{new}: of a run with blocks; expected a MuData (.h5mu) with modalities {listing(trained)}, or a YAML "
            f"that names a file for each block, such as blocks: {{{example}}}"
        )
    places = {}
    for name, about in trained.items():
        modality = next((own for own in (name, about.get("modality")) if own in names), None)
        if modality is not None:
            places[name] = new, {**about, "modality": modality}
    if not places:
        raise InputError(f"{new}: found modalities {listing(names)}; expected one or more of {listing(trained)}")
    return places


def _modalities(new: Path) -> list[str]:
    if suffix(new) not in (".h5mu", ".zarr"):
        return []
    with opened_store(new, "a MuData") as root:
        return modalities(root)


def _of_yaml(new: Path, trained: Mapping[str, Mapping[str, Any]]) -> dict[str, tuple[Path, dict[str, Any]]]:
    content = read_yaml(new)
    blocks = content.get("blocks") if isinstance(content, dict) else None
    if not isinstance(blocks, dict) or not blocks:
        raise InputError(f"{new}: blocks: missing; expected a file for one or more of {listing(trained)}")
    places = {}
    for name, given in blocks.items():
        if name not in trained:
            raise InputError(f"{new}: blocks.{name}: no block of the run; {suggestion(str(name), list(trained))}")
        keys = {"path": given} if isinstance(given, str) else given
        if not isinstance(keys, dict) or not isinstance(keys.get("path"), str):
            raise InputError(f"{new}: blocks.{name}: found {given!r}; expected a path, or keys of which path is one")
        unknown = [key for key in keys if key not in ("path", "scale", *_PLACES, *_OTHERS)]
        if unknown:
            raise InputError(f"{new}: blocks.{name}: found {listing(unknown)}; valid: path, scale, {listing(_PLACES)}")
        scale = trained[name]["scale"]
        if keys.get("scale", scale) != scale:
            raise InputError(
                f"{new}: blocks.{name}.scale: found {keys['scale']}; the model was trained on {scale}, give that"
            )
        path = new.parent / keys["path"]
        if not path.exists():
            raise InputError(f"{new}: blocks.{name}.path: {path}: no such file")
        places[name] = path, {**trained[name], **{key: keys[key] for key in _PLACES if keys.get(key) is not None}}
    return {name: places[name] for name in trained if name in places}
