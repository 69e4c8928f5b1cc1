"""The latents that a page is about."""

from __future__ import annotations

from pathlib import Path

import anndata as ad

from mtlbio.errors import InputError


def read_latents(path: Path) -> ad.AnnData:
    """``latents.h5ad``.

    Raises
    ------
    InputError
        There is none.
    """
    if not path.exists():
        raise InputError(f"{path}: no such file; run `mtlbio train` first")
    return ad.read_h5ad(path)
