import numpy as np
import torch

from mtlbio.training.curvature import curvature_of, pace


def test_curvature_is_the_largest_eigenvalue():
    x = torch.as_tensor(np.random.default_rng(0).standard_normal((40, 7)) * [5, 1, 1, 1, 1, 1, 1])
    weighted = x * (1 / 40) ** 0.5
    exact = np.linalg.eigvalsh((weighted.T @ weighted).numpy())[-1]
    assert exact <= curvature_of(weighted).item() <= 1.06 * exact
    assert exact <= curvature_of(torch.cat([weighted, torch.zeros(40, 60)], dim=1)).item() <= 1.06 * exact


def test_a_single_labelled_sample_shortens_the_step():
    features = torch.as_tensor(np.random.default_rng(1).standard_normal((1, 30, 12)))
    train = torch.zeros(1, 1, 30, 3, dtype=features.dtype)
    train[0, 0, 4, 0] = 1.0  # one label
    train[0, 0, :, 1] = 1 / 30 / 100  # nowhere near the limit; task 2 has no label at all
    expected = 1 / (1.05 * (features[0, 4] ** 2).sum().item())
    found = pace(features, train)[0, 0]
    assert abs(found[0].item() - expected) < 1e-6
    assert found[1].item() == found[2].item() == 1.0
