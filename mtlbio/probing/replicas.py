"""``probing/replicas.tsv``: how alike the replicas of the examinee are, and whether one of them has collapsed.

A high correlation with a low effective rank is one direction that was found again and again.
"""

import numpy as np
import pandas as pd

from mtlbio.model.blocks import Replicas, standardised
from mtlbio.model.ensemble import FINAL
from mtlbio.model.matching import effective_rank
from mtlbio.model.similarity import linear_cka, svcca
from mtlbio.probing.examinee import Examinee

COLUMNS = ["fold", "replica", "n_held_out", "effective_rank", "effective_rank_all", "cka", "svcca", "correlation"]


def replicas(examinee: Examinee, donors: np.ndarray, axes: np.ndarray) -> Replicas:
    """All samples as the model of every fold encodes them, and the final model.

    ``donors``: (n,) of the samples, or their families; ``axes``: (D,) which dimensions are axes. Supervised ones follow
    labels: left out.
    """
    numbers = np.unique(examinee.fold)
    test = examinee.fold[None, :] == numbers[:, None]
    train = np.stack([~np.isin(donors, donors[rows]) for rows in test])
    encoded = [np.asarray(examinee.latents(int(f)), dtype=float).mean(axis=0) for f in (*numbers, FINAL)]
    return Replicas(encoded[-1][:, axes], numbers, np.stack(encoded[:-1])[:, :, axes], train, test)


def replica_table(examinee: Examinee, replicas: Replicas, axes: np.ndarray) -> pd.DataFrame:
    """Every replica of every fold against the final model.

    Returns
    -------
    A row per fold and seed: ``effective_rank`` of the axes and ``effective_rank_all`` of all dimensions over all
    samples; linear ``cka`` and ``svcca`` of the axes with the reference's over all samples; ``correlation``: median
    absolute correlation of an axis with its partner on the ``n_held_out`` samples that the replica did not train on
    """
    rows = []
    for f, test in zip(replicas.numbers, replicas.test, strict=True):
        for seed, z in enumerate(np.asarray(examinee.latents(int(f)), dtype=float)):
            rows.append(_row(int(f), seed, z[:, axes], replicas.reference, test, z))
    return pd.DataFrame(rows)


def replicas_of_one_fold(z: np.ndarray) -> pd.DataFrame:
    """Replicas (replicas, n, D) that were trained on the same donors, each against their mean; a row as above each."""
    everybody = np.ones(z.shape[1], dtype=bool)
    return pd.DataFrame([_row(0, r, each, z.mean(axis=0), everybody, each) for r, each in enumerate(z)])


def _row(fold: int, replica: int, z: np.ndarray, reference: np.ndarray, test: np.ndarray, dims: np.ndarray) -> dict:
    """``z``, ``reference``: (n, k) axes that are compared; ``dims``: (n, D) all dimensions; ``test``: (n,) held out."""
    row: dict[str, float] = {"fold": fold, "replica": replica, "n_held_out": int(test.sum())}
    row |= {"effective_rank": effective_rank(z), "effective_rank_all": effective_rank(dims)}
    x, y = standardised(z, test)[test], standardised(reference, test)[test]
    correlation = float(np.median(np.abs((x * y).mean(axis=0)))) if x.size else np.nan
    return row | {"cka": linear_cka(z, reference), "svcca": svcca(z, reference), "correlation": correlation}
