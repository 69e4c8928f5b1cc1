"""Blocks that samples lack, filled from the blocks that they have, with what such a filling was off by."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mtlbio.cohort.assays.blocks import blocks_of, of_blocks, plain, said
from mtlbio.cohort.cohort import Cohort
from mtlbio.errors import InputError
from mtlbio.evaluation.assays.from_blocks import LEAST, FromBlocks, block_and_source, correlations, held_out
from mtlbio.tables import IMPUTED


@dataclass(frozen=True)
class Imputed:
    """``values`` (n, p) of a cohort with its gaps filled, and a row of ``table`` (``mtlbio.tables.IMPUTED``) per block,
    set of blocks that it was predicted from, and feature; ``left`` says in a line each what could not be filled."""

    values: np.ndarray
    table: pd.DataFrame
    left: list[str]


def impute_blocks(cohort: Cohort, splits: pd.DataFrame, n_genes: int) -> Imputed:
    """Fill every block from all blocks that a sample has, by ridge regression on the samples that have both.

    ``r`` and ``error`` (root mean square, in the units of the feature) are of samples whose fold held them out; every
    sample counts once. ``spread`` is the standard deviation of the feature in the same samples: an error as large as it
    says that the mean would have done. What is filled in comes from a regression on all of them, and varies less than
    what is measured does.

    Parameters
    ----------
    splits : in the order of the cohort's samples
    n_genes : at most so many features of each block are predicted from

    Raises
    ------
    InputError
        No sample lacks a block.
    """
    blocks, values = blocks_of(cohort), cohort.expression.astype(float)
    if blocks.present.all():
        raise InputError("cohort.h5ad: every sample has every block; found no gap to fill")
    parts, left = [], list[str]()
    for name in blocks.names:
        columns = blocks.columns([name])
        for pattern in [own for own in blocks.each if name not in own]:
            both, source = block_and_source(cohort, blocks, name, pattern)
            lacking = np.flatnonzero(blocks.rows(pattern))
            if len(both) < LEAST:
                left.append(
                    f"{name} of {len(lacking)} samples: {len(both)} have {said((*pattern, name))}, too few to fill it "
                    f"from {said(pattern)} ({LEAST})"
                )
                continue
            known = values[np.ix_(both, columns)]
            found = held_out(source, known, splits.iloc[both].reset_index(drop=True), n_genes)
            off = (found.truth - found.predicted) * found.spread
            about = {"block": name, "from": said(pattern), "feature": [plain(cohort.genes[at]) for at in columns]}
            about["r"] = correlations(found.truth, found.predicted, np.ones((1, len(both))))[0]
            about |= {"error": np.sqrt(np.square(off).mean(axis=0)), "spread": known.std(axis=0)}
            counts = {"n_samples": len(both), "n_donors": len(np.unique(source.donors)), "n_filled": len(lacking)}
            parts.append(pd.DataFrame(about | counts)[IMPUTED])
            model = FromBlocks.of(source, known, np.arange(len(both)), n_genes)
            values[np.ix_(lacking, columns)] = model.predict(of_blocks(cohort, pattern, lacking).expression)
    return Imputed(values, pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=IMPUTED), left)
