"""Labels of a chain as its table writes them: a string of states, or a value per residue."""

from __future__ import annotations

import numpy as np

from mtlbio.errors import InputError
from mtlbio.labels.residues.alphabet import MISSING_STATE, encode_states

_GAPS = ("", "na", "nan", "n/a", "none")


def states(columns: dict[str, str], column: str | None, alphabet: str, length: int, where: str) -> np.ndarray:
    """(length,) uint8 codes of a string of states, 255 where not known or where the column is empty.

    Raises
    ------
    InputError
        Another number of states than residues, or a letter that is none.
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

    Raises
    ------
    InputError
        Another number of values than residues, or text that is no finite number.
    """
    text = columns.get(column, "").strip()
    if text.lower() in _GAPS and (length != len(text)):
        return np.full(length, np.nan)
    apart = text.replace(",", " ")
    parts = apart.split() if " " in apart or length == 1 else list(text)
    if len(parts) != length:
        raise InputError(f"{where}: {column} has {len(parts)} values; the sequence has {length} residues")
    try:
        found = np.array([np.nan if p.lower() in (*_GAPS, "?") else float(p) for p in parts])
    except ValueError:
        wrong = next(p for p in parts if not _is_number(p))
        raise InputError(
            f"{where}: {column}: {wrong!r} is no number; expected one per residue, nan where missing"
        ) from None
    if np.isinf(found).any():
        raise InputError(f"{where}: {column}: infinite; expected numbers, nan where missing")
    return found


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return text.lower() in (*_GAPS, "?")
    return True
