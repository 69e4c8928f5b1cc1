"""Planted drugs through the whole pipeline: how often is a verdict on a dimension of a table of features wrong?

A dimension is named by its feature, so its role is known; a supervised one is what the planted activities say it is.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from benchmarks.calibration.cells import Cell
from benchmarks.calibration.roles import role_of
from benchmarks.calibration.score import scored
from benchmarks.calibration.truth import World
from benchmarks.calibration.whole import run_through, shares_of
from mtlbio.cohort.simulate_doses import Doses, simulate_doses, write_doses
from mtlbio.kinds.read import read_run

ARMS = {"enzyme and inhibitor act": 1.0, "half as strong": 0.5, "nothing acts": 0.0}
_FEW = 40  # patients on drug C


@dataclass(frozen=True)
class DoseCell(Cell):
    """One design: ``donors`` patients on each of drugs A and B; weight, age and ancestry act in all of them."""

    @property
    def world(self) -> World:
        """What is true in it."""
        return World(frozenset({"enzyme", "inhibitor"} if self.changes["effect"] else ()))


def doses_grid(full: bool) -> list[tuple[DoseCell, int]]:
    """Cells and how many cohorts of each."""
    sizes = {300: 20, 100: 20, 1000: 10} if full else {300: 2}
    return [
        (DoseCell(arm, n, {"batch_disease": 0.5, "effect": effect}), count)
        for n, count in sizes.items()
        for arm, effect in ARMS.items()
    ]


def judge_doses(cell: DoseCell, run: int) -> pd.DataFrame:
    """Scored dimensions of cohort ``run`` of a cell, as a user's run would have judged them.

    Sex is left out of the features: it acts through the weight alone, so that more than one verdict on it is right.
    """
    doses = simulate_doses(seed=run, a=cell.donors, b=cell.donors, c=_FEW, effect=cell.changes["effect"])
    with tempfile.TemporaryDirectory() as folder:
        path = write_doses(folder, doses)
        described = yaml.safe_load(path.read_text(encoding="utf-8"))
        described["features"]["categories"].remove("sex")
        path.write_text(yaml.safe_dump(described), encoding="utf-8")
        latents, verdicts = run_through(read_run(path), Path(folder) / "results")
    block, names = (latents.var[column].astype(str).to_numpy() for column in ("block", "feature"))
    planted = roles_of_rest(np.asarray(latents.X, dtype=float), doses, latents.obs_names)
    # neutral variants are all the same role
    own = [name.split("_")[0] for name in names]
    roles = np.where(block == "supervised", planted, own).tolist()
    rows = scored(cell, run, list(verdicts["dim"]), roles, list(verdicts["verdict"]))
    return rows.assign(block=block)


def roles_of_rest(z: np.ndarray, doses: Doses, patients: pd.Index) -> list[str]:
    """(D,) what every dimension is about: squared coefficients of its regression on the planted activities."""
    table, truth = doses.table.set_index("patient").loc[patients], doses.truth.loc[patients]
    planted = pd.DataFrame({"enzyme": truth["enzyme"], "inhibitor": table["inhibitor"].eq("yes").astype(float)})
    planted = planted.join(table[["weight", "age"]]).join(pd.get_dummies(table["ancestry"]).iloc[:, 1:].astype(float))
    shares = shares_of(z, planted)
    shares["ancestry"] = shares[list(planted.columns[4:])].sum(axis=1)
    return [role_of(row) for row in shares[["enzyme", "inhibitor", "weight", "age", "ancestry"]].to_dict("records")]
