"""Long reports of DIA-NN and Spectronaut: a row per precursor and run, with the quantity of its protein group."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from mtlbio.errors import InputError, listing
from mtlbio.intake.formats.delimited import numbers_of
from mtlbio.intake.formats.head import Head, look
from mtlbio.intake.formats.layout import Content
from mtlbio.intake.formats.long_table import long_table
from mtlbio.intake.formats.names import samples_of_paths
from mtlbio.intake.formats.protein_groups import contaminants, content
from mtlbio.intake.notes import notice

_FDR = 0.01


@dataclass(frozen=True)
class LongReport:
    """A program that writes one; of every field of columns the first that the report has is read, of ``q_values`` all.

    Attributes
    ----------
    program : its name
    runs, groups, genes : columns that name the run, the protein group and its genes
    quantities : columns with the quantity of the group in the run
    precursors : columns that only the long report has
    q_values : columns with the false discovery rate of what the row says
    decoys : columns that mark decoys
    instead : what else the program writes that can be read
    """

    program: str
    runs: tuple[str, ...]
    groups: tuple[str, ...]
    genes: tuple[str, ...]
    quantities: tuple[str, ...]
    precursors: tuple[str, ...]
    q_values: tuple[str, ...]
    decoys: tuple[str, ...]
    instead: str

    def fits(self, head: Head) -> bool:
        """Whether a table has the columns of run, protein group and precursor."""
        return all(set(names) & set(head.columns) for names in (self.runs, self.groups, self.precursors))

    def read(self, path: Path) -> Content:
        """Quantities of protein groups by gene; rows beyond a false discovery rate of 1 % and decoys are left out."""
        columns, what = look(path).columns, f"a long report of {self.program}"
        run, group = _first(self.runs, columns), _first(self.groups, columns)
        gene, quantity = _first(self.genes, columns), _first(self.quantities, columns)
        if not quantity:
            raise InputError(
                f"{path}: {what} without quantities of protein groups ({' or '.join(self.quantities)}); {self.instead}"
            )
        decoy, rates = _first(self.decoys, columns), [name for name in self.q_values if name in columns]
        text = [name for name in (run, group, gene, decoy) if name]
        table = long_table(path, what, list(dict.fromkeys([*text, quantity, *rates])), text)
        numbers = numbers_of(table[[quantity, *rates]], path)
        sure = (numbers[rates] <= _FDR).all(axis=1) & (table[run] != "") & (table[group] != "")
        if decoy:
            sure &= ~table[decoy].astype(str).str.lower().isin(["1", "true"])
        if not sure.any():
            raise InputError(f"{path}: {what} without a row within a false discovery rate of 1 % ({listing(rates)})")
        more = f"; {int((~sure).sum()):,} beyond 1 % of {listing(rates)} left out" if not sure.all() else ""
        notice(path, f"{what}: {len(table):,} rows, column {quantity} is read{more}")
        table = table[[name for name in (run, group, gene) if name]][sure].assign(value=numbers[quantity][sure])
        wide = _wide(table, run, group, path)
        of = table.drop_duplicates(group).set_index(group)
        genes = of[gene].astype(str).reindex(wide.index).tolist() if gene else [""] * len(wide)
        proteins = pd.Series(wide.index, dtype=str)
        kept = contaminants(path, proteins).to_numpy()
        runs = [str(name) for name in wide.columns]
        found = content(
            path,
            wide[kept].reset_index(drop=True),
            [name for name, is_kept in zip(genes, kept, strict=True) if is_kept],
            list(proteins[kept]),
            samples_of_paths(runs),
            f"{self.program}, {quantity}",
        )
        return Content(found.values, found.scale, found.why, {"file": runs})


def _first(names: tuple[str, ...], columns: tuple[str, ...]) -> str:
    return next((name for name in names if name in columns), "")


def _wide(table: pd.DataFrame, run: str, group: str, path: Path) -> pd.DataFrame:
    """(groups, runs) in the order of the file; of several values of a group in a run the largest, which is said."""
    order = {name: pd.unique(table[name].astype(str)) for name in (run, group)}
    values = table.groupby([group, run], observed=True)["value"]
    most, least = values.max(), values.min()
    differ = int((most > least * (1 + 1e-6)).sum())
    if differ:
        notice(path, f"{differ} protein groups have several values in one run: the largest is taken", doubt=True)
    wide = most.unstack(run)
    wide.index, wide.columns = wide.index.astype(str), wide.columns.astype(str)
    return wide.reindex(index=order[group], columns=order[run]).astype(np.float64)
