"""What one block says of another: every feature of the one predicted from the other, in donors held out."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from mtlbio.cohort.assays.blocks import Blocks, blocks_of, of_blocks
from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.features import features_of
from mtlbio.evaluation.assays.from_blocks import LEAST, block_and_source, correlations, held_out
from mtlbio.evaluation.bootstrap import bootstrap_weights, interval
from mtlbio.progress import say
from mtlbio.tables import CROSS_PREDICTION


def cross_prediction(
    cohort: Cohort, splits: pd.DataFrame, n_genes: int, draws: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """A row per ordered pair of blocks, columns ``mtlbio.tables.CROSS_PREDICTION``.

    ``r`` is the median over the features of the one of the correlation of its held-out values with what ridge
    regression on the other predicts, with its interval over bootstrap draws of donors; ``variance`` the share of the
    block's whole variance that is predicted. Pairs that fewer than 30 samples have are left out.

    Parameters
    ----------
    splits : in the order of the cohort's samples
    n_genes : at most so many features of each block, chosen on training donors of all folds
    """
    blocks, rows = blocks_of(cohort), []
    for a, b in _pairs(blocks):
        both, source = block_and_source(cohort, blocks, b, (a,))
        if len(both) < LEAST:
            say(f"{len(both)} samples have {a} and {b}; what one says of the other is not asked")
            continue
        some = splits.iloc[both].reset_index(drop=True)
        target = of_blocks(cohort, (b,), both)
        chosen = features_of(target, np.arange(len(both)), n_genes).genes_idx
        found = held_out(source, target.expression[:, chosen].astype(float), some, n_genes)
        truth, predicted = found.truth, found.predicted
        weights = bootstrap_weights(source.clusters, draws, seed)
        whole = np.ones((1, len(both)))
        r = float(np.nanmedian(correlations(truth, predicted, whole)))
        low, high = interval(np.nanmedian(correlations(truth, predicted, weights), axis=1))
        variance = 1 - np.square(truth - predicted).sum() / np.square(truth).sum()
        rows.append([a, b, r, low, high, variance, truth.shape[1], len(both), len(np.unique(source.donors))])
    return pd.DataFrame(rows, columns=CROSS_PREDICTION)


def _pairs(blocks: Blocks) -> Iterator[tuple[str, str]]:
    return ((a, b) for a in blocks.names for b in blocks.names if a != b)
