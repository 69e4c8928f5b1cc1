"""Ideal backbones from torsion angles, and files of them."""

from __future__ import annotations

import numpy as np

# lengths and angles of Engh & Huber 1991: N-CA, CA-C, C-N, C=O; at N, CA, C
_BOND = {"N": 1.329, "CA": 1.458, "C": 1.525}
_ANGLE = {"N": 116.2, "CA": 121.7, "C": 111.2}


def place(a: np.ndarray, b: np.ndarray, c: np.ndarray, bond: float, angle: float, torsion: float) -> np.ndarray:
    """Position of an atom bonded to ``c`` (natural extension reference frame)."""
    angle, torsion = np.radians(angle), np.radians(torsion)
    axis = (c - b) / np.linalg.norm(c - b)
    normal = np.cross(b - a, axis)
    normal /= np.linalg.norm(normal)
    side = np.cross(normal, axis)
    local = [-np.cos(angle), np.sin(angle) * np.cos(torsion), np.sin(angle) * np.sin(torsion)]
    return c + bond * (local[0] * axis + local[1] * side + local[2] * normal)


def backbone(torsions: list[tuple[float, float]], omega: float = 180.0) -> np.ndarray:
    """(residues, 4, 3) N, CA, C, O of a chain with these phi and psi."""
    atoms = [np.array([0.0, 1.458, 0.0]), np.zeros(3), np.array([1.42, -0.55, 0.0])]
    for i in range(1, len(torsions)):
        psi, phi = torsions[i - 1][1], torsions[i][0]
        atoms.append(place(*atoms[-3:], _BOND["N"], _ANGLE["N"], psi))
        atoms.append(place(*atoms[-3:], _BOND["CA"], _ANGLE["CA"], omega))
        atoms.append(place(*atoms[-3:], _BOND["C"], _ANGLE["C"], phi))
    out = np.array(atoms).reshape(-1, 3, 3)
    oxygen = []
    for i, (nitrogen, alpha, carbon) in enumerate(out):
        psi = torsions[i][1]
        oxygen.append(place(nitrogen, alpha, carbon, 1.231, 120.1, psi + 180.0))
    return np.concatenate([out, np.array(oxygen)[:, None]], axis=1)


def pdb_text(chains: dict[str, np.ndarray], names: str = "ALA", extra: str = "") -> str:
    """A PDB file of backbones."""
    lines, serial = [], 1
    for chain, atoms in chains.items():
        for i, residue in enumerate(atoms):
            for atom, xyz in zip(("N", "CA", "C", "O"), residue, strict=True):
                x, y, z = xyz
                lines.append(
                    f"ATOM  {serial:5d}  {atom:<3s} {names} {chain}{i + 1:4d}    "
                    f"{x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00           {atom[0]}"
                )
                serial += 1
    return "\n".join(lines) + "\n" + extra + "END\n"
