"""Latents on trial from memory: the verdicts of the command line, whatever door they come through."""

from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
from anndata.io import write_elem

import mtlbio as mb
from mtlbio.cohort.simulate import simulate
from mtlbio.embedding.simulate import rotated_components
from mtlbio.errors import InputError
from mtlbio.kinds.read import read_run

TASKS = {"disease": "case", "response": "responder"}
COVARIATES = {"age": "confounder", "sex": "confounder", "batch": "technical"}
FREE = {"corrected_for": [], "kept": []}
PROBE = {"permutations": 199, "bootstrap": 100}
YAML = """\
run: doors
latents: {latents, saw: donors, corrected_for: [], kept: []}
metadata: {metadata}
tasks:
  disease:  {{kind: binary, positive: case}}
  response: {{kind: binary, positive: responder}}
covariates:
  age:   {{role: confounder, kind: continuous}}
  sex:   {{role: confounder}}
  batch: {{role: technical}}
probe: {{permutations: 199, bootstrap: 100}}
"""


@pytest.fixture(scope="module")
def planted() -> ad.AnnData:
    """100 donors with rotated principal components of all of them."""
    cohort = simulate("clear", 0, donors=100, genes=300)
    latents, weights = rotated_components(cohort.expression.to_numpy(dtype=float), 8)
    obs = cohort.metadata.set_index("sample_id")
    adata = ad.AnnData(cohort.expression.to_numpy(dtype=np.float32), obs=obs)
    adata.var_names = list(cohort.expression.columns)
    adata.obsm["X_pca"], adata.varm["PCs"] = latents, weights
    return adata


@pytest.fixture(scope="module")
def in_memory(planted):
    return mb.trial(
        planted, "X_pca", donor="donor_id", tasks=TASKS, covariates=COVARIATES, saw="donors", probe=PROBE, **FREE
    )


def by_command(folder: Path, latents: str, metadata: str) -> pd.DataFrame:
    text = YAML.replace("{latents,", "{" + latents + ",").replace("{metadata}", metadata)
    (folder / "run.yaml").write_text(text.replace("{{", "{").replace("}}", "}"))
    run = read_run(folder / "run.yaml")
    mb.prepare(run, folder / "results")
    mb.train(run, folder / "results")
    return mb.trial(run, folder / "results")


def same(table: pd.DataFrame, other: pd.DataFrame) -> None:
    """Equal in every column, but for what a file rounds (nine digits, tables in single precision) and for names."""
    drop = ["dim", "why", "needed_for"]
    table, other = (t.drop(columns=drop).fillna(np.nan) for t in (table, other))
    pd.testing.assert_frame_equal(table, other, rtol=1e-5, atol=1e-6, check_dtype=False)


def test_every_door_gives_the_same_verdicts(planted, in_memory, tmp_path):
    """obsm of h5ad and h5mu, TSV, DataFrame, AnnData."""
    expected = in_memory.verdicts
    assert set(expected["verdict"]) >= {"biology", "technical"}
    frame = pd.DataFrame(planted.obsm["X_pca"], planted.obs_names, [f"f{i}" for i in range(8)])
    options = {"donor": "donor_id", "tasks": TASKS, "covariates": COVARIATES, "saw": "donors", "probe": PROBE}
    same(mb.trial(frame, obs=planted.obs, **options, **FREE).verdicts, expected)

    for name in ("h5ad", "tsv", "h5mu"):
        (tmp_path / name).mkdir()
    planted.write_h5ad(tmp_path / "h5ad" / "a.h5ad")
    same(by_command(tmp_path / "h5ad", "path: a.h5ad, key: X_pca", "{donor: donor_id}"), expected)
    frame.to_csv(tmp_path / "tsv" / "z.tsv", sep="\t", index_label="sample_id")
    planted.obs.to_csv(tmp_path / "tsv" / "m.csv", index_label="sample_id")
    same(by_command(tmp_path / "tsv", "path: z.tsv", "{path: m.csv, donor: donor_id}"), expected)
    with h5py.File(tmp_path / "h5mu" / "a.h5mu", "w") as file:  # as mudata writes it
        write_elem(file, "mod/rna", planted)
        write_elem(file, "obs", planted.obs)
        write_elem(file, "obsm", {"X_mofa": planted.obsm["X_pca"]})
    same(by_command(tmp_path / "h5mu", "path: a.h5mu, key: X_mofa", "{donor: donor_id}"), expected)


def test_the_order_of_samples_does_not_matter(planted, in_memory):
    order = np.random.default_rng(1).permutation(len(planted))
    options = {"donor": "donor_id", "tasks": TASKS, "covariates": COVARIATES, "saw": "donors", "probe": PROBE}
    other = mb.trial(planted[order], "X_pca", **options, **FREE)
    assert other.verdicts["verdict"].tolist() == in_memory.verdicts["verdict"].tolist()
    np.testing.assert_allclose(other.verdicts["effect_disease"], in_memory.verdicts["effect_disease"], rtol=1e-9)


def test_what_is_known_of_a_dimension(in_memory):
    biology = in_memory.verdicts.set_index("verdict").loc["biology", "dim"]
    dim = in_memory[biology if isinstance(biology, str) else biology.iloc[0]]
    assert dim.verdict == "biology" and dim.name in dim.why
    effect, low, high = dim.effect("disease")
    assert low < effect < high
    assert in_memory.verdicts["stability"].isna().all()  # nobody knows it of one model for all donors
    assert "z01" in in_memory._repr_html_() and "8 dimensions" in repr(in_memory)
    assert "a programme that drives the disease was called biology in" in " ".join(in_memory.plan.split())
    rated = in_memory.verdicts.set_index("verdict")["error_rate_from"]
    assert rated.loc[["biology"]].str.startswith("principal components of all donors, 80 donors, ").all()
    assert rated.get(["underpowered"], pd.Series(dtype=object)).isna().all()
    odds = in_memory.verdicts.filter(regex="^odds_")
    np.testing.assert_allclose(odds.sum(axis=1), 1.0)
    assert odds[in_memory.verdicts["dim"] == dim.name].idxmax(axis=1).tolist() == ["odds_biology"]
    with pytest.raises(InputError, match="no dimension 'z99'; there are z01"):
        in_memory["z99"]


def test_what_is_not_stated_is_taken_for_the_worst(planted):
    found = mb.trial(planted, "X_pca", donor="donor_id", tasks=TASKS, covariates=COVARIATES, probe=PROBE)
    assert not set(found.verdicts["verdict"]) & {"biology", "unused"}
    refused = found.audit[found.audit["kind"] == "latents"]
    assert refused["task"].tolist() == ["disease", "response"]
    assert refused["why"].str.contains("it is not stated what the model saw").all()
    words = " ".join(found.plan.split())
    assert "Nothing is claimed of disease: it is not stated what the model saw" in words
    assert "a programme that drives the disease" not in words
    assert found.verdicts["error_rate"].isna().all()
    follows = found.verdicts[found.verdicts["verdict"] == "not_identifiable"]
    assert follows["driver"].tolist() == ["disease"] and "latents.saw" in follows["why"].iloc[0]


def test_single_cells_become_donors(planted):
    rng = np.random.default_rng(2)
    cells = planted[np.repeat(np.arange(len(planted)), 25)].copy()
    cells.obs_names = [f"cell{i}" for i in range(len(cells))]
    cells.obsm["X_pca"] = cells.obsm["X_pca"] + 0.1 * rng.normal(size=(len(cells), 8))
    options = {"donor": "donor_id", "tasks": TASKS, "covariates": COVARIATES, "saw": "donors", "probe": PROBE}
    found = mb.trial(cells, "X_pca", **options, **FREE)
    assert len(found.cohort.samples) == 100
    means = pd.DataFrame(cells.obsm["X_pca"]).groupby(cells.obs["donor_id"].to_numpy()).mean()
    np.testing.assert_allclose(found.cohort.given.values, means.loc[found.cohort.donors].to_numpy(), rtol=1e-9)


def test_the_page_is_all_that_is_left(planted, in_memory, tmp_path):
    page = in_memory.report(tmp_path / "page.html")
    assert [file.name for file in tmp_path.iterdir()] == ["page.html"]
    text = page.read_text()
    assert "it saw all donors and no label" in text and "z08" in text


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"donor": "patient"}, "donor: no column 'patient' in adata.obs"),
        ({"tasks": {"diseas": "case"}}, "tasks['diseas']: no column 'diseas' in obs; did you mean 'disease'?"),
        ({"covariates": {"batch": "noise"}}, "covariates['batch']: found 'noise'; valid: confounder, technical"),
        ({"tasks": {"disease": "SLE"}}, "adata.obs (obs)"),
        ({"saw": "everything"}, "latents.saw: found 'everything'"),
        ({"saw": ["diseas"]}, "latents.saw: found 'diseas'; valid: disease"),
        ({"saw": "nothing"}, "latents.fold: missing; saw: nothing needs it"),
        ({"corrected_for": ["plate"]}, "latents.corrected_for: found 'plate'; valid: batch"),
        ({"loadings": "LFs"}, "no matrix and no file 'LFs'; varm has PCs"),
        ({"probe": {"null_refits": 5}}, "probe.null_refits: found 5; valid: 0"),
        ({"probe": {"alphas": 0.1}}, "probe.alphas: unknown key"),
    ],
)
def test_what_does_not_fit_is_one_line(planted, changed, line):
    options = {"donor": "donor_id", "tasks": {"disease": "case"}, "covariates": {"batch": "technical"}} | changed
    with pytest.raises(InputError) as caught:
        mb.trial(planted, "X_pca", **options)
    said = str(caught.value)
    assert "\n" not in said
    assert line in said or (line == "adata.obs (obs)" and "SLE" in said), said


def test_what_is_no_latents_is_one_line(planted):
    with pytest.raises(InputError, match="key: missing; obsm has X_pca"):
        mb.trial(planted, donor="donor_id", tasks=TASKS)
    with pytest.raises(InputError, match="adata: no 'X_umap' in obsm"):
        mb.trial(planted, "X_umap", donor="donor_id", tasks=TASKS)
    with pytest.raises(InputError, match="obs: missing"):
        mb.trial(pd.DataFrame({"z": [1.0]}), donor="donor_id", tasks=TASKS)
    with pytest.raises(InputError, match="latents: found list; expected an AnnData"):
        mb.trial([1, 2], donor="donor_id", tasks=TASKS)
    broken = planted.copy()
    broken.obsm["X_pca"][3, 2] = np.nan
    with pytest.raises(InputError, match="dimension 'z03', sample .*found nan; expected a finite number"):
        mb.trial(broken, "X_pca", donor="donor_id", tasks={"disease": "case"})
