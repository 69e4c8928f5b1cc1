"""What training on several assays leaves: predictions with and without a block, what they rest on, what axes are in."""

import numpy as np
import pandas as pd

from mtlbio.cohort.assays.blocks import Blocks, said
from mtlbio.model.outputs import Outputs
from mtlbio.tables import PREDICTIONS, RESTS_ON, VARIANCE_BY_BLOCK
from mtlbio.training.assays.fit import FittedBlocks
from mtlbio.training.assays.stack import read
from mtlbio.training.assays.views import without

ALONE = 0.2  # of the largest share of variance that an axis has in a block, from which it is in another one too


def predictions(fit: FittedBlocks, names: list[str], arms: list[np.ndarray], seeds: list[int]) -> pd.DataFrame:
    """Rows of predictions.tsv: every arm, each sample from the blocks that it has."""
    everybody = np.ones(len(fit.fold), dtype=bool)
    parts = [
        _of_arm(fit, name, active, seeds, fit.outputs[:, j], everybody)
        for j, (name, active) in enumerate(zip(names, arms, strict=True))
    ]
    return pd.concat(parts, ignore_index=True)


def predictions_without(fit: FittedBlocks, seeds: list[int]) -> pd.DataFrame:
    """Predictions of the samples that have a block and others, as they are without it: arm ``without_<block>``."""
    parts = [pd.DataFrame(columns=PREDICTIONS)]
    for name in fit.blocks.names:
        fewer = [without(own, name) if name in own else () for own in fit.blocks.patterns]
        rows = np.array([bool(own) for own in fewer])
        if rows.any():
            outputs, active = fit.stacked.of_samples(fewer)[:, 0], np.ones(len(fit.cohort.tasks))
            parts.append(_of_arm(fit, f"without_{name}", active, seeds, outputs, rows))
    return pd.concat(parts[1:] or parts, ignore_index=True)


def _of_arm(fit: FittedBlocks, arm: str, active, seeds: list[int], outputs: np.ndarray, told: np.ndarray):
    """Rows of one arm, whose outputs are (f, s, n, o), of the samples ``told`` (n,) by the fold that holds them out."""
    cohort, packing, targets, parts = fit.cohort, Outputs.of(fit.cohort.tasks), fit.targets, []
    for i, number in enumerate(fit.numbers):
        test = np.flatnonzero((fit.fold == number) & told)
        about = {"sample": cohort.samples[test], "donor": cohort.donors[test], "fold": number, "arm": arm}
        for t in np.flatnonzero(active) if len(test) else ():
            task = packing.tasks[t]
            for q, seed in enumerate(seeds):
                raw = outputs[i, q][test][:, packing.outputs[t]]
                predicted = task.to_prediction(raw, targets.mean[i, t], targets.scale[i, t])
                own = about | {"seed": str(seed), "task": task.name}
                parts += [pd.DataFrame(own | columns) for columns in task.rows(cohort.y(task.name)[test], predicted)]
    return pd.concat(parts, ignore_index=True)


def rests_on(fit: FittedBlocks) -> pd.DataFrame:
    """Columns ``RESTS_ON``: the blocks that a sample has, and how much of its prediction comes from which network."""
    cohort, parts = fit.cohort, []
    for pattern in fit.blocks.each:
        for i, number in enumerate(fit.numbers):
            rows = np.flatnonzero(fit.blocks.rows(pattern) & (fit.fold == number))
            about = {"sample": cohort.samples[rows], "donor": cohort.donors[rows], "fold": number}
            for t, task in enumerate(cohort.tasks):
                shares = fit.stacked.mixture[pattern, i, 0, t].shares
                for own, share in zip(read(pattern, fit.views), shares, strict=True):
                    more = {"blocks": said(pattern), "task": task, "network": said(own), "share": share}
                    parts.append(pd.DataFrame(about | more))
    table = pd.concat(parts, ignore_index=True)
    order = pd.Index(cohort.samples).get_indexer(table["sample"])
    return table.iloc[np.argsort(order, kind="stable")].reset_index(drop=True)[RESTS_ON]


def variance_by_block(fit: FittedBlocks) -> pd.DataFrame:
    """Columns ``VARIANCE_BY_BLOCK``: a row per axis and block."""
    canonical = fit.canonical
    return in_blocks(list(canonical.dims[: canonical.axes]), fit.blocks, canonical.explained)


def in_blocks(dims: list[str], blocks: Blocks, explained: np.ndarray) -> pd.DataFrame:
    """The same of axes that explain (axes, blocks) shares of variance."""
    parts = []
    for place, name in enumerate(blocks.names):
        about = {"dim": dims, "block": name, "variance": explained[:, place]}
        parts.append(pd.DataFrame(about | {"samples": int(blocks.present[:, place].sum())}))
    table = pd.concat(parts, ignore_index=True)
    most = table.groupby("dim")["variance"].transform("max")
    table["in_block"] = np.where((table["variance"] > 0) & (table["variance"] >= ALONE * most), "yes", "no")
    return table.sort_values("dim", kind="stable").reset_index(drop=True)[VARIANCE_BY_BLOCK]
