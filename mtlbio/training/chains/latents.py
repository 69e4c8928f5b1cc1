"""``latents.h5ad`` of a protein run: h_t of residues of the held-out chains, on canonical axes."""

import json
from dataclasses import asdict
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import CovariateInfo
from mtlbio.files import replacing
from mtlbio.labels import Label
from mtlbio.model.matching import effective_rank
from mtlbio.model.residue_axes import REACH, stability, window_names
from mtlbio.model.residue_store import ProteinModel
from mtlbio.sequence.chains import HELD_OUT, WITHIN_CHAINS, Chains
from mtlbio.sequence.letters import decode
from mtlbio.sequence.scales import SCALES, of_residues
from mtlbio.sequence.split import FOLDS
from mtlbio.training.chains.apply import apply
from mtlbio.training.chains.batches import Reader

# What is always controlled for: where a residue stands (along the chain, and how far from its nearest end, which is
# coil and exposed more often than not), how long its chain is, and where its chain came from.
COVARIATES = (
    *(CovariateInfo(name, "confounder", "continuous") for name in WITHIN_CHAINS),
    CovariateInfo("length", "confounder", "continuous"),
    CovariateInfo("source", "technical", "categorical"),
)
AROUND = "_around"  # ending of the name of a property's mean over the neighbours
_LEAST_SOURCE = 5  # chains of a data set, or it is no level to compare


def write_latents(model: ProteinModel, reader: Reader, residues: int, device: str, path: Path) -> None:
    """Encode the held-out chains and write what the trial reads.

    Every chain gives at most ``residues`` residues, evenly spread. obs: one row per residue (``chain:number``) with
    ``donor`` (its chain), ``fold`` (0 test, 1 external), ``residue`` (its number, from 1), its letter, tasks,
    covariates and AAindex properties of the residue and its neighbours;
    X: the mean over the replicas; obsm ``replica_<r>``: each replica's; varm loadings on the letters around a residue.
    """
    chains = reader.chains
    places = chains.of(*HELD_OUT)
    chosen = {int(p): spread_out(int(chains.lengths[p]), residues) for p in places}
    replicas = []
    for network, axes in zip(model.networks, model.axes, strict=True):
        on_axes = {a.place: axes(a.latents[chosen[a.place]]) for a in apply(network, reader, {}, places, {}, device)}
        replicas.append(np.concatenate([on_axes[int(p)] for p in places]))
    z = np.stack(replicas)
    obs, tasks, covariates = describe(chains, places, chosen)
    reference, mean = model.axes[0], z.mean(axis=0)
    var = pd.DataFrame(
        {"block": "axis", "task": "", "stability": stability(z), "variance": reference.variance},
        index=pd.Index([f"z{d + 1:02d}" for d in range(z.shape[2])], name="dim"),
    )
    schema = {"tasks": [t.saved() for t in tasks], "covariates": [asdict(c) for c in covariates], "auxiliary": []}
    adata = ad.AnnData(
        X=mean.astype(np.float32),
        obs=obs,
        var=var,
        obsm={f"replica_{r}": values.astype(np.float32) for r, values in enumerate(z)},
        varm={"loadings": reference.loadings},
        uns={
            "kind": "protein",
            "genes": np.array(window_names()),
            "mtlbio": json.dumps(schema),
            "effective_rank": effective_rank(mean),
        },
    )
    with replacing(path) as temporary:
        adata.write_h5ad(temporary)


def spread_out(length: int, count: int) -> np.ndarray:
    """At most ``count`` places of a chain, evenly spread.

    Examples
    --------
    >>> spread_out(10, 4).tolist(), spread_out(3, 4).tolist()
    ([1, 3, 6, 8], [0, 1, 2])
    """
    if length <= count:
        return np.arange(length)
    return ((np.arange(count) + 0.5) * length / count).astype(int)


def describe(
    chains: Chains, places: np.ndarray, chosen: dict[int, np.ndarray]
) -> tuple[pd.DataFrame, list[Label], list[CovariateInfo]]:
    """Table of the chosen residues, and what its columns are for the trial."""
    parts, predicted = [], [task for task in chains.tasks.values() if not task.auxiliary]
    for place in places:
        inside = chosen[int(place)]
        about, length = chains.obs.iloc[place], int(chains.lengths[place])
        name = chains.names[place]
        index, rows = [f"{name}:{i + 1}" for i in inside], chains.offsets[place] + inside
        part = pd.DataFrame({"donor": name, "fold": FOLDS[about["part"]], "residue": inside + 1}, index=index)
        part["position"] = (inside + 0.5) / length
        part["end_distance"] = np.log2(1 + np.minimum(inside, length - 1 - inside))
        part["length"], part["source"] = float(length), about["source"]
        part["letter"] = list(decode(chains.letters[rows]))
        for scale in SCALES:
            along = of_residues(scale, chains.letters[chains.rows(place)])
            part[scale] = along[inside]
            part[f"{scale}{AROUND}"] = _mean_around(along)[inside]
        for task in predicted:
            part[task.name] = task.on_trial(*chains.labels_at(task.name, rows))
        parts.append(part)
    obs = pd.concat(parts)
    obs.index.name = "sample"
    obs = obs.drop(columns=[task.name for task in predicted if obs[task.name].isna().all()])
    tasks = [task.trial_label for task in predicted if task.name in obs]
    per_source = obs.drop_duplicates("donor")["source"].value_counts()
    several = (per_source >= _LEAST_SOURCE).sum() > 1
    covariates = [c for c in COVARIATES if several or c.name != "source"]
    return obs, tasks, covariates


def _mean_around(values: np.ndarray) -> np.ndarray:
    """(length,) mean over the residues up to ``REACH`` away, without the residue itself."""
    window = np.ones(2 * REACH + 1)
    window[REACH] = 0
    n = len(values)
    sums = np.convolve(np.pad(values, REACH), window, mode="valid")
    counts = np.convolve(np.pad(np.ones(n), REACH), window, mode="valid")
    return sums / np.maximum(counts, 1)
