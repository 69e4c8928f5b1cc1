"""What is known of the lupus cohort: replicates of one draw on two chips, two batches, and donors to halve."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.real.runs import Judged, judged, part
from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.split import make_splits
from mtlbio.config import Splits
from mtlbio.kinds.schemas import CohortRun
from mtlbio.model.matching import match_axes
from mtlbio.probing.association import association
from mtlbio.probing.audit import audited
from mtlbio.probing.trial import Trial

REPEATS = 0.3  # correlation of replicates below which a dimension does not repeat
MATCHED = 0.7  # absolute correlation of loadings from which two dimensions are the same
SETTLED = ("biology", "technical", "confounder")


def _metadata(run: Judged, data: Path) -> pd.DataFrame:
    """Metadata of the samples; a pair of arrays with two recorded ages (one: 6 and 9 years, interferon apart by two
    standard deviations) is not one draw."""
    metadata = pd.read_csv(data / "sle" / "metadata.csv").set_index("sample_id").loc[run.z.index]
    ages = metadata.groupby("replicate_pair")["age"].transform("nunique")
    return metadata.assign(replicate_pair=metadata["replicate_pair"].where(ages == 1))


def replicates(run: Judged, data: Path) -> pd.DataFrame:
    """How well every dimension repeats over the pairs of arrays from one draw.

    Returns
    -------
    DataFrame: ``r_replicates``, the correlation over the pairs; ``repeatability``, the share of the cohort's variance
    that is not the variance within pairs. All pairs are of healthy donors, among whom interferon varies little: the
    correlation compares the noise with that, the repeatability with the cohort.
    """
    metadata = _metadata(run, data)
    pairs = [rows for rows in metadata.groupby("replicate_pair").groups.values() if len(rows) == 2]
    first, second = (run.z.loc[[rows[i] for rows in pairs]].to_numpy() for i in (0, 1))
    r = [np.corrcoef(a, b)[0, 1] for a, b in zip(first.T, second.T, strict=True)]
    noise = np.square(first - second).mean(axis=0) / 2
    return pd.DataFrame({"r_replicates": r, "repeatability": 1 - noise / run.z.var().to_numpy()}, run.z.columns)


def paired_offset(run: Judged, data: Path) -> pd.DataFrame:
    """What the batch does to a dimension, from the draws that were hybridised in both.

    Returns
    -------
    DataFrame: ``offset_pairs``, batch 2 minus batch 1 within pairs, in standard deviations; ``share_pairs``, the share
    of the variance between donors that such an offset would make up; ``offset_healthy``, ``offset_lupus``: the plain
    difference of the batches among the samples of one diagnosis
    """
    metadata = _metadata(run, data)
    signs = metadata["batch"].map({"B1": -1.0, "B2": 1.0})
    crossed = metadata.groupby("replicate_pair")["batch"].transform("nunique") == 2
    difference = run.z[crossed].mul(signs[crossed], axis=0).groupby(metadata["replicate_pair"][crossed]).sum()
    mean, error = difference.mean(), difference.sem()
    second = (metadata["batch"] == "B2").groupby(metadata["donor_id"]).mean()
    between = run.z.groupby(metadata["donor_id"]).mean().var()
    out = pd.DataFrame({"offset_pairs": mean})
    out["share_pairs"] = np.clip((mean**2 - error**2) * second.var() / between, 0, 1)
    for name, label in (("healthy", "healthy"), ("lupus", "SLE")):
        of = metadata["disease"] == label
        means = run.z[of].groupby(metadata["batch"][of]).mean()
        out[f"offset_{name}"] = means.loc["B2"] - means.loc["B1"]
    return out


def within(run: Judged, level: str, options: CohortRun) -> pd.DataFrame:
    """The association of the same dimensions, tested again on the samples of one batch only."""
    rows = (run.cohort.obs["batch"].astype(str) == level).to_numpy()
    own = part(run.cohort, rows)
    trial = Trial(
        run.z.to_numpy(dtype=float)[rows],
        tuple(run.z.columns),
        run.verdicts["block"].to_numpy(),
        own.obs,
        own.tasks,
        own.covariates,
        options.probe,
    )
    return association(audited(trial)[0])


def repeated(run: Judged, options: CohortRun) -> pd.DataFrame:
    """The disease effect of every dimension in the whole cohort and in each batch, SD with 95 % interval and p."""
    tables = {"all": run.tables["association"]}
    tables |= {level: within(run, level, options) for level in ("B1", "B2")}
    out = run.verdicts[["verdict", "driver"]].copy()
    for name, table in tables.items():
        rows = table[(table["question"] == "task") & (table["variable"] == "disease")].set_index("dim")
        out[[f"effect_{name}", f"low_{name}", f"high_{name}"]] = rows[["effect", "ci_low", "ci_high"]]
        out[f"p_{name}"] = rows["p"]
    return out


def batches(cohort: Cohort, run: CohortRun, folder: Path, again: bool) -> dict[str, Judged]:
    """The whole pipeline on the samples of each batch."""
    found = {}
    for level in ("B1", "B2"):
        own = part(cohort, (cohort.obs["batch"].astype(str) == level).to_numpy())
        found[level] = judged(own, run, folder / f"sle_{level}", again)
    return found


def halves(
    cohort: Cohort, run: CohortRun, folder: Path, again: bool, splits: int
) -> Iterator[tuple[int, Judged, Judged]]:
    """The whole pipeline on two random halves of the donors, stratified on the labels."""
    for seed in range(splits):
        half = make_splits(cohort, Splits(folds=2, seed=100 + seed))["fold"].to_numpy()
        parts = [judged(part(cohort, half == i), run, folder / f"sle_{seed}{'ab'[i]}", again) for i in (0, 1)]
        yield seed, *parts


def matched(one: Judged, other: Judged) -> pd.DataFrame:
    """Dimensions of two models side by side, axes assigned to axes by the absolute correlation of their loadings.

    Returns
    -------
    DataFrame: dim, verdict of ``one``; the same of ``other``; ``r``
    """
    genes = np.intersect1d(one.cohort.genes, other.cohort.genes)
    loadings, names = [], []
    for run in (one, other):
        axes = (run.verdicts["block"] == "axis").to_numpy()
        place = pd.Index(np.asarray(run.latents.uns["genes"]).astype(str)).get_indexer(genes)
        loadings.append(np.asarray(run.latents.varm["loadings"])[axes][:, place].T)
        names.append(run.verdicts.index[axes])
    matching = match_axes(*loadings)
    rows = []
    for i, dim in enumerate(names[0]):
        partner = np.flatnonzero(matching.transfer[:, i]) if matching.paired[i] else []
        if len(partner) == 1:
            rows.append((dim, names[1][partner[0]], matching.correlation[i]))
    table = pd.DataFrame(rows, columns=["dim", "partner", "r"])
    columns = ["verdict", "driver", "stability", "why"]
    table = table.join(one.verdicts[columns], on="dim")
    return table.join(other.verdicts[columns].add_suffix("_partner"), on="partner")


def confusion(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Verdicts of matched dimensions against each other, over all splits."""
    table = pd.concat(tables)
    table = table[table["r"] >= MATCHED]
    return pd.crosstab(table["verdict"], table["verdict_partner"])


def agreement(table: pd.DataFrame) -> dict[str, float]:
    """Of the axes that both halves found: how many there are, and how many have the same verdict.

    ``agree_powered`` of ``powered``: pairs of which neither is ``underpowered``. ``agree_merged``: with ``unused`` and
    ``underpowered`` as one, because whether something small is shown to be nothing depends on the donors drawn.
    ``contradicted``: two different verdicts of ``SETTLED``, the same programme called two things.
    """
    same = table[table["r"] >= MATCHED]
    both = same[(same["verdict"] != "underpowered") & (same["verdict_partner"] != "underpowered")]
    merged = same[["verdict", "verdict_partner"]].replace(["unused", "underpowered"], "nothing established")
    settled = same[same["verdict"].isin(SETTLED) & same["verdict_partner"].isin(SETTLED)]
    return {
        "axes": len(table),
        "matched": len(same),
        "agree": int((same["verdict"] == same["verdict_partner"]).sum()),
        "powered": len(both),
        "agree_powered": int((both["verdict"] == both["verdict_partner"]).sum()),
        "agree_merged": int((merged["verdict"] == merged["verdict_partner"]).sum()),
        "contradicted": int((settled["verdict"] != settled["verdict_partner"]).sum()),
    }
