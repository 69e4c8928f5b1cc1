"""Tables of features: every level a column, gaps kept, nothing fitted, and wrong tables told in one line."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import yaml

from mtlbio.cohort.cohort import read_cohort
from mtlbio.cohort.features import fit_features
from mtlbio.cohort.prepare import build_cohort, build_roster, prepare
from mtlbio.cohort.tabular import FLOOR, Plan, scale_floor
from mtlbio.errors import InputError
from mtlbio.kinds.read import read_run
from mtlbio.tables import read_table

TASK = {"kind": "regression", "transform": "sqrt", "unit": "mg/week"}


def table(n: int = 60) -> pd.DataFrame:
    """Patients with a genotype (three are rare, six missing), a weight (twelve missing), an age, and a dose."""
    rng = np.random.default_rng([n, 1])
    frame = pd.DataFrame({"patient": [f"p{i:03d}" for i in range(n)]})
    frame["cyp"] = np.array(["*1/*1", "*1/*2", "*2/*2"], dtype=object)[rng.choice(3, n, p=[0.5, 0.3, 0.2])]
    frame.loc[:2, "cyp"] = ["*1/*5", "*1/*6", "*1/*5"]
    frame.loc[3:8, "cyp"] = np.nan
    frame["weight"] = rng.normal(75, 10, n).round(1)
    frame.loc[9:20, "weight"] = np.nan
    frame["age"] = rng.integers(20, 80, n)
    frame["site"] = np.array(["A", "B", "C"])[np.arange(n) % 3]
    frame["dose"] = rng.gamma(5, 7, n).round(1)
    return frame


def written(folder, frame: pd.DataFrame, **changes):
    """The run of a table, with sections replaced."""
    frame.to_csv(folder / "table.csv", index=False, na_rep="NA")
    run = {
        "run": "small",
        "features": {"path": "table.csv", "numeric": ["weight", "age"], "categories": ["cyp"], "rare": 4},
        "metadata": {"sample": "patient", "donor": "patient"},
        "tasks": {"dose": TASK},
        "covariates": {"site": {"role": "technical"}},
    }
    for key, value in changes.items():
        run[key] = {**run.get(key, {}), **value} if isinstance(value, dict) and key == "features" else value
    (folder / "run.yaml").write_text(yaml.safe_dump(run))
    return read_run(folder / "run.yaml")


def test_every_level_is_a_column_and_gaps_stay_gaps(tmp_path):
    cohort, qc = build_cohort(written(tmp_path, table()))
    assert cohort.genes == (
        "weight",
        "weight=missing",
        "age",
        "cyp=*1/*1",
        "cyp=*1/*2",
        "cyp=*2/*2",
        "cyp=other",
        "cyp=missing",
    )
    coded = pd.DataFrame(cohort.expression, columns=cohort.genes)
    levels = coded.filter(like="cyp=")
    assert (levels.sum(axis=1) == 1).all()  # no reference: everybody has exactly one
    assert levels["cyp=other"].sum() == 3 and levels["cyp=missing"].sum() == 6
    assert coded["weight"].isna().sum() == 12 == coded["weight=missing"].sum()
    notes = qc.table().set_index(["item", "reason"])["detail"]
    assert notes["cyp", "rare levels"] == "*1/*5 (2), *1/*6 (1) pooled as 'other'"
    assert notes["weight", "values missing"].startswith("12 of 60 samples")


def test_the_cohort_comes_back_from_disk_with_its_plan(tmp_path):
    prepare(written(tmp_path, table()), tmp_path / "results")
    cohort = read_cohort(tmp_path / "results" / "cohort.h5ad")
    assert isinstance(cohort.coding, Plan) and cohort.coding.columns == cohort.genes
    assert cohort.coding.units == {"weight": [0], "age": [2], "cyp": [3, 4, 5, 6, 7]}
    info = cohort.tasks["dose"]
    assert (info.scale, info.within, info.unit) == ("sqrt", 0.2, "mg/week")
    decoded = cohort.coding.decode(cohort.expression, "cyp")
    assert pd.Series(decoded).value_counts()["missing"] == 6
    assert read_table(tmp_path / "results" / "splits.tsv", ["sample"])["sample"].nunique() == 60


def test_gaps_are_filled_with_the_mean_of_the_training_samples_only(tmp_path):
    cohort, _ = build_cohort(written(tmp_path, table()))
    training = np.arange(10, 60)
    before = fit_features(cohort.expression[training], floor=scale_floor(cohort))
    known = cohort.expression[training, 0]
    assert before.mean[0] == pytest.approx(np.nanmean(known), rel=1e-6)
    assert before.scale[0] == pytest.approx(np.nanstd(known), rel=1e-6)
    x = before.transform(cohort.expression)
    assert np.isfinite(x).all() and (x[np.isnan(cohort.expression[:, 0]), 0] == 0).all()
    changed = cohort.expression.copy()
    changed[:9] = 1e3  # held out: nothing that was learnt moves
    after = fit_features(changed[training], floor=scale_floor(cohort))
    assert np.array_equal(before.mean, after.mean) and np.array_equal(before.scale, after.scale)


def test_a_rare_level_is_not_blown_up():
    x = np.zeros((1000, 2), dtype=np.float32)
    x[:2, 0], x[:500, 1] = 1, 1
    found = fit_features(x, floor=np.array([FLOOR, FLOOR]))
    assert found.scale.tolist() == pytest.approx([FLOOR, 0.5])


def test_groups_are_one_dimension_and_patterns_pass_by_labels(tmp_path):
    groups = {"enzyme": ["cyp", "weight"]}
    run = written(tmp_path, table(), features={"numeric": ["[wadp]*"], "groups": groups})
    cohort, _ = build_cohort(run)
    # the pattern fits patient and dose too: the identifier and the label are passed by
    assert "dose" not in cohort.genes
    assert cohort.coding.units["enzyme"] == [3, 4, 5, 6, 7, 0, 1]


WRONG = [
    ({"features": {"categories": ["cyp2"]}}, "features.categories: no column 'cyp2'; did you mean 'cyp'?"),
    ({"features": {"numeric": ["bmi"]}}, "features.numeric: no column 'bmi'"),
    ({"features": {"numeric": ["x_*"]}}, "features.numeric: no column fits 'x_*'"),
    ({"features": {"numeric": ["site"]}}, "found 'A' (sample 'p000' and 59 more) where a number is due"),
    ({"features": {"categories": ["number"]}}, "look like an identifier; expected a category of few levels, or under"),
    ({"features": {"categories": ["cyp", "weight"], "numeric": ["age"]}}, "levels that are all numbers (such as"),
    ({"features": {"groups": {"enzyme": ["cypp"]}}}, "features.groups.enzyme: 'cypp' is no feature of this run"),
    ({"tasks": {"dose": {**TASK, "column": "change"}}}, "transform sqrt meets -3 (sample 'p000'"),
    ({"tasks": {"dose": {**TASK, "column": "change", "transform": "log"}}}, "expected values above 0, or transform"),
    ({"tasks": {"dose": {**TASK, "where": {"site": "D"}}}}, "tasks.dose.where.site: 'D' never occurs in column 'site'"),
    ({"tasks": {"dose": {**TASK, "where": {"sit": "A"}}}}, "tasks.dose.where: no column 'sit'"),
]


@pytest.mark.parametrize(("changes", "message"), WRONG)
def test_what_is_wrong_is_told_in_one_line(tmp_path, changes, message):
    frame = table().assign(number=np.arange(60), change=np.arange(60) - 3)
    with pytest.raises(InputError) as error:
        build_cohort(written(tmp_path, frame, **changes))
    assert message in str(error.value) and "\n" not in str(error.value)


WRONG_KEYS = [
    ({"features": {"numeric": ["age", "dose"]}}, "column 'dose' is the label of tasks.dose: it would predict itself"),
    ({"features": {"numeric": ["age", "patient"]}}, "column 'patient' is the identifier of samples or donors"),
    ({"features": {"numeric": ["age", "cyp"]}}, "column 'cyp' is listed twice"),
    ({"features": {"numeric": [], "categories": []}}, "features.numeric: no column is named"),
    ({"expression": {"path": "table.csv", "scale": "z"}}, "features: found beside expression; valid: one of the two"),
    ({"gene_sets": "builtin"}, "gene_sets: a table of features has no genes"),
    ({"training": {"masked_genes": 1.0}}, "training.masked_genes: rebuilds measurements"),
    ({"tasks": {"dose": {**TASK, "head": "multiplicative"}}}, "tasks.dose.head: multiplicative needs transform: log"),
    (
        {"tasks": {"dose": {"kind": "binary", "positive": 1, "transform": "log"}}},
        "tasks.dose.transform: only regression tasks have one; found kind: binary",
    ),
]


@pytest.mark.parametrize(("changes", "message"), WRONG_KEYS)
def test_keys_that_do_not_go_together(tmp_path, changes, message):
    with pytest.raises(InputError) as error:
        written(tmp_path, table(), **changes)
    assert message in str(error.value) and "\n" not in str(error.value)


def test_neither_expression_nor_features(tmp_path):
    (tmp_path / "run.yaml").write_text("run: x\ntasks: {dose: {kind: regression}}\n")
    with pytest.raises(InputError, match="expression: missing; expected {path, scale, layer}, or features"):
        read_run(tmp_path / "run.yaml")


def test_labels_elsewhere_are_missing(tmp_path):
    tasks = {"here": {**TASK, "column": "dose", "where": {"site": "A"}}, "dose": TASK}
    cohort, _ = build_cohort(written(tmp_path, table(), tasks=tasks))
    assert np.isfinite(cohort.y("here")).sum() == 20 and np.isfinite(cohort.y("dose")).all()


def test_the_roster_of_a_plan_needs_no_measurements(tmp_path):
    obs, tasks, covariates, _ = build_roster(written(tmp_path, table()))
    assert len(obs) == 60 and list(tasks) == ["dose"] and list(covariates) == ["site"]
