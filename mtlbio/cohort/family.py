"""Related donors: families, households, litters, pairs of clinics. Whoever shares a family is one piece of evidence.

The columns are named after the keys of the YAML, which no task or covariate can be called: a name has no dot.
"""

import numpy as np
import pandas as pd

from mtlbio.cohort.qc import QcList
from mtlbio.errors import InputError, listing
from mtlbio.text import NO_VALUE, numbers

FAMILY, ORDER = "metadata.family", "metadata.order"  # columns of ``obs``, where the run has these keys
FEW = 10  # families below which it is said that they are few
NO_FAMILY = NO_VALUE | {"none", "0", "."}  # PLINK writes 0
_ALONE = "only: "  # before the donor in the name of a family that nobody recorded


def read_families(family: pd.Series, donor: pd.Series, column: str, source: str, qc: QcList) -> pd.Series:
    """Family of every sample; donors of whom none is recorded are each a family of their own, and ``qc`` lists them.

    Words that name no family (``NO_FAMILY``, in any case) count as none recorded: 27 donors of family "unknown" would
    be the largest family of the cohort.

    Parameters
    ----------
    family, donor : (samples,) text, the family missing where it is not known
    column, source : where the families are from, for messages

    Raises
    ------
    InputError
        A donor in two families, no family at all, or all donors in one.
    """
    where = f"{source}: metadata.family: column {column!r}"
    nameless = family.astype(str).str.strip().str.casefold().isin(NO_FAMILY)
    said = family[nameless].groupby(donor[nameless]).first()
    family = family.mask(nameless)
    if family.isna().all():
        raise InputError(f"{where} is empty for every sample; expected a family for some of them")
    known = pd.DataFrame({"donor": donor, "family": family}).dropna().drop_duplicates()
    twice = known.loc[known["donor"].duplicated(), "donor"].unique()
    if len(twice):
        found = listing(sorted(known.loc[known["donor"] == twice[0], "family"]))
        raise InputError(
            f"{where}: donor(s) {listing(twice, 5)} in two families ({found} for {twice[0]}); expected one per donor"
        )
    found = donor.map(known.set_index("donor")["family"])
    alone = found.isna()
    missing = donor[alone].unique()
    qc.add([name for name in missing if name not in said.index], "donor", "family missing", "a family of its own")
    for word, names in said[said.index.isin(missing)].groupby(said):
        qc.add(list(names.index), "donor", "family missing", f"a family of its own: {word!r} names none")
    found = found.where(~alone, _ALONE + donor).astype(object)
    if found.nunique() < 2:
        raise InputError(f"{where}: all {donor.nunique()} donors are one family; expected several")
    return found


def read_order(order: pd.Series, column: str, source: str) -> pd.Series:
    """When every sample was taken, as a number: a date or a number of the table; missing stays missing.

    Raises
    ------
    InputError
        Neither all numbers nor all dates.
    """
    where = f"{source}: metadata.order: column {column!r}"
    if order.isna().all():
        raise InputError(f"{where} is empty for every sample; expected a date or a number for some of them")
    if pd.to_numeric(order.dropna(), errors="coerce").notna().all():
        return numbers(order, where)
    dates = pd.to_datetime(order, errors="coerce", format="ISO8601", utc=True)
    # pandas takes "today" and "now" for dates too: those of the run
    wrong = order[order.notna() & (dates.isna() | ~order.astype(str).str.strip().str.match(r"\d{4}"))]
    if len(wrong):
        raise InputError(
            f"{where}: found {str(wrong.iloc[0])!r}; expected numbers, or dates as YYYY-MM-DD (with or without a time)"
        )
    return (dates - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(days=1)


def families_of(obs: pd.DataFrame) -> np.ndarray | None:
    """(samples,) family, text; None where the run has no ``metadata.family``."""
    return obs[FAMILY].to_numpy().astype(str) if FAMILY in obs else None


def clusters_of(obs: pd.DataFrame) -> np.ndarray:
    """(samples,) what is independent of each other: families where they are known, else donors."""
    families = families_of(obs)
    return obs["donor"].to_numpy().astype(str) if families is None else families


def largest(obs: pd.DataFrame) -> int:
    """Donors of the largest family."""
    return int(obs.groupby(FAMILY, observed=True)["donor"].nunique().max())


def unrecorded(obs: pd.DataFrame) -> int:
    """Donors whose family is not recorded."""
    alone = obs[FAMILY].astype(str).str.startswith(_ALONE)
    return int(obs.loc[alone, "donor"].nunique())
