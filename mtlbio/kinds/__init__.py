"""Kinds of runs: a cohort, a table of features, proteins, latents, several assays, and what :func:`register` adds.

The only room that asks of which kind a run is. Everybody else asks the kind for what differs
(:class:`mtlbio.kinds.base.Kind`). :func:`mtlbio.kinds.read.read_run` reads a run's YAML.
"""

from mtlbio.kinds.base import KINDS, STEPS, Kind, kind_named, kind_of, register
from mtlbio.kinds.blocks import BLOCKS
from mtlbio.kinds.cohort import COHORT
from mtlbio.kinds.latents import LATENTS
from mtlbio.kinds.protein import PROTEIN
from mtlbio.kinds.table import TABLE

__all__ = [
    "BLOCKS",
    "COHORT",
    "KINDS",
    "LATENTS",
    "PROTEIN",
    "STEPS",
    "TABLE",
    "Kind",
    "kind_named",
    "kind_of",
    "register",
]

for _kind in (COHORT, PROTEIN, TABLE, LATENTS, BLOCKS):
    register(_kind)
