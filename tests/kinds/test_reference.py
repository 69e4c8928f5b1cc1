"""The reference and the schemas: every key of every kind, and the files of the repository are current."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from mtlbio.kinds.reference import SCHEMAS, config_reference, generated_files, json_schema
from mtlbio.kinds.schemas import CohortRun, ProteinRun

REPOSITORY = Path(__file__).parents[2]


def test_reference_documents_every_key():
    text = config_reference()
    for kind in SCHEMAS:
        definitions = json_schema(kind)["$defs"]
        keys = [key for d in [json_schema(kind), *definitions.values()] for key in d["properties"]]
        assert len(keys) > 60
        for key in keys:
            assert f"`{key}`" in text or f"`{key}.<name>`" in text, key
        for definition in definitions.values():
            for key, value in definition["properties"].items():
                assert value.get("description"), key


def test_example_of_the_reference_is_a_run():
    example = config_reference().split("```yaml\n")[1].split("```")[0]
    assert CohortRun.model_validate(yaml.safe_load(example)).tasks["response"].column == "response_180d"
    example = config_reference().split("```yaml\n")[2].split("```")[0]
    assert ProteinRun.model_validate(yaml.safe_load(example)).tasks["structure"].q8 == "q8"


def test_schema_forbids_unknown_keys():
    schema = json_schema()
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["run", "tasks"]
    assert set(json_schema("table")["required"]) == {"run", "features", "tasks"}


@pytest.mark.parametrize("name", list(generated_files()))
def test_generated_files_are_current(name):
    """`python -m mtlbio.kinds` writes them."""
    assert (REPOSITORY / name).read_text(encoding="utf-8") == generated_files()[name]


def test_schema_file_is_json():
    assert json.loads((REPOSITORY / "workflow/schemas/run.schema.json").read_text()) == json_schema()
    assert json.loads((REPOSITORY / "workflow/schemas/table.schema.json").read_text()) == json_schema("table")
    assert json.loads((REPOSITORY / "workflow/schemas/protein.schema.json").read_text()) == json_schema("protein")
