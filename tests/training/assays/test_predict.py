"""New samples of a run with blocks: what predicts them, what one that lacks a block changes, what is refused."""

import shutil
from dataclasses import replace

import anndata as ad
import mudata
import numpy as np
import pandas as pd
import pytest
import yaml
from planted_blocks import OPTIONS

from mtlbio.cohort.cohort import write_cohort
from mtlbio.commands.add_task import add_task
from mtlbio.errors import InputError
from mtlbio.evaluation.added.arms import Added, _by_ridge
from mtlbio.evaluation.assays.added import matrices
from mtlbio.integrity.record import recorded
from mtlbio.labels import Regression
from mtlbio.model.added import read_head
from mtlbio.model.ensemble import FINAL
from mtlbio.model.outputs import Outputs
from mtlbio.tables import CHECKS, PREDICTIONS, RESTS_ON, SPLITS, read_table, write_table
from mtlbio.training.assays.predict import predict
from mtlbio.training.assays.tables import predictions
from mtlbio.training.assays.train import write_model
from mtlbio.training.refits import seeds_of


@pytest.fixture(scope="module")
def results(fit, cohort_and_splits, tmp_path_factory):
    """The trained run."""
    folder = tmp_path_factory.mktemp("predict") / "results"
    cohort, splits = cohort_and_splits
    write_cohort(cohort, folder / "cohort.h5ad")
    write_table(splits, folder / "splits.tsv", SPLITS)
    write_model(fit, splits, OPTIONS, seeds_of(OPTIONS), folder)
    return folder


@pytest.fixture(scope="module")
def files(planted):
    """The blocks as they were trained on; of proteins also donors who lack transcripts."""
    return {name: pd.read_parquet(planted / file) for name, file in FILES.items()}


FILES = {"rna": "rna.parquet", "proteins": "some.parquet"}


def predicted(results, tables, folder, **options) -> pd.DataFrame:
    """Predictions of tables by block, which a YAML names."""
    for name, table in tables.items():
        table.to_parquet(folder / f"{name}.parquet")
    (folder / "new.yaml").write_text(yaml.safe_dump({"blocks": {name: f"{name}.parquet" for name in tables}}))
    predict(results, folder / "new.yaml", folder / "out", **options)
    return read_table(folder / "out" / "predictions.tsv", PREDICTIONS)


@pytest.fixture(scope="module")
def everybody(results, files, tmp_path_factory):
    """Folder of the predictions of all samples that are in a file, and these."""
    folder = tmp_path_factory.mktemp("everybody")
    return folder / "out", predicted(results, files, folder)


def final(fit, pattern) -> np.ndarray:
    """(s, n, o) outputs of all samples by what the final fold says of a set of blocks."""
    return fit.stacked.outputs[pattern][fit.numbers.index(FINAL), 0]


def test_training_samples_get_what_the_final_networks_say_of_them(fit, everybody):
    folder, table = everybody
    packing, place, samples = Outputs.of(fit.cohort.tasks), fit.numbers.index(FINAL), fit.cohort.samples
    for t, (name, task) in enumerate(fit.cohort.tasks.items()):
        outputs = np.stack([final(fit, own)[:, row] for row, own in enumerate(fit.blocks.patterns)], axis=1)
        expected = task.to_prediction(
            outputs[..., packing.outputs[t]], fit.targets.mean[place, t], fit.targets.scale[place, t]
        )
        rows = task.rows(np.full(len(samples), np.nan), expected.mean(axis=0))
        own = table[table["task"] == name]
        wanted = np.column_stack([row["y_pred"] for row in rows])
        found = own["y_pred"].to_numpy().reshape(len(rows), -1).T[pd.Index(own["sample"].unique()).get_indexer(samples)]
        np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-6)
    latents, expected = ad.read_h5ad(folder / "latents.h5ad"), fit.canonical.latents.folds[FINAL].latents.mean(axis=0)
    np.testing.assert_allclose(latents[samples].X, expected, atol=2e-5)
    assert list(latents.var_names) == list(fit.canonical.dims)


def test_what_a_new_prediction_rests_on_is_told(fit, everybody, files):
    folder, table = everybody
    rests = read_table(folder / "rests_on.tsv", RESTS_ON)
    sets = rests.drop_duplicates("sample").set_index("sample")["blocks"]
    for blocks, has in {"rna": (1, 0), "proteins": (0, 1), "rna+proteins": (1, 1)}.items():
        own = [s for s in sets.index if (s in files["rna"].index, s in files["proteins"].index) == has]
        assert len(own) > 10 and (sets[own] == blocks).all()
    i, t = fit.numbers.index(FINAL), list(fit.cohort.tasks).index("outcome")
    own = rests[(rests["blocks"] == "rna+proteins") & (rests["task"] == "outcome")].drop_duplicates("network")
    np.testing.assert_allclose(own["share"], fit.stacked.mixture[("rna", "proteins"), i, 0, t].shares, rtol=1e-5)
    assert set(table["sample"]) == set(sets.index) and table["y_pred"].notna().all()


def test_a_block_that_a_new_sample_lacks_changes_no_other_prediction(fit, results, files, everybody, tmp_path):
    """Nor does a file of which nothing is there."""
    both = files["rna"].index.intersection(files["proteins"].index)
    fewer = predicted(results, files | {"proteins": files["proteins"].drop(both[0])}, tmp_path)
    keys = ["sample", "task", "label"]
    whole, fewer = (table.set_index(keys)["y_pred"].sort_index() for table in (everybody[1], fewer))
    others = whole.index.get_level_values("sample") != both[0]
    np.testing.assert_allclose(fewer[others], whole[others], atol=1e-6)
    t, row = list(fit.cohort.tasks).index("age"), list(fit.cohort.samples).index(both[0])
    place = fit.numbers.index(FINAL)
    of_age = final(fit, ("rna",))[:, row, Outputs.of(fit.cohort.tasks).outputs[t]].mean()
    of_age = of_age * fit.targets.scale[place, t] + fit.targets.mean[place, t]
    assert fewer[both[0]]["age"].item() == pytest.approx(of_age, rel=1e-5)
    alone = predicted(results, {"rna": files["rna"].loc[both[:1]]}, tmp_path)
    assert alone.set_index(keys)["y_pred"][both[0]]["age"].item() == pytest.approx(of_age, rel=1e-5)


def test_a_mudata_gives_what_files_give(results, files, everybody, tmp_path):
    blocks = {name: ad.AnnData(table.astype(np.float32)) for name, table in files.items()}
    blocks["proteins"].var_names = [f"proteins:{name}" for name in blocks["proteins"].var_names]
    blocks["rna"].var_names = [f"rna:{name}" for name in blocks["rna"].var_names]
    with mudata.set_options(pull_on_update=False):
        mudata.MuData(blocks).write_h5mu(tmp_path / "new.h5mu")
    predict(results, tmp_path / "new.h5mu", tmp_path / "out", tasks="outcome")
    found, wanted = read_table(tmp_path / "out" / "predictions.tsv", PREDICTIONS), everybody[1]
    wanted = wanted[wanted["task"] == "outcome"].set_index("sample")["y_pred"]
    np.testing.assert_allclose(found.set_index("sample")["y_pred"].loc[wanted.index], wanted, atol=1e-6)
    checks = read_table(tmp_path / "out" / "checks.tsv", CHECKS)
    assert {"rna: distance", "proteins: genes_measured"} <= set(checks["check"])


@pytest.mark.parametrize(
    "change, options, said",
    [
        (lambda f: {"proteins": np.exp2(f["proteins"])}, {}, "blocks.proteins: "),
        (lambda f: {"rna": f["rna"] + 9}, {}, "look like values with +"),
        (lambda f: {"proteins": f["proteins"].iloc[:, :40]}, {}, "of the model's 20 genes found; at least 50%"),
        (lambda f: {"proteins": f["proteins"] * np.nan}, {}, "every value is missing; leave the block out"),
        (lambda f: {"rna": f["rna"].iloc[:5]}, {"standardise": "cohort"}, "blocks.rna: "),
        (lambda f: {"rna": f["rna"], "metabolites": f["rna"]}, {}, "blocks.metabolites: no block of the run"),
        (lambda f: {"rna": f["rna"]}, {"tasks": "weight"}, "'weight' is no task of "),
    ],
)
def test_what_cannot_be_predicted_is_one_line_and_leaves_nothing(results, files, tmp_path, change, options, said):
    with pytest.raises(InputError) as error:
        predicted(results, change(files), tmp_path, **options)
    assert said in str(error.value) and "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "content, said",
    [
        ("blocks: {rna: nowhere.csv}", "blocks.rna.path: "),
        (
            "blocks: {rna: {path: new.yaml, scale: counts}}",
            "blocks.rna.scale: found counts; ",
        ),
        ("blocks: {rna: {path: new.yaml, sheet: 2}}", "blocks.rna: found sheet; valid: path"),
        ("blocks: {rna: 3}", "blocks.rna: found 3; expected a path"),
        ("rna: rna.parquet", "blocks: missing; expected a file for one or more of rna, proteins"),
    ],
)
def test_a_yaml_that_names_no_files_is_one_line(results, tmp_path, content, said):
    (tmp_path / "new.yaml").write_text(content)
    with pytest.raises(InputError) as error:
        predict(results, tmp_path / "new.yaml", tmp_path / "out")
    assert said in str(error.value) and str(tmp_path / "new.yaml") in str(error.value)


def test_one_matrix_is_refused_with_what_is_expected(results, files, tmp_path):
    files["rna"].to_csv(tmp_path / "new.csv")
    with pytest.raises(InputError, match=r"expected a MuData .* or a YAML .* blocks: {rna: new_rna.csv, proteins"):
        predict(results, tmp_path / "new.csv", tmp_path / "out")


def test_an_added_task_is_predicted_by_its_head_and_its_ridge_reads_what_a_donor_has(
    fit, results, planted, files, everybody, tmp_path
):
    copy = tmp_path / "results"
    shutil.copytree(results, copy)
    write_table(predictions(fit, ["multitask"], [np.ones(5)], seeds_of(OPTIONS)), copy / "predictions.tsv", PREDICTIONS)
    recorded(copy, "prepare", "cohort.h5ad", "splits.tsv")
    recorded(copy, "train", "model", "latents.h5ad", "predictions.tsv")
    labels = pd.read_csv(planted / "truth.csv")[["sample_id", "secreted"]]
    labels = labels[labels["sample_id"].isin(fit.cohort.samples[:90])]
    labels.to_csv(tmp_path / "labels.csv", index=False)
    answer = add_task(copy, tmp_path / "labels.csv", "secreted", "regression")
    assert answer.startswith("secreted: ") and "labelled donors" in answer
    table = predicted(copy, files, tmp_path, tasks="secreted,outcome")
    latents = ad.read_h5ad(everybody[0] / "latents.h5ad")
    own = table[table["task"] == "secreted"].set_index("sample")["y_pred"]
    wanted = read_head(copy, "secreted").predict(np.asarray(latents.X, dtype=float))
    np.testing.assert_allclose(own.loc[latents.obs_names], wanted, atol=1e-5)
    assert set(read_table(tmp_path / "out" / "rests_on.tsv", RESTS_ON)["task"]) == {"outcome"}
    # without proteins ridge is that of the transcripts alone, with both the mean of the two
    cohort, have = fit.cohort, fit.blocks.have(["proteins"])
    y = pd.Series(labels.set_index("sample_id")["secreted"].reindex(cohort.samples).to_numpy(), index=cohort.samples)
    task, train, test = Regression("secreted"), np.arange(60), np.arange(60, 120)
    by_block = {}
    for name, (rows, part) in zip(fit.blocks.names, matrices(cohort), strict=True):
        of_part = pd.Series(np.arange(len(rows)), index=rows)
        added = Added(task, y.iloc[rows], np.zeros((len(rows), 1)), replace(part, preprocessing={"kind": "cohort"}), 20)
        places = [of_part.reindex(own).dropna().astype(int).to_numpy() for own in (train, test)]
        by_block[name] = pd.Series(_by_ridge(added, *places, 0), index=rows[places[1]]).reindex(test)
    both = _by_ridge(Added(task, y, np.zeros((len(y), 1)), cohort, 20), train, test, 0)
    np.testing.assert_allclose(both, pd.DataFrame(by_block).mean(axis=1), atol=1e-6)
    assert by_block["proteins"].notna().to_numpy().tolist() == have[test].tolist() and not have[test].all()
