"""No two time points, treatments or tissues of a donor become one sample unless a person says so."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import yaml
from scipy import sparse

from mtlbio.cohort.cells.units import look_like_cells, sample_columns
from mtlbio.cohort.drafts.draft import draft
from mtlbio.cohort.prepare import build_cohort
from mtlbio.intake.notes import noticing
from mtlbio.kinds.read import read_run

DONORS, CELLS = 6, 120


def cells(**columns) -> pd.DataFrame:
    """120 cells of each of six donors, half of each before and half after; columns: functions of donor and cell."""
    donor, cell = np.repeat(np.arange(DONORS), CELLS), np.tile(np.arange(CELLS), DONORS)
    table = pd.DataFrame({"donor_id": [f"D{d}" for d in donor], "disease": np.where(donor % 2, "case", "control")})
    for name, values in columns.items():
        table[name.replace("__", ".")] = [str(values(d, c)) for d, c in zip(donor, cell, strict=True)]
    return table.set_axis([f"c{i}" for i in range(len(table))], axis=0)


def half(d, c):
    return "pre" if c < CELLS // 2 else "post"


CASES = {
    "a time point": ({"timepoint": half}, ["timepoint"]),
    "two columns that say the same": ({"visit": half, "treatment": half}, ["visit"]),
    "two conditions": ({"visit": half, "stim": lambda d, c: c % 2}, ["visit", "stim"]),
    "of donors": ({"group": lambda d, c: d % 3}, []),
    "a sample that is the condition": ({"sample": lambda d, c: f"{d}{half(d, c)}", "day": half}, ["day"]),
    "a sample alone": ({"sample_id": lambda d, c: f"{d}{half(d, c)}"}, ["sample_id"]),
    "a sample that is finer": ({"orig__ident": lambda d, c: f"{d}.{c // 30}", "week": half}, ["week", "orig.ident"]),
    "a sample of several donors": ({"library": half}, []),
    "said of cells": ({"pseudotime": lambda d, c: c / 7, "cell_group": half, "n_time": lambda d, c: c}, []),
    "as many times as cells": ({"time": lambda d, c: c + d / 10}, []),
    "terms of an ontology": ({"tissue_ontology_term_id": half, "development_stage": half}, []),
    "tumour and normal": ({"sample_type": half, "cell_type": half, "doublet_status": half}, ["sample_type"]),
    "two diseases in one donor": ({"status": half}, ["status"]),
    "tissue": ({"tissue": half}, ["tissue"]),
}


def test_names_of_cells():
    barcodes = ["AAACCTGAGAAACCAT-1", "S1_AAACCTGAGAAACCTA-1", "AAACCTGAGAAACCGG_2", "AAACCTGAGAAACGGG"]
    table = pd.DataFrame({"donor": ["a", "a", "b", "b"]}, index=barcodes)
    assert look_like_cells(table, "donor")
    assert not look_like_cells(table.set_axis(["GATTACATTGATTACAns", "S1", "S2", "S3"], axis=0), "donor")
    assert not look_like_cells(table.assign(donor=list("abcd")), "donor")


def test_cells_by_what_is_said_of_them():
    table = cells(cell_type=lambda d, c: c % 4).groupby("donor_id").head(40)
    assert look_like_cells(table, "donor_id")
    sorted_cells = table.drop_duplicates(["donor_id", "cell_type"])
    assert not look_like_cells(sorted_cells, "donor_id") and not look_like_cells(table[["donor_id"]], "donor_id")


@pytest.mark.parametrize("case", CASES)
def test_what_makes_a_sample(case):
    columns, by = CASES[case]
    assert sample_columns(cells(**columns), "donor_id")[0] == by


def test_batches_that_are_put_together_are_told():
    table = cells(timepoint=half, batch=lambda d, c: c % 2, plate=lambda d, c: d % 2)
    assert sample_columns(table, "donor_id") == (
        ["timepoint"],
        [
            "pseudobulk: cells of several values of 'batch' in one sample (D0 x post: 0, 1) are put together: add "
            "batch to by if they are samples of their own"
        ],
    )


def run_of(tmp_path, table: pd.DataFrame, by: list[str], **more):
    rng = np.random.default_rng(0)
    counts = sparse.csr_matrix(rng.poisson(1.0, (len(table), 8)).astype(np.float32))
    var = pd.DataFrame(index=[f"g{i}" for i in range(8)])
    ad.AnnData(counts, obs=table.assign(score=np.arange(len(table)) % 50), var=var).write_h5ad(tmp_path / "e.h5ad")
    content = {
        "run": "cells",
        "expression": {"path": "e.h5ad", "scale": "counts"},
        "metadata": {"donor": "donor_id"},
        "pseudobulk": {"by": by},
        "tasks": {"disease": {"kind": "binary", "positive": "case"}} | more,
        "splits": {"folds": 2},
    }
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(content))
    return read_run(tmp_path / "run.yaml")


def test_a_run_that_leaves_out_the_time_point_gets_a_doubt(tmp_path):
    table = cells(timepoint=half, sample=lambda d, c: f"{d}{c // 30}")
    with noticing() as notes:
        cohort, _ = build_cohort(run_of(tmp_path, table, []))
    assert len(cohort.samples) == 6
    found = {note.text: note.doubt for note in notes}
    assert found == {
        "pseudobulk: cells of several values of 'timepoint' in one sample (D0: post, pre) are put together: add "
        "timepoint to pseudobulk.by, unless that is meant": True,
        "pseudobulk: cells of several values of 'sample' in one sample (D0: 00, 01, 02, 03) are put together: add "
        "sample to pseudobulk.by, unless that is meant": False,
    }
    with noticing() as notes:
        cohort, _ = build_cohort(run_of(tmp_path, table, ["timepoint", "sample"]))
    assert len(cohort.samples) == 24 and notes == []


def test_a_number_of_cells_that_is_a_label_is_told(tmp_path):
    with noticing() as notes:
        build_cohort(run_of(tmp_path, cells(), [], score={"kind": "regression"}))
    words = (
        "tasks.score: cells of several values of 'score' in one sample (D0: 0, 1, 10, 11, ... (50 in all)) are averaged"
    )
    assert [(note.text, note.doubt) for note in notes] == [(words, True)]


def test_the_draft_keeps_pre_and_post_apart(tmp_path):
    run_of(tmp_path, cells(timepoint=half, batch=half), [])
    text, notes = draft(tmp_path / "e.h5ad", folder=tmp_path)
    (tmp_path / "run.yaml").write_text(text)
    run = read_run(tmp_path / "run.yaml")
    assert run.pseudobulk.by == ["timepoint"] and list(run.covariates) == ["batch"]
    assert len(build_cohort(run)[0].samples) == 12
    assert not [note for note in notes if "left out" in note and "timepoint" in note]


def test_a_column_that_is_called_like_the_index(tmp_path):
    run_of(tmp_path, cells(sample=lambda d, c: f"{d}.{c // 40}", timepoint=half), [])
    text, _ = draft(tmp_path / "e.h5ad", folder=tmp_path)
    (tmp_path / "run.yaml").write_text(text)
    run = read_run(tmp_path / "run.yaml")
    assert run.pseudobulk.by == ["timepoint", "sample"]
    assert len(build_cohort(run)[0].samples) == 24
