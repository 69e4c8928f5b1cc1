"""The sections of the YAML: they come without heavy libraries, and values are found by the keys of the user."""

from __future__ import annotations

import subprocess
import sys

from mtlbio.config import Splits, Training
from mtlbio.config.keys import merged_fields
from mtlbio.kinds.reference import config_reference
from mtlbio.kinds.schemas import CohortRun, TableRun

RUN = {"run": "a", "expression": {"path": "x", "scale": "z"}, "tasks": {"age": {"kind": "regression"}}}


def test_sections_import_neither_torch_nor_kinds_of_runs():
    code = "import sys, mtlbio.config; print([m for m in ('torch', 'pandas', 'mtlbio.kinds') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_dotted_keys_reach_into_sections_and_names():
    run = CohortRun.model_validate(RUN | {"splits": {"seed": 4}})
    assert run.dump_of(("splits.seed", "evaluate")) == {
        "splits.seed": 4,
        "evaluate": {"bootstrap": 1000, "margin": 0.02, "seed": 0},
    }
    changed = run.with_value("expression.path", "y").with_value("tasks.age.column", "years")
    assert (changed.expression.path, changed.tasks["age"].column) == ("y", "years")
    assert (run.expression.path, run.tasks["age"].column) == ("x", None)
    assert changed.training is run.training


def test_keys_of_several_models_stand_once():
    keys = list(merged_fields([CohortRun, TableRun]))
    assert keys[:2] == ["run", "kind"] and len(keys) == len(set(keys))
    assert set(keys) == {*CohortRun.model_fields, *TableRun.model_fields}
    assert merged_fields([CohortRun, TableRun])["kind"] is CohortRun.model_fields["kind"]
    assert list(merged_fields([Splits])) == ["kind", "folds", "by", "also", "seed"]
    assert set(merged_fields([Splits, Training])) == {*Splits.model_fields, *Training.model_fields}


def test_the_reference_has_its_sections_in_the_order_of_the_example():
    headings = [line for line in config_reference().splitlines() if line.startswith("## `")]
    places = [headings.index(f"## `{name}`") for name in ("expression", "features", "metadata", "qc", "report")]
    assert places == sorted(places) and places[0] == 0
