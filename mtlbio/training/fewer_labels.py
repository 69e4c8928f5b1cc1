"""A cohort in which fewer donors carry the label of one task: the sets of labels of a learning curve."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort


def with_labels_of(cohort: Cohort, task: str, donors: Iterable[str]) -> Cohort:
    """The cohort with the labels of one task for these donors only; all other labels stay."""
    keep = np.isin(cohort.donors, list(donors))
    return replace(cohort, obs=cohort.obs.assign(**{task: cohort.obs[task].where(keep)}))


def nested_order(cohort: Cohort, splits: pd.DataFrame, task: str, seed: list[int]) -> np.ndarray:
    """Names of a task's labelled donors in an order whose every beginning has folds and classes in proportion.

    The first 20 donors hold the first 10, and with either every fold trains on nearly as many. A donor in several
    folds or classes counts where its first sample stands. Rows of ``splits`` are in the order of the cohort's samples;
    another seed is another draw, another order of the samples is not.
    """
    y = cohort.y(task)
    strata = cohort.tasks[task].strata(y)
    label = np.zeros(len(y)) if strata is None else strata
    table = pd.DataFrame({"donor": cohort.donors, "label": label, "fold": splits["fold"].to_numpy()})
    table = table[~np.isnan(y)].drop_duplicates("donor").sort_values("donor")
    rng = np.random.default_rng(seed)
    table = table.iloc[rng.permutation(len(table))]
    # round robin over the folds within a class, then the classes interleaved in proportion to their sizes
    folds = table["fold"].unique()
    table["first"] = table["fold"].map(dict(zip(folds, rng.permutation(len(folds)), strict=True)))
    table["turn"] = table.groupby(["label", "fold"]).cumcount()
    table = table.sort_values(["label", "turn", "first"])
    labels = np.unique(table["label"])
    offset = table["label"].map(dict(zip(labels, rng.random(len(labels)), strict=True)))
    size = table.groupby("label")["donor"].transform("size")
    table["place"] = (table.groupby("label").cumcount() + offset) / size
    return table.sort_values(["place", "label"])["donor"].to_numpy().astype(str)


def training_donors(cohort: Cohort, folds: list, task: str) -> int:
    """Median over the folds of the number of training donors that carry the task's label."""
    labelled = ~np.isnan(cohort.y(task))
    return int(np.median([len(np.unique(cohort.donors[data.train][labelled[data.train]])) for data in folds]))
