"""Pieces of YAML text for the draft of a run: a person reads and edits them, so they are written, not dumped."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

FOLDS = 5


@dataclass
class Draft:
    """Lines of the YAML's sections and the notes on them."""

    tasks: list[str] = field(default_factory=list)
    covariates: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    folds: int = FOLDS


def yaml_text(
    expression: Path,
    metadata: str | Path | None,
    folder: str | Path | None,
    scale: str,
    sample: str | None,
    donor: str,
    by: list[str] | None,
    gene_sets: str | None,
    out: Draft,
) -> str:
    """The whole YAML of a draft."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", expression.absolute().parent.name).strip("._-") or "run"
    lines = ["# A draft: every line is a guess from the names and values of the columns. Read it and correct it."]
    lines += [f"# {note}" for note in out.notes]
    lines += [f"run: {scalar(name)}"]
    lines += [f"expression: {{path: {path_text(expression, folder)}, scale: {scale}}}"]
    keys = [f"path: {path_text(metadata, folder)}"] if metadata is not None else []
    keys += [f"sample: {scalar(sample)}"] if sample is not None else []
    lines += [f"metadata: {{{', '.join([*keys, f'donor: {scalar(donor)}'])}}}"]
    if by is not None:
        lines += [f"pseudobulk: {{by: [{', '.join(map(scalar, by))}]}}"]
    lines += ["tasks:", *(f"  {t}" for t in out.tasks)]
    if out.covariates:
        lines += ["covariates:   # confounder: upstream of the disease; technical: processing"]
        lines += [f"  {c}" for c in out.covariates]
    if gene_sets:
        lines += [f"gene_sets: {gene_sets}"]
    if out.folds < FOLDS:
        lines += [f"splits: {{folds: {out.folds}}}   # the rarest class has {out.folds} donors"]
    return "\n".join(lines) + "\n"


def path_text(path: str | Path, folder: str | Path | None) -> str:
    """A path as YAML: relative to ``folder`` where given, absolute otherwise."""
    path = Path(path).absolute()
    return scalar(path.as_posix() if folder is None else Path(os.path.relpath(path, folder)).as_posix())


def scalar(value: object) -> str:
    """YAML of one value inside braces: quoted wherever it could be read as something else."""
    text = str(value)
    plain = re.fullmatch(r"[A-Za-z_/][\w./ +-]*", text) and not text.endswith(" ")
    reserved = ("y", "n", "yes", "no", "on", "off", "true", "false", "null")
    return text if plain and text.lower() not in reserved else json.dumps(text, ensure_ascii=False)


def identifier(column: str) -> str:
    """A valid name of a task or covariate from the name of a column."""
    name = re.sub(r"[^A-Za-z0-9_]+", "_", column).strip("_").lower()
    name = name if re.match(r"[a-z]", name) else f"x_{name}"
    return f"{name}_label" if name in ("sample", "donor", "fold") else name


def column_key(name: str, column: str) -> str:
    """``, column: ...`` where name and column differ."""
    return "" if name == column else f", column: {scalar(column)}"


def range_text(values: pd.Series) -> str:
    """Comment on a column of numbers."""
    return f"from {values.min():g} to {values.max():g}, {int(values.notna().sum())} samples"


def levels_text(values: pd.Series) -> str:
    """Comment on a column of categories."""
    counts = values.value_counts()
    missing = f"; {int(values.isna().sum())} missing" if values.isna().any() else ""
    if len(counts) > 6:
        return f"{len(counts)} levels{missing}"
    return ", ".join(f"{level} {n}" for level, n in counts.items()) + missing
