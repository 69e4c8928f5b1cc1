"""The two-task problem of CAGrad and Nash-MTL: which balancers reach the Pareto set?

    python benchmarks/sharing/pareto_toy.py [--full]

Two losses of two parameters, in closed form: Liu et al. 2021, NeurIPS (CAGrad; figure 1 and the authors' toy.py) and,
with the first loss times .1, Navon et al. 2022, ICML (Nash-MTL; figure 1 and appendix B), which Liu et al. 2023 (FAMO)
repeat. Steep walls of one task meet the other one's floor at the height of the starts; the Pareto set lies below, along
``x_2 = -8.36, |x_1| <= 7``. As published: Adam with a learning rate of .001 from 3 and 5 starts, for 100,000, 35,000
and 50,000 steps. All starts are replicas in one stack, and the weights come from
:func:`mtlbio.training.balancing.registry.make_balancer` as in training.

Losses here go down to -20. Methods that take logarithms or ratios of losses see them above a floor of -21, as in the
authors' code of FAMO (Liu et al. 2023, NeurIPS, section 5.1). A start has arrived when it is within .1 of the set; a
method goes on until all have. Printed per method and problem: how many starts have arrived, the largest distance that
is left, the steps of the last arrival, and what the papers show. Small form: the plain sum. Full form: all methods.
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

from mtlbio.choices.balancers import BALANCERS
from mtlbio.progress import say, show_progress
from mtlbio.training.balancing.registry import make_balancer
from mtlbio.training.balancing.step import Step

RATE, BETAS, STEPS, ARRIVED, FLOOR = 1e-3, (0.9, 0.999), 50_000, 0.1, 21.0
LIU = ((-8.5, 7.5), (-8.5, -5.0), (9.0, 9.0))
NAVON = ((-8.5, 7.5), (0.0, 0.0), (9.0, 9.0), (-7.5, -0.5), (9.0, -1.0))
# starts that arrive, read from the captions and the text: Liu et al. 2021, figure 1; Navon et al. 2022, figure 1, where
# "the rightmost initialization points" of three methods do not; Liu et al. 2023, figure 1 and section 5.1
PUBLISHED = {
    "equal": ("1 of 3", "not all", "4 of 5"),
    "pcgrad": ("3 of 3", "not all", "5 of 5"),
    "mgda": ("3 of 3", "5 of 5", "5 of 5"),
    "cagrad": ("3 of 3", "not all", "5 of 5"),
    "nash_mtl": ("", "5 of 5", "5 of 5"),
    "famo": ("", "", "5 of 5"),
}


# as in the authors' code: CAGrad with c = .4 in that of Navon et al. (.5 in that of Liu et al.), FAMO without decay
OPTIONS = {"cagrad": {"c": 0.4}, "famo": {"weight_decay": 0.0}}
# the code of Navon et al. cuts the step of Nash-MTL to a length of 1, and of no other method
CUT = {"nash_mtl": 1.0}


def gradients_of(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Losses (R, 2) of Liu et al. 2021 at the points (R, 2), and their gradients (R, 2 tasks, 2)."""
    one, two = x[:, :1], x[:, 1:]
    side, steep = np.array([1.0, -1.0]), np.tanh(two)
    walls = np.hstack([(-one - 7) / 2 + steep, (3 - one) / 2 - steep + 2])
    above = np.log(np.abs(walls).clip(5e-6)) + 6
    inverse = np.where(np.abs(walls) > 5e-6, 1 / walls, 0.0)  # the floor of the logarithm is flat
    below = ((7 * side - one) ** 2 + 0.1 * (two + 8) ** 2) / 10 - 20
    up, down = np.tanh(two / 2).clip(0), np.tanh(-two / 2).clip(0)
    along_one = -0.5 * inverse * up - (7 * side - one) / 5 * down
    along_two = side * (1 - steep**2) * inverse * up + 0.02 * (two + 8) * down
    along_two += above * (1 - up**2) / 2 * (two >= 0) - below * (1 - down**2) / 2 * (two <= 0)
    return above * up + below * down, np.stack([along_one, along_two], 2)


def pareto_set(points: int = 1401) -> np.ndarray:
    """(points, 2) where a convex combination of the two gradients is 0, between the minima of the tasks."""
    one = np.linspace(-7, 7, points)
    low, high = np.full(points, -9.0), np.full(points, -8.0)
    for _ in range(50):
        middle = (low + high) / 2
        slopes = gradients_of(np.column_stack([one, middle]))[1]
        # along x_1 the tasks pull by 7 - x_1 and 7 + x_1, which these weights cancel
        rises = slopes[:, 0, 1] * (7 + one) + slopes[:, 1, 1] * (7 - one) > 0
        low, high = np.where(rises, low, middle), np.where(rises, middle, high)
    return np.column_stack([one, (low + high) / 2])


def descend(name: str, steps: int, rate: float, longest: float = np.inf, **options) -> tuple[np.ndarray, np.ndarray]:
    """All starts of both papers at once.

    Parameters
    ----------
    name, options : of the balancer
    steps, rate : of Adam
    longest : a step that is longer is cut before Adam sees it

    Returns
    -------
    distance : (8,) to the Pareto set at the end
    arrival : (8,) first step, of every hundredth, at which a start was near enough; inf if none was
    """
    x = np.array([*LIU, *NAVON])
    scale = np.ones((len(x), 2))
    scale[len(LIU) :, 0] = 0.1
    balancer = make_balancer(name, ("one", "two"), len(x), **options)
    present, seeds = torch.ones(len(x), 2, dtype=torch.bool), torch.arange(len(x))
    mean, square, front = np.zeros_like(x), np.zeros_like(x), pareto_set()
    arrival = np.full(len(x), np.inf)
    for step in range(1, steps + 1):
        losses, slopes = gradients_of(x)
        losses, slopes = torch.from_numpy((losses + FLOOR) * scale), slopes * scale[:, :, None]
        if step > 1:
            balancer.after(losses)
        inner = torch.from_numpy(slopes @ slopes.swapaxes(1, 2))
        weights = balancer.weights(Step(step - 1, losses, present, lambda inner=inner: inner, seeds)).numpy()
        slope = (weights[:, None] @ slopes)[:, 0]
        slope = slope * np.minimum(1, longest / np.linalg.norm(slope, axis=1, keepdims=True).clip(1e-300))
        mean, square = BETAS[0] * mean + (1 - BETAS[0]) * slope, BETAS[1] * square + (1 - BETAS[1]) * slope**2
        x = x - rate * mean / (1 - BETAS[0] ** step) / (np.sqrt(square / (1 - BETAS[1] ** step)) + 1e-8)
        if step % 100 == 0 or step == steps:
            distance = np.sqrt(((x[:, None] - front) ** 2).sum(2)).min(1)
            arrival = np.where((distance < ARRIVED) & np.isinf(arrival), step, arrival)
            if np.isfinite(arrival).all():
                break
    return distance, arrival


def row_of(name: str, steps: int, longest: float = np.inf) -> dict:
    """One line of the table."""
    distance, arrival = descend(name, steps, RATE, longest, **OPTIONS.get(name, {}))
    row = {"method": name if np.isinf(longest) else f"{name}, cut"}
    liu, navon = slice(0, len(LIU)), slice(len(LIU), None)
    for which, part, columns in (("Liu", liu, (0,)), ("Navon", navon, (1, 2))):
        there = np.isfinite(arrival[part])
        row[f"{which}: arrived"] = f"{there.sum()} of {len(there)}"
        shown = PUBLISHED.get(name, ("", "", ""))
        row[f"{which}: published"] = " / ".join(shown[c] or "-" for c in columns)
        row[f"{which}: distance"] = f"{distance[part].max():.2f}"
        row[f"{which}: steps"] = f"{arrival[part].max():.0f}" if there.all() else "-"
    return row


def main(full: bool) -> None:
    """Print the table."""
    rows = []
    for name in BALANCERS if full else ("equal",):
        for longest in (np.inf, *([CUT[name]] if name in CUT else [])):
            rows.append(row_of(name, STEPS, longest))
            say(f"{rows[-1]['method']}: {rows[-1]['Liu: arrived']} and {rows[-1]['Navon: arrived']}")
    print(f"at most {STEPS} steps; published: Liu et al. 2021; Navon et al. 2022 / Liu et al. 2023")
    print(pd.DataFrame(rows).to_string(index=False))


if __name__ == "__main__":
    show_progress()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="all methods")
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    main(parser.parse_args().full)
