"""Many networks in one stack against one after another: the same numbers, and how much faster.

    python benchmarks/speed/replicas.py [--full] [--device cpu|cuda|auto] [--seed 0]

The networks of a run (folds x arms x seeds) are fitted three ways, for as many epochs: in one stack on row-space
scores, as mtlbio does; one after another on the same scores, each through its own module and read at the epochs that
the stack chose, a choice that pools the seeds; and in one stack on all genes. A rotation of the inputs changes
nothing that gradient descent finds, so all three must agree. Each way is timed once after a warm-up. Small form:
some seconds on one core. Full form: the size of a default run.
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

from benchmarks.speed.shared_encoder import SharedEncoder
from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.simulate import simulate
from mtlbio.cohort.split import make_splits
from mtlbio.config import Splits, Training
from mtlbio.labels import Binary, Regression
from mtlbio.progress import show_progress
from mtlbio.training.curvature import pace
from mtlbio.training.losses import task_losses
from mtlbio.training.networks import BlockOptions
from mtlbio.training.problem import Problem, make_problem, make_targets, prepare_fold
from mtlbio.training.replicas import Fitted, fit

WIDTH, RATE, NEVER = 8, 0.3, 10**9
TASKS = {
    "disease": Binary("disease", ("control", "case")),
    "age": Regression("age"),
    "response": Binary("response", ("non_responder", "responder")),
}


def problems(donors: int, genes: int, folds: int, seeds: int, seed: int, device: str) -> tuple[Problem, torch.Tensor]:
    """The problem of a planted cohort, and its standardised genes (f, n, p) on the scale of the scores."""
    simulation = simulate("clear", seed, donors=donors, genes=genes)
    obs = simulation.metadata.set_index("sample_id").rename(columns={"donor_id": "donor"})
    cohort = Cohort(simulation.expression.to_numpy(), tuple(simulation.expression.columns), obs, TASKS)
    splits = make_splits(cohort, Splits(folds=max(folds - 1, 2)))
    options = Training(axes=5, seeds=seeds)
    parts = [prepare_fold(cohort, splits, fold, options) for fold in [*range(folds - 1), -1]]
    arms = [np.ones(len(TASKS)), *np.eye(len(TASKS))]
    problem = make_problem(cohort, parts, make_targets(cohort, parts), arms, seeds, device)
    scaled = []
    for part in parts:
        # the basis has orthogonal columns of one length, so this is the same rotation undone
        length = np.linalg.norm(part.basis[:, 0])
        scaled.append(part.features.transform(cohort.expression) * length)
    return problem, torch.as_tensor(np.stack(scaled), dtype=torch.float32, device=device)


def one_after_another(problem: Problem, seeds: list[int], epochs: int, checkpoint: torch.Tensor) -> torch.Tensor:
    """(f, a, s, n, outputs) of plain gradient descent on each network by itself, every task at its checkpoint."""
    f, a, s, n = len(problem.dense), len(problem.active), len(seeds), problem.dense.shape[1]
    packing, checkpoint, shortened = problem.packing, checkpoint.cpu().numpy(), pace(problem.dense, problem.train)
    kept = torch.zeros(f, a, s, n, packing.n_outputs, device=problem.dense.device)
    for i, j, q in np.ndindex(f, a, s):
        inputs, targets = problem.dense[i], problem.targets[i]
        network = SharedEncoder(inputs.shape[1], WIDTH, packing, seeds[q]).to(inputs.device)
        weight = problem.train[i, q] * problem.active[j] * shortened[i, q]
        for epoch in range(epochs + 1):
            outputs = network(inputs)
            for t in np.flatnonzero(checkpoint[i, j] == epoch):
                kept[i, j, q, :, packing.outputs[t]] = outputs.detach()[:, packing.outputs[t]]
            if epoch < epochs:
                loss = (task_losses(outputs, targets, packing) * weight).sum()
                slopes = torch.autograd.grad(loss, list(network.parameters()))
                with torch.no_grad():
                    for value, slope in zip(network.parameters(), slopes, strict=True):
                        value -= RATE * slope
    return kept


def stacked(problem: Problem, inputs: torch.Tensor, seeds: list[int], epochs: int) -> Fitted:
    """The same from :func:`mtlbio.training.replicas.fit`; nothing stops early."""
    return fit(problem, inputs, seeds, BlockOptions(WIDTH, epochs, NEVER, RATE))


def timed(function, *arguments, device: str) -> tuple:
    """Result and seconds of a call."""
    if device == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    result = function(*arguments)
    if device == "cuda":
        torch.cuda.synchronize()
    return result, time.perf_counter() - start


def compare(device: str, full: bool, seed: int) -> list[dict]:
    """Rows of the table for one device."""
    donors, genes, folds, replicas, epochs = (300, 5000, 6, 5, 100) if full else (120, 1000, 3, 3, 40)
    problem, all_genes = problems(donors, genes, folds, replicas, seed, device)
    seeds = [seed + q for q in range(replicas)]
    warm = stacked(problem, problem.dense, seeds, 2)
    one_after_another(problem, seeds[:1], 1, warm.best_epoch)
    stack, fastest = timed(stacked, problem, problem.dense, seeds, epochs, device=device)
    alone, slow = timed(one_after_another, problem, seeds, epochs, stack.best_epoch, device=device)
    wide, wide_seconds = timed(stacked, problem, all_genes, seeds, epochs, device=device)
    reference = stack.outputs
    ways = {
        "stack, row space": (reference, fastest),
        "one after another, row space": (alone, slow),
        "stack, all genes": (wide.outputs, wide_seconds),
    }
    trained = torch.as_tensor(problem.packing.task_of_output, device=device)
    mask = problem.active[:, trained].bool()[None, :, None, None].expand_as(reference)
    return [
        {
            "device": device,
            "way": name,
            "networks": folds * len(problem.active) * replicas,
            "epochs": epochs,
            "inputs": inputs,
            "seconds": f"{seconds:.2f}",
            "ratio": f"{seconds / fastest:.1f}",
            "largest difference": f"{(result - reference)[mask].abs().max().item():.1e}",
        }
        for (name, (result, seconds)), inputs in zip(
            ways.items(), (problem.dense.shape[2], problem.dense.shape[2], all_genes.shape[2]), strict=True
        )
    ]


def main(device: str, full: bool, seed: int) -> None:
    """Print the table."""
    there = torch.cuda.is_available()
    devices = {"auto": ["cpu", "cuda"] if there else ["cpu"]}.get(device, [device])
    if device == "cuda" and not there:
        raise SystemExit("--device: found 'cuda', but torch sees no GPU here; valid: auto, cpu")
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    rows = [row for name in devices for row in compare(name, full, seed)]
    print(f"largest difference: of any output (logit or standardised value); {torch.get_num_threads()} CPU thread(s)")
    print(pd.DataFrame(rows).to_string(index=False))
    if not there:
        print("GPU skipped: torch sees none here")


if __name__ == "__main__":
    show_progress()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="the size of a default run")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="auto: CPU, and GPU if any")
    parser.add_argument("--seed", type=int, default=0, help="first seed")
    given = parser.parse_args()
    main(given.device, given.full, given.seed)
