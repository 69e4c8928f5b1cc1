"""The picture of the audit: every pair, its number, and a mark where it cannot be told apart."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from fabricate import fabricate

from mtlbio.report.design import design_size, draw_design, pairs_of
from mtlbio.report.inputs import read_inputs
from mtlbio.report.palette import VERDICTS
from mtlbio.report.svg import house_style, new_figure

ROWS = [
    ("task", "disease", "age", 0.14, "ok"),
    ("task", "disease", "batch", 1.0, "not_identifiable"),
    ("covariate", "batch", "age", np.nan, "weak"),
    ("family", "disease", "", 1.4, "ok"),
]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("design")
    inputs = read_inputs(fabricate(folder, donors=60), folder)
    audit = pd.DataFrame(ROWS, columns=["kind", "task", "covariate", "value", "call"])
    return replace(inputs, tables=inputs.tables | {"audit": audit})


def test_every_pair_has_its_number_and_its_mark(inputs):
    with house_style():
        axes = new_figure(4, 3).subplots()
        title, words = draw_design(inputs, axes)
    cells = {tuple(map(round, text.get_position())): text.get_text() for text in axes.texts}
    cross, triangle = VERDICTS["not_identifiable"].mark, VERDICTS["underpowered"].mark
    assert cells == {(0, 0): "0.14", (1, 0): f"{cross} 1.00", (0, 1): f"{triangle} –"}
    assert [t.get_text() for t in axes.get_yticklabels()] == ["disease", "batch"]
    assert title == "What this design can tell apart"
    assert words == "Table in colour of 3 pairs: 1 ok, 1 not identifiable, 1 weak."


def test_what_is_no_pair_is_left_out(inputs):
    pairs = pairs_of(inputs)
    assert pairs["kind"].tolist() == ["task", "task", "covariate"] and design_size(pairs)[0] == 2.2 + 2 * 0.9
    assert len(pairs_of(replace(inputs, tables={}))) == 0
