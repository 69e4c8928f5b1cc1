"""The kind of what a step has written: of a prepared cohort, of a trained model."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mtlbio.kinds.base import Kind, kind_named


def kind_stored(preprocessing: Mapping[str, Any]) -> str:
    """Name of the kind that a cohort was prepared as; files without it hold a table where its coding is stored.

    Examples
    --------
    >>> kind_stored({"kind": "protein"}), kind_stored({"scale": "log2"}), kind_stored({"table": {"sources": []}})
    ('protein', 'cohort', 'table')
    """
    return preprocessing.get("kind") or ("cohort" if preprocessing.get("table") is None else "table")


def kind_of_model(folder: str | Path) -> Kind:
    """The kind that a trained model says it is in its ``model.json``; an InputError where nobody here knows it."""
    path = Path(folder) / "model.json"
    description = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return kind_named(description.get("kind") or kind_stored(description.get("preprocessing", {})))
