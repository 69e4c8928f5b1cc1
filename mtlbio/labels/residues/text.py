"""Labels of a chain as its table writes them: a string of states, or a value per residue."""

from __future__ import annotations

import numpy as np

from mtlbio.errors import InputError
from mtlbio.labels.residues.alphabet import MISSING_STATE, encode_states

_GAPS = ("", "na", "nan", "n/a", "none")


def states(columns: dict[str, str], column: str | None, alphabet: str, length: int, where: str) -> np.ndarray:
    """(length,) uint8 codes of a string of states, 255 where not known or where the column is empty.

    Raises InputError at another number of states than residues, or at a letter that is none.
    """
    text = columns.get(column, "").strip() if column else ""
    if text.lower() in _GAPS and len(text) != length:
        return np.full(length, MISSING_STATE, dtype=np.uint8)
    if len(text) != length:
        raise InputError(f"{where}: {column} has {len(text)} states; the sequence has {length} residues")
    try:
        return encode_states(text, alphabet)
    except ValueError as error:
        raise InputError(f"{where}: {column}: {error}") from None


def values(columns: dict[str, str], column: str, length: int, where: str) -> np.ndarray:
    """(length,) a value per residue: numbers separated by spaces or commas, or one digit each; nan and ``?`` missing.

    Raises InputError at another number of values than residues, or at text that is no finite number.
    """
    text = columns.get(column, "").strip()
    if text.lower() in _GAPS and len(text) != length:
        return np.full(length, np.nan)
    apart = text.replace(",", " ")
    parts = apart.split() if " " in apart or length == 1 else list(text)
    if len(parts) != length:
        raise InputError(f"{where}: {column} has {len(parts)} values; the sequence has {length} residues")
    try:
        numbers = np.array([_number(part) for part in parts])
    except ValueError as error:
        raise InputError(f"{where}: {column}: {error}") from None
    if np.isinf(numbers).any():
        raise InputError(f"{where}: {column}: infinite; expected numbers, nan where missing")
    return numbers


def _number(text: str) -> float:
    if text.lower() in (*_GAPS, "?"):
        return np.nan
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{text!r} is no number; expected one per residue, nan where missing") from None
