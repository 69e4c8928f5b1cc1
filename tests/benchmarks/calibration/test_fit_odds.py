import numpy as np
import pandas as pd
import pytest
from scipy import special
from sklearn.linear_model import LogisticRegression

from benchmarks.calibration.fit_odds import calibration_error, classes_in, fitted, terms_in, tried
from benchmarks.calibration.mixtures import AXES, judge_mixtures, mixtures_grid
from benchmarks.calibration.planted import plant
from benchmarks.calibration.truth import World, class_of
from mtlbio.probing.odds import ROLES, TERMS, odds_of, pieces_of


def made_up_terms(n, seed=0):
    """Values anywhere between the knots of every term."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame({term.name: rng.uniform(term.knots[0], term.knots[-1], n) for term in TERMS})


def test_what_a_dimension_is():
    world = World(frozenset({"interferon"}))
    roles = ("interferon+noise", "age+sex", "batch", "batch+interferon", "age+batch", "composition", "noise")
    expected = ["biology", "confounder", "technical", "mixed", "mixed", "none", "none"]
    assert [class_of(role, world) for role in roles] == expected
    assert class_of("interferon", World(frozenset())) == "none"
    # nobody could know it where the batch is the disease; it is what it is
    assert class_of("interferon", World(frozenset({"interferon"}), 1.0)) == "biology"


def test_the_fit_is_the_maximum_of_the_penalised_likelihood():
    terms = made_up_terms(400)
    classes = np.random.default_rng(1).integers(0, len(ROLES), 400)
    free = fitted(terms, classes)
    reference = LogisticRegression(C=1.0, tol=1e-8, max_iter=5000)
    reference.fit(pieces_of(terms).drop(columns="always"), classes)
    # a symmetric ridge shrinks other coefficients than one against the last role: the odds are nearly the same
    difference = odds_of(terms, free).to_numpy() - reference.predict_proba(pieces_of(terms).drop(columns="always"))
    assert np.abs(difference).mean() < 0.04


def drawn(terms, true, seed=2):
    """(n,) classes that the coefficients ``true`` (piece, role) -> value give."""
    pieces = pieces_of(terms)
    table = pd.DataFrame(0.0, index=pieces.columns, columns=list(ROLES[:-1]))
    for (piece, role), value in true.items():
        table.loc[piece, role] = value
    score = np.column_stack([pieces.to_numpy() @ table.to_numpy(), np.zeros(len(terms))])
    uniform = np.random.default_rng(seed).random((len(terms), 1))
    return (special.softmax(score, axis=1).cumsum(axis=1) < uniform).sum(axis=1)


def test_planted_coefficients_come_back():
    terms, true = made_up_terms(30_000), {("link 2-4", "biology"): 3.0, ("technical 0.1-0.4", "technical"): 2.0}
    found = fitted(terms, drawn(terms, true))
    for (piece, role), value in true.items():
        assert found.loc[piece, role] == pytest.approx(value, abs=0.4)


def test_no_coefficient_goes_against_its_term():
    terms = made_up_terms(5000)
    found = fitted(terms, drawn(terms, {("link 0-1", "biology"): -2.0, ("size 6-7", "biology"): -2.0}))
    assert found.loc["link 0-1", "biology"] == 0 and found.loc["size 6-7", "biology"] < -0.5
    for term in TERMS:
        assert (found.loc[term.pieces, list(term.speaks_for)] >= 0).all().all()


def test_odds_that_are_true_are_calibrated_and_others_are_not():
    rng = np.random.default_rng(3)
    said = rng.random(20_000)
    so = rng.random(20_000) < said
    assert calibration_error(said, so) < 0.02
    assert calibration_error(np.sqrt(said), so) > 0.1


def test_a_cohort_of_the_mixtures_is_scored_with_its_terms():
    cell, _ = mixtures_grid(False)[0]
    rows = judge_mixtures(cell, 3)
    assert len(rows) == AXES and rows["role"].nunique() > 2
    terms = terms_in(rows)
    assert list(terms.columns) == [term.name for term in TERMS] and terms.notna().all().all()
    pd.testing.assert_frame_equal(rows, judge_mixtures(cell, 3))
    classes = classes_in(rows, "mixtures")
    odds = odds_of(terms, pd.DataFrame(0.0, index=pieces_of(terms).columns, columns=list(ROLES[:-1])))
    scores = tried(rows, odds, classes)  # nothing is known: one in five
    assert scores["n"] == AXES and scores["calibration_biology"] == pytest.approx(abs(0.2 - (classes == 0).mean()))


def test_scattered_axes_hold_what_their_shares_say():
    planted = plant(4000, 5, scattered=40)
    total = planted.shares.sum(axis=1)
    assert total.max() <= 0.95 and (planted.shares > 0).sum(axis=1).isin([0, 1, 2]).all()
    assert 0.2 < (total == 0).mean() < 0.6
    age = planted.obs["age"].to_numpy()
    # a share is a squared correlation, as programmes are independent
    r2 = np.square([np.corrcoef(axis, age)[0, 1] for axis in planted.z.T])
    np.testing.assert_allclose(r2, planted.shares["age"], atol=0.06)
