"""Cells to samples of donors: sums that can be checked."""

from __future__ import annotations

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from mtlbio.cohort.cells.pseudobulk import pseudobulk
from mtlbio.cohort.cohort import read_cohort
from mtlbio.cohort.expression import read_expression
from mtlbio.cohort.measurements import Measurements
from mtlbio.cohort.prepare import build_cohort, prepare
from mtlbio.cohort.qc import QcList
from mtlbio.config import Expression
from mtlbio.errors import InputError
from mtlbio.kinds.schemas import CohortRun

KANG = Path(__file__).parents[4] / "shared/data/kang_ifnb"


def cells(n: int = 600, genes: int = 12, seed: int = 0):
    rng = np.random.default_rng(seed)
    counts = rng.poisson(0.4, (n, genes)).astype(np.float32)
    donor = rng.integers(0, 5, n)
    obs = pd.DataFrame(
        {
            "donor": [f"{d:03d}" for d in donor],
            "age": 20.0 + donor,
            "depth": counts.sum(axis=1),
            "sex": pd.Categorical(np.where(donor % 2, "male", "female")),
        },
        index=[f"c{i}" for i in range(n)],
    )
    by = pd.DataFrame({"condition": rng.choice(["ctrl", "stim"], n)}, index=obs.index, dtype=object)
    names = np.array([f"g{i}" for i in range(genes)])
    return Measurements(obs.index.to_numpy().astype(str), names, sparse.csr_matrix(counts), "e.h5ad"), obs, by


def reduced(data, obs, by, scale="counts", min_cells=1):
    qc = QcList()
    result = pseudobulk(data, obs, by, scale, min_cells, qc, "m.csv")
    return *result, qc.table()


@pytest.mark.parametrize(("scale", "how"), [("counts", "sum"), ("log", "mean")])
@pytest.mark.parametrize("block", [50, 10_000])
def test_equals_a_group_by(monkeypatch, scale, how, block):
    monkeypatch.setattr("mtlbio.cohort.measurements.BLOCK", block)
    data, obs, by = cells()
    samples, sample_obs, qc = reduced(data, obs, by, scale)
    groups = obs["donor"] + "|" + by["condition"]
    expected = pd.DataFrame(data.matrix.toarray(), index=groups).groupby(level=0).agg(how)
    assert samples.samples.tolist() == expected.index.tolist()
    np.testing.assert_allclose(samples.matrix, expected, rtol=1e-6)
    np.testing.assert_allclose(sample_obs["depth"], obs["depth"].groupby(groups).mean())
    assert sample_obs["donor"].tolist() == [s.split("|")[0] for s in samples.samples]
    assert sample_obs["sex"].astype(str).tolist() == ["male" if int(d) % 2 else "female" for d in sample_obs["donor"]]
    assert not len(qc)


def test_dense_cells_give_the_same_sums():
    data, obs, by = cells()
    dense = Measurements(data.samples, data.genes, data.matrix.toarray(), "e.csv")
    np.testing.assert_array_equal(reduced(dense, obs, by)[0].matrix, reduced(data, obs, by)[0].matrix)


@pytest.mark.parametrize("layout", [sparse.csr_matrix, sparse.csc_matrix])
@pytest.mark.parametrize("share", [0.001, 0.5])
def test_sums_of_few_and_of_many_values(tmp_path, monkeypatch, layout, share):
    monkeypatch.setattr("mtlbio.cohort.cells.on_disk.BLOCK", 70)
    data, obs, by = cells(genes=200)
    counts = np.round(data.matrix.toarray() * (np.random.default_rng(1).random(data.matrix.shape) < share)) + 0
    ad.AnnData(layout(counts), obs[[]], pd.DataFrame(index=data.genes)).write_h5ad(tmp_path / "e.h5ad")
    stored = read_expression(Expression(path=str(tmp_path / "e.h5ad"), scale="counts"), "x", on_disk=True)
    groups = obs["donor"] + "|" + by["condition"]
    np.testing.assert_array_equal(reduced(stored, obs, by)[0].matrix, pd.DataFrame(counts).groupby(groups.values).sum())


def test_samples_of_few_cells_are_dropped_and_listed():
    data, obs, by = cells()
    sizes = (obs["donor"] + "|" + by["condition"]).value_counts()
    bound = int(sizes.iloc[-2])
    samples, sample_obs, qc = reduced(data, obs, by, min_cells=bound)
    assert qc.to_numpy().tolist() == [[sizes.index[-1], "sample", "few cells", f"{sizes.iloc[-1]} of {bound} cells"]]
    assert len(samples.samples) == len(sample_obs) == 9


def test_cells_without_a_level_are_dropped():
    data, obs, by = cells()
    by.iloc[:200, 0] = np.nan
    samples, _, qc = reduced(data, obs, by)
    assert samples.matrix.sum() == data.matrix[200:].sum()
    assert qc["item"].tolist() == ["200 cells"]


def test_category_that_differs_within_a_sample_is_refused():
    data, obs, by = cells()
    obs["sex"] = pd.Categorical(np.where(np.arange(len(obs)) % 7 == 0, "male", "female"))
    with pytest.raises(InputError, match="'sex' differs between the cells of sample '000.ctrl'"):
        reduced(data, obs, by)


def test_matrix_on_disk_through_prepare(tmp_path, monkeypatch):
    monkeypatch.setattr("mtlbio.cohort.cells.on_disk.BLOCK", 64)
    data, obs, by = cells()
    table = obs.drop(columns="depth").assign(condition=by["condition"], junk=np.arange(len(obs)))
    ad.AnnData(data.matrix, table, pd.DataFrame(index=data.genes)).write_h5ad(tmp_path / "cells.h5ad")
    run = CohortRun.model_validate(
        {
            "run": "cells",
            "expression": {"path": str(tmp_path / "cells.h5ad"), "scale": "counts"},
            "metadata": {"donor": "donor"},
            "pseudobulk": {"by": ["condition"]},
            "tasks": {"condition": {"kind": "binary", "positive": "stim"}, "age": {"kind": "regression"}},
            "covariates": {"sex": {"role": "confounder"}},
        }
    )
    prepare(run, tmp_path / "results")
    cohort = read_cohort(tmp_path / "results/cohort.h5ad")
    assert len(cohort.samples) == 10
    assert cohort.samples[:2].tolist() == ["000|ctrl", "000|stim"]
    assert cohort.obs["condition"].tolist()[:2] == ["ctrl", "stim"]
    # normalised from the sums: undoing the logarithm gives each gene's share of the library
    sums = reduced(data, obs, by)[0].matrix
    np.testing.assert_allclose(np.expm1(cohort.expression), 100 * sums / sums.sum(axis=1, keepdims=True), rtol=1e-5)


@pytest.mark.skipif(not KANG.exists(), reason="the Kang cells are not here")
def test_kang_equals_the_published_pseudobulk():
    reference = pd.read_csv(KANG / "pseudobulk_counts_donor_x_condition.csv.gz", index_col=0)
    path = str(KANG / "kang2018_ifnb_2000cells.h5ad")
    data = read_expression(Expression(path=path, scale="counts"), "sample_id", on_disk=True)
    metadata = pd.read_csv(KANG / "metadata.csv", index_col=0).loc[data.samples]
    obs = metadata[["donor_id"]].rename(columns={"donor_id": "donor"})
    samples, _ = pseudobulk(data, obs, metadata[["condition"]], "counts", 1, QcList(), "metadata.csv")
    found = pd.DataFrame(samples.matrix, index=[s.replace("|", "_") for s in samples.samples], columns=samples.genes)
    assert sorted(found.index) == sorted(reference.index)
    np.testing.assert_array_equal(found.loc[reference.index, reference.columns], reference)


@pytest.mark.slow
def test_a_million_cells(tmp_path):
    """200,000 cells drawn five times: the matrix stays on disk and no loop goes over cells."""
    data, obs, by = cells(200_000, 500)
    repeats = 5
    matrix = sparse.vstack([data.matrix] * repeats, format="csr")
    big = pd.concat([obs] * repeats).assign(condition=np.tile(by["condition"], repeats))
    big.index = [f"c{i}" for i in range(len(big))]
    ad.AnnData(matrix, big, pd.DataFrame(index=data.genes)).write_h5ad(tmp_path / "cells.h5ad")
    run = CohortRun.model_validate(
        {
            "run": "cells",
            "expression": {"path": str(tmp_path / "cells.h5ad"), "scale": "counts"},
            "metadata": {"donor": "donor"},
            "pseudobulk": {"by": ["condition"]},
            "tasks": {"condition": {"kind": "binary", "positive": "stim"}},
        }
    )
    cohort, _ = build_cohort(run)
    assert cohort.expression.shape == (10, 500)
