"""Encoders of chains: a chain's vectors depend on that chain alone."""

import numpy as np
import pytest
import torch

from mtlbio.choices.encoders import ENCODERS
from mtlbio.errors import InputError
from mtlbio.labels.residues import Accessibility, ResidueRegression, SecondaryStructure
from mtlbio.model.encoders.base import Shape
from mtlbio.model.encoders.make import make_encoder
from mtlbio.model.encoders.transformer import rotated
from mtlbio.model.residues import ResidueNetwork
from mtlbio.sequence.letters import PADDING

SHAPE = Shape(width=16, layers=2, kernel=5, attention_heads=2, dropout=0.3)
TASKS = {
    "structure": SecondaryStructure("structure"),
    "exposure": Accessibility("exposure"),
}


def network(name: str) -> ResidueNetwork:
    torch.manual_seed(0)
    return ResidueNetwork(TASKS, name, SHAPE, latent=6).eval()


@pytest.mark.parametrize("name", ENCODERS)
@torch.no_grad()
def test_predictions_do_not_depend_on_batch_mates_or_padding(name):
    chains = [
        torch.randint(0, 20, (length,), generator=torch.Generator().manual_seed(length)) for length in (5, 31, 64)
    ]
    net = network(name)
    batch = torch.full((3, 70), PADDING)
    for i, chain in enumerate(chains):
        batch[i, : len(chain)] = chain
    together = net.latents(batch, batch != PADDING)
    assert not together[0, 5:].any()
    for i, chain in enumerate(chains):
        alone = net.latents(chain[None], torch.ones(1, len(chain), dtype=torch.bool))[0]
        assert (together[i, : len(chain)] - alone).abs().max() < 1e-5
        for own, other in zip(net.outputs(alone).values(), net.outputs(together[i]).values(), strict=True):
            assert (own - other[: len(chain)]).abs().max() < 1e-5


@pytest.mark.parametrize("name", ENCODERS)
@torch.no_grad()
def test_an_encoder_looks_at_neighbours_on_both_sides(name):
    net, letters = network(name), torch.randint(0, 20, (1, 40))
    mask = torch.ones(1, 40, dtype=torch.bool)
    before = net.latents(letters, mask)[0]
    changed = letters.clone()
    changed[0, 20] = (letters[0, 20] + 1) % 20
    moved = (net.latents(changed, mask)[0] - before).abs().max(dim=1).values
    assert moved[[18, 19, 20, 21, 22]].min() > 1e-6


def test_an_unknown_encoder_is_one_clear_line():
    with pytest.raises(InputError, match="no encoder 'mlp'; valid: cnn, lstm, transformer"):
        make_encoder("mlp", 22, SHAPE)


def test_rotary_positions_enter_as_differences_only():
    torch.manual_seed(0)
    query, key = torch.randn(1, 8), torch.randn(1, 8)
    speed = 10_000.0 ** (-torch.arange(4) / 4)

    def product(i: int, j: int) -> float:
        turned = [rotated(x, (p * speed).cos()[None], (p * speed).sin()[None]) for x, p in ((query, i), (key, j))]
        return float((turned[0] * turned[1]).sum())

    assert product(3, 8) == pytest.approx(product(40, 45), abs=1e-5)
    assert product(3, 8) != pytest.approx(product(3, 20), abs=1e-3)


def test_predictions_are_in_the_tasks_own_terms():
    raw = np.log(np.array([[1, 2, 3, 4, 5, 6, 7, 8]]) / 36)
    assert np.allclose(TASKS["structure"].to_prediction(raw), np.arange(1, 9) / 36)
    assert TASKS["exposure"].to_prediction(np.zeros((2, 1))).tolist() == [0.5, 0.5]
    assert ResidueRegression("c").to_prediction(np.ones((1, 1)), 5.0, 2.0).tolist() == [7.0]
