"""One file per sample, in a folder or in a folder each: brought together by the identifiers of genes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from mtlbio.errors import InputError, listing
from mtlbio.intake.formats.names import samples_of_paths
from mtlbio.intake.notes import notice
from mtlbio.reading import check_fits

# Summaries of HTSeq and STAR among the genes.
SUMMARIES: tuple[str, ...] = (
    "__no_feature",
    "__ambiguous",
    "__too_low_aQual",
    "__not_aligned",
    "__alignment_not_unique",
)
SUMMARIES += ("N_unmapped", "N_multimapping", "N_noFeature", "N_ambiguous", "no_feature", "ambiguous")
SUMMARIES += ("too_low_aQual", "not_aligned", "alignment_not_unique")


def gather(
    path: Path, files: Sequence[Path], one: Callable[[Path], pd.DataFrame]
) -> tuple[dict[str, pd.DataFrame], dict[str, list[str]]]:
    """Columns of every file, brought together.

    Parameters
    ----------
    path : the folder, for messages; or the one file
    files : one per sample
    one : the genes of a file as index, its columns as numbers

    Returns
    -------
    tables : column -> (samples, genes)
    also : names of the samples as :class:`~mtlbio.intake.formats.layout.Content` takes them

    Raises
    ------
    InputError
        A file has other genes than the first one, or a gene twice.
    """
    if not files:
        raise InputError(f"{path}: no file of a sample in it")
    relative = [str(file.relative_to(path)) if file != path else "/".join(file.parts[-2:]) for file in files]
    samples = samples_of_paths(relative)
    first, stacks = None, dict[str, np.ndarray]()
    for place, file in enumerate(files):
        table = one(file)
        table = table[~table.index.isin(SUMMARIES)]
        twice = table.index[table.index.duplicated()]
        if len(twice):
            raise InputError(f"{file}: {listing(twice.unique(), 3)} stands twice; expected every gene once")
        if first is None:
            first = table.index
            check_fits(path, len(first) * len(files) * 8 * table.shape[1], "its values")
            stacks = {str(c): np.empty((len(files), len(first))) for c in table.columns}
        elif not table.index.equals(first):
            missing = first.difference(table.index, sort=False)
            more = table.index.difference(first, sort=False)
            if len(missing) or len(more):
                raise InputError(
                    f"{file}: {len(missing)} genes of {files[0].name} are not in it and {len(more)} others are (such "
                    f"as {listing([*missing, *more], 2)}): quantified with another annotation?"
                )
            table = table.loc[first]
        for column, stack in stacks.items():
            stack[place] = table[column]
    assert first is not None
    index = pd.Index(samples, dtype=object)
    notice(path, f"{len(files)} files, one per sample, called {listing(samples, 3)}; {len(first):,} rows each")
    tables = {column: pd.DataFrame(stack, index=index, columns=first) for column, stack in stacks.items()}
    return tables, {"file": [Path(name).name for name in relative], "folder": [Path(r).parent.name for r in relative]}


def rounded(values: pd.DataFrame, path: Path, what: str) -> pd.DataFrame:
    """Estimated counts as whole numbers, which is said."""
    whole = np.rint(values)
    if not np.array_equal(whole, values, equal_nan=True):
        notice(path, f"{what} are estimated and have fractions: rounded to whole numbers")
    return whole
