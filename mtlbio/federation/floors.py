"""Not too few donors behind any sum: rare values, small sites, and the inner folds that a site can have.

A product with a column that few donors differ in is the row of these few. So a value that fewer than ``rare`` donors
of a site have becomes what is commonest in that column there, and a site is split into as many inner folds as leave the
floor of donors, of each class and of each side of every such column, in each; where not even two do, it is in the
training part of every fold and held out in none.
"""

from __future__ import annotations

import hashlib

import numpy as np

from mtlbio.errors import InputError

_TRIES = 20  # arrangements of the donors, for every number of folds


def without_rare(x: np.ndarray, donors: np.ndarray, rare: int) -> tuple[np.ndarray, list[int]]:
    """Columns (n, p) of a site with nothing in them that fewer than ``rare`` donors have, and which were changed."""
    x, changed = x.copy(), []
    donor = np.unique(donors, return_inverse=True)[1]
    for j in range(x.shape[1]):
        column = x[:, j]
        present = ~np.isnan(column)
        if 0 < len(np.unique(donor[present])) < rare:
            x[:, j] = np.nan
            changed.append(j)
            continue
        sides = sides_of(column)
        if any(0 < len(np.unique(donor[side])) < rare for side in sides):
            x[present, j] = _commonest(column[present])
            changed.append(j)
    return x, changed


def sides_of(column: np.ndarray) -> list[np.ndarray]:
    """Masks (n,) of the samples that a product with the column, or with 1 less it, is about."""
    present = ~np.isnan(column)
    values = np.unique(column[present])
    if len(values) < 2:
        return []
    apart = present & (column != _commonest(column[present]))
    return [apart, present & ~apart] if len(values) == 2 else [apart]


def _commonest(values: np.ndarray) -> float:
    """The most frequent value, the smallest of several."""
    found, count = np.unique(values, return_counts=True)
    return float(found[count.argmax()])


def check_floor(donors: np.ndarray, code: np.ndarray, x: np.ndarray, names, floor: int, where: str) -> None:
    """An InputError where fewer than ``floor`` labelled donors, of a class, or of a side of a column, are there."""
    if len(np.unique(donors)) < floor:
        raise InputError(
            f"{where}: {len(np.unique(donors))} labelled donors; federation.floor is {floor}: nothing is sent"
        )
    for c in np.unique(code):
        count = len(np.unique(donors[code == c]))
        if count < floor:
            raise InputError(f"{where}: {count} donors of one class; federation.floor is {floor}: nothing is sent")
    for j in range(x.shape[1]):
        counts = [len(np.unique(donors[side])) for side in sides_of(x[:, j])]
        if any(0 < count < floor for count in counts):
            raise InputError(
                f"{where}: column {names[j]!r} tells {min(filter(None, counts))} labelled donors from the others; "
                f"federation.floor is {floor}: leave it out, or raise federation.rare"
            )


def folds_of(donors: np.ndarray, code: np.ndarray, x: np.ndarray, folds: int, floor: int, salt: str) -> np.ndarray:
    """(n,) inner fold of every labelled sample, -1 everywhere where the site cannot be split.

    Whole donors, by the order of a hash, so that neither the order of the donors nor another site changes anything;
    ``code`` (n,) classes, which are spread evenly.
    """
    names, place = np.unique(donors, return_inverse=True)
    last = np.zeros(len(names), dtype=int)
    np.maximum.at(last, place, code.astype(int))
    sides = [side for column in x.T for side in sides_of(column)] + [code == c for c in np.unique(code)]
    sides.append(np.ones(len(donors), dtype=bool))
    of_donor = np.zeros((len(sides), len(names)))
    for side, row in zip(sides, of_donor, strict=True):
        row[place[side]] = 1
    for count in range(folds, 1, -1):
        for attempt in range(_TRIES):
            hashes = [hashlib.sha256(f"{salt}|{attempt}|{name}".encode()).digest() for name in names]
            order = sorted(range(len(names)), key=lambda i: (last[i], hashes[i]))
            fold = np.empty(len(names), dtype=int)
            fold[order] = np.arange(len(names)) % count
            inside = of_donor @ np.eye(count)[fold]
            if not ((inside > 0) & (inside < floor)).any() and (inside[-1] > 0).all():
                return fold[place]
    return np.full(len(donors), -1)
