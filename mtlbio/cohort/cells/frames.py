"""``obs`` and ``var`` of AnnData as tables, in the layout of every version of anndata."""

from pathlib import Path

import numpy as np
import pandas as pd
from anndata.io import read_elem

from mtlbio.cohort.cells.stored import check_claims
from mtlbio.cohort.cells.stores import Array, Group, is_array, is_group
from mtlbio.errors import InputError, listing
from mtlbio.intake.notes import notice
from mtlbio.reading import understood


def frame_of(root: Group, key: str, path: Path) -> pd.DataFrame:
    """A table (``obs``, ``var``, ``raw/var``) of an AnnData; columns that cannot be read are left out, and told.

    Raises
    ------
    InputError
        No table there, or one without a readable index.
    """
    place = root.get(key)
    if place is None:
        raise InputError(f"{path}: no {key} in it; expected an AnnData file, which has one")
    check_claims(place, path)
    if is_array(place) and place.dtype.names:
        with understood(path, f"an h5ad file whose {key} is a table"):
            return _compound(root, place, key)
    if is_group(place):
        try:
            frame = read_elem(place)
        except Exception:
            return _by_column(place, key, path)
        if isinstance(frame, pd.DataFrame):
            return frame
    raise InputError(f"{path}: {key} is no table; expected an h5ad as AnnData writes it")


def index_of(root: Group, key: str, path: Path) -> np.ndarray:
    """The names (text) of the rows of a table, without its columns."""
    place = root.get(key)
    if is_group(place):
        name = _index_name(place)
        if name in place:
            check_claims(place[name], path)
            with understood(path, f"an h5ad file whose {key} is a table"):
                return as_names(read_elem(place[name]))
    return as_names(frame_of(root, key, path).index)


def columns_of(root: Group, key: str) -> list[str]:
    """Names of the columns of a table; none where it is of another kind."""
    place = root.get(key)
    if is_array(place):
        return list(place.dtype.names or ())
    return [name for name in place if name != _index_name(place)] if is_group(place) else []


def as_names(values) -> np.ndarray:
    """Text of identifiers, bytes decoded."""
    values = np.asarray(values)
    if values.dtype.kind in "OST":  # T: what zarr gives
        values = [v.decode("utf-8", "backslashreplace") if isinstance(v, bytes) else v for v in values.astype(object)]
    return np.asarray(values).astype(str)


def _index_name(place: Group) -> str:
    name = place.attrs.get("_index", "_index")
    return name.decode() if isinstance(name, bytes) else str(name)


def _by_column(place: Group, key: str, path: Path) -> pd.DataFrame:
    """What can be read of a table that cannot be read as a whole: an encoding of a later version, a damaged column."""
    with understood(path, f"an h5ad file whose {key} is a table"):
        index = as_names(read_elem(place[_index_name(place)]))
    columns, lost = {}, []
    order = [str(name) for name in place.attrs.get("column-order", [])] or list(place)
    for name in order:
        if name in (_index_name(place), "__categories"):
            continue
        try:
            values = read_elem(place[name])
            columns[name] = pd.Series(values, index=index) if len(values) == len(index) else None
        except Exception:
            columns[name] = None
        if columns[name] is None:
            lost.append(name)
            del columns[name]
    if lost:
        notice(path, f"{key}: column(s) {listing(lost, 5)} cannot be read and are left out", doubt=True)
    return pd.DataFrame(columns, index=index)


def _compound(root: Group, place: Array, key: str) -> pd.DataFrame:
    """A table of anndata before 0.7: one array of records, categories as codes whose levels lie in ``uns``."""
    records = np.asarray(place[()])
    names = list(records.dtype.names or ())
    index = "index" if "index" in names else "_index" if "_index" in names else names[0]
    frame = pd.DataFrame(index=as_names(records[index]))
    for name in names:
        if name == index:
            continue
        values = records[name]
        levels = root.get(f"uns/{name}_categories") if key == "obs" else None
        if levels is not None and values.dtype.kind in "iu":
            levels = np.atleast_1d(read_elem(levels))
            levels = as_names(levels) if levels.dtype.kind in "OS" else levels
            frame[name] = pd.Categorical.from_codes(values.astype(int), pd.Index(levels))
        else:
            frame[name] = as_names(values) if values.dtype.kind in "OS" else values
    return frame
