"""Partial residuals: the picture shows the effect of the table, to the last digit."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from fabricate import fabricate

from mtlbio.kinds import KINDS
from mtlbio.probing.association import task_table
from mtlbio.report.adjusted import adjusted, linked_task
from mtlbio.report.inputs import Inputs, read_inputs


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("adjusted")
    return read_inputs(fabricate(folder, donors=90), folder)


def effects(inputs, task) -> np.ndarray:
    """(D,) what the trial itself finds."""
    trial = inputs.kind.part("report", "trial")(inputs)
    return task_table(trial, task, "task", seed=0)["effect"].to_numpy()


@pytest.mark.parametrize("task", ["disease", "response"])
def test_two_classes_differ_by_the_effect_of_the_table(inputs, task):
    look = adjusted(inputs, task)
    means = look.values.groupby(look.label).mean()
    np.testing.assert_allclose((means.loc[1.0] - means.loc[0.0]).to_numpy(), effects(inputs, task), atol=1e-9)
    assert look.donors == inputs.obs.loc[inputs.obs[task].notna(), "donor"].nunique() == len(look.values)
    assert look.terms[:3] == ("age", "sex", "site") and not look.within


def test_a_number_has_the_slope_of_the_table(inputs):
    look = adjusted(inputs, "age")
    slope = np.polyfit(look.label, look.values.to_numpy(), 1)[0] * look.label.std()
    np.testing.assert_allclose(slope, effects(inputs, "age"), atol=1e-9)
    assert "age" not in look.terms


def test_covariates_are_gone_from_it(inputs):
    """z04 follows the batch; what the picture shows of it does not."""
    look = adjusted(inputs, "disease")
    obs = inputs.obs.groupby(inputs.obs["donor"].astype(str))
    sex = pd.Series(obs["sex"].first().astype(str).to_numpy())
    raw = inputs.latents["z09"].groupby(inputs.obs["donor"].astype(str).to_numpy()).mean().reset_index(drop=True)
    gap = lambda values: abs(values.groupby(sex).mean().diff().iloc[-1])  # noqa: E731
    left = look.values["z09"] - look.values["z09"].groupby(look.label).transform("mean")
    assert gap(raw) > 1.5 and gap(left) < 0.05


def test_donors_that_are_seen_in_both_states_are_compared_with_themselves(inputs):
    state = np.tile(["healthy", "SLE"], len(inputs.obs) // 2)
    paired = replace(inputs, obs=inputs.obs.assign(disease=pd.Categorical(state)))
    look = adjusted(paired, "disease")
    assert look.within and look.donors == 90 and len(look.values) == 180
    means = look.values.groupby(look.label).mean()
    np.testing.assert_allclose((means.loc[1.0] - means.loc[0.0]).to_numpy(), effects(paired, "disease"), atol=1e-9)


def test_nothing_is_drawn_where_the_covariates_leave_nothing_of_the_task(inputs):
    same = replace(inputs, obs=inputs.obs.assign(site=inputs.obs["disease"]))
    assert adjusted(same, "disease") is None
    few = replace(inputs, obs=inputs.obs.assign(disease="SLE"))
    assert adjusted(few, "disease") is None and adjusted(inputs, "no_task") is None


def test_a_kind_without_a_trial_of_its_own_has_no_such_picture(inputs, monkeypatch):
    class Bare(type(KINDS["cohort"])):
        parts = {"report": {}}

    monkeypatch.setattr(Inputs, "kind", Bare())
    assert adjusted(inputs, "disease") is None


def test_the_task_that_a_verdict_is_about(inputs):
    row = inputs.verdicts.loc["z02"]
    assert linked_task(inputs, row) == "disease" and linked_task(inputs, inputs.verdicts.loc["z08"]) == "response"
    assert linked_task(inputs, pd.Series({**row, "about": "response"})) == "response"
    assert linked_task(inputs, row[[c for c in row.index if not c.startswith("q_")]]) is None
    assert linked_task(inputs, pd.Series({"q_age": 0.001})) is None  # age is a covariate, so no outcome
