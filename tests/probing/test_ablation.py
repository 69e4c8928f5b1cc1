import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from benchmarks.calibration.given_axes import GivenAxes, trial_of
from benchmarks.calibration.planted import plant
from mtlbio.config import Probe
from mtlbio.labels import Binary, label_kind
from mtlbio.probing import refit
from mtlbio.probing.ablation import Removed, ablation, call, combined, conditional_means, losses
from mtlbio.probing.power import donors_for_harmlessness


def data(n=150, d=6, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d))
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    return x, (x[:, 0] + 0.5 * x[:, 1] + rng.normal(size=n) > 0).astype(float), rng


EACH = [(d,) for d in range(6)]


def test_ridge_without_a_dimension_is_the_refitted_ridge():
    x, _, rng = data()
    y = x @ np.arange(6.0) + rng.normal(size=150)
    full, without = refit._without(*refit._fit(refit._linear, x, y, 30.0), EACH)
    np.testing.assert_allclose(full[1:], Ridge(30.0).fit(x, y).coef_, rtol=1e-8)
    for d in range(6):
        kept = [j for j in range(6) if j != d]
        np.testing.assert_allclose(without[d, 1:][kept], Ridge(30.0).fit(x[:, kept], y).coef_, rtol=1e-8)
        assert without[d, 1 + d] == 0


def test_logistic_head_without_a_dimension_is_the_refitted_head():
    x, y, _ = data()
    beta, inverse = refit._fit(refit._logistic, x, y, 3.0)
    reference = LogisticRegression(C=1 / 3.0, tol=1e-10, max_iter=1000).fit(x, y)
    np.testing.assert_allclose(beta[1:], reference.coef_[0], rtol=1e-4)
    without = refit._newton_without(x, y, 3.0, refit._without(beta, inverse, EACH)[1], EACH)
    for d in range(6):
        kept = [j for j in range(6) if j != d]
        expected = LogisticRegression(C=1 / 3.0, tol=1e-10, max_iter=1000).fit(x[:, kept], y).coef_[0]
        np.testing.assert_allclose(without[d, 1:][kept], expected, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    "kind, classes, shape", [("multiclass", 3, (40, 3)), ("ordinal", 3, (40,)), ("binary", 2, (40,))]
)
def test_refitted_shapes_and_that_the_informative_dimension_matters(kind, classes, shape):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(200, 4))
    y = np.digitize(x[:, 2] + 0.3 * rng.normal(size=200), [-0.5, 0.5] if classes == 3 else [0.0]).astype(float)
    donors = np.array([f"d{i}" for i in range(160)])
    task = label_kind(kind)("t", tuple("abc"[:classes]))
    full, without = refit.refitted(x[:160], y[:160], donors, x[160:], task, [(d,) for d in range(x.shape[1])])
    assert full.shape == shape and without.shape == (4, *shape)
    value = [task.score(y[160:], p) for p in without]
    assert int(np.argmin(value)) == 2 and task.score(y[160:], full) > 0.8


def test_conditional_mean_is_the_regression_on_the_others():
    rng = np.random.default_rng(2)
    z = rng.normal(size=(1, 4000, 3)) @ np.array([[1.0, 0.6, 0.0], [0, 0.8, 0], [0, 0, 1]])
    replaced = np.concatenate(conditional_means(z[:, :3000], z[:, 3000:], [(0,), (1,), (2,)]), axis=2)[0]
    x = np.column_stack([np.ones(3000), z[0, :3000, [0, 2]].T])
    beta = np.linalg.lstsq(x, z[0, :3000, 1], rcond=None)[0]
    expected = np.column_stack([np.ones(1000), z[0, 3000:, [0, 2]].T]) @ beta
    np.testing.assert_allclose(replaced[:, 1], expected, atol=0.02)
    assert np.abs(replaced[:, 2]).max() < 0.15  # independent of the others: its mean


def test_without_a_block_heads_are_refitted_and_its_mean_comes_from_the_rest():
    x, y, rng = data()
    value = x @ np.arange(6.0) + rng.normal(size=150)
    gone, kept = [(1, 4)], [0, 2, 3, 5]
    ridge = refit._without(*refit._fit(refit._linear, x, value, 30.0), gone)[1][0]
    np.testing.assert_allclose(ridge[1:][kept], Ridge(30.0).fit(x[:, kept], value).coef_, rtol=1e-8)
    start = refit._without(*refit._fit(refit._logistic, x, y, 3.0), gone)[1]
    without = refit._newton_without(x, y, 3.0, start, gone)[0]
    expected = LogisticRegression(C=1 / 3.0, tol=1e-10, max_iter=1000).fit(x[:, kept], y).coef_[0]
    np.testing.assert_allclose(without[1:][kept], expected, rtol=1e-3, atol=1e-5)
    assert (without[[2, 5]] == 0).all() and (ridge[[2, 5]] == 0).all()
    z = rng.normal(size=(1, 4000, 4)) @ rng.normal(size=(4, 4))
    replaced = conditional_means(z[:, :3000], z[:, 3000:], [(1, 3)])[0][0]
    design = np.column_stack([np.ones(4000), z[0][:, [0, 2]]])
    beta = np.linalg.lstsq(design[:3000], z[0, :3000][:, [1, 3]], rcond=None)[0]
    np.testing.assert_allclose(replaced, design[3000:] @ beta, atol=0.05)


def test_calls():
    assert call(0.001, 0.05, 0.02) == "harmful"
    assert call(-0.01, 0.019, 0.02) == "harmless"
    assert call(-0.01, 0.05, 0.02) == "inconclusive"
    assert call(0.001, 0.01, 0.02) == "harmless"  # certain, and certainly below the margin
    assert combined("harmless", "harmful") == "harmful"
    assert combined("harmless", "inconclusive") == "inconclusive"
    assert combined("harmless", "harmless") == "harmless"


def test_donors_needed_scale_with_the_variance_of_the_loss():
    assert donors_for_harmlessness(0.02, 100, 0.02) == np.ceil(100 * (1.6448536 + 0.8416212) ** 2)
    assert donors_for_harmlessness(0.01, 100, 0.02) == np.ceil(25 * (1.6448536 + 0.8416212) ** 2)


def test_losses_are_metric_differences_on_labelled_samples():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 80).astype(float)
    y[:10] = np.nan
    full = np.where(np.isnan(y), 0.5, y) + rng.normal(size=80)
    useless = np.stack([full, rng.normal(size=80)])
    task = Binary("t", ("a", "b"))
    table = losses(task, y, np.array([f"d{i}" for i in range(80)]), Removed(full, useless), Probe(bootstrap=200))
    assert table["loss"][0] == 0 and table["call"][0] == "harmless"
    np.testing.assert_allclose(table["loss"][1], task.score(y, full) - task.score(y, useless[1]))
    assert table["ci_low"][1] < table["loss"][1] < table["ci_high"][1]


def test_the_cause_is_harmful_and_noise_is_not():
    planted = plant(200, 1, noise_dims=3)
    fold = np.arange(200) % 5
    table = ablation(trial_of(planted), GivenAxes(planted, fold))
    calls = table.drop_duplicates(["dim", "task"]).set_index(["dim", "task"])["removal"]
    assert len(table) == 8 * 3 * 2
    assert calls["z02", "disease"] == "harmful" and calls["z01", "age"] == "harmful"
    assert (calls.loc[["z06", "z07", "z08"]] != "harmful").all()
    assert calls["z06", "age"] == "harmless"


def test_a_head_that_knows_nothing_has_nothing_to_lose():
    rng = np.random.default_rng(0)
    y, donors = rng.integers(0, 2, 120).astype(float), np.arange(120).astype(str)
    task = Binary("response", ("no", "yes"))
    worthless = -0.1 * y + rng.random(120)
    without = np.stack([-0.2 * y + rng.random(120), 0.3 * y + rng.random(120)])
    table = losses(task, y, donors, Removed(worthless, without), Probe())
    assert table["loss"][0] == 0.0 and table["call"][0] == "harmless"  # .5 with and without
    assert table["loss"][1] < -0.1  # what rises above chance counts as it is
