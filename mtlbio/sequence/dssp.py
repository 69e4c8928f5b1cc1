"""Secondary structure from backbone coordinates by the rules of DSSP (Kabsch & Sander 1983, Biopolymers 22:2577).

A hydrogen bond is an electrostatic energy below -0.5 kcal/mol between the C=O of one residue and the N-H of another.
Two consecutive n-turns start a helix (n = 4: H, 3: G, 5: I); ladders of bridges are strands (E), a lone bridge is B;
other residues inside a turn are T, those where the chain bends by more than 70 degrees S. Of several states a residue
takes the first of H, B, E, G, I, T, S, as in the original; newer versions of the program prefer I to H.
"""

import numpy as np

from mtlbio.labels.residues.alphabet import Q8

_FACTOR = 0.084 * 332  # charges 0.42 e and 0.20 e, kcal/mol angstrom
_BONDED, _LOWEST = -0.5, -9.9
_NEAR = 9.0  # CA atoms further apart make no bond
_BROKEN = 2.5  # C to the next N: the chain is interrupted beyond
_BEND = 70.0
_NEXT = [(da, db) for da in range(1, 6) for db in range(1, 6) if min(da, db) <= 2]  # bridges of one ladder
_CODE = {state: code for code, state in enumerate(Q8)}


def assign(backbone: np.ndarray, proline: np.ndarray) -> np.ndarray:
    """Q8 codes (residues,) of one chain.

    Parameters
    ----------
    backbone : (residues, 4, 3) positions of N, CA, C, O in angstrom, none missing
    proline : (residues,) bool, residues without an N-H
    """
    n = len(backbone)
    joined = np.append(False, np.linalg.norm(backbone[1:, 0] - backbone[:-1, 2], axis=1) < _BROKEN)
    bonded = hydrogen_bonds(backbone, proline, joined)
    run = np.cumsum(~joined)  # residues of one number are connected
    states = np.full(n, _CODE["C"], dtype=np.uint8)
    turn = {k: _turns(bonded, run, k) for k in (3, 4, 5)}
    bridge, ladder = _bridges(bonded, run)
    alpha = _helix(turn[4], 4)
    strong = bridge | ladder | alpha
    short = _helix(turn[3], 3, strong)
    wide = _helix(turn[5], 5, strong | short)
    layers = [(_bends(backbone[:, 1], run), "S"), (_inside(turn), "T"), (wide, "I"), (short, "G")]
    for mask, state in [*layers, (ladder, "E"), (bridge & ~ladder, "B"), (alpha, "H")]:
        states[mask] = _CODE[state]
    return states


def hydrogen_bonds(backbone: np.ndarray, proline: np.ndarray, joined: np.ndarray) -> np.ndarray:
    """(residues, residues) bool: the C=O of the row accepts a bond of the N-H of the column.

    Parameters
    ----------
    joined : (residues,) whether a residue is connected to the one before it
    """
    n = len(backbone)
    nitrogen, alpha, carbon, oxygen = (backbone[:, k] for k in range(4))
    hydrogen = np.full((n, 3), np.nan)
    back = carbon[:-1] - oxygen[:-1]
    hydrogen[1:] = nitrogen[1:] + back / np.linalg.norm(back, axis=1, keepdims=True)  # 1.0 angstrom, opposite to O=C
    donor = joined & ~proline
    accept, give = np.nonzero(np.linalg.norm(alpha[:, None] - alpha[None], axis=-1) < _NEAR)
    possible = donor[give] & (accept != give) & (accept != give - 1)
    accept, give = accept[possible], give[possible]

    def distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.maximum(np.linalg.norm(a[accept] - b[give], axis=1), 0.5)

    energy = 1 / distance(oxygen, nitrogen) + 1 / distance(carbon, hydrogen)
    energy = _FACTOR * (energy - 1 / distance(oxygen, hydrogen) - 1 / distance(carbon, nitrogen))
    out = np.zeros((n, n), dtype=bool)
    out[accept, give] = np.maximum(energy, _LOWEST) < _BONDED
    return out


def _turns(bonded: np.ndarray, run: np.ndarray, step: int) -> np.ndarray:
    """(residues,) an n-turn starts here: the C=O is bonded to the N-H ``step`` residues on."""
    out = np.zeros(len(bonded), dtype=bool)
    out[:-step] = np.diagonal(bonded, step) & (run[:-step] == run[step:])
    return out


def _helix(turn: np.ndarray, step: int, stronger: np.ndarray | None = None) -> np.ndarray:
    """Residues of helices, which begin at the second of two consecutive turns; one that shares a residue with a
    ``stronger`` state is none."""
    out = np.zeros(len(turn), dtype=bool)
    for start in np.flatnonzero(turn[1:] & turn[:-1]) + 1:
        if stronger is None or not stronger[start : start + step].any():
            out[start : start + step] = True
    return out


def _inside(turn: dict[int, np.ndarray]) -> np.ndarray:
    out = np.zeros(len(turn[3]), dtype=bool)
    for step, starts in turn.items():
        for start in np.flatnonzero(starts):
            out[start + 1 : start + step] = True
    return out


def _bridges(bonded: np.ndarray, run: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(residues,) in a bridge, and in a ladder of two or more bridges (bulges of DSSP included)."""
    n = len(bonded)
    inner = np.zeros(n, dtype=bool)
    inner[1:-1] = (run[:-2] == run[1:-1]) & (run[1:-1] == run[2:])
    before, at, after = (np.roll(bonded, shift, axis=0) for shift in (1, 0, -1))  # rows i-1, i, i+1
    # parallel: (i-1 -> j and j -> i+1) or (j-1 -> i and i -> j+1); antiparallel: (i <-> j) or (i-1 -> j+1, j-1 -> i+1)
    first = before & np.roll(bonded.T, -1, axis=0)
    parallel = first | first.T
    anti = (at & bonded.T) | (np.roll(before, -1, axis=1) & np.roll(np.roll(bonded.T, -1, axis=0), 1, axis=1))
    far = np.abs(np.arange(n)[:, None] - np.arange(n)[None]) > 2
    allowed = inner[:, None] & inner[None] & far
    bridge, ladder = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    for pairs, direction in ((parallel & allowed, 1), ((anti | anti.T) & allowed, -1)):
        places = np.argwhere(np.triu(pairs))
        bridge[np.unique(places)] = True
        there = {(int(a), int(b)) for a, b in places}
        for a, b in there:
            for da, db in _NEXT:  # the next bridge of the ladder, at most one bulge of four residues
                if (a + da, b + direction * db) in there:
                    low, high = sorted((b, b + direction * db))
                    ladder[a : a + da + 1] = ladder[low : high + 1] = True
    return bridge, ladder


def _bends(alpha: np.ndarray, run: np.ndarray) -> np.ndarray:
    out = np.zeros(len(alpha), dtype=bool)
    if len(alpha) < 5:
        return out
    i = np.arange(2, len(alpha) - 2)
    into, away = alpha[i] - alpha[i - 2], alpha[i + 2] - alpha[i]
    cosine = (into * away).sum(axis=1) / (np.linalg.norm(into, axis=1) * np.linalg.norm(away, axis=1))
    out[i] = (np.degrees(np.arccos(np.clip(cosine, -1, 1))) > _BEND) & (run[i - 2] == run[i + 2])
    return out
