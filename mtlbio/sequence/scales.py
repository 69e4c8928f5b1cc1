"""Properties of amino acids: what a latent dimension may be found to follow, and the substitution matrix of the input.

Scales are entries of AAindex (Kawashima et al. 2008, Nucleic Acids Res. 36:D202), values in the order of
``letters.AMINO_ACIDS``.
"""

import numpy as np

from mtlbio.sequence.letters import AMINO_ACIDS

AAINDEX = {
    "hydrophobicity": "KYTJ820101",  # Kyte & Doolittle 1982, J. Mol. Biol. 157:105
    "charge": "KLEP840101",  # Klein et al. 1984, Biochim. Biophys. Acta 787:221: net charge
    "volume": "GRAR740103",  # Grantham 1974, Science 185:862
    # Chou & Fasman 1978, Adv. Enzymol. 47:45: normalised frequency of alpha helix, of beta sheet, of turn
    "helix_propensity": "CHOP780201",
    "strand_propensity": "CHOP780202",
    "turn_propensity": "CHOP780203",
}
_VALUES = """
hydrophobicity 1.8 -4.5 -3.5 -3.5 2.5 -3.5 -3.5 -0.4 -3.2 4.5 3.8 -3.9 1.9 2.8 -1.6 -0.8 -0.7 -0.9 -1.3 4.2
charge 0 1 0 -1 0 0 -1 0 0 0 0 1 0 0 0 0 0 0 0 0
volume 31 124 56 54 55 85 83 3 96 111 111 119 105 132 32.5 32 61 170 136 84
helix_propensity 1.42 0.98 0.67 1.01 0.70 1.11 1.51 0.57 1.00 1.08 1.21 1.16 1.45 1.13 0.57 0.77 0.83 1.08 0.69 1.06
strand_propensity 0.83 0.93 0.89 0.54 1.19 1.10 0.37 0.75 0.87 1.60 1.30 0.74 1.05 1.38 0.55 0.75 1.19 1.37 1.47 1.70
turn_propensity 0.74 1.01 1.46 1.52 0.96 0.96 0.95 1.56 0.95 0.47 0.50 1.19 0.60 0.66 1.56 1.43 0.98 0.60 1.14 0.59
"""
_ROWS = (row.split() for row in _VALUES.strip().splitlines())
SCALES = {name: np.array(values, dtype=float) for name, *values in _ROWS}


def blosum62() -> np.ndarray:
    """(20, 20) the matrix of Henikoff & Henikoff 1992, PNAS 89:10915, in the order of ``letters.AMINO_ACIDS``."""
    from biotite.sequence.align import SubstitutionMatrix

    matrix = SubstitutionMatrix.std_protein_matrix()
    return np.array([[matrix.get_score(a, b) for b in AMINO_ACIDS] for a in AMINO_ACIDS], dtype=float)


def standardised(name: str) -> np.ndarray:
    """(20,) a scale with mean 0 and variance 1 over the amino acids."""
    return (SCALES[name] - SCALES[name].mean()) / SCALES[name].std()


def of_residues(name: str, codes: np.ndarray) -> np.ndarray:
    """A scale along residues (n,), standardised over the twenty amino acids; 0, the mean, for an unknown one."""
    table = np.zeros(256)
    table[: len(AMINO_ACIDS)] = standardised(name)
    return table[codes]
