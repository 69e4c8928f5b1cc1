import numpy as np
import statsmodels.api as sm

from benchmarks.calibration.given_axes import trial_of
from benchmarks.calibration.planted import plant
from mtlbio.probing.association import task_design
from mtlbio.probing.stability import robustness, stability


def test_robustness_value_of_the_darfur_example():
    np.testing.assert_allclose(robustness(np.array(4.18**2 / 783)), 0.139, atol=5e-4)  # Cinelli & Hazlett 2020, table 1


def test_robustness_value_uses_the_classical_t():
    trial = trial_of(plant(120, 0))
    table = stability(trial, np.ones(len(trial.dims)))
    units, given, columns = task_design(trial, "disease")
    fit = sm.OLS(units.mean(trial.z)[:, 1], np.column_stack([columns, given.basis])).fit()
    row = table[(table["dim"] == "z02") & (table["task"] == "disease")].iloc[0]
    np.testing.assert_allclose(row["robustness_value"], robustness(fit.tvalues[0] ** 2 / fit.df_resid), rtol=1e-8)
    np.testing.assert_allclose(row["effect"], fit.params[0] / units.mean(trial.z)[:, 1].std(ddof=1), rtol=1e-8)


def test_true_effect_keeps_its_sign_and_an_effect_of_one_batch_does_not():
    planted = plant(200, 1, batches=4)
    trial = trial_of(planted)
    sick = (planted.obs["disease"] == "case").to_numpy() * 2.0 - 1
    inside = (planted.obs["batch"] == "B0").to_numpy()
    trial.z[:, 5] = np.where(inside, 6 * sick, -0.3 * sick) + trial.z[:, 5]
    table = stability(trial, np.full(len(trial.dims), 0.9))
    disease = table[table["task"] == "disease"].set_index("dim")
    assert disease.loc["z02", "sign_stable"] and disease.loc["z02", "left_out"] == 4
    assert not disease.loc["z06", "sign_stable"]
    assert disease.loc["z06", "worst_left_out"] == "batch = B0" and disease.loc["z06", "worst_effect"] < 0
    assert (table["stability"] == 0.9).all()
