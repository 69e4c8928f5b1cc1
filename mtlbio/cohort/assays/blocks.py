"""Which features are of which block, and which samples have it.

``cohort.h5ad`` holds the features of all blocks side by side, named ``block:feature``; a sample that lacks a block has
a gap in each of its features.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort

SEPARATOR = ":"  # which no name of a block has
Pattern = tuple[str, ...]  # names of blocks, in the order of the YAML


@dataclass(frozen=True)
class Blocks:
    """Blocks of a cohort of n samples and p features.

    Attributes
    ----------
    names : of the blocks, in the order of the YAML
    of_feature : (p,) place of a feature's block among the names
    present : (n, blocks) bool, whether a sample has a block
    """

    names: tuple[str, ...]
    of_feature: np.ndarray
    present: np.ndarray

    def columns(self, blocks: Iterable[str]) -> np.ndarray:
        """Places of the features of some blocks, ascending."""
        return np.flatnonzero(np.isin(self.of_feature, [self.names.index(name) for name in blocks]))

    def have(self, blocks: Iterable[str]) -> np.ndarray:
        """(n,) whether a sample has all of these."""
        return np.asarray(self.present[:, [self.names.index(name) for name in blocks]].all(axis=1))

    @cached_property
    def patterns(self) -> list[Pattern]:
        """(n,) what each sample has."""
        return [tuple(name for name, has in zip(self.names, row, strict=True) if has) for row in self.present]

    @cached_property
    def each(self) -> list[Pattern]:
        """The patterns that occur, those of most blocks first."""
        places = {pattern: [self.names.index(name) for name in pattern] for pattern in set(self.patterns)}
        return sorted(places, key=lambda pattern: (-len(pattern), places[pattern]))

    def rows(self, pattern: Pattern) -> np.ndarray:
        """Samples that have these blocks and no others."""
        return np.array([own == pattern for own in self.patterns])


def blocks_of(cohort: Cohort) -> Blocks:
    """The blocks of a prepared cohort."""
    names = tuple(cohort.preprocessing["blocks"])
    of_feature = np.array([names.index(gene.partition(SEPARATOR)[0]) for gene in cohort.genes])
    first = [int(np.flatnonzero(of_feature == place)[0]) for place in range(len(names))]
    return Blocks(names, of_feature, ~np.isnan(cohort.expression[:, first]))


def of_blocks(cohort: Cohort, names: Iterable[str], rows: np.ndarray) -> Cohort:
    """The samples ``rows`` of a cohort with the features of some of its blocks, which all of them have."""
    names = tuple(names)
    columns = blocks_of(cohort).columns(names)
    kept = {name: about for name, about in cohort.preprocessing["blocks"].items() if name in names}
    return replace(
        cohort,
        expression=cohort.expression[np.ix_(np.arange(len(cohort.obs))[rows], columns)],
        genes=tuple(cohort.genes[place] for place in columns),
        obs=cohort.obs.iloc[np.arange(len(cohort.obs))[rows]],
        preprocessing=cohort.preprocessing | {"blocks": kept},
    )


def plain(feature: str) -> str:
    """The name of a feature without its block.

    Examples
    --------
    >>> plain("proteins:IL6")
    'IL6'
    """
    return feature.partition(SEPARATOR)[2]


def said(pattern: Iterable[str]) -> str:
    """Blocks in one word.

    Examples
    --------
    >>> said(("rna", "proteins"))
    'rna+proteins'
    """
    return "+".join(pattern)


def block_of_axes(table: pd.DataFrame) -> dict[str, str]:
    """Axis -> the blocks that it is in, in one word; of ``variance_by_block.tsv``.

    Examples
    --------
    >>> table = pd.DataFrame({"dim": ["z01", "z01"], "block": ["rna", "proteins"], "in_block": ["yes", "yes"]})
    >>> block_of_axes(table)
    {'z01': 'rna+proteins'}
    """
    inside = table[table["in_block"] == "yes"]
    return {str(dim): said(rows["block"]) for dim, rows in inside.groupby("dim", sort=False)}
