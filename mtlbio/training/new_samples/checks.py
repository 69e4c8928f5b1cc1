"""What was looked at in a table of new samples, as rows of ``checks.tsv``, and what stands against predicting them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from mtlbio.errors import InputError
from mtlbio.intake.notes import notice
from mtlbio.tables import CHECKS

FINE, LOOK, REFUSED = "fine", "look", "refused"


@dataclass
class Checks:
    """Of one table of new samples, ``source``; rows are added as things are looked at."""

    source: str
    rows: list[dict] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    def add(
        self,
        check: str,
        item: str,
        value: float,
        expected: float = np.nan,
        low: float = np.nan,
        high: float = np.nan,
        call: str = FINE,
        why: str = "",
    ) -> None:
        """One row: ``value`` of ``item`` (a sample, a task, all samples), and what training samples have there."""
        cells = (check, item, value, expected, low, high, call, why)
        self.rows.append(dict(zip(CHECKS, cells, strict=True)))

    def look(self, text: str) -> None:
        """A person should look at this."""
        notice(self.source, text, doubt=True)

    def refuse(self, text: str) -> None:
        """This stands against predicting."""
        self.refusals.append(text)

    def settle(self, anyway: bool) -> None:
        """Raise InputError with the first thing that stands against predicting; with ``anyway`` each is a note."""
        if self.refusals and not anyway:
            raise InputError(f"{self.source}: {self.refusals[0]}; --anyway predicts nevertheless")
        for text in self.refusals:
            self.look(text)

    def table(self) -> pd.DataFrame:
        """The rows, with the columns of ``checks.tsv``."""
        return pd.DataFrame(self.rows, columns=CHECKS)
