"""What a design can show, from the description alone: the words of the command line."""

import pandas as pd
import pytest
import yaml
from small_notebook import CALL, planted

import mtlbio as mb
from mtlbio.errors import InputError
from mtlbio.kinds.read import read_run

YAML = {
    "run": "notebook",
    "expression": {"path": "a.h5ad", "scale": "log2"},
    "metadata": {"donor": "donor_id"},
    "tasks": {"disease": {"kind": "binary", "positive": "case"}, "age": {"kind": "regression"}},
    "covariates": {"age": {"role": "confounder", "kind": "continuous"}, "batch": {"role": "technical"}},
}


def by_word(text: str) -> list[str]:
    """Lines without those on columns that the run does not use, which only a file has."""
    return [line for line in text.splitlines() if "no key names" not in line]


def test_words_are_those_of_the_command_line(tmp_path):
    adata = planted()
    adata.obs = adata.obs[["donor_id", "disease", "age", "batch"]]
    adata.write_h5ad(tmp_path / "a.h5ad")
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(YAML, sort_keys=False))
    expected = mb.plan(read_run(tmp_path / "run.yaml"), tmp_path / "results")
    assert (tmp_path / "results" / "plan.tsv").exists()
    for what in (adata, adata.obs):
        found = mb.plan(what, **CALL)
        assert str(found) == str(expected) == repr(found)
        pd.testing.assert_frame_equal(found.table, expected.table, check_dtype=False, rtol=1e-6)
    assert expected.splitlines()[0] == "notebook: 99 samples of 99 donors; left out: 1 (donor missing)."


def test_words_say_whether_a_deep_trunk_is_trained():
    deep = mb.plan(planted(), **CALL, training={"encoder": "auto"})
    assert deep.splitlines()[-1].startswith("No deep trunk is trained (auto: ")
    assert deep.startswith(mb.plan(planted(), **CALL))


def test_more_dimensions_need_more_donors():
    few, many = (mb.plan(planted().obs, dims=dims, **CALL).table for dims in (5, 200))
    column = "donors_for_0.8"
    assert many.query("kind == 'task'")[column].iloc[0] > few.query("kind == 'task'")[column].iloc[0]


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"donor": "patient"}, "donor: no column 'patient' in obs"),
        ({"tasks": {"disease": "SLE"}}, "SLE"),
        ({"covariates": {"age": "noise"}}, "covariates['age']: found 'noise'; valid: confounder, technical"),
        ({"covariates": {"cells": {"estimate": True}}}, "covariates.cells.estimate: composition is estimated from"),
        ({"probe": {"alphas": 1}}, "probe.alphas: unknown key"),
    ],
)
def test_what_does_not_fit_is_one_line(changed, line):
    with pytest.raises(InputError) as caught:
        mb.plan(planted().obs, **(CALL | changed))
    assert "\n" not in str(caught.value) and line in str(caught.value)


def test_what_is_no_description_is_one_line():
    with pytest.raises(InputError, match="obs: found list; expected a DataFrame"):
        mb.plan([1], **CALL)
