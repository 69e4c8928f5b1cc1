"""Latents that another model would have made of a planted cohort, and the verdicts that their trial reaches.

The model sees all donors and no label: principal components, as they are or rotated by varimax, of the measurements as
they are, after the batch was taken out, or after it was taken out while disease was kept (limma's removeBatchEffect
with a design; ComBat with ``mod`` moves means alike).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from benchmarks.calibration.cells import BASE, Cell
from benchmarks.calibration.roles import role_of
from benchmarks.calibration.score import TERM, firm_p, scored
from benchmarks.calibration.whole import planted_shares
from mtlbio.cohort.simulate import Simulation, simulate
from mtlbio.embedding.simulate import rotated_components
from mtlbio.model.blocks import standardised
from mtlbio.model.rotation import principal_components
from mtlbio.notebook.trial import trial

AXES = 10
BARS = (0.5, 0.85, 0.95)  # P(batch = disease) of the nulls that the bar on false biology is set for
NOTHING = {"interferon": 0.0, "age_effect": 0.0, "response": "nothing"}
AGE_ONLY = {"interferon": 0.0, "age_effect": 1.5, "response": "nothing"}
TASKS = {"disease": {"kind": "binary", "positive": "case"}, "response": {"kind": "binary", "positive": "responder"}}
COVARIATES = {
    "age": {"role": "confounder", "kind": "continuous"},
    "sex": {"role": "confounder"},
    "batch": {"role": "technical"},
}
_OF_LATENTS = ("rotate", "correction")
_RENAMED = {"interferon": "interferon_effect"}


def latents_grid(full: bool) -> list[tuple[Cell, int]]:
    """Cells of latents of other models, and how many cohorts of each: nulls of plain components, and rotated ones that
    hold something. Which of their cohorts speak for the rates, :func:`even_mix` says."""
    runs, cells = (200, 100) if full else (4, 4), []
    for donors in (80, 200):
        for p in (0.5, 0.7, 0.85, 0.95, 1.0):
            null = _cell(f"nothing causes anything, P {p:g}", donors, NOTHING, p, rotate=False)
            cells.append((null, runs[0] if p in BARS else runs[1]))
            cells.append((_cell(f"rotated, P {p:g}", donors, {}, p), runs[1]))
        cells.append((_cell("rotated, disease follows age only", donors, AGE_ONLY, 0.5), runs[1]))
    return cells


def even_mix(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows that rates are counted on: of every size and separation as many cohorts in which nothing drives an
    outcome but what is recorded as cohorts in which interferon does.

    There are more nulls, for the bar on false biology; a rate counted on all of them would be that of cohorts in which
    there is hardly anything to find. The first cohorts of every null cell are taken, of each the same number.
    """
    cells = {cell.name: cell for full in (False, True) for cell, _ in latents_grid(full)}
    driven = rows["cell"].map(lambda name: bool(cells[name].world.causal)).astype(bool)
    out = []
    for _, own in rows.groupby(["donors", "separation"], sort=False):
        causal, null = own[driven[own.index]], own[~driven[own.index]]
        kept = len(causal[["cell", "run"]].drop_duplicates()) // max(null["cell"].nunique(), 1)
        place = null.groupby("cell")["run"].rank(method="dense")
        out += [causal, null[place <= kept]]
    return pd.concat(out, ignore_index=True)


def corrections_grid(full: bool) -> list[tuple[Cell, int]]:
    """Cells of nulls whose batch was taken out beforehand, and how many cohorts of each."""
    runs, cells = 200 if full else 4, []
    for donors in (80, 200):
        for how, name in (("plain", "batch taken out"), ("protected", "batch taken out, disease kept")):
            for p in (0.5, 0.85, 0.95):
                cell = _cell(f"{name}, P {p:g}", donors, NOTHING, p, rotate=False, correction=how)
                cells.append((cell, runs))
    return cells


def _cell(name: str, donors: int, changes: dict, separation: float, **how) -> Cell:
    return Cell(name, donors, {**BASE, "batches": 2, **changes, "batch_disease": separation, **how})


def judge_latents(cell: Cell, run: int) -> pd.DataFrame:
    """Scored dimensions of cohort ``run`` of a cell; ``refused``: whether disease was refused."""
    latents, simulation = latents_of(cell, run)
    obs = simulation.metadata.set_index("sample_id").loc[latents.index]
    correction = cell.changes.get("correction")
    found = trial(
        latents,
        obs=obs,
        donor="donor_id",
        tasks=TASKS,
        covariates=COVARIATES,
        saw="donors",
        corrected_for=["batch"] if correction else [],
        kept=["disease"] if correction == "protected" else [],
        probe={"permutations": 199, "bootstrap": 200, "alpha": cell.alpha},
    )
    shares = planted_shares(found.cohort.given.values, simulation, pd.Index(found.cohort.samples))
    roles = [role_of(row) for row in shares.to_dict("records")]
    verdicts = found.verdicts
    about = list(verdicts["about"])
    rows = scored(cell, run, list(verdicts["dim"]), roles, list(verdicts["verdict"]), about).assign(about=about)
    rows = rows.join(found.tables["odds"].drop(columns="dim").add_prefix(TERM))
    refused = "disease" in set(found.audit.loc[found.audit["kind"] == "latents", "task"])
    return rows.assign(firm_p=firm_p(found.tables["association"], list(verdicts["dim"])), refused=refused)


def latents_of(cell: Cell, run: int) -> tuple[pd.DataFrame, Simulation]:
    """(samples, AXES) latents of a planted cohort, and the cohort."""
    changes = {_RENAMED.get(k, k): v for k, v in cell.changes.items() if k not in _OF_LATENTS}
    simulation = simulate("clear", run, donors=cell.donors, **changes)
    expression = simulation.expression
    values = expression.to_numpy(dtype=float)
    if cell.changes.get("correction"):
        obs = simulation.metadata.set_index("sample_id").loc[expression.index]
        values = without_batch(values, obs, keep=cell.changes["correction"] == "protected")
    if cell.changes.get("rotate", True):
        latents = rotated_components(values, AXES)[0]
    else:
        latents = principal_components(standardised(values), AXES)[0]
    return pd.DataFrame(latents, expression.index, [f"z{i + 1:02d}" for i in range(latents.shape[1])]), simulation


def without_batch(values: np.ndarray, obs: pd.DataFrame, keep: bool) -> np.ndarray:
    """(n, genes) measurements less what a linear model gives to the batch, with disease in it or not."""
    batch = pd.get_dummies(obs["batch"], dtype=float).to_numpy()
    batch = batch[:, 1:] - batch[:, 1:].mean(axis=0)
    columns = [np.ones((len(obs), 1)), batch]
    if keep:
        columns.append((obs["disease"] == "case").to_numpy(dtype=float)[:, None])
    slopes = np.linalg.lstsq(np.column_stack(columns), values, rcond=None)[0]
    return values - batch @ slopes[1 : 1 + batch.shape[1]]
