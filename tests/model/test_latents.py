"""latents.h5ad: every sample is encoded by models that never saw its donor."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
from fabricated import AXES, TASKS, ensemble, expression_of

from mtlbio.cohort.cohort import Cohort, CovariateInfo, parse_schema
from mtlbio.model.ensemble import FINAL
from mtlbio.model.latents import out_of_fold, write_latents
from mtlbio.model.matching import effective_rank
from mtlbio.training.canonical_axes import CanonicalAxes


def cohort() -> tuple[Cohort, pd.DataFrame]:
    x = expression_of()
    rng = np.random.default_rng(4)
    donors = np.array([f"d{i // 2}" for i in range(24)])
    fold = (np.arange(24) // 2) % 2
    obs = pd.DataFrame(
        {
            "donor": donors,
            "disease": pd.Categorical(rng.choice(["healthy", "sick"], 24)),
            "age": rng.uniform(20, 80, 24),
            "stage": pd.Categorical(rng.choice(["I", "II", "III", "IV"], 24)),
            "subtype": pd.Categorical(rng.choice(["A", "B", "C"], 24)),
            "site": pd.Categorical(rng.choice(["north", "south"], 24)),
        },
        index=[f"s{i:02d}" for i in range(24)],
    )
    splits = pd.DataFrame({"sample": obs.index, "donor": donors, "fold": fold})
    covariates = {"site": CovariateInfo("site", "technical", "categorical")}
    return Cohort(x, tuple(f"g{i}" for i in range(30)), obs, TASKS, covariates), splits


def test_rows_come_from_the_models_of_their_fold_averaged_over_seeds():
    made, splits = cohort()
    models = ensemble(made.expression)
    latents = out_of_fold(models, made, splits)
    assert latents.dtype == np.float32 and np.isfinite(latents).all()
    for fold in (0, 1):
        rows = (splits["fold"] == fold).to_numpy()
        expected = models.latents(made.expression[rows], fold).mean(axis=0)
        np.testing.assert_allclose(latents[rows], expected, rtol=1e-6)
        other = models.latents(made.expression[rows], 1 - fold).mean(axis=0)
        assert np.abs(latents[rows] - other).max() > 0.1


def test_the_table_that_probing_reads(tmp_path):
    made, splits = cohort()
    models = ensemble(made.expression)
    d = len(models.dims)
    loadings = np.random.default_rng(0).normal(size=(d, 30)).astype(np.float32)
    block = np.array(["axis"] * AXES + ["supervised"] * (d - AXES))
    task = np.array([""] * AXES + ["disease", "age", "stage", "subtype", "subtype", "subtype"])
    canonical = CanonicalAxes(models, block=block, task=task, stability=np.linspace(1, 0.5, d), loadings=loadings)
    write_latents(made, splits, canonical, tmp_path / "latents.h5ad")
    table = ad.read_h5ad(tmp_path / "latents.h5ad")
    assert table.obs_names.tolist() == made.samples.tolist()
    assert list(table.obs.columns) == ["donor", "fold", "disease", "age", "stage", "subtype", "site"]
    assert table.obs["fold"].tolist() == splits["fold"].tolist()
    assert table.var_names.tolist() == [f"z{i + 1:02d}" for i in range(d)]
    assert table.var["block"].astype(str).tolist() == block.tolist()
    assert table.var["task"].astype(str).tolist() == task.tolist()
    np.testing.assert_allclose(table.var["stability"], np.linspace(1, 0.5, d))
    np.testing.assert_allclose(table.var["variance"][:AXES], (loadings[:AXES] ** 2).sum(axis=1) / 20, rtol=1e-6)
    assert table.var["variance"][AXES:].isna().all()
    np.testing.assert_array_equal(table.X, out_of_fold(models, made, splits))
    final = models.latents(made.expression, FINAL).mean(axis=0)
    np.testing.assert_allclose(table.layers["final"], final, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(table.varm["loadings"], loadings)
    assert list(table.uns["genes"]) == list(made.genes)
    assert parse_schema(table.uns["mtlbio"]) == (made.tasks, made.covariates)
    assert np.isclose(table.uns["effective_rank"], effective_rank(table.X[:, :AXES]))
