"""The table of all methods: who wins is who predicts better, and every method is there."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.real.tabular import TABULAR
from benchmarks.sharing import methods_real
from mtlbio.choices.balancers import BALANCERS
from mtlbio.choices.sharing import SHARING
from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.simulate import simulate
from mtlbio.cohort.split import make_splits
from mtlbio.config import Splits, Training
from mtlbio.labels import Binary, Regression


def test_all_methods_are_compared():
    changes = [tuple(change.items()) for change in methods_real.METHODS.values()]
    assert len(changes) == len(BALANCERS) + len(SHARING) - 1 + 1
    assert {name for change in changes for key, name in change if key == "balancing"} == set(BALANCERS) - {"equal"}
    assert {name for change in changes for key, name in change if key == "sharing"} == set(SHARING) - {"hard"}


@pytest.fixture(scope="module")
def guessed():
    """A cohort of 200 donors and what three methods make of it: plain, a little better, and nothing but chance."""
    rng = np.random.default_rng(0)
    age = rng.normal(50, 10, 200)
    sick = np.where(rng.random(200) < 0.5, "case", "control")
    obs = pd.DataFrame({"donor": [f"d{i}" for i in range(200)], "age": age, "disease": sick})
    tasks = {
        "age": Regression("age"),
        "disease": Binary("disease", ("control", "case")),
    }
    cohort = Cohort(np.zeros((200, 1), np.float32), ("g",), obs, tasks)
    noise, y = rng.standard_normal(200), (sick == "case").astype(float)
    found = {}
    for setting in methods_real.SETTINGS:
        for method, error in (("equal", 1.0), ("pcgrad", 0.5), ("rlw", 10.0)):
            found[setting, method, "age"] = age + 10 * error * noise
            found[setting, method, "disease"] = y + error * noise
    return cohort, found


def test_better_predictions_win_and_worse_ones_lose(guessed):
    cohort, found = guessed
    table = methods_real.differences(cohort, found, "as shipped").set_index(["method", "task"])
    assert (table.loc["pcgrad", "low"] > 0).all() and (table.loc["rlw", "high"] < 0).all()
    assert (table.loc["equal", ["difference", "low", "high"]] == 0).all(axis=None)
    assert table.loc[("pcgrad", "age"), "value"] - table.loc[("equal", "age"), "value"] == pytest.approx(
        table.loc[("pcgrad", "age"), "difference"]
    )
    lines = methods_real.by_method({("c", "as shipped"): table.reset_index()}, "as shipped").set_index("method")
    assert lines.loc["pcgrad", "wins"].startswith("c age +") and lines.loc["pcgrad", "loses"] == ""
    assert lines.loc["rlw", "loses"].count("c ") == 2


def test_a_method_without_effect_on_one_task_gives_the_plain_predictions():
    """With one task there is nothing to balance: every weighting is the plain sum."""
    simulation = simulate("clear", 0, donors=60, genes=300, labelled=1.0)
    obs = simulation.metadata.set_index("sample_id").rename(columns={"donor_id": "donor"})
    tasks = {"age": Regression("age")}
    cohort = Cohort(simulation.expression.to_numpy(), tuple(simulation.expression.columns), obs, tasks)
    options = Training(genes=80, axes=4, curves=20, seeds=1, epochs=10, device="cpu")
    fits = methods_real.Fits(cohort, make_splits(cohort, Splits(folds=2)), options)
    plain, other = fits.predictions({}), fits.predictions({"balancing": "uncertainty"})
    for setting in methods_real.SETTINGS:
        np.testing.assert_allclose(other[setting, "", "age"], plain[setting, "", "age"], atol=1e-3)
        np.testing.assert_allclose(plain[setting, "alone", "age"], plain[setting, "", "age"], atol=1e-4)


def test_the_tabular_cohorts_are_standardised(tmp_path):
    table = pd.DataFrame(
        {
            **{name: np.arange(8.0) for name in ("age", "sex", "trestbps", "fbs", "thalach", "exang", "oldpeak", "ca")},
            **{name: [1, 2] * 4 for name in ("cp", "restecg", "slope", "thal")},
            "chol": [0, 200.0] * 4,
            "site": ["a", "a", "b", "b"] * 2,
            "num": 0,
            "target": [0, 1, 1, 0] * 2,
        }
    )
    table.to_csv(tmp_path / "heart_disease_4sites.csv")
    features, labels, tasks = TABULAR["heart_four_hospitals"](tmp_path)
    np.testing.assert_allclose(features.mean(), 0, atol=1e-12)
    np.testing.assert_allclose(features.std(ddof=0), 1)
    assert "chol_missing" in features and set(tasks) == {"a", "b"}
    assert labels["a"].notna().tolist() == [True, True, False, False] * 2
