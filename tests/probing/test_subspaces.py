from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from benchmarks.calibration.designs import plant_design
from benchmarks.calibration.given_axes import trial_of
from benchmarks.calibration.planted import plant
from benchmarks.calibration.turning import turning_results
from mtlbio.config import Probe
from mtlbio.model.blocks import Block
from mtlbio.probing.association import association, covariate_design, covariate_table
from mtlbio.probing.cohorts import examine_cohort
from mtlbio.probing.evidence import CovariateEvidence, Evidence, TaskEvidence
from mtlbio.probing.families import FIRM
from mtlbio.probing.linked import block_links, links
from mtlbio.probing.planes import collect_subspace, columns, judge_subspace
from mtlbio.probing.shares import block_share, share
from mtlbio.probing.subspaces import Subspace, subspace_tests

FAST = Probe(permutations=199, bootstrap=200)
AGE, INTERFERON, BATCH, COMPOSITION = range(4)


def tables(plane, seed=0, donors=120, least=37.0, sets=False, **changes):
    planted = plant(donors, seed, noise_dims=2, **changes)
    latents, examinee = turning_results(planted, plane, seed=seed, least=least)
    return examine_cohort(planted.cohort, latents, examinee, FAST, planted.sets if sets else {}), latents


def subspace(trial, places):
    """A block whose folds agree."""
    z = trial.z[:, places]
    white = np.linalg.inv(np.linalg.cholesky(np.cov(z, rowvar=False))).T
    block = Block(places, (z - z.mean(axis=0)) @ white, white, 0.9, 0.9, 0.9, 2.0)
    return Subspace(places, tuple(trial.dims[p] for p in places), block)


@pytest.mark.parametrize(
    "plane, verdict, driver",
    [
        ((INTERFERON, COMPOSITION), "biology", "INTERFERON_SET"),
        ((BATCH, COMPOSITION), "technical", "batch"),
        ((AGE, COMPOSITION), "confounder", "age"),
        ((INTERFERON, BATCH), "mixed", "batch"),
    ],
)
def test_a_plane_that_turns_gets_the_verdict_of_what_it_holds(plane, verdict, driver):
    found, latents = tables(plane, sets=True)
    own = [f"z{p + 1:02d}" for p in plane]
    assert (latents.var.loc[own, "stability"] < 0.8).all() and (latents.var["stability"].drop(own) > 0.9).all()
    (row,) = found["subspaces"].to_dict("records")
    assert (row["subspace"], row["verdict"], row["driver"]) == ("+".join(own), verdict, driver)
    assert row["stability"] > 0.95 and row["cka"] > 0.95 and row["effective_rank"] > 1.9
    verdicts = found["verdicts"].set_index("dim")
    assert verdicts.loc[own, "subspace"].tolist() == ["+".join(own)] * 2 and verdicts["subspace"].notna().sum() == 2
    assert verdicts.loc[own, "verdict"].tolist() == [verdict] * 2 and (verdicts.loc[own, "driver"] == driver).all()
    start = f"{own[0]} was not found again on its own, but with {own[1]} it spans a plane that was (stability 1.00): "
    assert verdicts.at[own[0], "why"].startswith(start + "the verdict is about that plane: one direction of it")
    assert list(found["subspaces"].columns)[:9] == [
        *("subspace", "n_dims", "stability", "cca", "cka", "effective_rank", "verdict", "driver", "decides")
    ]


def test_nothing_turns_nothing_is_a_subspace():
    found, _ = tables((INTERFERON, COMPOSITION), least=0.0, donors=80, seed=1)
    assert found["subspaces"].empty and found["verdicts"]["subspace"].isna().all()
    assert found["subspaces"].columns[-1] == "why"


def test_the_verdict_is_the_same_for_any_axes_of_the_block():
    planted = plant(100, 2, noise_dims=1)
    trial = trial_of(planted)
    rng, asked = np.random.default_rng(0), association(trial)
    one = subspace(trial, (INTERFERON, BATCH, COMPOSITION))
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    other = replace(one, block=replace(one.block, latents=one.block.latents @ turn))
    first, second = (subspace_tests(trial, [item], asked)[0] for item in (one, other))
    numbers = first.select_dtypes("number").columns
    np.testing.assert_allclose(first[numbers], second[numbers].astype(float), rtol=1e-6, atol=1e-9)
    for column in ("called", "given", "own", "sign_stable", "worst_left_out"):
        assert first[column].tolist() == second[column].tolist()


def test_shares_of_a_block_do_not_depend_on_its_axes():
    trial = trial_of(plant(150, 3))
    rng = np.random.default_rng(0)
    for name, role in (("age", "confounder"), ("batch", "technical")):
        units, given, coded, categorical = covariate_design(trial, name, role)
        z = units.mean(trial.z[:, [AGE, BATCH, COMPOSITION]])
        mean, peak = block_share(z, coded, categorical, given, units)
        mapped = block_share(z @ rng.normal(size=(3, 3)), coded, categorical, given, units)
        np.testing.assert_allclose(mapped, (mean, peak), rtol=1e-6)
        assert 0.2 < mean < 0.35 and peak > 0.75  # one direction of three
        alone = share(z[:, :1], coded, categorical, given, units)[0]
        np.testing.assert_allclose(block_share(z[:, :1], coded, categorical, given, units), (alone, alone))
        # no single direction has more than the peak
        many = share(z @ rng.normal(size=(3, 500)), coded, categorical, given, units)
        assert many.max() <= peak + 1e-9 and many.max() > 0.9 * peak
    assert np.isnan(block_share(np.ones((len(units), 2)), coded, True, given, units)).all()


def test_a_block_of_axes_that_carry_one_programme_each_has_the_numbers_of_those_axes():
    trial = trial_of(plant(200, 4))
    asked = association(trial)
    item = subspace(trial, (BATCH, 5))
    found = subspace_tests(trial, [item], asked)[0].set_index(["question", "variable"])
    own = covariate_table(trial, "batch", "technical", 0).set_index("dim")["share"]
    np.testing.assert_allclose(found.at[("technical", "batch"), "peak"], own["z03"], atol=0.03)
    np.testing.assert_allclose(found.at[("technical", "batch"), "share"], own["z03"] / 2, atol=0.03)
    assert found.at[("technical", "batch"), "called"] and not found.at[("task", "disease"), "called"]


def test_a_block_of_one_axis_has_the_links_of_that_axis():
    trial = trial_of(plant(100, 5))
    shares = np.where(np.arange(len(trial.dims)) == BATCH, 0.9, 0.0)
    alone = links(trial, shares)
    for place in (INTERFERON, COMPOSITION):
        block = block_links(trial, shares, [place], [trial.z[:, [place]] * -2.0])
        assert block.p == alone.p[place] and alone.p[INTERFERON] <= 0.025
        np.testing.assert_allclose(block.evidence.iloc[0], alone.evidence.iloc[place], rtol=1e-9)


def test_a_block_has_no_outcome_of_its_own_that_the_number_of_samples_tells():
    trial = trial_of(plant_design("cases have more visits", 120, 0)[0])
    asked = association(trial)
    tests = subspace_tests(trial, [subspace(trial, (0, 5))], asked)[0].set_index(["question", "variable"])
    columns = ["called", "own", "firm"]
    assert tests.loc[("task", "response"), columns].all()
    assert tests.loc[("task", "disease"), columns].tolist() == [True, False, False]
    assert tests.at[("task", "disease"), "p_given"] == 1
    unaware = subspace_tests(replace(trial, uneven={}), [subspace(trial, (0, 5))], asked)[0]
    assert unaware.set_index(["question", "variable"]).loc[("task", "disease"), columns].all()


def test_a_copy_of_one_direction_does_not_explain_a_block_away():
    """The axis that is half of what a turned block holds is found first, and is no reason to doubt the block."""
    trial = trial_of(plant(150, 3))
    z = trial.z.copy()
    z[:, 7] = z[:, INTERFERON] + 0.3 * np.random.default_rng(0).normal(size=len(z))
    turn = np.array([[1.0, -1.0], [1.0, 1.0]]) / np.sqrt(2)
    blocks = [z[:, [INTERFERON, COMPOSITION]], z[:, [INTERFERON, COMPOSITION]] @ turn]
    found = [block_links(replace(trial, z=z), np.zeros(10), [INTERFERON, COMPOSITION], [block]) for block in blocks]
    assert found[0].p == found[1].p <= 0.025
    np.testing.assert_allclose(found[0].evidence, found[1].evidence, rtol=1e-6)


def test_no_block_is_linked_where_nothing_is():
    """Planes of idle axes in cohorts in which nothing but age drives the outcomes, within the binomial bound."""
    hits = 0
    for seed in range(80):
        trial = trial_of(plant(60, seed, interferon=0.0, age_effect=1.5, response="nothing"), permutations=99)
        shares = np.where(np.isin(np.arange(len(trial.dims)), (AGE, BATCH, 4)), 0.9, 0.0)
        latents = [trial.z[:, [INTERFERON, COMPOSITION]], trial.z[:, 5:8]]
        found = block_links(trial, shares, [INTERFERON, COMPOSITION, 5, 6, 7], latents)
        hits += (found.p <= FIRM * 0.05).any()
    assert hits <= stats.binom.ppf(0.999, 80, 0.025)


def test_a_block_stands_for_its_axes_in_the_family():
    trial = trial_of(plant(120, 5))
    asked = association(trial)
    found = subspace_tests(trial, [subspace(trial, (INTERFERON, COMPOSITION))], asked)[0]
    row = found[(found["question"] == "task") & (found["variable"] == "disease")].iloc[0]
    assert row["p_familywise"] == 1 / 200 and row["called"] and row["own"] and row["firm"]
    disease = asked[(asked["question"] == "task") & (asked["variable"] == "disease")]
    stronger = disease[disease["called"] & (disease["p"] < row["p"]) & ~disease["dim"].isin(["z02", "z04"])]["dim"]
    assert set(stronger) <= set(row["given"].split(", "))


def test_a_block_knows_how_large_the_effect_that_cannot_be_told_may_be():
    trial = trial_of(plant(150, 3, batch_disease=1.0))
    assert trial.entangled("disease") == ["batch"] and not trial.entangled("response")
    item = subspace(trial, (INTERFERON, COMPOSITION))
    tests, _ = subspace_tests(trial, [item], association(trial))
    joint = tests[(tests["question"] == "joint") & (tests["variable"] == "disease")].iloc[0]
    found = collect_subspace(trial, item, tests, pd.DataFrame(columns=["dim", "task", "way"]), None, 9)
    disease, response = found.outcomes
    assert disease.joint_widest == joint["ci_high"] > 0.3 and response.joint_widest == 0.0
    assert found.family == 9 and found.evidence_needed > 4


def test_a_block_names_the_outcome_that_alone_is_biology():
    found, _ = tables((INTERFERON, COMPOSITION), seed=3, donors=250, batch_disease=1.0, interferon=0.6)
    row = found["verdicts"].set_index("dim").loc["z02"]
    assert row["subspace"] == "z02+z04" and row["verdict"] == row["verdict_disease"] == "not_identifiable"
    assert row["verdict_response"] == "biology" and row["why"].endswith(" For response alone it is biology.")


def evidence(batch=0.9, **task):
    task = {"effect": 0.4, "ci_low": 0.2, "ci_high": 0.6, "q": 1e-4, "called": True, "firm": True, "own": True} | task
    disease = TaskEvidence("disease", share=0.4, unit="R", **task)
    covariates = (CovariateEvidence("batch", "technical", batch, 1e-6, batch > 0.1),)
    return Evidence("z01+z02", (disease,), covariates, 0.05, None, 0.9, 100)


def test_a_plane_of_a_batch_and_an_age_has_a_direction_for_each():
    """87 and 90 % of one direction were said to overlap."""
    age = CovariateEvidence("age", "confounder", 0.9, 1e-6, True)
    item = evidence(0.87, called=False)
    found = judge_subspace(replace(item, covariates=(*item.covariates, age)), FAST, "it", "one direction of it")
    assert (found.verdict, found.driver) == ("mixed", "age")
    assert found.why == (
        "it holds a direction that follows batch (87 % of its variance) and one that follows age (90 %), so neither of "
        "them alone says what it is."
    )


@pytest.mark.parametrize(
    "item, verdict, words",
    [
        (evidence(), "mixed", "one direction of it follows batch (90 % of its variance); yet given the covariates"),
        (evidence(firm=False), "technical", "one direction of it follows batch: 90 % of its variance"),
        (evidence(own=False), "technical", "one direction of it follows batch"),
        (evidence(0.0), "biology", "one direction of it is still linked to disease"),
        (evidence(0.0, firm=False), "underpowered", "it may be linked to disease"),
        (evidence(0.0, called=False, ci_low=0.0, ci_high=0.4, removal="harmless"), "unused", "it has no established"),
        (evidence(0.0, called=False, ci_low=0.0, removal="harmless"), "underpowered", "it has no established link"),
    ],
)
def test_rules_of_a_block(item, verdict, words):
    found = judge_subspace(item, FAST, "it", "one direction of it")
    assert found.verdict == verdict and found.why.startswith(words)


def test_columns_name_every_task_and_covariate():
    names = columns(trial_of(plant(60, 0)))
    for name in ("effect_disease", "ci_low_age", "q_response", "share_batch", "peak_sex", "removal_disease"):
        assert name in names
    assert len(names) == len(set(names)) and names[-1] == "why"


@pytest.mark.slow
def test_null_cohorts_hold_no_false_biology():
    """Disease follows age alone; a plane of age and composition, or of nothing, turns; 60 cohorts of 80 donors."""
    false = 0
    for seed in range(60):
        plane = [(AGE, COMPOSITION), (5, 6), (COMPOSITION, 5)][seed % 3]
        found, _ = tables(plane, 7000 + seed, 80, interferon=0.0, age_effect=1.5, response="nothing")
        false += bool((found["subspaces"]["verdict"] == "biology").any())
    assert false <= 6  # P(more than 6 | .05) = .03
