"""Cells whose barcodes the metadata write in another way: without the number behind them, or with the sample's name.

Cell Ranger writes ``AAACCTGAGAAACCAT-1``, Seurat ``S1_AAACCTGAGAAACCAT-1`` or ``AAACCTGAGAAACCAT-1_1``, scanpy
``AAACCTGAGAAACCAT-1-S1``, and whoever exports metadata may leave the ``-1`` out.
"""

from collections.abc import Collection

import numpy as np
import pandas as pd

_BARCODE = r"[ACGT]{8,}"
_CORE = f"({_BARCODE})"
_NUMBER = r"-\d+$"
_LEAST = 0.5  # share of the smaller side that has to be found


def match_barcodes(names: np.ndarray, described: Collection[str]) -> tuple[np.ndarray, str | None]:
    """Names of cells (n,) as the metadata write them where that is one to one and none is the same as it is, and in
    what they differed (None where nothing was changed).

    Examples
    --------
    >>> match_barcodes(np.array(["AAACCTGAGA-1", "AAACCTGAGC-1"]), ["AAACCTGAGC", "AAACCTGAGA"])[0].tolist()
    ['AAACCTGAGA', 'AAACCTGAGC']
    """
    there = pd.Index(list(described), dtype=object).unique().astype(str)
    here = pd.Index(names).astype(str)
    if not len(there) or not len(here) or here.isin(there).any() or here.str.contains(_BARCODE).mean() < 0.9:
        return names, None
    there = there[there.str.contains(_BARCODE)]
    for way, words in _WAYS:
        own, other = way(here), way(there)
        if not own.is_unique or not other.is_unique:
            continue
        place = other.get_indexer(own)
        found = place >= 0
        if found.sum() >= max(1, _LEAST * min(len(own), len(other))):
            return np.where(found, there.to_numpy()[place], here.to_numpy()).astype(str), words
    return names, None


def _plain(names: pd.Index) -> pd.Index:
    return names.str.replace(_NUMBER, "", regex=True)


def _in_order(names: pd.Index) -> pd.Index:
    """The barcode, then what stands before or behind it, without Cell Ranger's number where that is 1 in all."""
    core = names.str.extract(_CORE, expand=False)
    numbers = names.str.extract(_BARCODE + r"-(\d+)", expand=False).dropna()
    number = "(-1)?" if (numbers == "1").all() else ""
    rest = names.str.replace(_BARCODE + number, "_", n=1, regex=True).str.replace(r"[\W_]+", "_", regex=True)
    return core + "|" + rest.str.strip("_").str.casefold()


def _core(names: pd.Index) -> pd.Index:
    return names.str.extract(_CORE, expand=False)


_WAYS = (
    (_plain, "the number behind the barcode"),
    (_in_order, "the order of barcode and sample"),
    (_core, "all but the barcode"),
)
