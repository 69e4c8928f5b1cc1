"""Olink NPX as the company's software writes it: a row per sample and assay, as csv or parquet."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mtlbio.errors import InputError, listing
from mtlbio.intake.formats.delimited import numbers_of, plain
from mtlbio.intake.formats.head import Head, look
from mtlbio.intake.formats.layout import Content, Layout
from mtlbio.intake.formats.long_table import long_table
from mtlbio.intake.formats.names import apart
from mtlbio.intake.formats.olink_quality import tell_quality, without_controls
from mtlbio.intake.notes import notice
from mtlbio.reading import check_fits

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
    table = without_controls(table, path)
    tell_quality(table, measured, path)
    values = _wide(table, measured, path)
    if measured == "npx":
        return Content(values, "log2", "NPX, Olink's log2 scale")
    return Content(values, "linear", "concentrations (Quantified_value)")


def describe(path: Path) -> pd.DataFrame:
    """Plates, and columns that were added to Olink's own and have one value per sample."""
    added = [name for name in look(path).columns if plain(name) not in _OLINKS and name]
    table = without_controls(_table(path, added), path)
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
    head = look(path)
    known = [name for name in head.columns if plain(name) in (*_TEXT, *_NUMBERS)]
    text = [name for name in known if plain(name) in _TEXT] + (added or [])
    table = long_table(path, _WHAT, [*known, *(added or [])], text)
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


def _wide(table: pd.DataFrame, measured: str, path: Path) -> pd.DataFrame:
    """(samples, assays) in the order of the file."""
    reagent = table["olinkid"] if "olinkid" in table else table["assay"]
    protein = table["uniprot"] if "uniprot" in table else table["assay"]
    keys = pd.DataFrame({"sample": table["sampleid"], "assay": table["assay"], "protein": protein, "id": reagent})
    again = int(keys[["sample", "assay", "protein", "id"]].duplicated().sum())
    if again:
        text = f"{again} values of a sample and assay stand once more (plates, bridging samples): averaged"
        notice(path, text, doubt=True)
    reagents = keys[["assay", "protein", "id"]].drop_duplicates()
    proteins = reagents[["assay", "protein"]].drop_duplicates().reset_index(drop=True)
    number = reagents.groupby(["assay", "protein"], sort=False, observed=True).ngroup().to_numpy()
    repeated = proteins["assay"][np.bincount(number, minlength=len(proteins)) > 1]
    if len(repeated):
        notice(path, f"{len(repeated)} proteins are measured by several panels ({listing(repeated, 4)}): averaged")
    samples, names = pd.factorize(keys["sample"])
    columns = keys.groupby(["assay", "protein"], sort=False, observed=True).ngroup().to_numpy()
    shape = (len(names), len(proteins))
    check_fits(path, 24 * shape[0] * shape[1], f"a table of {shape[0]:,} samples x {shape[1]:,} assays")
    values = table[measured].to_numpy()
    known, place = ~np.isnan(values), samples * shape[1] + columns
    # of one assay in two panels that with a value counts, of two values their mean
    sums = np.bincount(place[known], weights=values[known], minlength=shape[0] * shape[1])
    counts = np.bincount(place[known], minlength=shape[0] * shape[1])
    wide = np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0).reshape(shape)
    absent = int((np.bincount(place, minlength=shape[0] * shape[1]) == 0).sum())
    if absent:
        notice(path, f"{absent} pairs of sample and assay have no row: missing", doubt=True)
    notice(path, f"Olink NPX (long): {shape[0]} samples x {shape[1]} assays")
    called = apart(proteins["assay"].tolist(), proteins["protein"].tolist(), path, "assay")
    return pd.DataFrame(wide, index=pd.Index(list(names), dtype=object), columns=called)


LAYOUT = Layout("olink", _WHAT, _fits, read, describe)
