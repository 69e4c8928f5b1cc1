"""How good are protein runs, and how fast? One command, one table.

    python benchmarks/proteins.py DATA [joint profiles speed] [--chains N --epochs N --seeds N --threads N]

DATA holds the folders protein_ss_rsa, protein_netsurfp2_q3 and protein_profiles.

joint     single sequence: trained on the joint chains and on those with Q3 only, scored on the joint test chains; what
          accessibility gains from the latter against the network of accessibility alone
profiles  the same labels with profiles, on the chains of the joint set that have one
speed     residues per second of training and prediction against a plain PyTorch loop of the same network, in turns,
          and the memory of a process with few and with many chains

``--chains`` limits the chains with Q3 only, ``--epochs`` the training: small numbers show that everything runs.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import yaml

from mtlbio.evaluation.residues.baselines import baselines
from mtlbio.evaluation.residues.evaluate import evaluate
from mtlbio.kinds.read import read_run
from mtlbio.sequence.chains import read_chains, write_chains
from mtlbio.sequence.prepare import prepare
from mtlbio.tables import read_table
from mtlbio.training.chains import side_by_side
from mtlbio.training.chains.apply import apply
from mtlbio.training.chains.batches import Reader
from mtlbio.training.chains.fit import fit
from mtlbio.training.chains.make import fresh_network, make_reader
from mtlbio.training.chains.side_by_side import Job, fit_all, one
from mtlbio.training.chains.train import train

TARGETS = {
    ("joint", "structure", "q3"): 0.72,
    ("joint", "structure", "q8"): 0.58,
    ("joint", "exposure", "pearson"): 0.60,
    ("profiles", "structure", "q3"): 0.80,
    ("profiles", "exposure", "pearson"): 0.70,
}


def described(part: str, data: Path, given: argparse.Namespace, folder: Path) -> dict:
    """The run of a part."""
    joint = {"path": str(data / "protein_ss_rsa/joint_ss8_rsa.csv.gz"), "sequence": "seq", "source": "source_set"}
    joint |= {"cluster": "cluster25", "split": "split"}
    content = {
        "run": part,
        "kind": "protein",
        "chains": {"joint": joint},
        "tasks": {
            "structure": {"kind": "secondary_structure", "q8": "q8", "q3": "q3"},
            "exposure": {"kind": "accessibility", "column": "rsa_tien"},
        },
        "splits": {"external": ["external_casp_fm"]},
        "training": {"encoder": given.encoder, "width": given.width, "layers": given.layers, "seeds": given.seeds},
        "baselines": {"arms": ["majority", "covariates", "window_linear"]},
    }
    content["training"] |= {"epochs": given.epochs, "batch": 2048, "learning_rate": 0.003, "device": given.device}
    content["training"] |= {"dropout": given.dropout, "single_task": True if given.alone else ["exposure"]}
    if part == "profiles":
        joint["keep"] = {"source_set": ["Train_335", "Test_60", "Test_315"]}
        content["features"] = {"profiles": str(data / "protein_profiles/graphppis_profiles_f16.npz")}
        content["training"] |= {"dropout": 0.3, "epochs": 2 * given.epochs}
        return content
    content["chains"]["netsurfp"] = {
        "path": str(few(data, given.chains, folder)),
        "sequence": "seq",
        "mask": "resolved",
    }
    content["chains"]["netsurfp"] |= {"part": "train", "keep": {"split": ["train", "val"]}}
    return content


def few(data: Path, chains: int | None, folder: Path) -> Path:
    """The chains with Q3 only, or the first of them."""
    path = data / "protein_netsurfp2_q3/netsurfp2_flip_q3.csv.gz"
    if chains is None:
        return path
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    table = table[table["split"].isin(["train", "val"])]
    rows = np.concatenate(
        [np.flatnonzero(table["split"] == s)[: max(chains - 1, 1) if s == "train" else 1] for s in ("train", "val")]
    )
    table.iloc[rows].to_csv(folder / "few.csv", index=False)
    return folder / "few.csv"


def scored(part: str, data: Path, given: argparse.Namespace, folder: Path) -> None:
    """Train, score and print a part."""
    path = folder / f"{part}.yaml"
    path.write_text(yaml.safe_dump(described(part, data, given, folder)))
    run, results = read_run(path), (given.keep or folder) / part
    results.mkdir(parents=True, exist_ok=True)
    prepare(run, results)
    started = time.perf_counter()
    train(run, results)
    minutes = (time.perf_counter() - started) / 60
    for step in (baselines, evaluate):
        step(run, results)
    metrics = read_table(results / "metrics.tsv")
    print(f"\n{part}: {minutes:.1f} minutes for all networks of `mtlbio train`")
    print("| part | arm | label | metric | value | 95 % interval | target |\n|---|---|---|---|---|---|---|")
    for row in metrics.itertuples():
        target = TARGETS.get((part, row.task, row.metric)) if (row.arm, row.part) == ("multitask", "test") else None
        interval = f"{row.ci_low:.3f} to {row.ci_high:.3f}"
        said = "" if target is None else f"{target} {'met' if row.value >= target else 'MISSED'}"
        print(f"| {row.part} | {row.arm} | {row.task} | {row.metric} | {row.value:.3f} | {interval} | {said} |")
    for row in read_table(results / "transfer.tsv").itertuples():
        print(f"- {row.why}")


def speed(data: Path, given: argparse.Namespace, folder: Path) -> None:
    """Residues per second in turns with a plain loop, and memory."""
    path = folder / "speed.yaml"
    path.write_text(yaml.safe_dump(described("joint", data, given, folder)))
    run, results = read_run(path), folder / "speed"
    results.mkdir()
    prepare(run, results)
    chains = read_chains(results / "cohort.h5ad")
    reader, tasks = Reader(chains), list(chains.tasks.values())
    places = np.random.default_rng(0).permutation(chains.of("train"))[:400]
    options = run.training.model_copy(update={"epochs": 1})
    rates: dict[str, list[float]] = {"training": [], "plain training": [], "prediction": [], "plain prediction": []}
    for _ in range(3):
        network = fresh_network(run, chains, reader, tasks, 0)
        rates["training"].append(fit(network, reader, tasks, places, places[:2], options, 0).residues_per_second)
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
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("parts", nargs="*", default=["joint", "profiles", "speed"])
    parser.add_argument("--chains", type=int, help="chains with Q3 only; all where left out")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--encoder", default="lstm")
    parser.add_argument("--width", type=int, default=96)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--dropout", type=float, default=0.05)
    parser.add_argument("--alone", action="store_true", help="train the network of secondary structure alone too")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--keep", type=Path, help="folder that keeps the results")
    given = parser.parse_args()
    if given.threads:
        torch.set_num_threads(given.threads)
    with tempfile.TemporaryDirectory() as folder:
        for part in given.parts:
            if part == "speed":
                speed(given.data.resolve(), given, Path(folder))
            else:
                scored(part, given.data.resolve(), given, Path(folder))


if __name__ == "__main__":
    main()
