"""Small forms of the benchmarks of a task with few labels and of a task with wrong ones."""

import numpy as np
import pytest

from benchmarks.sharing import contaminated, label_noise, shuffled_labels, small_label
from mtlbio.cohort.split import make_splits
from mtlbio.config import Splits, Training

OPTIONS = Training(genes=400, axes=5, block=4, curves=40, seeds=2, epochs=40, patience=15)
SIZE = {"donors": 120, "genes": 400}


def test_few_labels_are_hidden_from_training_only():
    full, seen = small_label.planted("unrelated", 0, **SIZE)
    known = ~np.isnan(seen.y("response"))
    assert known.sum() == small_label.LABELLED < (~np.isnan(full.y("response"))).sum()
    np.testing.assert_array_equal(seen.y("response")[known], full.y("response")[known])
    np.testing.assert_array_equal(seen.y("disease"), full.y("disease"))
    assert (full.obs["disease"][full.obs["response"].notna()] == "case").all()


def test_borrowing_changes_the_multi_task_network_only():
    schemes = {name: small_label.SCHEMES[name] for name in ("hard sharing (default)", "hard sharing + borrowing")}
    table = small_label.table_of(range(1), ["related"], schemes, OPTIONS, folds=3, **SIZE).set_index("scheme")
    default, borrowing = (table.loc[name] for name in schemes)
    assert default["alone"] == borrowing["alone"]
    assert borrowing["together"] != default["together"]
    assert default["gain"] == pytest.approx(default["together"] - default["alone"])
    assert default["low"] <= default["gain"] <= default["high"]
    assert sum(int(n) for n in borrowing["helps / cannot tell / hurts"].split(" / ")) == 1


def test_half_of_the_responses_are_shuffled_and_nothing_else():
    clean = small_label.planted("related", 1)[0]
    dirty = contaminated.contaminated(clean, 0.5, 0)
    before, after = clean.obs["response"], dirty.obs["response"]
    assert before.value_counts().equals(after.value_counts()) and (before.isna() == after.isna()).all()
    assert 0.15 < (before != after)[before.notna()].mean() < 0.35
    assert clean.obs.drop(columns="response").equals(dirty.obs.drop(columns="response"))


def test_damage_is_what_the_shuffled_labels_cost():
    cohort = small_label.planted("related", 0, **SIZE)[0]
    y, noise = cohort.y("age"), np.random.default_rng(0).standard_normal(120)
    pairs = {"age": (y, y + y.std() * noise)}
    clean, lost, low, high = contaminated.damage([(cohort, pairs)], "age")
    assert clean == 1 and lost == pytest.approx(np.square(noise).mean(), rel=1e-6) and low < lost < high
    assert contaminated.damage([(cohort, {"age": (y, y)})], "age")[1:] == (0, 0, 0)


def test_simulated_tasks_have_other_slopes_in_every_fold_and_the_table_counts_alarms():
    table = label_noise.simulated_table(3, 0, [("class", 60, 12.0), ("value", 60, 2.0)])
    assert (table["score 0.5"] < table["score 0"] - 0.1).all()
    assert (table["alarms 0"] <= 1 / 3).all() and (table["share 0"] < table["share 0.5"]).all()
    units, _ = label_noise.simulated("class", 500, 5.0, 0.0, 0)
    spread = [np.std(units.pred[units.fold == k]) for k in range(5)]
    assert max(spread) > 4 * min(spread)


def test_shuffled_copies_keep_counts_and_whole_donors():
    cohort = shuffled_labels.planted_cohort(0, **SIZE)
    copy = shuffled_labels.shuffled(cohort, 0.5, 0)
    for name in cohort.tasks:
        before, after = cohort.y(name), copy.y(name)
        np.testing.assert_allclose(np.sort(before[~np.isnan(before)]), np.sort(after[~np.isnan(after)]))
        changed = np.mean(before[~np.isnan(before)] != after[~np.isnan(before)])
        assert 0.1 < changed <= 0.5


def test_every_task_of_a_cohort_is_tested_as_in_a_run():
    cohort = shuffled_labels.planted_cohort(0, **SIZE)
    (predictions,) = shuffled_labels.predicted([cohort], make_splits(cohort, Splits(folds=3)), OPTIONS)
    table = label_noise.networks_table([("one", {0.0: predictions})], 0)
    assert set(table["task"]) == set(cohort.tasks) and (table["n_units"] > 40).all()
    assert label_noise.summary(table, "task")["tasks"].tolist() == [1, 1, 1, 1]
