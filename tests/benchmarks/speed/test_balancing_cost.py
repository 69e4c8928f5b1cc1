"""The ways that are timed: the bare stack, and a row per method."""

import torch

from benchmarks.speed import balancing_cost
from mtlbio.training.networks import BlockOptions
from mtlbio.training.replicas import fit


def test_the_bare_stack_is_the_plain_sum():
    problem = balancing_cost.problem_of(3, 30, 10, folds=2, seeds=2)
    options = BlockOptions(4, 10, 10**9, 0.3)
    plain = fit(problem, problem.dense, [0, 1], options)
    with balancing_cost.patch.object(balancing_cost.networks, "TaskWeights", balancing_cost.Bare):
        bare = fit(problem, problem.dense, [0, 1], options)
    torch.testing.assert_close(bare.outputs, plain.outputs, rtol=0, atol=0)
    assert bare.gradients is None and plain.gradients is not None


def test_costs_are_a_row_per_method(monkeypatch):
    for name, small in (("FOLDS", 2), ("SEEDS", 2), ("REPEATS", 1)):
        monkeypatch.setattr(balancing_cost, name, small)
    small = balancing_cost.problem_of(3, 30, 10, folds=2, seeds=2)
    monkeypatch.setattr(balancing_cost, "problem_of", lambda *sizes: small)
    table = balancing_cost.measured(3, False, ("famo", "pcgrad", "upgrad")).set_index("method")
    assert table.index.tolist() == ["plain", "famo", "pcgrad", "upgrad"]
    assert (table.loc["plain", ["trunk", "torchjd"]] == 1).all() and (table["us, trunk"] > 0).all()
    assert table.loc["famo", ["representation", "torchjd"]].isna().all()
    assert table.loc[["pcgrad", "upgrad"], ["trunk", "representation"]].notna().all(axis=None)
    assert table.loc["pcgrad", "torchjd"] > 0
