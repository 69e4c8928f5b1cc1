"""Small forms of the benchmarks of a task with few labels and of a task with wrong ones."""

import contaminated
import label_noise
import numpy as np
import pytest
import small_label
from scipy.special import expit

from mtlbio.config import Training

OPTIONS = Training(genes=400, axes=5, block=4, curves=40, seeds=2, epochs=40, patience=15)
SIZE = {"donors": 120, "genes": 400}


@pytest.fixture(autouse=True)
def _quiet(monkeypatch):
    monkeypatch.setattr(small_label.console, "quiet", True)


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


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_the_share_of_shuffled_labels_is_found_where_the_labels_are_easy(share):
    rng = np.random.default_rng(1)
    found = []
    for _ in range(5):
        s = rng.standard_normal(400)
        y = (rng.random(400) < expit(10 * s)).astype(float)
        wrong = rng.random(400) < share
        y[wrong] = rng.permutation(y[wrong])
        found.append(label_noise.shuffled_share(s, y))
    assert np.mean([f[0] for f in found]) == pytest.approx(share, abs=0.1)
    assert all((f[1] > label_noise.CRITICAL) == (share > 0) for f in found)
