"""What the name of a file says of its values, where they leave a doubt: counts, or what was made of them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from mtlbio.cohort.values.scale_reading import Reading, estimated_counts, read_values
from mtlbio.cohort.values.value_profile import Profile

_COUNTS = re.compile(
    r"(raw|read|gene|est|estimated|expected|salmon|kallisto|rsem|htseq|feature|star)?(counts?|numreads)"
)
_SCALED = re.compile(r"[fr]pkms?|\w*tpms?|cpms?|tmm|vst|vsd|rlog|log\d*|ln|norm|normali[sz](ed|ation)|quantile|million")


def says_counts(source: str) -> bool:
    """Whether a file is called like counts, and not like what was made of them.

    Examples
    --------
    >>> says_counts("salmon.merged.gene_counts.tsv"), says_counts("readCounts.txt")
    (True, True)
    >>> says_counts("normalized_counts.csv"), says_counts("log2_counts.csv"), says_counts("expression.csv")
    (False, False, False)
    """
    parts = _words(source)
    return any(_COUNTS.fullmatch(part) for part in parts) and not any(_SCALED.fullmatch(part) for part in parts)


def says_scaled(source: str) -> str:
    """The word of a file's name that says that its values are no raw counts; empty where there is none.

    Examples
    --------
    >>> says_scaled("DESeq2_normalized_counts.csv"), says_scaled("gene_tpm.tsv"), says_scaled("counts.csv")
    ('normalized', 'tpm', '')
    """
    return next((part for part in _words(source) if _SCALED.fullmatch(part)), "")


def read_named(seen: Profile, source: str) -> Reading:
    """What values of this profile are most likely, in a file of this name."""
    found = read_values(seen)
    if says_counts(source):
        if found.kind in ("counts", "intensities"):
            return Reading("counts", "counts", f"{found.why.removesuffix(': intensities')}, counts by the file's name")
        if found.kind in ("estimated counts", "linear") and estimated_counts(seen, named=True):
            why = (
                f"from {seen.low:.3g} to {seen.high:.6g}, counts by the file's name: estimated (salmon, RSEM, tximport)"
            )
            also = "if they were normalised: scale: linear" if found.kind == "linear" else ""
            return Reading("estimated counts", "counts", f"{why}, which will be rounded", also)
    word = says_scaled(source)
    if word and found.kind == "estimated counts":
        why = f"from {seen.low:.3g} to {seen.high:.6g}, {word} by the file's name: linear"
        return Reading("linear", "linear", why, "if they are estimated counts of reads: scale: counts")
    if word and found.kind == "linear":
        return replace(found, otherwise="")
    return found


def _words(source: str) -> list[str]:
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", Path(source).name)
    return [part for part in re.split(r"[^a-z0-9]+", name.lower()) if part]
