import pytest

from benchmarks.calibration.roles import role_of
from benchmarks.calibration.truth import World, right_verdicts

CAUSAL, NULL = World(frozenset({"interferon"})), World(frozenset())


@pytest.mark.parametrize(
    "shares, role",
    [
        ({"age": 0.9, "interferon": 0.02}, "age"),
        ({"age": 0.7, "interferon": 0.15}, "age"),
        ({"age": 0.4, "interferon": 0.4}, "age+interferon"),
        ({"age": 0.6, "interferon": 0.25}, "age+interferon"),
        ({"batch": 0.5, "age": 0.05}, "batch+noise"),
        ({"batch": 0.15}, "noise"),
        ({}, "noise"),
    ],
)
def test_role_is_the_programme_that_makes_up_the_dimension(shares, role):
    assert role_of(shares) == role


@pytest.mark.parametrize(
    "role, world, right",
    [
        ("age", CAUSAL, {"confounder"}),
        ("batch", CAUSAL, {"technical"}),
        ("interferon", CAUSAL, {"biology"}),
        ("interferon", NULL, {"unused"}),
        ("composition", CAUSAL, {"unused"}),
        ("noise", CAUSAL, {"unused"}),
        ("age+interferon", CAUSAL, {"mixed", "biology"}),
        ("batch+interferon", CAUSAL, {"mixed"}),
        ("batch+noise", CAUSAL, {"mixed", "technical"}),
        ("interferon+noise", CAUSAL, {"biology"}),
        ("interferon", World(frozenset({"interferon"}), 1.0), {"not_identifiable"}),
        ("batch", World(frozenset({"interferon"}), 1.0), {"not_identifiable"}),
        ("batch", World(frozenset({"interferon"}), 1.0, several=True), {"not_identifiable", "technical"}),
        ("interferon", World(frozenset({"interferon"}), 1.0, several=True), {"not_identifiable"}),
        ("age", World(frozenset({"interferon"}), 1.0), {"confounder"}),
        ("batch", World(frozenset({"interferon"}), 0.95), {"technical", "not_identifiable"}),
    ],
)
def test_right_verdicts(role, world, right):
    assert right_verdicts(role, world) == right


def test_where_the_batch_is_the_disease_an_outcome_of_the_cases_alone_is_known():
    """Cases share the batch: it tells none of them from another, so that what drives their response can be known; what
    drives the disease cannot."""
    world = World(frozenset({"interferon"}), 1.0, apart=frozenset({"response"}))
    assert right_verdicts("interferon", world, "response") == {"not_identifiable", "biology"}
    assert right_verdicts("interferon", world, "disease") == {"not_identifiable"}
    assert right_verdicts("interferon", world) == {"not_identifiable"}
    assert right_verdicts("batch", world, "response") == right_verdicts("batch+interferon", world, "response")
    assert right_verdicts("batch", world, "response") == {"not_identifiable"}
    assert right_verdicts("noise", world, "response") == {"unused"}
    other = World(frozenset({"interferon"}), 1.0)  # interferon drives the disease, and the response is of nothing
    assert right_verdicts("interferon", other, "response") == {"not_identifiable"}
