"""Planted cohorts are what their design says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mtlbio.cohort.cohort import read_cohort
from mtlbio.cohort.genesets import builtin_sets
from mtlbio.cohort.prepare import prepare
from mtlbio.cohort.simulate import CAUSES, DESIGNS, SHAPES, Design, simulate, write_simulation
from mtlbio.errors import InputError
from mtlbio.kinds.read import read_run

BIG = {"donors": 4000, "genes": 300}


@pytest.mark.parametrize("name", DESIGNS)
def test_half_of_the_donors_are_cases_and_the_known_share_of_them_has_a_response(name):
    metadata = simulate(name, **BIG).metadata
    case = metadata["disease"] == "case"
    assert abs(case.mean() - 0.5) < 0.03
    assert metadata.loc[~case, "response"].isna().all()
    assert abs(metadata.loc[case, "response"].notna().mean() - 0.8) < 0.03
    known = metadata["response"].dropna()
    assert abs((known == "responder").mean() - 0.5) < 0.06


@pytest.mark.parametrize(("probability", "least", "most"), [(0.5, 0.47, 0.53), (0.85, 0.83, 0.87), (1.0, 1.0, 1.0)])
@pytest.mark.parametrize("batches", [2, 4])
def test_batch_follows_the_disease_as_often_as_planted(probability, least, most, batches):
    metadata = simulate(batch_disease=probability, batches=batches, **BIG).metadata
    second_half = metadata["batch"].str[1:].astype(int) > batches // 2
    agree = (second_half == (metadata["disease"] == "case")).mean()
    assert least <= agree <= most
    assert metadata["batch"].nunique() == batches
    assert metadata["batch"].value_counts(normalize=True).min() > 0.8 / batches


@pytest.mark.parametrize("correlation", [0.0, 0.6, -0.3])
def test_interferon_rises_with_age_as_planted(correlation):
    made = simulate(interferon_age=correlation, **BIG)
    found = np.corrcoef(made.truth["interferon"], made.metadata["age"])[0, 1]
    assert abs(found - correlation) < 0.04
    assert abs(made.truth["interferon"].std() - 1) < 0.04
    assert abs(np.corrcoef(made.truth["age"], made.metadata["age"])[0, 1] - 0.95) < 0.01


@pytest.mark.parametrize("shape", SHAPES)
def test_age_acts_on_disease_in_the_planted_shape(shape):
    made = simulate(shape=shape, interferon_effect=0.0, age_effect=1.0, **BIG)
    age = ((made.metadata["age"] - 50) / (60 / np.sqrt(12))).to_numpy()
    even = (made.metadata["batch"].str[1:].astype(int) % 2 == 1).to_numpy()  # B1 is batch 0
    shaped = {
        "linear": age, "u": age**2 - 1, "step": np.sign(age), "age_x_batch": age * np.where(even, 1, -1)
    }[shape]  # fmt: skip
    assert np.corrcoef(made.truth["disease_log_odds"], shaped)[0, 1] > 0.99
    assert abs(made.truth["disease_log_odds"].std() - 1) < 0.1
    case = made.metadata["disease"] == "case"
    assert shaped[case].mean() - shaped[~case].mean() > 0.5


def test_log_odds_are_those_that_disease_was_drawn_from():
    made = simulate(**BIG)
    odds = made.truth["disease_log_odds"] - made.truth["disease_log_odds"].median()
    case = (made.metadata["disease"] == "case").to_numpy()
    for low, high in ((-3, -1), (-1, 1), (1, 3)):
        inside = odds.between(low, high).to_numpy()
        assert abs(case[inside].mean() - (1 / (1 + np.exp(-odds[inside]))).mean()) < 0.04


@pytest.mark.parametrize("cause", CAUSES)
def test_response_has_its_cause_and_no_other(cause):
    made = simulate(response=cause, interferon_effect=0.0, age_effect=0.0, **BIG)
    known = made.metadata["response"].notna().to_numpy()
    responder = (made.metadata["response"] == "responder").to_numpy()[known]
    for programme in ("interferon", "age", "batch"):
        r = abs(np.corrcoef(made.truth[programme].to_numpy()[known], responder)[0, 1])
        assert r > 0.4 if programme == cause else r < 0.08


def test_expression_is_activities_times_loadings_plus_noise():
    made = simulate(genes=400, donors=1000)
    programmes = made.loadings.index
    assert list(programmes) == ["age", "interferon", "composition", "sex", "batch"]
    activity = made.truth[programmes].to_numpy()
    values = made.expression.to_numpy() - made.expression.to_numpy().mean(axis=0)
    design = np.column_stack([np.ones(1000), activity])
    fitted = np.linalg.lstsq(design, values, rcond=None)[0][1:]
    residual = (values - design[:, 1:] @ fitted).std(axis=0)
    assert residual.min() > 0.55 and residual.max() < 1.1  # the noise has the gene's own spread, .6 to 1
    loadings = made.loadings.to_numpy()
    assert np.corrcoef((fitted / residual).ravel(), loadings.ravel())[0, 1] > 0.98
    assert made.expression.index.tolist() == made.metadata["sample_id"].tolist() == made.truth.index.tolist()
    assert list(made.expression.columns) == list(made.loadings.columns)


def test_programmes_lie_on_their_marker_genes():
    made, sets = simulate("buried"), builtin_sets()
    size = (made.loadings != 0).sum(axis=1)
    assert size["interferon"] == 30 and size["composition"] == 100 and size["batch"] == 333
    assert (size.filter(like="nuisance") == 120).all() and len(size.filter(like="nuisance")) == 25
    interferon = made.loadings.columns[made.loadings.loc["interferon"] != 0]
    assert set(interferon) & set(sets["INTERFERON_RESPONSE"])
    assert (made.loadings.loc["interferon", interferon] > 0).all()
    composition = made.loadings.loc["composition"]
    assert (composition[[g for g in sets["T_CELL"] if g in composition.index]] < 0).all()
    assert made.expression.columns.is_unique and made.expression.shape == (300, 2000)
    nuisance = made.loadings.filter(like="nuisance", axis=0).abs()
    assert abs(nuisance.to_numpy()[nuisance.to_numpy() > 0].mean() - 0.8) < 0.02


def test_visits_share_what_belongs_to_the_donor():
    made = simulate(visits=3, donors=200, genes=300)
    assert len(made.metadata) == 600 and made.metadata["donor_id"].nunique() == 200
    per_donor = made.metadata.groupby("donor_id").nunique()
    assert (per_donor[["disease", "age", "sex", "batch"]] == 1).all().all()
    spread = made.truth.groupby(made.metadata["donor_id"].to_numpy()).std()
    assert abs(np.sqrt((spread["interferon"] ** 2).mean()) - 0.3) < 0.03
    assert np.allclose(spread["age"], 0) and np.allclose(spread["sex"], 0)


def test_the_seed_fixes_every_number():
    first, same, other = (simulate(seed=s, genes=300) for s in (3, 3, 4))
    for name in ("expression", "metadata", "truth", "loadings"):
        pd.testing.assert_frame_equal(getattr(first, name), getattr(same, name))
    assert not np.allclose(first.expression, other.expression)
    assert (first.metadata["disease"] != other.metadata["disease"]).any()


def test_null_design_has_no_cause():
    made = simulate("null", **BIG)
    assert (made.truth[["disease_log_odds", "response_log_odds"]] == 0).all().all()
    case = made.metadata["disease"] == "case"
    assert abs(np.corrcoef(made.truth["interferon"], case)[0, 1]) < 0.05


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shape": "round"}, "shape: found 'round'; valid: linear, u, step"),
        ({"response": "luck"}, "response: found 'luck'"),
        ({"donors": 5}, "donors: found 5; valid: 10 or more"),
        ({"genes": 100}, "genes: found 100; valid: 300 or more"),
        ({"batch_disease": 0.3}, "batch_disease: found 0.3; valid: 0.5 to 1"),
        ({"labelled": 1.2}, "labelled: found 1.2"),
    ],
)
def test_what_cannot_be_planted_is_refused(changes, message):
    with pytest.raises(InputError, match=message):
        Design(**changes)


def test_unknown_design_is_refused():
    with pytest.raises(InputError, match="design: found 'muddy'; valid: clear, correlated"):
        simulate("muddy")


def test_files_load_and_prepare(tmp_path):
    made = simulate(donors=40, genes=300, visits=2)
    path = write_simulation(tmp_path / "cohort", made, "mine")
    names = {"expression.parquet", "metadata.csv", "truth.csv", "loadings.csv", "run.yaml"}
    assert {p.name for p in path.parent.iterdir()} == names
    run = read_run(path)
    assert run.run == "mine" and list(run.tasks) == ["disease", "age", "response"]
    prepare(run, tmp_path / "results")
    cohort = read_cohort(tmp_path / "results/cohort.h5ad")
    assert cohort.samples.tolist() == made.metadata["sample_id"].tolist()
    np.testing.assert_allclose(cohort.expression, made.expression[list(cohort.genes)], atol=1e-3)
    np.testing.assert_array_equal(cohort.y("disease"), (made.metadata["disease"] == "case").astype(float))
    assert np.isnan(cohort.y("response")).sum() == made.metadata["response"].isna().sum()
    truth = pd.read_csv(path.parent / "truth.csv", index_col=0)
    np.testing.assert_allclose(truth, made.truth, rtol=1e-5, atol=1e-6)
    loadings = pd.read_csv(path.parent / "loadings.csv", index_col="gene")
    np.testing.assert_allclose(loadings.T, made.loadings, rtol=1e-5, atol=1e-6)
    # the truth is no part of the run
    assert "truth" not in path.read_text().replace("# A planted cohort: truth.csv knows what drives what", "")
