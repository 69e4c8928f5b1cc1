"""The gated part of the trained model: the same as in training, and kept only where there is one."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from fabricated import CURVES, KEPT, SEEDS, ensemble, expression_of
from safetensors import safe_open

from mtlbio.model.ensemble import load_ensemble, save_ensemble
from mtlbio.model.gated import Gated, GatedBlock
from mtlbio.model.sharing.scheme import combine

R, E, C = 5, 3, 6


def gated(inputs: int, squash: str, seed: int = 0) -> Gated:
    rng = np.random.default_rng(seed)
    arrays = [rng.standard_normal(shape) for shape in ((inputs, R), (SEEDS, R, 2 * E * C), (SEEDS, E, C))]
    return Gated.of(*(v.astype(np.float32).astype(float) for v in arrays), squash)


@pytest.mark.parametrize("squash", ["softmax", "sigmoid"])
def test_values_are_those_of_training(squash):
    made, x = gated(KEPT, squash), np.random.default_rng(1).standard_normal((9, KEPT))
    found = made.values(x)
    for s in range(SEEDS):
        wide = np.concatenate([made.experts[s].reshape(R, -1), made.gates[s].reshape(R, -1)], axis=1)
        linear, gate = torch.as_tensor(x @ made.basis @ wide).unflatten(-1, (2, E, C)).unbind(1)
        np.testing.assert_allclose(
            found[s], combine(linear, gate, torch.as_tensor(made.offsets[s]), squash), atol=1e-10
        )
    factor = np.arange(SEEDS * C).reshape(SEEDS, C)
    np.testing.assert_allclose(made.times(factor).values(x), found * factor[:, None], atol=1e-9)
    np.testing.assert_allclose(made.times(factor[0]).values(x), found * factor[0], atol=1e-9)


def test_gates_far_from_zero_stay_finite():
    for squash in ("softmax", "sigmoid"):
        made = gated(KEPT, squash)
        far = replace(made, gates=1e6 * made.gates)
        assert np.isfinite(far.values(np.ones((2, KEPT)))).all()


@pytest.mark.parametrize("squash", ["softmax", "sigmoid"])
def test_gates_come_back_from_the_file(tmp_path, squash):
    x = expression_of()
    plain = ensemble(x)
    block = GatedBlock(gated(KEPT, squash), gated(CURVES, squash, 1))
    made = replace(plain, models={fold: replace(model, gated=block) for fold, model in plain.models.items()})
    save_ensemble(made, tmp_path / "model", {})
    back = load_ensemble(tmp_path / "model")
    np.testing.assert_allclose(back.latents(x, 0), made.latents(x, 0), rtol=1e-4, atol=1e-4)
    assert np.abs(made.latents(x, 0) - plain.latents(x, 0)).max() > 1
    assert json.loads((tmp_path / "model" / "model.json").read_text())["squash"] == squash


def test_a_model_without_gates_has_no_word_of_them(tmp_path):
    save_ensemble(ensemble(expression_of()), tmp_path / "model", {})
    assert "squash" not in json.loads((tmp_path / "model" / "model.json").read_text())
    with safe_open(tmp_path / "model" / "weights.safetensors", framework="numpy") as file:
        assert not [key for key in file.keys() if "gated" in key]
    assert all(model.gated is None for model in load_ensemble(tmp_path / "model").models.values())
