"""Who merges: sums of all sites become the next state, which says what is asked next.

The rounds are: join, means, scales, products (the trunk), steps of the heads, held-out losses (the penalties), and for
tests the design, its residuals and its flips.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np

from mtlbio.errors import InputError, listing
from mtlbio.federation import newton
from mtlbio.federation.axes import principal_axes, sparse_encoder
from mtlbio.federation.fixed_point import add, decode
from mtlbio.federation.privacy import deviation_of, heads_from_products, public_scales
from mtlbio.federation.study import MOST_COLUMNS, PENALTIES
from mtlbio.federation.tests_of_axes import COLUMNS, design_found, tests_found
from mtlbio.federation.wire import FORMAT, Message

DONE = "done"
_MOST_STEPS = 60


def joined(updates: Sequence[Message]) -> Message:
    """The first state, of sites that join; asks for the sums behind the means."""
    headers = sorted((update.header for update in updates), key=lambda header: header["site"])
    sites = [header["site"] for header in headers]
    first = headers[0]
    if len(set(sites)) < len(sites):
        raise InputError(f"federation.name: found {listing(sites)}; valid: each site once")
    if len(sites) < 2:
        raise InputError(f"federation.name: found {listing(sites)} alone; expected two sites or more")
    for other in headers[1:]:
        if other["fingerprint"] != first["fingerprint"]:
            keys = [key for key in first["options"] if other["options"].get(key) != first["options"][key]]
            raise InputError(
                f"federation: {other['site']} and {first['site']} differ in {listing(keys)}; valid: one study"
            )
    common = set.intersection(*(set(each["columns"]) for each in headers))
    columns = [name for name in first["columns"] if name in common]
    if not columns:
        raise InputError(f"federation: the sites have no column in common ({listing(first['columns'], 3)})")
    options = first["options"]
    most = MOST_COLUMNS[options["trunk"]]
    if len(columns) > most:
        raise InputError(f"federation.trunk: {len(columns):,} columns; {options['trunk']} takes {most:,} at most")
    header: dict[str, Any] = {"format": FORMAT, "study": first["study"], "fingerprint": first["fingerprint"]}
    header |= {"sites": sites, "publics": {h["site"]: h["public"] for h in headers}, "options": options, "attempt": 0}
    least = dict(zip(first["columns"], first["least"], strict=True))
    return _begun(header | {"columns": columns, "least": [least[name] for name in columns]})


def _begun(header: dict[str, Any]) -> Message:
    tasks: dict[str, dict[str, Any]] = {task: {} for task in header["options"]["tasks"]}
    folds = header["options"]["folds"]
    dims = {"columns": len(header["columns"]), "folds": folds, "sets": folds + 1, "penalties": len(PENALTIES)}
    header = header | {"dims": dims, "tasks": tasks, "number": 1, "stage": "means", "asks": ["present", "sum"]}
    return Message(header, {}) if header["options"]["privacy"] is None else _private(header)


def _private(header: dict[str, Any]) -> Message:
    """The only round of a study with noise: scales are public, and all columns are read."""
    columns = header["columns"]
    mean, scale = public_scales(columns, header["options"]["bounds"])
    p = len(columns)
    dims = header["dims"] | {"kept": p, "axes": p, "head": p, "row": p + 2}
    arrays = {"mean": mean, "scale": scale, "kept": np.ones(p, dtype=bool), "trunk": np.eye(p)}
    return Message(header | {"dims": dims, "stage": "noise", "asks": [f"private.{t}" for t in header["tasks"]]}, arrays)


def without(state: Message, gone: Sequence[str]) -> Message:
    """The study of the other sites: what was summed so far holds the donors of those who are gone, so it begins again
    with the means."""
    unknown = [name for name in gone if name not in state.header["sites"]]
    if unknown:
        raise InputError(f"--without: found {unknown[0]!r}; valid: {listing(state.header['sites'])}")
    left = [name for name in state.header["sites"] if name not in gone]
    if len(left) < 2:
        raise InputError(f"--without: leaves {listing(left)}; expected two sites or more")
    publics = {name: state.header["publics"][name] for name in left}
    return _begun(state.header | {"sites": left, "publics": publics, "attempt": state.header["attempt"] + 1})


def merged(updates: Sequence[Message], state: Message) -> Message:
    """The next state; an InputError where the updates are not those of all sites, each once."""
    sites = sorted(update.header["site"] for update in updates)
    twice = sorted({site for site in sites if sites.count(site) > 1})
    if twice:
        raise InputError(f"round {state.header['number']}: two updates of {twice[0]}; expected one of each site")
    missing = [site for site in state.header["sites"] if site not in sites]
    if missing:
        raise InputError(
            f"round {state.header['number']}: no update of {listing(missing)}; wait for it, or --without {missing[0]}: "
            f"the study then begins again without it"
        )
    sums = {name: decode(reduce(add, (update.arrays[name] for update in updates))) for name in state.header["asks"]}
    new = _STAGES[state.header["stage"]](state, sums)
    new.header["number"] = state.header["number"] + 1
    return new


def _next(state: Message, stage: str, asks: list[str], arrays: dict[str, np.ndarray], **dims: int) -> Message:
    header = state.header | {"stage": stage, "asks": asks, "dims": state.header["dims"] | dims}
    return Message(
        header | {"tasks": {name: dict(its) for name, its in header["tasks"].items()}}, state.arrays | arrays
    )


def _means(state: Message, sums: dict[str, np.ndarray]) -> Message:
    mean = sums["sum"] / np.maximum(sums["present"], 1e-300)
    return _next(state, "scales", ["square"], {"present": sums["present"], "mean": mean})


def _scales(state: Message, sums: dict[str, np.ndarray]) -> Message:
    variance = sums["square"] / np.maximum(state.arrays["present"], 1e-300)
    kept = variance > 1e-12 * np.maximum(1.0, np.square(state.arrays["mean"]))
    if not kept.any():
        raise InputError("federation: no column varies")
    scale = np.maximum(np.sqrt(variance), state.header["least"])
    arrays = {"kept": kept, "variance": variance, "scale": np.where(kept, scale, 1.0)}
    return _next(state, "products", ["gram", "donors"], arrays, kept=int(kept.sum()))


def _products(state: Message, sums: dict[str, np.ndarray]) -> Message:
    options, second = state.header["options"], sums["gram"] / sums["donors"]
    trunk = np.eye(len(second))
    if options["trunk"] == "pca":
        trunk = principal_axes(second, options["axes"])
    elif options["trunk"] == "sparse":
        trunk = sparse_encoder(second, float(sums["donors"]), options["axes"], options["sparsity"])
    if trunk.shape[1] == 0:
        raise InputError("federation.trunk: no axis is above the noise; lower training.sparsity")
    axes = trunk.shape[1]
    arrays = {"trunk": trunk, "total_variance": np.trace(trunk.T @ second @ trunk)}
    head = axes + (options["intercept"] == "shared")
    new = _next(state, "heads", [], arrays, axes=axes, head=head, measured=axes + 1)
    for task, its in new.header["tasks"].items():
        its["asked"] = 1 if options["tasks"][task] == "number" else len(PENALTIES)
        first = newton.start(its["asked"], new.header["dims"]["sets"], head)
        new.arrays.update({f"{name}.{task}": values for name, values in first.items()})
        new.header["asks"] += [f"{name}.{task}" for name in ("weight", "value", "gradient", "hessian")]
    return new


def _heads(state: Message, sums: dict[str, np.ndarray]) -> Message:
    new = _next(state, "heads", [], {})
    head = new.header["dims"]["head"]
    free = head - new.header["dims"]["axes"]
    for task, its in new.header["tasks"].items():
        if f"value.{task}" not in sums:
            continue
        now = {name: new.arrays[f"{name}.{task}"] for name in ("best", "trial", "objective", "open")}
        found = {name: sums[f"{name}.{task}"] for name in ("weight", "value", "gradient", "hessian")}
        ridge = newton.ridge_of(PENALTIES * new.arrays["total_variance"], found["weight"], head, free)
        if its["asked"] == 1:
            now["best"] = newton.solved_at_once(found["gradient"], found["hessian"], ridge)
            now["open"] = np.zeros_like(now["open"])
        else:
            now = newton.step(now, found, ridge)
        new.arrays.update({f"{name}.{task}": values for name, values in now.items()})
        its["steps"] = its.get("steps", 0) + 1
        if now["open"].any() and its["steps"] < _MOST_STEPS:
            new.header["asks"] += [f"{name}.{task}" for name in ("weight", "value", "gradient", "hessian")]
    if not new.header["asks"]:
        new.header.update(stage="penalties", asks=[f"held_out.{task}" for task in new.header["tasks"]])
    return new


def _penalties(state: Message, sums: dict[str, np.ndarray]) -> Message:
    new = _next(state, DONE, [], {})
    for task, its in new.header["tasks"].items():
        loss = sums[f"held_out.{task}"].sum(axis=1)
        # without inner folds a moderate penalty, as elsewhere
        place = int(loss.argmin()) if loss.any() else len(loss) // 2
        its["penalty"] = float(PENALTIES[place])
        new.arrays[f"slopes.{task}"] = new.arrays[f"best.{task}"][place]
        for name in ("best", "trial", "objective", "open"):
            del new.arrays[f"{name}.{task}"]
    options = new.header["options"]
    tested = [task for task, kind in options["tasks"].items() if kind != "time"] if options["flips"] else []
    for task in tested:
        new.header["tasks"][task]["design"] = 1 + sum(options["covariates"].values())
        new.header["asks"] += [f"{name}.{task}" for name in ("units", "design", "cross", "totals")]
    if tested:
        new.header["stage"] = "design"
        new.header["dims"]["flips"] = options["flips"]
    return new


def _noise(state: Message, sums: dict[str, np.ndarray]) -> Message:
    new = _next(state, DONE, [], {})
    spread = deviation_of(state.header["options"]) * np.sqrt(len(state.header["sites"]))
    for task, its in new.header["tasks"].items():
        heads, place = heads_from_products(sums[f"private.{task}"], PENALTIES, spread)
        its["penalty"] = float(PENALTIES[place])
        new.arrays[f"slopes.{task}"] = heads[:, 1:]
    new.header["noise"] = spread
    return new


def _design(state: Message, sums: dict[str, np.ndarray]) -> Message:
    new = _next(state, "residuals", [], sums)
    for task in [name.partition(".")[2] for name in sums if name.startswith("units.")]:
        found = design_found({name: sums[f"{name}.{task}"] for name in ("design", "cross")})
        new.arrays.update({f"{name}.{task}": values for name, values in found.items()})
        new.header["tasks"][task]["basis"] = found["basis"].shape[1]
        new.header["asks"] += [f"meat.{task}", f"flipped.{task}"]
    return new


def _residuals(state: Message, sums: dict[str, np.ndarray]) -> Message:
    asks = [name.replace("flipped.", "flipped_meat.") for name in sums if name.startswith("flipped.")]
    arrays = {name.replace("flipped.", "flipped_fitted."): values for name, values in sums.items()}
    return _next(state, "flips", asks, arrays)


def _flips(state: Message, sums: dict[str, np.ndarray]) -> Message:
    new = _next(state, DONE, [], sums)
    names = ("units", "totals", "basis", "fitted", "norm", "meat", "flipped_fitted", "flipped_meat")
    for task in [name.partition(".")[2] for name in sums]:
        found = {name: new.arrays.pop(f"{name}.{task}") for name in names}
        for name in ("design", "cross"):
            del new.arrays[f"{name}.{task}"]
        number = new.header["options"]["tasks"][task] == "number"
        new.arrays[f"tests.{task}"] = tests_found(found, number)
    new.header["test_columns"] = list(COLUMNS)
    return new


_STAGES = {
    "means": _means, "scales": _scales, "products": _products, "heads": _heads, "penalties": _penalties,
    "noise": _noise, "design": _design, "residuals": _residuals, "flips": _flips,
}  # fmt: skip
