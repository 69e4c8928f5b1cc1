"""The alphabet of residues, and how sequences become codes; that of their states is in mtlbio.labels.residues."""

import numpy as np

AMINO_ACIDS = "ARNDCQEGHILKMFPSTWYV"  # the order of BLOSUM62 and of AAindex
UNKNOWN = len(AMINO_ACIDS)  # X, and letters that stand for several amino acids or for a rare one
MASKED, PADDING = UNKNOWN + 1, UNKNOWN + 2
AMBIGUOUS = "XBZJUO"

# Largest accessible surface of a residue X in Gly-X-Gly, square angstrom (Tien et al. 2013, PLoS One 8:e80635, table 1,
# theoretical), in the order of AMINO_ACIDS
LARGEST_AREA = np.array(
    [129, 274, 195, 193, 167, 225, 223, 104, 224, 197, 201, 236, 224, 240, 159, 155, 172, 285, 263, 174], dtype=float
)

_CODES = np.full(256, 255, dtype=np.uint8)
_CODES[[ord(letter) for letter in AMINO_ACIDS]] = np.arange(UNKNOWN)
_CODES[[ord(letter) for letter in AMBIGUOUS]] = UNKNOWN


def encode(sequence: str) -> np.ndarray:
    """Codes (length,) of a sequence: 0-19 in the order of ``AMINO_ACIDS``, 20 for letters that name no single one.

    Lower case counts as upper case, a ``*`` at the end is dropped.

    Raises
    ------
    ValueError
        A letter that stands for no amino acid, with its place.

    Examples
    --------
    >>> encode("ARx").tolist()
    [0, 1, 20]
    """
    text = sequence.strip().upper().removesuffix("*")
    codes = _CODES[np.frombuffer(text.encode("latin-1", "replace"), dtype=np.uint8)]
    if (codes == 255).any():
        place = int(np.argmax(codes == 255))
        raise ValueError(f"{text[place]!r} at position {place + 1} is no amino acid")
    return codes


def decode(codes: np.ndarray) -> str:
    """Letters of the codes; what is not one of the twenty is X."""
    return "".join((AMINO_ACIDS + "XXX")[c] for c in codes)
