"""Tables of features as numbers: genotypes, clinical numbers, and what is missing among them.

A column of numbers stays one column, with NaN for what is missing: the mean that fills a gap is that of the training
samples of a fold (:class:`mtlbio.cohort.features.Features`), and where gaps are not rare a second column says who has
one. Of a category every level is a column of its own, 0 or 1, also the level "missing": no level is the reference, so
none is treated differently by a penalty. Which levels there are is read off the file; nothing is fitted here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from functools import cached_property

import numpy as np
import pandas as pd

from mtlbio.cohort.content import as_plain_numbers, without_missing
from mtlbio.cohort.qc import QcList
from mtlbio.config import Table
from mtlbio.errors import InputError, listing
from mtlbio.text import numbers, suggestion

OTHER, MISSING = "other", "missing"
# Least scale of a 0/1 column, that of a level which 1 % of the samples have: rarer ones are not blown up further.
FLOOR = 0.1
# More levels than this, or more than this share of the samples, are names or measurements.
MOST_LEVELS, MOST_OF_SAMPLES = 100, 0.5
# A category with more levels than this, all of them numbers with decimals, is a measurement.
_NUMERIC_LEVELS = 10


@dataclass(frozen=True)
class Source:
    """One column of the file.

    Attributes
    ----------
    kind : ``number`` or ``category``
    levels : of a category, in the order of the coded columns; rarer ones are in ``pooled`` and count as "other"
    missing : whether there is a column for what is missing
    """

    name: str
    kind: str
    levels: tuple[str, ...] = ()
    pooled: tuple[str, ...] = ()
    missing: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the coded columns."""
        levels = [*self.levels, *([OTHER] if self.pooled else []), *([MISSING] if self.missing else [])]
        number = (self.name,) if self.kind == "number" else ()
        return (*number, *(f"{self.name}={level}" for level in levels))


@dataclass(frozen=True)
class Plan:
    """How a table is coded: its sources in order, the groups of those that speak of one thing, and the values that mean
    that nothing is known (``metadata.missing``)."""

    sources: tuple[Source, ...]
    groups: dict[str, tuple[str, ...]]
    missing: tuple[str | int | float | bool, ...] = ()

    @classmethod
    def read(cls, saved: dict) -> Plan:
        """Inverse of :meth:`saved`."""
        sources = [Source(**s | {key: tuple(s[key]) for key in ("levels", "pooled")}) for s in saved["sources"]]
        groups = {name: tuple(members) for name, members in saved["groups"].items()}
        return cls(tuple(sources), groups, tuple(saved.get("missing", ())))

    def saved(self) -> dict:
        """What JSON can hold."""
        saved = {"sources": [asdict(source) for source in self.sources], "groups": self.groups}
        return saved | ({"missing": list(self.missing)} if self.missing else {})

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Names of all coded columns."""
        return tuple(column for source in self.sources for column in source.columns)

    @cached_property
    def places(self) -> dict[str, list[int]]:
        """Source -> numbers of its coded columns."""
        ends = np.cumsum([len(source.columns) for source in self.sources]).tolist()
        starts = [0, *ends[:-1]]
        return {s.name: list(range(a, b)) for s, a, b in zip(self.sources, starts, ends, strict=True)}

    @cached_property
    def units(self) -> dict[str, list[int]]:
        """What a dimension is about -> its coded columns: the groups, then every source that is in none.

        A lone number is its own dimension: that it is missing is left to what no dimension holds.
        """
        grouped = {member for members in self.groups.values() for member in members}
        units = {name: sum((self.places[m] for m in members), []) for name, members in self.groups.items()}
        for source in self.sources:
            if source.name not in grouped:
                places = self.places[source.name]
                units[source.name] = places[:1] if source.kind == "number" else places
        return units

    @property
    def indicators(self) -> np.ndarray:
        """(columns,) which are 0 or 1 by their coding."""
        numbers_of = {source.name for source in self.sources if source.kind == "number"}
        return np.array([name not in numbers_of for name in self.columns])

    def code(self, table: pd.DataFrame, where: str) -> np.ndarray:
        """(samples, columns) float32 of a text table that has the sources as columns; NaN where a number is missing.

        A level that the plan does not know counts as "other" where there is such a column, and is no level otherwise.

        Raises
        ------
        InputError
            Text where a number is due.
        """
        parts = []
        table = without_missing(table, list(self.missing), where)
        for source in self.sources:
            text = as_plain_numbers(table[source.name], where) if source.kind == "number" else table[source.name]
            absent = text.isna().to_numpy()
            if source.kind == "number":
                parts.append(numbers(text, f"{where}: features.numeric: column {source.name!r}").to_numpy())
            else:
                parts += [(text == level).to_numpy(dtype=float) for level in source.levels]
                if source.pooled:
                    parts.append((~absent & ~text.isin(source.levels).to_numpy()).astype(float))
            if source.missing:
                parts.append(absent.astype(float))
        return np.stack(parts, axis=1).astype(np.float32)

    def decode(self, values: np.ndarray, name: str) -> np.ndarray:
        """What a source says of every sample, from coded values (samples, columns): numbers, or levels as text with NaN
        where there is none."""
        source, places = next(s for s in self.sources if s.name == name), self.places[name]
        if source.kind == "number":
            return values[:, places[0]].astype(float)
        levels = np.array([column.removeprefix(f"{name}=") for column in source.columns], dtype=object)
        coded = values[:, places]
        return np.where(coded.any(axis=1), levels[coded.argmax(axis=1)], np.nan)


def scale_floor(cohort) -> np.ndarray:
    """(columns,) least scale of every coded column of a prepared cohort (:class:`mtlbio.cohort.cohort.Cohort`)."""
    return np.where(cohort.coding.indicators, FLOOR, 0.0)


def named_columns(patterns: list[str], columns: Iterable[str], others: set[str], path: str, key: str) -> list[str]:
    """The columns that ``features.<key>`` means: names, or patterns such as ``*_mut``, which pass by the ``others``.

    Raises
    ------
    InputError
        A column that does not exist, or a pattern that no free column fits.
    """
    columns, fitting = [str(c) for c in columns], dict[str, None]()
    for pattern in patterns:
        matches = [c for c in columns if fnmatchcase(c, pattern) and c not in others]
        if pattern in columns:
            matches = [pattern]
        elif set("*?[").isdisjoint(pattern):
            raise InputError(f"{path}: features.{key}: no column {pattern!r}; {suggestion(pattern, columns)}")
        elif not matches:
            raise InputError(f"{path}: features.{key}: no column fits {pattern!r}; found: {listing(columns, 12)}")
        fitting |= dict.fromkeys(matches)
    return list(fitting)


def plan_of(table: pd.DataFrame, n_numeric: int, options: Table, source: str, qc: QcList) -> Plan:
    """How to code a table.

    Parameters
    ----------
    table : text, missing = NaN; numbers come first
    n_numeric : how many columns are numbers
    qc : takes a row for columns that are dropped and levels that are pooled

    Raises
    ------
    InputError
        A category that looks like an identifier or a measurement, a group of unknown columns, nothing that varies.
    """
    sources = []
    for i, name in enumerate(table.columns):
        text, numeric = table[name], i < n_numeric
        text = as_plain_numbers(text, source) if numeric else text
        values = numbers(text, f"{source}: features.numeric: column {name!r}") if numeric else text
        absent = int(text.isna().sum())
        if values.nunique() + (absent >= options.rare) < 2:
            qc.add([name], "gene", "constant", "dropped: the same value in every sample")
        elif numeric:
            sources.append(Source(name, "number", missing=absent >= options.rare))
        else:
            sources.append(_category(name, text, absent, options, source, qc))
        if absent:
            coded = "filled with the training donors' mean" if numeric else "a level of its own"
            qc.add([name], "note", "values missing", f"{absent} of {len(text)} samples; {coded}")
    if not sources:
        raise InputError(f"{source}: features: every column is constant; expected some that vary")
    return Plan(tuple(sources), _groups(options, table, {s.name for s in sources}, source))


def _category(name: str, text: pd.Series, absent: int, options: Table, source: str, qc: QcList) -> Source:
    counts = text.value_counts().sort_index()
    where = f"{source}: features.categories: column {name!r}"
    as_numbers = pd.to_numeric(pd.Series(counts.index), errors="coerce").to_numpy()
    numeric = np.isfinite(as_numbers).all()
    if len(counts) > _NUMERIC_LEVELS and numeric and (as_numbers % 1 != 0).any():
        raise InputError(
            f"{where}: {len(counts)} levels that are all numbers (such as {counts.index[0]}); expected under numeric"
        )
    if len(counts) > min(MOST_LEVELS, max(MOST_OF_SAMPLES * counts.sum(), 2)):
        also = ", or under numeric, if it is a number" if numeric else ""
        raise InputError(
            f"{where}: {len(counts)} levels in {counts.sum()} samples look like an identifier; expected a category of "
            f"few levels{also}"
        )
    rare = counts[counts < options.rare]
    # a single rare level needs no pool: "other" would be a second name for it
    pooled = tuple(rare.index) if len(rare) > 1 else ()
    if pooled:
        detail = f"{listing([f'{level} ({n})' for level, n in rare.items()])} pooled as {OTHER!r}"
        qc.add([name], "note", "rare levels", detail)
    levels = tuple(str(level) for level in counts.index if level not in pooled)
    clash = {OTHER, MISSING} & set(levels) if pooled or absent else set()
    if clash:
        raise InputError(f"{where}: the level {sorted(clash)[0]!r} has the name of mtlbio's own; rename it")
    return Source(name, "category", levels, pooled, absent > 0)


def _groups(options: Table, table: pd.DataFrame, varies: set[str], source: str) -> dict[str, tuple[str, ...]]:
    groups, owner = dict[str, tuple[str, ...]](), dict[str, str]()
    for name, members in options.groups.items():
        key = f"{source}: features.groups.{name}"
        for member in members:
            if member not in table.columns:
                raise InputError(f"{key}: {member!r} is no feature of this run; {suggestion(member, table.columns)}")
            if member in owner:
                raise InputError(f"{key}: {member!r} is in group {owner[member]} too; valid: one group each")
            owner[member] = name
        if name in table.columns and name not in members:
            raise InputError(f"{key}: a column has that name; give the group another one")
        groups[name] = tuple(member for member in members if member in varies)
    return {name: members for name, members in groups.items() if members}
