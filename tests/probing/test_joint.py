from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.multivariate.manova import MANOVA

from benchmarks.calibration.given_axes import trial_of
from benchmarks.calibration.planted import plant
from mtlbio.labels import Binary, Multiclass
from mtlbio.probing import joint as module
from mtlbio.probing.association import task_design
from mtlbio.probing.design import Nuisance, nuisance, orthonormal
from mtlbio.probing.inference import Contrast
from mtlbio.probing.joint import joint_test
from mtlbio.probing.units import label_units, sample_units


def simple(n=60, k=3, classes=2, seed=0):
    rng = np.random.default_rng(seed)
    y, x = rng.integers(0, classes, n).astype(float), rng.normal(size=n)
    z = rng.normal(size=(n, k)) + 0.6 * x[:, None]
    z[:, 0] += 0.5 * (y == 1)
    units = label_units(np.array([f"d{i:03d}" for i in range(n)]), y, False, np.ones(n, bool))
    given = Nuisance(orthonormal(np.column_stack([np.ones(n), x])), np.zeros(n, dtype=int), ("x",))
    return y, x, z, units, given


@pytest.mark.parametrize("classes, k", [(2, 4), (3, 3), (4, 2)])
def test_pillai_is_that_of_statsmodels(classes, k):
    y, x, z, units, given = simple(60, k, classes)
    kind = Binary("y") if classes == 2 else Multiclass("y")
    result = joint_test(kind.test_columns(units.y), given, units, z, 99, 0)
    frame = pd.DataFrame(z, columns=[f"z{i}" for i in range(k)]).assign(y=y, x=x)
    formula = " + ".join(f"z{i}" for i in range(k)) + " ~ C(y) + x"
    table = MANOVA.from_formula(formula, frame).mv_test().results["C(y)"]["stat"].loc["Pillai's trace"]
    np.testing.assert_allclose(
        [result.f, result.df, result.df_error, result.p_wald],
        table[["F Value", "Num DF", "Den DF", "Pr > F"]].to_numpy(dtype=float),
        rtol=1e-8,
    )


def test_one_dimension_is_the_wald_test():
    _, _, z, units, given = simple()
    columns = Binary("y").test_columns(units.y)
    result = joint_test(columns, given, units, z[:, :1], 199, 3)
    contrast = Contrast(columns, given, units)
    wald = contrast.wald(z[:, :1])
    np.testing.assert_allclose([result.f, result.p_wald], [wald.f[0], wald.p[0]], rtol=1e-10)
    assert result.df_error == wald.df_error
    assert abs(result.p_permutation - contrast.randomisation(z[:, :1], 1999, 0)[0]) < 0.05


@pytest.mark.parametrize("robust_donors", [10, 999])
def test_any_invertible_map_gives_the_same_answer(monkeypatch, robust_donors):
    monkeypatch.setattr(module, "ROBUST_DONORS", robust_donors)
    _, _, z, units, given = simple()
    columns, mapping = Binary("y").test_columns(units.y), np.random.default_rng(1).normal(size=(3, 3))
    one = joint_test(columns, given, units, z, 199, 0)
    other = joint_test(columns, given, units, z @ mapping, 199, 0)
    np.testing.assert_allclose(
        [one.f, one.p_wald, one.p_permutation], [other.f, other.p_wald, other.p_permutation], rtol=1e-6
    )
    np.testing.assert_allclose(
        np.abs(np.corrcoef(z @ one.direction, z @ mapping @ other.direction)[0, 1]), 1.0, rtol=1e-8
    )


def test_the_direction_is_the_discriminant():
    y, x, z, units, given = simple(400)
    z[:, 2] += 0.8 * y
    direction = joint_test(Binary("y").test_columns(units.y), given, units, z, 99, 0).direction
    design = np.column_stack([np.ones(400), x, z])
    expected = np.linalg.lstsq(design, y, rcond=None)[0][2:]
    np.testing.assert_allclose(np.abs(np.corrcoef(z @ direction, z @ expected)[0, 1]), 1.0, rtol=1e-8)


@pytest.mark.parametrize("k, shape", [(2, "linear"), (4, "u"), (6, "age_x_batch")])
def test_type_one_error_with_batches_and_age(k, shape):
    """Disease follows age, the block follows age, batch and nothing else, with more noise in one batch; n = 80."""
    runs, hits = 0, 0
    for cohort in range(3):
        planted = plant(80, 30_000 + cohort, interferon=0.0, age_effect=1.5, shape=shape, noise_dims=0)
        rng = np.random.default_rng([cohort, 5])
        units, given, columns = task_design(trial_of(planted), "disease")
        age, batch = (planted.obs["age"].to_numpy() - 50) / 17.3, (planted.obs["batch"] == "B1").to_numpy()
        follows = {"linear": age, "u": age**2, "age_x_batch": age * np.where(batch, 1, -1)}[shape]
        for seed in range(50):
            z = rng.normal(size=(80, k)) * (1 + 0.5 * batch[:, None])
            z[:, 0], z[:, 1] = z[:, 0] + follows, z[:, 1] + batch
            z = units.mean(z @ rng.normal(size=(k, k)))
            hits += joint_test(columns, given, units, z, 99, seed).p <= 0.05
            runs += 1
    assert stats.binom.ppf(0.001, runs, 0.03) <= hits <= stats.binom.ppf(0.995, runs, 0.05)


def test_power_of_a_direction_that_no_axis_shows():
    rng = np.random.default_rng(0)
    y, _, _, units, given = simple(120)
    noise = rng.normal(size=120)
    z = np.column_stack([noise, noise + 0.3 * rng.normal(size=120) + 0.25 * y])  # the effect is in the difference
    columns = Binary("y").test_columns(units.y)
    assert joint_test(columns, given, units, z, 999, 0).p < 0.01
    assert Contrast(columns, given, units).wald(z).p.min() > 0.05


def test_visits_of_a_donor_are_one_witness():
    rng, donors = np.random.default_rng(0), np.repeat([f"d{i:02d}" for i in range(40)], 6)
    label = np.repeat(rng.integers(0, 2, 40), 6).astype(float)
    z = rng.normal(size=(40, 2))[np.repeat(np.arange(40), 6)] + 0.1 * rng.normal(size=(240, 2))
    units = replace(sample_units(donors, np.ones(240, bool)), within=False)
    given = nuisance(pd.DataFrame({"donor": donors}), [], units)
    result = joint_test(label[:, None], given, units, z, 499, 0)
    naive = label_units(np.arange(240).astype(str), label, False, np.ones(240, bool))
    assert result.df_error == 38 and result.p > 20 * joint_test(label[:, None], given, naive, z, 99, 0).p_wald


def test_too_few_donors_give_no_answer():
    _, _, z, units, given = simple(8)
    result = joint_test(Binary("y").test_columns(units.y), given, units, z, 99, 0)
    assert np.isnan([result.f, result.p]).all() and result.direction.shape == (3,)
