"""Paths reach the Snakefile as they are, by way of a YAML parser and, on a cluster, of a shell."""

import os
import shlex
from types import SimpleNamespace

import pytest
from snakemake.cli import parse_config

from mtlbio.handover import quoted, unquoted
from mtlbio.workflow import plan

RUN = "run: one\nexpression: {path: e.csv, scale: log}\nmetadata: {path: e.csv}\ntasks: {age: {kind: regression}}\n"
NAMES = [
    "007", "true", "1e3", "null", "a b", "it's", 'say "x"', "a: b", "[1, 2]", "naïve", "結果", "😀", "a,b",
    "50%25", "$(touch x)", "`x`", "a\\b", "-n", "#x", "~", "quoted:007", os.fsdecode(b"latin\xe9"),
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_any_name_arrives_as_text(name):
    word = quoted([name, "other"])
    assert word.isascii() and shlex.quote(word).strip("'") == word
    # Snakemake writes a job's words with repr into a shell's command line
    (again,) = shlex.split(repr(f"results={word}"))
    assert unquoted(parse_config([again])["results"]) == [name, "other"]


@pytest.mark.parametrize("value", ["results", ["a.yaml"], None, 7])
def test_what_the_configuration_file_says_stays_as_it_is(value):
    assert unquoted(value) == value


@pytest.mark.parametrize("name", ["007", "true", "null", "a: b"])
def test_the_plan_has_the_names_back(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).mkdir()
    (tmp_path / name / "run, 1.yaml").write_text(RUN)
    (tmp_path / name / "e.csv").write_text("sample_id,g\n")
    planned = plan({"runs": quoted([tmp_path / name / "run, 1.yaml"]), "results": quoted([name])})
    one = SimpleNamespace(run="one")
    assert planned.results == name and planned.yaml(one) == f"{name}/run, 1.yaml"
