"""Arms of every subset: the same networks as the train step's; label sets of a curve are nested and balanced."""

import numpy as np
import pytest
from small_training import OPTIONS, small_cohort

from mtlbio.cohort.cohort import write_cohort
from mtlbio.cohort.split import make_splits
from mtlbio.config import Splits
from mtlbio.errors import InputError
from mtlbio.evaluation.predictions import collect
from mtlbio.kinds.schemas import CohortRun
from mtlbio.tables import PREDICTIONS, SPLITS, read_table, write_table
from mtlbio.training.fewer_labels import nested_order, training_donors, with_labels_of
from mtlbio.training.subsets import fit_copies, fit_subsets, refitter_of, task_subsets
from mtlbio.training.train import train


@pytest.fixture(scope="module")
def cohort():
    return small_cohort(tasks=("disease", "age", "stage"))


@pytest.fixture(scope="module")
def splits(cohort):
    return make_splits(cohort, Splits(folds=3))


def test_single_tasks_and_all_together_are_the_arms_of_the_train_step(cohort, splits, tmp_path):
    write_cohort(cohort, tmp_path / "cohort.h5ad")
    write_table(splits, tmp_path / "splits.tsv", SPLITS)
    tasks = {name: {"kind": "regression"} for name in cohort.tasks}
    run = CohortRun.model_validate({"run": "a", "expression": {"path": "x", "scale": "z"}, "tasks": tasks})
    train(run.model_copy(update={"training": OPTIONS.model_copy(update={"single_task": True})}), tmp_path)
    table = read_table(tmp_path / "predictions.tsv", PREDICTIONS)
    subsets = task_subsets(cohort.tasks)
    refitter = refitter_of(cohort, splits, OPTIONS, subsets, "cpu")
    found = fit_subsets(cohort, refitter, subsets, lambda epochs, name: epochs)
    assert len(found) == 3 + 6 + 3
    for task, info in cohort.tasks.items():
        trained = collect(table, info)
        order = [list(trained.samples).index(sample) for sample in cohort.samples]
        for arm, subset in (("multitask", tuple(cohort.tasks)), ("singletask", (task,))):
            np.testing.assert_allclose(found[subset, task], trained.arms[arm][order], rtol=2e-3, atol=2e-3)


def test_hidden_labels_change_training_only_where_they_are_hidden(cohort, splits):
    refitter = refitter_of(cohort, splits, OPTIONS, [tuple(cohort.tasks), ("disease",)], "cpu")
    order = nested_order(cohort, splits, "disease", [0])
    few = with_labels_of(cohort, "disease", order[:15])
    whole, cut = fit_copies(refitter, [cohort, few], "disease")
    alone = next(fit_copies(refitter, [few], "disease"))
    np.testing.assert_allclose(cut, alone, atol=2e-3)  # the neighbours in the stack do not matter
    assert np.abs(whole[0] - cut[0]).max() > 0.02 and np.isfinite(cut).all()
    assert few.obs["age"].equals(cohort.obs["age"])
    assert 8 <= training_donors(few, refitter.folds, "disease") <= 12


def test_the_order_of_the_donors_is_nested_and_balanced(cohort, splits):
    order = nested_order(cohort, splits, "disease", [1])
    known = ~np.isnan(cohort.y("disease"))
    assert sorted(order) == sorted(set(cohort.donors[known]))
    y = dict(zip(cohort.donors, cohort.y("disease"), strict=True))
    fold = dict(zip(splits["donor"], splits["fold"], strict=True))
    share = np.mean([y[d] for d in order])
    for count in (10, 20, 40):
        assert abs(sum(y[d] for d in order[:count]) - share * count) <= 1.01
        held_out = np.bincount([fold[d] for d in order[:count]], minlength=3)
        assert held_out.max() - held_out.min() <= 3
    assert (order == nested_order(cohort, splits, "disease", [1])).all()
    assert (order != nested_order(cohort, splits, "disease", [2])).any()
    # a number has no classes, only folds
    held_out = np.bincount([fold[d] for d in nested_order(cohort, splits, "age", [1])[:12]], minlength=3)
    assert held_out.tolist() == [4, 4, 4]


def test_which_subsets_are_trained():
    assert [len(task_subsets("abcdefghij"[:n])) for n in (2, 3, 5, 6, 10)] == [3, 7, 31, 6 + 15 + 1, 10 + 45 + 1]
    with pytest.raises(InputError, match="one task only; found a"):
        task_subsets("a")
    with pytest.raises(InputError, match="found 11; transfer compares 10 at most"):
        task_subsets("abcdefghijk")
