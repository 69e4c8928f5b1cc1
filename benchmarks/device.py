"""How long training and encoding take on the devices that are there, how much memory, and do their numbers agree?

    python benchmarks/device.py [--donors 1000] [--genes 300] [--processes 1 2] [--device auto|cpu|cuda] [--full]

A planted cohort (one label that follows products of programmes) is trained on the CPU and, where torch sees one, on a
GPU, with the same folds and seeds. A row per device: wall seconds of the linear predictors and of the deep trunk;
samples a second that a trained deep trunk takes; samples a second that the written model encodes (numpy, on the CPU
whatever the device); and memory (of the process on a CPU, of torch on a GPU). Then how far outputs are from those of
the CPU: their correlation, and the mean difference in units of their spread. Layers run in half precision on a GPU, so
the deep trunk is not the same to many digits there. Last, the deep trunk of a fold by several processes: seconds, those
of their start included, and the largest difference of any output. Small form: two minutes on two cores.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
import torch

from benchmarks.axes_and_predictions import deep as planting
from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.split import make_splits
from mtlbio.config import Splits, Training
from mtlbio.config.training import Shape
from mtlbio.errors import InputError
from mtlbio.training.deep.fit import fit_deep
from mtlbio.training.deep.fits import DeepFits
from mtlbio.training.deep.trunk import hidden, start
from mtlbio.training.fold_in import fold_in
from mtlbio.training.fold_predictors import Refit
from mtlbio.training.predictors import Predictors, fit_predictors
from mtlbio.training.problem import Problem
from mtlbio.training.refits import Refitter
from mtlbio.training.stacking import stack_predictors


def timed(function: Callable, *given, device: str, **named) -> tuple:
    """Result and wall seconds."""
    if device == "cuda":
        torch.cuda.synchronize()
    begun = time.perf_counter()
    found = function(*given, **named)
    if device == "cuda":
        torch.cuda.synchronize()
    return found, time.perf_counter() - begun


def per_second(encode: Callable, samples: int, device: str) -> float:
    """Samples that are encoded in a second, the fastest of three calls after the first."""
    encode()
    return samples / min(timed(encode, device=device)[1] for _ in range(3))


def trained(cohort: Cohort, options: Training, folds: int, device: str) -> tuple[dict, Predictors, DeepFits, Problem]:
    """A row for the device, what was trained, and on what."""
    splits = make_splits(cohort, Splits(folds=folds))
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    refitter = Refitter.of(cohort, splits, options, device)
    labelled = refitter.labelled([cohort])
    problem, (data, targets) = refitter.stacked([cohort], labelled), labelled[0]
    lines, of_lines = timed(fit_predictors, problem, refitter.seeds, options, device=device)
    order = np.argsort(cohort.obs.index.astype(str), kind="stable")
    deep, of_deep = timed(fit_deep, problem, refitter.seeds, options, order, device=device)
    stacking = stack_predictors(problem, lines.outputs, data, targets, cohort.donors)
    ensemble = fold_in(cohort, Refit(data, targets, lines, stacking), refitter.seeds).ensemble
    shape, scores = options.deep.shapes[0], problem.axes[0]
    layers = {name: value.to(device) for name, value in start(scores.shape[1], shape, 0).items()}
    if device == "cuda":
        memory = torch.cuda.max_memory_allocated() / 2**20
    else:
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    n = len(cohort.obs)
    with torch.no_grad():
        of_trunk = per_second(lambda: hidden(layers, scores, shape), n, device)
    row = {
        "device": device,
        "linear, s": f"{of_lines:.1f}",
        "deep, s": f"{of_deep:.1f}",
        "deep trunk, samples/s": f"{of_trunk:,.0f}",
        "encoding, samples/s": f"{per_second(lambda: ensemble.latents(cohort.expression), n, device):,.0f}",
        "memory, MB": f"{memory:,.0f}",
    }
    return row, lines, deep, problem


def agreement(name: str, found: torch.Tensor, expected: torch.Tensor) -> dict:
    """How far outputs are from those of the CPU."""
    a, b = (values.cpu().double().ravel() for values in (found, expected))
    together = float(torch.corrcoef(torch.stack([a, b]))[0, 1])
    apart = float((a - b).abs().mean() / b.std())
    return {"outputs": name, "correlation": f"{together:.6f}", "mean difference, SD": f"{apart:.1e}"}


def by_processes(problem: Problem, options: Training, counts: list[int]) -> list[dict]:
    """The deep trunk of one fold, a row per number of processes."""
    fold = slice(0, 1)
    names = ("axes", "genes", "dense", "curved", "targets", "train", "validation")
    one = replace(problem, **{name: getattr(problem, name)[fold] for name in names})
    order, rows, first, device = np.arange(one.targets.shape[1]), [], None, one.targets.device.type
    for count in counts:
        try:
            found, seconds = timed(fit_deep, one, [options.seed], options, order, processes=count, device=device)
        except InputError as error:
            print(f"{device}, {count} processes: skipped; {error}")
            continue
        first = first or found
        apart = f"{float((found.outputs - first.outputs).abs().max()):.0e}"
        rows.append({"device": device, "processes": count, "s": f"{seconds:.1f}", "largest difference": apart})
    return rows


def main(given: argparse.Namespace) -> None:
    """Print the tables."""
    there = torch.cuda.is_available()
    if given.device == "cuda" and not there:
        raise SystemExit("--device: found 'cuda', but torch sees no GPU here; valid: auto, cpu")
    planting.FEATURES = given.genes
    cohort, _ = planting.planted("interactions", given.donors, given.seed)
    folds, seeds = (5, 5) if given.full else (2, 1)
    options = Training(seeds=seeds, single_task=False, encoder="mlp", seed=given.seed)
    if not given.full:
        shapes = [Shape(width=128, depth=1, dropout=0.3)]
        options = options.model_copy(update={"deep": options.deep.model_copy(update={"shapes": shapes})})
    devices = ["cpu", "cuda"] if there and given.device != "cpu" else ["cpu"]
    found = {device: trained(cohort, options, folds, device) for device in devices}
    print(
        f"{given.donors:,} donors x {given.genes:,} genes, {folds} folds, {seeds} seeds; {os.cpu_count()} CPUs, ",
        end="",
    )
    print(f"{torch.get_num_threads()} thread(s), load {os.getloadavg()[0]:.1f}", end="")
    print(f"; {torch.cuda.get_device_name()}" if "cuda" in found else "")
    print(pd.DataFrame([row for row, *_ in found.values()]).to_string(index=False), flush=True)
    if "cuda" in found:
        (_, lines, deep, _), (_, lines_there, deep_there, _) = found["cpu"], found["cuda"]
        pairs = [(name, lines_there.outputs[name], lines.outputs[name]) for name in lines.outputs]
        rows = [agreement(*pair) for pair in [*pairs, ("deep", deep_there.outputs, deep.outputs)]]
        print(pd.DataFrame(rows).to_string(index=False))
    else:
        print("GPU skipped, and with it whether its numbers are those of the CPU: no GPU here, or --device cpu")
    for _, _, _, problem in found.values():
        print(pd.DataFrame(by_processes(problem, options, given.processes)).to_string(index=False), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--donors", type=int, default=1000)
    parser.add_argument("--genes", type=int, default=300)
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2], help="that train one deep trunk together")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="auto: CPU, and GPU if any")
    parser.add_argument("--full", action="store_true", help="five folds and seeds, all shapes of the deep trunk")
    parser.add_argument("--seed", type=int, default=0)
    main(parser.parse_args())
