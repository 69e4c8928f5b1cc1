"""Samples that are there twice under two donors: the same tube hybridised again, a patient who was enrolled twice.

They count as two donors everywhere: one of the two is held out while its copy is trained on, and every test believes
twice as much as it was told. With every array there twice ten of ten planted cohorts held a false biology.
"""

import numpy as np
import pandas as pd

from mtlbio.cohort.family import clusters_of
from mtlbio.cohort.qc import QcList
from mtlbio.errors import InputError, listing

LIKE = 0.9  # correlation of the profiles, genes centred, from which two samples may be one
APART = 0.25  # of what is left to 1 between a sample and the fifth most alike of another donor: what a copy falls below
GENES = 100  # fewer measurements do not tell samples apart
_NEXT = 5
_BLOCK = 2000  # samples that are compared with all others at a time


def twins(values: np.ndarray, donors: np.ndarray) -> list[tuple[int, int, float]]:
    """Pairs of samples of different donors (or families) that are nearly the same, with their correlation, most alike
    first.

    Both samples of a pair have to be each other's most alike, and far more alike than the fifth most alike: samples of
    one tissue among many are all alike, and are no copies. In five real cohorts (734 lupus arrays, 658 methylomes, 128
    leukaemias, two proteomes) samples of different donors correlate by .82 at most.

    Parameters
    ----------
    values : (samples, genes) on a log-like scale; NaN where not measured
    donors : (samples,)
    """
    donors, n = np.unique(donors, return_inverse=True)[1], len(donors)
    if values.shape[1] < GENES or donors.max(initial=0) < _NEXT + 1:
        return []
    profiles = _profiles(np.asarray(values, dtype=np.float32))
    nearest, most, further = np.empty(n, dtype=int), np.empty(n), np.empty(n)
    for start in range(0, n, _BLOCK):
        rows = slice(start, start + _BLOCK)
        like = profiles[rows] @ profiles.T
        like[donors[rows, None] == donors[None]] = -1.0
        nearest[rows], most[rows] = like.argmax(axis=1), like.max(axis=1)
        further[rows] = np.partition(like, -_NEXT, axis=1)[:, -_NEXT]
    copies = (most >= LIKE) & (1 - most <= APART * (1 - further))
    pairs = [(i, int(j)) for i, j in enumerate(nearest) if i < j and nearest[j] == i and copies[i] and copies[j]]
    return sorted(((i, j, float(most[i])) for i, j in pairs), key=lambda pair: -pair[2])


def check_twins(values: np.ndarray, obs: pd.DataFrame, keep: bool, qc: QcList, source: str) -> None:
    """Refuse samples that are there twice under two donors; where they are meant, list them in ``qc.tsv``.

    Parameters
    ----------
    values : (samples, genes), rows as ``obs``, which has ``donor``

    Raises
    ------
    InputError
        There are such pairs and they are not meant to be.
    """
    donors = obs["donor"].to_numpy().astype(str)
    pairs = twins(values, clusters_of(obs))  # relatives may be alike, and are known to be one family
    lines = [f"{obs.index[i]} ({donors[i]}) and {obs.index[j]} ({donors[j]}), r {r:.3f}" for i, j, r in pairs]
    if lines and not keep:
        count = "1 pair" if len(lines) == 1 else f"{len(lines)} pairs"
        raise InputError(
            f"{source}: {count} of samples of different donors nearly the same: {listing(lines, 3)}; a person or tube "
            f"that is there twice counts twice: give both one donor or leave one out, or say `qc: {{twins: keep}}`"
        )
    qc.add(
        [str(obs.index[i]) for i, _, _ in pairs], "note", "nearly the same sample", [f"kept: {text}" for text in lines]
    )


def _profiles(values: np.ndarray) -> np.ndarray:
    """(samples, genes) of length 1 whose products are correlations, genes with mean 0 and standard deviation 1."""
    mean, spread = np.nanmean(values, axis=0), np.nanstd(values, axis=0)
    scaled = np.nan_to_num((values - mean) / np.where(spread > 0, spread, 1.0))
    scaled -= scaled.mean(axis=1, keepdims=True)
    return scaled / np.maximum(np.linalg.norm(scaled, axis=1, keepdims=True), 1e-12)
