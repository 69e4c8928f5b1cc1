"""Chains with their labels as every later step sees them, and their form on disk (``cohort.h5ad``).

Chains are the donors of a protein run and residues its samples. Everything per residue lies in flat arrays, one after
the other chain, a few bytes each: eleven thousand chains take some 30 MB.
"""

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort, parse_schema, read_h5ad, write_h5ad
from mtlbio.errors import InputError
from mtlbio.labels.residues import ResidueLabel, read_residue_label
from mtlbio.sequence.letters import AMINO_ACIDS

PARTS = ("train", "validation", "test", "external")
HELD_OUT = ("test", "external")
# Covariates that differ between residues of a chain: place along it (0-1), log2(1 + residues to the nearest end).
WITHIN_CHAINS = ("position", "end_distance")


@dataclass(frozen=True)
class Chains:
    """Chains with sequences and labels.

    Attributes
    ----------
    obs : one row per chain, index = its name; columns ``source`` (data set), ``cluster`` (homologous chains share
        one), ``part`` (a value of ``PARTS``), ``length``
    offsets : (chains + 1,) where each chain begins
    letters : (residues,) uint8 codes of :mod:`mtlbio.sequence.letters`
    labels : task -> (residues,): uint8 Q8 codes (255 missing) of a secondary structure, else float32 (NaN missing)
    q3 : task -> (residues,) uint8 Q3 codes of a secondary structure, also where Q8 is not known
    tasks : by name
    """

    obs: pd.DataFrame
    offsets: np.ndarray
    letters: np.ndarray
    labels: dict[str, np.ndarray] = field(default_factory=dict)
    q3: dict[str, np.ndarray] = field(default_factory=dict)
    tasks: dict[str, ResidueLabel] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.obs)

    @cached_property
    def names(self) -> np.ndarray:
        """(chains,) text."""
        return self.obs.index.to_numpy().astype(str)

    @cached_property
    def lengths(self) -> np.ndarray:
        """(chains,)."""
        return np.diff(self.offsets)

    def of(self, *parts: str) -> np.ndarray:
        """Places of the chains of these parts."""
        return np.flatnonzero(self.obs["part"].isin(parts).to_numpy())

    def rows(self, chain: int) -> slice:
        """Where the residues of a chain lie."""
        return slice(int(self.offsets[chain]), int(self.offsets[chain + 1]))

    def residues(self, places: np.ndarray) -> np.ndarray:
        """(residues,) bool, whether the residue lies in one of the chains at ``places``."""
        chosen = np.zeros(len(self), dtype=bool)
        chosen[places] = True
        return np.repeat(chosen, self.lengths)

    def known(self, task: str, rows: np.ndarray | slice = slice(None)) -> np.ndarray:
        """(residues,) whether the residue has the label (of a secondary structure, Q3 at least); of some residues."""
        return self.tasks[task].observed(*self.labels_at(task, rows))

    def labels_at(self, task: str, rows: np.ndarray | slice) -> tuple[np.ndarray, np.ndarray | None]:
        """Labels of some residues, and the coarser ones where the kind has them (of a secondary structure, Q3)."""
        coarse = self.q3.get(task)
        return self.labels[task][rows], None if coarse is None else coarse[rows]

    def labelled(self, task: str) -> np.ndarray:
        """(chains,) whether any residue has the label."""
        return np.add.reduceat(self.known(task), self.offsets[:-1]) > 0


def composition(chains: Chains) -> np.ndarray:
    """(chains, 20) share of every amino acid."""
    owner = np.repeat(np.arange(len(chains)), chains.lengths)
    valid = chains.letters < len(AMINO_ACIDS)
    counts = np.zeros((len(chains), len(AMINO_ACIDS)), dtype=np.float32)
    np.add.at(counts, (owner[valid], chains.letters[valid]), 1)
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)


def residue_cohort(latents: ad.AnnData) -> Cohort:
    """The held-out residues of ``latents.h5ad`` in the form of a cohort: chains are donors, without expression."""
    tasks, covariates = parse_schema(latents.uns["mtlbio"])
    names = tuple(np.asarray(latents.uns["genes"]).astype(str))
    empty = np.zeros((latents.n_obs, 0), dtype=np.float32)
    return Cohort(empty, names, latents.obs, tasks, covariates, {"kind": "protein"})


def write_chains(chains: Chains, path: str | Path) -> None:
    """Write ``cohort.h5ad`` of a protein run: obs = chains, X = composition, everything per residue in ``uns``."""
    arrays = {"offsets": chains.offsets, "letters": chains.letters}
    residues = arrays | {"labels": dict(chains.labels), "q3": dict(chains.q3)}
    schema = json.dumps({"tasks": [task.saved() for task in chains.tasks.values()]})
    uns = {"kind": "protein", "mtlbio": schema, "residues": residues}
    var = pd.DataFrame(index=pd.Index(list(AMINO_ACIDS), name="amino_acid"))
    write_h5ad(path, composition(chains), chains.obs, var, uns)


def read_chains(path: str | Path) -> Chains:
    """Read what :func:`write_chains` wrote.

    Raises
    ------
    InputError
        No such file, or not the chains of a protein run.
    """
    adata = read_h5ad(path, "prepare")
    if str(adata.uns.get("kind", "")) != "protein":
        raise InputError(f"{path}: holds no chains; `mtlbio prepare` of a run of kind protein writes them")
    stored = adata.uns["residues"]
    tasks = {task["name"]: read_residue_label(task) for task in json.loads(adata.uns["mtlbio"])["tasks"]}
    obs = adata.obs.assign(**{c: adata.obs[c].astype(str) for c in ("source", "cluster", "part")})
    labels, q3 = (dict(stored.get(key, {})) for key in ("labels", "q3"))
    return Chains(obs, stored["offsets"], stored["letters"], labels, q3, tasks)
