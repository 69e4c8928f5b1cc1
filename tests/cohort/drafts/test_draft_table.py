"""A run drafted from one table of patients: it loads, prepares and plans without editing, and says what it guessed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from mtlbio.cohort.drafts.draft_table import draft_table
from mtlbio.cohort.drafts.guess_table import guess_transform, guess_unit, is_amount, is_dose, looks_like_table
from mtlbio.cohort.prepare import build_cohort
from mtlbio.cohort.simulate_doses import simulate_doses
from mtlbio.errors import InputError
from mtlbio.kinds.read import read_run
from mtlbio.probing.plan import plan
from mtlbio.text import as_number

DATA = Path(__file__).parents[4] / "shared/data"
WARFARIN = DATA / "warfarin_iwpc/iwpc_tidy.csv.gz"
HEART = DATA / "heart_four_hospitals/heart_disease_4sites.csv"
GDSC = DATA / "gdsc_ic50/genomic_features_988.csv.gz"


def patients(n=120):
    rng = np.random.default_rng(6)
    weight, poor = rng.normal(75, 12, n).round(1), rng.random(n) < 0.3
    table = pd.DataFrame(
        {
            "patient_id": [f"{i:04d}" for i in range(n)],
            "age_band": rng.choice(["40-49", "50-59"], n),
            "age": rng.integers(20, 85, n),
            "race": rng.choice(["White", "Asian"], n),
            "weight_kg": np.where(rng.random(n) < 0.05, np.nan, weight),
            "hospital": rng.choice(["Leeds", "Oslo", "Ulm"], n),
            "smoker": np.where(rng.random(n) < 0.5, None, rng.choice(["yes", "no"], n)),
            "cyp2c9": np.where(poor, "*3/*3", "*1/*1"),
            "creatinine": rng.lognormal(0, 0.3, n).round(2),
            "nyha": rng.integers(1, 5, n),
            "amiodarone": rng.integers(0, 2, n),
            "comment": [f"seen on day {i}" for i in range(n)],
            "inr_on_dose": rng.normal(2.5, 0.3, n).round(2),
            "albumin": np.where(np.arange(n) == 3, "haemolysed", rng.normal(40, 4, n).round(1).astype(str)),
            "dose_mg_week": np.exp(3.4 - 0.5 * poor + rng.normal(0, 0.9, n)).round(2),
        }
    )
    table.loc[table.index[:20], "dose_mg_week"] = np.nan
    return table


@pytest.fixture
def drafted(tmp_path):
    """(run, text, notes, folder) of the draft for ``patients``, written beside it."""
    patients().to_csv(tmp_path / "patients.csv", index=False)
    text, notes = draft_table(tmp_path / "patients.csv", folder=tmp_path)
    (tmp_path / "run.yaml").write_text(text)
    return read_run(tmp_path / "run.yaml"), text, notes, tmp_path


def test_the_draft_says_what_is_what(drafted):
    run, text, notes, _ = drafted
    assert run.features.numeric == ["age", "weight_kg", "creatinine"] and run.features.rare == 5
    assert run.features.categories == ["race", "smoker", "cyp2c9", "nyha", "amiodarone"]
    assert (run.metadata.sample, run.metadata.donor) == ("patient_id", "patient_id")
    (task,) = run.tasks.values()
    assert (task.kind, task.transform, task.unit) == ("regression", "log", "mg/week")
    assert {n: (c.role, c.kind) for n, c in run.covariates.items()} == {
        "age": ("confounder", "continuous"),
        "race": ("confounder", "categorical"),
        "weight_kg": ("confounder", "continuous"),
        "hospital": ("technical", "categorical"),
    }
    assert all(f"# {note}\n" in text for note in notes)
    for said in (
        "not sure: 'smoker' is missing for",
        "left out: 'comment' has 120 levels in 120 rows",
        "left out: 'inr_on_dose' speaks of the dose",
        "left out: 'albumin' holds text such as 'haemolysed'",
        "left out: 'age_band', because the age is there already",
        "not sure: few whole numbers in nyha",
    ):
        assert any(note.startswith(said) for note in notes), said


def test_it_prepares_and_plans_without_editing(drafted):
    run, _, _, folder = drafted
    cohort, _ = build_cohort(run)
    assert len(cohort.samples) == 120 and "cyp2c9=*3/*3" in cohort.genes and "weight_kg" in cohort.genes
    said = plan(run, folder / "results")
    assert "dose_mg_week" in said and (folder / "results" / "plan.tsv").exists()


def test_the_planted_doses(tmp_path):
    simulate_doses(seed=1, a=60, b=60, c=20).table.to_csv(tmp_path / "doses.csv", index=False, na_rep="NA")
    (tmp_path / "run.yaml").write_text(draft_table(tmp_path / "doses.csv", folder=tmp_path)[0])
    run = read_run(tmp_path / "run.yaml")
    assert list(run.tasks) == ["drug_a", "drug_b", "drug_c"] and run.metadata.sample == "patient"
    assert run.features.numeric == ["age", "weight", "cyp_expression"]
    assert {n for n, c in run.covariates.items() if c.role == "technical"} == {"site"}
    build_cohort(run)


@pytest.mark.skipif(not WARFARIN.exists(), reason="the warfarin cohort is not here")
def test_warfarin(tmp_path):
    assert looks_like_table(WARFARIN)
    (tmp_path / "run.yaml").write_text(draft_table(WARFARIN)[0])
    run = read_run(tmp_path / "run.yaml")
    assert list(run.tasks) == ["dose_mg_week"] and run.tasks["dose_mg_week"].unit == "mg/week"
    assert set(run.covariates) == {"site", "sex", "race", "age_decade", "height_cm", "weight_kg"}
    assert {"cyp2c9", "vkorc1_m1639", "amiodarone"} <= set(run.features.categories)
    assert run.metadata.missing == ["Unknown"]  # 485 people's race
    assert "inr_on_dose" not in [*run.features.numeric, *run.features.categories]
    build_cohort(run)


@pytest.mark.skipif(not HEART.exists(), reason="the heart cohort is not here")
def test_patients_of_four_hospitals_have_no_names(tmp_path):
    """`num` is what the label `target` was made of."""
    text, notes = draft_table(HEART)
    content = yaml.safe_load(text)
    assert content["metadata"] == {"sample": "TO_CHOOSE", "donor": "TO_CHOOSE"}
    assert content["tasks"] == {"target": {"kind": "binary", "positive": "1"}}
    assert {name: of["role"] for name, of in content["covariates"].items()} == {
        "site": "technical", "age": "confounder", "sex": "confounder"
    }  # fmt: skip
    assert "left out: 'num' alone tells 'target' (AUROC 1): a leak, no feature" in notes


@pytest.mark.skipif(not GDSC.exists(), reason="the cell lines are not here")
def test_cell_lines_without_a_label(tmp_path):
    with pytest.raises(InputError, match="cannot tell whether this is a table of patients or measurements"):
        looks_like_table(GDSC)
    content = yaml.safe_load(draft_table(GDSC)[0])
    assert content["tasks"] is None and content["metadata"]["sample"] == "COSMIC_ID"
    assert len(content["features"]["categories"]) > 600


def test_visits_are_samples_of_a_donor(tmp_path):
    table = pd.concat([patients(), patients()], ignore_index=True)
    table["sample_id"] = [f"s{i}" for i in range(len(table))]
    table.to_csv(tmp_path / "visits.csv", index=False)
    text, notes = draft_table(tmp_path / "visits.csv", folder=tmp_path)
    assert "metadata: {sample: sample_id, donor: patient_id}" in text
    assert notes[0].endswith("120 donors with several rows, column 'patient_id'")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda t: t[["patient_id", "dose_mg_week"]], "no column is left to be a feature"),
    ],
)
def test_what_cannot_be_drafted_is_one_line(tmp_path, spoil, message):
    spoil(patients()).to_csv(tmp_path / "patients.csv", index=False)
    with pytest.raises(InputError, match=message) as error:
        draft_table(tmp_path / "patients.csv")
    assert "\n" not in str(error.value)


def test_a_table_is_told_from_measurements(tmp_path):
    rng = np.random.default_rng(0)

    def file(name, columns, **more):
        table = pd.DataFrame(rng.normal(size=(6, columns)).round(3), columns=[f"g{i}" for i in range(columns)])
        table.insert(0, "sample_id", [f"s{i}" for i in range(6)])
        table.assign(**more).to_csv(tmp_path / name, index=False)
        return tmp_path / name

    patients().to_csv(tmp_path / "patients.csv", index=False)
    assert looks_like_table(tmp_path / "patients.csv")
    assert looks_like_table(file("gaps.csv", 20, g3=np.nan))
    assert not looks_like_table(file("wide.csv", 300))
    assert not looks_like_table(file("huge.csv", 2100, tissue="lung"))
    assert not looks_like_table(tmp_path) and not looks_like_table(tmp_path / "cells.h5ad")
    for unclear in (file("few.csv", 20), file("typed.csv", 300, tissue="lung")):
        with pytest.raises(InputError, match="cannot tell whether .*: add --table, or give the metadata file too"):
            looks_like_table(unclear)


@pytest.mark.parametrize(
    ("column", "dose", "unit"),
    [
        ("dose_mg_week", True, "mg/week"),
        ("tacrolimus_dose", True, None),
        ("mg_per_kg_day_dose", True, "mg/kg/day"),
        ("DailyDose_mg", True, "mg/day"),
        ("ic50_um", True, "uM"),
        ("drug_a", True, None),
        ("inr_on_dose", False, None),
        ("dose_group", False, None),
        ("drug_name", False, None),
        ("weight_kg", False, None),
        ("creatinine_mg_dl", False, "mg"),
    ],
)
def test_doses_and_units_by_their_names(column, dose, unit):
    assert is_dose(column) == dose and guess_unit(column) == unit


def test_the_scale_follows_the_tail():
    normal = np.random.default_rng(2).standard_normal(4000)
    assert guess_transform(pd.Series(np.exp(1 + 0.6 * normal)))[0] == "log"
    assert guess_transform(pd.Series(np.square(4 + normal)))[0] == "sqrt"
    assert guess_transform(pd.Series(50 + 5 * normal)) == ("none", "no long tail")
    assert guess_transform(pd.Series(np.exp(normal) - 0.5)) == ("none", "some values are not above 0")


@pytest.mark.parametrize(
    ("values", "amount"),
    [("0 1 0 1", False), ("1 2 3 4 5 6", False), ("1 2 3 4 5 6 7", True), ("0.5 1.2 2", True), ("7 a 8", False)],
)
def test_codes_and_amounts(values, amount):
    assert is_amount(*as_number(pd.Series(values.split(), dtype=object))) == amount


def test_families_and_dates_are_no_features(tmp_path):
    rows = np.arange(60)
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"patient_id": [f"P{i}" for i in rows], "dose_mg_week": rng.gamma(5.0, 6.0, 60).round(1)})
    table["weight"], table["household"] = rng.normal(70, 9, 60).round(1), [f"H{i // 2}" for i in rows]
    table["sampling_date"] = [f"2020-01-{1 + i % 28:02d}" for i in rows]
    table.to_csv(tmp_path / "patients.csv", index=False)
    text, notes = draft_table(tmp_path / "patients.csv", folder=tmp_path)
    said = [note for note in notes if "household" in note or "sampling_date" in note]
    assert len(said) == 2 and "write family: household under metadata" in said[0]
    assert "write order: sampling_date under metadata" in said[1]
    features = yaml.safe_load(text)["features"]
    assert "weight" in features["numeric"] and "household" not in str(features) and "sampling" not in str(features)


def test_without_a_column_of_names_or_a_label_the_draft_asks(tmp_path):
    table = patients().assign(patient_id="0001").rename(columns={"dose_mg_week": "weekly_amount"})
    table.to_csv(tmp_path / "patients.csv", index=False)
    text, notes = draft_table(tmp_path / "patients.csv", folder=tmp_path)
    assert any("no column names the rows, each by a value of its own (column 'patient_id' repeats" in n for n in notes)
    assert any(n.startswith("tasks: no column is called like a label") for n in notes)
    lines = text.splitlines()
    assert "  # weekly_amount: {kind: regression}   # from 3.59 to 167.49, 100 samples" in lines
    (tmp_path / "run.yaml").write_text(text)
    with pytest.raises(InputError, match="run.yaml: tasks: none yet; expected at least one label below it"):
        read_run(tmp_path / "run.yaml")
    chosen = text.replace("  # weekly_amount", "  weekly_amount").replace(", weekly_amount]", "]")
    (tmp_path / "run.yaml").write_text(chosen)
    with pytest.raises(InputError, match="metadata.sample: not chosen yet; name the column: patient_id, age_band"):
        build_cohort(read_run(tmp_path / "run.yaml"))


def test_numbers_in_disguise_and_words_for_nothing_are_features_of_numbers(tmp_path):
    table = patients()
    table["creatinine"] = table["creatinine"].astype(str).str.replace(".", ",")
    table["albumin"] = table["albumin"].replace("haemolysed", "not done")
    table["crp"] = ["<5" if i % 9 == 0 else str(5 + i) for i in range(len(table))]
    table["kidney"] = ["-9" if i < 5 else str(20 + i) for i in range(len(table))]
    table.to_csv(tmp_path / "patients.csv", index=False)
    text, notes = draft_table(tmp_path / "patients.csv", folder=tmp_path)
    (tmp_path / "run.yaml").write_text(text)
    run = read_run(tmp_path / "run.yaml")
    assert run.metadata.missing == ["not done", -9]
    assert {"creatinine", "albumin", "crp", "kidney"} <= set(run.features.numeric)
    cohort, _ = build_cohort(run)
    values = cohort.expression[:, [cohort.genes.index(c) for c in ("creatinine", "albumin", "crp", "kidney")]]
    assert values[0, 2] == 4 and np.isnan(values[:5, 3]).all() and np.isnan(values[3, 1])
    np.testing.assert_allclose(values[:, 0], patients()["creatinine"], rtol=1e-6)


def test_the_number_of_the_row_is_no_feature_but_a_name_where_there_is_no_other(tmp_path):
    patients().to_csv(tmp_path / "saved.csv")
    text, notes = draft_table(tmp_path / "saved.csv", folder=tmp_path)
    assert "metadata: {sample: patient_id, donor: patient_id}" in text
    assert yaml.safe_load(text)["features"]["numeric"] == ["age", "weight_kg", "creatinine"]
    patients().drop(columns="patient_id").to_csv(tmp_path / "nameless.csv")
    text, notes = draft_table(tmp_path / "nameless.csv", folder=tmp_path)
    (tmp_path / "run.yaml").write_text(text)
    assert len(build_cohort(read_run(tmp_path / "run.yaml"))[0].samples) == 120


def test_levels_of_features_in_two_ways_of_writing_are_one(tmp_path):
    table = patients()
    table["nyha"] = ["II" if i % 2 else "ii" if i % 4 else "III" for i in range(len(table))]
    table.to_csv(tmp_path / "p.csv", index=False)
    text, notes = draft_table(tmp_path / "p.csv", folder=tmp_path)
    (tmp_path / "run.yaml").write_text(text)
    run = read_run(tmp_path / "run.yaml")
    assert run.metadata.spelling == "pool"
    cohort, _ = build_cohort(run)
    assert {gene for gene in cohort.genes if gene.startswith("nyha")} == {"nyha=II", "nyha=III"}
    (tmp_path / "run.yaml").write_text(text.replace(", spelling: pool", ""))
    cohort, qc = build_cohort(read_run(tmp_path / "run.yaml"))
    assert "nyha=ii" in cohort.genes
    assert any("column 'nyha': levels that differ in their way of writing only" in row[3] for row in qc.rows)
