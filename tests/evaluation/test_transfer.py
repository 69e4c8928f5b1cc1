"""The verdict on sharing: right on planted differences, and rarely wrong where there is none."""

import numpy as np
import pytest

from mtlbio.evaluation.bootstrap import expanded, fewest, simultaneous
from mtlbio.evaluation.predictions import TaskPredictions
from mtlbio.evaluation.transfer import transfer, verdict_of
from mtlbio.labels import Binary, Regression
from mtlbio.tables import TRANSFER

DISEASE = Binary("disease", ("no", "yes"))
AGE = Regression("age")


def task(info, seed, donors=80, together=1.0, alone=1.0, visits=1, known=1.0):
    """Predictions whose errors have the spreads ``together`` and ``alone``; the arms err independently."""
    rng = np.random.default_rng([seed, 77, len(info.name)])
    y = rng.integers(0, 2, donors).astype(float) if info.classes else rng.normal(size=donors)
    y[int(known * donors) :] = np.nan
    y = np.repeat(y, visits)

    def predicted(spread):
        value = np.nan_to_num(y) + spread * np.repeat(rng.normal(size=donors), visits)
        return 1 / (1 + np.exp(-(value - 0.5))) if info.classes else value

    arms = {"multitask": predicted(together), "singletask": predicted(alone)}
    names = np.repeat([f"d{i:03d}" for i in range(donors)], visits)
    return TaskPredictions(info, np.arange(donors * visits).astype(str), names, y, arms)


def rows(*tasks, draws=400, seed=0, margin=0.02):
    carriers = {scores.task.name: scores.carriers for scores in tasks}
    return transfer(list(tasks), carriers, draws, seed, margin).set_index("task")


def test_equally_good_networks_are_rarely_told_apart():
    # 200 cohorts of two tasks without a difference: the intervals hold both at once, so at most 5 % of the cohorts
    # may get a wrong word; 5 % + 1.96 standard errors of a count in 200 is 16
    wrong = 0
    for seed in range(200):
        table = rows(task(DISEASE, seed), task(AGE, seed, together=0.6, alone=0.6))
        wrong += (table["verdict"] != "cannot tell").any()
    assert wrong <= 16


def test_a_planted_gain_and_a_planted_loss_are_found():
    table = rows(task(DISEASE, 0, 200, together=0.7, alone=2.0), task(AGE, 0, 200, together=0.9, alone=0.5))
    assert table["verdict"].to_dict() == {"disease": "helps", "age": "hurts"}
    assert list(table.reset_index().columns) == TRANSFER
    for name in table.index:
        row = table.loc[name]
        assert row["gain"] == pytest.approx(row["multitask"] - row["singletask"])
        assert row["ci_low"] < row["gain"] < row["ci_high"]
    assert table.at["disease", "why"].startswith("disease: learning the tasks together helps; AUROC 0.")
    assert "95 % interval over 2 tasks" in table.at["age", "why"]


def test_the_order_of_the_tasks_does_not_matter():
    both = task(DISEASE, 3), task(AGE, 3, known=0.5)
    one, other = rows(*both), rows(*both[::-1])
    assert one.equals(other.loc[one.index])


def test_labels_are_counted_by_sample_and_by_donor():
    table = rows(task(DISEASE, 0, donors=40, visits=3, known=0.5), task(AGE, 0, donors=60, visits=2, known=0.5))
    assert table["n_samples"].to_dict() == {"disease": 60, "age": 60}
    assert table["n_donors"].to_dict() == {"disease": 20, "age": 30}
    # the 20 donors with a disease label are among the 30 with an age
    assert table["overlap"].to_dict() == {"disease": 1.0, "age": pytest.approx(2 / 3)}


def test_ten_visits_of_a_donor_are_one_donor():
    once, often = task(AGE, 1, donors=50), task(AGE, 1, donors=50, visits=10)
    first, second = rows(once, task(DISEASE, 1)), rows(often, task(DISEASE, 1))
    for column in ("gain", "ci_low", "ci_high", "verdict", "n_donors"):
        assert first.at["age", column] == pytest.approx(second.at["age", column])
    assert second.at["age", "n_samples"] == 500


def test_the_interval_is_that_of_the_comparisons_widened_for_the_number_of_tasks():
    found = task(DISEASE, 5)
    level = expanded(0.975, fewest(DISEASE, found.y, found.donors))
    draws = int(np.ceil(20 / (1 - level)))  # 100 are too few for these ends
    both = found.common("multitask", "singletask")
    expected = both.difference("multitask", "singletask", DISEASE.decisive, draws, 0, level)
    row = rows(found, task(AGE, 5), draws=100).loc["disease"]
    assert (row["gain"], row["ci_low"], row["ci_high"]) == (expected.value, expected.ci_low, expected.ci_high)


def test_where_nothing_is_predicted_nothing_is_helped():
    guess = task(DISEASE, 0, donors=200, together=60.0, alone=60.0)
    worse = guess.arms["singletask"] - 0.5 * guess.y  # far below chance, so the gain is large
    guess = TaskPredictions(DISEASE, guess.samples, guess.donors, guess.y, guess.arms | {"singletask": worse})
    row = rows(guess, task(AGE, 0)).loc["disease"]
    assert row["ci_low"] > 0 and row["verdict"] == "cannot tell"
    assert "neither network predicts it better than chance" in row["why"]


def test_a_negligible_difference_is_said_to_be_one():
    found = task(AGE, 2, donors=300, together=0.1, alone=0.1)
    row = rows(found, task(DISEASE, 2)).loc["age"]
    assert row["verdict"] == "cannot tell"
    assert "together helps or hurts, but either would be less than the margin of 0.02; " in row["why"]


def test_without_a_second_arm_or_a_second_task_nothing_is_claimed():
    found = task(DISEASE, 0)
    lone = TaskPredictions(DISEASE, found.samples, found.donors, found.y, {"multitask": found.arms["multitask"]})
    row = rows(lone, task(AGE, 0)).loc["disease"]
    assert row["verdict"] == "cannot tell" and np.isnan(row["gain"]) and "could not be compared" in row["why"]
    same = TaskPredictions(
        DISEASE, found.samples, found.donors, found.y, dict.fromkeys(found.arms, found.arms["multitask"])
    )
    row = rows(same).loc["disease"]
    assert row["gain"] == 0 and row["verdict"] == "cannot tell" and "only task" in row["why"]
    assert row["overlap"] == 0


@pytest.mark.parametrize("low, high, word", [(0.0, 0.1, "cannot tell"), (1e-6, 0.1, "helps"), (-0.1, -1e-6, "hurts")])
def test_verdicts_at_the_edge(low, high, word):
    assert verdict_of(low, high) == word


def test_simultaneous_intervals_hold_all_values_at_once():
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(300):
        x = rng.normal(size=(60, 8))
        drawn = (rng.multinomial(60, np.full(60, 1 / 60), size=300) / 60) @ x
        low, high = simultaneous(x.mean(axis=0), drawn, np.full(8, 60))
        held += ((low < 0) & (high > 0)).all()
    assert 0.91 <= held / 300 <= 0.98  # .95 and three standard errors
    low, high = simultaneous(np.array([0.5, 1.0]), np.array([[0.5, np.nan], [0.5, 1.2], [0.5, 0.8]]), np.array([9, 9]))
    assert low[0] == high[0] == 0.5 and low[1] < 1.0 < high[1]
