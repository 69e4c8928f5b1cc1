"""Every number of a run's YAML has a least and a most; nonsense is one line, what is hardly meant a warning."""

from __future__ import annotations

import math
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from mtlbio.choices.balancers import BALANCERS
from mtlbio.choices.options import Number
from mtlbio.config.keys import section_of
from mtlbio.errors import InputError
from mtlbio.kinds import KINDS
from mtlbio.kinds.doubts import doubts
from mtlbio.kinds.read import as_run, read_run
from mtlbio.kinds.schemas import Run
from mtlbio.labels.registry import LABELS
from mtlbio.labels.residues.registry import RESIDUE_LABELS

# numbers that stand for a value of the user's own column, and options that each method bounds itself
VALUES = {"where", "positive", "negative", "classes", "censored", "keep", "missing", "levels"}
METHODS = {"balancing_options"}


def numbers(annotation: Any, metadata: list) -> Iterator[list]:
    """Bounds of every number that an annotation allows."""
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *extra = get_args(annotation)
        yield from numbers(inner, [m for e in extra for m in (e.metadata if isinstance(e, FieldInfo) else [e])])
    elif origin in (Union, types.UnionType, list):
        for inner in get_args(annotation):
            yield from numbers(inner, metadata)
    elif origin is dict:
        yield from numbers(get_args(annotation)[1], metadata)
    elif annotation in (int, float):
        yield metadata


def sections() -> dict[str, type[BaseModel]]:
    """Every section of every kind of run and of label, by name."""
    found: dict[str, type[BaseModel]] = {}
    waiting = [kind.schema for kind in KINDS.values()]
    waiting += [kind.section for labels in (LABELS, RESIDUE_LABELS) for kind in labels.kinds().values()]
    while waiting:
        section = waiting.pop()
        if section.__name__ not in found:
            found[section.__name__] = section
            inner = [section_of(field.annotation) for field in section.model_fields.values()]
            waiting += [other for other in inner if other is not None]
    return found


def fields() -> dict[str, FieldInfo]:
    return {
        f"{name}.{key}": field for name, section in sections().items() for key, field in section.model_fields.items()
    }


NUMERIC = {
    key: found
    for key, field in fields().items()
    if key.split(".")[1] not in VALUES | METHODS and (found := list(numbers(field.annotation, field.metadata)))
}


def test_the_walk_finds_all_numbers():
    assert (
        len(NUMERIC) >= 60
        and {"Training.epochs", "Probe.alpha", "Covariate.components", "Splits.seed"} <= NUMERIC.keys()
    )
    assert {
        "RegressionSection.within",
        "ChainSplits.similarity",
        "Table.rare",
        "Pseudobulk.min_cells",
    } <= NUMERIC.keys()
    assert list(numbers(int | None, [])) == [[]]  # one without bounds would be seen


@pytest.mark.parametrize("key", NUMERIC)
def test_a_number_has_finite_bounds(key):
    for bounds in NUMERIC[key]:
        low = [getattr(m, side) for m in bounds for side in ("ge", "gt") if hasattr(m, side)]
        high = [getattr(m, side) for m in bounds for side in ("le", "lt") if hasattr(m, side)]
        assert len(low) == len(high) == 1 and math.isfinite(low[0]) and math.isfinite(high[0]) and low[0] < high[0]


def test_options_of_methods_have_finite_bounds():
    found = 0
    for facts in BALANCERS.values():
        for option in facts.options.values():
            if isinstance(option, Number):
                found += 1
                assert math.isfinite(max(option.above, option.at_least)) and math.isfinite(
                    min(option.below, option.at_most)
                )
    assert found >= 10


def test_defaults_and_what_people_use_are_within():
    large = {
        "run": "large",
        "expression": {"path": "e.h5ad", "scale": "beta"},
        "metadata": {},
        "tasks": {"age": {"kind": "regression"}},
        "splits": {"folds": 250, "seed": 20261130},
        "training": {"genes": 865_859, "axes": 200, "seeds": 50, "epochs": 20_000, "block": 512, "patience": 2000},
        "probe": {"permutations": 1_000_000, "alpha": 1e-5, "null_refits": 1999, "bootstrap": 50_000},
    }
    assert as_run(large).training.genes == 865_859


COHORT = {
    "run": "a",
    "expression": {"path": "e.csv", "scale": "log"},
    "metadata": {"path": "m.csv"},
    "tasks": {"age": {"kind": "regression"}, "dx": {"kind": "binary", "positive": "case"}},
    "covariates": {"batch": {"role": "technical"}, "bmi": {"role": "confounder", "kind": "continuous"}},
}
PROTEIN = {
    "run": "p",
    "kind": "protein",
    "chains": {"own": {"path": "c.csv"}},
    "tasks": {"ss": {"kind": "secondary_structure", "q8": "q8"}},
}
TOGETHER = [
    (
        COHORT,
        {"probe": {"alpha": 0.001, "permutations": 99}},
        "probe.permutations: found 99, of which no p is below 0.01; ",
    ),
    (COHORT, {"probe": {"share_dominant": 0.1}}, "probe.share_technical: found 0.2, above share_dominant (0.1)"),
    (COHORT, {"training": {"axes": 20, "genes": 10}}, "training.axes: found 20, more than genes (10)"),
    (
        COHORT,
        {"training": {"paths": ["axes", "axes"]}},
        "training.paths: found 'axes' more than once; valid: each once",
    ),
    (
        COHORT,
        {"baselines": {"arms": ["ridge", "ridge"]}},
        "baselines.arms: found 'ridge' more than once; valid: each once",
    ),
    (COHORT, {"pseudobulk": {"by": ["donor_id"]}}, "pseudobulk.by: found 'donor_id', the donors' column"),
    (
        COHORT,
        {"tasks": {"x": {"kind": "multiclass", "classes": ["a"]}}},
        "tasks.x.classes: found a list; expected at least 2",
    ),
    (
        COHORT,
        {"covariates": {"bmi": {"role": "confounder", "kind": "continuous", "reliability": 1e-200}}},
        "covariates.bmi.reliability: found 1e-200; expected 0.01 or more",
    ),
    (
        COHORT,
        {"training": {"scatter": 1}},
        "training.scatter: found 1; expected true or false or whole number, 2 or more and at most 10000",
    ),
    (COHORT, {"gene_sets": ""}, "gene_sets: found an empty text; expected text"),
    (
        COHORT,
        {"report": {"title": "x" * 10**6}},
        "report.title: found text of 1,000,000 characters; expected at most 4,096",
    ),
    (COHORT, {"run": "x" * 10**6}, "run: found text of 1,000,000 characters; expected at most 100"),
    (
        COHORT,
        {"training": {"epochs": "1e9"}},
        "training.epochs: found '1e9' (text in YAML: write numbers without quotes",
    ),
    (COHORT, {"splits": {"seed": 10**400}}, "splits.seed: found 1000"),
    (COHORT, {"x" * 10**5: 1}, "xxxx"),
    (PROTEIN, {"qc": {"min_length": 500, "max_length": 100}}, "qc.min_length: found 500, above max_length (100)"),
    (PROTEIN, {"training": {"latent": 500}}, "training.latent: found 500, more than the 96 channels"),
]


@pytest.mark.parametrize(("content", "change", "line"), TOGETHER, ids=[line[:30] for *_, line in TOGETHER])
def test_what_makes_no_sense_is_one_line(content, change, line):
    with pytest.raises(InputError) as caught:
        as_run(content | change)
    assert str(caught.value).startswith(line) and "\n" not in str(caught.value) and len(str(caught.value)) < 1200


def test_what_is_hardly_meant_is_said():
    run = as_run(
        COHORT
        | {
            "training": {
                "epochs": 10,
                "patience": 40,
                "seeds": 50,
                "paths": ["dense"],
                "adversary": {"covariate": "batch", "ramp": 50},
            },
            "splits": {"folds": 100},
            "probe": {"null_refits": 9},
        }
    )
    assert [line.partition(":")[0] for line in doubts(run)] == [
        "training.patience",
        "training.adversary.ramp",
        "training.seeds and splits.folds",
        "probe.null_refits",
    ]
    assert doubts(as_run(COHORT)) == doubts(as_run(PROTEIN)) == []
    assert doubts(Run(run="a", kind="toy")) == []


UNFOLDING = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 10)}]\n" for i in range(10)
)
TEXTS = [
    (b"\xff\xfe\x00", "not valid YAML: 'utf-8' codec can't decode byte 0xff in position 0"),
    ("run: a\0b", "not valid YAML: unacceptable character #x0000"),
    ("run:\ta\n\tx: 1", "not valid YAML: found character '\\t' that cannot start any token (line 1, column 5)"),
    (UNFOLDING, "not valid YAML: references (*) unfold into more than 1,000,000 values"),
    ("run: &a [*a]", "not valid YAML: nested too deeply, or a reference (*) to what it stands in"),
    ("run: " + "[" * 20_000, "not valid YAML: nested too deeply"),
    ("run: " + "{a: " * 2000 + "1" + "}" * 2000, "not valid YAML: nested too deeply"),
    ("run: a\nrun: b", "not valid YAML: key 'run' stands twice (line 2, column 1)"),
    ("run: 2020-13-45", "not valid YAML: month must be in 1..12"),
    ("run: " + "9" * 5000, "not valid YAML: Exceeds the limit (4300 digits)"),
    ("run: !!binary a", "not valid YAML: failed to decode base64 data"),
    ("run: !!float x", "not valid YAML: could not convert string to float"),
    ("run: !!python/object/apply:os.system [ls]", "not valid YAML: could not determine a constructor"),
    ("? [a]\n: 1", "not valid YAML: a key has to be plain text (line 1, column 3)"),
    (
        "training: {~: 1}\nrun: a\ntasks: {a: {kind: regression}}\nexpression: {path: e, scale: z}",
        "training: found None as a key",
    ),
    ("a: 1\n---\nb: 2", "not valid YAML: but found another document (line 2, column 1)"),
    ("- a", "expected keys such as run, expression, tasks; found a list"),
    ("", "expected keys such as run, expression, tasks; found an empty file"),
    ("#" * 20_000_001, "20,000,001 bytes; expected a description of at most 20,000,000"),
]


@pytest.mark.parametrize(("text", "line"), TEXTS, ids=[line[:40] for _, line in TEXTS])
def test_a_text_that_describes_no_run_is_one_line(tmp_path, text, line):
    path = tmp_path / "run.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError) as caught:
        read_run(path)
    assert str(caught.value).startswith(f"{path}: {line}") and "\n" not in str(caught.value)


def test_a_byte_order_mark_is_no_harm(tmp_path):
    for name in ("e.csv", "m.csv"):
        (tmp_path / name).write_text("x\n")
    path = Path(tmp_path, "run.yaml")
    path.write_text(
        "\ufeffrun: a\nexpression: {path: e.csv, scale: log}\nmetadata: {path: m.csv}\ntasks: {t: {kind: regression}}\n"
    )
    assert read_run(path).run == "a"
