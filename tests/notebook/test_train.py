"""The whole job from an AnnData: verdicts of the command line, left where scverse looks for them."""

import pickle
import tempfile

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import yaml
from small_notebook import CALL, SMALL, planted

import mtlbio as mb
from mtlbio.cohort.cohort import read_latents
from mtlbio.errors import InputError
from mtlbio.kinds.read import read_run
from mtlbio.notebook.train import run_of
from mtlbio.notebook.trained import storable

YAML = {
    "run": "notebook",
    "expression": {"path": "a.h5ad", "scale": "log2"},
    "metadata": {"donor": "donor_id"},
    "tasks": {"disease": {"kind": "binary", "positive": "case"}, "age": {"kind": "regression"}},
    "covariates": {"age": {"role": "confounder", "kind": "continuous"}, "batch": {"role": "technical"}},
    "gene_sets": "builtin",
    **SMALL,
}


def test_verdicts_are_those_of_the_command_line(trained, tmp_path):
    planted().write_h5ad(tmp_path / "a.h5ad")
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(YAML, sort_keys=False))
    run, results = read_run(tmp_path / "run.yaml"), tmp_path / "results"
    mb.prepare(run, results)
    predictions = mb.train(run, results)
    _, result = trained
    pd.testing.assert_frame_equal(result.verdicts, mb.trial(run, results))
    pd.testing.assert_frame_equal(result.predictions, predictions)
    np.testing.assert_array_equal(result.latents.X, read_latents(results / "latents.h5ad").X)


def test_what_is_left_in_the_anndata(trained):
    adata, result = trained
    dims = len(result)
    assert adata.obsm["X_mtlbio"].shape == (100, dims) and adata.varm["mtlbio"].shape == (300, dims)
    lost = np.isnan(adata.obsm["X_mtlbio"]).all(axis=1)
    assert adata.obs_names[lost].tolist() == ["S0003"]  # the one without a donor
    np.testing.assert_array_equal(adata.obsm["X_mtlbio"][~lost], result.latents.X)
    used = ~np.isnan(adata.varm["mtlbio"]).any(axis=1)
    assert used.sum() == 100 and np.isnan(adata.varm["mtlbio"][~used]).all()
    whole = pd.DataFrame(result.latents.varm["loadings"].T, result.latents.uns["genes"])
    np.testing.assert_array_equal(adata.varm["mtlbio"][used], whole.loc[adata.var_names[used]].to_numpy())


def test_it_survives_a_file(trained, tmp_path):
    adata, result = trained
    adata.write_h5ad(tmp_path / "a.h5ad")
    back = ad.read_h5ad(tmp_path / "a.h5ad")
    np.testing.assert_array_equal(back.obsm["X_mtlbio"], adata.obsm["X_mtlbio"])
    table, expected = back.uns["mtlbio"]["verdicts"], result.verdicts.set_index("dim")
    assert list(table.index) == list(expected.index) == list(back.uns["mtlbio"]["dims"])
    for name in expected:
        missing = expected[name].isna()
        assert (table[name].isna() == missing).all(), name
        assert table[name][~missing].astype(expected[name].dtype).tolist() == expected[name][~missing].tolist(), name
    said = yaml.safe_load(back.uns["mtlbio"]["run"])
    assert said["tasks"]["disease"] == {"kind": "binary", "column": "disease", "positive": "case"}
    assert said["training"] == SMALL["training"] and back.uns["mtlbio"]["version"] == mb.__version__


def test_tables_that_a_file_can_hold():
    table = pd.DataFrame({"n": [1.5, np.nan], "text": ["a", np.nan], "none": [None, None], "yes": [True, False]})
    out = storable(table)
    assert out["n"].tolist()[0] == 1.5 and out["text"].tolist()[0] == "a" and out["none"].isna().all()
    assert out["yes"].tolist() == ["True", "False"] and out["text"].isna().tolist() == [False, True]


def test_a_result_says_what_it_found(trained, tmp_path):
    _, result = trained
    assert repr(result).startswith(f"TrainResult of {len(result)} dimensions: ")
    assert set(result.metrics["arm"]) == {"multitask", "singletask", "ridge"}
    first = result.verdicts.iloc[0]
    assert result[first["dim"]].why == first["why"] and "disease" in result.plan
    assert set(result.audit["task"]) >= {"disease", "age"}
    copy = pickle.loads(pickle.dumps(result))
    folder = copy.save(tmp_path / "saved")
    assert (folder / "model" / "model.json").exists() and (folder / "metrics.tsv").exists()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="holds files that mtlbio did not write"):
        result.save(tmp_path / "other")
    page = result.report(tmp_path / "page.html")
    assert "z01" in page.read_text() and not (folder / "report.html").exists()


def test_nothing_is_left_behind_unless_asked(tmp_path, monkeypatch):
    """Cells become samples of donors, and every cell has the latents of its sample."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.chdir(tmp_path)
    whole = planted()[4:64].copy()
    counts = np.round(np.exp2(np.clip(whole.X, 0, 6))).astype(np.float32)
    cells = ad.AnnData(np.repeat(counts, 3, axis=0), obs=whole.obs.loc[np.repeat(whole.obs_names, 3)])
    cells.obs_names, cells.var_names = [f"cell{i}" for i in range(180)], whole.var_names
    options = SMALL | {"pseudobulk": {"min_cells": 1}}
    call = CALL | {"covariates": {"age": "confounder"}}
    result = mb.train(cells, scale="counts", cells=True, results=tmp_path / "kept", name="cells", **call, **options)
    assert [path.name for path in tmp_path.iterdir() if path.name != "kept"] == ["temporary"]
    assert list((tmp_path / "temporary").iterdir()) == []
    assert (tmp_path / "kept" / "report.html").exists() and len(result.cohort.samples) == 60
    latents = cells.obsm["X_mtlbio"].reshape(60, 3, -1)
    assert (latents == latents[:, :1]).all() and len(np.unique(latents[:, 0, 0])) > 50


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"donor": "donr_id"}, "donor: no column 'donr_id' in adata.obs; did you mean 'donor_id'?"),
        ({"tasks": {"diseas": "case"}}, "tasks['diseas']: no column 'diseas' in obs; did you mean 'disease'?"),
        ({"tasks": {"disease": "SLE"}}, "SLE"),
        ({"scale": "logs"}, "expression.scale: found 'logs'"),
        ({"scale": "counts"}, "adata: "),
        ({"layer": "raw"}, "adata: layer: no layer 'raw'; found: (none)"),
        ({"genes": "symbol"}, "adata: genes: no column 'symbol' in var"),
        ({"gene_sets": "none.gmt"}, "gene_sets: no such file: "),
        ({"training": {"epoch": 3}}, "training.epoch: unknown key"),
        ({"epochs": 3}, "epochs: unknown key"),
    ],
)
def test_what_does_not_fit_is_one_line(changed, line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    adata = planted()
    with pytest.raises(InputError) as caught:
        mb.train(adata, **({"scale": "log2"} | CALL | changed))
    assert "\n" not in str(caught.value) and line in str(caught.value)
    assert list(tmp_path.iterdir()) == [] and not adata.obsm and not adata.uns


def test_what_is_no_anndata_is_one_line():
    with pytest.raises(InputError, match="adata: found str; expected an AnnData"):
        mb.train("a.h5ad", scale="log2", **CALL)
    with pytest.raises(InputError, match="stand twice"):
        adata = planted()
        adata.obs_names = ["S1"] * 100
        mb.train(adata, scale="log2", **CALL)


def test_a_run_is_what_a_yaml_would_say():
    said = ("donor_id", {"disease": "case"}, None, "z", None, None, None, (), None, {"splits": {"folds": 3}})
    run = run_of(planted(), "mine", *said)
    assert (run.run, run.kind, run.splits.folds, run.measured.scale) == ("mine", "cohort", 3, "z")
