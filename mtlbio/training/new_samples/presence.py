"""Which genes of new samples were measured: a constant is a filled gap, unless training samples had it as often."""

from __future__ import annotations

import numpy as np

from mtlbio.errors import listing
from mtlbio.training.new_samples.checks import FINE, LOOK, Checks
from mtlbio.training.new_samples.reference import Reference

# So few samples may agree in a gene by chance.
_SEVERAL = 3
# Constant by chance, as far as training samples tell (a gene that is not expressed is 0 in most of them).
_PLAUSIBLE = 0.001
# So small a share of the genes may be at their least value all the same: a cell type, a sex that training had less of.
_FEW = 0.01
# A sample has so many more equal values than any training sample, as a share of its genes.
_MORE_TIED = 0.25


def without_constants(values: np.ndarray, genes: np.ndarray, samples: np.ndarray, reference: Reference, checks: Checks):
    """(n, p) of the model's genes with NaN also where a value says nothing; says how many there are.

    A gene that is the same in all of several samples, and a value that most genes of a sample share, are no
    measurements; the least value of a gene is one where training samples had it often enough.
    """
    values = np.array(values, dtype=float)
    measured = ~np.isnan(values).all(axis=0)
    constant = np.zeros(values.shape[1], dtype=bool)
    floor = reference.lowest.astype(float)
    if len(values) >= _SEVERAL:
        low, high = (f(np.where(np.isnan(values), g, values), axis=0) for f, g in ((np.min, np.inf), (np.max, -np.inf)))
        constant = measured & (low == high)
        at_floor = low <= floor + 1e-5
        unlikely = constant & at_floor & (reference.at_lowest ** len(values) <= _PLAUSIBLE)
        constant &= ~at_floor | (unlikely if unlikely.sum() > _FEW * measured.sum() else False)
    if constant.any():
        values[:, constant] = np.nan
        checks.look(
            f"{constant.sum()} of the {measured.sum()} genes are the same in all {len(values)} samples and count as "
            f"missing: {listing(genes[constant], 5)}"
        )
    call = LOOK if constant.any() else FINE
    checks.add("genes_constant", "all samples", float(constant.sum()), call=call, why="count as missing")
    _tied(values, samples, reference, checks)
    return values


def _tied(values: np.ndarray, samples: np.ndarray, reference: Reference, checks: Checks) -> None:
    """Take away the value that too many genes of a sample share; in place."""
    most, named = float(reference.held_out.tied.max()) + _MORE_TIED, []
    for i, row in enumerate(values):
        there = row[~np.isnan(row)]
        if not len(there):
            continue
        distinct, counts = np.unique(there, return_counts=True)
        value, share = distinct[counts.argmax()], counts.max() / len(there)
        if share > most:
            real = np.isclose(reference.lowest, value, atol=1e-5) & (reference.at_lowest > 0.5)
            gone = (row == value) & ~real
            values[i, gone] = np.nan
            if gone.any():
                named.append(f"{samples[i]} ({gone.sum()} genes)")
    if named:
        checks.look(
            f"{len(named)} samples have one value in more of their genes than training samples do (at most "
            f"{most - _MORE_TIED:.0%}), which counts as missing: {listing(named, 3)}"
        )
