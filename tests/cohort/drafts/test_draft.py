"""A drafted run prepares without editing, and proposes nothing circular."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import yaml

from mtlbio.cohort.drafts.draft import draft
from mtlbio.cohort.drafts.guess import guess_positive
from mtlbio.cohort.prepare import build_cohort
from mtlbio.kinds.read import read_run
from mtlbio.kinds.schemas import CohortRun

DATA = Path(__file__).parents[4] / "shared/data"

# cohort: scale, tasks with their column, confounders, technical covariates
EXPECTED = {
    "sle": (
        "log2",
        {"disease": "disease", "age": "age", "response": "response_180d"},
        {"age", "sex", "race"},
        {"batch", "array_chip"},
    ),
    "ra_methylation": ("beta", {"disease": "disease", "age": "age"}, {"age", "sex", "smoking"}, {"array_chip"}),
    "covid_proteome": ("log2", {"disease": "disease", "age": "age", "outcome": "outcome"}, {"age", "sex"}, set()),
    "ageing_proteome": ("log", {"age": "age"}, {"age", "sex", "cohort"}, set()),
    "leukaemia_all": ("log2", {"disease": "disease", "age": "age", "response": "response"}, {"age", "sex"}, set()),
}


def covariates(run: CohortRun, role: str) -> set[str]:
    return {name for name, c in run.covariates.items() if c.role == role}


@pytest.mark.parametrize("name", EXPECTED)
def test_real_cohorts(tmp_path, name):
    folder = DATA / name
    if not folder.exists():
        pytest.skip(f"{name} is not here")
    text, notes = draft(folder / "expression.parquet", folder / "metadata.csv")
    (tmp_path / "run.yaml").write_text(text)
    run = read_run(tmp_path / "run.yaml")
    scale, tasks, confounders, technical = EXPECTED[name]
    assert (run.metadata.donor, run.metadata.sample) == ("donor_id", "sample_id")
    assert run.metadata.missing == [] and run.metadata.spelling == "exact"
    assert run.expression.scale == scale
    assert {t: run.task_column(t) for t in run.tasks} == tasks
    assert covariates(run, "confounder") == confounders
    assert covariates(run, "technical") == technical
    assert all(run.covariates[c].kind == ("continuous" if c == "age" else "categorical") for c in run.covariates)
    cohort, _ = build_cohort(run)
    assert len(cohort.samples) > 100
    for note in notes:
        assert note in text


@pytest.mark.skipif(not (DATA / "kang_ifnb").exists(), reason="the Kang cells are not here")
def test_single_cells(tmp_path):
    text, _ = draft(DATA / "kang_ifnb/kang2018_ifnb_2000cells.h5ad")
    (tmp_path / "run.yaml").write_text(text)
    run = read_run(tmp_path / "run.yaml")
    assert run.expression.scale == "counts"
    assert run.pseudobulk.by == ["condition"]
    assert run.tasks["condition"].positive == "stim"
    cohort, _ = build_cohort(run)
    assert len(cohort.samples) == 16


@pytest.mark.skipif(not (DATA / "covid_proteome").exists(), reason="the covid cohort is not here")
def test_a_second_modality_of_the_same_samples():
    folder = DATA / "covid_proteome"
    content = yaml.safe_load(draft(folder / "metabolomics_gcms.csv.gz", folder / "metadata.csv")[0])
    assert content["expression"]["scale"] == "log2" and content["metadata"]["donor"] == "donor_id"
    assert list(content["tasks"]) == ["disease", "age", "outcome"] and set(content["covariates"]) == {"age", "sex"}


@pytest.mark.skipif(not (DATA / "kang_ifnb").exists(), reason="the Kang cells are not here")
def test_metadata_of_cells_do_not_describe_samples_that_were_summed():
    folder = DATA / "kang_ifnb"
    text, notes = draft(folder / "pseudobulk_counts_donor_x_condition.csv.gz", folder / "metadata.csv")
    assert yaml.safe_load(text)["metadata"]["sample"] == "TO_CHOOSE" and "pseudobulk" not in yaml.safe_load(text)
    assert any("those of the expression are called D101_ctrl, D101_stim, D1015_ctrl" in note for note in notes)


def test_small_cohort(small, tmp_path):
    small.metadata["age_score_reference"] = small.metadata["age"]
    small.metadata["disease"] = small.metadata["disease"].replace("case", "yes").replace("control", "no")
    small.write()
    text, notes = draft(tmp_path / "expression.csv", tmp_path / "metadata.csv", folder=tmp_path)
    content = yaml.safe_load(text)
    assert content["expression"] == {"path": "expression.csv", "scale": "log2"}
    assert content["tasks"] == {"disease": {"kind": "binary", "positive": "yes"}, "age": {"kind": "regression"}}
    assert set(content["covariates"]) == {"age", "sex", "batch", "chip"}
    assert any("age_score_reference" in n and n.startswith("left out") for n in notes)
    (tmp_path / "draft.yaml").write_text(text)
    build_cohort(read_run(tmp_path / "draft.yaml"))


@pytest.mark.parametrize(("scale", "expected"), [("counts", "counts"), ("beta", "beta")])
def test_scale_is_recognised(small, tmp_path, scale, expected):
    getattr(small, scale)()
    small.write()
    text, _ = draft(tmp_path / "expression.csv", tmp_path / "metadata.csv")
    assert yaml.safe_load(text)["expression"]["scale"] == expected


def test_z_scores_are_recognised(small, tmp_path):
    small.expression = (small.expression - small.expression.mean()) / small.expression.std()
    small.write()
    text, _ = draft(tmp_path / "expression.csv", tmp_path / "metadata.csv")
    assert yaml.safe_load(text)["expression"]["scale"] == "z"


def test_fewer_folds_for_few_donors(small, tmp_path):
    small.metadata["disease"] = small.metadata["donor_id"].isin(["001", "002", "003"]).map({True: "ill", False: "well"})
    small.write()
    content = yaml.safe_load(draft(tmp_path / "expression.csv", tmp_path / "metadata.csv")[0])
    assert content["splits"] == {"folds": 3}


@pytest.mark.parametrize(
    ("levels", "positive"),
    [
        ({"SLE": 118, "healthy": 34}, "SLE"),
        ({"COVID19": 102, "non_COVID": 26}, "COVID19"),
        ({"favourable": 74, "unfavourable": 54}, "favourable"),
        ({"responder": 10, "non_responder": 90}, "responder"),
        ({"0": 5, "1": 9}, "1"),
        ({"No": 5, "Yes": 9}, "Yes"),
        ({"B_ALL": 95, "T_ALL": 33}, "T_ALL"),
        ({"stim": 8, "ctrl": 8}, "stim"),
        ({"AD": 40, "CN": 9}, "AD"),
        ({"HPV+": 40, "HPV-": 9}, "HPV+"),
    ],
)
def test_positive_class(levels, positive):
    assert guess_positive(pd.Series(levels))[0] == positive


def test_genes_in_rows_are_seen_and_said(small, tmp_path):
    small.expression = small.expression.T
    small.write()
    text, notes = draft(tmp_path / "expression.csv", tmp_path / "metadata.csv", folder=tmp_path)
    expression = {"path": "expression.csv", "scale": "log2", "genes_in": "rows"}
    assert yaml.safe_load(text)["expression"] == expression
    assert any("genes: in rows" in note for note in notes)
    (tmp_path / "draft.yaml").write_text(text)
    cohort, _ = build_cohort(read_run(tmp_path / "draft.yaml"))
    assert cohort.genes[:2] == ("GENE1", "GENE2") and len(cohort.samples) == 48


def test_raw_intensities_are_linear(small, tmp_path):
    small.expression = 2**small.expression + 0.5
    small.write()
    text, _ = draft(tmp_path / "expression.csv", tmp_path / "metadata.csv")
    assert yaml.safe_load(text)["expression"]["scale"] == "linear"


def test_nothing_to_predict(small, tmp_path):
    small.metadata = small.metadata[["sample_id", "donor_id", "batch"]]
    small.write()
    text, notes = draft(tmp_path / "expression.csv", tmp_path / "metadata.csv")
    assert yaml.safe_load(text)["tasks"] is None and "tasks:   # TO CHOOSE: write at least one label here" in text
    assert any(note.startswith("tasks: no column is called like a label") for note in notes)
