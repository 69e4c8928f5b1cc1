"""The estimator: predictions of the command line's final model, in the manner of scikit-learn."""

import pickle

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted
from small_notebook import SMALL, planted

import mtlbio as mb
from mtlbio.errors import InputError
from mtlbio.kinds.read import read_run

OPTIONS = {"scale": "log2", "training": SMALL["training"], "splits": SMALL["splits"]}
YAML = {
    "run": "estimator",
    "expression": {"path": "a.h5ad", "scale": "log2"},
    "metadata": {"donor": "donor_id"},
    "tasks": {
        "disease": {"kind": "binary", "positive": "control"},
        "age": {"kind": "regression"},
        "batch": {"kind": "multiclass"},
    },
    **{key: SMALL[key] for key in ("training", "splits")},
}


@pytest.fixture(scope="module")
def data():
    adata = planted()
    adata.obs["donor_id"] = [f"D{i // 2}" for i in range(100)]
    adata.obs["disease"] = np.repeat(adata.obs["disease"].to_numpy()[::2], 2)
    adata.obs["batch"] = adata.obs["batch"].astype(str)
    return adata


@pytest.fixture(scope="module")
def fitted(data):
    y = data.obs[["disease", "age", "batch"]]
    return mb.MultiTask(**OPTIONS).fit(data.to_df(), y, groups=data.obs["donor_id"])


def test_predictions_are_those_of_the_final_model(data, fitted, tmp_path):
    data.write_h5ad(tmp_path / "a.h5ad")
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(YAML, sort_keys=False))
    run, results = read_run(tmp_path / "run.yaml"), tmp_path / "results"
    mb.prepare(run, results)
    mb.train(run, results)
    rows = mb.predict(run, tmp_path / "a.h5ad", results)
    found, chances = fitted.predict(data.to_df()), fitted.predict_proba(data.to_df())
    assert found.columns.tolist() == ["disease", "age", "batch"] and found.index.equals(data.to_df().index)
    by_task = {task: own.set_index("sample") for task, own in rows.groupby("task")}
    np.testing.assert_array_equal(found["age"], by_task["age"].loc[found.index, "y_pred"])
    expected = by_task["disease"].loc[found.index, "y_pred"]
    np.testing.assert_array_equal(chances["disease"]["control"], expected)
    assert found["disease"].tolist() == np.where(expected > 0.5, "control", "case").tolist()
    wide = by_task["batch"].pivot(columns="label", values="y_pred").loc[found.index]
    np.testing.assert_array_equal(chances["batch"][wide.columns], wide)
    assert found["batch"].tolist() == wide.idxmax(axis=1).tolist() and set(chances) == {"disease", "batch"}


def test_names_and_order_of_samples_do_not_matter(data, fitted):
    whole = fitted.predict(data.to_df())
    back = fitted.predict(data.to_df()[::-1].rename(index=lambda name: "same"))
    np.testing.assert_allclose(back["age"][::-1], whole["age"], rtol=1e-5)
    np.testing.assert_allclose(fitted.predict(data.X)["age"], whole["age"], rtol=1e-5)


def test_arrays_and_labels_that_are_numbers(data):
    """Missing labels, two numbers as classes, and every sample its own donor."""
    y = np.column_stack([(data.obs["disease"] == "case").astype(float), data.obs["age"]])
    y[:10, 0] = np.nan
    model = mb.MultiTask(**OPTIONS)
    assert model.fit(data.X, y) is model
    found = model.predict(data.X)
    assert found.columns.tolist() == ["y1", "y2"] and set(found["y1"]) <= {0.0, 1.0}
    assert found["y1"].dtype == float and found.index.tolist() == list(range(100))
    assert np.corrcoef(found["y2"], y[:, 1])[0, 1] > 0.5
    assert model.tasks_["y1"].classes == ("0", "1") and model.n_features_in_ == 300
    copy = pickle.loads(pickle.dumps(model))
    pd.testing.assert_frame_equal(copy.predict(data.X), found)


def test_parameters_are_those_of_scikit_learn():
    model = mb.MultiTask({"disease": "case"}, training={"seeds": 2})
    assert model.get_params() == {
        "tasks": {"disease": "case"},
        "scale": "log",
        "training": {"seeds": 2},
        "splits": None,
        "qc": None,
    }
    other = clone(model).set_params(scale="z")
    assert other.get_params() == model.get_params() | {"scale": "z"} and other is not model
    with pytest.raises(ValueError, match="Invalid parameter 'epochs'"):
        model.set_params(epochs=3)


def test_what_was_not_fitted_does_not_predict(data, fitted):
    with pytest.raises(NotFittedError):
        mb.MultiTask().predict(data.X)
    with pytest.raises(NotFittedError):
        check_is_fitted(clone(fitted))
    check_is_fitted(fitted)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda X, y: (X, y[:50], None), "y: found 50 rows; expected one per row of X, 100"),
        (lambda X, y: (X, y.rename(index={"S0001": "T"}), None), "y: found the names"),
        (lambda X, y: (X, y, ["D"] * 3), "groups: found 3 donors; expected one per row of X, 100"),
        (lambda X, y: (X, y.assign(age=4), None), "y: column 'age' holds 1 value(s)"),
        (lambda X, y: (X, y.rename(columns={"age": "my age"}), None), "tasks"),
        (lambda X, y: (X, y.rename(columns={"age": "donor_id"}), None), "y: column 'donor_id' would be taken"),
        (lambda X, y: (X.assign(G1="a"), y, None), "X: column(s) 'G1' hold text; expected numbers"),
        (lambda X, y: (X.to_numpy()[0], y, None), "X: found an array of 1 dimensions; expected (samples, genes)"),
        (lambda X, y: (2.0**X, y, None), "adata: "),
    ],
)
def test_what_does_not_fit_is_one_line(data, change, line):
    X, y, groups = change(data.to_df(), data.obs[["disease", "age"]])
    with pytest.raises(InputError) as caught:
        mb.MultiTask(**OPTIONS).fit(X, y, groups)
    assert "\n" not in str(caught.value) and line in str(caught.value)


def test_new_samples_have_the_genes_of_the_training(data, fitted):
    with pytest.raises(InputError, match="X: found 299 columns; expected the 300 of the training"):
        fitted.predict(data.X[:, 1:])
    with pytest.raises(InputError, match="tasks\\['sex2'\\]: no column 'sex2' in y"):
        mb.MultiTask({"sex2": "f"}).fit(data.to_df(), data.obs[["sex"]])
