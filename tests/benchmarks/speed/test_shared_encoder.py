"""The supervised block as a network: what it starts from and what it computes."""

from __future__ import annotations

import numpy as np
import torch
from fabricated import TASKS

from benchmarks.speed.shared_encoder import SharedEncoder
from mtlbio.model.outputs import Outputs


def network(width: int = 8, seed: int = 0) -> SharedEncoder:
    return SharedEncoder(12, width, Outputs.of(TASKS), seed)


def test_an_untrained_network_says_nothing():
    made = network()
    inputs = torch.randn(5, 12, generator=torch.Generator().manual_seed(0))
    assert made(inputs).shape == (5, 8)
    assert (made(inputs) == 0).all()


def test_forward_is_one_product():
    made, packing = network(), Outputs.of(TASKS)
    rng = np.random.default_rng(0)
    trunk, heads, bias = rng.normal(size=(12, 8)), rng.normal(size=(8, 6)), rng.normal(size=8)
    with torch.no_grad():
        for part, value in {made.own["trunk"]: trunk, made.own["heads"]: heads, made.bias: bias}.items():
            part.copy_(torch.as_tensor(value))
    x = rng.normal(size=(5, 12))
    outputs = made(torch.as_tensor(x, dtype=torch.float32)).detach().numpy()
    np.testing.assert_allclose(outputs, x @ trunk @ heads @ packing.expand + bias, atol=1e-4)


def test_every_column_starts_on_a_dimension_of_its_own():
    heads = network(width=8).own["heads"].detach().numpy()
    assert heads[:6].argmax(axis=0).tolist() == [0, 1, 2, 3, 4, 5]
    assert np.abs(heads - np.eye(8)[:, :6]).max() < 0.5
    narrow = network(width=2).own["heads"].detach().numpy()
    assert narrow.argmax(axis=0).tolist() == [0, 1, 0, 1, 0, 1]


def test_the_seed_fixes_the_start_and_global_randomness_does_not_matter():
    torch.manual_seed(1)
    first = network(seed=3).own["heads"].detach()
    torch.manual_seed(2)
    assert torch.equal(first, network(seed=3).own["heads"].detach())
    assert not torch.equal(first, network(seed=4).own["heads"].detach())
