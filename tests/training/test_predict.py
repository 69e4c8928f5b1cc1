"""The final ensemble on samples it has never seen."""

from __future__ import annotations

import json
import logging
import shutil

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from mtlbio.cohort.cohort import read_cohort
from mtlbio.cohort.prepare import prepare
from mtlbio.cohort.simulate import simulate, write_simulation
from mtlbio.errors import InputError
from mtlbio.integrity.record import recorded
from mtlbio.kinds.read import read_run
from mtlbio.model.ensemble import FINAL, load_ensemble
from mtlbio.tables import CHECKS, PREDICTIONS, SPLITS, read_table
from mtlbio.training.new_samples.reference import Reference, held_out_departures
from mtlbio.training.predict import predict
from mtlbio.training.train import train

SMALL = "training: {seeds: 2, epochs: 30, patience: 15, curves: 40, single_task: false}\nsplits: {folds: 2}\n"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Results of a small run whose counts came from a planted cohort, and the counts."""
    folder = tmp_path_factory.mktemp("predict")
    planted = simulate("clear", donors=60, genes=300)
    counts = np.random.default_rng(0).poisson(np.exp2(planted.expression))
    counts = pd.DataFrame(counts, planted.expression.index, planted.expression.columns)
    path = write_simulation(folder / "cohort", planted)
    counts.to_parquet(folder / "cohort" / "expression.parquet")
    path.write_text(path.read_text().replace("scale: log2", "scale: counts") + SMALL)
    run = read_run(path)
    prepare(run, folder / "results")
    train(run, folder / "results")
    recorded(folder / "results", "prepare", "cohort.h5ad", "qc.tsv", "splits.tsv")
    return folder / "results", counts


def predicted(finished, table: pd.DataFrame, folder, **options) -> tuple[pd.DataFrame, ad.AnnData]:
    table.to_csv(folder / "new.csv")
    predict(finished[0], folder / "new.csv", folder / "out", **options)
    return read_table(folder / "out" / "predictions.tsv", PREDICTIONS), ad.read_h5ad(folder / "out" / "latents.h5ad")


def test_training_samples_get_the_final_ensembles_latents_and_predictions(finished, tmp_path):
    results, counts = finished
    table, latents = predicted(finished, counts, tmp_path)
    trained = ad.read_h5ad(results / "latents.h5ad")
    np.testing.assert_allclose(latents.X, trained.layers["final"], atol=1e-5)
    assert latents.var_names.equals(trained.var_names) and latents.var.equals(trained.var)
    values = ad.read_h5ad(results / "cohort.h5ad").X
    expected = load_ensemble(results / "model").predict("disease", values).mean(axis=0)
    own = table[table["task"] == "disease"]
    np.testing.assert_allclose(own["y_pred"], expected, atol=1e-5)
    assert own["y_true"].isna().all() and set(own["fold"].astype(int)) == {FINAL}
    assert table.groupby("task").size().to_dict() == {"disease": 60, "age": 60, "response": 60}


def test_one_sample_alone_gets_what_it_gets_among_others(finished, tmp_path):
    _, counts = finished
    (tmp_path / "one").mkdir()
    alone, _ = predicted(finished, counts.iloc[7:8], tmp_path / "one")
    everybody, _ = predicted(finished, counts, tmp_path)
    same = everybody[everybody["sample"] == counts.index[7]]
    np.testing.assert_allclose(alone["y_pred"], same["y_pred"], rtol=1e-5)


def test_missing_genes_are_what_the_others_say_and_gene_order_does_not_matter(finished, tmp_path):
    results, counts = finished
    model, reference = load_ensemble(results / "model"), Reference.read(results / "model")
    gone = list(counts.columns[::10])
    _, latents = predicted(finished, counts.drop(columns=gone).iloc[:, ::-1], tmp_path)
    values = ad.read_h5ad(results / "cohort.h5ad").to_df()
    features = model.models[FINAL].features
    # a library without the missing genes is smaller; it is brought to the part of the size that they leave
    kept = counts[values.columns].drop(columns=gone)
    size = ad.read_h5ad(results / "cohort.h5ad").uns["preprocessing"]
    left = (
        float(size.split('"size": ')[1].rstrip("}")) * reference.library_share[values.columns.isin(kept.columns)].sum()
    )
    values[kept.columns] = np.log1p(kept.to_numpy() / kept.sum(axis=1).to_numpy()[:, None] * left)
    values[[gene for gene in gone if gene in values]] = np.nan
    standardised = (values.to_numpy()[:, features.genes_idx] - features.mean) / features.scale
    wanted = model.models[FINAL].latents(reference.factors.filled(standardised).astype(np.float32))
    np.testing.assert_allclose(latents.X, wanted.mean(axis=0), atol=1e-4)


def test_a_library_that_lacks_genes_is_brought_to_what_the_rest_of_it_was(finished, tmp_path):
    results, counts = finished
    few, whole = tmp_path / "few", tmp_path / "whole"
    few.mkdir(), whole.mkdir()
    most = counts.sum().sort_values().index[-60:]  # most of every library
    assert counts[most].to_numpy().sum() > 0.4 * counts.to_numpy().sum()
    _, filled = predicted(finished, counts.drop(columns=most), few)
    _, wanted = predicted(finished, counts, whole)
    # the other genes keep their level, so that the samples stay where they were
    assert np.abs(filled.X - wanted.X).mean() < 0.5 * np.abs(wanted.X).mean()


def test_estimated_counts_are_rounded_and_told(finished, tmp_path, caplog):
    wanted, _ = predicted(finished, finished[1], tmp_path)
    noise = np.random.default_rng(0).uniform(-0.4, 0.4, finished[1].shape)
    with caplog.at_level(logging.INFO, logger="mtlbio"):
        found, _ = predicted(finished, (finished[1] + noise).clip(lower=0), tmp_path)
    pd.testing.assert_frame_equal(found, wanted)
    assert any("estimated counts rounded" in line for line in caplog.messages)


def test_another_laboratory_is_rescaled_on_its_own_mean_and_spread(finished, tmp_path):
    results, counts = finished
    values = ad.read_h5ad(results / "cohort.h5ad")
    _, latents = predicted(finished, counts, tmp_path, standardise="cohort")
    expected = ad.read_h5ad(results / "latents.h5ad").layers["final"]
    assert len(values) == 60
    # the new cohort is the training cohort: its own mean and spread are those of training
    np.testing.assert_allclose(latents.X, expected, atol=1e-4)


@pytest.mark.parametrize(
    "change, options, said",
    [
        (lambda c: c.iloc[:, :100], {}, "100 of the model's 300 genes found; at least 50%"),
        (lambda c: c.iloc[:5], {"standardise": "cohort"}, "needs 10 samples or more"),
        (lambda c: -c, {}, "found -"),
        (lambda c: pd.concat([c, c.iloc[:2]]), {}, "twice"),
        (lambda c: np.log2(c + 1), {}, "the samples look like log2(x + 1) of counts: give the counts"),
        (lambda c: np.log1p(c), {}, "the samples look like ln(x + 1) of counts"),
        (lambda c: c // 100, {}, "counts where the training samples had 100,000 or more: single cells?"),
        (lambda c: c.div(c.sum(axis=1), axis=0) * 1e6, {}, "the samples look like normalised values (CPM, TPM)"),
        (lambda c: c * 0, {}, "0 of the model's 300 genes found and not constant"),
        (lambda c: c.rename(columns=str.capitalize), {}, "would match but for the case, as mouse symbols do"),
        (
            lambda c: c.set_axis([f"ENSG{i:011d}.2" for i in range(300)], axis=1),
            {},
            "the model was trained on gene symbols and these look like Ensembl gene ids",
        ),
        (
            lambda c: c.set_axis([f"ENSG{i:011d}.2" for i in range(300)], axis=1).T,
            {},
            "the rows look like Ensembl gene ids: genes in rows?",
        ),
    ],
)
def test_wrong_input_is_one_line_and_leaves_nothing(finished, tmp_path, change, options, said):
    with pytest.raises(InputError) as error:
        predicted(finished, change(finished[1]), tmp_path, **options)
    assert said in str(error.value) and "\n" not in str(error.value) and "new.csv" in str(error.value)
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def of_logs(finished, tmp_path_factory):
    """The same model as if its cohort had come as logarithms, and the cohort's logarithms."""
    folder = tmp_path_factory.mktemp("logs") / "results"
    shutil.copytree(finished[0], folder)
    path = folder / "model" / "model.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"preprocessing": {"kind": "cohort", "scale": "log", "size": None}}))
    return folder, ad.read_h5ad(folder / "cohort.h5ad").to_df()


def noted(caplog, of, table, folder, **options) -> tuple[list[str], pd.DataFrame]:
    """Warnings, and ``checks.tsv``."""
    with caplog.at_level(logging.INFO, logger="mtlbio"):
        predicted(of, table, folder, **options)
    lines = [line for line in caplog.messages if line.startswith("Warning: ")]
    return lines, read_table(folder / "out" / "checks.tsv", CHECKS)


def test_training_samples_pass_without_a_word(of_logs, tmp_path, caplog):
    lines, checks = noted(caplog, of_logs, of_logs[1], tmp_path)
    assert lines == [] and set(checks["call"]) == {"fine"}
    assert checks.loc[checks["check"] == "slope", "value"].item() == pytest.approx(1, abs=0.02)
    assert (checks["check"] == "distance").sum() == 60 == len(checks[checks["check"] == "genes_measured"]) - 1


@pytest.mark.parametrize(
    "change, said",
    [
        (
            lambda x: x / np.log(10),
            "look like log10 of what the model was trained on as natural logarithms (slope 0.43",
        ),
        (lambda x: (x - x.mean()) / x.std(), "look like z-scores of each gene"),
        (lambda x: x + 6, "look like values with +6.0"),
    ],
)
def test_another_scale_is_refused_and_predicted_only_for_who_insists(of_logs, tmp_path, caplog, change, said):
    table = change(of_logs[1])
    with pytest.raises(InputError, match="; --anyway predicts nevertheless") as error:
        predicted(of_logs, table, tmp_path)
    assert said in str(error.value) and not (tmp_path / "out").exists()
    lines, checks = noted(caplog, of_logs, table, tmp_path, anyway=True)
    assert any(said in line for line in lines) and "refused" in set(checks["call"])
    # by its own mean and spread a cohort may have any scale
    lines, _ = noted(caplog, of_logs, table, tmp_path, standardise="cohort")
    assert not any(said in line for line in lines[1:])


def test_genes_in_rows_are_read_so_and_said(of_logs, tmp_path, caplog):
    table = of_logs[1].rename_axis("gene", axis=1)
    wanted, _ = predicted(of_logs, table, tmp_path)
    with caplog.at_level(logging.INFO, logger="mtlbio"):
        found, _ = predicted(of_logs, table.T, tmp_path)
    pd.testing.assert_frame_equal(found, wanted)
    assert any("genes in rows" in line for line in caplog.messages)


def test_what_missing_genes_cost_is_told_for_every_task(of_logs, tmp_path, caplog):
    table = of_logs[1].iloc[:, 90:]
    lines, checks = noted(caplog, of_logs, table, tmp_path)
    assert len(lines) == 1 and "are filled with what the others say of them" in lines[0]
    cost = checks[checks["check"] == "expected_loss"].set_index("item")
    assert list(cost.index) == ["disease", "age", "response"] and "age R² " in lines[0]
    ensemble, cohort = load_ensemble(of_logs[0] / "model"), read_cohort(of_logs[0] / "cohort.h5ad")
    splits = read_table(of_logs[0] / "splits.tsv", SPLITS)
    predictions = np.full(60, np.nan)
    for fold in ensemble.folds:
        held_out = (splits["fold"] == fold).to_numpy()
        predictions[held_out] = ensemble.predict("age", cohort.expression[held_out], fold).mean(axis=0)
    assert cost.loc["age", "expected"] == pytest.approx(cohort.tasks["age"].score(cohort.y("age"), predictions))
    assert cost.loc["age", "value"] < cost.loc["age", "expected"]


def test_samples_with_few_genes_are_compared_on_these_alone(of_logs, tmp_path, caplog):
    _, checks = noted(caplog, of_logs, of_logs[1].iloc[:, :200], tmp_path)
    ensemble, cohort = load_ensemble(of_logs[0] / "model"), read_cohort(of_logs[0] / "cohort.h5ad")
    splits = read_table(of_logs[0] / "splits.tsv", SPLITS)
    there = np.arange(len(ensemble.genes)) < 200
    wanted = held_out_departures(cohort, ensemble, splits, there).distance
    row = checks[checks["check"] == "distance"].iloc[0]
    assert (row["low"], row["high"]) == pytest.approx((wanted.min(), wanted.max()))
    assert row["high"] != pytest.approx(Reference.read(of_logs[0] / "model").held_out.distance.max())


def test_where_the_cohort_is_not_at_hand_the_cost_cannot_be_told(of_logs, tmp_path, caplog):
    folder = tmp_path / "alone"
    shutil.copytree(of_logs[0], folder)
    (folder / "cohort.h5ad").unlink()
    lines, checks = noted(caplog, (folder, of_logs[1]), of_logs[1].iloc[:, 30:], tmp_path)
    assert "what that costs cannot be told" in lines[0] and "expected_loss" not in set(checks["check"])


def test_constant_genes_count_as_missing_and_single_gaps_are_filled(of_logs, tmp_path, caplog):
    table = of_logs[1].copy()
    table.iloc[:, :40] = 0.0
    table.iloc[3, 100:120] = np.nan
    lines, checks = noted(caplog, of_logs, table, tmp_path)
    assert any("40 of the " in line and "are the same in all 60 samples and count as missing" in line for line in lines)
    assert any("20 values of 1 samples are missing" in line for line in lines)
    own = checks[checks["check"] == "genes_measured"].set_index("item")["value"]
    n = len(load_ensemble(of_logs[0] / "model").models[FINAL].features.genes_idx)
    assert own[table.index[3]] == pytest.approx(1 - 60 / n) and own[table.index[4]] == pytest.approx(1 - 40 / n)


def test_a_sample_of_zeros_gets_no_prediction_among_others(of_logs, tmp_path, caplog):
    table = of_logs[1].copy()
    table.iloc[2] = 0.0
    lines, _ = noted(caplog, of_logs, table, tmp_path)
    assert any("none of the genes and get no prediction: " + table.index[2] in line for line in lines)
    predictions = read_table(tmp_path / "out" / "predictions.tsv").set_index("sample")
    assert predictions.loc[table.index[2], "y_pred"].isna().all()
    assert predictions.drop(table.index[2])["y_pred"].notna().all()


def test_a_gene_twice_is_averaged_and_told(of_logs, tmp_path, caplog):
    wanted, _ = predicted(of_logs, of_logs[1], tmp_path)
    gene = of_logs[1].columns[5]
    twice = pd.concat([of_logs[1], (of_logs[1][gene] - 1).rename(gene)], axis=1)
    twice.iloc[:, 5] += 1
    lines, _ = noted(caplog, of_logs, twice, tmp_path)
    assert f"gene(s) {gene} stand twice: averaged" in lines[0]
    found = read_table(tmp_path / "out" / "predictions.tsv")
    np.testing.assert_allclose(found["y_pred"], wanted["y_pred"], rtol=1e-4)


def test_a_model_of_an_earlier_version_still_predicts_and_says_what_it_lacks(of_logs, tmp_path, caplog):
    folder = tmp_path / "earlier"
    shutil.copytree(of_logs[0], folder)
    (folder / "model" / "reference.safetensors").unlink()
    lines, _ = noted(caplog, (folder, of_logs[1]), of_logs[1].iloc[:, 30:], tmp_path)
    assert "keeps nothing of its training samples" in lines[0] and "count as average" in lines[1]


def test_columns_that_are_no_genes_of_the_model_are_not_looked_at(of_logs, tmp_path, caplog):
    wanted, _ = predicted(of_logs, of_logs[1], tmp_path)
    table = of_logs[1].assign(library=1e6, year=2021)
    lines, _ = noted(caplog, of_logs, table, tmp_path)
    assert lines == []
    pd.testing.assert_frame_equal(read_table(tmp_path / "out" / "predictions.tsv"), wanted)


def test_samples_that_are_called_as_training_samples_are_told(of_logs, tmp_path, caplog):
    noted(caplog, of_logs, of_logs[1], tmp_path)
    assert any("60 of 60 samples are called as training samples" in line for line in caplog.messages)
    caplog.clear()
    noted(caplog, of_logs, of_logs[1].rename(index=lambda name: f"new{name}"), tmp_path)
    assert not any("called as training samples" in line for line in caplog.messages)


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(InputError, match="no trained model"):
        predict(tmp_path, tmp_path / "new.csv", tmp_path / "out")
