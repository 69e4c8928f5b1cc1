"""Two overlaid digits, two tasks: does any balancer beat the plain sum?

    python benchmarks/sharing/digits.py [--full] [--methods NAME ...]

MultiMNIST (Sabour et al. 2017, NeurIPS; the two tasks of Sener & Koltun 2018, NeurIPS) in small, on the 8 x 8 digits
that come with scikit-learn: two digits on a canvas of 11 x 11, one shifted by three pixels each way, the brighter pixel
wins; one task names each. Digits that make test images make no training image. One hidden layer is shared, every task
has a linear head on it. A replica has its own split, pairs and initial values; all replicas of a method are one stack,
under Adam on full batches, with weights from :func:`mtlbio.training.balancing.registry.make_balancer`.

Printed per method: accuracy on test images, mean of both tasks and of the replicas; the paired difference from the
plain sum with its 95 % interval (t, replicas as the unit), and what is left of it when the intervals of all methods are
to hold together (Bonferroni). Small form: 6 replicas. Full form: 20 replicas of wider networks on more images.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from scipy import stats
from sklearn.datasets import load_digits

from mtlbio.choices.balancers import BALANCERS
from mtlbio.progress import show_progress, track
from mtlbio.training.balancing.registry import make_balancer
from mtlbio.training.balancing.step import Step

CANVAS, SHIFT, CLASSES, RATE = 11, 3, 10, 0.01
TASKS = ("left", "right")


def overlaid(images: np.ndarray, labels: np.ndarray, count: int, rng) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (count, 121) from 0 to 1 of random pairs, and the two digits (count, 2)."""
    pairs = rng.integers(len(images), size=(count, 2))
    canvas = np.zeros((count, CANVAS, CANVAS))
    canvas[:, :8, :8] = images[pairs[:, 0]]
    canvas[:, SHIFT:, SHIFT:] = np.maximum(canvas[:, SHIFT:, SHIFT:], images[pairs[:, 1]])
    return canvas.reshape(count, -1) / 16, labels[pairs]


def replica_data(replicas: int, train: int, test: int) -> list[tuple[torch.Tensor, ...]]:
    """Pixels (R, n, 121) and digits (R, n, 2), of training and of test images."""
    digits = load_digits()
    parts: list[list] = [[], []]
    for seed in range(replicas):
        rng = np.random.default_rng([seed, 8])
        order = rng.permutation(len(digits.images))
        cut = len(order) * 2 // 3
        for part, rows, count in zip(parts, (order[:cut], order[cut:]), (train, test), strict=True):
            part.append(overlaid(digits.images[rows], digits.target[rows], count, rng))
    return [
        (torch.as_tensor(np.stack([x for x, _ in part])).float(), torch.as_tensor(np.stack([y for _, y in part])))
        for part in parts
    ]


def start(replicas: int, width: int) -> list[torch.Tensor]:
    """Hidden weights and biases, head weights and biases of both tasks, stacked; each replica's from its own seed."""
    drawn = []
    for seed in range(replicas):
        draw = torch.Generator().manual_seed(seed)
        hidden = torch.randn(CANVAS**2, width, generator=draw) * (2 / CANVAS**2) ** 0.5
        drawn.append((hidden, torch.randn(2, width, CLASSES, generator=draw) * width**-0.5))
    hidden, heads = (torch.stack(own) for own in zip(*drawn, strict=True))
    return [hidden, torch.zeros(replicas, 1, width), heads, torch.zeros(replicas, 2, 1, CLASSES)]


def outputs_of(parameters: list[torch.Tensor], pixels: torch.Tensor) -> torch.Tensor:
    """(R, 2 tasks, n, 10)."""
    hidden, shift, heads, offset = parameters
    return (torch.baddbmm(shift, pixels, hidden).relu())[:, None] @ heads + offset


def losses_of(parameters: list[torch.Tensor], pixels: torch.Tensor, digits: torch.Tensor) -> torch.Tensor:
    """(R, 2) mean cross-entropy."""
    outputs = outputs_of(parameters, pixels)
    found = F.cross_entropy(outputs.flatten(0, 2), digits.mT.flatten(), reduction="none")
    return found.reshape(outputs.shape[:3]).mean(2)


def accuracy(name: str, data: list[tuple[torch.Tensor, ...]], width: int, steps: int) -> np.ndarray:
    """(R,) mean accuracy of both tasks on test images."""
    (pixels, digits), (test_pixels, test_digits) = data
    replicas = len(pixels)
    parameters = [value.requires_grad_() for value in start(replicas, width)]
    optimiser = torch.optim.Adam(parameters, lr=RATE)
    balancer = make_balancer(name, TASKS, replicas)
    present, seeds = torch.ones(replicas, 2, dtype=torch.bool), torch.arange(replicas)
    for epoch in range(steps):
        losses = losses_of(parameters, pixels, digits)
        if epoch:
            balancer.after(losses.detach())
        by_task = [torch.autograd.grad(losses[:, t].sum(), parameters, retain_graph=t == 0) for t in range(2)]
        slopes = [torch.stack(own, 1) for own in zip(*by_task, strict=True)]  # (R, 2 tasks, ...)
        flat = torch.cat([own.flatten(2) for own in slopes[:2]], dim=2)
        step = Step(epoch, losses.detach(), present, lambda flat=flat: flat @ flat.mT, seeds)
        weights = balancer.weights(step)
        for place, (value, slope) in enumerate(zip(parameters, slopes, strict=True)):
            own = weights if balancer.scope == "loss" or place < 2 else torch.ones_like(weights)
            value.grad = torch.einsum("rt,rt...->r...", own, slope)
        optimiser.step()
    with torch.no_grad():
        right = outputs_of(parameters, test_pixels).argmax(3) == test_digits.mT
    return right.float().mean((1, 2)).numpy()


def compared(found: dict[str, np.ndarray]) -> pd.DataFrame:
    """Differences from the plain sum, which is among ``found`` (R,) by method."""
    rows, others = [], len(found) - 1
    for name, own in found.items():
        row = {"method": name, "accuracy": f"{own.mean():.3f}"}
        if name != "equal":
            difference = own - found["equal"]
            error = difference.std(ddof=1) / np.sqrt(len(own))
            half, wide = (error * stats.t.ppf(1 - level / 2, len(own) - 1) for level in (0.05, 0.05 / others))
            row["difference"] = f"{difference.mean():+.3f}"
            row["95 % interval"] = f"{difference.mean() - half:+.3f} to {difference.mean() + half:+.3f}"
            row["all together"] = "differs" if abs(difference.mean()) > wide else "as the plain sum"
        rows.append(row)
    return pd.DataFrame(rows).fillna("")


def main(full: bool, methods: tuple[str, ...]) -> None:
    """Print the table."""
    replicas, train, test, width, steps = (20, 1500, 1000, 64, 200) if full else (6, 500, 500, 32, 80)
    data = replica_data(replicas, train, test)
    methods = ("equal", *(name for name in methods if name != "equal"))
    found = {name: accuracy(name, data, width, steps) for name in track(methods, "methods")}
    print(f"{replicas} replicas, {train} training images, {width} hidden units, {steps} steps")
    print(compared(found).to_string(index=False))


if __name__ == "__main__":
    show_progress()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="20 replicas of wider networks")
    parser.add_argument("--methods", nargs="+", choices=BALANCERS, default=list(BALANCERS), help="default: all")
    given = parser.parse_args()
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    main(given.full, tuple(given.methods))
