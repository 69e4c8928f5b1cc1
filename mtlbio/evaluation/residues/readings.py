"""Can the data set of a chain be read from h_t? The same fresh classifiers as for a batch, on the means of chains."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import anndata as ad
import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import parse_schema
from mtlbio.evaluation.reprobe import reprobe
from mtlbio.kinds.vocabulary import CHAINS
from mtlbio.labels import of_covariate
from mtlbio.sequence.chains import WITHIN_CHAINS
from mtlbio.tables import REPROBE

# a row is a chain here, not a residue
WHOLE_CHAINS = replace(CHAINS, sample=CHAINS.unit, samples=CHAINS.units)


def read_sources(latents: ad.AnnData, draws: int, seed: int) -> pd.DataFrame:
    """``reprobe.tsv`` of a protein run; a header only where the held-out chains come from one data set."""
    whole = by_chain(latents)
    if not any(c.role == "technical" for c in parse_schema(latents.uns["mtlbio"])[1].values()):
        return pd.DataFrame(columns=REPROBE)
    return reprobe(whole, draws, seed, words=WHOLE_CHAINS)


def by_chain(latents: ad.AnnData) -> ad.AnnData:
    """A row per chain: mean latents, and the labels as numbers of the chain (share of a state, mean accessibility)."""
    tasks, covariates = parse_schema(latents.uns["mtlbio"])
    obs, chain = latents.obs, latents.obs["donor"].astype(str).to_numpy()
    table, infos = obs[[]].copy(), []
    for task in tasks.values():
        y = task.y(obs[task.name])
        shares = task.indicators(y) or [y]
        for k, values in enumerate(shares):
            name = task.name if len(shares) == 1 else f"{task.name}_{task.classes[k]}"
            table[name] = np.where(np.isnan(y), np.nan, values)
            infos.append(of_covariate(name, ()))
    means = table.groupby(chain).mean()
    whole = obs.assign(chain=chain).drop_duplicates("chain").set_index("chain").loc[means.index]
    means = means.assign(donor=means.index, fold=whole["fold"].to_numpy())
    for info in covariates.values():
        if info.name not in WITHIN_CHAINS:
            means[info.name] = whole[info.name].astype(str if info.kind == "categorical" else float).to_numpy()
    kept = [asdict(c) for c in covariates.values() if c.name not in WITHIN_CHAINS]
    schema = {"tasks": [t.saved() for t in infos], "covariates": kept, "auxiliary": []}
    x = pd.DataFrame(np.asarray(latents.X)).groupby(chain).mean().loc[means.index].to_numpy(dtype=np.float32)
    return ad.AnnData(X=x, obs=means, var=latents.var.copy(), uns={"mtlbio": json.dumps(schema)})
