"""Chains whose truth is planted: letters drawn from states, accessibility from letters, a data set with a bias.

A hidden chain of states (helix, strand, coil, of realistic length) decides letters through propensities that are
stronger than nature's, so that a small network learns them in seconds. Accessibility follows the hydrophobicity of the
residue and its neighbours. Chains of the data set ``complex`` carry more lysine and glutamate, whatever their states:
what a network learns of that is technical.
"""

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit, softmax

from mtlbio.cohort.simulate import write_files
from mtlbio.errors import InputError
from mtlbio.kinds.protein import LEAST_CHAINS
from mtlbio.labels.residues.alphabet import Q8, to_q3
from mtlbio.sequence.letters import AMINO_ACIDS, decode
from mtlbio.sequence.scales import standardised

ENOUGH = 5 * LEAST_CHAINS  # chains, of which a fifth is held out, that make a run whose trial can be held
_END = 4  # residues of an end, at most
_LENGTHS = {"H": (6, 18), "E": (4, 10), "C": (3, 9)}
_MINOR = {"H": ("H", "G", "I"), "E": ("E", "B"), "C": ("C", "T", "S")}
_SHARES = {"H": (0.9, 0.08, 0.02), "E": (0.93, 0.07), "C": (0.5, 0.3, 0.2)}

# (20,) by state, in the order of Q3
_PROPENSITY = np.stack([standardised(f"{state}_propensity") for state in ("helix", "strand", "turn")])


def simulate_chains(
    count: int = 80,
    seed: int = 0,
    length: tuple[int, int] = (40, 120),
    signal: float = 2.0,
    bias: float = 0.6,
    water: float = 1.2,
    ends: float = 0.0,
    buried: float = 0.0,
) -> pd.DataFrame:
    """Planted chains.

    Parameters
    ----------
    count : chains; one in ten is for validation, two in ten for testing
    length : shortest and longest
    signal : how much the states tell in the letters, log odds per standard deviation of the propensity
    bias : log odds of lysine and glutamate in the data set ``complex``
    water : how much hydrophobicity tells of accessibility, log odds per standard deviation
    ends : log odds of accessibility at the ends of chains, falling by 1/e every four residues; up to four
        residues at each end are coil then
    buried : log odds by which residues of the data set ``complex`` are less accessible

    Returns
    -------
    Columns ``id, sequence, q8, q3, rsa, site, source, cluster, split``; ``rsa`` and ``site`` (binary, exposed strands)
    as text with a value per residue
    """
    if count < 10:
        raise InputError(f"--chains: found {count}; expected 10 or more")
    rng = np.random.default_rng([seed, count])
    hydrophobicity = standardised("hydrophobicity")
    tilt = np.isin(list(AMINO_ACIDS), ["K", "E"]) * bias
    rows = []
    for i in range(count):
        source = ("isolated", "complex")[i % 2]
        size = int(rng.integers(length[0], length[1] + 1))
        states = _planted_states(size, bool(ends), rng)
        three = to_q3(np.array([Q8.index(s) for s in states], dtype=np.uint8))
        share = softmax(signal * _PROPENSITY[three] + (tilt if source == "complex" else 0), axis=1)
        letters = (rng.random(size)[:, None] > share.cumsum(axis=1)).sum(axis=1).clip(0, 19)
        around = np.convolve(hydrophobicity[letters], np.array([0.25, 1.0, 0.25]), mode="same")
        to_end = np.minimum(np.arange(size), np.arange(size)[::-1])
        hidden = water * around - ends * np.exp(-to_end / _END) + (buried if source == "complex" else 0)
        rsa = expit(-hidden - 0.5 - rng.normal(0, 0.5, size))
        site = ((three == 1) & (rsa > 0.4)).astype(int)
        row = {"id": f"chain{i:04d}", "sequence": decode(letters), "q8": states, "q3": "".join("HEC"[k] for k in three)}
        row |= {"rsa": " ".join(f"{v:.3f}" for v in rsa), "site": "".join(map(str, site))}
        split = "test" if i % 10 in (0, 3) else "validation" if i % 10 == 6 else "train"
        rows.append(row | {"source": source, "cluster": f"family{i}", "split": split})
    return pd.DataFrame(rows)


def _planted_states(size: int, coil_ends: bool, rng: np.random.Generator) -> str:
    """Eight-state string of helices and strands with coil between them."""
    states, before = "", "C"
    while len(states) < size:
        segment = "C" if before != "C" else rng.choice(["H", "E"])
        span = int(rng.integers(*_LENGTHS[segment], endpoint=True))
        minor = str(rng.choice(_MINOR[segment], p=_SHARES[segment]))
        states, before = states + minor * span, segment
    states = states[:size]
    if coil_ends:
        first, last = rng.integers(0, _END, 2, endpoint=True)
        states = "C" * first + states[first : size - last] + "C" * last
    return states


RUN = """\
# Planted chains: mtlbio simulate DIR --kind protein
run: {name}
kind: protein
chains:
  planted: {{path: chains.csv, source: source, cluster: cluster, split: split}}
tasks:
  structure: {{kind: secondary_structure, q8: q8, q3: q3}}
  exposure: {{kind: accessibility, column: rsa}}
training: {{encoder: cnn, width: 48, layers: 4, kernel: 5, latent: 8, epochs: 12, batch: 512, learning_rate: 0.005}}
"""


def plant(folder: Path, name: str | None, seed: int, chains: int = 80) -> Path:
    """Simulate chains and write them.

    Raises
    ------
    InputError
        Too few chains for the trial.
    """
    if chains < ENOUGH:
        raise InputError(f"--chains: found {chains}; expected {ENOUGH} or more: a fifth is held out for the trial")
    return write_simulation(folder, simulate_chains(chains, seed), name or "planted_proteins")


def write_simulation(folder: Path, table: pd.DataFrame, name: str = "planted_proteins") -> Path:
    """Write ``chains.csv`` and the ``run.yaml`` that analyses it; gives the path of the YAML."""
    return write_files(folder, {"chains.csv": partial(table.to_csv, index=False)}, RUN.format(name=name))
