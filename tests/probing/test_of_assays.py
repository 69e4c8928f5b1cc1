"""The trial of several assays: gene sets by block, and what names a block."""

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort, CovariateInfo
from mtlbio.config import TrialOptions
from mtlbio.probing.of_assays import sets_by_block
from mtlbio.probing.trial import Trial

N, GENES = 80, 40
SETS = {"DRIVES": [f"G{i}" for i in range(10)], "ELSEWHERE": [f"P{i}" for i in range(10)], "FEW": ["G1", "G2"]}


def test_gene_sets_are_scored_on_the_blocks_that_know_them_and_on_who_has_them():
    rng = np.random.default_rng(0)
    z, batch = rng.normal(size=(N, 1)), rng.integers(0, 2, N)
    rna, proteins = rng.normal(size=(2, N, GENES))
    rna[:, :10] += 1.5 * z
    proteins[60:] = np.nan
    names = [f"s{i}" for i in range(N)]
    obs = pd.DataFrame({"donor": names, "batch": pd.Categorical(batch.astype(str))}, index=names)
    obs["lab"] = pd.Categorical(np.where(np.arange(N) < 60, "one", "two"))  # of proteins there is one
    genes = tuple([f"rna:G{i}" for i in range(GENES)] + [f"proteins:P{i}" for i in range(GENES)])
    about = {"kind": "blocks", "blocks": {"rna": {}, "proteins": {}}}
    cohort = Cohort(np.hstack([rna, proteins]), genes, obs, preprocessing=about)
    covariates = {name: CovariateInfo(name, "technical", "categorical") for name in ("batch", "lab")}
    trial = Trial(z, ("z01",), np.array(["axis"]), obs, {}, covariates, TrialOptions(permutations=199))
    loadings = np.zeros((1, 2 * GENES))
    loadings[0, :10], loadings[0, 10:] = 1.0, 0.02 * rng.normal(size=2 * GENES - 10)
    table = sets_by_block(trial, cohort, loadings, SETS).set_index("set")
    assert set(table.index) == {"rna:DRIVES", "proteins:ELSEWHERE"}
    assert table["names"].to_dict() == {"rna:DRIVES": True, "proteins:ELSEWHERE": False}
    # the partial correlation of the mean score with the dimension, given batch and lab
    fixed = np.column_stack([np.ones(N), batch, np.arange(N) < 60])
    score = ((rna[:, :10] - rna[:, :10].mean(axis=0)) / rna[:, :10].std(axis=0)).mean(axis=1)
    left = [v - fixed @ np.linalg.lstsq(fixed, v, rcond=None)[0] for v in (score, z[:, 0])]
    assert abs(table.loc["rna:DRIVES", "correlation"] - np.corrcoef(*left)[0, 1]) < 1e-6


def test_without_a_set_that_any_block_knows_nothing_is_named():
    names = [f"s{i}" for i in range(10)]
    obs = pd.DataFrame({"donor": names}, index=names)
    values = np.random.default_rng(0).normal(size=(10, 2))
    about = {"kind": "blocks", "blocks": {"a": {}, "b": {}}}
    cohort = Cohort(values, ("a:x", "b:y"), obs, preprocessing=about)
    trial = Trial(values[:, :1], ("z01",), np.array(["axis"]), obs, {}, {})
    assert sets_by_block(trial, cohort, np.ones((1, 2)), SETS).empty
