"""What latents of another model can show, by what the model saw and what was taken out before."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from benchmarks.calibration.other_models import corrections_grid, judge_latents, latents_of, without_batch
from mtlbio.config import Latents
from mtlbio.notebook.trial import trial
from mtlbio.probing.claims import Statement, refused

TASKS, TECHNICAL = ["disease", "response"], ["batch", "plate"]


def statement(**said) -> Statement:
    return Statement.of(Latents(path="z.tsv", **said), TASKS, TECHNICAL)


def test_what_is_not_said_is_taken_for_the_worst():
    assert statement() == Statement(
        ("disease", "response"), ("batch", "plate"), ("disease", "response"), ("saw", "corrected_for", "kept")
    )
    assert statement(saw="donors", corrected_for=[]) == Statement("donors")  # nothing was there to be protected
    assert statement(saw="donors", corrected_for=["batch"]).kept == ("disease", "response")
    assert statement(saw="donors", corrected_for=["batch"], kept=[]).assumed == ()
    assert statement(saw=["disease"], corrected_for=[]).saw == ("disease",)
    encoded = Latents(encode="e {train} {test} {out}", corrected_for=[])
    assert Statement.of(encoded, TASKS, TECHNICAL) == Statement("nothing")


def test_one_sentence_says_what_is_known():
    assert statement(saw="donors", corrected_for=[]).sentence == (
        "Latents of another model, of which is said that it saw all donors and no label; nothing was taken out of the "
        "data beforehand."
    )
    assert statement().sentence.endswith(
        "Not stated, and taken for the worst: latents.saw, latents.corrected_for and latents.kept."
    )


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"association": "cramers_v", "value": 0.3, "call": "ok"}, "0.30"),
        ({"association": "eta2", "value": 0.09, "call": "ok"}, "0.30"),
        ({"association": "eta2", "value": -0.01, "call": "ok"}, None),
        ({"association": "cramers_v", "value": np.nan, "call": "ok"}, None),
        ({"association": "none", "value": np.nan, "call": "not_identifiable"}, "1.00"),
    ],
)
def test_how_closely_a_pair_goes_is_on_one_scale(row, expected):
    audit = pd.DataFrame([{"kind": "task", "task": "disease", "covariate": "batch", **row}])
    protected = statement(saw="donors", corrected_for=["batch"], kept=["disease"])
    found = refused(SimpleNamespace(labelled=["disease"]), audit, protected)
    if expected is None:
        assert found == {}
    else:
        assert f"the two go together (Cramer's V {expected}, free below 0.15)" in found["disease"]


CELLS = {cell.name: cell for cell, _ in corrections_grid(False)}


@pytest.mark.parametrize(("p", "expected"), [("0.5", False), ("0.85", True), ("0.95", True)])
def test_an_outcome_that_was_protected_is_refused_where_the_batch_follows_it(p, expected):
    """In every cohort at .85 and .95; where the two are free of each other the tests go on."""
    rows = pd.concat(
        [judge_latents(CELLS[f"batch taken out, disease kept, P {p}, 80 donors"], run) for run in range(3)]
    )
    refused = rows.groupby("run")["refused"].first()
    assert refused.all() if expected else not refused.all()
    assert not rows["false_biology"].any()


def test_a_correction_with_a_design_is_the_linear_model():
    """What limma's removeBatchEffect(batch, design) takes out: the batch's part of a model that holds disease too."""
    rng = np.random.default_rng(0)
    obs = pd.DataFrame({"batch": rng.choice(["a", "b"], 40), "disease": rng.choice(["case", "control"], 40)})
    values = rng.normal(size=(40, 3))
    batch = (obs["batch"] == "b").to_numpy(float)
    design = np.column_stack([np.ones(40), batch - batch.mean(), obs["disease"] == "case"]).astype(float)
    slopes = np.linalg.lstsq(design, values, rcond=None)[0]
    expected = values - np.outer(batch - batch.mean(), slopes[1])
    np.testing.assert_allclose(without_batch(values, obs, keep=True), expected, atol=1e-12)
    assert np.abs(without_batch(values, obs, keep=False) - expected).max() > 1e-3


@pytest.fixture(scope="module")
def leaky():
    """80 donors of whom nothing causes anything, and latents of which one is the label itself."""
    cell = CELLS["batch taken out, disease kept, P 0.5, 80 donors"]
    latents, simulation = latents_of(cell, 0)
    obs = simulation.metadata.set_index("sample_id").loc[latents.index]
    label = (obs["disease"] == "case").to_numpy(float)
    latents["z05"] = label + 0.2 * np.random.default_rng(0).normal(size=len(label))
    return latents, obs


def test_latents_that_saw_a_label_prove_nothing_of_it(leaky):
    latents, obs = leaky
    options = {"donor": "donor_id", "tasks": {"disease": "case"}, "covariates": {"batch": "technical"}}
    options |= {"corrected_for": [], "probe": {"permutations": 199, "bootstrap": 100}}
    believed = trial(latents, obs=obs, saw="donors", **options)
    assert believed["z05"].verdict == "biology"  # as it would be, had the model not seen it
    found = trial(latents, obs=obs, saw=["disease"], **options)
    assert not set(found.verdicts["verdict"]) & {"biology", "unused"}
    assert found["z05"].verdict == "not_identifiable" and found["z05"].driver == "disease"
    assert "the model that made the latents saw disease" in found["z05"].why
    assert (found.verdicts["verdict_disease"] == "not_identifiable").all()
    others = found.verdicts[found.verdicts["verdict"] == "underpowered"]
    assert others["why"].str.contains("of disease nothing can be claimed").all()
    assert others["donors_needed"].isna().all()
    assert found.tables["ablation"].empty
    technical = found.verdicts[found.verdicts["verdict"] == "technical"]
    assert not technical["why"].str.contains("unharmed").any()


def test_a_task_is_tested_given_one_that_was_seen(leaky):
    """What goes with disease only because a seen label does is no link of its own."""
    latents, obs = leaky
    rng = np.random.default_rng(3)
    obs = obs.assign(copy=np.where(rng.random(len(obs)) < 0.85, obs["disease"], "control"))
    options = {"donor": "donor_id", "tasks": {"disease": "case", "copy": "case"}, "saw": ["disease"]}
    options |= {"corrected_for": [], "probe": {"permutations": 199, "bootstrap": 100}}
    found = trial(latents, obs=obs, **options)
    assert found["z05"].verdict != "biology"
    assert abs(found["z05"].effect("copy")[0]) < 0.5 < abs(found["z05"].effect("disease")[0])
