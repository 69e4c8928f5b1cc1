"""What a finished model says of chains that it has never seen: every replica by itself, then a row per residue."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from mtlbio.model.residue_store import ProteinModel
from mtlbio.sequence.chains import Chains
from mtlbio.training.chains.apply import apply
from mtlbio.training.chains.batches import Reader


def predicted(model: ProteinModel, reader: Reader, chains: Chains) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
    """Place of every chain, in their order, and task -> (replicas, length, 8) or (replicas, length)."""
    replicas: dict[int, list] = {place: [] for place in range(len(chains))}
    for network in model.networks:
        for chain in apply(network, reader, model.tasks, np.arange(len(chains)), model.centre):
            replicas[chain.place].append(chain.predictions)
    for place, parts in replicas.items():
        yield place, {name: np.stack([of_replica[name] for of_replica in parts]) for name in parts[0]}


def residue_table(model: ProteinModel, name: str, letters: str, predictions: dict[str, np.ndarray]) -> pd.DataFrame:
    """A row per residue of one chain, from predictions task -> (replicas, length, 8) or (replicas, length)."""
    columns: dict[str, object] = {"sample": name, "residue": np.arange(1, len(letters) + 1), "letter": list(letters)}
    for task, info in model.tasks.items():
        if not info.auxiliary:
            columns |= info.table_columns(predictions[task], tells_three(model, task))
    return pd.DataFrame(columns)


def tells_three(model: ProteinModel, task: str) -> bool:
    """Whether the model learnt from no chain with the finer labels of a task, and can tell the coarse ones only."""
    return task in model.training.get("three", [])
