"""Cohorts on which the odds are fitted: axes are given, and hold anything, a little of it or much.

The cells of :mod:`benchmarks.calibration.cells` plant pure axes, one thing varied at a time; odds learnt on them would
take any trace of a batch for the whole of it. Here every axis holds nothing, one programme or two, of any share.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from benchmarks.calibration.cells import BASE, Cell
from benchmarks.calibration.given_axes import judge_planted
from benchmarks.calibration.planted import plant
from benchmarks.calibration.roles import role_of

AXES = 12
_SIZES, _SEPARATIONS = (40, 80, 150, 400), (0.5, 0.7, 0.85, 1.0)
_DRIVERS = {"interferon drives": {}, "nothing drives": {"interferon": 0.0, "response": "nothing"}}


def mixtures_grid(full: bool) -> list[tuple[Cell, int]]:
    """Cells and how many cohorts of each."""
    return [
        (Cell(f"anything, {name}, P {apart:g}", n, {**BASE, **changes, "batch_disease": apart}), 30 if full else 4)
        for n in _SIZES
        for name, changes in _DRIVERS.items()
        for apart in _SEPARATIONS
    ]


def judge_mixtures(cell: Cell, run: int) -> pd.DataFrame:
    """Scored dimensions of cohort ``run`` of a cell; what the cell leaves open is drawn anew for every cohort."""
    rng = np.random.default_rng([run, 31])
    drives = cell.changes["interferon"] != 0
    changes = {
        "age_effect": rng.choice([0.0, 0.8, 1.5]),
        "shape": str(rng.choice(["linear", "linear", "u", "step"])),
        "batches": int(rng.choice([2, 4])),
        "interferon": rng.uniform(0.5, 1.5) if drives else 0.0,
        "response": str(rng.choice(["interferon", "nothing", "age"])) if drives else "nothing",
        "scattered": AXES,
    }
    planted = plant(cell.donors, run, **{**cell.changes, **changes})
    roles = [role_of(row) for row in planted.shares.to_dict("records")]
    return judge_planted(planted, roles, cell, run)[0]
