"""States of secondary structure: the alphabets of eight and of three, and how text becomes codes.

Secondary structure has eight states (Kabsch & Sander 1983, Biopolymers 22:2577): H alpha, G 3-10 and I pi helix; E
strand, B bridge; T turn, S bend, C none of these. Three states are their sums: helix HGI, strand EB, coil TSC.
"""

import numpy as np

from mtlbio.errors import InputError

Q8, Q3 = "HGIEBTSC", "HEC"
Q3_OF_Q8 = np.array([0, 0, 0, 1, 1, 2, 2, 2])
MISSING_STATE = 255
_SYNONYMS = {"L": "C", "P": "C"}  # loop, and the polyproline helix of newer DSSP versions
_NO_STATE = "?X~.-"
NO_LABELS = ("", "na", "nan", "n/a", "none")  # of a whole chain
_MOST_DASHES = 0.1  # more of them in a chain without any C are coils, as some programs write them


def encode_states(text: str, alphabet: str) -> np.ndarray:
    """Codes (length,) of a string of states (``Q8`` or ``Q3``), 255 where it says ``?``, ``X``, ``~``, ``.`` or ``-``.

    Raises ValueError at a letter that is no state, with its place; and at many dashes and no C, which would be coils.

    Examples
    --------
    >>> encode_states("HE?C", Q3).tolist()
    [0, 1, 255, 2]
    """
    table = {letter: code for code, letter in enumerate(alphabet)}
    table |= {letter: table[stands] for letter, stands in _SYNONYMS.items()}
    table |= dict.fromkeys(_NO_STATE, MISSING_STATE)
    upper = text.strip().upper()
    if upper.count("-") > _MOST_DASHES * len(upper) and not set(upper) & set("CL"):
        raise ValueError("many '-' and no C; write C for coil, - and ? mean not known")
    try:
        return np.array([table[letter] for letter in upper], dtype=np.uint8)
    except KeyError:
        place = next(i for i, letter in enumerate(upper) if letter not in table)
        valid = f"{', '.join(alphabet)} and ?"
        raise ValueError(f"{upper[place]!r} at position {place + 1} is no state; valid: {valid}") from None


def states(columns: dict[str, str], column: str | None, alphabet: str, length: int, where: str) -> np.ndarray:
    """(length,) uint8 codes of a string of states, 255 where not known or where the column is empty.

    Raises InputError at another number of states than residues, or at a letter that is none.
    """
    text = columns.get(column, "").strip() if column else ""
    if text.lower() in NO_LABELS and len(text) != length:
        return np.full(length, MISSING_STATE, dtype=np.uint8)
    if len(text) != length:
        raise InputError(f"{where}: {column} has {len(text)} states; the sequence has {length} residues")
    try:
        return encode_states(text, alphabet)
    except ValueError as error:
        raise InputError(f"{where}: {column}: {error}") from None


def to_q3(q8: np.ndarray) -> np.ndarray:
    """Three-state codes of eight-state codes; missing stays missing."""
    return np.append(Q3_OF_Q8, MISSING_STATE).astype(np.uint8)[np.minimum(q8, len(Q8))]


def three_states(eight: np.ndarray) -> np.ndarray:
    """Probabilities of helix, strand, coil (..., 3): sums of those of the eight states (..., 8)."""
    return np.stack([eight[..., Q3_OF_Q8 == k].sum(axis=-1) for k in range(3)], axis=-1)
