"""A draft of a run in the making: a person reads and edits its YAML, so it is written line by line, not dumped."""

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from mtlbio.cohort.guess import guess_positive
from mtlbio.errors import listing

_FOLDS = 5


@dataclass
class Draft:
    """What is drafted from, and what is drafted so far.

    Attributes
    ----------
    source : the file that describes the samples, for messages
    table : its columns as text, one row per sample
    donor : the column of donors
    by : columns that make a pseudobulk sample; None where the samples are no cells
    tasks, covariates : lines of these sections of the YAML
    notes : the guesses and what was left out, one line each
    used : columns on which something was said
    folds : as many as the rarest class allows
    """

    source: str
    table: pd.DataFrame
    donor: str = ""
    by: list[str] | None = None
    tasks: list[str] = field(default_factory=list)
    covariates: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    folds: int = _FOLDS

    @property
    def donors(self) -> pd.Series:
        """Donor of every sample."""
        return self.table[self.donor]

    def varies_within(self, unit: list[str], column: str) -> bool:
        """Whether a column takes several values within a unit, which the columns ``unit`` name."""
        keys = [self.table[c].to_numpy() for c in unit]
        return bool((self.table[column].groupby(keys).nunique() > 1).any())

    def leave_out(self, column: str, reason: str) -> None:
        """Say why a column is not used."""
        self.notes.append(f"left out: {column!r} {reason}")

    def add_task(self, name: str, column: str, kind: str, more: str, comment: str, note: str) -> None:
        """A task; ``more``: its keys after ``kind`` and ``column``."""
        self.tasks.append(f"{name}: {{kind: {kind}{_column_key(name, column)}{more}}}   # {comment}")
        self.notes.append(f"task {name}: {note}")
        self.used.add(column)

    def add_class_task(self, column: str, name: str) -> bool:
        """A binary or multiclass task, or a note why not."""
        labels, name = self.table[column].dropna(), identifier(name)
        carriers = self.donors[labels.index].groupby(labels).nunique()
        carriers = carriers[carriers >= 3]
        reason = ""
        if self.by is not None and column not in self.by and self.varies_within([self.donor, *self.by], column):
            reason = "differs between the cells of one sample"
        elif name == "disease" and self.varies_within([self.donor], column):
            reason = "differs between the samples of one donor, a disease may not"
        elif len(carriers) < 2:
            reason = "has fewer than two classes of three donors or more"
        if reason:
            self.leave_out(column, reason)
            return False
        self.folds = min(self.folds, int(carriers.min()))
        all_classes = len(carriers) == labels.nunique()
        if len(carriers) == 2:
            positive = guess_positive(carriers)
            negative = next(c for c in carriers.index if c != positive)
            kind, more = "binary", f", positive: {scalar(positive)}"
            more += "" if all_classes else f", negative: {scalar(negative)}"
            note = f"column {column!r}, {positive!r} counts as 1, {negative!r} as 0"
        else:
            kind, more = "multiclass", "" if all_classes else f", classes: [{scalars(carriers.index)}]"
            note = f"column {column!r}, {len(carriers)} classes"
        counts = listing([f"{c} {n}" for c, n in carriers.items()], 6)
        self.add_task(name, column, kind, more, f"donors: {counts}", note)
        return True

    def add_covariate(self, column: str, role: str, why: str, amounts: pd.Series | None) -> None:
        """A covariate; ``amounts``: its numbers, None of a category."""
        name, kind = identifier(column), "" if amounts is None else ", kind: continuous"
        comment = levels_text(self.table[column]) if amounts is None else range_text(amounts)
        self.covariates.append(f"{name}: {{role: {role}{kind}{_column_key(name, column)}}}   # {comment}")
        self.notes.append(f"covariate {name}: {role} ({why})")

    def yaml(self, name: str, inputs: list[str], roles: str, gene_sets: str | None = None) -> str:
        """The whole YAML; ``inputs``: lines on the files, ``roles``: a comment on the roles of covariates."""
        lines = ["# A draft: every line is a guess from the names and values of the columns. Read it and correct it."]
        lines += [f"# {note}" for note in self.notes]
        lines += [f"run: {scalar(re.sub(r'[^A-Za-z0-9._-]+', '_', name).strip('._-') or 'run')}", *inputs]
        lines += ["tasks:", *(f"  {task}" for task in self.tasks)]
        if self.covariates:
            lines += [f"covariates:   # {roles}", *(f"  {covariate}" for covariate in self.covariates)]
        if gene_sets:
            lines += [f"gene_sets: {gene_sets}"]
        if self.folds < _FOLDS:
            lines += [f"splits: {{folds: {self.folds}}}   # the rarest class has {self.folds} donors"]
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


def scalars(values) -> str:
    """YAML of several values inside brackets."""
    return ", ".join(map(scalar, values))


def identifier(column: str) -> str:
    """A valid name of a task or covariate from the name of a column."""
    name = re.sub(r"[^A-Za-z0-9_]+", "_", column).strip("_").lower()
    name = name if re.match(r"[a-z]", name) else f"x_{name}"
    return f"{name}_label" if name in ("sample", "donor", "fold") else name


def _column_key(name: str, column: str) -> str:
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
