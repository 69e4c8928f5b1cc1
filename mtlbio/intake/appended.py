"""What alignment, quantification and instruments append to the name of a sample in the names of their files."""

from __future__ import annotations

# Each as its authors spell it; whoever compares without capitals says so.
TOOLS = ("hisat2", "star", "STAR", "bwa", "salmon", "kallisto", "rsem", "RSEM", "htseq", "featureCounts")
ENDINGS = ("gz", "bam", "sam", "cram", "tab", "txt", "tsv", "csv", "sf", "raw", "mzML", "mzml", "d", "results", "out")
OF_TABLES = ("genes", "isoforms")


def any_of(*words: str) -> str:
    """A pattern of words, any of which fits."""
    return "|".join(words)
