"""Quality control: what is dropped before anything is learnt, and the list of it (``qc.tsv``).

Nothing here is fitted to the cohort's labels, and each sample is normalised by itself, so that held-out donors
teach nothing to the training donors.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from mtlbio.config import Qc
from mtlbio.errors import InputError
from mtlbio.tables import QC

# more cells than this are told as one line with their number
_LISTED_CELLS = 100


@dataclass
class QcList:
    """Rows of ``qc.tsv`` as they come up: item, kind (sample, gene, donor, cell or note), reason, detail."""

    rows: list[tuple[str, str, str, str]] = field(default_factory=list)

    def add(self, items: Iterable[str], kind: str, reason: str, detail: str | Iterable[str] = "") -> None:
        """One row per item; ``detail`` is shared or one per item."""
        items = [str(i) for i in items]
        details = [detail] * len(items) if isinstance(detail, str) else list(detail)
        if kind == "cell" and len(items) > _LISTED_CELLS:
            items, details = [f"{len(items)} cells"], details[:1]
        self.rows += [(i, kind, reason, d) for i, d in zip(items, details, strict=True)]

    def table(self) -> pd.DataFrame:
        """The rows as a table with the columns of ``qc.tsv``."""
        return pd.DataFrame(self.rows, columns=QC, dtype=str)


def quality_control(
    values: np.ndarray, samples: np.ndarray, genes: np.ndarray, scale: str, options: Qc, qc: QcList, source: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float | None]:
    """Drop what cannot be learnt from and bring the measurements to a log-like scale.

    Parameters
    ----------
    values : (samples, genes) on the run's ``scale``.
    scale : ``counts``: samples and genes are filtered by detection, then scanpy's ``normalize_total`` and ``log1p``.
        The total is the power of ten below the median library size (at most a million), a round number rather than a
        quantity fitted to the cohort. ``linear``: log2(x + 1). ``beta``: M values, log2((b + .001) / (1 - b + .001));
        ``percent``: those of x / 100.
        Others: as they are.
    qc : takes a row for everything dropped

    Returns
    -------
    values : float32 (samples kept, genes kept)
    sample_mask, gene_mask : what was kept
    size : library size that counts were brought to, None for other scales

    Raises
    ------
    InputError
        No sample or no gene is left.
    """
    enough, detected = np.ones(len(samples), dtype=bool), np.ones(len(genes), dtype=bool)
    if scale == "counts":
        enough, detected = _detected(values, samples, genes, options, qc, source)
    values = values[enough]
    varies = values.max(axis=0) > values.min(axis=0)
    qc.add(genes[detected & ~varies], "gene", "constant", "dropped: the same value in every sample")
    gene_mask = detected & varies
    if not gene_mask.any():
        raise InputError(f"{source}: qc.min_samples: no gene is detected in {options.min_samples} samples and varies")
    values = values[:, gene_mask]
    size = library_size(values) if scale == "counts" else None
    return to_log_scale(values, scale, size).astype(np.float32), enough, gene_mask, size


def _detected(
    counts: np.ndarray, samples: np.ndarray, genes: np.ndarray, options: Qc, qc: QcList, source: str
) -> tuple[np.ndarray, np.ndarray]:
    """(samples,) with enough genes, and (genes,) detected in enough of those samples."""
    genes_per_sample = (counts > 0).sum(axis=1)
    enough = genes_per_sample >= max(options.min_genes, 1)
    empty = genes_per_sample == 0
    qc.add(samples[empty], "sample", "no counts", "dropped: every count is 0")
    details = [f"{n} of {options.min_genes} genes" for n in genes_per_sample[~enough & ~empty]]
    qc.add(samples[~enough & ~empty], "sample", "few genes", details)
    if not enough.any():
        raise InputError(
            f"{source}: qc.min_genes: no sample has {options.min_genes} genes detected "
            f"(the best has {genes_per_sample.max()})"
        )
    samples_per_gene = (counts[enough] > 0).sum(axis=0)
    detected = samples_per_gene >= options.min_samples
    details = [f"{n} of {options.min_samples} samples" for n in samples_per_gene[~detected]]
    qc.add(genes[~detected], "gene", "few samples", details)
    return enough, detected


def library_size(counts: np.ndarray) -> float:
    """The power of ten at or below the median library size of counts (samples, genes), at most a million."""
    # a sample can lose its last count with the filtered genes; it then stays all zero
    total = counts.sum(axis=1)
    return float(min(10.0 ** np.floor(np.log10(np.median(total[total > 0]))), 1e6))


def to_log_scale(values: np.ndarray, scale: str, size: float | None) -> np.ndarray:
    """Measurements (samples, genes) on a log-like scale; ``size`` is the library size that counts are brought to."""
    if scale == "counts":
        import anndata as ad
        import scanpy as sc

        adata = ad.AnnData(values.astype(np.float64))
        sc.pp.normalize_total(adata, target_sum=size)
        sc.pp.log1p(adata)
        return adata.X
    if scale == "linear":
        return np.log2(values + 1)
    if scale in ("beta", "percent"):
        values = values if scale == "beta" else values / 100
        return np.log2((values + 0.001) / (1 - values + 0.001))
    return values
