"""loom files: genes in rows, names and descriptions as attributes of rows and columns."""

import h5py
import numpy as np
import pandas as pd
from anndata.io import read_elem

from mtlbio.cohort.cells.frames import as_names
from mtlbio.cohort.cells.stores import Group, is_array
from mtlbio.errors import InputError, listing

_CELLS = ("CellID", "obs_names", "cell_id", "CellId", "cell_names", "index")
_GENES = ("Gene", "var_names", "gene_name", "GeneName", "gene_names", "Accession", "index")


def is_loom(root: Group) -> bool:
    """Whether an open file is laid out as loom is."""
    return isinstance(root, h5py.Group) and all(key in root for key in ("matrix", "row_attrs", "col_attrs"))


def loom_frame(root: Group, key: str) -> pd.DataFrame:
    """``obs`` or ``var``: the attributes that have one value for each cell or gene."""
    place, names = (root["col_attrs"], _CELLS) if key == "obs" else (root["row_attrs"], _GENES)
    length = root["matrix"].shape[1 if key == "obs" else 0]
    found = {name: place[name] for name in place if is_array(place[name]) and place[name].shape == (length,)}
    index = next((name for name in names if name in found), None)
    if index is None:
        raise InputError(f"{root.file.filename}: {place.name}: no {' or '.join(names[:2])}; found: {listing(place)}")
    columns = {name: np.asarray(read_elem(array)) for name, array in found.items() if name != index}
    columns = {name: as_names(values) if values.dtype.kind in "OS" else values for name, values in columns.items()}
    return pd.DataFrame(columns, index=as_names(read_elem(found[index])))
