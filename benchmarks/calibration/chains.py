"""Planted chains through the whole pipeline: how often is a verdict on a dimension of h_t wrong?

Nobody plants the dimensions of a trained encoder, so the truth about each is measured: on ``FRESH`` further chains of
the same generator, more than any verdict was given from. Where letters tell nothing of the labels, no dimension can be
biology, whatever it goes with.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd

from benchmarks.calibration.cells import Cell
from benchmarks.calibration.roles import MATERIAL, ROLE
from benchmarks.calibration.score import scored
from benchmarks.calibration.truth import World
from mtlbio.kinds.read import read_run
from mtlbio.model.residue_store import load_model
from mtlbio.probing.open_questions import TRACE
from mtlbio.sequence.read import read_sources
from mtlbio.sequence.simulate import simulate_chains, write_simulation
from mtlbio.tables import VERDICTS, read_table
from mtlbio.training.chains.batches import Reader
from mtlbio.training.chains.latents import write_latents

_NOTHING, _TRAPS = {"signal": 0.0, "water": 0.0}, {"ends": 1.0, "buried": 1.0}
ARMS: dict[str, dict] = {
    "letters tell": {},
    "letters tell little": {"signal": 0.7, "water": 0.4},
    "letters tell, ends and data sets too": _TRAPS,
    "nothing tells": _NOTHING,
    "only ends and data sets tell": _NOTHING | _TRAPS,
}
FRESH = 400  # chains on which the truth about a dimension is measured
_SHARE = 5  # one in so many chains is held out
_LABELS = "labels"  # the role of a dimension that goes with any label, position and data set held fixed


@dataclass(frozen=True)
class ChainCell(Cell):
    """One design: ``donors`` held-out chains, four times as many to learn from."""

    @property
    def name(self) -> str:
        """Unique in the grid."""
        return f"{self.arm}, {self.donors} held-out chains"

    @property
    def world(self) -> World:
        """What is true in it."""
        return World(frozenset({_LABELS} if self.changes.get("signal", 1.0) else ()))


def chains_grid(full: bool) -> list[tuple[ChainCell, int]]:
    """Cells and how many sets of chains of each."""
    sizes = {50: 20, 20: 20, 100: 10} if full else {20: 2}
    return [
        (ChainCell(arm, n, {"batch_disease": 0.5, **changes}), count)
        for n, count in sizes.items()
        for arm, changes in ARMS.items()
    ]


def judge_chains(cell: ChainCell, run: int) -> pd.DataFrame:
    """Scored dimensions of set ``run`` of a cell, as a user's run would have judged them."""
    from mtlbio.probing.residues.probe import probe
    from mtlbio.sequence.prepare import prepare
    from mtlbio.training.chains.train import train

    changes = {key: value for key, value in cell.changes.items() if key != "batch_disease"}
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        described = read_run(write_simulation(folder / "set", simulate_chains(_SHARE * cell.donors, run, **changes)))
        training = described.training.model_copy(update={"single_task": False, "device": "cpu"})
        described, results = described.model_copy(update={"training": training}), folder / "results"
        for step in (prepare, train, probe):
            step(described, results)
        verdicts = read_table(results / "verdicts.tsv", VERDICTS)
        fresh = write_simulation(folder / "fresh", simulate_chains(FRESH, run + 100_000, **changes))
        shares = true_shares(encoded(fresh, results / "model", folder / "fresh.h5ad"))
    roles = [role_of_chains(row, _LABELS in cell.world.causal) for row in shares.to_dict("records")]
    rows = scored(cell, run, list(verdicts["dim"]), roles, list(verdicts["verdict"]))
    return rows.assign(block="axis", **{f"share_{name}": shares[name].to_numpy() for name in shares})


def encoded(run: Path, model: Path, path: Path) -> ad.AnnData:
    """Latents of all chains of a run, as if every one of them had been held out from ``model``."""
    described = read_run(run)
    chains, _ = read_sources(described)
    chains = replace(chains, obs=chains.obs.assign(part="test"))
    write_latents(load_model(model), Reader(chains), described.probe.residues, "cpu", path)
    return ad.read_h5ad(path)


def true_shares(latents: ad.AnnData) -> pd.DataFrame:
    """Share of every dimension's variance over residues (D rows), 0-1.

    ``labels``: what states or accessibility add within chains to a smooth curve of position and one of the distance
    from the nearest end, the larger of the two; ``position``: what those curves tell; ``source``, ``length``: of the
    means of chains, each given the other.
    """
    z, obs = np.asarray(latents.X, dtype=float), latents.obs
    z = z - z.mean(axis=0)
    total = np.maximum(np.square(z).sum(axis=0), 1e-12)
    chain = pd.factorize(obs["donor"].astype(str))[0]
    between = _of_chains(z, chain)
    inside = z - between
    position, length = obs["position"].to_numpy(dtype=float), obs["length"].to_numpy(dtype=float)
    to_end = np.minimum(position, 1 - position) * length
    curves = [position**k for k in (1, 2, 3, 4)] + [np.exp(-to_end / reach) for reach in (1, 4, 12)]
    states = pd.get_dummies(obs["structure"].astype(str)).iloc[:, 1:].to_numpy(dtype=float)
    curves, states, exposure = (
        v - _of_chains(v, chain) for v in (np.column_stack(curves), states, obs[["exposure"]].to_numpy(dtype=float))
    )
    by_position = _explained(inside, curves)
    added = [_explained(inside, np.column_stack([curves, y])) - by_position for y in (states, exposure)]
    both = np.column_stack([obs["source"].astype(str).eq("complex"), length]).astype(float)
    both -= both.mean(axis=0)
    whole = _explained(between, both)
    shares = {
        _LABELS: np.maximum(*added),
        "position": by_position,
        "length": whole - _explained(between, both[:, :1]),
        "source": whole - _explained(between, both[:, 1:]),
    }
    return pd.DataFrame({name: np.clip(value / total, 0, 1) for name, value in shares.items()})


def role_of_chains(shares: dict[str, float], causal: bool) -> str:
    """What a dimension is about: the covariates with a material share, and the labels from a trace on.

    The best dimension of states is explained by them to a third, so that the limits of planted programmes
    (:mod:`benchmarks.calibration.roles`) do not fit the labels; a covariate that dominates has the dimension to itself.
    """
    covariates = {name: shares[name] for name in ("position", "length", "source")}
    first = max(covariates, key=covariates.get)
    if covariates[first] >= ROLE:
        return first
    parts = [name for name, share in covariates.items() if share >= 2 * MATERIAL]
    if causal and shares[_LABELS] >= TRACE:
        parts.append(_LABELS)
    return "+".join(sorted(parts)) or "noise"


def _of_chains(values: np.ndarray, chain: np.ndarray) -> np.ndarray:
    """(residues, k) mean of every residue's chain."""
    return pd.DataFrame(values).groupby(chain).transform("mean").to_numpy()


def _explained(z: np.ndarray, x: np.ndarray) -> np.ndarray:
    """(D,) sum of squares of z that least squares on x explain."""
    fitted = x @ np.linalg.lstsq(x, z, rcond=None)[0]
    return np.square(fitted).sum(axis=0)
