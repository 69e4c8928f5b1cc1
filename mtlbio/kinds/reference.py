"""What follows from the models of the package's own kinds: ``config/README.md`` and the JSON schemas."""

import json
from collections.abc import Sequence
from copy import copy
from pathlib import Path
from typing import get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from mtlbio.config.keys import in_words, merged_fields, section_of
from mtlbio.kinds.base import kind_named
from mtlbio.kinds.schemas import BlocksRun, CohortRun, LatentsRun, ProteinRun, TableRun

# Where the schema of each kind lies in the repository.
SCHEMAS = {
    "cohort": "workflow/schemas/run.schema.json",
    "table": "workflow/schemas/table.schema.json",
    "latents": "workflow/schemas/latents.schema.json",
    "blocks": "workflow/schemas/blocks.schema.json",
    "protein": "workflow/schemas/protein.schema.json",
}


def config_reference() -> str:
    """``config/README.md``: how a run is written (``reference_*.md`` beside this file), and every key of it."""
    cohort, protein = (
        Path(__file__).with_name(f"reference_{kind}.md").read_text("utf-8") for kind in ("cohort", "protein")
    )
    first = ("expression", "features", "latents", "blocks", "metadata", "pseudobulk")
    samples = markdown(CohortRun, TableRun, LatentsRun, BlocksRun, first=first)
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


def markdown(*models: type[BaseModel], prefix: str = "", first: Sequence[str] = ()) -> str:
    """One table of keys per section: type and choices, default, description; ``prefix`` begins every heading.

    Of several models each key is shown once; one that only some have is not required. Sections ``first`` come first.
    """
    fields = {
        key: field if all(key in model.model_fields for model in models) else _optional(field)
        for key, field in merged_fields(models).items()
    }
    fields = {key: fields[key] for key in (*first, *fields)}
    top = [(key, field) for key, field in fields.items() if section_of(field.annotation) is None]
    parts = [_table(f"{prefix}Top level", "", top)]
    for name, field in fields.items():
        section = section_of(field.annotation)
        if section is not None:
            note = field.description or _first_line(section)
            title = f"{prefix}`{name}{'.<name>' if get_origin(field.annotation) is dict else ''}`"
            need = "Required. " if field.is_required() else ""
            parts.append(_table(title, f"{need}{note[0].upper()}{note[1:].rstrip('.')}.", section.model_fields.items()))
            for key, inner in section.model_fields.items():
                nested = section_of(inner.annotation)
                if nested is not None:
                    parts.append(_table(f"{prefix}`{name}.{key}`", _first_line(nested), nested.model_fields.items()))
                    for last, of_list in nested.model_fields.items():
                        for item in _sections_in(of_list.annotation):
                            title = f"{prefix}`{name}.{key}.{last}`, each"
                            parts.append(_table(title, _first_line(item), item.model_fields.items()))
    return "\n".join(parts)


def _sections_in(annotation) -> list[type[BaseModel]]:
    """Sections that a list holds."""
    items = get_args(annotation) if get_origin(annotation) is list else ()
    return [item for item in items if isinstance(item, type) and issubclass(item, BaseModel)]


def _first_line(section: type[BaseModel]) -> str:
    return (section.__doc__ or "").strip().splitlines()[0]


def _optional(field: FieldInfo) -> FieldInfo:
    field = copy(field)
    field.default = None if field.is_required() else field.default
    return field


def _table(title: str, note: str, fields) -> str:
    lines = [f"## {title}", ""] + ([note, ""] if note else [])
    lines += ["| key | value | default | meaning |", "|---|---|---|---|"]
    for key, field in fields:
        value = in_words(field.annotation, field.metadata)
        lines.append(f"| `{key}` | {value} | {_default(field)} | {field.description or ''} |")
    return "\n".join(lines) + "\n"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    if field.default is None:
        return "none"
    if isinstance(field.default, BaseModel):
        return "below"
    if isinstance(field.default, list):
        items = (
            f"{{{str(item).replace(' ', ', ').replace('=', ': ')}}}" if isinstance(item, BaseModel) else str(item)
            for item in field.default
        )
        return f"`[{', '.join(items)}]`"
    return f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`"
