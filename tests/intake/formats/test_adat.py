"""ADAT files of SomaScan: annotations of analytes above, of samples at the left."""

from __future__ import annotations

import numpy as np
import pytest
from layouts import read, tabbed

from mtlbio.errors import InputError
from mtlbio.intake.formats.registry import description, measuring

ANALYTES = {
    "SeqId": ["10000-28", "10001-7", "10003-15", "2171-12", "5934-1"],
    "SeqIdVersion": ["3", "3", "2", "1", "3"],
    "SomaId": ["SL019233", "SL002564", "SL019245", "SL000001", "SL019999"],
    "TargetFullName": ["Beta-crystallin B2", "RAF kinase", "Zinc finger", "Hybridization", "RAF kinase"],
    "Target": ["CRBB2", "c-Raf", "ZNF41", "HCE000104", "c-Raf"],
    "UniProt": ["P43320", "P04049", "P51814", "", "P04049"],
    "EntrezGeneSymbol": ["CRYBB2", "RAF1", "ZNF41 ZNF81", "", "RAF1"],
    "Organism": ["Human", "Human", "Human", "", "Human"],
    "Type": ["Protein", "Protein", "Protein", "Hybridization Control Elution", "Protein"],
    "ColCheck": ["PASS", "FLAG", "PASS", "PASS", "PASS"],
}
ROWS = ("PlateId", "ScannerID", "SampleId", "SampleType", "RowCheck", "Age", "Sex")
SAMPLES = (
    ("P1", "SG1", "101", "Sample", "PASS", "61", "F", [500.5, 1200, 333, 9000, 700]),
    ("P1", "SG1", "", "Buffer", "PASS", "", "", [50, 60, 70, 9000, 80]),
    ("P1", "SG1", "", "Calibrator", "PASS", "", "", [400, 1000, 300, 9000, 600]),
    ("P1", "SG1", "102", "Sample", "FLAG", "47", "M", [650, 900.1, 250, 9100, 820]),
    ("P1", "SG1", "QC", "QC", "PASS", "", "", [410, 1001, 301, 9000, 601]),
)


def adat(path, samples=SAMPLES, head="!Checksum\tabc\n^HEADER\n!Version\t1.2\n!Title\tstudy\n"):
    n = len(ROWS)
    above = [["", *[""] * (n - 1), key, *values] for key, values in ANALYTES.items()]
    body = [[*sample[:-1], "", *sample[-1]] for sample in samples]
    header = [*ROWS, "", *[""] * 5]
    text = "^COL_DATA\n!Name\tSeqId\n!Type\tString\n^ROW_DATA\n!Name\tPlateId\n!Type\tString\n^TABLE_BEGIN\n"
    path.write_text(head + text + tabbed(*above, header, *body))
    return path


def test_samples_and_proteins(tmp_path):
    content, said = read(adat(tmp_path / "study.adat"), "adat")
    assert list(content.values.index) == ["101", "102"]
    assert list(content.values.columns) == ["CRYBB2", "RAF1_10001-7", "ZNF41", "RAF1_5934-1"]
    np.testing.assert_array_equal(content.values, [[500.5, 1200, 333, 700], [650, 900.1, 250, 820]])
    assert content.scale == "linear"
    assert "3 rows that are no samples dropped: Buffer 1, Calibrator 1, QC 1" in said
    assert "1 aptamers that are no human proteins dropped: Hybridization Control Elution 1" in said
    assert "1 gene names stand for several features each (RAF1): kept apart as RAF1_10001-7" in said
    assert "1 samples are flagged" in said and "1 aptamers are flagged" in said


def test_description(tmp_path):
    table = description(adat(tmp_path / "study.adat"))
    assert table["SampleId"].tolist() == ["101", "102"]
    assert table["Age"].tolist() == ["61", "47"] and table["Sex"].tolist() == ["F", "M"]


def test_a_file_without_checksum_and_one_cut_short(tmp_path):
    content, _ = read(adat(tmp_path / "a.adat", head="^HEADER\n!Version\t1.2\n"), "adat")
    assert content.values.shape == (2, 4)
    path = tmp_path / "b.adat"
    path.write_text("!Checksum\tabc\n^HEADER\n!Version\t1.2\n")
    with pytest.raises(InputError, match="without \\^TABLE_BEGIN"):
        measuring(path).read(path)
