"""Study folders of cBioPortal, and their tables by themselves."""

from __future__ import annotations

import numpy as np
import pytest
from layouts import read, tabbed

from mtlbio.cohort.metadata import read_metadata
from mtlbio.errors import InputError
from mtlbio.intake.formats.registry import description, measuring

SAMPLES = (
    ("#Patient Identifier", "Sample Identifier", "Cancer Type", "Tumor Purity"),
    ("#Identifier to uniquely specify a patient.", "A unique sample identifier.", "Cancer type", "Purity"),
    ("#STRING", "STRING", "STRING", "NUMBER"),
    ("#1", "1", "1", "1"),
    ("PATIENT_ID", "SAMPLE_ID", "CANCER_TYPE", "PURITY"),
    ("TCGA-A1", "TCGA-A1-01", "Breast Cancer", "0.5"),
    ("TCGA-A2", "TCGA-A2-01", "Breast Cancer", "[Not Available]"),
    ("TCGA-A2", "TCGA-A2-06", "Breast Cancer", "0.75"),
)
PATIENTS = (
    ("#Patient Identifier", "Sex", "Diagnosis Age", "Overall Survival Status"),
    ("#Identifier to uniquely specify a patient.", "Sex", "Age", "Status"),
    ("#STRING", "STRING", "NUMBER", "STRING"),
    ("#1", "1", "1", "1"),
    ("PATIENT_ID", "SEX", "AGE", "OS_STATUS"),
    ("TCGA-A2", "Male", "61", "1:DECEASED"),
    ("TCGA-A1", "Female", "47", "0:LIVING"),
)
RNA = (
    ("Hugo_Symbol", "Entrez_Gene_Id", "TCGA-A1-01", "TCGA-A2-01", "TCGA-A2-06"),
    ("IFI6", 2537, 1000.5, 20, -0.25),
    ("MX1", 4599, 5, 6, 7),
    ("MX1", 4599, 7, 8, 9),
    ("", 100130426, 1, 2, 3),
    ("GONE", 1, "NA", "NA", "NA"),
)


@pytest.fixture
def study(tmp_path):
    folder = tmp_path / "brca_tcga"
    folder.mkdir()
    (folder / "meta_study.txt").write_text("type_of_cancer: brca\ncancer_study_identifier: brca_tcga\n")
    (folder / "data_clinical_sample.txt").write_text(tabbed(*SAMPLES))
    (folder / "data_clinical_patient.txt").write_text(tabbed(*PATIENTS))
    (folder / "data_mrna_seq_v2_rsem.txt").write_text(tabbed(*RNA))
    scores = [RNA[0], *[(*row[:2], 0.5, -1, 0.5) for row in RNA[1:3]]]
    (folder / "data_mrna_seq_v2_rsem_zscores_ref_all_samples.txt").write_text(tabbed(*scores))
    (folder / "data_rppa.txt").write_text(
        tabbed(("Composite.Element.REF", "TCGA-A1-01", "TCGA-A2-01"), ("IFI6|IFI-6", 1, 2))
    )
    (folder / "data_mutations.txt").write_text("#version 2.4\nHugo_Symbol\tEntrez_Gene_Id\tCenter\n")
    return folder


def test_the_rna_of_a_study(study):
    content, said = read(study, "cbioportal")
    assert list(content.values.index) == ["TCGA-A1-01", "TCGA-A2-01", "TCGA-A2-06"]
    assert list(content.values.columns) == ["IFI6", "MX1", "100130426"]
    np.testing.assert_array_equal(content.values, [[1000.5, 6, 1], [20, 7, 2], [0, 8, 3]])
    assert content.scale == "linear"
    assert "data_mrna_seq_v2_rsem.txt is read; there are also data_rppa.txt, data_mrna_seq_v2_rsem_zscores" in said
    assert "1 genes stand in several rows (MX1): averaged" in said and "1 genes without any value dropped" in said
    assert "1 values below 0 (down to -0.25)" in said


def test_samples_are_joined_with_their_patients(study):
    for path in (study, study / "data_clinical_sample.txt", study / "data_clinical_patient.txt"):
        table = read_metadata(path)
        assert table["SAMPLE_ID"].tolist() == ["TCGA-A1-01", "TCGA-A2-01", "TCGA-A2-06"]
        assert table["AGE"].tolist() == ["47", "61", "61"]
        assert table["OS_STATUS"].tolist() == ["0:LIVING", "1:DECEASED", "1:DECEASED"]
        assert table["PURITY"].tolist() == ["0.5", None, "0.75"]


def test_other_tables_of_it(study):
    content, _ = read(study / "data_mrna_seq_v2_rsem_zscores_ref_all_samples.txt", "cbioportal_matrix")
    assert content.scale == "z" and content.values.loc["TCGA-A2-01", "IFI6"] == -1
    content, _ = read(study / "data_rppa.txt", "cbioportal_matrix")
    assert content.scale is None and content.values["IFI6"].tolist() == [1, 2]
    with pytest.raises(InputError, match="a clinical table of cBioPortal, which describes samples"):
        measuring(study / "data_clinical_sample.txt")


def test_a_study_without_measurements_or_samples(study):
    for name in ("data_mrna_seq_v2_rsem.txt", "data_mrna_seq_v2_rsem_zscores_ref_all_samples.txt", "data_rppa.txt"):
        (study / name).unlink()
    with pytest.raises(InputError, match="without a table of mRNA or protein"):
        measuring(study).read(study)
    (study / "data_clinical_sample.txt").unlink()
    with pytest.raises(InputError, match="without data_clinical_sample.txt"):
        description(study)


def test_text_none_is_a_level(study):
    rows = (*SAMPLES[:4], (*SAMPLES[4], "THERAPY"), ("TCGA-A1", "TCGA-A1-01", "Breast Cancer", "NA", "None"))
    (study / "data_clinical_sample.txt").write_text(tabbed(*rows))
    assert read_metadata(study)["THERAPY"].tolist() == ["None"]


def test_mutations_are_no_measurements(study):
    path = study / "data_mutations.txt"
    path.write_text("#version 2.4\nHugo_Symbol\tCenter\tTumor_Sample_Barcode\nTP53\tX\tTCGA-A1-01\n")
    with pytest.raises(InputError, match="a list of mutations"):
        measuring(path).read(path)
