"""What a layout is, and what reading one gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from mtlbio.intake.formats.head import Head


@dataclass(frozen=True)
class Content:
    """The measurements of a file.

    Attributes
    ----------
    values : (samples, features) numbers, NaN = missing; text identifiers of samples as index, names of features as
        columns
    scale : what the layout says about them: counts, linear, log2, beta or z; None where only the values can tell
    why : what speaks for that scale, to be read after "because the values are"
    also : other names of the same samples, in the same order, by what they are called
    """

    values: pd.DataFrame
    scale: str | None = None
    why: str = ""
    also: dict[str, list[str]] | None = None

    def named_as(self, described) -> Content:
        """The samples under those of their other names that stand in ``described``, if their own do not."""
        described = set(() if described is None else described)
        if described.isdisjoint(self.values.index):
            for names in (self.also or {}).values():
                if len(set(names)) == len(names) and not described.isdisjoint(names):
                    return replace(self, values=self.values.set_axis(pd.Index(names, dtype=object), axis=0))
        return self


@dataclass(frozen=True)
class Layout:
    """A layout of files or folders.

    Attributes
    ----------
    name : as ``expression.format`` says it
    title : in words, with its article
    fits : whether a file or folder has it, from its head alone
    read : the measurements; None of what only describes samples
    describe : the description of the samples (one row each, any column may hold their identifiers); None of what has
        none
    """

    name: str
    title: str
    fits: Callable[[Head], bool]
    read: Callable[[Path], Content] | None = None
    describe: Callable[[Path], pd.DataFrame] | None = None
