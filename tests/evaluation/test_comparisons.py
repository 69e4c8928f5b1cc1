import numpy as np
import pytest

from mtlbio.evaluation.comparisons import best_baseline, call_difference, task_comparisons, task_metrics
from mtlbio.evaluation.predictions import TaskPredictions
from mtlbio.labels import Binary
from mtlbio.metrics.ranking import auroc


def predictions(n_donors=200, seed=0):
    rng = np.random.default_rng([seed, 51])
    y = np.repeat(rng.integers(0, 2, n_donors).astype(float), 2)
    signal = y + rng.normal(size=2 * n_donors)

    def probability(noise):
        return 1 / (1 + np.exp(-(signal - 0.5 + noise * rng.normal(size=2 * n_donors))))

    y[:10] = np.nan
    return TaskPredictions(
        Binary("disease", ("no", "yes")),
        np.arange(2 * n_donors).astype(str),
        np.repeat(np.arange(n_donors), 2).astype(str),
        y,
        {
            "multitask": probability(0.0),
            "singletask": probability(0.02),
            "ridge": probability(1.5),
            "lightgbm": rng.random(2 * n_donors),
        },
    )


@pytest.mark.parametrize(
    "low, high, call",
    [
        (0.001, 0.3, "better"),
        (-0.019, 0.3, "no_worse"),
        (-0.019, -0.001, "no_worse"),
        (-0.021, -0.001, "worse"),
        (-0.3, 0.001, "undecided"),
        (np.nan, np.nan, "undecided"),
    ],
)
def test_calls(low, high, call):
    assert call_difference(low, high, 0.02) == call


def test_comparisons_of_arms_of_known_order():
    table = task_comparisons(predictions(), draws=300, seed=0, margin=0.02).set_index("arm_b")
    assert table["call"].to_dict() == {"singletask": "no_worse", "ridge": "better", "lightgbm": "better"}
    assert table["best_baseline"].to_dict() == {"singletask": "no", "ridge": "yes", "lightgbm": "no"}
    assert (table["metric"] == "auroc").all() and (table["arm_a"] == "multitask").all()
    assert ((table["ci_low"] < table["difference"]) & (table["difference"] < table["ci_high"])).all()
    # pairing: far narrower for the near twin than for the unrelated arm
    width = table["ci_high"] - table["ci_low"]
    assert width["singletask"] < 0.2 * width["lightgbm"]


def test_a_model_that_loses_is_called_worse():
    swapped = predictions()
    swapped.arms["multitask"], swapped.arms["lightgbm"] = swapped.arms["lightgbm"], swapped.arms["multitask"]
    table = task_comparisons(swapped, draws=200, seed=0, margin=0.02).set_index("arm_b")
    assert table.loc["lightgbm", "call"] == "worse"
    assert best_baseline(swapped, swapped.task.decisive) == "lightgbm"


def test_metrics_count_labelled_samples_and_their_donors():
    found = predictions()
    table = task_metrics(found, draws=200, seed=0)
    assert (table["n_samples"] == 390).all() and (table["n_donors"] == 195).all()
    row = table[(table["arm"] == "ridge") & (table["metric"] == "auroc")].iloc[0]
    assert row["value"] == pytest.approx(auroc(found.y[10:], found.arms["ridge"][10:]))
    assert row["ci_low"] < row["value"] < row["ci_high"]
    assert set(table["metric"]) >= {"auroc", "auprc", "brier", "calibration_slope", "expected_calibration_error"}


def test_samples_that_an_arm_did_not_predict_are_left_out_of_its_row():
    found = predictions()
    found.arms["ridge"][10:30] = np.nan
    table = task_metrics(found, draws=100, seed=0)
    counts = table.groupby("arm")["n_samples"].first()
    assert counts["ridge"] == 370 and counts["multitask"] == 390


def test_without_the_model_there_is_nothing_to_compare():
    found = predictions()
    del found.arms["multitask"]
    assert task_comparisons(found, draws=100, seed=0, margin=0.02).empty
