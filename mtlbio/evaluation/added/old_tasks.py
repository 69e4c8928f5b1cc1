"""Which tasks of the run a new one leans on: its labels against the held-out predictions of the run's own tasks.

A head on the old tasks' predictions, each in its standard deviations, has the loss of the new label and one prior for
all of them. Its weights are what each old task says beyond the others. Their intervals come from draws of donors, and
hold for all old tasks at once: of many, the largest would otherwise always seem to stand out.
"""

import numpy as np
import pandas as pd

from mtlbio.cohort.features import donor_weights
from mtlbio.evaluation.added.head import weighed
from mtlbio.evaluation.bootstrap import bootstrap_weights, fewest, simultaneous
from mtlbio.labels import Label
from mtlbio.tables import OLD_TASKS
from mtlbio.text import joined
from mtlbio.training.frozen_head import Prior, fit_heads

DRAWS = 500
ARM = "multitask"


def predictions_of(table: pd.DataFrame, samples: np.ndarray) -> pd.DataFrame:
    """Held-out predictions of the run's own tasks, rows ``samples``, a column (task, label) per row of a prediction,
    from ``predictions.tsv``; those of seeds averaged, and those that are the same for all samples left out."""
    own = table[table["arm"] == ARM]
    own = own.assign(label=own["label"].astype(object).where(own["label"].notna(), ""))
    wide = own.pivot_table(index="sample", columns=["task", "label"], values="y_pred", sort=False).loc[samples]
    return wide.loc[:, wide.std() > 1e-9]


def leaning(
    task: Label,
    predicted: pd.DataFrame,
    rows: np.ndarray,
    y: np.ndarray,
    donors: np.ndarray,
    clusters: np.ndarray,
    seed: int,
) -> pd.DataFrame:
    """A row per old task, columns :data:`mtlbio.tables.OLD_TASKS`; none where a label has several directions.

    ``weight``: change of the new label's output (of its standard deviation, its logit, its log hazard) per standard
    deviation of the old prediction, the other old predictions held fixed. ``share``: of the variance of what they say
    together (Pratt 1987: weight times covariance), which sums to 1 and may be below 0 beside a task that says the same.

    Parameters
    ----------
    predicted : (samples, columns) as :func:`predictions_of`
    rows : (n,) places of the labelled samples
    y, donors, clusters : (n,) of these; no draw splits a cluster, donors or families
    """
    if task.n_columns > 1 or predicted.empty:
        return pd.DataFrame(columns=OLD_TASKS)
    x = predicted.to_numpy(dtype=float)
    spread = x.std(axis=0)
    prior = Prior(x.mean(axis=0), np.diag(1 / spread))
    _, share, strengths = weighed(task, prior, x[rows], y, donors, clusters)
    strength = np.exp(share @ np.log(strengths))  # the same for all draws: what is drawn is what was found

    def weights_of(count: np.ndarray) -> np.ndarray:
        kept = count > 0
        each = (donor_weights(donors) * count)[kept]
        found = fit_heads(task, prior, x[rows][kept], y[kept], each, np.array([strength]))[0]
        return found.weights[:, 0] * spread

    weight = weights_of(np.ones(len(rows)))
    drawn = np.stack([weights_of(count) for count in bootstrap_weights(clusters, DRAWS, seed, task.strata(y))])
    low, high = simultaneous(weight, drawn, np.full(len(weight), fewest(task, y, clusters)))
    said = (x - prior.mean) / spread
    together = said @ weight
    parts = weight * (said.T @ together) / max(together @ together, np.finfo(float).tiny)
    names = predicted.columns.to_frame(index=False).replace({"label": {"": None}})
    found = {"weight": weight, "ci_low": low, "ci_high": high, "share": parts, "leans": (low > 0) | (high < 0)}
    table = names.assign(**found, n_donors=len(np.unique(donors)))[OLD_TASKS]
    return table.sort_values("share", ascending=False, kind="stable", ignore_index=True)


def sentence(name: str, table: pd.DataFrame) -> str:
    """What a table of :func:`leaning` says, one line that can be quoted; empty where there is none."""
    if table.empty:
        return ""
    leans = table[table["leans"]]
    if leans.empty:
        return f"{name} leans on none of the run's own tasks that could be told from chance."
    words = [
        f"{row.task}{'' if pd.isna(row.label) else f' ({row.label})'} ({'with' if row.weight > 0 else 'against'} it, "
        f"share {row.share:.2f})"
        for row in leans.itertuples()
    ]
    rest = " and, as far as can be told, on no other task of the run" if len(leans) < len(table) else ""
    return f"{name} leans on {joined(words)}{rest}."
