"""Studies of cBioPortal: a folder with tables of measurements and of samples and patients, or one of these tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mtlbio.errors import InputError, listing
from mtlbio.intake.formats.delimited import numbers_of, read_below, text_column
from mtlbio.intake.formats.head import Head, look
from mtlbio.intake.formats.layout import Content, Layout
from mtlbio.intake.notes import notice

_WHAT = "a study of cBioPortal"
_MISSING = ("[Not Available]", "[Not Applicable]", "[Unknown]", "[Not Evaluated]", "[Discrepancy]")
_SAMPLE, _PATIENT = "data_clinical_sample.txt", "data_clinical_patient.txt"
# Which profile of a study is read where it has several, by its file: sequencing before arrays, values before scores.
_ORDER = ("rna_seq_v2", "rna_seq", "mrna_seq", "rsem", "tpm", "fpkm", "rpkm", "mrna", "expression", "rppa", "protein")
_ABOUT = ("Hugo_Symbol", "Entrez_Gene_Id", "Composite.Element.REF", "Cytoband", "Entrez_Gene_ID")


def _fits_folder(head: Head) -> bool:
    return "meta_study.txt" in head.names or (_SAMPLE in head.names and bool(_profiles(head.path)))


def _fits_matrix(head: Head) -> bool:
    return bool(head.columns) and head.columns[0] in _ABOUT[:3] and not head.names and len(head.columns) > 2


def _fits_clinical(head: Head) -> bool:
    named = head.path.name.removesuffix(".gz") in (_SAMPLE, _PATIENT)
    return (named or head.first.startswith("#")) and (head.has("PATIENT_ID") or head.has("SAMPLE_ID"))


def _profiles(folder: Path) -> list[Path]:
    """Tables of measurements of genes, the best first."""
    files = sorted(p for p in folder.glob("data_*.txt*") if p.name.removesuffix(".gz").endswith(".txt"))
    scored = []
    for file in files:
        name = file.name.lower()
        if not any(word in name for word in _ORDER) or any(word in name for word in ("fusion", "_sv", "gistic")):
            continue
        rank = next(i for i, word in enumerate(_ORDER) if word in name)
        scored.append((("zscore" in name, "normal" in name, rank, name), file))
    return [file for _, file in sorted(scored)]


def read(path: Path) -> Content:
    """The profile of mRNA of a study (or the one table that is named), by gene symbol."""
    file = path
    if path.is_dir():
        profiles = _profiles(path)
        if not profiles:
            raise InputError(f"{path}: {_WHAT} without a table of mRNA or protein (data_mrna_seq_v2_rsem.txt ...)")
        file, others = profiles[0], [p.name for p in profiles[1:]]
        more = f"; there are also {listing(others, 6)}: give one of them as expression.path for that" if others else ""
        notice(path, f"cBioPortal: {file.name} is read{more}")
    return _matrix(file)


def _matrix(path: Path) -> Content:
    if look(path).has("Tumor_Sample_Barcode"):
        raise InputError(
            f"{path}: a list of mutations (MAF), one in a row; expected measurements, genes x samples: of mutations a "
            f"table with 0 or 1 for every gene and sample (in R: maftools::mutCountMatrix)"
        )
    about = [c for c in look(path).columns if c in _ABOUT]
    table = read_below(path, "a table of cBioPortal", text=about, quoted=False)
    symbols = text_column(table[about[0]]).str.split("|").str[0]
    if "Entrez_Gene_Id" in about and about[0] != "Entrez_Gene_Id":
        entrez = text_column(table["Entrez_Gene_Id"]).str.removesuffix(".0")
        symbols = symbols.where(~symbols.isin(["", "NA", "?", "nan"]), entrez)
    values = numbers_of(table.drop(columns=about).set_axis(pd.Index(symbols, dtype=object), axis=0), path)
    nameless = np.isin(symbols, ["", "NA"])
    if nameless.any():
        notice(path, f"{int(nameless.sum())} rows without a gene dropped")
    empty = values.isna().all(axis=1).to_numpy() & ~nameless
    if empty.any():
        notice(path, f"{int(empty.sum())} genes without any value dropped")
    values = values[~nameless & ~empty]
    twice = values.index[values.index.duplicated()].unique()
    if len(twice):
        notice(path, f"{len(twice)} genes stand in several rows ({listing(twice, 3)}): averaged")
        values = values.groupby(level=0, sort=False).mean()
    if not values.size:
        raise InputError(f"{path}: a table of cBioPortal without values")
    notice(path, f"{values.shape[1]} samples x {len(values)} genes")
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if "zscore" in path.name.lower():
        return Content(values.T, "z", "z-scores, as the file's name says")
    if high > 50:
        below = int((values < 0).to_numpy().sum())
        if below:
            notice(path, f"{below} values below 0 (down to {low:g}), which a correction of batches left: set to 0")
            values = values.clip(lower=0)
        return Content(values.T, "linear", "not logarithms (RSEM, RPKM or TPM)")
    return Content(values.T)


def describe(path: Path) -> pd.DataFrame:
    """Samples, joined with their patients by PATIENT_ID."""
    folder = path if path.is_dir() else path.parent
    files = {name: _first(folder, name) for name in (_SAMPLE, _PATIENT)}
    if path.is_file() and path.name.removesuffix(".gz") not in (_SAMPLE, _PATIENT):
        return _clinical(path)
    samples, patients = files[_SAMPLE], files[_PATIENT]
    if samples is None and path.is_file():
        return _clinical(path)
    if samples is None:
        raise InputError(f"{path}: {_WHAT} without {_SAMPLE}, which says whose the samples are")
    table = _clinical(samples)
    if "SAMPLE_ID" not in table:
        raise InputError(f"{samples}: no column 'SAMPLE_ID'; found: {listing(table.columns, 12)}")
    if patients is None or "PATIENT_ID" not in table:
        return table
    of_patients = _clinical(patients)
    twice = of_patients["PATIENT_ID"].duplicated()
    if twice.any():
        raise InputError(f"{patients}: {listing(of_patients['PATIENT_ID'][twice], 3)} stand twice; every patient once")
    both = [c for c in of_patients if c in table and c != "PATIENT_ID"]
    joined = table.merge(of_patients.drop(columns=both), on="PATIENT_ID", how="left")
    notice(
        path,
        f"{len(table)} samples of {table['PATIENT_ID'].nunique()} patients: {samples.name} and {patients.name}, joined "
        f"by PATIENT_ID",
    )
    return joined


def _first(folder: Path, name: str) -> Path | None:
    return next((folder / n for n in (name, f"{name}.gz") if (folder / n).is_file()), None)


def _clinical(path: Path) -> pd.DataFrame:
    """A clinical table as text, below its lines with ``#``."""
    columns = look(path).columns
    table = read_below(path, "a clinical table of cBioPortal", text=columns, quoted=False)
    return table.apply(text_column).replace({"": None} | dict.fromkeys(_MISSING, None))


STUDY = Layout("cbioportal", _WHAT, _fits_folder, read, describe)
MATRIX = Layout("cbioportal_matrix", "a table of measurements of cBioPortal", _fits_matrix, read)
CLINICAL = Layout("cbioportal_clinical", "a clinical table of cBioPortal", _fits_clinical, None, describe)
