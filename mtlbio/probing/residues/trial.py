"""What the trial of a protein run is about: residues of held-out chains, every chain compared with itself.

A chain's residues resemble each other, so nothing is tested with the residue as unit. A class (helix, strand, coil)
makes one unit per chain and class, as repeated visits do in a cohort. A number (accessibility) is cut at the fifths of
its values in each chain, which makes five units per chain; a cohort would average it over the donor, and what varies
along the chain would be lost. Position is tested on residues with the chain as cluster, length and data set on chains.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import anndata as ad
import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import parse_schema
from mtlbio.kinds.schemas.chains import ResidueProbe
from mtlbio.kinds.vocabulary import CHAINS
from mtlbio.probing.trial import Trial
from mtlbio.probing.units import Units, grouped
from mtlbio.sequence.chains import WITHIN_CHAINS

LEVELS = 5  # groups of a chain's residues by a number


@dataclass(frozen=True)
class ResidueTrial(Trial):
    """A trial whose numbers vary within donors; the samples of a donor are the residues of a chain."""

    visits: ClassVar[bool] = False

    @classmethod
    def of(cls, latents: ad.AnnData, options: ResidueProbe) -> ResidueTrial:
        """The trial of ``latents.h5ad``."""
        more = {"within": frozenset(WITHIN_CHAINS), "words": CHAINS}
        return cls.of_latents(latents, latents.obs, *parse_schema(latents.uns["mtlbio"]), options, **more)

    def units_of(self, task: str, mask: np.ndarray) -> Units:
        """Units of a label: chain x class, or chain x fifth of the chain's values."""
        info = self.tasks[task]
        if not info.averaged:
            return super().units_of(task, mask)
        return level_units(self.donors, info.y(self.obs[task]), mask)


def level_units(chains: np.ndarray, y: np.ndarray, mask: np.ndarray, levels: int = LEVELS) -> Units:
    """Residues of a chain grouped by the rank of a number: one unit per chain and group, compared within chains.

    ``chains``, ``y``, ``mask``: (residues,); chains with fewer than two labelled residues per level do not take part.
    """
    rows = np.flatnonzero(np.asarray(mask) & ~np.isnan(y))
    table = pd.DataFrame({"row": rows, "chain": np.asarray(chains)[rows].astype(str), "y": y[rows]})
    table = table[table.groupby("chain")["row"].transform("size") >= 2 * levels]
    chain = table.groupby("chain")
    level = ((chain["y"].rank(method="first") - 1) * levels // chain["row"].transform("size")).astype(int)
    return grouped(np.asarray(chains), table["row"].to_numpy(), level.to_numpy(), y, True, "donor x level")


def between_chains(z: np.ndarray, chains: np.ndarray) -> np.ndarray:
    """(D,) share of the variance of residues that lies between the means of chains."""
    table = pd.DataFrame(z)
    means = table.groupby(np.asarray(chains)).transform("mean").to_numpy()
    return means.var(axis=0) / np.maximum(z.var(axis=0), 1e-12)


def of_all_variance(association: pd.DataFrame, between: np.ndarray) -> pd.DataFrame:
    """The table with the shares of what belongs to whole chains as shares of the variance of residues.

    A data set that explains half of the means of chains explains a twentieth of a dimension of which a tenth lies
    between chains; without this a dimension of helices would be called by the length of its chains.
    """
    questions = ["confounder", "technical", "technical_all"]
    of_chain = (association["unit"] == "donor") & association["question"].isin(questions)
    factor = dict(zip(dict.fromkeys(association["dim"]), between, strict=True))
    scaled = association["share"] * association["dim"].map(factor)
    return association.assign(share=association["share"].where(~of_chain, scaled))
