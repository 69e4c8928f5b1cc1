"""Fronts by one stack of preferences: how much volume do they cover, and what do they cost?

    python benchmarks/sharing/front.py [--full] [--seed 0]

*Toy*: the two losses of two parameters of Liu et al. 2021 (CAGrad) and Navon et al. 2022 (Nash-MTL), as in
``pareto_toy.py``. Volume that 25 points cover below the reference (0, 0), the height of the saddle between the starts
and the set, as a share of what the Pareto set itself covers:

- *separate*: linear scalarisation, 25 trainings one after another, Adam from the point (0, -5);
- *stack*: the same 25 preferences at once;
- *COSMOS* (Ruchte & Grabocka 2021, ICDM): one network from the preference to the parameters, preferences drawn from a
  Dirichlet distribution, scalarisation minus lambda times the cosine of preference and losses;
- *PHN-LS*, *PHN-EPO* are Pareto hypernetworks (Navon et al. 2021, ICLR); PHN-LS, with linear scalarisation, is here,
  with their hidden layers; the exact solver of PHN-EPO is not.

*Conflict*: two planted tasks, 300 donors, a trunk of one dimension (``benchmarks/shared/planted_conflict.py``), skill
of held-out donors: the volume of 25 preferences in one stack, of the same trained one by one, and of the plain sum, and
the processor's seconds of the stack beside those of one training with the same folds. Small form: seed 0. Full: five.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
import torch

from benchmarks.shared.planted_conflict import OPTIONS, planted
from benchmarks.sharing.pareto_toy import BETAS, gradients_of, pareto_set
from mtlbio.cohort.split import make_splits
from mtlbio.config import Splits
from mtlbio.evaluation.tradeoff.hypervolume import hypervolume
from mtlbio.evaluation.tradeoff.points import Points
from mtlbio.evaluation.tradeoff.scored import PRESENT, Scored
from mtlbio.evaluation.tradeoff.simplex import preferences_of
from mtlbio.progress import say, show_progress
from mtlbio.training.preference_stack import fit_preferences, preference_stack

COUNT, STEPS, RATE, START = 25, 3000, 1e-2, (0.0, -5.0)
HIDDEN, BATCH, ALPHA, LAMBDA = 100, 16, 1.0, 1.0


def adam(x: np.ndarray, weights: np.ndarray, steps: int = STEPS) -> np.ndarray:
    """(R, 2) where R weighted sums of the two losses lead from the starts (R, 2)."""
    mean, square = np.zeros_like(x), np.zeros_like(x)
    for step in range(1, steps + 1):
        slope = (weights[:, None] @ gradients_of(x)[1])[:, 0]
        mean, square = BETAS[0] * mean + (1 - BETAS[0]) * slope, BETAS[1] * square + (1 - BETAS[1]) * slope**2
        x = x - RATE * mean / (1 - BETAS[0] ** step) / (np.sqrt(square / (1 - BETAS[1] ** step)) + 1e-8)
    return x


class Losses(torch.autograd.Function):
    """The toy's losses (R, 2) with the gradients in closed form."""

    @staticmethod
    def forward(ctx, x: torch.Tensor) -> torch.Tensor:
        losses, slopes = gradients_of(x.detach().numpy())
        ctx.save_for_backward(torch.from_numpy(slopes))
        return torch.from_numpy(losses)

    @staticmethod
    def backward(ctx, above: torch.Tensor) -> torch.Tensor:
        (slopes,) = ctx.saved_tensors
        return (above[:, :, None] * slopes).sum(1)


def conditioned(kind: str, seed: int, steps: int = STEPS) -> np.ndarray:
    """(COUNT, 2) parameters that one network gives for the preferences after training on drawn ones.

    COSMOS feeds the preference to one network; a hypernetwork is one network and a head for each of the target's
    layers, here a head for each of the two parameters.
    """
    torch.manual_seed(seed)
    linear = {"dtype": torch.float64}
    if kind == "COSMOS":
        trunk = torch.nn.Sequential(torch.nn.Linear(2, HIDDEN, **linear), torch.nn.ReLU())
        heads = torch.nn.ModuleList([torch.nn.Linear(HIDDEN, 2, **linear)])
    else:
        layers = [torch.nn.Linear(2, HIDDEN, **linear), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, HIDDEN, **linear)]
        trunk = torch.nn.Sequential(*layers, torch.nn.ReLU())
        heads = torch.nn.ModuleList([torch.nn.Linear(HIDDEN, 1, **linear) for _ in range(2)])
    start = torch.tensor(START, **linear)
    optimiser = torch.optim.Adam([*trunk.parameters(), *heads.parameters()], lr=1e-3)

    def parameters(weights: torch.Tensor) -> torch.Tensor:
        return start + torch.cat([head(trunk(weights)) for head in heads], dim=1)

    drawn = torch.distributions.Dirichlet(torch.full((2,), ALPHA, **linear))
    for _ in range(steps):
        weights = drawn.sample((BATCH,))
        losses = Losses.apply(parameters(weights))
        total = (weights * losses).sum(1)
        if kind == "COSMOS":  # of losses above their least values, as the cosine asks for positive ones
            total = total - LAMBDA * torch.cosine_similarity(weights, losses + 21, dim=1)
        optimiser.zero_grad()
        total.mean().backward()
        optimiser.step()
    with torch.no_grad():
        return parameters(torch.from_numpy(preferences_of(2, COUNT))).numpy()


def toy(seed: int) -> pd.DataFrame:
    """A row per way to the front of the toy."""
    whole = hypervolume(-gradients_of(pareto_set())[0])
    weights, start = preferences_of(2, COUNT), np.tile(START, (COUNT, 1))
    ways = {
        "separate": lambda: np.vstack([adam(start[:1], row[None]) for row in weights]),
        "stack": lambda: adam(start, weights),
        "COSMOS": lambda: conditioned("COSMOS", seed),
        "PHN-LS": lambda: conditioned("PHN-LS", seed),
    }
    rows, one = [], seconds(lambda: adam(start[:1], weights[:1]))[1]
    for name, way in ways.items():
        found, cost = seconds(way)
        share = hypervolume(-gradients_of(found)[0]) / whole
        rows.append({"way": name, "share of the volume": share, "seconds": cost, "of one training": cost / one})
    return pd.DataFrame(rows)


def conflict(seed: int) -> pd.DataFrame:
    """A row per way to the front of the planted conflict."""
    cohort, weights = planted(seed=seed), preferences_of(2, COUNT)
    splits, names = make_splits(cohort, Splits(folds=2)), tuple(f"w{k + 1:02d}" for k in range(COUNT))

    def fitted(rows: list[int]) -> list[dict[str, np.ndarray]]:
        points = Points(tuple(names[k] for k in rows), weights[rows], ("",) * len(rows))
        refitter = preference_stack(cohort, splits, OPTIONS, points.trained(cohort, 0.5))
        return fit_preferences(cohort, refitter)

    centre = COUNT // 2
    (present,), one = seconds(lambda: fitted([centre]))
    stack, at_once = seconds(lambda: fitted(list(range(COUNT))))
    apart, in_turn = seconds(lambda: [fitted([k])[0] for k in range(COUNT)])
    rows = []
    for name, points, cost in (("plain sum", [present], one), ("separate", apart, in_turn), ("stack", stack, at_once)):
        keys = [f"{k}" for k in range(len(points))]
        scored = Scored(cohort, dict(zip(keys, points, strict=True)) | {PRESENT: present}, 100, 0)
        row = {"way": name, "volume": hypervolume(scored.skills(keys)), "seconds": cost, "of one training": cost / one}
        rows.append(row)
    return pd.DataFrame(rows)


def seconds(way):
    """What a function gives, and the processor's seconds that it takes."""
    begin = time.process_time()
    found = way()
    return found, time.process_time() - begin


def main(full: bool, seed: int) -> None:
    """Print both tables, means over seeds."""
    seeds = range(seed, seed + (5 if full else 1))
    for name, table_of in (("toy", toy), ("conflict", conflict)):
        say(name)
        tables = pd.concat([table_of(s) for s in seeds])
        mean = tables.groupby("way", sort=False).mean()
        print(f"{name}, {len(seeds)} seeds\n{mean.round(4).to_string()}\n", flush=True)


if __name__ == "__main__":
    show_progress()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="five seeds")
    parser.add_argument("--seed", type=int, default=0)
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    given = parser.parse_args()
    main(given.full, given.seed)
