"""Columns that alone tell a label: the label itself, and what stands alone among many."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mtlbio.cohort.drafts.draft import draft
from mtlbio.cohort.drafts.draft_table import draft_table
from mtlbio.cohort.leak import leaks
from mtlbio.cohort.prepare import build_cohort, build_roster
from mtlbio.intake.notes import noticing
from mtlbio.kinds.read import read_run


def noise(n=60, p=200, seed=0):
    return np.random.default_rng(seed).normal(size=(n, p))


def found(values, y, is_class=True, donors=None):
    names = np.array([f"G{j}" for j in range(values.shape[1])])
    donors = np.arange(len(y)).astype(str) if donors is None else donors
    return [(leak.column, round(leak.value, 3), leak.same) for leak in leaks(values, names, y, donors, is_class)]


def test_the_label_itself_and_what_nearly_is_are_found_among_noise():
    values, y = noise(), np.repeat([0.0, 1.0], 30)
    assert found(values, y) == []
    values[:, 7], values[:, 9] = 1 - y, y + 0.1 * values[:, 9]
    values[0, 9] = 2
    assert found(values, y) == [("G7", 1.0, True)]  # G9 has an AUROC of .967
    values[0, 9] = 0.86
    assert {leak[0]: leak[2] for leak in found(values, y)} == {"G7": True, "G9": False}


def test_missing_labels_and_values_are_left_aside():
    values, y = noise(), np.repeat([0.0, 1.0], 30)
    values[:, 3] = y * 5
    values[::7, 3], y[::5] = np.nan, np.nan
    assert found(values, y) == [("G3", 1.0, True)]


def test_few_donors_separate_by_chance_and_say_nothing():
    values = noise(8, 5000)
    y = np.repeat([0.0, 1.0], 4)
    assert found(values, y) == []
    repeated = np.repeat(values, 10, axis=0)
    assert found(repeated, np.repeat(y, 10), donors=np.repeat(np.arange(8), 10).astype(str)) == []


def test_several_classes_and_numbers():
    values, y = noise(90), np.repeat([0.0, 1.0, 2.0], 30)
    values[:, 4] = np.array([3.0, 1.0, 2.0])[y.astype(int)]
    values[:, 5] = (y == 1) * 1.0  # tells one class of three
    assert found(values, y) == [("G4", 1.0, True)]
    age = np.random.default_rng(1).uniform(20, 80, 90)
    values[:, 6], values[:, 8] = 2015 - age, age + 2 * values[:, 8]
    assert found(values, age, is_class=False) == [("G6", 1.0, True)]


@pytest.mark.parametrize(("columns", "doubt"), [(1, True), (6, False)])
def test_what_stands_alone_is_doubtful_and_a_programme_of_many_is_not(small, columns, doubt):
    case = (small.metadata["disease"] == "case").to_numpy()
    for j in range(columns):
        small.expression[f"GENE{j + 1}"] += 30 * case
    with noticing() as notes:
        _, qc = build_cohort(read_run(small.write()))
    (note,) = [note for note in notes if "AUROC" in note.text]
    assert note.doubt is doubt and note.path.endswith("expression.csv")
    alone = "a leak? 'GENE1' (AUROC 1) alone tells tasks.disease"
    assert note.text.startswith(alone if doubt else "6 columns tell tasks.disease each alone ('GENE1' (AUROC 1), ")
    assert qc.rows[-1][:3] == ("expression.csv", "note", "to be looked at" if doubt else "as it was read")


def test_init_names_a_label_among_the_measurements(small, tmp_path):
    small.expression.insert(0, "GENE0", np.where(small.metadata["disease"] == "case", 8.5, 7.25))
    small.write()
    _, notes = draft(tmp_path / "expression.csv", tmp_path / "metadata.csv")
    (line,) = [note for note in notes if "leak" in note]
    assert line.startswith("check this: a leak: 'GENE0' (AUROC 1) says the same as tasks.disease")


def test_init_strikes_features_of_a_table_that_tell_the_label(tmp_path):
    rng = np.random.default_rng(3)
    table = pd.DataFrame({"patient_id": [f"P{i}" for i in range(80)], "age": rng.integers(20, 80, 80)})
    table["weight"], table["stage"] = rng.normal(70, 9, 80).round(1), rng.integers(0, 5, 80)
    table["disease"] = np.where(table["stage"] > 0, "ill", "well")
    table["crp"] = rng.normal(size=80).round(2)
    table.to_csv(tmp_path / "t.csv", index=False)
    text, notes = draft_table(tmp_path / "t.csv", folder=tmp_path)
    assert "left out: 'stage' alone tells 'disease' (AUROC 1): a leak, no feature" in notes
    assert "numeric: [age, weight, crp]" in text and "categories" not in text


def test_covariates_that_tell_a_task_are_named_and_a_batch_of_one_class_is_not(small):
    case = (small.metadata["disease"] == "case").to_numpy()
    small.metadata["severity"] = np.where(case, 5, 0) + np.arange(48) % 4
    small.metadata["ill"] = np.where(case, "yes", "no")
    small.metadata["birth_year"] = 2020 - small.metadata["age"]
    small.metadata["batch"] = small.metadata["ill"]
    small.set("covariates.severity", {"role": "confounder", "kind": "continuous"})
    small.set("covariates.ill", {"role": "confounder"})
    small.set("covariates.birth_year", {"role": "confounder", "kind": "continuous"})
    run = read_run(small.write())
    with noticing() as notes:
        build_roster(run)
    assert [note.text.split(":")[1] for note in notes if note.doubt] == [
        " covariates.severity alone tells tasks.disease (AUROC 1)",
        " covariates.ill alone tells tasks.disease (AUROC 1)",
        " covariates.birth_year alone tells tasks.age (R2 1)",
    ]
