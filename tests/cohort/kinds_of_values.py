"""Measurements of every kind that a table may hold, with the scale that they are on."""

from __future__ import annotations

import numpy as np

from mtlbio.cohort.measurements import Measurements

SAMPLES, GENES = 40, 200


def logs(seed: int = 0) -> np.ndarray:
    """log2 values of a bulk cohort: genes between 4 and 12."""
    rng = np.random.default_rng(seed)
    return rng.uniform(4, 12, GENES) + rng.normal(0, 0.6, (SAMPLES, GENES)) + rng.normal(0, 0.2, (SAMPLES, 1))


def counts(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).poisson(2.0 ** (logs(seed) - 2)).astype(float)


def tpm(of: np.ndarray | None = None) -> np.ndarray:
    reads = counts() + 0.1 if of is None else of
    return reads / reads.sum(axis=1, keepdims=True) * 1e6


def methylation(seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    sites = np.where(rng.random(GENES) < 0.5, 0.12, 0.8)
    return np.clip(sites + rng.normal(0, 0.05, (SAMPLES, GENES)), 0.003, 0.997)


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def measured(values: np.ndarray, genes: list[str] | None = None) -> Measurements:
    genes = [f"GENE{i}" for i in range(values.shape[1])] if genes is None else genes
    samples = np.array([f"S{i}" for i in range(len(values))])
    return Measurements(samples, np.array(genes), np.asarray(values, dtype=np.float32), "table.csv")


CPGS = [f"cg{i:08d}" for i in range(GENES)]
# what it is -> values, names, scale, a word of the reason, a word of the doubt (none where there is no doubt)
KINDS = {
    "log2": (logs(), None, "log2", "from ", None),
    "log2(TPM + 1) of all genes": (np.log2(tpm(rng().gamma(0.05, 50, (SAMPLES, GENES))) + 1), None, "log2", "", None),
    "log1p of few": (np.log1p(counts() / 100), None, "log", "", None),
    "counts": (counts(), None, "counts", "whole numbers from 0", None),
    "counts of 10 and more": (counts() + 50, None, "counts", "", "linear"),
    "salmon": (counts() * 20 * 1.0173, None, "counts", "estimated counts", "linear"),
    "RSEM": (counts() * 9 + 0.37 * (rng().random((SAMPLES, GENES)) < 0.5), None, "counts", "nearly", "linear"),
    "TPM": (tpm(), None, "linear", "sums to 1,000,000", None),
    "FPKM below 50": (2 ** (logs() - 8), None, "linear", "FPKM", "log2"),
    "CPM of some genes": (tpm()[:, : GENES // 2], None, "linear", "linear", "counts"),
    "array intensities": (2 ** (logs() * 0.5 + 5) + 0.5, None, "linear", "intensities", "counts"),
    "intensities of mass spectrometry": (np.round(2.0 ** (logs() + 16)), None, "linear", "intensities", "counts"),
    "beta": (methylation(), CPGS, "beta", "methylation", None),
    "percent": (methylation() * 100, CPGS, "percent", "percent", None),
    "whole percent": (np.round(methylation() * 100), CPGS, "percent", "percent", None),
    "percent of other names": (methylation() * 100, None, "percent", "percent", None),
    "proportions": (tpm() / 1e6, None, "beta", "between 0 and 1", "sums to 1"),
    "M values": (np.log2(methylation() / (1 - methylation())), CPGS, "z", "M values", None),
    "z-scores": (rng().normal(0, 1, (SAMPLES, GENES)), None, "z", "both signs", None),
    "mutations": ((rng().random((SAMPLES, GENES)) < 0.1) * 1.0, None, "z", "only 0 and 1", "counts"),
    "genotypes": (rng().binomial(2, 0.3, (SAMPLES, GENES)) * 1.0, None, "z", "genotypes", "counts"),
    "copy numbers": (rng().integers(-2, 3, (SAMPLES, GENES)) * 1.0, None, "z", "copy number", None),
    "Ct": (np.minimum(rng().normal(30, 6, (SAMPLES, GENES)).clip(12), 40), None, "log2", "Ct", "not detected"),
    "LFQ": (rng().uniform(20, 34, GENES) + rng().normal(0, 0.5, (SAMPLES, GENES)), None, "log2", "Ct", None),
}  # fmt: skip
