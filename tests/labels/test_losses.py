"""Losses agree with torch and scikit-learn, and a missing label leaves no trace."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.metrics import log_loss

from mtlbio.labels import Binary, Multiclass, Ordinal, Regression
from mtlbio.model.outputs import Outputs
from mtlbio.training.losses import task_losses

TASKS = {
    "disease": Binary("disease", ("healthy", "sick")),
    "age": Regression("age"),
    "stage": Ordinal("stage", ("I", "II", "III", "IV")),
    "subtype": Multiclass("subtype", ("A", "B", "C")),
}


def loss_of(kind: str, outputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    task = next(task for task in TASKS.values() if task.kind == kind)
    return task.loss(outputs, target, torch.ones_like(target))


def draw(*shape: int) -> torch.Tensor:
    return torch.as_tensor(np.random.default_rng(sum(shape)).normal(0, 2, shape))


def test_binary_is_torchs_cross_entropy():
    outputs, target = draw(3, 20, 1), (draw(20) > 0).double()
    expected = F.binary_cross_entropy_with_logits(outputs[..., 0], target.expand(3, 20), reduction="none")
    torch.testing.assert_close(loss_of("binary", outputs, target), expected)
    probability = torch.sigmoid(outputs[0, :, 0]).numpy()
    assert np.isclose(loss_of("binary", outputs[0], target).mean(), log_loss(target.numpy(), probability))


def test_multiclass_is_torchs_cross_entropy():
    outputs, target = draw(3, 20, 4), torch.arange(20).double() % 4
    expected = torch.stack([F.cross_entropy(o, target.long(), reduction="none") for o in outputs])
    torch.testing.assert_close(loss_of("multiclass", outputs, target), expected)


def test_regression_is_half_the_squared_error():
    outputs, target = draw(3, 20, 1), draw(20)
    torch.testing.assert_close(loss_of("regression", outputs, target), F.mse_loss(
        outputs[..., 0], target.expand(3, 20), reduction="none") / 2)  # fmt: skip


def test_ordinal_is_the_mean_of_its_thresholds():
    outputs, target = draw(20, 3), torch.arange(20).double() % 4
    expected = np.mean(
        [
            [
                -np.log(1 / (1 + np.exp(-o))) if level > k else -np.log(1 - 1 / (1 + np.exp(-o)))
                for k, o in enumerate(row)
            ]
            for row, level in zip(outputs.numpy(), target.numpy(), strict=True)
        ],
        axis=1,
    )
    np.testing.assert_allclose(loss_of("ordinal", outputs, target), expected)


@pytest.mark.parametrize("kind", ["binary", "multiclass", "ordinal"])
def test_the_loss_falls_towards_the_truth(kind):
    task = {t.kind: t for t in TASKS.values()}[kind]
    k = Outputs.of({task.name: task}).n_outputs
    target = torch.arange(len(task.classes)).double()
    outputs = torch.zeros(len(target), k, dtype=torch.float64, requires_grad=True)
    for _ in range(300):
        (slope,) = torch.autograd.grad(loss_of(kind, outputs, target).sum(), outputs)
        outputs = (outputs - slope).detach().requires_grad_()
    predicted = task.to_prediction(outputs.detach().numpy())
    if kind == "binary":
        np.testing.assert_allclose(predicted, target, atol=0.05)
    else:
        assert predicted.argmax(axis=1).tolist() == target.tolist()


def test_tasks_lie_side_by_side():
    packing = Outputs.of(TASKS)
    outputs, targets = draw(2, 9, packing.n_outputs), torch.arange(36).reshape(9, 4).double() % 2
    losses = task_losses(outputs, targets, torch.ones(2, 9, 4), packing)
    assert losses.shape == (2, 9, 4)
    for t, task in enumerate(TASKS.values()):
        own = Outputs.of({task.name: task})
        alone = task_losses(outputs[..., packing.outputs[t]], targets[:, t : t + 1], torch.ones(2, 9, 1), own)
        torch.testing.assert_close(losses[..., t], alone[..., 0])


def test_a_missing_label_has_no_gradient_whatever_number_stands_in_its_place():
    packing = Outputs.of(TASKS)
    known = torch.as_tensor(np.random.default_rng(0).random((30, 4)) < 0.6)
    targets = torch.zeros(30, 4, dtype=torch.float64)
    targets[:, 1] = draw(30)
    gradients = []
    for stand_in in (0.0, 1.0, 2.0):
        filled = torch.where(known, targets, stand_in)
        outputs = draw(30, packing.n_outputs).requires_grad_()
        (slope,) = torch.autograd.grad((task_losses(outputs, filled, known.double(), packing) * known).sum(), outputs)
        assert torch.isfinite(slope).all()
        gradients.append(slope)
        for t, place in enumerate(packing.outputs):
            assert (slope[~known[:, t], place] == 0).all()
            assert (slope[known[:, t], place] != 0).any()
    assert torch.equal(gradients[0], gradients[1]) and torch.equal(gradients[0], gradients[2])


@pytest.mark.parametrize("kind", [task.kind for task in TASKS.values()])
def test_huge_outputs_stay_finite(kind):
    outputs = torch.full((4, 1 if kind in ("binary", "regression") else 3), 1e4, requires_grad=True)
    loss = loss_of(kind, outputs, torch.zeros(4)).sum()
    assert torch.isfinite(loss)
    assert torch.isfinite(torch.autograd.grad(loss, outputs)[0]).all()
