"""Names of columns as repositories and clinics write them, and what a draft makes of their values."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import yaml

from mtlbio.cohort.drafts.draft import draft
from mtlbio.cohort.drafts.guess import is_age, is_derived, words
from mtlbio.cohort.drafts.guess_columns import (
    donor_columns,
    is_sample_name,
    shared_beginnings,
    tells_tumour,
    time_to_event,
)
from mtlbio.cohort.prepare import build_cohort
from mtlbio.errors import InputError
from mtlbio.kinds.read import read_run


def drafted(small, renamed=None):
    """Content of the draft on a small cohort whose columns were renamed, and the notes; the draft prepares."""
    small.metadata = small.metadata.rename(columns=renamed or {})
    small.write()
    folder = small.folder
    text, notes = draft(folder / "expression.csv", folder / "metadata.csv", folder)
    (folder / "drafted.yaml").write_text(text)
    content = yaml.safe_load(text)
    if content["tasks"] and "TO_CHOOSE" not in text:
        build_cohort(read_run(folder / "drafted.yaml"))
    return content, notes


NAMES = {
    "GEO": ("geo_accession", "subject id:ch1", "disease state:ch1", "age:ch1", "Sex:ch1", "batch:ch1"),
    "ArrayExpress": (
        *("Source Name", "Characteristics[individual]", "Factor Value[disease]", "Characteristics[age]"),
        *("Characteristics[sex]", "Comment[batch]"),
    ),
    "R": ("Sample.Name", "Subject.ID", "disease.state.ch1", "age.ch1", "Sex.ch1", "Batch.ch1"),
    "a clinic": ("SampleID", "MRN", "Dx", "AgeAtSampling", "Gender", "PlateID"),
    "another clinic": ("Sample Name", "Pt_ID", "Diagnosis", "Age (years)", "Gender", "Run_ID"),
    "cBioPortal": ("SAMPLE_ID", "PATIENT_ID", "DISEASE_TYPE", "AGE_AT_DIAGNOSIS", "SEX", "BATCH"),
    "lower case": ("sampleid", "patientid", "case_status", "age_yrs", "sex", "seq_batch"),
}


@pytest.mark.parametrize("source", NAMES)
def test_columns_are_understood_as_their_source_names_them(small, source):
    sample, donor, disease, age, sex, batch = NAMES[source]
    old = ("sample_id", "donor_id", "disease", "age", "sex", "batch")
    content, _ = drafted(small, dict(zip(old, NAMES[source], strict=True)))
    assert (content["metadata"]["sample"], content["metadata"]["donor"]) == (sample, donor)
    columns = {name: task.get("column", name) for name, task in content["tasks"].items()}
    assert sorted(columns.values()) == sorted([disease, age]) and columns["disease"] == disease
    roles = {of.get("column", name): of["role"] for name, of in content["covariates"].items()}
    assert roles == {age: "confounder", sex: "confounder", batch: "technical", "chip": "technical"}


def test_values_that_say_what_they_are_of(small):
    for number, (column, key) in enumerate([("disease", "disease state"), ("age", "age"), ("sex", "Sex")]):
        small.metadata[f"characteristics_ch1.{number}"] = [f"{key}: {value}" for value in small.metadata[column]]
    small.metadata = small.metadata.drop(columns=["disease", "age", "sex"])
    content, _ = drafted(small)
    assert content["tasks"] == {
        "disease": {"kind": "binary", "column": "characteristics_ch1.0", "positive": "case"},
        "age": {"kind": "regression", "column": "characteristics_ch1.1"},
    }
    cohort, qc = build_cohort(read_run(small.folder / "drafted.yaml"))
    assert cohort.tasks["disease"].classes == ("control", "case") and np.nanmax(cohort.y("age")) == 43.5


def test_stages_of_development_are_the_age(small):
    small.metadata["development_stage"] = [f"{int(age)}-year-old stage" for age in small.metadata["age"]]
    small.metadata = small.metadata.drop(columns="age")
    content, notes = drafted(small)
    assert content["tasks"]["age"] == {"kind": "regression", "column": "development_stage"}
    assert content["covariates"]["age"]["kind"] == "continuous"
    read = "'20-year-old stage' read as 20 (without its unit) and 23 more, 48 samples"
    assert f"numbers of 'development_stage': {read}" in notes


def test_ages_in_disguise_stay_label_and_confounder(small):
    ages = small.metadata["age"].astype(int).astype(str)
    small.metadata["age"] = ages.where(small.metadata.index > 3, ">89")
    content, notes = drafted(small)
    assert content["tasks"]["age"] == {"kind": "regression"} and content["covariates"]["age"]["role"] == "confounder"
    assert "numbers of 'age': '>89' read as 90 (the bound), 4 samples" in notes


@pytest.mark.parametrize(("bands", "of"), [(3, {"kind": "continuous"}), (2, {})])
def test_groups_of_age_stand_for_the_age(small, bands, of):
    three = ["20-29", "30-39", "40+"]
    two = ["<30", ">=30"]
    age = small.metadata["age"]
    small.metadata["age_group"] = [three[int(a // 10) - 2] if bands == 3 else two[int(a >= 30)] for a in age]
    small.metadata = small.metadata.drop(columns="age")
    content, notes = drafted(small)
    assert content["covariates"]["age_group"] == {"role": "confounder"} | of
    assert list(content["tasks"]) == ["disease"]


def test_what_looks_missing_is_so_in_the_draft_and_the_donors_that_are_nobody_go(small):
    small.metadata = small.metadata.astype(object)
    small.metadata.loc[[0, 5], "donor_id"] = "unknown"
    small.metadata.loc[[7, 9], "disease"] = "Not available"
    small.metadata.loc[[8, 9], "age"] = -9
    small.metadata.loc[[10], "batch"] = "."
    content, notes = drafted(small)
    assert content["metadata"]["missing"] == ["unknown", "Not available", -9, "."]
    assert content["tasks"]["disease"] == {"kind": "binary", "positive": "case"}
    assert next(note for note in notes if note.startswith("missing: ")) == (
        "missing: donor_id 'unknown' (2); disease 'Not available' (2); age '-9' (2); batch '.' (1) look like values "
        "that are not known, so they count as missing"
    )


def test_a_code_that_is_a_value_elsewhere_is_not_written(small):
    small.metadata["sex"] = small.metadata["sex"].map({"male": "1", "female": "2"}).where(small.metadata.index > 1, "9")
    content, notes = drafted(small)
    assert content["metadata"]["missing"] == [9]
    small.metadata["batch"] = small.metadata["batch"].replace("B1", "9")
    content, notes = drafted(small)
    assert "missing" not in content["metadata"]
    assert any(note.startswith("check this: '9' may be a real value of another column") for note in notes)


def test_ways_of_writing_are_pooled_in_the_draft(small):
    rows = small.metadata.index[small.metadata["disease"] == "case"][:5]
    small.metadata.loc[rows, "disease"] = "Case "
    small.metadata.loc[rows, "disease"] = "CASE"
    content, notes = drafted(small)
    assert content["metadata"]["spelling"] == "pool"
    assert content["tasks"]["disease"] == {"kind": "binary", "positive": "case"}
    assert any("spelling: disease 'case' (27), 'CASE' (5) differ in their way of writing only" in n for n in notes)


def test_a_time_and_its_event_are_a_task(small):
    rng = np.random.default_rng(0)
    small.metadata["OS_MONTHS"] = rng.exponential(30, 48).round(1)
    small.metadata["OS_STATUS"] = rng.choice(["0:LIVING", "1:DECEASED"], 48)
    content, notes = drafted(small)
    assert set(content["tasks"]) == {"os", "disease", "age"}
    os = {"kind": "survival", "time": "OS_MONTHS", "event": "OS_STATUS", "positive": "1:DECEASED", "unit": "months"}
    assert content["tasks"]["os"] == os
    assert any(note.startswith("task os: time to an event: column 'OS_MONTHS', which '1:DECEASED'") for note in notes)


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        ({"time": "number", "event": "binary"}, ["time", "event"]),
        ({"time": "number", "status": "binary"}, ["time", "status"]),
        ({"os_time": "number", "os_event": "binary"}, ["os_time", "os_event"]),
        ({"days_to_death": "number", "vital_status": "binary"}, ["days_to_death", "vital_status"]),
        ({"futime": "number", "fustat": "binary"}, ["futime", "fustat"]),
        ({"time": "number"}, []),
        ({"status": "binary"}, []),
        ({"timepoint": "number", "status": "binary"}, []),
    ],
)
def test_times_to_an_event(columns, found):
    values = {"number": np.arange(30).astype(str), "binary": np.array(["0", "1"] * 15)}
    assert time_to_event(pd.DataFrame({c: values[kind] for c, kind in columns.items()})) == found


def test_a_label_nobody_knows_is_offered(small):
    content, notes = drafted(small, {"disease": "arm", "age": "weight"})
    text = (small.folder / "drafted.yaml").read_text()
    assert content["tasks"] is None
    assert "  # arm: {kind: binary, positive: case}   # donors: case 16, control 8\n" in text
    assert "  # weight: {kind: regression}   # from 20 to 43.5, 48 samples\n" in text
    with pytest.raises(InputError, match="tasks: none yet; expected at least one label below it"):
        read_run(small.folder / "drafted.yaml")


def test_metadata_without_the_samples_names_asks_for_them(small):
    content, notes = drafted(small, {"sample_id": "code"})
    assert content["metadata"]["sample"] == "code"  # whatever it is called
    small.metadata["code"] = [f"row{i}" for i in range(48)]
    content, notes = drafted(small)
    assert content["metadata"]["sample"] == "TO_CHOOSE"
    assert any("those of the expression are called S001_1, S001_2, S002_1, ..." in note for note in notes)
    with pytest.raises(InputError, match="metadata.sample: not chosen yet; name the column: code, donor_id"):
        build_cohort(read_run(small.folder / "drafted.yaml"))


def test_samples_that_the_files_write_differently_are_joined(small):
    small.metadata["sample_id"] = ["s" + name[1:].replace("_", "-") for name in small.metadata["sample_id"]]
    content, _ = drafted(small)
    assert content["metadata"]["sample"] == "sample_id"
    cohort, qc = build_cohort(read_run(small.folder / "drafted.yaml"))
    assert len(cohort.samples) == 48 and cohort.samples[0] == "s001-1"
    said = "samples: 48 names differ from the metadata's by signs, blanks or capitals ('S001_1' is 's001-1'): taken for"
    assert [row for row in qc.rows if row[3].startswith(said)][0][:3] == ("expression.csv", "note", "as it was read")


def test_few_samples_say_why_there_is_no_label(small):
    small.metadata, small.expression = small.metadata.iloc[:5], small.expression.iloc[:5]
    content, notes = drafted(small)
    assert content["tasks"] is None
    assert "left out: 'disease' has fewer than two classes of three donors or more (donors: case 2, control 1)" in notes
    assert "left out: 'age' holds 5 different numbers, too few for a regression" in notes


def test_a_second_covariate_of_the_same_levels_is_left_out(small):
    small.metadata["Gender"] = small.metadata["sex"].map({"male": 1, "female": 2})
    content, notes = drafted(small)
    assert "gender" not in content["covariates"] and "left out: 'Gender' says the same as 'sex'" in notes


def test_names():
    assert words("Characteristics [organism part]") == ["organism", "part"]
    assert words("characteristics_ch1.2") == ["characteristics", "ch1", "2"] and words("IC50_uM") == ["ic50", "um"]
    assert not is_age("age_group") and not is_age("gestational_age") and is_age("Patient Age (yrs)")
    assert is_derived("sample_pair_id") and not is_derived("batch_id") and is_derived("contact_name")
    assert is_sample_name("geo_accession") and not is_sample_name("subject")
    table = pd.DataFrame({"patient_age": ["1"], "donor": ["a"], "PatientID": ["b"], "patient_sex": ["f"]})
    assert donor_columns(table) == ["donor", "PatientID"]


def test_a_cohort_of_processing_is_technical_and_words_stand_before_terms_of_an_ontology(small):
    sexes = small.metadata["sex"]
    first = small.metadata["sex"].unique()[0]
    small.metadata.insert(1, "sex_ontology_term_id", np.where(sexes == first, "PATO:0000383", "PATO:0000384"))
    content, notes = drafted(small, {"batch": "Processing_Cohort"})
    roles = {of.get("column", name): of["role"] for name, of in content["covariates"].items()}
    assert roles["Processing_Cohort"] == "technical" and roles["sex"] == "confounder"
    assert "left out: 'sex_ontology_term_id' says the same as 'sex'" in notes


def test_tumours_and_normal_tissue_of_tcga(small):
    tumour = np.where(small.metadata["disease"] == small.metadata["disease"].iloc[0], "Primary Tumor", "Solid Normal")
    small.metadata["sample_type"] = tumour
    small.metadata["primary_diagnosis"] = "Adenocarcinoma, NOS"
    small.metadata = small.metadata.drop(columns=["disease"])
    content, notes = drafted(small, {"donor_id": "submitter_id"})
    assert content["metadata"]["donor"] == "submitter_id"
    assert content["tasks"]["sample_type"] == {"kind": "binary", "positive": "Primary Tumor"}
    assert "left out: 'primary_diagnosis' has one value only" in notes


@pytest.mark.parametrize(
    ("levels", "told"),
    [
        (["Primary Tumor", "Solid Tissue Normal", "Metastatic"], True),
        (["TP", "NT"], True),
        (["tumour", "adjacent normal"], True),
        (["Primary", "Metastasis"], False),
        (["normal", "overweight"], False),
        (["normal adjacent to tumor"], False),
    ],
)
def test_what_tells_tumours(levels, told):
    assert tells_tumour(pd.Series(levels)) is told


@pytest.mark.parametrize(
    ("names", "pair"),
    [
        ([f"P{i:02d}_{v}" for i in range(8) for v in ("pre", "post")], ("P00_pre", "P00_post")),
        ([f"TCGA-A1-A{i % 9}-{'01A' if i < 9 else '11A'}" for i in range(12)], ("TCGA-A1-A0-01A", "TCGA-A1-A0-11A")),
        ([f"{g}_{i}" for g in ("ctrl", "case") for i in range(20)], None),
        ([f"S{i}" for i in range(20)], None),
        ([f"GSM{i}_x" for i in range(20)], None),
        ([f"B{i % 3}-{i}" for i in range(20)], None),
    ],
)
def test_names_of_samples_that_share_a_donor(names, pair):
    assert shared_beginnings(pd.Index(names)) == pair


def test_pairs_without_a_column_of_donors_are_said(small):
    number = {donor: place for place, donor in enumerate(dict.fromkeys(small.metadata["donor_id"]))}
    new = [f"P{number[d] // 2:02d}_{'ab'[number[d] % 2]}{k}" for k, d in enumerate(small.metadata["donor_id"])]
    assert shared_beginnings(pd.Index(new)) is None  # what follows is a number of its own in every sample
    visits = small.metadata["donor_id"].groupby(small.metadata["donor_id"]).cumcount() + 1
    new = [f"D{number[d]:02d}_{v}" for d, v in zip(small.metadata["donor_id"], visits, strict=True)]
    if shared_beginnings(pd.Index(new)) is None:  # one sample each
        new = [f"D{k // 2:02d}_{k % 2}" for k in range(len(new))]
    old = dict(zip(small.metadata["sample_id"], new, strict=True))
    small.expression = small.expression.rename(index=old)
    small.metadata["sample_id"] = new
    small.metadata = small.metadata.drop(columns=["donor_id"])
    _, notes = drafted(small)
    assert any("look like samples of one: if so, write a column of donors" in note for note in notes)
