"""Labels of an estimator: the task that a column says, and predictions in its own values."""

import numpy as np
import pandas as pd
import pytest

from mtlbio.errors import InputError
from mtlbio.notebook.labelled import frame_of_labels, own_values, tasks_of_labels

NAMES = pd.Index(["a", "b", "c"])


@pytest.mark.parametrize(
    ("values", "task"),
    [
        ([0, 1, 1], {"kind": "binary", "positive": "1"}),
        ([0.0, np.nan, 1.0], {"kind": "binary", "positive": "1"}),
        ([10, 9, 9], {"kind": "binary", "positive": "10"}),  # numbers in their order, not texts
        ([True, False, True], {"kind": "binary", "positive": "True"}),
        (["SLE", None, "control"], {"kind": "binary", "positive": "control"}),
        (["a", "b", "c"], {"kind": "multiclass"}),
        ([1, 2, 3], {"kind": "regression"}),
        (pd.Categorical([1, 2, 3]), {"kind": "multiclass"}),
    ],
)
def test_what_a_column_says(values, task):
    found = tasks_of_labels(pd.DataFrame({"t": values}), None)
    assert found == {"t": {"column": "t", **task}}


def test_what_is_said_of_a_column_stands():
    y = pd.DataFrame({"t": [1, 2, 3], "other": [1, 2, 3]})
    assert tasks_of_labels(y, {"t": 3}) == {"t": 3}
    assert tasks_of_labels(y, {"u": {"kind": "ordinal", "column": "t"}}) == {"u": {"kind": "ordinal", "column": "t"}}
    with pytest.raises(InputError, match="tasks\\['u'\\]: no column 'u' in y"):
        tasks_of_labels(y, {"u": 3})


def test_labels_lie_as_the_samples_do():
    y = pd.DataFrame({"t": [3, 1, 2]}, index=["c", "a", "b"])
    assert frame_of_labels(y, NAMES)["t"].tolist() == [1, 2, 3]
    assert frame_of_labels(y["t"].rename(None), NAMES).columns.tolist() == ["y"]
    assert frame_of_labels([1, None, 2], NAMES)["y"].isna().tolist() == [False, True, False]
    two = frame_of_labels(np.array([[1, 2], [3, 4], [5, 6]]), NAMES)
    assert two.columns.tolist() == ["y1", "y2"] and two.loc["b"].tolist() == [3, 4]
    for wrong, line in (
        (y[:2], "y: found 2 rows; expected one per row of X, 3"),
        (np.zeros((3, 1, 1)), "y: found an array of 3 dimensions"),
        (y.rename(index={"a": "z"}), "y: found the names c, z, b; expected those of X, a, b, c"),
        (y[[]], "y: found no column; expected one per task"),
    ):
        with pytest.raises(InputError) as caught:
            frame_of_labels(wrong, NAMES)
        assert line in str(caught.value)


def test_values_come_back_as_they_were():
    assert own_values(pd.Series([1.0, np.nan, 0.0])) == {"1": 1.0, "0": 0.0}
    assert own_values(pd.Series([True, False])) == {"True": True, "False": False}
