"""What can leave a site, and the files that carry it.

:data:`SUMS` lists every array by name and shape. An update holds the arrays that its round asks for, as whole numbers
of 128 bits, and a header of the keys in :data:`HEADER`; :func:`write_update` refuses anything else and
:func:`read_update` does so again where updates are merged. Files are npz without pickles.
"""

from __future__ import annotations

import json
import math
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from mtlbio.errors import InputError, listing
from mtlbio.files import replacing
from mtlbio.reading import regular_file

FORMAT = 1

# Array -> its axes. Of every task (name.task): `sets` are all donors and all but those of each inner fold, `head` is
# the number of slopes; of a test `design` counts its columns and `basis` what they tell.
SUMS: dict[str, tuple[str, ...]] = {
    "present": ("columns",),
    "sum": ("columns",),
    "square": ("columns",),
    "donors": (),
    "gram": ("kept", "kept"),
    "weight": ("sets",),
    "value": ("asked", "sets"),
    "gradient": ("asked", "sets", "head"),
    "hessian": ("asked", "sets", "head", "head"),
    "held_out": ("penalties", "folds"),
    "private": ("folds", "row", "row"),
    "units": ("two",),
    "design": ("design", "design"),
    "cross": ("design", "axes"),
    "totals": ("two", "measured"),
    "meat": ("axes",),
    "flipped": ("flips", "basis", "axes"),
    "flipped_meat": ("flips", "axes"),
}
HEADER = ("format", "study", "fingerprint", "site", "number", "attempt")
STATE = (
    "study",
    "fingerprint",
    "sites",
    "publics",
    "options",
    "columns",
    "dims",
    "tasks",
    "number",
    "attempt",
    "stage",
    "asks",
)
JOINING = (*HEADER, "options", "columns", "least", "public")


@dataclass(frozen=True)
class Message:
    """A header that JSON can hold, and arrays by name: an update of a site, or the state that all sites get."""

    header: dict[str, Any]
    arrays: dict[str, np.ndarray]


def shape_of(name: str, state: Message) -> tuple[int, ...]:
    """Shape of an array that the state asks for."""
    prefix, _, task = name.partition(".")
    dims = state.header["dims"] | (state.header["tasks"][task] if task else {}) | {"two": 2}
    return tuple(int(dims[symbol]) for symbol in SUMS[prefix])


def check_update(update: Message, state: Message | None, where: str) -> None:
    """An InputError where an update is not exactly what the round asks for; without a state, that a site joins."""
    header = update.header
    keys = HEADER if state is not None else JOINING
    if sorted(header) != sorted(keys):
        raise InputError(f"{where}: header of {listing(sorted(header), 12)}; expected {listing(keys, 12)}")
    if header["format"] != FORMAT:
        raise InputError(f"{where}: format {header['format']}; this version of mtlbio reads {FORMAT}")
    asked = [] if state is None else state.header["asks"]
    if sorted(update.arrays) != sorted(asked):
        wrong = sorted(set(update.arrays) ^ set(asked))
        raise InputError(
            f"{where}: {wrong[0]!r} is not what this round asks for, or is missing; valid: {listing(asked)}"
        )
    for name, words in update.arrays.items():
        assert state is not None
        shape = (*shape_of(name, state), 2)
        if words.dtype != np.uint64 or words.shape != shape:
            raise InputError(f"{where}: {name}: {words.dtype} of shape {words.shape}; expected uint64 of {shape}")


def write_update(update: Message, state: Message | None, path: Path) -> None:
    """Write an update, or nothing where it holds something that cannot leave."""
    check_update(update, state, str(path))
    write_message(update, path)


def read_update(path: Path, state: Message | None) -> Message:
    """Read an update of the state's round; an InputError of one line where it is none."""
    update = read_message(path, "an update of `mtlbio site-update`")
    header = update.header
    if state is not None and "options" in header:
        raise InputError(f"{path}: lets a site join, but the study is in round {state.header['number']}; make it again")
    if state is None and "options" not in header and "site" in header:
        raise InputError(
            f"{path}: of round {header.get('number')}, but there is no state yet; expected updates that join"
        )
    if state is not None and "site" in header:
        check_round(header, state.header, path)
    check_update(update, state, str(path))
    return update


def check_round(header: dict, state: dict, path: Path) -> None:
    """Refuse what is of another study, or of another round."""
    if header.get("study") != state["study"] or header.get("fingerprint") != state["fingerprint"]:
        raise InputError(f"{path}: of study {header.get('study')!r} or with other options; expected {state['study']!r}")
    if header["site"] not in state["sites"]:
        raise InputError(f"{path}: of site {header['site']!r}; valid: {listing(state['sites'])}")
    if (header.get("number"), header.get("attempt")) != (state["number"], state["attempt"]):
        found = f"round {header.get('number')} (attempt {header.get('attempt')})"
        raise InputError(f"{path}: of {found}; expected round {state['number']} (attempt {state['attempt']})")


def read_state(path: Path) -> Message:
    """What ``mtlbio merge-updates`` wrote; an InputError where it is something else."""
    what = "a state that `mtlbio merge-updates` wrote"
    state = read_message(path, what)
    if state.header.get("format") != FORMAT or not set(STATE) <= state.header.keys():
        raise InputError(f"{path}: found no state; expected {what} with this version of mtlbio")
    return state


def write_message(message: Message, path: Path) -> None:
    """Write npz: arrays, and the header as JSON in bytes."""
    text = json.dumps(message.header, sort_keys=True).encode()
    with replacing(path) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, header=np.frombuffer(text, dtype=np.uint8), **cast(Any, message.arrays))


def read_message(path: Path, what: str) -> Message:
    """Inverse of :func:`write_message`; an InputError where the file holds something else."""
    regular_file(path, what)
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        header = json.loads(bytes(arrays.pop("header")).decode())
        if not isinstance(header, dict):
            raise ValueError("no header")
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile, UnicodeDecodeError):
        raise InputError(f"{path}: cannot be read; expected {what}") from None
    return Message(header, arrays)


def numbers_in(state: Message) -> int:
    """How many numbers a site sends in this round."""
    return sum(math.prod(shape_of(name, state)) for name in state.header["asks"])
