"""Sums behind the test of a label on the axes, at a site: products of the design, HC3's middle, flips of donors.

Donors are the units. Columns have their mean at the site taken off, which is what an indicator of every site does, so
that the products of the columns add up to those of the pooled design with sites held fixed. Residuals need what all
sites found, hence further rounds.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from mtlbio.errors import InputError
from mtlbio.federation.floors import check_floor, without_rare
from mtlbio.federation.labelled import Labelled
from mtlbio.federation.rows import Rows
from mtlbio.federation.wire import Message


class Tested(Protocol):
    """What is asked of a site (:class:`mtlbio.federation.site.Site`)."""

    name: str
    donors: np.ndarray
    options: dict[str, Any]
    whole: Rows

    @property
    def labelled(self) -> dict[str, Labelled]: ...
    def latents(self, state: Message) -> np.ndarray: ...
    def signs(self, task: str, donors: np.ndarray, flips: int) -> np.ndarray: ...


def units_of(site: Tested, task: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Names of the donors (m,), their design (m, c), the label first, and the mean over samples (m, n).

    An InputError where a class changes within donors, or too few donors are behind a column.
    """
    its, where = site.labelled[task], f"site {site.name}: test of {task}"
    covariates = [without_rare(c, site.donors, site.options["rare"])[0] for c in site.whole.covariates.values()]
    columns = np.column_stack([np.full(len(site.donors), np.nan), *covariates])
    columns[its.rows, 0] = its.y
    rows = np.flatnonzero(~np.isnan(columns).any(axis=1))
    names, place = np.unique(site.donors[rows], return_inverse=True)
    average = np.zeros((len(names), len(site.donors)))
    average[place, rows] = 1.0 / np.bincount(place)[place]
    design = average[:, rows] @ columns[rows]
    code = np.round(design[:, 0]).astype(int) if its.label.classes else np.zeros(len(names), dtype=int)
    if its.label.classes and np.abs(design[:, 0] - code).max(initial=0) > 1e-9:
        raise InputError(f"{where}: the class of a donor changes; expected one per donor, or federation.flips: 0")
    labels = ["label", *(f"covariate {i}" for i in range(1, design.shape[1]))]
    check_floor(names, code, design if its.label.classes else design[:, 1:], labels, site.options["floor"], where)
    return names, design, average


def test_sums(site: Tested, state: Message, task: str) -> dict[str, np.ndarray]:
    """All that is asked of a test in this round, by array."""
    names, design, average = units_of(site, task)
    z = average @ site.latents(state)
    centred, z_centred = design - design.mean(axis=0), z - z.mean(axis=0)
    if f"basis.{task}" not in state.arrays:
        both = np.column_stack([design[:, 0], z])
        found = {"units": np.array([len(names), 1.0]), "design": centred.T @ centred, "cross": centred.T @ z_centred}
        found["totals"] = np.stack([both.sum(axis=0), np.square(both).sum(axis=0)])
        return {f"{name}.{task}": values for name, values in found.items()}
    full = centred @ state.arrays[f"basis.{task}"]
    free = 1 - 1 / len(names) - np.square(full).sum(axis=1)
    pull = np.where(free > 1e-8, full[:, -1] / np.maximum(free, 1e-8), 0.0)
    fitted = state.arrays[f"fitted.{task}"]
    left = z_centred - full[:, :-1] @ fitted[:-1]
    signs = site.signs(task, names, site.options["flips"])
    if f"flipped_fitted.{task}" not in state.arrays:
        meat = np.square(pull) @ np.square(z_centred - full @ fitted)
        flipped = np.stack([full.T @ (sign[:, None] * left) for sign in signs.T])
        return {f"meat.{task}": meat, f"flipped.{task}": flipped}
    out = []
    for sign, found_fit in zip(signs.T, state.arrays[f"flipped_fitted.{task}"], strict=True):
        turned = sign[:, None] * left
        out.append(np.square(pull) @ np.square(turned - turned.mean(axis=0) - full @ found_fit))
    return {f"flipped_meat.{task}": np.stack(out)}
