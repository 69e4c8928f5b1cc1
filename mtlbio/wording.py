"""The same sentences for another kind of run: in a protein run a donor is a chain and a sample a residue."""

from __future__ import annotations

import re

# A donor is who is held out as a whole and whom every interval counts; a sample is what has a latent vector.
OF_CHAINS = {
    "donors": "chains",
    "donor": "chain",
    "Donors": "Chains",
    "Donor": "Chain",
    "samples": "residues",
    "sample": "residue",
    "Samples": "Residues",
    "cohort": "set of chains",
    "cohorts": "sets of chains",
    "genes": "letters around the residue",
    "processing": "the data set",
}
_WORD = re.compile(r"\b(" + "|".join(sorted(OF_CHAINS, key=len, reverse=True)) + r")\b")


def of_chains(sentence: str) -> str:
    """A sentence about donors and samples as one about chains and residues.

    Examples
    --------
    >>> of_chains("about 80 donors would settle it; 2 samples each")
    'about 80 chains would settle it; 2 residues each'
    """
    return _WORD.sub(lambda found: OF_CHAINS[found[0]], sentence)
