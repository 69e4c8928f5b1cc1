"""The runs of the benchmarks of proteins, and the options that all of them take."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import torch


def options(text: str) -> argparse.ArgumentParser:
    """The options of the data, the encoder and its training; ``text`` is the command's own."""
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder with protein_ss_rsa, protein_netsurfp2_q3, protein_profiles")
    parser.add_argument("--chains", type=int, help="chains with Q3 only; all where left out")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--encoder", default="lstm")
    parser.add_argument("--width", type=int, default=96)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--dropout", type=float, default=0.05)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--device", default="auto")
    return parser


def parsed(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """What the command line says; torch gets as many threads."""
    given = parser.parse_args()
    given.data = given.data.resolve()
    if given.threads:
        torch.set_num_threads(given.threads)
    return given


def described(part: str, given: argparse.Namespace, folder: Path, single: bool | list[str]) -> dict:
    """The run of a part, ``joint`` or ``profiles``; ``single``: as ``training: single_task``."""
    data = given.data
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
    content["training"] |= {"dropout": given.dropout, "single_task": single}
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
