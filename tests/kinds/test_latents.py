"""A run of latents that another model made, from its YAML to the page."""

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest

import mtlbio as mb
from mtlbio.cohort.cohort import read_cohort
from mtlbio.cohort.simulate import simulate
from mtlbio.embedding.simulate import plant
from mtlbio.errors import InputError
from mtlbio.kinds import LATENTS, kind_of
from mtlbio.kinds.read import as_run, read_run
from mtlbio.report.of_latents import unseen
from mtlbio.tables import read_table

TASKS = {"disease": {"kind": "binary", "positive": "case"}}
COVARIATES = {"age": {"role": "confounder", "kind": "continuous"}, "batch": {"role": "technical"}}
RUN = {"run": "z", "latents": {"path": "z.tsv", "saw": "donors"}, "tasks": TASKS, "covariates": COVARIATES}
PROBE = {"permutations": 199, "bootstrap": 100}


def with_latents(**said) -> dict:
    return RUN | {"latents": {"path": "z.tsv"} | said}


def test_a_run_with_latents_is_of_this_kind():
    for content in (RUN, RUN | {"kind": "latents"}, RUN | {"kind": "cohort"}):
        assert kind_of(as_run(content)) is LATENTS


def test_the_page_knows_whether_the_model_saw_the_donors():
    assert unseen(as_run(with_latents(saw="nothing", fold="fold")))
    assert not unseen(as_run(RUN))


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (RUN | {"latents": {}}, "latents: found neither of path and encode; expected one of the two"),
        (with_latents(encode="x {train} {test} {out}"), "latents: found both of path and encode"),
        (RUN | {"latents": {"encode": "x {train} {out}"}}, "latents.encode: {test} missing"),
        (
            RUN | {"latents": {"encode": "x {train} {test} {out}"}},
            "expression: missing; latents.encode is called with the measurements",
        ),
        (with_latents(saw="nothing"), "latents.fold: missing; saw: nothing needs it"),
        (with_latents(saw="donors", fold="f"), "latents.fold: found without saw: nothing"),
        (with_latents(saw=["age"]), "latents.saw: found 'age'; valid: disease (the tasks)"),
        (with_latents(corrected_for=["plate"]), "latents.corrected_for: found 'plate'; valid: age, batch"),
        (with_latents(corrected_for=[], kept=["disease"]), "latents.kept: found beside corrected_for: []"),
        (RUN | {"training": {"axes": 5}}, "training: found beside latents, which another model made"),
        (RUN | {"federation": {"site": "hospital"}}, "federation: found beside latents, which nobody here trains"),
        (RUN | {"gene_sets": "builtin"}, "gene_sets: found without latents.loadings and without expression"),
        (RUN | {"features": {"path": "t.csv"}}, "latents: unknown key; it belongs to a run of kind latents"),
    ],
)
def test_what_does_not_fit_is_one_line(content, line):
    with pytest.raises(InputError) as caught:
        as_run(content)
    assert line in str(caught.value) and "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def planted(tmp_path_factory) -> Path:
    """A planted cohort with components in obsm, whose trial is short."""
    folder = tmp_path_factory.mktemp("latents")
    yaml = plant(folder, "planted", 0, donors=100, genes=300)
    yaml.write_text(yaml.read_text() + "probe: {permutations: 199, bootstrap: 100}\n")
    return yaml


def test_the_steps_go_from_the_yaml_to_the_page(planted):
    results, run = planted.parent / "results", read_run(planted)
    for step in (mb.prepare, mb.train, mb.baselines, mb.evaluate, mb.trial, mb.report):
        step(run, results)
    verdicts = read_table(results / "verdicts.tsv")
    assert {"biology", "technical", "confounder"} <= set(verdicts["verdict"])
    assert verdicts.set_index("verdict").loc["technical", "driver"] == "batch"
    arms = read_table(results / "metrics.tsv")["arm"].unique()
    assert {"latents", "ridge", "covariates"} <= set(arms) and "multitask" not in arms
    assert set(read_table(results / "comparisons.tsv")["arm_a"]) == {"latents"}
    page = (results / "report.html").read_text()
    assert "it saw all donors and no label" in page and "One model made all latents" in page
    assert "held-out donors" not in page.partition("The dimensions on trial")[2].partition("</article>")[0]


def test_a_plan_is_made_without_looking_at_latents(planted, tmp_path):
    said = mb.plan(read_run(planted))
    assert "100 samples of 100 donors" in said and "disease" in said


def test_what_the_model_saw_is_not_predicted(planted, tmp_path):
    text = (
        planted.read_text()
        .replace("saw: donors", "saw: [disease]")
        .replace("cohort.h5ad", str(planted.parent / "cohort.h5ad"))
    )
    (tmp_path / "run.yaml").write_text(text)
    run = read_run(tmp_path / "run.yaml")
    mb.prepare(run, tmp_path / "r")
    assert set(mb.train(run, tmp_path / "r")["task"]) == {"response"}
    mb.baselines(run, tmp_path / "r")
    metrics = mb.evaluate(run, tmp_path / "r")
    assert set(metrics.loc[metrics["arm"] == "latents", "task"]) == {"response"}
    assert set(metrics.loc[metrics["arm"] == "ridge", "task"]) == {"disease", "response"}


def test_folds_are_those_of_the_models(tmp_path):
    cohort = simulate("clear", 1, donors=60, genes=300)
    obs = cohort.metadata.set_index("sample_id")
    obs["model"] = np.where(np.arange(len(obs)) % 3 == 0, "first", "second")
    z = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 3)), obs.index, ["a", "b", "c"])
    z.to_csv(tmp_path / "z.tsv", sep="\t")
    obs.to_csv(tmp_path / "m.csv")
    yaml = "run: f\nlatents: {path: z.tsv, saw: nothing, fold: model, corrected_for: []}\n"
    yaml += "metadata: {path: m.csv, donor: donor_id}\ntasks: {disease: {kind: binary, positive: case}}\n"
    (tmp_path / "run.yaml").write_text(yaml)
    splits = mb.prepare(read_run(tmp_path / "run.yaml"), tmp_path / "r").set_index("sample")
    assert (splits["fold"].astype(int) == (obs["model"].loc[splits.index] == "second").astype(int)).all()
    given = read_cohort(tmp_path / "r" / "cohort.h5ad").given
    assert given.dims == ("a", "b", "c")
    np.testing.assert_allclose(given.values, z.loc[splits.index].to_numpy(), rtol=1e-6)
    obs.loc[obs.index[0], "donor_id"] = obs["donor_id"].iloc[1]  # one donor, two models
    obs.to_csv(tmp_path / "m.csv")
    with pytest.raises(InputError, match="lie in several folds"):
        mb.prepare(read_run(tmp_path / "run.yaml"), tmp_path / "other")


def test_single_cells_become_samples_by_their_mean(tmp_path):
    rng = np.random.default_rng(0)
    donors = np.repeat([f"D{i}" for i in range(20)], 15)
    z = rng.normal(size=(300, 2))
    obs = pd.DataFrame({"donor_id": donors, "disease": np.where(np.arange(300) < 150, "case", "control")})
    obs.index = [f"c{i}" for i in range(300)]
    adata = ad.AnnData(obs=obs, obsm={"X_scVI": z})
    adata.write_h5ad(tmp_path / "c.h5ad")
    yaml = "run: c\nlatents: {path: c.h5ad, key: X_scVI, saw: donors, corrected_for: []}\npseudobulk: {min_cells: 5}\n"
    (tmp_path / "run.yaml").write_text(yaml + "tasks: {disease: {kind: binary, positive: case}}\n")
    mb.prepare(read_run(tmp_path / "run.yaml"), tmp_path / "r")
    cohort = read_cohort(tmp_path / "r" / "cohort.h5ad")
    expected = pd.DataFrame(z).groupby(donors).mean()
    np.testing.assert_allclose(cohort.given.values, expected.loc[cohort.donors].to_numpy(), rtol=1e-9)
