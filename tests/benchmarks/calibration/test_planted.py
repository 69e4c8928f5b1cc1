"""A planted cohort holds what its design says."""

import numpy as np
import pytest

from benchmarks.calibration.planted import ROLES, Design, plant


def r2(axis, values):
    return np.corrcoef(axis, values)[0, 1] ** 2


def test_axes_carry_the_planted_shares_and_visits_share_a_donor():
    made = plant(8000, 1, noise_dims=2, merged="age+interferon", visits=2, batch_disease=0.7)
    assert made.roles == ("age+interferon", "batch", "composition", "sex", "noise", "noise")
    assert made.roles == Design(noise_dims=2, merged="age+interferon").roles
    assert made.z.shape == (16000, 6) and made.obs["donor"].value_counts().eq(2).all()
    assert list(made.shares.columns) == list(ROLES)
    np.testing.assert_allclose(made.shares.loc[[0, 3, 4], ["age", "sex"]], [[0.45, 0], [0, 0.9], [0, 0]], atol=1e-9)
    assert r2(made.z[:, 0], made.obs["age"]) == pytest.approx(0.45, abs=0.02)
    assert r2(made.z[:, 3], made.obs["sex"] == "m") == pytest.approx(0.9, abs=0.01)
    assert r2(made.z[:, 4], made.obs["sex"] == "m") < 0.01
    same = (made.obs["batch"] == "B1") == (made.obs["disease"] == "case")
    assert same.mean() == pytest.approx(0.7, abs=0.02)
    assert made.obs["response"].notna().mean() == pytest.approx(0.6, abs=0.02)


def test_a_field_that_no_design_has_is_refused():
    with pytest.raises(TypeError, match="interferron"):
        plant(40, interferron=1.0)
