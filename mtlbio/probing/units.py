"""What a test counts: donors, donors x label, or samples with the donor as cluster; families where they are known.

A label belongs to a donor, and the donor's mean is a unit's value, whether the donor has relatives or not. Relatives
make one cluster of units.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import sparse

PAIRED = 0.8  # share of the donors seen in several states from which donors are compared with themselves only


@dataclass(frozen=True)
class Units:
    """The units of a test.

    Attributes
    ----------
    average : sparse (units, samples), rows sum to 1: turns values of samples into values of units
    cluster : (units,) codes 0 .. G-1, sorted, of what is independent of each other: donors, families where they are
        known; equal to ``arange`` where every unit is alone
    y : (units,) label of the unit, NaN where it has none (and for questions that have no label)
    within : compare within donors only (every column is centred per donor)
    kind : ``donor``, ``donor x label`` or ``sample``
    donor : (units,) donor codes, sorted, where clusters are families; None where clusters are donors
    """

    average: sparse.csr_matrix
    cluster: np.ndarray
    y: np.ndarray
    within: bool
    kind: str
    donor: np.ndarray | None = None

    def __len__(self) -> int:
        return self.average.shape[0]

    @property
    def owner(self) -> np.ndarray:
        """(units,) donor codes."""
        return self.cluster if self.donor is None else self.donor

    @cached_property
    def donors(self) -> int:
        """Number of donors."""
        return int(self.owner.max()) + 1 if len(self.owner) else 0

    @cached_property
    def clusters(self) -> int:
        """Number of what is independent of each other."""
        return int(self.cluster.max()) + 1 if len(self.cluster) else 0

    @property
    def clustered(self) -> bool:
        """Whether a cluster holds several units."""
        return self.clusters < len(self)

    @property
    def families(self) -> bool:
        """Whether a cluster holds several donors."""
        return self.clusters < self.donors

    def summed(self, values: np.ndarray) -> np.ndarray:
        """Values of units (units, ...) summed per cluster (clusters, ...)."""
        return np.add.reduceat(values, np.flatnonzero(np.diff(self.cluster, prepend=-1)))

    def testable(self, least: int) -> bool:
        """Whether there are ``least`` units or more, and their labels differ."""
        return len(self) >= least and len(np.unique(self.y)) > 1

    @cached_property
    def mask(self) -> np.ndarray:
        """(samples,) whether a sample belongs to a unit."""
        return np.asarray(self.average.sum(axis=0)).ravel() > 0

    def mean(self, values: np.ndarray) -> np.ndarray:
        """Values of samples (samples, ...) averaged per unit (units, ...)."""
        return self.average @ np.where(self.mask.reshape(-1, *[1] * (values.ndim - 1)), values, 0.0)

    def centre(self, values: np.ndarray) -> np.ndarray:
        """Remove the donor's mean from values of units (units, k) where the comparison is within donors."""
        if not self.within:
            return values
        sizes = np.bincount(self.owner)
        sums = np.zeros((self.donors, values.shape[1]))
        np.add.at(sums, self.owner, values)
        return values - (sums / sizes[:, None])[self.owner]


def donor_units(donors: np.ndarray, mask: np.ndarray, family: np.ndarray | None = None) -> Units:
    """One unit per donor: the mean over the donor's samples in ``mask`` (samples,); ``family`` (samples,) clusters."""
    rows = np.flatnonzero(mask)
    return grouped(np.asarray(donors), rows, np.zeros(len(rows), dtype=int), None, False, "donor", family)


def sample_units(donors: np.ndarray, mask: np.ndarray, family: np.ndarray | None = None) -> Units:
    """Every sample is a unit and its donor, or family, the cluster; donors are compared with themselves only."""
    rows = np.flatnonzero(mask)
    cluster, donor = _codes(np.asarray(donors)[rows], None if family is None else family[rows])
    order, n = np.argsort(cluster if donor is None else donor, kind="stable"), len(rows)
    average = sparse.csr_matrix((np.ones(n), (np.arange(n), rows[order])), shape=(n, len(mask)))
    donor = None if donor is None else donor[order]
    return Units(average, cluster[order], np.full(n, np.nan), True, "sample", donor)


def _codes(donors: np.ndarray, family: np.ndarray | None) -> tuple[np.ndarray, np.ndarray | None]:
    """Codes of the clusters and, where these are families, of the donors, which then go by family and name."""
    # by hashing: a million names are sorted in seconds
    owner = pd.factorize(donors.astype(str).astype(object), sort=True)[0]
    if family is None:
        return owner, None
    cluster = pd.factorize(family.astype(str).astype(object), sort=True)[0]
    return cluster, np.unique(cluster * (int(owner.max(initial=0)) + 1) + owner, return_inverse=True)[1]


def label_units(
    donors: np.ndarray, y: np.ndarray, averaged: bool, mask: np.ndarray, family: np.ndarray | None = None
) -> Units:
    """Units on which a label can be tested.

    A label that is constant within every donor, and every number (averaged over the labelled samples), belongs to the
    donor: one unit per donor. A class that changes within donors makes one unit per donor x label (mean latent of
    those samples) with the donor as cluster: repeated visits in one state add no units. Where at least four fifths of
    the donors were seen in more than one state (paired designs), donors are compared with themselves only.

    ``averaged``: whether samples of a donor are averaged to one label (:class:`mtlbio.labels.Label`); ``family``
    (samples,): clusters above the donor.
    """
    donors, y = np.asarray(donors), np.asarray(y, dtype=float)
    rows = np.flatnonzero(np.asarray(mask) & ~np.isnan(y))
    if averaged:
        return grouped(donors, rows, np.zeros(len(rows), dtype=int), y, False, "donor", family)
    several = pd.Series(y[rows]).groupby(donors[rows]).nunique() > 1
    kind = "donor x label" if several.any() else "donor"
    state = np.unique(y[rows], return_inverse=True)[1]
    units = grouped(donors, rows, state, y, bool(several.any() and several.mean() >= PAIRED), kind, family)
    # class codes, which averaging leaves a rounding error away from themselves
    return replace(units, y=np.round(units.y))


def grouped(
    donors: np.ndarray,
    rows: np.ndarray,
    group: np.ndarray,
    y: np.ndarray | None,
    within: bool,
    kind: str,
    family: np.ndarray | None = None,
) -> Units:
    """One unit per donor and group, the mean of its samples.

    ``rows``: places of the samples that take part; ``group``: (rows,) code of the group of each. ``y``: (samples,)
    averaged too; None for no label. ``family``: (samples,) clusters above the donor.
    """
    cluster, donor = _codes(donors[rows], None if family is None else family[rows])
    owner = cluster if donor is None else donor
    groups = int(group.max(initial=0)) + 1
    keys, unit = np.unique(owner * groups + group, return_inverse=True)
    average = sparse.csr_matrix((1 / np.bincount(unit)[unit], (unit, rows)), shape=(len(keys), len(donors)))
    label = np.full(len(keys), np.nan) if y is None else average @ np.where(np.isnan(y), 0.0, y)
    if donor is None:
        return Units(average, keys // groups, label, within, kind)
    of_donor = np.zeros(int(donor.max(initial=0)) + 1, dtype=int)
    of_donor[donor] = cluster
    return Units(average, of_donor[keys // groups], label, within, kind, keys // groups)
