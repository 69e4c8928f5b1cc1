"""The run description: every error is one line with the key, what was found and what is valid."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import yaml

from mtlbio.errors import InputError
from mtlbio.kinds import STEPS, kind_of
from mtlbio.kinds.read import as_run, read_run
from mtlbio.kinds.reference import json_schema
from mtlbio.kinds.schemas import CohortRun

REPOSITORY = Path(__file__).parents[2]

RUN = {
    "run": "small",
    "expression": {"path": "expression.csv", "scale": "log2"},
    "metadata": {"path": "metadata.csv"},
    "tasks": {"disease": {"kind": "binary", "positive": "case"}, "age": {"kind": "regression"}},
    "covariates": {"age": {"role": "confounder", "kind": "continuous"}, "sex": {"role": "confounder"}},
}


def written(folder: Path, changes: dict | None = None, remove: str | None = None) -> Path:
    """A run's YAML with dotted keys changed or removed; the files that it names exist."""
    content = copy.deepcopy(RUN)
    for key, value in (changes or {}).items():
        *parents, last = key.split(".")
        node = content
        for part in parents:
            node = node.setdefault(part, {})
        node[last] = value
    if remove:
        *parents, last = remove.split(".")
        node = content
        for part in parents:
            node = node[part]
        del node[last]
    for name in ("expression.csv", "metadata.csv"):
        (folder / name).touch()
    path = folder / "run.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def test_paths_are_relative_to_the_yaml(tmp_path, monkeypatch):
    path = written(tmp_path)
    monkeypatch.chdir("/")
    run = read_run(path)
    assert run.expression.path == str(tmp_path / "expression.csv")
    assert run.metadata.path == str(tmp_path / "metadata.csv")


def test_defaults():
    run = CohortRun.model_validate(RUN)
    assert (run.splits.kind, run.splits.folds, run.metadata.sample, run.metadata.donor) == (
        "donor",
        None,
        "sample_id",
        "donor_id",
    )
    assert run.task_column("disease") == "disease"
    assert run.covariates["sex"].kind == "categorical"


# change, what the message names: the key, then what was found and what is valid
WRONG = [
    ({"expresion": {}}, ["expresion: unknown key", "did you mean expression?"]),
    ({"expression.scal": "log"}, ["expression.scal: unknown key", "did you mean scale?", "layer"]),
    ({"expression.scale": "raw"}, ["expression.scale: found 'raw'", "counts, log, log2, beta, z"]),
    ({"expression.path": 5}, ["expression.path: found 5", "text"]),
    ({"expression.path": "no.csv"}, ["expression.path: no such file", "no.csv"]),
    ({"expression": None}, ["expression: found nothing", "path, scale, layer"]),
    ({"tasks": {}}, ["tasks: found a mapping", "at least one"]),
    ({"tasks.disease.kind": "bin"}, ["tasks.disease.kind: found 'bin'", "binary, multiclass, regression, ordinal"]),
    ({"tasks.disease.postive": "x"}, ["tasks.disease.postive: unknown key", "did you mean positive?"]),
    (
        {"tasks.age.postive": "x"},
        ["tasks.age.postive: unknown key", "did you mean positive of binary and survival tasks? valid"],
    ),
    ({"tasks.disease": "case"}, ["tasks.disease: found 'case'", "kind, column"]),
    ({"tasks.9x": {"kind": "regression"}}, ["tasks.9x", "starting with a letter"]),
    ({"tasks.disease": {"kind": "binary"}}, ["tasks.disease.positive", "a binary task needs"]),
    ({"tasks.disease.positive": ["a"]}, ["tasks.disease.positive: found a list", "text or number"]),
    ({"tasks.disease.negative": "case"}, ["tasks.disease.negative: 'case' is the positive value too"]),
    ({"tasks.age.positive": 1}, ["tasks.age.positive", "only binary and survival tasks"]),
    ({"tasks.age.classes": ["a"]}, ["tasks.age.classes", "only multiclass and ordinal"]),
    ({"tasks.stage": {"kind": "ordinal"}}, ["tasks.stage.classes", "from low to high"]),
    ({"tasks.stage": {"kind": "multiclass", "classes": "ab"}}, ["tasks.stage.classes: found 'ab'", "list of"]),
    ({"tasks.stage": {"kind": "ordinal", "classes": ["1", 1]}}, ["tasks.stage.classes", "listed twice"]),
    ({"tasks.donor": {"kind": "regression"}}, ["tasks.donor", "reserved"]),
    ({"tasks.person": {"kind": "multiclass", "column": "donor_id"}}, ["tasks.person", "'donor_id' is the identifier"]),
    ({"tasks.x": {"kind": "regression", "column": "y"}, "covariates.x": {"role": "technical"}}, ["different columns"]),
    ({"covariates.sex.role": "confound"}, ["covariates.sex.role: found 'confound'", "confounder, technical"]),
    ({"covariates.sex.kind": "cont"}, ["covariates.sex.kind: found 'cont'", "categorical, continuous"]),
    ({"covariates.age.reliability": 0}, ["covariates.age.reliability: found 0", "above 0 and at most 1"]),
    ({"covariates.age.reliability": 1.2}, ["covariates.age.reliability: found 1.2", "above 0 and at most 1"]),
    ({"covariates.age.reliability": "high"}, ["covariates.age.reliability: found 'high'", "number"]),
    ({"covariates.sex.reliability": 0.8}, ["covariates.sex.reliability: found 0.8", "categorical", "continuous"]),
    ({"covariates": ["age"]}, ["covariates: found a list", "role, kind, column"]),
    ({"covariates.gender": {"role": "confounder", "column": "sex"}}, ["covariates.sex", "covariates.gender"]),
    ({"covariates.dx": {"role": "confounder", "column": "disease"}}, ["covariates.dx", "tasks.disease"]),
    ({"splits.folds": 1}, ["splits.folds: found 1", "2 or more"]),
    ({"splits.folds": "five"}, ["splits.folds: found 'five'", "whole number"]),
    ({"splits": None}, ["splits: found nothing", "leave the key out"]),
    ({"splits": {"kind": "leave_out"}}, ["splits.by", "valid: sex"]),
    ({"splits": {"kind": "leave_out", "by": "age"}}, ["splits.by", "found 'age'", "valid: sex"]),
    ({"splits": {"by": "sex"}}, ["splits.by", "leave_out"]),
    ({"splits": {"also": {"by": "age"}}}, ["splits.also.by: found 'age'; valid: sex"]),
    ({"splits": {"kind": "leave_out", "by": "sex", "also": {"by": "sex"}}}, ["splits.also", "valid: kind: donor"]),
    ({"probe": {"sites": "age"}}, ["probe.sites: found 'age'; valid: sex"]),
    ({"baselines": {"sites": "hospital"}}, ["baselines.sites: found 'hospital'; valid: sex"]),
    (
        {"training": {"balancing": "aligned_mtl", "balancing_options": {"scale_mode": "max"}}},
        ["valid: min, median, rmse"],
    ),
    (
        {"training": {"balancing": "cagrad", "balancing_options": {"c": "big"}}},
        ["c: found 'big'; valid: a number above 0"],
    ),
    ({"training.axes": "many"}, ["training.axes: found 'many'", "auto or whole number, 1 or more"]),
    ({"training.learning_rate": float("inf")}, ["training.learning_rate: found inf"]),
    ({"probe.share_dominant": 2}, ["probe.share_dominant: found 2", "at most 1"]),
    ({"baselines.arms": ["rigde"]}, ["baselines.arms: found 'rigde'", "ridge"]),
    ({"metadata.donor": True}, ["metadata.donor: found True", "put it in quotes"]),
    ({"gene_sets": "x.gmt"}, ["gene_sets: no such file", "x.gmt"]),
    ({"pseudobulk.by": "condition"}, ["pseudobulk.by: found 'condition'", "list of text"]),
    ({"run": "a b"}, ["run: found 'a b'", "letters, digits"]),
]


@pytest.mark.parametrize(("changes", "words"), WRONG, ids=[words[0] for _, words in WRONG])
def test_wrong_key_is_one_clear_line(tmp_path, changes, words):
    path = written(tmp_path, changes)
    with pytest.raises(InputError) as caught:
        read_run(path)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{path}: ")
    for word in words:
        assert word in message


def test_an_option_of_a_balancer_may_be_a_word(tmp_path):
    choice = {"balancing": "aligned_mtl", "balancing_options": {"scale_mode": "median"}}
    assert read_run(written(tmp_path, {"training": choice})).training.balancing_options == {"scale_mode": "median"}


@pytest.mark.parametrize("key", ["run", "expression", "expression.scale", "tasks", "tasks.age.kind", "metadata.path"])
def test_missing_key_is_named(tmp_path, key):
    with pytest.raises(InputError, match=rf"{key}: missing"):
        read_run(written(tmp_path, remove=key))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "an empty file"),
        ("- 1", "found a list"),
        ("run: [", "not valid YAML: .*line 1"),
        ("run: a\nrun: b", "'run' stands twice .line 2"),
        ("? [a]\n: 1", "plain text"),
        ("a: *y", "undefined alias"),
    ],
)
def test_not_a_run(tmp_path, text, problem):
    path = tmp_path / "run.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=problem) as caught:
        read_run(path)
    assert "\n" not in str(caught.value)


def test_no_such_file(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_run(tmp_path / "none.yaml")


def test_step_options_change_only_for_the_steps_that_read_a_key(tmp_path):
    before = read_run(written(tmp_path))
    after = read_run(written(tmp_path, {"probe.alpha": 0.1}))
    kind = kind_of(before)
    changed = [step for step in STEPS if kind.step_options(before, step) != kind.step_options(after, step)]
    assert changed == ["probe"]


@pytest.mark.parametrize("path", sorted((REPOSITORY / "config/runs").glob("*.yaml")), ids=lambda p: p.name)
def test_shipped_runs_are_valid(path):
    run = as_run(yaml.safe_load(path.read_text()))
    assert run.run == path.stem and run.tasks


@pytest.mark.parametrize(
    ("tasks", "further", "line"),
    [
        ({"d": {"kind": "binary", 3: 4}}, {}, "tasks.d: found 3 as a key; expected text "),
        ({"d": {"kind": "regression", "positive": 1}}, {}, "tasks.d.positive: only binary and survival tasks have one"),
        ({"d": {"kind": "regression"}}, {"kind": "table"}, "features: missing; kind: table has features in place of"),
    ],
)
def test_the_line_on_a_key_names_what_the_file_holds(tasks, further, line):
    content = {"run": "a", "expression": {"path": "x", "scale": "log"}, "metadata": {"path": "m"}}
    with pytest.raises(InputError) as caught:
        as_run(content | further | {"tasks": tasks})
    assert str(caught.value).startswith(line)


def test_an_empty_list_is_a_key_left_out():
    content = {"run": "a", "expression": {"path": "x", "scale": "log"}, "metadata": {"path": "m"}}
    task = {"kind": "binary", "positive": "case", "classes": []}
    assert as_run(content | {"tasks": {"d": task}}).tasks["d"].positive == "case"


def test_the_schema_for_editors_knows_a_run_with_features():
    schema = json_schema()
    assert {"expression", "features"} <= schema["properties"].keys() and "Table" in schema["$defs"]
    assert not {"expression", "features"} & set(schema["required"])
