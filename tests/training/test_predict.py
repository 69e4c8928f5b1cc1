"""The final ensemble on samples it has never seen."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from mtlbio.cohort.prepare import prepare
from mtlbio.cohort.simulate import simulate, write_simulation
from mtlbio.errors import InputError
from mtlbio.kinds.read import read_run
from mtlbio.model.ensemble import FINAL, load_ensemble
from mtlbio.tables import PREDICTIONS, read_table
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


def test_missing_genes_are_the_training_mean_and_gene_order_does_not_matter(finished, tmp_path):
    results, counts = finished
    model = load_ensemble(results / "model")
    gone = list(counts.columns[::10])
    _, latents = predicted(finished, counts.drop(columns=gone).iloc[:, ::-1], tmp_path)
    values = ad.read_h5ad(results / "cohort.h5ad").to_df()
    features = model.models[FINAL].features
    # a library without the missing genes is smaller; it is brought to the same size
    kept = counts[values.columns].drop(columns=gone)
    size = ad.read_h5ad(results / "cohort.h5ad").uns["preprocessing"]
    assert '"size": ' in size
    log = np.log1p(
        kept.to_numpy() / kept.sum(axis=1).to_numpy()[:, None] * float(size.split('"size": ')[1].rstrip("}"))
    )
    values[kept.columns] = log
    mean = pd.Series(features.mean, values.columns[features.genes_idx])
    for gene in set(gone) & set(mean.index):
        values[gene] = mean[gene]
    np.testing.assert_allclose(latents.X, model.latents(values.to_numpy()).mean(axis=0), atol=1e-4)


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
        (lambda c: c.rename(columns={c.columns[1]: c.columns[0]}), {}, "twice"),
    ],
)
def test_wrong_input_is_one_line_and_leaves_nothing(finished, tmp_path, change, options, said):
    with pytest.raises(InputError) as error:
        predicted(finished, change(finished[1]), tmp_path, **options)
    assert said in str(error.value) and "\n" not in str(error.value) and "new.csv" in str(error.value)
    assert not (tmp_path / "out").exists()


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(InputError, match="no trained model"):
        predict(tmp_path, tmp_path / "new.csv", tmp_path / "out")
