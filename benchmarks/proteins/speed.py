"""How fast are protein runs, and how much memory do they take?

    python benchmarks/proteins/speed.py DATA [--chains N --seeds N --threads N]

Residues per second of training and prediction against a plain PyTorch loop of the same network, in turns; two networks
side by side against one after the other; and the memory of the process with all chains in it, or with ``--chains`` of
those with Q3 only.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import torch
import yaml

from benchmarks.proteins.described import described, options, parsed
from mtlbio.kinds.read import read_run
from mtlbio.progress import show_progress
from mtlbio.sequence.chains import read_chains, write_chains
from mtlbio.sequence.prepare import prepare
from mtlbio.training.chains import side_by_side
from mtlbio.training.chains.apply import apply
from mtlbio.training.chains.batches import Reader
from mtlbio.training.chains.fit import Parts, fit
from mtlbio.training.chains.make import fresh_network, make_reader
from mtlbio.training.chains.side_by_side import Job, fit_all, one


def speed(given: argparse.Namespace, folder: Path) -> None:
    """Residues per second in turns with a plain loop, and memory."""
    path = folder / "speed.yaml"
    path.write_text(yaml.safe_dump(described("joint", given, folder, ["exposure"])))
    run, results = read_run(path), folder / "speed"
    results.mkdir()
    prepare(run, results)
    chains = read_chains(results / "cohort.h5ad")
    reader, tasks = Reader(chains), list(chains.tasks.values())
    places = np.random.default_rng(0).permutation(chains.of("train"))[:400]
    parts = Parts(places, places[:2])
    training = run.training.model_copy(update={"epochs": 1})
    rates: dict[str, list[float]] = {"training": [], "plain training": [], "prediction": [], "plain prediction": []}
    for _ in range(3):
        network = fresh_network(run, chains, reader, tasks, 0)
        rates["training"].append(fit(network, reader, tasks, parts, training, 0).residues_per_second)
        network = fresh_network(run, chains, reader, tasks, 0)
        rates["plain training"].append(plain(network, chains, places, True))
        started = time.perf_counter()
        total = sum(len(told.latents) for told in apply(network, reader, chains.tasks, places, {}))
        rates["prediction"].append(total / (time.perf_counter() - started))
        rates["plain prediction"].append(plain(network, chains, places, False))
    print("\n| what | residues/s | plain loop | ratio |\n|---|---|---|---|")
    for name in ("training", "prediction"):
        own, other = np.median(rates[name]), np.median(rates[f"plain {name}"])
        print(f"| {name} | {own:,.0f} | {other:,.0f} | {own / other:.2f} |")
    print(f"\ntwo networks side by side are trained {together(run, results, chains, places):.2f} times as fast")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\npeak memory of this process with {len(chains):,} chains in it: {peak:,.0f} MB")


def together(run, results: Path, chains, places: np.ndarray) -> float:
    """How many times as fast two networks are trained in two processes as one after the other, the starts included."""
    left_out = np.setdiff1d(chains.of("train"), places)
    part = chains.obs["part"].to_numpy(dtype=object, copy=True)
    part[left_out] = "none"
    few = replace(chains, obs=chains.obs.assign(part=part))
    write_chains(few, results / "cohort.h5ad")
    run = run.model_copy(update={"training": run.training.model_copy(update={"epochs": 6, "patience": 6})})
    jobs, reader = [Job("multitask", tuple(chains.tasks), seed) for seed in (0, 1)], make_reader(run, few)
    started = time.perf_counter()
    for job in jobs:
        one(run, few, reader, job, "cpu")
    middle, side_by_side.WORTH = time.perf_counter(), 1
    fit_all(run, results, few, reader, jobs, "cpu")
    return (middle - started) / (time.perf_counter() - middle)


def plain(network, chains, places: np.ndarray, train: bool, count: int = 16) -> float:
    """Residues per second of the loop that one would write: chains in random order, padded, masked losses."""
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3)
    order = np.random.default_rng(1).permutation(places)
    network.train(train)
    started, seen = time.perf_counter(), 0
    for start in range(0, len(order), count):
        spans = [chains.rows(int(p)) for p in order[start : start + count]]
        letters = torch.nn.utils.rnn.pad_sequence(
            [torch.from_numpy(chains.letters[s].astype(np.int64)) for s in spans], True, 22
        )
        mask = letters != 22
        with torch.set_grad_enabled(train):
            told = network.outputs(network.latents(letters, mask))
        if train:
            y = torch.nn.utils.rnn.pad_sequence(
                [torch.from_numpy(chains.q3["structure"][s].astype(np.int64)) for s in spans], True, 255
            )
            z = torch.nn.utils.rnn.pad_sequence(
                [torch.from_numpy(chains.labels["exposure"][s]) for s in spans], True, torch.nan
            )
            known = ~torch.isnan(z)
            loss = torch.nn.functional.cross_entropy(told["structure"][y != 255], y[y != 255])
            if known.any():
                loss = loss + torch.nn.functional.mse_loss(told["exposure"][known][:, 0].sigmoid(), z[known])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        seen += int(mask.sum())
    return seen / (time.perf_counter() - started)


def main() -> None:
    """Print the speeds and the memory."""
    given = parsed(options(__doc__))
    with tempfile.TemporaryDirectory() as folder:
        speed(given, Path(folder))


if __name__ == "__main__":
    show_progress()
    main()
