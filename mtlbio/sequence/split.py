"""Which chains are held out: whole clusters of homologous chains, and never a sequence on both sides."""

from dataclasses import replace

import numpy as np
import pandas as pd

from mtlbio.cohort.qc import QcList
from mtlbio.errors import InputError, listing
from mtlbio.kinds.schemas.chains import ChainSplits
from mtlbio.sequence.chains import Chains
from mtlbio.sequence.cluster import kmer_clusters

BY_WORDS = "kmer"  # beginning of the name of a cluster of shared words
LARGEST = 0.5  # share of all chains from which one cluster is in the way of a split
FOLDS = {"train": -1, "validation": -1, "test": 0, "external": 1}


def assign_parts(chains: Chains, options: ChainSplits) -> tuple[Chains, QcList]:
    """Chains with ``cluster`` and ``part`` filled in, and the list of repeated sequences.

    Chains that the files give no part are dealt out by cluster: those whose cluster holds a chain of a given part go
    with it, the rest in the shares of ``options``. A sequence that occurs again within a part is left out.

    Raises
    ------
    InputError
        One cluster (where a column names them) or one sequence in two parts, or a part without chains.
    """
    obs = chains.obs.copy()
    unclustered = (obs["cluster"] == "").to_numpy()
    if unclustered.any() and (obs["part"] == "").any():
        clusters = kmer_clusters(chains, options.word, options.similarity)
        obs.loc[unclustered, "cluster"] = [f"{BY_WORDS}{c}" for c in clusters[unclustered]]
    elif unclustered.any():
        obs.loc[unclustered, "cluster"] = obs.index[unclustered]
    obs["part"] = _dealt_out(obs, options)
    chains = replace(chains, obs=obs)
    twins = _twins(chains)
    _one_part_each(chains, twins)
    for part in ("train", "validation", "test"):
        if not (obs["part"] == part).any():
            hint = f"splits.{part} names the values of the split column"
            hint += " that are trained on" if part == "train" else f", splits.{part}_share deals out clusters"
            raise InputError(f"splits: no chain of part {part}; {largest_cluster(obs) or hint}")
    return _without_repeats(chains, twins)


def splits_table(chains: Chains) -> pd.DataFrame:
    """``splits.tsv``: chain, cluster as donor, fold in which it is held out (0 test, 1 external, -1 none), part."""
    fold = chains.obs["part"].map(FOLDS).astype(int)
    columns = {"sample": chains.names, "donor": chains.obs["cluster"], "fold": fold, "part": chains.obs["part"]}
    return pd.DataFrame(columns).reset_index(drop=True)


def largest_cluster(obs: pd.DataFrame) -> str | None:
    """What helps where one cluster of shared words holds most of the chains, so that little can be held out."""
    sizes = obs["cluster"].value_counts()
    if sizes.iloc[0] <= LARGEST * len(obs) or not str(sizes.index[0]).startswith(BY_WORDS):
        return None
    return (
        f"one cluster of similar chains holds {sizes.iloc[0]} of {len(obs)}: raise splits.similarity, or give a column "
        f"of clusters (chains.<name>.cluster)"
    )


def _dealt_out(obs: pd.DataFrame, options: ChainSplits) -> pd.Series:
    """Parts of all chains; the order of clusters is drawn, and each goes to the part that lacks most of its share."""
    part = obs["part"].copy()
    open_ = part == ""
    if not open_.any():
        return part
    named = obs.loc[~open_].groupby("cluster")["part"].first()
    part[open_] = obs.loc[open_, "cluster"].map(named).fillna("")
    open_ = part == ""
    sizes = obs[open_].groupby("cluster").size()
    order = np.random.default_rng([options.seed, len(obs)]).permutation(len(sizes))
    # large clusters first to the training part: held-out chains should not be one family
    order = order[np.argsort(-sizes.to_numpy()[order], kind="stable")]
    share = {"test": options.test_share, "validation": options.validation_share}
    room = {name: value * open_.sum() for name, value in share.items()}
    chosen = {}
    for place in order:
        size = sizes.iloc[place]
        fits = [name for name, left in room.items() if left >= size <= max(1, 0.5 * share[name] * open_.sum())]
        name = max(fits, key=room.__getitem__) if fits else "train"
        if fits:
            room[name] -= size
        chosen[sizes.index[place]] = name
    for name, value in share.items():  # a part of a small set that no cluster fits gets the smallest one
        spare = [c for c in sizes.sort_values(kind="stable").index if chosen[c] == "train"]
        if value > 0 and name not in chosen.values() and not (part == name).any() and len(spare) > 1:
            chosen[spare[0]] = name
    part[open_] = obs.loc[open_, "cluster"].map(chosen)
    return part


def _twins(chains: Chains) -> np.ndarray:
    """(chains,) first chain with the same sequence."""
    first: dict[bytes, int] = {}
    text = chains.letters.tobytes()
    bounds = zip(chains.offsets[:-1], chains.offsets[1:], strict=True)
    return np.array([first.setdefault(text[a:b], i) for i, (a, b) in enumerate(bounds)])


def _one_part_each(chains: Chains, twins: np.ndarray) -> None:
    part, names = chains.obs["part"].to_numpy(), chains.names
    apart = np.flatnonzero(part != part[twins])
    if len(apart):
        a, b = twins[apart[0]], apart[0]
        raise InputError(
            f"chains: {names[a]} ({part[a]}) and {names[b]} ({part[b]}) are one sequence in two parts; "
            f"leave one of them out (chains.<name>.keep) or give both one part"
        )
    per_cluster = chains.obs.groupby("cluster")["part"].unique()
    # external sets are reported apart and may repeat themselves, but not what was trained on
    split = per_cluster[per_cluster.map(len) > 1]
    if len(split):
        members = chains.obs.index[chains.obs["cluster"] == split.index[0]]
        raise InputError(
            f"chains: cluster {split.index[0]} ({listing(members, 3)}) is in two parts ({listing(split.iloc[0])}); "
            f"homologous chains must not straddle a split"
        )


def _without_repeats(chains: Chains, twins: np.ndarray) -> tuple[Chains, QcList]:
    """Of identical sequences the one with most labels, the first among equals."""
    labelled = sum((chains.labelled(name).astype(int) for name in chains.tasks), np.zeros(len(chains), dtype=int))
    order = np.lexsort((np.arange(len(chains)), -labelled))
    first = order[np.unique(twins[order], return_index=True)[1]]
    of_twin = dict(zip(twins[first], first, strict=True))
    repeats, qc = np.setdiff1d(np.arange(len(chains)), first), QcList()
    first_names = [f"kept: {chains.names[of_twin[twins[i]]]}" for i in repeats]
    qc.add(chains.names[repeats], "chain", "repeated sequence", first_names)
    return (select(chains, np.sort(first)) if len(repeats) else chains), qc


def select(chains: Chains, places: np.ndarray) -> Chains:
    """Some of the chains, in the order of ``places``."""
    rows = np.concatenate([np.arange(chains.offsets[i], chains.offsets[i + 1]) for i in places])
    return Chains(
        chains.obs.iloc[places],
        np.concatenate([[0], np.cumsum(chains.lengths[places])]),
        chains.letters[rows],
        {name: values[rows] for name, values in chains.labels.items()},
        {name: values[rows] for name, values in chains.q3.items()},
        chains.tasks,
    )
