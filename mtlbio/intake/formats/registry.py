"""The layouts that are known, and which of them a file has."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from mtlbio.errors import InputError, listing
from mtlbio.intake.formats import (
    adat,
    cbioportal,
    diann,
    feature_counts,
    fragpipe,
    gct,
    gdc,
    genome_studio,
    geo_platform,
    geo_series,
    geo_soft,
    htseq,
    maxquant,
    olink,
    olink_wide,
    rsem,
    spectronaut,
    star,
    stringtie,
    transcripts,
    tximport,
)
from mtlbio.intake.formats.head import Head, look
from mtlbio.intake.formats.layout import Layout
from mtlbio.intake.formats.unread import check_readable
from mtlbio.intake.formats.workbook import first_sheet
from mtlbio.reading import understood

# The first that fits is taken; what looks at several files of a folder stands last.
LAYOUTS: tuple[Layout, ...] = (
    geo_series.LAYOUT,
    geo_soft.LAYOUT,
    geo_platform.LAYOUT,
    adat.LAYOUT,
    gct.LAYOUT,
    olink.LAYOUT,
    olink_wide.LAYOUT,
    maxquant.LAYOUT,
    diann.LAYOUT,
    fragpipe.LAYOUT,
    spectronaut.LAYOUT,
    genome_studio.LAYOUT,
    tximport.LAYOUT,
    cbioportal.STUDY,
    cbioportal.CLINICAL,
    cbioportal.MATRIX,
    gdc.LAYOUT,
    star.LAYOUT,
    rsem.LAYOUT,
    transcripts.SALMON_LAYOUT,
    transcripts.KALLISTO_LAYOUT,
    feature_counts.SUMMARY,
    feature_counts.LAYOUT,
    stringtie.LAYOUT,
    htseq.LAYOUT,
)
_TEXT_ONLY = (olink.LAYOUT, maxquant.LAYOUT, diann.LAYOUT, fragpipe.LAYOUT, spectronaut.LAYOUT)
TABLE = "table"  # expression.format that forbids all of them


def recognise(path: str | Path, named: str | None = None) -> Layout | None:
    """The layout of a file or folder, from its head alone; None of an ordinary table (and of what is no file).

    Parameters
    ----------
    named : a layout's name: that one whatever the file looks like; ``table``: none

    Raises
    ------
    InputError
        An unknown name, or a file that holds no table (scans, reads, spectra): with the tool that makes one of it.
    """
    if named == TABLE:
        return None
    if named is not None:
        known = {layout.name: layout for layout in LAYOUTS}
        if named not in known:
            raise InputError(f"expression.format: found {named!r}; valid: {listing([TABLE, *known], 40)}")
        return known[named]
    head = look(path)
    if not head.magic and not head.names:
        return None
    check_readable(head)
    found = next((layout for layout in LAYOUTS if layout.fits(head)), None)
    if found is None:
        _check_no_text_in_workbook(head)
    return found


def _check_no_text_in_workbook(head: Head) -> None:
    """Refuse a workbook that holds what is read as text only: as a plain table its rows would mean something else."""
    if not head.magic.startswith(b"PK") or head.path.suffix.lower() not in (".xlsx", ".xlsm"):
        return
    rows = [[" ".join(cell.split()) for cell in row] for row in first_sheet(head.path, 2)]
    text = Head(head.path, lines=tuple("\t".join(row) for row in rows))
    for layout in _TEXT_ONLY:
        if layout.fits(text):
            raise InputError(
                f"{head.path}: {layout.title}, in a workbook; expected the text file that the software wrote, or the "
                f"sheet saved as text separated by tabs (expression.format: table reads it as a plain one)"
            )


def measuring(path: str | Path, named: str | None = None) -> Layout | None:
    """As :func:`recognise`, of a file that is to hold measurements."""
    layout = recognise(path, named)
    if layout is not None and layout.read is None:
        raise InputError(f"{path}: {layout.title}, which describes samples; expected measurements")
    return layout


def describes_samples(path: str | Path) -> bool:
    """Whether a file or folder with a layout of its own may carry its samples' description beside the values."""
    layout = recognise(path)
    return layout is not None and layout.read is not None and layout.describe is not None


def description(path: str | Path) -> pd.DataFrame | None:
    """The samples' description that a file or folder with a layout of its own carries; None of an ordinary table.

    Raises
    ------
    InputError
        A layout that carries none, or a file that holds no table.
    """
    layout = recognise(path)
    if layout is None:
        return None
    if layout.describe is None:
        raise InputError(f"{path}: {layout.title}, which holds measurements; expected a table that describes samples")
    with understood(path, layout.title):
        return layout.describe(Path(path))
