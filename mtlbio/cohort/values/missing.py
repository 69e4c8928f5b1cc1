"""Gaps in measurements: how many there are and where, and what a run does about them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from mtlbio.cohort.measurements import Measurements, OnDisk
from mtlbio.cohort.qc import QcList
from mtlbio.cohort.values.gene_columns import in_memory
from mtlbio.errors import InputError
from mtlbio.intake.notes import notice

MOST_GAPS = 0.2  # share of samples without a value; genes with more are dropped rather than filled


@dataclass(frozen=True)
class Gaps:
    """Missing values of samples x genes: their number, share and where they are.

    Attributes
    ----------
    number, values : missing values, and all values
    by_gene, by_sample : (genes,), (samples,) share that is missing
    worst, sample : the gene with most of them, and the first sample that lacks it
    """

    number: int
    values: int
    by_gene: np.ndarray
    by_sample: np.ndarray
    worst: str
    sample: str

    def __str__(self) -> str:
        genes, samples = int((self.by_gene > 0).sum()), int((self.by_sample > 0).sum())
        percent = 100 * self.number / self.values
        share = f"{percent:.2g}" if percent < 99.5 else "100"
        values = "1 missing value" if self.number == 1 else f"{self.number:,} missing values"
        return (
            f"{values} ({share} %) in {genes:,} of {len(self.by_gene):,} genes and "
            f"{samples:,} of {len(self.by_sample):,} samples (most in gene {self.worst!r}: {self.by_gene.max():.0%}, "
            f"such as sample {self.sample!r})"
        )


def gaps_in(data: Measurements) -> Gaps | None:
    """The gaps of measurements in memory; None where there are none, or where the matrix is sparse."""
    if not isinstance(data.matrix, np.ndarray) or not data.matrix.size:
        return None
    missing = np.isnan(data.matrix)
    number = int(missing.sum())
    if not number:
        return None
    by_gene = missing.mean(axis=0)
    worst = int(by_gene.argmax())
    sample = str(data.samples[int(missing[:, worst].argmax())])
    return Gaps(number, missing.size, by_gene, missing.mean(axis=1), str(data.genes[worst]), sample)


def proposal(gaps: Gaps) -> Literal["drop", "fill"]:
    """What a draft proposes: dropping where hardly a gene has gaps, filling otherwise."""
    return "drop" if (gaps.by_gene > 0).mean() <= 0.02 else "fill"


def without_gaps(data: Measurements, policy: Literal["stop", "drop", "fill"], qc: QcList) -> Measurements:
    """Measurements without missing values, as ``expression.missing`` says.

    Parameters
    ----------
    data : the samples of the run alone
    policy : ``stop``: an error; ``drop``: genes with any gap go; ``fill``: genes with more than 20 % gaps go, the
        others get the gene's median over the samples, whatever their labels
    qc : takes a row for every gene that goes

    Raises
    ------
    InputError
        ``stop`` and there are gaps; or no gene is left, or a sample without any value.
    """
    held = data.matrix
    if not isinstance(held, np.ndarray | OnDisk) and np.isnan(held.data).any():
        data = replace(data, matrix=data.dense())
    gaps = gaps_in(data)
    if gaps is None:
        return data
    empty = gaps.by_sample == 1
    if empty.all():
        raise InputError(f"{data.source}: every measurement is missing")
    if policy == "stop":
        left = int((gaps.by_gene > 0).sum())
        raise InputError(
            f"{data.source}: found {gaps}: impute them, or write expression.missing: drop ({left:,} gene(s) go) or "
            f"fill (genes with more than {MOST_GAPS:.0%} missing go, others get the gene's median)"
        )
    if empty.any():
        qc.add(data.samples[empty], "sample", "no values", "dropped: every value is missing")
        notice(data.source, f"{int(empty.sum())} samples without any value left out", doubt=True)
        data = data.keep(~empty)
        return without_gaps(data, policy, qc)
    most = 0.0 if policy == "drop" else MOST_GAPS
    out = gaps.by_gene > most
    if out.all():
        raise InputError(f"{data.source}: found {gaps}: no gene is left by expression.missing: {policy}")
    shares = [f"dropped: missing in {share:.0%} of the samples" for share in gaps.by_gene[out]]
    qc.add(data.genes[out], "gene", "missing values", shares)
    values = np.asarray(in_memory(data))[:, ~out]
    filled = np.isnan(values)
    if filled.any():
        columns = filled.any(axis=0)
        medians = np.nanmedian(values[:, columns], axis=0)
        # counts stay counts
        medians = np.round(medians) if (values[~filled] == np.round(values[~filled])).all() else medians
        values[:, columns] = np.where(filled[:, columns], medians, values[:, columns])
        text = f"{int(filled.sum()):,} values of {int(columns.sum()):,} genes filled with the gene's median"
    else:
        text = "none filled"
    notice(data.source, f"{gaps}; expression.missing: {policy}: {int(out.sum()):,} genes left out, {text}", doubt=True)
    return replace(data, genes=data.genes[~out], matrix=values)
