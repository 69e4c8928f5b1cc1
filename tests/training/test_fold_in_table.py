"""Dimensions of a table of features: predictions are those of the paths, a score is the direction the drugs share."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mtlbio.cohort.prepare import build_cohort
from mtlbio.cohort.simulate_doses import simulate_doses, write_doses
from mtlbio.cohort.split import make_splits
from mtlbio.config import Splits, Training
from mtlbio.errors import InputError
from mtlbio.kinds.read import read_run
from mtlbio.model.ensemble import FINAL, load_ensemble, save_ensemble
from mtlbio.model.latents import latents_table, write_latents
from mtlbio.model.outputs import Outputs
from mtlbio.training.cross_task_stacking import with_cross_task_stacks
from mtlbio.training.effects import effects_table
from mtlbio.training.fold_in_table import fold_in_table, scores
from mtlbio.training.fold_predictors import Refit
from mtlbio.training.predict_table import predict
from mtlbio.training.predictors import fit_predictors
from mtlbio.training.problem import inner_of, make_problem, make_targets, prepare_fold
from mtlbio.training.stacking import stack_predictors

OPTIONS = Training(seeds=2, epochs=60, patience=20, curves=20, block=4)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Three drugs, the first free of form and two multiplicative; folds 0, 1 and the final model."""
    doses = simulate_doses(seed=3, a=200, b=200, c=40, variants=1)
    cohort, _ = build_cohort(read_run(write_doses(tmp_path_factory.mktemp("doses"), doses)))
    tasks = cohort.tasks | {"drug_a": replace(cohort.tasks["drug_a"], multiplicative=False)}
    cohort = replace(cohort, tasks=tasks)
    splits = make_splits(cohort, Splits(folds=2))
    folds = [prepare_fold(cohort, splits, fold, OPTIONS) for fold in (0, 1, FINAL)]
    targets = make_targets(cohort, folds)
    problem = make_problem(cohort, folds, targets, [np.ones(3)], OPTIONS.seeds, "cpu")
    paths = fit_predictors(problem, [0, 1], OPTIONS)
    stacking = with_cross_task_stacks(problem, stack_predictors(problem, paths.outputs, folds, targets), folds, targets)
    canonical = fold_in_table(cohort, Refit(folds, targets, paths, stacking), [0, 1])
    return doses, cohort, splits, folds, targets, stacking, canonical


def test_predictions_are_those_of_the_mixed_paths(trained):
    _, cohort, _, folds, targets, stacking, canonical = trained
    packing = Outputs.of(cohort.tasks)
    for i, data in enumerate(folds):
        for t, task in enumerate(packing.tasks):
            raw = stacking.outputs[i, 0][:, :, packing.outputs[t]]
            wanted = task.to_prediction(raw, targets.mean[i, t], targets.scale[i, t])
            found = canonical.ensemble.predict(task.name, cohort.expression, data.fold)
            assert found == pytest.approx(wanted, rel=2e-4)


def test_a_multiplicative_task_takes_nothing_from_the_curves(trained):
    mixture = trained[5].mixture
    assert [mixture[2, 0, t].shares[3] for t in (1, 2)] == [0, 0]
    assert mixture[2, 0, 0].shares[3] >= 0
    # on the logarithm the inhibitor is then the same factor for everybody
    cohort, ensemble = trained[1], trained[6].ensemble
    with_it, without = cohort.expression.copy(), cohort.expression.copy()
    places = cohort.coding.places["inhibitor"]
    with_it[:, places], without[:, places] = [0, 1], [1, 0]
    ratio = ensemble.predict("drug_b", with_it) / ensemble.predict("drug_b", without)
    assert ratio.std(axis=1) == pytest.approx(0, abs=1e-4)


def test_the_enzyme_is_one_dimension_and_found_on_held_out_patients(trained):
    doses, cohort, splits, _, _, _, canonical = trained
    table = latents_table(cohort, splits, canonical)
    assert table.var["feature"].tolist()[0] == "enzyme" and (table.var["feature"][-3:] == "").all()
    truth = doses.truth["enzyme"].loc[cohort.samples].to_numpy()
    known = ~np.isnan(cohort.expression[:, cohort.coding.places["cyp_expression"][0]])
    known &= cohort.expression[:, cohort.genes.index("cyp=missing")] == 0
    r2 = [np.corrcoef(table.X[known, k], truth[known])[0, 1] ** 2 for k in range((canonical.block == "axis").sum())]
    assert r2[0] > 0.9 and max(r2[1:]) < 0.2
    own = cohort.coding.units["enzyme"]
    assert (canonical.loadings[0, np.setdiff1d(np.arange(len(cohort.genes)), own)] == 0).all()


def test_effects_are_factors(trained):
    cohort, ensemble = trained[1], trained[6].ensemble
    table = effects_table(cohort, ensemble).set_index(["task", "feature", "value"])
    assert table.loc[("drug_b", "inhibitor", "yes"), "factor"] < 0.75
    assert table.loc[("drug_a", "cyp", "*1/*1"), "factor"] > 1.1 > table.loc[("drug_a", "cyp", "*1/*3"), "factor"] + 0.2
    assert (
        table.loc[("drug_a", "inhibitor", "yes"), "samples"]
        == cohort.expression[:, cohort.genes.index("inhibitor=yes")].sum()
    )


def test_it_comes_back_from_disk(trained, tmp_path):
    cohort, ensemble = trained[1], trained[6].ensemble
    save_ensemble(ensemble, tmp_path / "model", {"preprocessing": cohort.preprocessing})
    again = load_ensemble(tmp_path / "model")
    assert again.tasks == ensemble.tasks
    assert again.predict("drug_c", cohort.expression) == pytest.approx(
        ensemble.predict("drug_c", cohort.expression), rel=1e-3
    )


def test_the_score_is_what_the_tasks_share():
    rng = np.random.default_rng(5)
    level = rng.integers(0, 3, 400)
    x = np.eye(3)[level] - np.eye(3)[level].mean(axis=0)
    activity = np.array([0.0, -1.0, -3.0])
    maps = np.outer(activity, [1.0, 0.5, 0.8]) + np.array([[0, 0, 0.2], [0, 0, -0.2], [0, 0, 0.0]])
    found = x @ scores(x, maps, [np.arange(3)], np.array([10.0, 10.0, 1.0]))[:, 0]
    assert found.std() == pytest.approx(1)
    assert np.corrcoef(found, activity[level])[0, 1] > 0.999
    # a lone column is its own score, and one that no task reads still is a dimension
    assert scores(x, 0 * maps, [np.arange(1), np.arange(3)], np.ones(3)).any(axis=0).all()


def test_whole_levels_validate(trained):
    cohort = trained[1]
    train = np.arange(0, len(cohort.samples), 2)
    inner = inner_of(cohort, train, OPTIONS.model_copy(update={"validate_by": "site"}))
    site = cohort.obs["site"].astype(str).to_numpy()
    assert all(len(set(inner[train][site[train] == s])) == 1 for s in set(site)) and (inner[train] >= 0).all()


def test_new_patients_are_coded_like_the_old_ones(trained, tmp_path):
    doses, cohort, splits, _, _, _, canonical = trained
    save_ensemble(canonical.ensemble, tmp_path / "model", {"preprocessing": cohort.preprocessing})
    write_latents(cohort, splits, canonical, tmp_path / "latents.h5ad")
    new = doses.table.drop(columns=["drug_a", "drug_b", "drug_c", "sex"]).head(30)
    new.loc[0, "cyp"] = "*1/*9"
    new.to_csv(tmp_path / "new.csv", index=False, na_rep="NA")
    predict(tmp_path, tmp_path / "new.csv", tmp_path / "out")
    found = pd.read_csv(tmp_path / "out" / "predictions.tsv", sep="\t").pivot(
        index="sample", columns="task", values="y_pred"
    )
    assert found.shape == (30, 3) and (found > 0).all().all()
    # sex is missing for everybody here: it matters for no dose, so little changes
    known = canonical.ensemble.predict("drug_a", cohort.expression[1:30]).mean(axis=0)
    assert np.corrcoef(np.log(found["drug_a"].iloc[1:]), np.log(known))[0, 1] > 0.95
    with pytest.raises(InputError, match="3 of the model's 8 features found; at least 50% are needed"):
        new[["patient", "cyp", "age", "weight"]].to_csv(tmp_path / "few.csv", index=False)
        predict(tmp_path, tmp_path / "few.csv", tmp_path / "out")
