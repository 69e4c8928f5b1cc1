"""Olink NPX in the long layout: Target, Explore and Explore HT, as csv and parquet."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from layouts import read

from mtlbio.errors import InputError
from mtlbio.intake.formats.registry import description, measuring


def explore() -> pd.DataFrame:
    """Three samples and a control x three proteins, one of them in two panels."""
    assays = (("OID1", "P01375", "TNF", "Inflammation"), ("OID2", "P05231", "IL6", "Inflammation"))
    assays += (("OID3", "P05231", "IL6", "Oncology"), ("OID4", "P10145", "CXCL8", "Oncology"))
    rows = []
    for s, sample in enumerate(("007", "A2", "A3", "CONTROL_SAMPLE_AS 1")):
        for a, (oid, uniprot, assay, panel) in enumerate(assays):
            rows.append(
                (sample, s, oid, uniprot, assay, 0.1, panel, "Plate1", "PASS", 0.5, 10 * s + a, "Plate control")
            )
    names = "SampleID Index OlinkID UniProt Assay MissingFreq Panel PlateID QC_Warning LOD NPX Normalization".split()
    return pd.DataFrame(rows, columns=names)


def written(table: pd.DataFrame, path, **options):
    if path.suffix == ".parquet":
        table.to_parquet(path)
    else:
        table.to_csv(path, index=False, **options)
    return path


@pytest.mark.parametrize(
    "name, options",
    [
        ("npx.csv", {"sep": ";"}),
        ("npx.csv", {"sep": ","}),
        ("npx.csv", {"sep": ";", "decimal": ","}),
        ("npx.tsv.gz", {"sep": "\t"}),
        ("npx.parquet", {}),
    ],
)
def test_values_by_sample_and_assay(tmp_path, name, options):
    table = explore()
    table["NPX"] += 0.25
    content, said = read(written(table, tmp_path / name, **options), "olink")
    assert list(content.values.index) == ["007", "A2", "A3"]
    assert list(content.values.columns) == ["TNF", "IL6", "CXCL8"]
    np.testing.assert_allclose(content.values, [[0.25, 1.75, 3.25], [10.25, 11.75, 13.25], [20.25, 21.75, 23.25]])
    assert content.scale == "log2"
    assert "control samples dropped: CONTROL_SAMPLE_AS 1" in said
    assert "1 proteins are measured by several panels (IL6): averaged" in said
    assert ("comma" in said) == (options.get("decimal") == ",")


def test_warnings_limits_and_gaps_are_counted(tmp_path):
    table = explore()
    table.loc[0, "QC_Warning"] = "WARN"
    table.loc[[4, 5], "NPX"] = np.nan
    table = table.drop(index=[11])
    content, said = read(written(table, tmp_path / "npx.csv", sep=";"), "olink")
    assert "1 samples with a warning of quality (007): kept" in said
    assert "2 values are missing, of 2 assays and 1 samples" in said
    assert "1 pairs of sample and assay have no row: missing" in said
    assert "9.1% of the values are below the limit of detection, in 0 of 3 assays more than half" in said
    assert np.isnan(content.values.loc["A2", "TNF"]) and content.values.loc["A2", "IL6"] == 12
    assert np.isnan(content.values.loc["A3", "CXCL8"])


def test_explore_ht(tmp_path):
    table = explore().rename(columns={"QC_Warning": "SampleQC"}).drop(columns="MissingFreq")
    table["SampleType"] = np.where(table["SampleID"].str.startswith("CONTROL"), "PLATE_CONTROL", "SAMPLE")
    table["SampleID"] = table["SampleID"].replace("CONTROL_SAMPLE_AS 1", "xyz")
    table["AssayType"] = np.where(table["OlinkID"] == "OID4", "ext_ctrl", "assay")
    table["Block"], table["Count"], table["ExtNPX"], table["PCNormalizedNPX"] = 1, 1200, 0.1, table["NPX"]
    table["AssayQC"] = np.where(table["OlinkID"] == "OID1", "WARN", "PASS")
    content, said = read(written(table, tmp_path / "ht.parquet"), "olink")
    assert content.values.columns.tolist() == ["TNF", "IL6"] and content.values.index.tolist() == ["007", "A2", "A3"]
    assert "control samples dropped: xyz" in said and "control assays dropped: CXCL8" in said
    assert "1 assays with a warning of quality (TNF): kept" in said


def test_a_sample_on_two_plates_is_averaged_and_said(tmp_path):
    table = explore()
    again = table[table["SampleID"] == "A2"].assign(NPX=lambda t: t["NPX"] + 1, PlateID="Plate2")
    content, said = read(written(pd.concat([table, again]), tmp_path / "npx.csv"), "olink")
    assert content.values.loc["A2", "TNF"] == 10.5
    assert "4 values of a sample and assay stand once more" in said


def test_columns_that_were_added_describe_the_samples(tmp_path):
    table = explore()
    table["Subject"] = table["SampleID"].map({"007": "D1", "A2": "D1", "A3": "D2"})
    table["Time"] = table["SampleID"].map({"007": "Week.0", "A2": "Week.6", "A3": "Week.0"})
    described = description(written(table, tmp_path / "npx.csv"))
    assert described["SampleID"].tolist() == ["007", "A2", "A3"]
    assert described["Subject"].tolist() == ["D1", "D1", "D2"]
    assert described["Time"].tolist() == ["Week.0", "Week.6", "Week.0"]
    assert described["PlateID"].tolist() == ["Plate1"] * 3
    with pytest.raises(InputError, match="describes no samples"):
        description(written(explore(), tmp_path / "plain.csv"))


def test_concentrations_are_linear(tmp_path):
    table = explore().rename(columns={"NPX": "Quantified_value"})
    content, _ = read(written(table, tmp_path / "q.csv"), "olink")
    assert content.scale == "linear" and content.values.loc["A3", "TNF"] == 20


def test_healthy_controls_stay(tmp_path):
    table = explore().replace({"SampleID": {"A2": "control_12", "A3": "NC_3"}})
    content, _ = read(written(table, tmp_path / "npx.csv"), "olink")
    assert content.values.index.tolist() == ["007", "control_12", "NC_3"]


def test_only_controls(tmp_path):
    path = written(explore().query("SampleID.str.startswith('CONTROL')"), tmp_path / "npx.csv")
    with pytest.raises(InputError, match="controls only"):
        measuring(path).read(path)
