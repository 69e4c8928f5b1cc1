"""One planted cohort through the whole pipeline: prepare, train, probe, and the truth about every dimension found."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.calibration.cells import Cell
from benchmarks.calibration.roles import role_of
from benchmarks.calibration.score import TERM, firm_p, scored
from mtlbio.cohort.simulate import Simulation, simulate, write_simulation
from mtlbio.kinds.read import read_run
from mtlbio.kinds.schemas import DonorRun
from mtlbio.tables import VERDICTS, read_table

_RENAMED = {"interferon": "interferon_effect"}


def judge_pipeline(cell: Cell, run: int) -> pd.DataFrame:
    """Scored dimensions of cohort ``run`` of a cell, as a user's run would have judged them."""
    changes = {_RENAMED.get(key, key): value for key, value in cell.changes.items()}
    axes = changes.pop("axes", "auto")
    simulation = simulate("clear", run, donors=cell.donors, **changes)
    with tempfile.TemporaryDirectory() as folder:
        settings = read_run(write_simulation(Path(folder) / "cohort", simulation))
        latents, verdicts = run_through(settings, Path(folder) / "results", axes)
        association, terms = (
            read_table(Path(folder) / "results" / "probing" / f"{name}.tsv") for name in ("association", "odds")
        )
    shares = planted_shares(np.asarray(latents.X, dtype=float), simulation, latents.obs_names)
    roles = [role_of(row) for row in shares.to_dict("records")]
    rows = scored(cell, run, list(verdicts["dim"]), roles, list(verdicts["verdict"]))
    rows["firm_p"] = firm_p(association, list(verdicts["dim"]))
    rows = rows.join(terms.drop(columns="dim").add_prefix(TERM))
    return rows.assign(block=latents.var["block"].to_numpy().astype(str))


def run_through(run: DonorRun, results: Path, axes: int | str = "auto"):
    """(latents, verdicts) of a run; the single-task arm, which has no part in them, is left out."""
    import anndata as ad

    from mtlbio.cohort.prepare import prepare
    from mtlbio.probing.probe import probe
    from mtlbio.training.train import train

    training = run.training.model_copy(update={"single_task": False, "axes": axes, "device": "cpu"})
    run = run.model_copy(update={"training": training})
    prepare(run, results)
    train(run, results)
    probe(run, results)
    return ad.read_h5ad(results / "latents.h5ad"), read_table(results / "verdicts.tsv", VERDICTS)


def planted_shares(z: np.ndarray, simulation: Simulation, samples: pd.Index) -> pd.DataFrame:
    """:func:`shares_of` every dimension that go with the true activities of the programmes (D, programmes)."""
    return shares_of(z, simulation.truth.loc[samples].drop(columns=["disease_log_odds", "response_log_odds"]))


def shares_of(z: np.ndarray, activity: pd.DataFrame) -> pd.DataFrame:
    """Share of every dimension's variance that goes with each planted activity (D, activities), 0-1.

    Squared coefficients of the regression of the dimension on all activities, in units of its variance: programmes
    that rise together are told apart as a covariate model would tell them apart.
    """
    scaled = (activity - activity.mean()) / activity.std(ddof=0)
    centred = z - z.mean(axis=0)
    slope = np.linalg.lstsq(scaled.to_numpy(), centred, rcond=None)[0]
    shares = np.square(slope) / np.maximum(centred.var(axis=0), 1e-12)
    return pd.DataFrame(shares.T, columns=activity.columns)
