"""A run that holds whole sites out too is the run without, and beside it the run that holds sites out alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_training import small_cohort

from mtlbio.cohort.cohort import Cohort, CovariateInfo, write_cohort
from mtlbio.cohort.prepare import splits_of_sites
from mtlbio.cohort.split import make_splits
from mtlbio.config import Splits
from mtlbio.evaluation.baselines import baselines
from mtlbio.kinds.schemas import CohortRun
from mtlbio.tables import PREDICTIONS, SITE_BASELINES, SITE_PREDICTIONS, SITE_SPLITS, SPLITS, read_table, write_table
from mtlbio.training.train import train

SMALL = {"genes": 40, "curves": 20, "seeds": 1, "epochs": 30, "patience": 20, "device": "cpu", "single_task": False}
COVARIATES = {"site": CovariateInfo("site", "confounder", "categorical")}


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    made = small_cohort(donors=60, genes=40, tasks=("disease", "age"))
    donor = made.obs["donor"].str[1:].astype(int)
    site = np.array(["Basel", "Leeds", "Oslo"])[donor % 3]
    return replace(made, obs=made.obs.assign(site=site), covariates=COVARIATES)


def taken(cohort: Cohort, folder: Path, **splits) -> tuple[CohortRun, Path]:
    """The run after train and baselines."""
    tasks = {name: {"kind": "regression"} for name in cohort.tasks}
    source = {"run": "small", "expression": {"path": "x.csv", "scale": "log2"}}
    content = {"tasks": tasks, "covariates": {"site": {"role": "confounder"}}, "training": SMALL, "splits": splits}
    run = CohortRun.model_validate(source | content | {"baselines": {"arms": ["ridge"]}})
    folder.mkdir()
    write_cohort(cohort, folder / "cohort.h5ad")
    write_table(make_splits(cohort, run.splits), folder / "splits.tsv", SPLITS)
    if run.splits.also is not None:
        write_table(splits_of_sites(run, cohort), folder / SITE_SPLITS, SPLITS)
    train(run, folder)
    baselines(run, folder)
    return run, folder


def test_nothing_else_changes_and_the_sites_are_those_of_a_run_that_leaves_them_out(cohort, tmp_path):
    _, plain = taken(cohort, tmp_path / "plain", folds=2)
    _, both = taken(cohort, tmp_path / "both", folds=2, also={"by": "site"})
    _, alone = taken(cohort, tmp_path / "alone", kind="leave_out", by="site")
    for name in ("predictions.tsv", "history.tsv", "baselines/predictions.tsv", "model/model.json"):
        assert (plain / name).read_bytes() == (both / name).read_bytes()
    assert not (plain / "sites").exists()
    for name, made in (("predictions.tsv", SITE_PREDICTIONS), ("baselines/predictions.tsv", SITE_BASELINES)):
        expected, found = read_table(alone / name, PREDICTIONS), read_table(both / made, PREDICTIONS)
        assert expected.drop(columns="y_pred").equals(found.drop(columns="y_pred"))
        np.testing.assert_allclose(found["y_pred"], expected["y_pred"], rtol=1e-4, atol=1e-4)
    site = cohort.obs["site"].loc[read_table(both / SITE_PREDICTIONS, PREDICTIONS)["sample"]].to_numpy()
    fold = read_table(both / SITE_PREDICTIONS, PREDICTIONS)["fold"].to_numpy()
    assert all(len(np.unique(fold[site == name])) == 1 for name in np.unique(site))


def test_folds_of_sites_are_folds_of_whole_levels(cohort):
    assert Splits(also={"by": "site"}).of_sites == Splits(kind="leave_out", by="site")
    assert Splits(also={"by": "site", "folds": 2}, seed=4).of_sites == Splits(
        kind="leave_out", by="site", folds=2, seed=4
    )
    assert Splits().of_sites is None
