"""From text to labels: which value is 1, which is missing, which is pooled."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort, CovariateInfo, parse_schema, schema_json
from mtlbio.cohort.qc import QcList
from mtlbio.cohort.samples import encode
from mtlbio.kinds.schemas import CohortRun


def encoded(column: list, **task):
    run = CohortRun.model_validate(
        {
            "run": "r",
            "expression": {"path": "e.csv", "scale": "log"},
            "metadata": {"path": "m.csv"},
            "tasks": {"label": task},
        }
    )
    metadata = pd.DataFrame({"donor_id": [f"d{i}" for i in range(len(column))], "label": column}, dtype=object)
    metadata.index = [f"s{i}" for i in range(len(column))]
    qc = QcList()
    obs, tasks, _ = encode(run, metadata, "m.csv", qc)
    return obs["label"], tasks["label"], qc.table()


def text(series: pd.Series) -> list:
    return [None if pd.isna(v) else v for v in series]


def test_binary_with_one_other_value():
    labels, task, qc = encoded(["SLE", "healthy", np.nan], kind="binary", positive="SLE")
    assert task.classes == ("healthy", "SLE")
    assert text(labels) == ["SLE", "healthy", None]
    assert not len(qc)


def test_binary_pools_what_is_not_positive():
    labels, task, qc = encoded(["BCR", "NEG", "ALL1", np.nan], kind="binary", positive="BCR")
    assert task.classes == ("not BCR", "BCR")
    assert text(labels) == ["BCR", "not BCR", "not BCR", None]
    assert qc["reason"].tolist() == ["classes pooled"]
    assert "ALL1, NEG" in qc["detail"][0]


def test_binary_with_a_negative_value_leaves_the_rest_missing():
    labels, task, qc = encoded(["BCR", "NEG", "ALL1", "ALL1"], kind="binary", positive="BCR", negative="NEG")
    assert task.classes == ("NEG", "BCR")
    assert text(labels) == ["BCR", "NEG", None, None]
    assert qc["detail"].tolist() == ["ALL1 (2)"]


def test_numbers_and_booleans_of_the_yaml_match_text():
    assert encoded(["0", "1"], kind="binary", positive=1)[1].classes == ("0", "1")
    assert encoded(["0.0", "1.0"], kind="binary", positive=1)[1].classes == ("0.0", "1.0")
    assert encoded(["True", "False"], kind="binary", positive=True)[1].classes == ("False", "True")
    assert encoded(["yes", "no"], kind="binary", positive=True)[1].classes == ("no", "yes")


def test_multiclass_sorts_and_restricts():
    labels, task, _ = encoded(["b", "a", "c", "a"], kind="multiclass")
    assert task.classes == ("a", "b", "c")
    labels, task, qc = encoded(["b", "a", "c", "a"], kind="multiclass", classes=["c", "a"])
    assert task.classes == ("c", "a")
    assert text(labels) == [None, "a", "c", "a"]
    assert qc["detail"].tolist() == ["b (1)"]


def test_ordinal_keeps_the_order_of_the_yaml():
    labels, task, _ = encoded(["2", "10", "1"], kind="ordinal", classes=[1, 2, 10])
    assert task.classes == ("1", "2", "10")
    assert list(labels.cat.categories) == ["1", "2", "10"]


def test_regression_is_float():
    labels, task, _ = encoded(["1", "2.5", np.nan], kind="regression")
    assert task.classes == ()
    np.testing.assert_array_equal(labels, [1, 2.5, np.nan])


def test_the_reliability_of_a_covariate_stays_with_the_cohort():
    run = CohortRun.model_validate(
        {
            "run": "r",
            "expression": {"path": "e.csv", "scale": "log"},
            "metadata": {"path": "m.csv"},
            "tasks": {"label": {"kind": "regression"}},
            "covariates": {
                "age": {"role": "confounder", "kind": "continuous", "reliability": 0.75},
                "bmi": {"role": "confounder", "kind": "continuous"},
            },
        }
    )
    numbers = pd.DataFrame({"donor_id": list("abc"), "label": list("123"), "age": list("456"), "bmi": list("789")})
    obs, tasks, covariates = encode(run, numbers.set_axis(["s1", "s2", "s3"]), "m.csv", QcList())
    assert covariates["age"] == CovariateInfo("age", "confounder", "continuous", reliability=0.75)
    cohort = Cohort(np.zeros((3, 1)), ("g",), obs, tasks, covariates)
    assert parse_schema(schema_json(cohort))[1] == covariates
    assert schema_json(cohort).count("reliability") == 1  # cohorts without it are written as ever
