"""What values of measurements look like: one reading, what speaks for it, and what else it may be."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from mtlbio.cohort.values.other_kind import LARGEST_LOG
from mtlbio.cohort.values.value_profile import Profile

_CPG = re.compile(r"(cg|ch\.?\d|rs)\d{5,}\S*")
INTENSITIES = 20_000  # median above which whole numbers are no reads
_BACKGROUND = 10  # least value above which all is the background of an instrument
_MANY_READS = 10_000  # of a sample: fewer are no library


@dataclass(frozen=True)
class Reading:
    """What the values look like.

    Attributes
    ----------
    kind : counts, estimated counts, linear, intensities, beta, percent, log2, log, z, binary, genotypes, copy number,
        counts with negatives, negative intensities
    scale : that of a run which fits, None where none does
    why : what the values are, in words
    otherwise : what else they may be and what to write then; empty where there is no doubt
    """

    kind: str
    scale: str | None
    why: str
    otherwise: str = ""


def read_values(seen: Profile) -> Reading:
    """What values of this profile are most likely."""
    span = f"from {seen.low:.3g} to {seen.high:.6g}"
    if not len(seen.values):
        return Reading("z", "z", "all missing")
    sites = sum(_CPG.fullmatch(str(name)) is not None for name in seen.genes[:500]) > 0.5 * min(len(seen.genes), 500)
    far = (seen.values > LARGEST_LOG).mean() >= 0.1 and not seen.whole
    if seen.low >= 0 and LARGEST_LOG < seen.high <= 100 and (sites or far):
        return Reading("percent", "percent", f"{span}, as methylation in percent is")
    if seen.whole:
        return _whole_numbers(seen, span)
    if seen.low < 0:
        return _both_signs(seen, span, sites)
    if seen.high <= 1:
        return _up_to_one(seen)
    if seen.high > LARGEST_LOG:
        return _large(seen, span)
    if _heavy_tail(seen):
        typical, most = np.quantile(seen.positive, (0.5, 0.99))
        why = f"{span} with half of the values below {typical:.2g} and 99 % below {most:.2g}: linear (TPM, FPKM, CPM)"
        return Reading("linear", "linear", why, "if they are logarithms already: scale: log2")
    return _logarithms(seen, span)


def _whole_numbers(seen: Profile, span: str) -> Reading:
    negative, high = int(seen.negative.sum()), seen.high
    if seen.low < 0:
        if high <= 10 and seen.low >= -10:
            return Reading("copy number", "z", f"whole numbers {span}, as calls of copy number are; used as they are")
        why = f"whole numbers {span}, counts but for {negative} negative ones"
        return Reading(
            "counts with negatives", None, why, "correct them (a code for missing values?); scale: counts then"
        )
    if high <= 1:
        why = "only 0 and 1" if high > 0 else "only 0"
        return Reading(
            "binary", "z", f"{why} (mutations, presence): used as they are", "if they are counts: scale: counts"
        )
    if high <= 2 and seen.highest.mean() > 1.2:
        return Reading(
            "genotypes", "z", "only 0, 1 and 2, as genotypes are: used as they are", "if counts: scale: counts"
        )
    if np.median(seen.positive) > INTENSITIES:
        why = f"whole numbers {span}, half above {np.median(seen.positive):,.0f}: intensities"
        return Reading("intensities", "linear", why, "if they are counts of reads: scale: counts")
    if seen.total_spread < 0.005 and len(seen.totals) > 3:
        why = f"whole numbers of which every sample has {np.median(seen.totals):,.0f}"
        return Reading("counts", "counts", why, "if they are rounded TPM or CPM: scale: linear")
    background = seen.low > 0 and (len(seen.values) > 10_000 or seen.low >= _BACKGROUND)
    if background and seen.quantile(0.01) > 0.02 * seen.quantile(0.5):
        return Reading(
            "counts", "counts", f"whole numbers {span}", "if they are raw intensities of an array: scale: linear"
        )
    return Reading("counts", "counts", "whole numbers from 0")


def _both_signs(seen: Profile, span: str, sites: bool) -> Reading:
    if max(-seen.low, seen.high) > LARGEST_LOG:
        why = f"values {span} of both signs, no logarithms and no counts"
        return Reading(
            "negative intensities",
            None,
            why,
            "intensities after background correction? take log2 first (vsn, normexp); residuals? standardise them",
        )
    if sites:
        return Reading("z", "z", f"{span} of methylation sites: M values, used as they are")
    if abs(seen.quantile(0.5)) < 1:
        return Reading("z", "z", "around 0 with both signs: z-scores, log ratios or M values, used as they are")
    scale = "log2" if seen.high > 10 else "log"
    return Reading(scale, scale, span)


def _up_to_one(seen: Profile) -> Reading:
    why = "between 0 and 1, as methylation is"
    if seen.total_spread < 0.005 and abs(np.median(seen.totals) - 1) < 0.01:
        return Reading(
            "beta", "beta", why, "every sample sums to 1: if they are proportions of taxa or cells, check this"
        )
    return Reading("beta", "beta", why)


def _large(seen: Profile, span: str) -> Reading:
    total = float(np.median(seen.totals))
    if seen.total_spread < 0.01 and len(seen.totals) > 3 and not seen.near_whole > 0.5:
        why = f"{span}, every sample sums to {total:,.0f}: linear (TPM, CPM or normalised intensities)"
        return Reading("linear", "linear", why)
    if estimated_counts(seen):
        if seen.near_whole > 0.1:
            why = f"{span}, {seen.near_whole:.0%} of them nearly whole: estimated counts (salmon, RSEM)"
            return Reading("estimated counts", "counts", why, "they will be rounded; if they are TPM: scale: linear")
        why = f"{span}, samples sum to {total:,.0f}: estimated counts (salmon, tximport), which will be rounded"
        return Reading("estimated counts", "counts", why, "if they are TPM, FPKM or intensities: scale: linear")
    rates = seen.high < 1e7 and (seen.low == 0 or (seen.positive < 1).mean() > 0.02)
    kind = "TPM, FPKM or CPM" if rates else "intensities"
    more = "if they are estimated counts of reads: round them, scale: counts"
    return Reading("linear", "linear", f"{span}, not whole: linear ({kind}), log2(x + 1) is taken", more)


def estimated_counts(seen: Profile, named: bool = False) -> bool:
    """Whether values that are not whole may be counts that were estimated: large sums that differ, few below one; of
    what is ``named`` counts, whatever is no TPM."""
    if seen.low < 0 or seen.whole or seen.high <= LARGEST_LOG or np.median(seen.totals) < _MANY_READS:
        return False
    if np.median(seen.positive) > INTENSITIES or seen.low > _BACKGROUND:
        return False
    if named and seen.total_spread > 0.01:
        return True
    if seen.near_whole > 0.1 and (seen.positive < 1).mean() < 0.5:
        return True
    spread_wide = seen.quantile(0.01) < 0.1 * seen.quantile(0.5)
    reads = 500 < seen.high < 1e7 and np.median(seen.totals) > 10 * _MANY_READS
    return bool(reads and spread_wide and (seen.positive < 1).mean() < 0.25 and seen.total_spread > 0.08)


def _heavy_tail(seen: Profile) -> bool:
    """Whether large values tower above all others and spread in proportion, as before a logarithm is taken."""
    typical, most = np.quantile(seen.positive, (0.5, 0.99))
    if most < 3 * typical:
        return False
    if seen.rise > 0.6 and seen.high > 8 * typical:
        return True
    return seen.high > 4 * most and int((seen.highest > 2 * most).sum()) > max(3, 0.005 * len(seen.genes))


def _logarithms(seen: Profile, span: str) -> Reading:
    at_most = (seen.values >= seen.high).mean()
    if 33 <= seen.high <= 46 and seen.low >= 5 and at_most > 0.01:
        why = f"{span}, {at_most:.0%} of them {seen.high:g}: Ct values of qPCR, used as they are (a high one is little)"
        return Reading(
            "log2", "log2", why, f"{seen.high:g} stands for not detected; if they are no Ct values: check this"
        )
    if seen.high > 10:
        also = ", or Ct values of qPCR, of which a high one is little" if seen.low >= 10 and seen.high >= 30 else ""
        return Reading("log2", "log2", span + also)
    return Reading("log", "log", f"{span}; log2 would be treated the same")
