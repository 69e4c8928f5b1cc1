"""Where new samples come from, for a model whose heads know sites."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mtlbio.cohort.metadata import by_sample, read_metadata, text_table
from mtlbio.errors import InputError, listing
from mtlbio.intake.notes import notice
from mtlbio.model.ensemble import Ensemble
from mtlbio.text import suggestion

_SHARED = "the heads that all sites share predict"


def read_sites(given: Path | pd.Series | None, ensemble: Ensemble) -> pd.Series | None:
    """The site of every sample named in a table whose first column names samples; None without a table. What is given
    by sample already is taken as it is.

    Raises
    ------
    InputError
        The model's heads know no site, the table cannot be read, it lacks the column, or a sample stands twice.
    """
    if given is None or isinstance(given, pd.Series):
        return given
    path = Path(given)
    if not ensemble.sites:
        raise InputError("--sites: the heads of this model know no site (training.sites); valid: to leave it out")
    if not path.exists():
        raise InputError(f"--sites: {path}: no such file; expected a table of samples with {ensemble.site_column!r}")
    table, column = read_metadata(path, "--sites"), ensemble.site_column
    if column not in table.columns[1:]:
        raise InputError(
            f"{path}: no column {column!r} beside the samples in its first one; {suggestion(column, table.columns[1:])}"
        )
    names = str(table.columns[0])
    return by_sample(text_table(table, [names, column]), names, str(path))[column]


def places_of_sites(ensemble: Ensemble, sites: pd.Series | None, samples: np.ndarray, source: str) -> np.ndarray | None:
    """(n,) as :meth:`mtlbio.model.ensemble.Ensemble.at` gives them, and a word on whose site is not known; None where
    heads know none. ``sites``: by sample."""
    if not ensemble.sites:
        return None
    if sites is None:
        known = f"{ensemble.site_column} ({listing(ensemble.sites, 5)})"
        notice(source, f"the model's heads know {known} and --sites does not say where samples come from: {_SHARED}")
        return None
    given = sites.reindex(samples.astype(str))
    at = ensemble.at(given)
    strangers = sorted({str(site) for site in given[at < 0].dropna()})
    if strangers:
        known = f"it knows {listing(ensemble.sites, 5)}"
        words = f"{ensemble.site_column} {listing(strangers, 5)} unknown to the model ({known}): there {_SHARED}"
        notice(source, words)
    if gone := int(given.isna().sum()):
        notice(source, f"{gone} of {len(samples)} samples without {ensemble.site_column}: there {_SHARED}")
    return at
