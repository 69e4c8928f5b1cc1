"""What every kind of run holds, how it is found, and which modules its steps depend on."""

from __future__ import annotations

import ast
import json
import os
import re
import sys
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import yaml

from mtlbio import cli, door
from mtlbio.cohort.cohort import Cohort, read_cohort, write_cohort
from mtlbio.errors import InputError
from mtlbio.integrity.record import recorded
from mtlbio.kinds import KINDS, STEPS, TABLE, kind_named
from mtlbio.kinds.base import Simulation, function_at
from mtlbio.kinds.commands import kind_of_files, simulation_named
from mtlbio.kinds.read import as_run, read_run
from mtlbio.kinds.schemas import CohortRun, TableRun
from mtlbio.kinds.sources import modules_of
from mtlbio.kinds.stored import kind_of_model
from mtlbio.modules import PACKAGE
from mtlbio.probing.rates import SPEAK_FOR

TASKS = {"age": {"kind": "regression"}}
FEATURES = {"path": "table.csv", "numeric": ["weight"]}
TABLE_RUN = {"run": "doses", "features": FEATURES, "tasks": TASKS}
COHORT_RUN = {"run": "small", "expression": {"path": "e.h5ad", "scale": "log"}, "tasks": TASKS}
NOTHING = {"run": "a", "tasks": TASKS}
STRANGE = "chains: unknown key; it belongs to a run of kind protein, and this one is a table: "
VALID = "run, kind, metadata, tasks, covariates, qc, splits, training, baselines, evaluate, probe, report, federation, "
VALID += "features, expression, pseudobulk, gene_sets"


def files(step: str, kind: str) -> set[str]:
    return {str(Path(file).resolve().relative_to(PACKAGE)) for file in modules_of(step, kind=kind)}


@pytest.mark.parametrize("name", list(KINDS))
def test_every_function_that_a_kind_names_is_there(name):
    kind = KINDS[name]
    places = [*kind.steps.values(), *kind.commands.values(), *kind.scattered.values(), kind.simulation.function]
    places += [place for parts in kind.parts.values() for place in parts.values()]
    assert len(places) > 10
    for place in places:
        assert callable(function_at(place)), place
    assert kind.planted in SPEAK_FOR and kind.vocabulary.units.startswith(kind.vocabulary.unit)
    for step in STEPS:
        keys = {key.partition(".")[0] for key in kind.step_keys[step]}
        assert keys <= set(kind.schema.model_fields), step


@pytest.mark.parametrize("named", [{}, {"kind": "cohort"}, {"kind": "table"}])
def test_features_make_a_table_whatever_it_calls_itself(named):
    run = as_run(TABLE_RUN | named)
    assert isinstance(run, TableRun) and run.kind == "table"


@pytest.mark.parametrize("named", [{}, {"kind": "cohort"}, {"features": None}])
def test_a_run_without_features_is_a_cohort(named):
    run = as_run(COHORT_RUN | named)
    assert isinstance(run, CohortRun) and run.kind == "cohort"


@pytest.mark.parametrize(
    "content, line",
    [
        (TABLE_RUN | {"chains": {}}, f"{STRANGE}write `kind: protein`, or leave it out"),
        (TABLE_RUN | {"kind": "table", "chains": {}}, f"{STRANGE}leave it out"),
        (TABLE_RUN | {"pseudobulk": {}}, "pseudobulk: only for single-cell input, not for a table of features"),
        (TABLE_RUN | {"kind": "tables"}, "kind: found 'tables'; expected cohort, protein, table, latents, blocks"),
        (TABLE_RUN | {"kind": ["table"]}, "kind: found ['table']; expected cohort, protein, table, latents, blocks"),
        (NOTHING | {"kind": "table"}, "features: missing; expected {path, numeric, categories, groups, rare}"),
        (NOTHING | {"feature": FEATURES}, f"feature: unknown key; did you mean features? valid here: {VALID}"),
        (
            NOTHING,
            "expression: missing; expected {path, scale, layer}, or features: {path, numeric, categories}",
        ),
    ],
)
def test_what_does_not_fit_a_kind_is_one_clear_line(content, line):
    with pytest.raises(InputError) as caught:
        as_run(content)
    assert str(caught.value) == line


def test_empty_keys_of_a_cohort_do_not_hurt_a_table():
    run = as_run(TABLE_RUN | {"expression": None, "gene_sets": None})
    assert (run.gene_sets, run.pseudobulk) == (None, None)
    assert set(run.model_dump()) == set(TableRun.model_fields)


def test_paths_of_every_file_follow_the_yaml(tmp_path):
    for name in ("table.csv", "m.csv", "sets.gmt", "e.csv"):
        (tmp_path / name).touch()
    both = {"metadata": {"path": "m.csv"}}
    for content, paths in (
        (TABLE_RUN, ["table.csv"]),
        (TABLE_RUN | both, ["table.csv", "m.csv"]),
        (COHORT_RUN | both | {"expression": {"path": "e.csv", "scale": "z"}, "gene_sets": "sets.gmt"},
         ["e.csv", "m.csv", "sets.gmt"]),
    ):  # fmt: skip
        (tmp_path / "run.yaml").write_text(yaml.safe_dump(content))
        run = read_run(tmp_path / "run.yaml")
        kind = kind_named(run.kind)
        assert list(kind.files(run).values()) == [str(tmp_path / path) for path in paths]
        shorter = kind.with_paths(run, lambda key, path: f"{key}!")
        assert kind.files(shorter) == {key: f"{key}!" for key in kind.files(run)}
        assert kind.files_of_trial(run) == [str(tmp_path / path) for path in paths if path.endswith("gmt")]
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(COHORT_RUN | {"expression": {"path": "e.csv", "scale": "z"}}))
    with pytest.raises(InputError, match="metadata.path: missing; only an h5ad file may carry its own metadata"):
        read_run(tmp_path / "run.yaml")


def test_installed_packages_are_asked_only_for_unknown_names(monkeypatch):
    asked = []

    class Entry:
        def load(self):
            return type("Assay", (type(TABLE),), {"name": "assay"})()

    def entry_points(group, name):
        asked.append((group, name))
        return [Entry()] if name == "assay" else []

    monkeypatch.setattr(metadata, "entry_points", entry_points)
    assert kind_named("table") is TABLE and asked == []
    assert kind_named("assay").name == "assay" and kind_named("assay") is KINDS.pop("assay")
    assert asked == [("mtlbio.kinds", "assay")]
    with pytest.raises(InputError, match="kind: found 'blot'; expected cohort, protein, table, latents, blocks$"):
        kind_named("blot")
    with pytest.raises(InputError, match="--kind: found 'table'; valid: blocks, cohort, doses, latents, protein$"):
        simulation_named("table")  # its simulation has a name of its own


def test_simulations_of_installed_packages_are_found(monkeypatch):
    own = Simulation("assay", "assays.simulate:plant", ())
    kind = type("Assay", (type(TABLE),), {"name": "assay", "simulation": own})()
    entry = SimpleNamespace(load=lambda: kind)
    monkeypatch.setattr(metadata, "entry_points", lambda group, name: [entry] if name == "assay" else [])
    assert simulation_named("assay") is own and KINDS.pop("assay") is kind


def test_the_example_of_the_docs_is_a_kind():
    example = (PACKAGE.parent / "docs/kinds.md").read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    exec(compile(example, "kinds.md", "exec", dont_inherit=True), {"__name__": "example"})
    kind = KINDS["wells"]
    try:
        run = as_run({"run": "assay", "kind": "wells", "plates": "wells.csv"})
        assert kind.files(run) == {"plates": "wells.csv"}
        assert json.loads(kind.step_options(run, "train")) == {"threshold": 0.5}
    finally:
        del KINDS["wells"]


def test_a_prepared_cohort_knows_its_kind(tmp_path):
    obs = pd.DataFrame({"donor": ["a", "b"]}, index=["s1", "s2"])
    plan = {"sources": [{"name": "w", "kind": "number", "levels": (), "pooled": (), "missing": False}], "groups": {}}
    for preprocessing, kind in (
        ({"kind": "protein"}, "protein"),
        ({"scale": "log2"}, "cohort"),  # written before cohorts said so
        ({"scale": "table", "table": plan}, "table"),
    ):
        write_cohort(Cohort(np.ones((2, 1)), ("w",), obs, preprocessing=preprocessing), tmp_path / "cohort.h5ad")
        assert read_cohort(tmp_path / "cohort.h5ad").kind == kind
        (tmp_path / "model.json").write_text(json.dumps({"preprocessing": preprocessing}))
        assert kind_of_model(tmp_path).name == kind
    (tmp_path / "model.json").write_text(json.dumps({"kind": "protein", "format": 1}))
    assert kind_of_model(tmp_path).name == "protein"


@pytest.mark.parametrize(
    "kind, words, expected",
    [
        ("cohort", (), ("training", "None", "None", "None")),
        ("cohort", ("--tasks", "a,b"), ("training", "None", "None", "a,b")),
        ("cohort", ("--sites", "s.csv"), ("training", "None", "s.csv", "None")),
        ("table", (), ("None", "None", "None")),
        ("table", ("--anyway",), ("True", "None", "None")),
        ("protein", ("--profiles", "p.npz"), ("p.npz", "None")),
        (
            "table",
            ("--standardise", "cohort"),
            "--standardise: only for runs of kind cohort, blocks; this one is a table",
        ),
        (
            "protein",
            ("--standardise", "cohort"),
            "--standardise: only for runs of kind cohort, blocks; this one is a protein",
        ),
        ("protein", ("--anyway",), "--anyway: only for runs of kind cohort, table, blocks; this one is a protein"),
        ("protein", ("--tasks", "a"), "--tasks: only for runs of kind cohort, table, blocks; this one is a protein"),
        ("cohort", ("--profiles", "p.npz"), "--profiles: only for runs of kind protein; this one is a cohort"),
    ],
)
def test_predict_goes_by_the_kind_of_the_model(tmp_path, monkeypatch, capsys, kind, words, expected):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "done/model").mkdir(parents=True)
    (tmp_path / "done/model/model.json").write_text(json.dumps({"kind": kind}))
    recorded(tmp_path / "done", "train", "model")
    Path("new.csv").touch()
    calls = []
    monkeypatch.setattr(
        door.finished, "function_at", lambda place: lambda *given: calls.append((place, *map(str, given[3:])))
    )
    monkeypatch.setattr(sys, "argv", ["mtlbio", "predict", "done", "new.csv", *words])
    with pytest.raises(SystemExit):
        cli.main()
    if isinstance(expected, str):
        assert calls == [] and capsys.readouterr().err == f"mtlbio: error: {expected}\n"
    else:
        assert calls == [(KINDS[kind].commands["predict"], *expected)]


def test_drafts_go_by_the_files(tmp_path):
    pd.DataFrame({"id": ["a", "b"], "dose": [1, 2], "sex": ["f", "m"]}).to_csv(tmp_path / "table.csv", index=False)
    assert kind_of_files(tmp_path / "table.csv", None).name == "table"
    assert kind_of_files(tmp_path / "table.csv", tmp_path / "table.csv").name == "cohort"


def test_a_step_depends_on_its_own_kind_only():
    own = {"cohort": "fold_in.py", "table": "fold_in_table.py", "protein": "chains/fit.py"}
    own |= {"latents": "../embedding/encode.py", "blocks": "assays/fit.py"}
    for kind in KINDS:
        for step in STEPS:
            found = files(step, kind)
            assert f"kinds/{kind}.py" in found and "kinds/vocabulary.py" in found
            assert not found & {f"kinds/{other}.py" for other in KINDS if other != kind}, (kind, step)
        assert os.path.normpath(f"training/{own[kind]}") in files("train", kind)
    assert "training/fold_in_table.py" not in files("train", "cohort") | files("probe", "cohort")
    assert "sequence/sampled.py" not in files("report", "table")
    # the null fits networks again: parts of the training count where they are asked for
    assert "training/fold_in_table.py" in files("probe", "table")
    assert {"cohort/tabular.py"} <= files("baselines", "table")


def test_a_kind_made_from_another_depends_on_both(monkeypatch):
    class Assay(type(TABLE)):
        name = "assay"

    monkeypatch.setitem(KINDS, "assay", Assay())
    found = {Path(file).resolve() for file in modules_of("train", kind="assay")}
    assert {Path(__file__), PACKAGE / "kinds/table.py", PACKAGE / "training/fold_in_table.py"} <= found


def test_what_steps_compute_with_is_a_reason_to_run_them_again():
    assert "labels/regression.py" in files("prepare", "cohort") & files("evaluate", "table")
    assert "sequence/chains.py" in files("train", "protein") & files("evaluate", "protein") & files("probe", "protein")
    assert "kinds/protein.py" in files("prepare", "protein") & files("probe", "protein")
    assert "labels/residues/states.py" in files("evaluate", "protein") & files("report", "protein")


def test_parts_are_asked_for_in_plain_text():
    """Or nobody would know which modules a step uses."""
    asked = set()
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "part":
                step, name = (argument.value for argument in node.args[:2])
                assert step in STEPS, file
                asked.add((step, name))
    named = {(step, name) for kind in KINDS.values() for step, parts in kind.parts.items() for name in parts}
    assert asked == named


def test_kinds_import_no_room_above_the_run_description():
    rooms = {"config", "errors", "intake", "kinds", "modules", "reading", "section"}
    for file in (PACKAGE / "kinds").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module.partition(".")[0] == "mtlbio":
                assert node.module.split(".")[1] in rooms, file


def test_nobody_else_asks_which_kind_a_run_is():
    asks = re.compile(r"(run|cohort)\.kind [=!]= |\bkind [=!]= .(cohort|protein)\b|run\.features is|isinstance\(run,")
    found = [
        f"{file.relative_to(PACKAGE)}: {line.strip()}"
        for file in PACKAGE.rglob("*.py")
        if not file.is_relative_to(PACKAGE / "kinds")
        for line in file.read_text(encoding="utf-8").splitlines()
        if asks.search(line)
    ]
    assert found == []
