"""MuData: several AnnData in one file, one for each modality, with descriptions of the cells above them."""

from pathlib import Path

import pandas as pd

from mtlbio.cohort.cells.frames import as_names, frame_of
from mtlbio.cohort.cells.stores import Group, is_group
from mtlbio.errors import InputError, listing
from mtlbio.text import suggestion

# what people call the modality of gene expression
_EXPRESSION = ("rna", "gex", "expression", "gene expression", "mrna", "scrna")


def modalities(root: Group) -> list[str]:
    """Names of the modalities; none of an AnnData."""
    place = root.get("mod")
    return [str(name) for name in place if is_group(place[name])] if is_group(place) else []


def likely_modality(names: list[str]) -> str | None:
    """The modality of gene expression, else the first; None of an AnnData."""
    return next((name for name in names if name.lower() in _EXPRESSION), names[0] if names else None)


def chosen(root: Group, modality: str | None, path: Path) -> Group:
    """The group that is an AnnData: the file's own, or that of a modality.

    Raises
    ------
    InputError
        A modality that is not there, or none named where there are several.
    """
    names = modalities(root)
    if not names:
        if modality is not None:
            raise InputError(f"{path}: expression.modality: {modality!r} given, but this is no MuData: leave it out")
        return root
    if modality is None and len(names) > 1:
        raise InputError(
            f"{path}: a MuData of the modalities {listing(names)}: name one, such as "
            f"expression: {{modality: {likely_modality(names)}}}"
        )
    if modality is not None and modality not in names:
        raise InputError(f"{path}: expression.modality: no modality {modality!r}; {suggestion(modality, names)}")
    return root["mod"][modality or names[0]]


def with_common(root: Group, own: pd.DataFrame, path: Path) -> pd.DataFrame:
    """``obs`` of a modality with the columns that only the MuData above it has."""
    if not modalities(root) or root.get("obs") is None:
        return own
    common = frame_of(root, "obs", path)
    common = common.set_axis(pd.Index(as_names(common.index)), axis=0)
    if not common.index.is_unique:
        return own
    further = common[[c for c in common.columns if c not in own.columns]]
    further = further.reindex(pd.Index(as_names(own.index)))
    return pd.concat([own.reset_index(drop=True), further.reset_index(drop=True)], axis=1).set_axis(own.index, axis=0)
