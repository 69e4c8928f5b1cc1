import numpy as np
import pandas as pd
import pytest

from mtlbio.cohort.qc import QcList
from mtlbio.cohort.simulate import simulate
from mtlbio.cohort.twins import check_twins, twins
from mtlbio.errors import InputError


@pytest.fixture(scope="module")
def cohort():
    expression = simulate("buried", 0, donors=60, genes=600).expression
    return expression.to_numpy(dtype=np.float32)


def test_nobody_is_a_copy_of_somebody_else(cohort):
    assert twins(cohort, np.arange(60)) == []


@pytest.mark.parametrize("noise", [0.0, 0.05, 0.3])
def test_every_array_that_is_there_twice_is_found(cohort, noise):
    """The correlation of a copy is that of its noise: 1 / sqrt(1 + noise2) where all of the variance is the donor's."""
    rng = np.random.default_rng(0)
    copies = cohort + noise * cohort.std(axis=0) * rng.normal(size=cohort.shape).astype(np.float32)
    pairs = twins(np.vstack([cohort, copies]), np.arange(120))
    assert sorted((i, j) for i, j, _ in pairs) == [(i, i + 60) for i in range(60)]
    np.testing.assert_allclose(np.median([r for _, _, r in pairs]), 1 / np.sqrt(1 + noise**2), atol=0.01)


def test_visits_of_one_donor_are_no_twins_and_the_order_of_samples_is_none_of_it(cohort):
    doubled, donors = np.vstack([cohort, cohort[:3]]), np.array([*range(60), 0, 1, 70])
    assert [pair[:2] for pair in twins(doubled, donors)] == [(2, 62)]
    order = np.random.default_rng(1).permutation(63)
    (pair,) = twins(doubled[order], donors[order])
    assert sorted(order[list(pair[:2])]) == [2, 62]


def test_samples_of_one_tissue_among_many_are_alike_and_no_copies():
    rng = np.random.default_rng(0)
    tissue = rng.normal(size=(5, 600))
    values = np.repeat(tissue, 12, axis=0) + 0.15 * rng.normal(size=(60, 600))
    assert np.corrcoef(values - values.mean(axis=0))[0, 1] > 0.9
    assert twins(values, np.arange(60)) == []


def test_few_measurements_do_not_tell_samples_apart(cohort):
    assert twins(np.vstack([cohort, cohort])[:, :99], np.arange(120)) == []


def test_one_line_names_the_pairs_and_the_key(cohort):
    values = np.vstack([cohort, cohort[:1]])
    obs = pd.DataFrame({"donor": [f"d{i}" for i in range(61)]}, index=[f"s{i}" for i in range(61)])
    with pytest.raises(InputError) as error:
        check_twins(values, obs, False, QcList(), "expression.csv")
    assert str(error.value).startswith(
        "expression.csv: 1 pair of samples of different donors nearly the same: s0 (d0) and s60 (d60), r 1.000;"
    )
    assert "qc: {twins: keep}" in str(error.value) and "\n" not in str(error.value)
    qc = QcList()
    check_twins(values, obs, True, qc, "expression.csv")
    assert qc.rows == [("s0", "note", "nearly the same sample", "kept: s0 (d0) and s60 (d60), r 1.000")]
