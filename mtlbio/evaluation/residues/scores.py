"""Metrics of predictions per residue, as sums over chains: a bootstrap of chains only has to add the sums again.

Every metric is a ratio (or a correlation) of sums that each chain contributes to, so a thousand draws of chains cost
one product of matrices. Only AUROC is no such sum; it takes the residues' weights (:mod:`mtlbio.evaluation.metrics`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mtlbio.evaluation.metrics import auroc
from mtlbio.evaluation.residues.sov import overlap_sums
from mtlbio.sequence.chains import Chains
from mtlbio.sequence.letters import MISSING_STATE, three_states

# Metrics of a label of residues by its kind; the first is the one that decides.
METRICS = {
    "secondary_structure": ("q3", "q8", "sov"),
    "accessibility": ("pearson", "mae"),
    "binary": ("auroc",),
    "regression": ("pearson", "mae"),
}
LOWER_IS_BETTER = frozenset({"mae"})
_DRAWS_AT_ONCE = 100


@dataclass(frozen=True)
class Scored:
    """What the chains contribute to the metrics of one task and arm.

    Attributes
    ----------
    clusters : (chains,) text, what is drawn again; ``residues`` : (chains,) labelled ones
    sums : (chains, k)
    values : metric -> function of summed sums (draws, k) -> (draws,)
    pairs : (y, prediction, chain) per residue where a metric is no function of sums
    """

    clusters: np.ndarray
    residues: np.ndarray
    sums: np.ndarray
    values: dict[str, Callable[[np.ndarray], np.ndarray]]
    pairs: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None

    def value(self, metric: str, counts: np.ndarray | None = None) -> np.ndarray:
        """The metric, or its values (draws,) where every chain counts as often as ``counts`` (draws, chains) says."""
        counts = np.ones((1, len(self.sums))) if counts is None else counts
        if metric != "auroc":
            return self.values[metric](counts @ self.sums)
        y, told, chain = self.pairs
        parts = [counts[i : i + _DRAWS_AT_ONCE] for i in range(0, len(counts), _DRAWS_AT_ONCE)]
        return np.concatenate([np.atleast_1d(auroc(y, told, part[:, chain])) for part in parts])


def score_chains(chains: Chains, task: str, predictions: dict[str, np.ndarray], places: np.ndarray) -> Scored:
    """Contributions of the labelled chains among ``places``.

    Parameters
    ----------
    predictions : chain -> (length, 8) probabilities of Q8, or (length,)
    """
    kind = chains.tasks[task].kind
    names, rows, residues, kept, pairs = chains.names, [], [], [], []
    for place in places:
        name, span = names[place], chains.rows(place)
        if name not in predictions or not chains.known(task)[span].any():
            continue
        told = np.asarray(predictions[name], dtype=float)
        if kind == "secondary_structure":
            row, count = _structure(chains.labels[task][span], chains.q3[task][span], told)
        else:
            y = chains.labels[task][span].astype(float)
            known = ~np.isnan(y)
            y, p, count = y[known], told[known], int(known.sum())
            row = [count, y.sum(), p.sum(), y @ y, p @ p, y @ p, np.abs(y - p).sum()]
            if kind == "binary":
                pairs.append((y, p, np.full(count, len(kept))))
        rows.append(row)
        residues.append(count)
        kept.append(place)
    clusters = chains.obs["cluster"].to_numpy().astype(str)[kept]
    joined = tuple(np.concatenate(parts) for parts in zip(*pairs, strict=True)) if pairs else None
    sums = np.array(rows, dtype=float).reshape(len(kept), -1)
    return Scored(clusters, np.array(residues, dtype=int), sums, _FUNCTIONS[kind], joined)


def _structure(eight: np.ndarray, three: np.ndarray, told: np.ndarray) -> tuple[list[float], int]:
    known, exact = three != MISSING_STATE, eight != MISSING_STATE
    called = three_states(told).argmax(axis=1)
    gained, total = overlap_sums(three, called, known)
    right = (called == three)[known].sum()
    return [known.sum(), right, exact.sum(), (told.argmax(axis=1) == eight)[exact].sum(), gained, total], int(
        known.sum()
    )


def _ratio(above: int, below: int):
    def value(sums: np.ndarray) -> np.ndarray:
        return np.divide(sums[:, above], sums[:, below], out=np.full(len(sums), np.nan), where=sums[:, below] > 0)

    return value


def _pearson(sums: np.ndarray) -> np.ndarray:
    n, y, p, yy, pp, yp = sums[:, :6].T
    spread = np.sqrt(np.maximum(n * yy - y * y, 0) * np.maximum(n * pp - p * p, 0))
    # a constant prediction has no correlation; in floating point its spread is only nearly 0
    defined = spread > 1e-7 * np.maximum(n * np.sqrt(yy * pp), 1e-9)
    return np.divide(n * yp - y * p, spread, out=np.full(len(sums), np.nan), where=defined)


_STRUCTURE = {"q3": _ratio(1, 0), "q8": _ratio(3, 2), "sov": _ratio(4, 5)}
_NUMBERS = {"pearson": _pearson, "mae": _ratio(6, 0)}
_FUNCTIONS = {"secondary_structure": _STRUCTURE, "accessibility": _NUMBERS, "regression": _NUMBERS, "binary": {}}


def cluster_draws(clusters: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """(draws, chains) how often a chain counts when clusters of homologous chains are drawn with replacement."""
    names, place = np.unique(clusters, return_inverse=True)
    rng = np.random.default_rng([seed, draws, len(names)])
    return rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)[:, place].astype(float)
