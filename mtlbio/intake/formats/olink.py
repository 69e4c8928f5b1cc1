"""Olink NPX as the company's software writes it: a row per sample and assay, as csv or parquet."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from mtlbio.errors import InputError, listing
from mtlbio.intake.formats.delimited import numbers_of, plain, read_below, text_column
from mtlbio.intake.formats.head import Head, fields, look, separator_in
from mtlbio.intake.formats.layout import Content, Layout
from mtlbio.intake.formats.names import apart
from mtlbio.intake.notes import notice
from mtlbio.reading import understood

_WHAT = "Olink NPX in the long layout"
_TEXT: tuple[str, ...] = ("sampleid", "olinkid", "assay", "uniprot", "panel", "plateid", "sampletype", "assaytype")
_TEXT += ("sampleqc", "qcwarning", "assayqc", "assaywarning")
_NUMBERS = ("npx", "quantifiedvalue", "lod", "platelod", "maxlod")
# Columns that say how a value was measured; what is not among them was added about the samples.
_OLINKS = {*_TEXT, *_NUMBERS, "index", "missingfreq", "panellotnr", "panelversion", "panellot", "normalization", "unit"}
_OLINKS |= {"exploreversion", "wellid", "block", "count", "extnpx", "pcnormalizednpx", "softwareversion", "adjfactor"}
_OLINKS |= {"softwarename", "dataanalysisrefid", "paneldataarchiveversion", "preprocessingversion", "intracv"}
_OLINKS |= {"preprocessingsoftware", "instrumenttype", "intercv", "lodnpx", "lodcount", "lodmethod", "referencetype"}
_OLINKS |= {"project", "productversion", "batch", "lql", "uql", "lloq", "uloq", "platelql", "sampleblockqcwarn"}
_OLINKS |= {"sampleblockqcfail", "blockqcfail", "assayqcwarn", "npxlod", "pcnormalizedlod", "hash", "ct", "dct"}
_NO_SAMPLE = re.compile(
    r"(control[ _-]?sample|(sample|plate|neg(ative)?|inter[ _-]?plate|calibrator|external)[ _-]?(control|ctrl)|ipc)"
    r"([ _-]*\w{1,4})*",
    re.IGNORECASE,
)
_NO_ASSAY = re.compile(r"(inc|ext|amp|det)[a-z]*[ _-]?(control|ctrl)([ _-]?\d+)?", re.IGNORECASE)


def _fits(head: Head) -> bool:
    names = {plain(name) for name in head.columns}
    return "sampleid" in names and not names.isdisjoint(_NUMBERS[:2]) and not names.isdisjoint({"olinkid", "assay"})


def read(path: Path) -> Content:
    """Assays by name, samples without Olink's controls."""
    table, measured = _table(path), "npx"
    if "npx" not in table or table["npx"].isna().all():
        measured = "quantifiedvalue"
    if measured not in table:
        raise InputError(f"{path}: {_WHAT} without NPX; found: {listing(table.columns, 12)}")
    table = _without_controls(table, path)
    quality(table, measured, path)
    values = _wide(table, measured, path)
    if measured == "npx":
        return Content(values, "log2", "NPX, Olink's log2 scale")
    return Content(values, "linear", "concentrations (Quantified_value)")


def describe(path: Path) -> pd.DataFrame:
    """Plates, and columns that were added to Olink's own and have one value per sample."""
    added = [name for name in look(path).columns if plain(name) not in _OLINKS and name]
    table = _without_controls(_table(path, added), path)
    by_sample = table.groupby("sampleid", sort=False, observed=True)
    described = {"SampleID": list(by_sample.groups)}
    if "plateid" in table:
        plates = by_sample["plateid"].agg(lambda plate: "+".join(sorted(set(plate) - {""})))
        described["PlateID"] = plates.reindex(described["SampleID"]).tolist()
    for name in added:
        if (by_sample[name].nunique() <= 1).all():
            described[name] = by_sample[name].first().reindex(described["SampleID"]).tolist()
    if not {*described} - {"SampleID", "PlateID"}:
        raise InputError(f"{path}: {_WHAT} describes no samples; give the metadata as a file of its own")
    return pd.DataFrame(described, dtype=object)


def _table(path: Path, added: list[str] | None = None) -> pd.DataFrame:
    """The columns that count, by plain names."""
    columns = look(path).columns
    known = [name for name in columns if plain(name) in (*_TEXT, *_NUMBERS)]
    text = [name for name in known if plain(name) in _TEXT] + (added or [])
    if columns and look(path).magic.startswith(b"PAR1"):
        with understood(path, "a readable parquet file"):
            table = pq.read_table(path, columns=[*known, *(added or [])]).to_pandas().reset_index()
        table = table[[*known, *(added or [])]]
    else:
        separator, decimal = _marks(path)
        table = read_below(path, _WHAT, None, separator, [*known, *(added or [])], text, decimal=decimal)
    for name in text:
        table[name] = text_column(table[name])
    table = table.rename(columns={name: plain(name) for name in known})
    table = table.loc[:, ~table.columns.duplicated()]
    if "assay" not in table:
        table["assay"] = table["olinkid"]
    numeric = [name for name in table if name in _NUMBERS]
    table[numeric] = numbers_of(table[numeric], path)
    empty = table["sampleid"] == ""
    if empty.any():
        notice(path, f"{int(empty.sum())} rows without a SampleID dropped")
    return table[~empty]


def _marks(path: Path) -> tuple[str, str]:
    """The separator, and the mark of decimals."""
    lines = [line for line in look(path).lines if line.strip()]
    separator = separator_in(lines[0])
    cells = [cell for line in lines[1:100] for cell in fields(line, separator)]
    comma = separator != "," and any(re.fullmatch(r"-?\d+,\d+", cell) for cell in cells)
    if comma:
        notice(path, "decimals are marked by a comma")
    return separator, "," if comma else "."


def _without_controls(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    if "sampletype" in table and table["sampletype"].str.upper().eq("SAMPLE").any():
        control = ~table["sampletype"].str.upper().eq("SAMPLE")
    else:
        control = table["sampleid"].isin([s for s in table["sampleid"].unique() if _NO_SAMPLE.fullmatch(s)])
    if control.any():
        notice(path, f"Olink's control samples dropped: {listing(table['sampleid'][control].unique(), 4)}")
    assays = table["assay"].isin([a for a in table["assay"].unique() if _NO_ASSAY.fullmatch(a)])
    if "assaytype" in table and table["assaytype"].str.lower().eq("assay").any():
        assays |= ~table["assaytype"].str.lower().eq("assay")
    if assays.any():
        notice(path, f"Olink's control assays dropped: {listing(table['assay'][assays].unique(), 4)}")
    table = table[~control & ~assays]
    if not len(table):
        raise InputError(f"{path}: {_WHAT} with controls only; expected samples")
    return table


def quality(table: pd.DataFrame, measured: str, path: Path) -> None:
    """Say what the software warns of, what is below the limit of detection, and what is missing."""
    for name in ("qcwarning", "sampleqc", "assayqc", "assaywarning"):
        if name not in table:
            continue
        what, of = ("assay", "assay") if name.startswith("assay") else ("sample", "sampleid")
        warned = table[table[name].str.upper().isin(["WARN", "WARNING", "FAIL", "EXCLUDED"])]
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
                f"{overall:.0%} of the values are below the limit of detection, in {int((below > 0.5).sum())} of "
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


def _wide(table: pd.DataFrame, measured: str, path: Path) -> pd.DataFrame:
    reagent = table["olinkid"] if "olinkid" in table else table["assay"]
    protein = table.get("uniprot", table["assay"])
    keys = [table["sampleid"], table["assay"], protein.rename("protein"), reagent.rename("id")]
    grouped = table[measured].groupby(keys, sort=False, observed=True)
    again = int((grouped.size() > 1).sum())
    if again:
        notice(
            path, f"{again} values of one sample and assay stand several times (plates, bridging): averaged", doubt=True
        )
    values = grouped.mean()
    reagents = values.index.to_frame(index=False)[["assay", "protein", "id"]].drop_duplicates()
    reagents = reagents.groupby(["assay", "protein"], sort=False).size()
    repeated = [str(assay) for assay, _ in reagents.index[reagents > 1]]
    if repeated:
        notice(path, f"{len(repeated)} proteins are measured by several panels ({listing(repeated, 4)}): averaged")
    values = values.groupby(level=["sampleid", "assay", "protein"], sort=False, observed=True).mean()
    wide = values.unstack(["assay", "protein"])
    order = pd.unique(table["sampleid"])
    names = apart([str(a) for a, _ in wide.columns], [str(p) for _, p in wide.columns], path, "assay")
    wide = wide.reindex(order).set_axis(names, axis=1)
    wide.index = pd.Index([str(s) for s in wide.index], dtype=object)
    notice(path, f"Olink NPX (long): {wide.shape[0]} samples x {wide.shape[1]} assays")
    absent = wide.size - len(values)
    if absent:
        notice(path, f"{absent} pairs of sample and assay have no row: missing", doubt=True)
    return wide.astype(np.float64)


LAYOUT = Layout("olink", _WHAT, _fits, read, describe)
