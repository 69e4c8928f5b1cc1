"""``mtlbio impute``: blocks that samples lack filled in, for those who need a table without gaps.

An extra on request, no step of the workflow and nothing that a prediction or a verdict reads: it adds a folder
``impute/``.
"""

from pathlib import Path

import anndata as ad
import mudata
import numpy as np
import pandas as pd

from mtlbio.cohort.assays.blocks import blocks_of, plain
from mtlbio.cohort.cohort import Cohort, read_cohort
from mtlbio.cohort.split import read_splits
from mtlbio.evaluation.assays.imputed import Imputed, impute_blocks
from mtlbio.integrity.extras import check_own, writing
from mtlbio.integrity.step import checked
from mtlbio.kinds.schemas import BlocksRun
from mtlbio.progress import say
from mtlbio.tables import IMPUTED, write_table
from mtlbio.text import number


def impute(run: BlocksRun, results: Path) -> list[str]:
    """Write ``impute/features.tsv`` and ``impute/blocks.h5mu``; gives what they say in sentences.

    Raises
    ------
    InputError
        The folder is not prepared, or no sample lacks a block.
    """
    results = Path(results)
    records = checked(results, ("prepare",), run)
    check_own(results, "impute")
    cohort = read_cohort(results / "cohort.h5ad")
    splits = read_splits(results, cohort)
    say("Filling blocks from those that a sample has, and asking in every fold how far off that is")
    found = impute_blocks(cohort, splits, run.training.genes)
    with writing(results, "impute", records) as place:
        write_table(found.table, place / "features.tsv", IMPUTED)
        with mudata.set_options(pull_on_update=False):
            mudata_of(cohort, found.values).write_h5mu(place / "blocks.h5mu")
    return sentences(found)


def mudata_of(cohort: Cohort, values: np.ndarray) -> mudata.MuData:
    """A modality per block with every sample that has it or for whom it was filled in (``obs["measured"]``), and the
    cohort's description of all samples; ``values`` (n, p).

    A protein may be called what its transcript is called: features are named ``block:feature``, as in ``cohort.h5ad``.
    """
    blocks, obs = blocks_of(cohort), cohort.obs
    modalities = {}
    for place, name in enumerate(blocks.names):
        columns = blocks.columns([name])
        rows = ~np.isnan(values[:, columns[0]])
        about = pd.DataFrame({"measured": blocks.present[rows, place]}, index=obs.index[rows].astype(str))
        genes = [cohort.genes[at] for at in columns]
        features = pd.DataFrame({"feature": [plain(gene) for gene in genes]}, index=genes)
        modalities[name] = ad.AnnData(values[np.ix_(rows, columns)].astype(np.float32), obs=about, var=features)
    whole = mudata.MuData(modalities)
    described = obs.set_axis(obs.index.astype(str)).loc[whole.obs_names]
    whole.obs[described.columns] = described
    return whole


def sentences(found: Imputed) -> list[str]:
    """A line per block and what it was predicted from, and one for each gap that stays."""
    lines = []
    for (name, source), rows in found.table.groupby(["block", "from"], sort=False):
        worse = (rows["error"] >= rows["spread"]).mean()
        lines.append(
            f"{name} of {rows['n_filled'].iloc[0]} samples was filled from {source}: in {rows['n_donors'].iloc[0]} "
            f"donors who have both, held out, the median feature has r {number(rows['r'].median(), 2)} and is off by "
            f"{number((rows['error'] / rows['spread']).median(), 2)} of its standard deviation; the mean would do as "
            f"well for {worse:.0%} of features."
        )
    return [*lines, *(f"Left as it is: {line}." for line in found.left)]
