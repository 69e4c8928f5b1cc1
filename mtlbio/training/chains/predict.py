"""What a finished model says of chains that it has never seen: every replica by itself, then a row per residue."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from mtlbio.model.residue_store import ProteinModel
from mtlbio.sequence.chains import Chains
from mtlbio.sequence.letters import Q3, Q8, three_states
from mtlbio.training.chains.apply import apply
from mtlbio.training.chains.batches import Reader


def predicted(model: ProteinModel, reader: Reader, chains: Chains) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
    """Place of every chain, in their order, and task -> (replicas, length, 8) or (replicas, length)."""
    found: dict[int, list] = {place: [] for place in range(len(chains))}
    for network in model.networks:
        for chain in apply(network, reader, model.tasks, np.arange(len(chains)), model.centre):
            found[chain.place].append(chain.predictions)
    for place, told in found.items():
        yield place, {name: np.stack([own[name] for own in told]) for name in told[0]}


def residue_table(model: ProteinModel, name: str, letters: str, told: dict[str, np.ndarray]) -> pd.DataFrame:
    """A row per residue of one chain.

    Parameters
    ----------
    told : task -> (replicas, length, 8) or (replicas, length)
    """
    columns: dict[str, object] = {"sample": name, "residue": np.arange(1, len(letters) + 1), "letter": list(letters)}
    for task, info in model.tasks.items():
        if info.auxiliary:
            continue
        mean = told[task].mean(axis=0)
        if info.kind == "secondary_structure":
            three, states = three_states(mean), states_of(model, task)
            if states == Q8:
                columns[f"{task}_q8"] = [Q8[k] for k in mean.argmax(axis=1)]
            columns[f"{task}_q3"] = [Q3[k] for k in three.argmax(axis=1)]
            shares = mean if states == Q8 else three
            columns |= {f"{task}_{state}": np.round(shares[:, k], 4) for k, state in enumerate(states)}
        else:
            columns[task] = np.round(mean, 4)
            if len(told[task]) > 1:
                columns[f"{task}_sd"] = np.round(told[task].std(axis=0, ddof=1), 4)
    return pd.DataFrame(columns)


def states_of(model: ProteinModel, task: str) -> str:
    """The states that the model can tell: three, where it learnt from no chain with eight."""
    return Q3 if task in model.training.get("three", []) else Q8
