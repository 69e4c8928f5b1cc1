"""The trained ensemble: encoding, heads, and the files it is kept in."""

from __future__ import annotations

import json
from dataclasses import fields

import numpy as np
import pytest
from fabricated import AXES, SEEDS, TASKS, ensemble, expression_of
from safetensors import safe_open

from mtlbio.errors import InputError
from mtlbio.model.ensemble import FINAL, FoldModel, load_ensemble, save_ensemble
from mtlbio.model.outputs import Outputs


def test_latents_are_axes_then_the_block_of_every_seed():
    x = expression_of()
    made = ensemble(x)
    latents = made.latents(x, 1)
    assert latents.shape == (SEEDS, 24, AXES + 6)
    model = made.models[1]
    z = (x[:, model.features.genes_idx] - model.features.mean) / model.features.scale
    for seed in range(SEEDS):
        np.testing.assert_allclose(latents[seed, :, :AXES], z @ model.axes - model.axes_mean, atol=1e-4)
        curves = np.cos(z @ model.own_axes @ model.frequencies + model.phase) - model.curve_mean
        block = z @ model.block[seed] + curves @ model.curved[seed] - model.block_mean[seed]
        np.testing.assert_allclose(latents[seed, :, AXES:], block, atol=1e-4)


@pytest.mark.parametrize("task", TASKS)
def test_predictions_are_the_heads_on_the_latents(task):
    x = expression_of()
    made, packing = ensemble(x), Outputs.of(TASKS)
    t = list(TASKS).index(task)
    latents = made.latents(x, 0)
    weights, bias = made.head(task, 0)
    assert weights.shape == (SEEDS, AXES + 6, 3 if task == "subtype" else 1)
    outputs = np.einsum("snd,sdc->snc", latents, made.models[0].weights) @ packing.expand
    outputs = outputs[:, :, packing.outputs[t]] + bias[:, None]
    expected = TASKS[task].to_prediction(outputs, *((50.0, 17.0) if task == "age" else ()))
    np.testing.assert_allclose(made.predict(task, x, 0), expected, atol=1e-5, rtol=1e-5)
    assert made.predict(task, x, 0).shape == (SEEDS, 24) + {"stage": (4,), "subtype": (3,)}.get(task, ())
    # what a dimension does not feed, its removal does not change
    unread = latents.copy()
    unread[:, :, np.abs(weights).max(axis=(0, 2)) == 0] = 9
    np.testing.assert_allclose(made.predict_from_latents(task, unread, 0), made.predict(task, x, 0))


def test_folds_without_the_final_model():
    made = ensemble(expression_of(), folds=3)
    assert made.folds == [0, 1, 2] and FINAL in made.models


def test_what_is_saved_comes_back_exactly(tmp_path):
    x = expression_of()
    made = ensemble(x)
    save_ensemble(made, tmp_path / "model", {"training": {"genes": 20}})
    back = load_ensemble(tmp_path / "model")
    assert back.tasks == made.tasks
    assert (back.genes, back.dims, back.seeds, back.folds) == (made.genes, made.dims, made.seeds, made.folds)
    for fold, model in made.models.items():
        for field in fields(FoldModel):
            if field.name != "features":
                np.testing.assert_array_equal(getattr(back.models[fold], field.name), getattr(model, field.name))
        for name in ("genes_idx", "mean", "scale"):
            np.testing.assert_array_equal(getattr(back.models[fold].features, name), getattr(model.features, name))
        for task in TASKS:
            np.testing.assert_allclose(back.predict(task, x, fold), made.predict(task, x, fold), rtol=1e-4, atol=1e-5)


def test_the_files_are_safetensors_and_json_and_two_runs_write_the_same_bytes(tmp_path):
    made = ensemble(expression_of())
    save_ensemble(made, tmp_path / "a", {"training": {"genes": 20}})
    save_ensemble(made, tmp_path / "b", {"training": {"genes": 20}})
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == ["model.json", "weights.safetensors"]
    for name in ("model.json", "weights.safetensors"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    # a pickle would begin with the opcode 0x80 or, zipped by torch, with PK
    assert (tmp_path / "a" / "weights.safetensors").read_bytes()[:2] not in (b"\x80\x04", b"\x80\x02", b"PK")
    with safe_open(tmp_path / "a" / "weights.safetensors", framework="numpy") as file:
        assert f"{FINAL}/weights" in file.keys() and "0/genes_idx" in file.keys()
    description = json.loads((tmp_path / "a" / "model.json").read_text())
    assert description["training"] == {"genes": 20}
    assert [t["kind"] for t in description["tasks"]] == ["binary", "regression", "ordinal", "multiclass"]


def test_a_second_model_replaces_the_first(tmp_path):
    x = expression_of()
    save_ensemble(ensemble(x, folds=3), tmp_path / "model", {})
    save_ensemble(ensemble(x, folds=1), tmp_path / "model", {})
    assert load_ensemble(tmp_path / "model").folds == [0]
    assert [p.name for p in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize("missing", ["model.json", "weights.safetensors"])
def test_a_missing_file_is_one_clear_line(tmp_path, missing):
    with pytest.raises(InputError, match="no trained model .*`mtlbio train` writes one"):
        load_ensemble(tmp_path / "nothing")
    save_ensemble(ensemble(expression_of()), tmp_path / "model", {})
    (tmp_path / "model" / missing).unlink()
    with pytest.raises(InputError, match=f"{missing} missing") as error:
        load_ensemble(tmp_path / "model")
    assert "\n" not in str(error.value)
