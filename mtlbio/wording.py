"""The same sentences for another kind of run: in a protein run a donor is a chain and a sample a residue.

A donor is who is held out as a whole and whom every interval counts; a sample is what has a latent vector.
"""

from __future__ import annotations

import re

# whole words and phrases; the longest that fits is taken
OF_CHAINS = {
    "not found again when donors were held out": "not found again by another replica",
    "find the dimension again when donors are held out": "find the dimension again in another replica",
    "when donors are held out": "in another replica",
    "Samples, donors and cells": "Chains",
    "donors": "chains",
    "donor": "chain",
    "Donors": "Chains",
    "Donor": "Chain",
    "samples": "residues",
    "sample": "residue",
    "Samples": "Residues",
    "the axes, which are found without labels,": "h_t",
    "this cohort": "this set of chains",
    "In this cohort": "In this set of chains",
    "Every processing": "Every data set",
    "processing": "data set",
    "the samples were processed": "the chains were chosen and solved",
    "the batch": "the data set",
    "batch": "data set",
    "Gene sets": "Properties of residues",
    "Gene set": "Property",
    "gene sets": "properties",
    "gene set": "property",
    "Top genes": "Letters at and around the residue",
    "genes": "letters",
    "gene": "letter",
    "age, sex or data set": "position, distance from an end, length or data set",
    "age, sex or batch": "position, distance from an end, length or data set",
    "the disease (or another label)": "a label",
    "over folds and seeds": "over replicas",
    "folds and seeds": "replicas",
}
_WORD = re.compile(r"\b(?:" + "|".join(map(re.escape, sorted(OF_CHAINS, key=len, reverse=True))) + r")(?!\w)")
_CODE = re.compile(r"(\{\{.*?\}\}|\{%.*?%\}|<[^>]*>)", re.S)


def of_chains(sentence: str) -> str:
    """A sentence about donors and samples as one about chains and residues.

    Examples
    --------
    >>> of_chains("about 80 donors would settle it; 2 samples each")
    'about 80 chains would settle it; 2 residues each'
    """
    return _WORD.sub(lambda found: OF_CHAINS[found[0]], sentence)


def template_of_chains(template: str) -> str:
    """The same for the fixed text of a page's template; tags, expressions and statements are left alone."""
    parts = _CODE.split(template)
    return "".join(part if i % 2 else of_chains(part) for i, part in enumerate(parts))
