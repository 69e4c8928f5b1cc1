"""What Olink's files say of their samples and assays: controls, warnings, limits of detection, gaps."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd

from mtlbio.errors import InputError, listing
from mtlbio.intake.notes import notice

_NO_SAMPLE = re.compile(
    r"(control[ _-]?sample|(sample|plate|neg(ative)?|inter[ _-]?plate|calibrator|external)[ _-]?(control|ctrl)|ipc)"
    r"([ _-]*\w{1,4})*",
    re.IGNORECASE,
)
_NO_ASSAY = re.compile(r"(inc|ext|amp|det)[a-z]*[ _-]?(control|ctrl)([ _-]?\d+)?", re.IGNORECASE)


def without_controls(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Rows of samples and proteins; Olink's own controls are known by their type, or by name where none is given."""
    control = ~_called(table["sampletype"], "SAMPLE") if "sampletype" in table else np.ones(len(table), dtype=bool)
    if control.all():
        names = table["sampleid"].unique()
        control = table["sampleid"].isin([name for name in names if _NO_SAMPLE.fullmatch(name)]).to_numpy()
    if control.any():
        notice(path, f"Olink's control samples dropped: {listing(table['sampleid'][control].unique(), 4)}")
    assays = table["assay"].isin([a for a in table["assay"].unique() if _NO_ASSAY.fullmatch(a)])
    if "assaytype" in table and _called(table["assaytype"], "ASSAY").any():
        assays |= ~_called(table["assaytype"], "ASSAY")
    if assays.any():
        notice(path, f"Olink's control assays dropped: {listing(table['assay'][assays].unique(), 4)}")
    table = table[~control & ~assays]
    if not len(table):
        raise InputError(f"{path}: Olink NPX with controls only; expected samples")
    return table


def tell_quality(table: pd.DataFrame, measured: str, path: Path) -> None:
    """Say what the software warns of, what is below the limit of detection, and what is missing."""
    for name in ("qcwarning", "sampleqc", "assayqc", "assaywarning"):
        if name not in table:
            continue
        what, of = ("assay", "assay") if name.startswith("assay") else ("sample", "sampleid")
        warned = table[_called(table[name], "WARN", "WARNING", "FAIL", "EXCLUDED")]
        if len(warned):
            things = warned[of].unique()
            notice(path, f"{len(things)} {what}s with a warning of quality ({listing(things, 4)}): kept", doubt=True)
    limit = next((name for name in ("lod", "platelod", "maxlod") if name in table), None)
    if limit is not None and table[limit].notna().any():
        below = (table[measured] < table[limit]).groupby(table["assay"], observed=True).mean()
        overall = float((table[measured] < table[limit]).mean())
        if overall:
            notice(
                path,
                f"{overall:.1%} of the values are below the limit of detection, in {int((below > 0.5).sum())} of "
                f"{len(below)} assays more than half: kept as they are",
            )
    gaps = table[measured].isna()
    if gaps.any():
        where = table[gaps]
        notice(
            path,
            f"{int(gaps.sum())} values are missing, of {where['assay'].nunique()} assays and "
            f"{where['sampleid'].nunique()} samples",
            doubt=True,
        )


def _called(values: pd.Series, *names: str) -> np.ndarray:
    """(rows,) whether a category is one of some names, whatever its case."""
    fitting = [level for level in values.cat.categories if level.upper() in names]
    return values.isin(fitting).to_numpy()
