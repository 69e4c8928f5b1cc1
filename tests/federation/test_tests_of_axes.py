"""Tests of the axes from sums are those of the trial's machinery on the pooled donors."""

import numpy as np
import pytest

from mtlbio.errors import InputError
from mtlbio.federation.rehearsal import federate
from mtlbio.federation.site_tests import units_of
from mtlbio.probing.association import effects
from mtlbio.probing.design import Nuisance, orthonormal
from mtlbio.probing.inference import Contrast, tail_probability
from mtlbio.probing.units import label_units
from tests.federation.planted_sites import NAMES, pooled, sites

FLIPS = 49


@pytest.fixture(scope="module")
def study():
    rows, site = pooled()
    parts = sites(rows, site, trunk="pca", flips=FLIPS)
    return parts, federate(parts)


def together(parts, state, task):
    """Contrast, latents and signs of the pooled donors, sites as indicators."""
    found = [units_of(part, task) for part in parts]
    names = np.concatenate([names for names, *_ in found])
    design = np.concatenate([design for _, design, _ in found])
    z = np.concatenate([average @ part.latents(state) for part, (*_, average) in zip(parts, found, strict=True)])
    level = np.repeat(np.arange(3), [len(names) for names, *_ in found])
    signs = np.concatenate([part.signs(task, f[0], FLIPS) for part, f in zip(parts, found, strict=True)])
    order = np.argsort(names)  # the order of units
    units = label_units(names[order], design[order, 0], True, np.ones(len(names), bool))
    columns = parts[0].whole.labels[task].test_columns(units.y)
    basis = orthonormal(np.column_stack([np.eye(3)[level], design[:, 1:]])[order])
    return Contrast(columns, Nuisance(basis, np.zeros(len(order), int), ()), units), z[order], signs[order]


@pytest.mark.parametrize("task", ["sick", "dose"])
def test_hc3_and_flips_are_those_of_the_pooled_donors(study, task):
    parts, state = study
    contrast, z, signs = together(parts, state, task)
    found = dict(zip(state.header["test_columns"], state.arrays[f"tests.{task}"].T, strict=True))
    wald = contrast.wald(z)
    np.testing.assert_allclose(found["statistic"], wald.f, rtol=1e-8)
    np.testing.assert_allclose(found["p_wald"], wald.p, rtol=1e-8)
    expected = effects(wald, z)
    for name, values in zip(("effect", "ci_low", "ci_high"), expected, strict=True):
        np.testing.assert_allclose(found[name], values, rtol=1e-8, atol=1e-10)
    left = contrast.residual_of_nuisance(z)
    null = np.stack([contrast.flipped(left[:, d], signs) for d in range(z.shape[1])], axis=1)
    np.testing.assert_allclose(found["p_flips"], tail_probability(wald.f, null, 1, contrast.df_residual), rtol=1e-8)
    assert found["p_wald"].min() < (0.001 if task == "dose" else 0.2) < found["p_wald"].max()


def test_signs_are_of_the_donor_and_of_the_key(study):
    parts, _ = study
    names = np.array(["d001", "d002", "d003"])
    a, b = parts[0].signs("sick", names, 400), parts[1].signs("sick", names, 400)
    np.testing.assert_array_equal(parts[0].signs("sick", names[::-1], 400), a[::-1])
    assert set(np.unique(a)) == {-1.0, 1.0} and abs(a.mean()) < 0.1 and (a != b).mean() > 0.4


def test_a_label_that_the_covariates_tell_is_not_tested():
    rows, site = pooled()
    rows.covariates["twin"] = rows.y("dose")[:, None]
    state = federate(sites(rows, site, flips=5))
    assert np.isnan(state.arrays["tests.dose"]).all() and np.isfinite(state.arrays["tests.sick"]).all()


def test_a_class_that_changes_within_a_donor_is_refused():
    rows, site = pooled()
    rows.obs.loc[rows.obs.index[site == "beta"], "donor"] = [f"b{i // 2}" for i in range((site == "beta").sum())]
    with pytest.raises(InputError, match="^site beta: test of sick: the class of a donor changes; expected one per"):
        federate(sites(rows, site, order=NAMES[1:], flips=5))
