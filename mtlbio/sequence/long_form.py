"""Predictions of chains as rows of ``predictions.tsv``: a row per chain and class, a value per residue in each cell.

The columns are those of a cohort's table (:data:`mtlbio.tables.PREDICTIONS`); ``y_true`` and ``y_pred`` hold as many
numbers as the chain has residues, separated by spaces, so that the table stays small.
"""

import numpy as np
import pandas as pd

from mtlbio.sequence.chains import Chains
from mtlbio.tables import PREDICTIONS


def prediction_rows(
    chains: Chains, places: np.ndarray, predictions: dict[int, dict[str, np.ndarray]], arm: str, seed: str, folds: dict
) -> pd.DataFrame:
    """Rows of one arm.

    Parameters
    ----------
    predictions : place -> task -> (length, 8) probabilities of Q8, or (length,)
    folds : part -> fold
    """
    rows = []
    for place in places:
        span, about = chains.rows(place), chains.obs.iloc[place]
        base = [chains.names[place], about["cluster"], folds[about["part"]], seed, arm]
        for name, values in predictions[int(place)].items():
            truth = chains.labels[name][span]
            for label, y, predicted in chains.tasks[name].rows(truth, values):
                rows.append([*base, name, label, as_text(y), as_text(predicted)])
    return pd.DataFrame(rows, columns=PREDICTIONS)


def read_rows(table: pd.DataFrame) -> dict[str, dict[str, dict[str, np.ndarray]]]:
    """arm -> task -> chain -> (length, 8) or (length,), the mean over the seeds."""
    predictions: dict[str, dict[str, dict[str, np.ndarray]]] = {}
    seeds = table.groupby(["arm", "task"])["seed"].nunique()
    for (arm, task, chain, _), rows in table.groupby(["arm", "task", "sample", "seed"], sort=False):
        values = np.stack([from_text(text) for text in rows["y_pred"]], axis=1)
        of_chain = predictions.setdefault(arm, {}).setdefault(task, {})
        of_chain[chain] = of_chain.get(chain, 0.0) + (values if len(rows) > 1 else values[:, 0]) / seeds[(arm, task)]
    return predictions


def as_text(values: np.ndarray) -> str:
    """Numbers of four digits separated by spaces, NA where missing."""
    return " ".join("NA" if np.isnan(v) else f"{v:.4g}" for v in np.asarray(values, dtype=float))


def from_text(text: str) -> np.ndarray:
    """Inverse of :func:`as_text`."""
    return np.array([np.nan if part == "NA" else float(part) for part in str(text).split(" ")])
