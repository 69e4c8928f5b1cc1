"""A draft of a run in the making: a person reads and edits its YAML, so it is written line by line, not dumped."""

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from mtlbio.cohort.drafts.guess import DISEASE, guess_positive, is_called, words
from mtlbio.errors import listing, one_line
from mtlbio.text import as_number

_FOLDS = 5
_MOST_NUMBERS = 10  # classes that are all numbers: more are amounts


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
    choices : lines that could be tasks, where no column is called like a label
    task_columns, covariate_columns, features : columns that these lines read, and features of a table
    column_of : column -> its name in the file, where the draft calls it otherwise
    kind_of : column -> kind of its task
    names : column -> name of its task and covariate
    codes : column -> values that look missing, and their samples
    spellings : column -> groups of values that differ in their way of writing only
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
    choices: list[str] = field(default_factory=list)
    task_columns: list[str] = field(default_factory=list)
    covariate_columns: list[str] = field(default_factory=list)
    kind_of: dict[str, str] = field(default_factory=dict)
    features: list[str] = field(default_factory=list)
    column_of: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    codes: dict[str, dict[str, int]] = field(default_factory=dict)
    spellings: dict[str, list[dict[str, int]]] = field(default_factory=dict)

    @property
    def read_columns(self) -> set[str]:
        """Columns that a run as it is drafted reads."""
        return {self.donor, *(self.by or []), *self.task_columns, *self.covariate_columns, *self.features}

    @property
    def donors(self) -> pd.Series:
        """Donor of every sample."""
        return self.table[self.donor]

    def varies_within(self, unit: list[str], column: str) -> bool:
        """Whether a column takes several values within a unit, which the columns ``unit`` name."""
        keys = [self.table[c].to_numpy() for c in unit]
        return bool((self.table[column].groupby(keys).nunique() > 1).any())

    def who_varies(self, unit: list[str], column: str) -> str:
        """Names of the units within which a column takes several values: ``donor 'P1' (case, control)``."""
        keys = [self.table[c].to_numpy() for c in unit]
        levels = self.table[column].dropna().groupby([k[self.table[column].notna().to_numpy()] for k in keys]).unique()
        several = levels[levels.map(len) > 1]
        first = ", ".join(map(str, sorted(several.iloc[0])[:3]))
        return f"donor{'s' if len(several) > 1 else ''} {listing(several.index, 4)} ({first})"

    def leave_out(self, column: str, reason: str) -> None:
        """Say why a column is not used."""
        self.notes.append(f"left out: {column!r} {reason}")
        self.used.add(column)

    def real(self, column: str) -> str:
        """The name of a column in the file."""
        return self.column_of.get(column, column)

    def name_of(self, column: str, wanted: str = "") -> str:
        """The name of a column's task and covariate, which no other column has; ``wanted`` where it is free."""
        if column not in self.names:
            name = base = identifier(wanted or column)
            number = 2
            while name in self.names.values():
                name, number = f"{base}_{number}", number + 1
            self.names[column] = name
        return self.names[column]

    def add_task(
        self, name: str, column: str, kind: str, more: str, comment: str, note: str, key: str = "column"
    ) -> None:
        """A task; ``more``: its keys after ``kind`` and ``key``, which names the column."""
        self.task_columns.append(column)
        self.kind_of[column] = kind
        named = _column_key(name, self.real(column)) if key == "column" else f", {key}: {scalar(self.real(column))}"
        self.tasks.append(f"{name}: {{kind: {kind}{named}{more}}}   # {comment}")
        self.notes.append(f"task {name}: {note}")
        self.used.add(column)

    def add_class_task(self, column: str, name: str) -> bool:
        """A binary or multiclass task, or a note why not."""
        labels = self.table[column].dropna()
        carriers = self.donors[labels.index].groupby(labels).nunique()
        donors_of, carriers = carriers, carriers[carriers >= 3]
        reason = ""
        if labels.nunique() < 2:
            reason = "has one value only"
        elif self.by is not None and column not in self.by and self.varies_within([self.donor, *self.by], column):
            reason = "differs between the cells of one sample"
        elif is_called(column, DISEASE) and self.varies_within([self.donor], column):
            reason = f"differs between the samples of {self.who_varies([self.donor], column)}, a disease may not"
        elif labels.nunique() > _MOST_NUMBERS and not len(as_number(labels)[1]):
            reason = f"holds {labels.nunique()} different numbers where a few classes are due"
        elif len(carriers) < 2:
            found = listing([f"{c} {n}" for c, n in donors_of.items()], 6)
            reason = f"has fewer than two classes of three donors or more (donors: {found})"
        if reason:
            self.leave_out(column, reason)
            return False
        name = self.name_of(column, name)
        self.folds = min(self.folds, int(carriers.min()))
        all_classes = len(carriers) == labels.nunique()
        if len(carriers) == 2:
            positive, told = guess_positive(carriers)
            negative = next(c for c in carriers.index if c != positive)
            kind, more = "binary", f", positive: {scalar(positive)}"
            more += "" if all_classes else f", negative: {scalar(negative)}"
            note = f"column {column!r}, {positive!r} counts as 1, {negative!r} as 0"
            note += "" if told else " (neither is called a control: check this)"
        else:
            kind, more = "multiclass", "" if all_classes else f", classes: [{scalars(carriers.index)}]"
            note = f"column {column!r}, {len(carriers)} classes"
        rare = [f"{level!r} ({int((labels == level).sum())})" for level in donors_of.index.difference(carriers.index)]
        note += f"; taken as missing, of fewer than three donors: {listing(rare, 6)}" if rare else ""
        counts = listing([f"{c} {n}" for c, n in carriers.items()], 6)
        self.add_task(name, column, kind, more, f"donors: {counts}", note)
        return True

    def add_covariate(self, column: str, role: str, why: str, amounts: pd.Series | None) -> None:
        """A covariate; ``amounts``: its numbers, None of a category."""
        name, kind = self.name_of(column), "" if amounts is None else ", kind: continuous"
        comment = levels_text(self.table[column]) if amounts is None else range_text(amounts)
        self.covariate_columns.append(column)
        self.covariates.append(f"{name}: {{role: {role}{kind}{_column_key(name, self.real(column))}}}   # {comment}")
        self.notes.append(f"covariate {name}: {role} ({why})")

    def yaml(self, name: str, inputs: list[str], roles: str, gene_sets: str | None = None) -> str:
        """The whole YAML; ``inputs``: lines on the files, ``roles``: a comment on the roles of covariates."""
        lines = ["# A draft: every line is a guess from the names and values of the columns. Read it and correct it."]
        lines += [f"# {one_line(note)}" for note in self.notes]
        lines += [f"run: {scalar(re.sub(r'[^A-Za-z0-9._-]+', '_', name).strip('._-') or 'run')}", *inputs]
        to_choose = [] if self.tasks else [f"  # {one_line(task)}" for task in self.choices]
        todo = "take the # away from the lines that are labels" if self.choices else "write at least one label here"
        lines += ["tasks:" if self.tasks else f"tasks:   # TO CHOOSE: {todo}"]
        lines += [*(f"  {one_line(task)}" for task in self.tasks), *to_choose]
        if self.covariates:
            lines += [f"covariates:   # {roles}", *(f"  {one_line(covariate)}" for covariate in self.covariates)]
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
    """A valid name of a task or covariate from the name of a column.

    Examples
    --------
    >>> identifier("AgeAtSampling"), identifier("disease state:ch1"), identifier("2nd visit")
    ('age_at_sampling', 'disease_state', 'x_2nd_visit')
    """
    name = re.sub(r"[^a-z0-9_]+", "_", "_".join(words(column))).strip("_")
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
