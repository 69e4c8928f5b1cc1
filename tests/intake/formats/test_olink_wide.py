"""Olink NPX as NPX Manager exports it."""

from __future__ import annotations

import numpy as np
import openpyxl
import pytest
from layouts import read

ROWS = (
    ["NPX Manager", "", "", "", "", ""],
    ["NPX data", "", "", "", "", ""],
    ["Panel", "Olink INFLAMMATION(v.3021)", "Olink INFLAMMATION(v.3021)", "Olink CVD II", "Plate ID", "QC Warning"],
    ["Assay", "IL8", "VEGFA", "IL8", "", ""],
    ["Uniprot ID", "P10145", "P15692", "P10145", "", ""],
    ["OlinkID", "OID00471", "OID00472", "OID00900", "", ""],
    [],
    ["S1", 8.5, 7.25, 8.0, "Plate1", "Pass"],
    ["S2", 6.5, "", 6.0, "Plate1", "Warning"],
    [],
    ["LOD", 7, 1, 1, "", ""],
    ["Missing Data freq.", 0, 0.5, 0, "", ""],
    ["Normalization", "Intensity", "Intensity", "Intensity", "", ""],
)  # fmt: skip


@pytest.mark.parametrize("name", ["npx.xlsx", "npx.csv", "comma.csv"])
def test_the_export(tmp_path, name):
    path = tmp_path / name
    if path.suffix == ".xlsx":
        book = openpyxl.Workbook()
        for row in ROWS:
            book.active.append(row)
        book.save(path)
    else:
        text = "\n".join(";".join(map(str, row)) for row in ROWS)
        path.write_text(text.replace(".5", ",5").replace(".25", ",25") if name == "comma.csv" else text)
    content, said = read(path, "olink_wide")
    assert list(content.values.index) == ["S1", "S2"] and list(content.values.columns) == ["IL8", "VEGFA"]
    np.testing.assert_allclose(content.values, [[8.25, 7.25], [6.25, np.nan]])
    assert content.scale == "log2"
    assert "1 samples with a warning of quality (S2)" in said and "several panels measure (IL8): averaged" in said
    assert "1 values are missing, of 1 assays" in said and "17% of the values are below the limit" in said
