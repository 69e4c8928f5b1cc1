"""Whether a deep trunk is trained, and what a plan says of it."""

from __future__ import annotations

import pandas as pd
import pytest

from mtlbio.choices.deep import encoder_of, objection, plan_lines
from mtlbio.choices.sharing import SHARING
from mtlbio.config import Training
from mtlbio.config.training import Deep

PLAN = pd.DataFrame({"kind": ["task", "task", "pair"], "task": ["age", "sick", "sick"], "donors": [900, 40, 5000]})


@pytest.mark.parametrize("encoder, deep", [("linear", False), ("mlp", True)])
def test_a_named_encoder_is_what_it_says_however_few_donors(encoder, deep):
    assert encoder_of(Training(encoder=encoder), {"age": 3}).deep is deep


@pytest.mark.parametrize("donors, deep", [(899, False), (900, True)])
def test_auto_goes_by_the_task_with_most_labelled_donors(donors, deep):
    found = encoder_of(Training(encoder="auto", deep=Deep(from_donors=900)), {"sick": 40, "age": donors})
    assert found.deep is deep
    assert f"age has {donors} labelled donors" in found.why


def test_auto_leaves_to_lines_what_a_deep_trunk_cannot_serve():
    options = Training(encoder="auto", reconstruction=1.0)
    assert not encoder_of(options, {"age": 10**9}).deep
    assert "training.reconstruction" in encoder_of(options, {"age": 10**9}).why


def test_every_scheme_either_shares_or_is_refused():
    refused = {name for name in SHARING if objection(Training(sharing=name)) is not None}
    assert refused == {"soft", "trace_norm", "task_relation"}


def test_a_plan_says_it_from_its_own_rows():
    assert plan_lines(Training(), PLAN) == []
    (_, line) = plan_lines(Training(encoder="auto", deep=Deep(from_donors=900)), PLAN)
    assert line.startswith("A deep trunk is trained") and "age has 900 labelled donors, at least 900" in line
    (_, line) = plan_lines(Training(encoder="auto", deep=Deep(from_donors=901)), PLAN)
    assert line.startswith("No deep trunk is trained (auto: age has 900")
