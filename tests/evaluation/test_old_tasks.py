"""Which of a run's tasks a new one leans on: the planted one, no other, and none where it follows nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mtlbio.evaluation.added import old_tasks
from mtlbio.evaluation.added.old_tasks import leaning, predictions_of, sentence
from mtlbio.labels import Binary, Label, Multiclass, Regression
from mtlbio.tables import OLD_TASKS, PREDICTIONS

LABELLED, SAMPLES = 30, 80
BINARY = Binary("new", ("no", "yes"))


@pytest.fixture(autouse=True)
def few_draws(monkeypatch):
    monkeypatch.setattr(old_tasks, "DRAWS", 60)


def asked(kind: Label, source: str, seed: int, noise: float = 0.4) -> pd.DataFrame:
    """Three old tasks, the second of which follows the first in part; a new one is a noisy copy of ``source``."""
    rng = np.random.default_rng([seed, 11])
    old = rng.standard_normal((SAMPLES, 3))
    old[:, 1] = 0.6 * old[:, 0] + 0.8 * old[:, 1]
    columns = pd.MultiIndex.from_tuples([("disease", "sick"), ("age", ""), ("dose", "")], names=["task", "label"])
    predicted = pd.DataFrame(old * [0.2, 9.0, 1.0] + [0.5, 60.0, 3.0], columns=columns)
    value = {"disease": old[:, 0], "age": old[:, 1], "nothing": rng.standard_normal(SAMPLES)}[source]
    y = (value + noise * rng.standard_normal(SAMPLES))[:LABELLED]
    y = y if kind.kind == "regression" else (y > np.median(y)).astype(float)
    donors = np.array([f"d{i:02d}" for i in range(LABELLED)])
    return leaning(kind, predicted, np.arange(LABELLED), y, donors, donors, seed=0)


@pytest.mark.parametrize("kind", [Regression("new"), BINARY], ids=["number", "classes"])
@pytest.mark.parametrize("source", ["disease", "age"])
def test_a_noisy_copy_of_an_old_task_leans_on_that_one(kind, source):
    table = asked(kind, source, seed=1)
    assert list(table.columns) == OLD_TASKS and table["share"].sum() == pytest.approx(1)
    assert table["task"].iloc[0] == source and table["leans"].tolist() == [True, False, False]
    assert table["share"].iloc[0] > 0.7 and table["ci_low"].iloc[0] > 0
    assert sentence("new", table).startswith(f"new leans on {source}") and "no other task" in sentence("new", table)


def test_an_unrelated_task_leans_on_none():
    tables = [asked(Regression("new"), "nothing", seed) for seed in range(12)]
    assert sum(table["leans"].any() for table in tables) <= 1  # of intervals that hold at once 95 % of the time
    none = next(table for table in tables if not table["leans"].any())
    assert sentence("new", none) == "new leans on none of the run's own tasks that could be told from chance."


def test_the_units_of_old_predictions_and_their_order_do_not_matter():
    rng = np.random.default_rng(0)
    old, y = rng.standard_normal((40, 2)), rng.standard_normal(20)
    rows, donors = np.arange(20), np.arange(20).astype(str)
    names = pd.MultiIndex.from_tuples([("a", ""), ("b", "")], names=["task", "label"])
    task = Regression("new")
    first = leaning(task, pd.DataFrame(old, columns=names), rows, y, donors, donors, 0)
    other = pd.DataFrame(old[:, ::-1] * [3.0, -0.1] + 7, columns=names[::-1])
    second = leaning(task, other, rows, y, donors, donors, 0).set_index("task").loc[first["task"]]
    sign = np.where(first["task"] == "a", -1, 1)
    np.testing.assert_allclose(second["weight"], sign * first["weight"], rtol=1e-6)
    np.testing.assert_allclose(second["share"], first["share"], rtol=1e-6)


def test_a_label_of_several_directions_has_no_table():
    columns = pd.MultiIndex.from_tuples([("a", "")], names=["task", "label"])
    y, donors = np.arange(9) % 3.0, np.arange(9).astype(str)
    table = leaning(
        Multiclass("new", ("x", "y", "z")), pd.DataFrame(y, columns=columns), np.arange(9), y, donors, donors, 0
    )
    assert table.empty and list(table.columns) == OLD_TASKS and sentence("new", table) == ""


def test_seeds_are_averaged_and_what_says_the_same_of_all_is_left_out():
    rows = [("s1", 0, 0.2), ("s1", 1, 0.4), ("s2", 0, 0.6), ("s2", 1, 0.8)]
    about = {"donor": "d", "fold": 0, "label": None, "y_true": 0.0}
    own = [about | {"sample": s, "seed": k, "arm": "multitask", "task": "a", "y_pred": p} for s, k, p in rows]
    own += [row | {"task": "flat", "y_pred": 1.0} for row in own] + [
        row | {"arm": "ridge", "y_pred": 9.0} for row in own
    ]
    found = predictions_of(pd.DataFrame(own)[PREDICTIONS], np.array(["s2", "s1"]))
    assert found.columns.tolist() == [("a", "")]
    np.testing.assert_allclose(found.to_numpy()[:, 0], [0.7, 0.3])
