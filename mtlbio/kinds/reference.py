"""What follows from the models of the package's own kinds: ``config/README.md`` and the JSON schemas."""

from __future__ import annotations

import json
from pathlib import Path

from mtlbio.config.reference import markdown
from mtlbio.kinds.base import kind_named
from mtlbio.kinds.schemas import CohortRun, ProteinRun, TableRun

# Where the schema of each kind lies in the repository.
SCHEMAS = {
    "cohort": "workflow/schemas/run.schema.json",
    "table": "workflow/schemas/table.schema.json",
    "protein": "workflow/schemas/protein.schema.json",
}


def config_reference() -> str:
    """``config/README.md``: how a run is written (``reference_*.md`` beside this file), and every key of it."""
    cohort, protein = (
        Path(__file__).with_name(f"reference_{kind}.md").read_text("utf-8") for kind in ("cohort", "protein")
    )
    samples = markdown(CohortRun, TableRun, first=("expression", "features", "metadata", "pseudobulk"))
    return cohort + samples + protein + markdown(ProteinRun, prefix="protein: ")


def json_schema(kind: str = "cohort") -> dict:
    """JSON schema of a run's YAML (``workflow/schemas/``), for editors; with keys that make it another kind."""
    schema = kind_named(kind).schema.model_json_schema()
    for other in kind_named(kind).beside:
        further = other.model_json_schema()
        schema["properties"] = further["properties"] | schema["properties"]
        schema["$defs"] = further["$defs"] | schema["$defs"]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def generated_files() -> dict[str, str]:
    """Files of the repository that follow from the models, by path; ``python -m mtlbio.kinds`` writes them."""
    schemas = {place: json.dumps(json_schema(kind), indent=2) + "\n" for kind, place in SCHEMAS.items()}
    return {"config/README.md": config_reference(), **schemas}
