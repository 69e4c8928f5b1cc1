"""Chains from structures: mmCIF or PDB, cleaned, with secondary structure and accessibility computed.

Only the first model, amino acids, and of alternative positions the most occupied are kept. Modified residues become the
amino acid that they derive from where biotite's table names one of the twenty, else X. Residues without N, CA, C or O
have neither state nor accessibility; a chain without a whole residue is left out. Accessibility is that of the isolated
chain (Shrake & Rupley 1973, probe 1.4 angstrom) over the largest that the amino acid can have (Tien et al. 2013).
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from biotite import structure
from biotite.sequence import ProteinSequence
from biotite.structure.info import one_letter_code
from biotite.structure.io import pdb, pdbx

from mtlbio.errors import InputError
from mtlbio.labels.residues.alphabet import MISSING_STATE, Q3, Q8, to_q3
from mtlbio.reading import check_fits, regular_file, understood
from mtlbio.sequence.dssp import assign
from mtlbio.sequence.letters import AMINO_ACIDS, LARGEST_AREA, encode

LARGEST = 2000  # angstrom: longer than any chain that was ever solved; cells of space are counted along it
BACKBONE = ("N", "CA", "C", "O")
_STANDARD = {ProteinSequence.convert_letter_1to3(letter): letter for letter in AMINO_ACIDS}


def read_structure(path: str | Path) -> Iterator[tuple[str, str, dict[str, str]]]:
    """(name, sequence, columns q8, q3, rsa) of every protein chain of a file; the name is ``file_chain``.

    Raises
    ------
    InputError
        Not a structure, or no chain with a whole residue in it.
    """
    path = Path(path)
    atoms = _atoms(path)
    names = dict.fromkeys(atoms.chain_id.tolist())
    chains = {}
    for name in names:
        chain = atoms[atoms.chain_id == name]
        extent = float(np.ptp(chain.coord, axis=0).max())
        if not extent < LARGEST:
            raise InputError(
                f"{path}: chain {name} spans {extent:,.0f} angstrom; expected coordinates of one molecule, below "
                f"{LARGEST:,}"
            )
        chains[name] = label_chain(chain)
    if not any(chains.values()):
        raise InputError(f"{path}: no chain with a whole amino acid (N, CA, C and O) in it")
    for name, labelled in chains.items():
        if labelled is not None:
            sequence, eight, area = labelled
            rsa = " ".join("nan" if np.isnan(v) else f"{v:.3f}" for v in area)
            yield f"{path.stem}_{name}", sequence, {"q8": _text(eight, Q8), "q3": _text(to_q3(eight), Q3), "rsa": rsa}


def label_chain(atoms) -> tuple[str, np.ndarray, np.ndarray] | None:
    """Sequence, Q8 codes (255 where not known) and relative accessibility (NaN where not known) of one chain's atoms.

    None where no residue is whole. Residues that were not resolved at all are not in the sequence.
    """
    residues = [_STANDARD.get(name) or one_letter_code(name) for name in structure.get_residues(atoms)[1]]
    letters = "".join(letter if letter in _STANDARD.values() else "X" for letter in residues)
    backbone = np.full((len(letters), len(BACKBONE), 3), np.nan)
    for k, name in enumerate(BACKBONE):
        places = np.flatnonzero(atoms.atom_name == name)[::-1]  # of several in a residue the first
        backbone[structure.get_residue_positions(atoms, places), k] = atoms.coord[places]
    whole = ~np.isnan(backbone).any(axis=(1, 2))
    if not whole.any():
        return None
    eight = np.full(len(letters), MISSING_STATE, dtype=np.uint8)
    proline = np.array([letter == "P" for letter in letters])
    eight[whole] = assign(backbone[whole], proline[whole])
    area = structure.apply_residue_wise(atoms, structure.sasa(atoms, vdw_radii="Single"), np.nansum)
    largest = np.append(LARGEST_AREA, np.nan)[encode(letters)]  # not known of X
    return letters, eight, np.where(whole, np.clip(area / largest, 0, 1), np.nan)


def _atoms(path: Path):
    """Heavy atoms of the amino acids of the first model."""
    check_fits(path, regular_file(path, "a structure in mmCIF or PDB format").st_size)
    with understood(path, "readable as a structure"):
        if path.suffix.lower() in (".cif", ".mmcif"):
            atoms = pdbx.get_structure(pdbx.CIFFile.read(path), model=1, altloc="occupancy")
        else:
            atoms = pdb.PDBFile.read(path).get_structure(model=1, altloc="occupancy")
    atoms = atoms[structure.filter_amino_acids(atoms)]
    return atoms[~np.isin(atoms.element, ["H", "D"])]


def _text(codes: np.ndarray, states: str) -> str:
    return "".join("?" if code == MISSING_STATE else states[code] for code in codes)
