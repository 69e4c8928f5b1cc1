"""From two files to the three that later steps read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mtlbio.cohort.cohort import read_cohort
from mtlbio.cohort.prepare import prepare
from mtlbio.kinds.read import read_run
from mtlbio.tables import QC, SPLITS, read_table

SLE = Path(__file__).parents[3] / "shared/data/sle"


def prepared(small, folder: str = "results"):
    results = small.folder / folder
    prepare(read_run(small.write()), results)
    tables = read_table(results / "qc.tsv", QC), read_table(results / "splits.tsv", SPLITS)
    return read_cohort(results / "cohort.h5ad"), *tables


def test_cohort_holds_what_the_files_say(small):
    cohort, qc, splits = prepared(small)
    np.testing.assert_array_equal(cohort.expression, small.expression.to_numpy(np.float32))
    assert cohort.genes == tuple(small.expression.columns)
    assert cohort.donors.tolist() == small.metadata["donor_id"].tolist()
    assert cohort.tasks["disease"].classes == ("control", "case")
    np.testing.assert_array_equal(cohort.y("disease"), (small.metadata["disease"] == "case").astype(float))
    np.testing.assert_array_equal(cohort.y("age"), small.metadata["age"])
    assert list(cohort.obs.columns) == ["donor", "disease", "age", "sex", "batch"]
    assert splits["sample"].tolist() == cohort.samples.tolist()
    assert splits["donor"].tolist() == cohort.donors.tolist()
    assert not len(qc)


def test_missing_labels_and_covariates_stay_and_are_listed(small):
    small.metadata.loc[0, "disease"] = np.nan
    small.metadata.loc[[4, 5], "batch"] = ["", "NA"]
    small.metadata["age"] = small.metadata["age"].astype(object)
    small.metadata.loc[5, "age"] = "NaN"
    cohort, qc, _ = prepared(small)
    assert len(cohort.samples) == 48
    assert np.isnan(cohort.y("disease")[0]) and cohort.y("disease")[1] == 0
    assert qc.to_numpy().tolist() == [
        ["S003_1", "sample", "covariate missing", "batch"],
        ["S003_2", "sample", "covariate missing", "age, batch"],
    ]


def test_pooled_negative_class(small):
    small.set("tasks.high", {"kind": "binary", "column": "stage", "positive": "high"})
    cohort, qc, _ = prepared(small)
    assert cohort.tasks["high"].classes == ("not high", "high")
    np.testing.assert_array_equal(cohort.y("high"), (small.metadata["stage"] == "high").astype(float))
    assert qc[["item", "kind", "reason"]].to_numpy().tolist() == [["tasks.high", "note", "classes pooled"]]


def test_categorical_covariate_written_as_a_float_is_text(small):
    small.metadata["plate"] = np.where(np.arange(48) % 2, 1.0, 2.0)
    small.metadata.loc[3, "plate"] = np.nan
    small.set("covariates.plate", {"role": "technical"})
    cohort, _, _ = prepared(small)
    assert cohort.obs["plate"].cat.categories.tolist() == ["1", "2"]


def test_leave_out_drops_samples_without_a_level(small):
    small.set("splits", {"kind": "leave_out", "by": "batch"})
    small.metadata["batch"] = np.where(np.arange(48) % 24 < 10, "B1", "B2")
    small.metadata.loc[7, "batch"] = np.nan
    cohort, qc, splits = prepared(small)
    assert len(cohort.samples) == 47
    assert qc[["item", "reason"]].to_numpy().tolist() == [["S004_2", "held-out level missing"]]
    assert splits["fold"].tolist() == (cohort.obs["batch"] == "B2").astype(int).tolist()


def test_the_same_run_gives_the_same_tables(small):
    small.counts()
    prepared(small, "first")
    prepared(small, "second")
    for name in ("qc.tsv", "splits.tsv"):
        assert (small.folder / "first" / name).read_bytes() == (small.folder / "second" / name).read_bytes()
    first, second = (read_cohort(small.folder / f / "cohort.h5ad") for f in ("first", "second"))
    np.testing.assert_array_equal(first.expression, second.expression)
    pd.testing.assert_frame_equal(first.obs, second.obs)


def test_builtin_gene_sets_without_a_common_gene_are_a_note(small):
    small.set("gene_sets", "builtin")
    _, qc, _ = prepared(small)
    assert qc[["item", "kind", "reason"]].to_numpy().tolist() == [["gene_sets", "note", "no gene in common"]]


@pytest.mark.slow
@pytest.mark.skipif(not SLE.exists(), reason="the lupus cohort is not here")
def test_lupus(small, tmp_path):
    small.run = {
        "run": "sle",
        "expression": {"path": str(SLE / "expression.parquet"), "scale": "log2"},
        "metadata": {"path": str(SLE / "metadata.csv")},
        "tasks": {
            "disease": {"kind": "binary", "positive": "SLE"},
            "response": {"kind": "binary", "column": "response_180d", "positive": "responder"},
        },
        "covariates": {"array_chip": {"role": "technical"}},
        "gene_sets": "builtin",
    }
    prepare(read_run(small.write_run()), tmp_path / "results")
    cohort = read_cohort(tmp_path / "results/cohort.h5ad")
    assert cohort.expression.shape == (734, 12594)
    assert len(set(cohort.donors)) == 152
    assert cohort.obs["array_chip"].nunique() == 103
    assert "5552251039" in cohort.obs["array_chip"].cat.categories
    splits = read_table(tmp_path / "results/splits.tsv", SPLITS)
    assert splits.groupby("donor")["fold"].nunique().max() == 1
