"""A site: its rows and its private key, and the sums that it answers a round with."""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import Any

import numpy as np

from mtlbio.errors import InputError
from mtlbio.federation.fixed_point import add, encode
from mtlbio.federation.floors import check_floor, folds_of, without_rare
from mtlbio.federation.keys import mask, public_key
from mtlbio.federation.labelled import Labelled
from mtlbio.federation.losses import Loss, held_out, loss_of
from mtlbio.federation.privacy import clipped, deviation_of, noise, part_of, products_of_parts
from mtlbio.federation.rows import Rows, label_in_bounds
from mtlbio.federation.site_tests import test_sums, units_of
from mtlbio.federation.study import fingerprint_of
from mtlbio.federation.wire import FORMAT, Message
from mtlbio.labels import Label


class Site:
    """One site of a study.

    Parameters
    ----------
    name : of the site
    rows : its samples; values that few of its donors have are made that column's commonest first
    options : what all sites agree on (:func:`mtlbio.federation.study.agreed`)
    key : private

    Attributes
    ----------
    changed : names of the columns in which rare values were changed
    """

    def __init__(self, name: str, rows: Rows, options: dict[str, Any], key: bytes):
        self.name, self.options, self._key = name, options, key
        self.whole = rows
        # noise hides rare values, and what is changed for them would tell of them
        x, changed = (rows.x, []) if options["privacy"] else without_rare(rows.x, rows.donors, options["rare"])
        self.changed = [rows.names[j] for j in changed]
        self.names, self.x, self.least, self.donors = rows.names, x, rows.least, rows.donors
        _, donor, count = np.unique(self.donors, return_inverse=True, return_counts=True)
        self.weights = 1.0 / count[donor]
        if len(count) < options["floor"]:
            raise InputError(
                f"site {name}: {len(count)} donors; federation.floor is {options['floor']}: nothing is sent"
            )

    @cached_property
    def labelled(self) -> dict[str, Labelled]:
        """By task; an InputError where too few donors are behind it."""
        return {task: self._labelled(task, label) for task, label in self.whole.labels.items()}

    def _labelled(self, task: str, label: Label) -> Labelled:
        y = self.whole.y(task)
        rows, options = np.flatnonzero(~np.isnan(y)), self.options
        y, donors, x = y[rows], self.donors[rows], self.x[rows]
        times = label.follow_up(y)
        code = times[1].astype(int) if times is not None else y.astype(int) if label.classes else np.zeros(len(y), int)
        where = f"site {self.name}: tasks.{task}"
        if options["privacy"]:
            part = part_of(donors, options["folds"], f"{options['study']}|{options['seed']}|{task}")
            check_floor(donors, code, x[:, :0], (), options["floor"], where)
            return Labelled(label, rows, y, self.weights[rows], part)
        check_floor(donors, code, x, self.names, options["floor"], where)
        if (label.classes or times is not None) and not (code == 1).any():
            raise InputError(f"{where}: one class only; federation.floor is {options['floor']}: nothing is sent")
        salt = f"{options['study']}|{options['seed']}|{self.name}|{task}"
        fold = folds_of(donors, code, x, options["folds"], options["floor"], salt)
        return Labelled(label, rows, y, self.weights[rows], fold)

    def join(self) -> Message:
        """The first update: names, and no number of a donor."""
        for task in self.labelled:  # refused now rather than in a later round
            if self.options["flips"] and self.options["tasks"][task] != "time":
                units_of(self, task)
        header = {"format": FORMAT, "study": self.options["study"], "fingerprint": fingerprint_of(self.options)}
        header |= {"site": self.name, "number": 0, "attempt": 0, "options": self.options}
        header |= {"columns": list(self.names), "least": self.least.tolist(), "public": public_key(self._key)}
        return Message(header, {})

    def update(self, state: Message) -> Message:
        """The answer to a round: the sums that it asks for, as whole numbers, masked where the study has masks."""
        header = {key: state.header[key] for key in ("format", "study", "fingerprint", "number", "attempt")}
        sums, arrays = self.sums(state), {}
        for name, values in sums.items():
            words = encode(values)
            if self.options["masks"]:
                context = "|".join(str(header[key]) for key in ("study", "number", "attempt")) + f"|{name}"
                words = add(words, mask(self.name, self._key, state.header["publics"], context, values.shape))
            arrays[name] = words
        return Message(header | {"site": self.name}, arrays)

    def sums(self, state: Message) -> dict[str, np.ndarray]:
        """Array -> its sum over the donors of this site, as it stands before it is hidden."""
        found: dict[str, np.ndarray] = {}
        for name in state.header["asks"]:
            if name in found:
                continue
            prefix, _, task = name.partition(".")
            if prefix in ("present", "sum", "square", "donors", "gram"):
                found |= self._of_columns(state, prefix)
            elif prefix in ("weight", "value", "gradient", "hessian"):
                found |= self._of_losses(state, task)
            elif prefix == "private":
                found[name] = self._private(state, task)
            elif prefix == "held_out":
                found[name] = self._held_out(state, task)
            else:
                found |= test_sums(self, state, task)
        return {name: np.asarray(found[name], dtype=float) for name in state.header["asks"]}

    def _of_columns(self, state: Message, prefix: str) -> dict[str, np.ndarray]:
        x = self.chosen(state)
        known, weights = ~np.isnan(x), self.weights
        if prefix in ("present", "sum"):
            return {"present": weights @ known, "sum": weights @ np.where(known, x, 0.0)}
        if prefix == "square":
            return {"square": weights @ np.square(np.where(known, x - state.arrays["mean"], 0.0))}
        standard = self.standardised(state)
        return {"gram": standard.T @ (weights[:, None] * standard), "donors": weights.sum()}

    def _private(self, state: Message, task: str) -> np.ndarray:
        """Products of clipped rows with noise; no more of them than the study has paid for."""
        privacy, attempt = self.options["privacy"], state.header["attempt"]
        if attempt >= privacy["releases"]:
            raise InputError(
                f"site {self.name}: attempt {attempt + 1}; federation.privacy.releases is {privacy['releases']}: "
                f"nothing is sent"
            )
        its, folds = self.labelled[task], self.options["folds"]
        x = clipped(self.latents(state)[its.rows], privacy["clip"])
        y = label_in_bounds(its.label, its.y, self.options["bounds"])
        products = products_of_parts(x, y, its.weights, its.fold, folds)
        context = f"{self.options['study']}|{attempt}|{task}|{state.header['columns']}"
        return products + noise(self._key, context, folds, products.shape[1], deviation_of(self.options))

    def chosen(self, state: Message, x: np.ndarray | None = None) -> np.ndarray:
        """(n, columns) the columns that all sites have."""
        place = {name: i for i, name in enumerate(self.names)}
        return (self.x if x is None else x)[:, [place[name] for name in state.header["columns"]]]

    def standardised(self, state: Message, x: np.ndarray | None = None) -> np.ndarray:
        """(n, kept) columns by the means and scales of all sites; what is missing is the mean."""
        kept = state.arrays["kept"]
        values = ((self.chosen(state, x) - state.arrays["mean"]) / state.arrays["scale"])[:, kept]
        return np.where(np.isnan(values), 0.0, values)

    def latents(self, state: Message, x: np.ndarray | None = None) -> np.ndarray:
        """(n, axes) what the trunk makes of the site's samples."""
        return self.standardised(state, x) @ state.arrays["trunk"]

    def read_by_heads(self, state: Message, x: np.ndarray | None = None) -> np.ndarray:
        """(n, head) the latents; with a shared intercept after a column of 1."""
        z = self.latents(state, x)
        return z if self.own or self.options["privacy"] else np.column_stack([np.ones(len(z)), z])

    @property
    def own(self) -> bool:
        """Whether each site has an intercept of its own."""
        return self.options["intercept"] == "site"

    def losses(self, state: Message, task: str) -> list[Loss]:
        """Of every set of training donors of a task."""
        its, x = self.labelled[task], self.read_by_heads(state)[self.labelled[task].rows]
        inside = [its.inside(k) for k in range(state.header["dims"]["sets"])]
        return [loss_of(its.label, x[i], its.y[i], its.weights[i], self.own) for i in inside]

    def _of_losses(self, state: Message, task: str) -> dict[str, np.ndarray]:
        losses, trial, still = self.losses(state, task), state.arrays[f"trial.{task}"], state.arrays[f"open.{task}"]
        penalties, sets, head = trial.shape
        value, gradient = np.zeros((penalties, sets)), np.zeros((penalties, sets, head))
        hessian = np.zeros((penalties, sets, head, head))
        for p, k in np.argwhere(still):
            value[p, k], gradient[p, k], hessian[p, k] = losses[k].at(trial[p, k])
        found = {"weight": np.array([loss.weight for loss in losses]), "value": value}
        found |= {"gradient": gradient, "hessian": hessian}
        return {f"{name}.{task}": values for name, values in found.items()}

    def _held_out(self, state: Message, task: str) -> np.ndarray:
        its, best = self.labelled[task], state.arrays[f"best.{task}"]
        x = self.read_by_heads(state)[its.rows]
        out = np.zeros((len(best), best.shape[1] - 1))
        for k in range(1, best.shape[1]):
            inside = its.inside(k)
            for p in range(len(best)) if not inside.all() else ():
                out[p, k - 1] = held_out(its.label, x, its.y, its.weights, inside, best[p, k], self.own)
        return out

    def signs(self, task: str, donors: np.ndarray, flips: int) -> np.ndarray:
        """(donors, flips) 1 or -1, which nobody without the private key can tell; the donor's name decides."""
        out = np.empty((len(donors), flips))
        for row, donor in zip(out, donors, strict=True):
            bits = hashlib.shake_256(self._key + f"{self.options['study']}|{task}|{donor}".encode()).digest(
                flips // 8 + 1
            )
            row[:] = np.unpackbits(np.frombuffer(bits, dtype=np.uint8))[:flips] * 2.0 - 1.0
        return out
