"""Cell-type scores of samples, estimated from their own expression: the mean of standardised marker genes.

A score rises with the log of a cell type's share of the sample (the marker-gene assumption of Becht et al. 2016, Genome
Biol. 17:218, and Danaher et al. 2017, J. Immunother. Cancer 5:18); it is no fraction. No label is looked at. The
markers that ship with mtlbio (``data/blood_cells.gmt``, with their sources) tell cells apart, not states of a cell:
none is among the package's sets of interferon, NF-kappa-B, immediate early, antigen presentation or cell cycle genes,
so that a response which is biology is not taken for a cell type.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mtlbio.cohort.features import donor_weights

LEAST_MARKERS = 4
# correlation of a marker with the sum of the others (Nunnally & Bernstein 1994, Psychometric Theory, chapter 8)
LEAST_CORRELATION = 0.3
LEAST_RELIABILITY = 0.8  # the same chapter; what a score misses of its cell type is not held fixed
LEAST_KEPT = 0.5  # share of the measured markers that have to go together: half of unrelated genes never do


@dataclass(frozen=True)
class CellType:
    """What the score of a cell type rests on.

    Attributes
    ----------
    markers : genes of the cohort that went in
    measured, listed : markers that the cohort has, and that the list has
    reliability : Cronbach's alpha of the markers (Cronbach 1951, Psychometrika 16:297): share of the score's variance
        that another such set of markers would repeat
    """

    name: str
    markers: tuple[str, ...]
    measured: int
    listed: int
    reliability: float


@dataclass(frozen=True)
class Composition:
    """Scores of cell types.

    Attributes
    ----------
    scores : (samples, types) mean 0 and standard deviation 1 over donors
    types : what each rests on
    refused : cell type -> why it has no score
    """

    scores: np.ndarray
    types: tuple[CellType, ...]
    refused: Mapping[str, str]

    @property
    def names(self) -> list[str]:
        """Cell types that have a score, in the order of the marker table."""
        return [kind.name for kind in self.types]


def estimate_composition(
    expression: np.ndarray, genes: Sequence[str], donors: np.ndarray, markers: Mapping[str, Sequence[str]]
) -> Composition:
    """Score every cell type that the measurements allow.

    Parameters
    ----------
    expression : (samples, genes) on a log-like scale, finite
    genes : (genes,) names. A marker is found by its name, else without regard to upper and lower case
    donors : (samples,) every donor counts once in means and correlations, however often it was measured
    markers : cell type -> names of genes that are high in it

    Returns
    -------
    Composition; a cell type needs ``LEAST_MARKERS`` markers that vary. One after the other, the marker that goes least
    with the sum of the rest is dropped, until all correlate by ``LEAST_CORRELATION``; where fewer than ``LEAST_KEPT``
    of those measured are left, what they have in common is not the cell type, and it is refused; so is a score whose
    reliability is below ``LEAST_RELIABILITY``.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> cells = rng.normal(size=(60, 1))
    >>> found = estimate_composition(cells + 0.7 * rng.normal(size=(60, 5)), "ABCDE", np.arange(60), {"cells": "ABCDE"})
    >>> found.names, bool(np.corrcoef(found.scores[:, 0], cells[:, 0])[0, 1] > 0.8)
    (['cells'], True)
    """
    place = _places(genes, markers)
    weights = donor_weights(donors) / len(donors)
    scores, types, refused = [], [], {}
    for name, listed in markers.items():
        columns = [place[gene] for gene in listed if gene in place]
        values = np.asarray(expression[:, columns], dtype=float)
        mean, spread = _moments(values, weights)
        varies = spread > 1e-8 * np.maximum(1.0, np.abs(mean))
        measured = [column for column, keep in zip(columns, varies, strict=True) if keep]
        if len(measured) < LEAST_MARKERS:
            refused[name] = f"{len(measured)} of its {len(listed)} markers are measured, {LEAST_MARKERS} are needed"
            continue
        z = (values[:, varies] - mean[varies]) / spread[varies]
        kept, reliability = coherent((z * weights[:, None]).T @ z)
        least = max(LEAST_MARKERS, int(np.ceil(LEAST_KEPT * len(measured))))
        if len(kept) < least:
            refused[name] = (
                f"of its {len(measured)} measured markers {len(kept)} go together, {least} are needed: what they have "
                f"in common here is not this cell type"
            )
            continue
        if reliability < LEAST_RELIABILITY:
            refused[name] = f"reliability {reliability:.2f} of its {len(kept)} markers, {LEAST_RELIABILITY} is needed"
            continue
        score = z[:, kept].mean(axis=1)
        scores.append(score / _moments(score[:, None], weights)[1][0])
        used = tuple(str(genes[measured[i]]) for i in kept)
        types.append(CellType(name, used, len(measured), len(listed), reliability))
    table = np.column_stack(scores) if scores else np.zeros((len(expression), 0))
    return Composition(table, tuple(types), refused)


def coherent(correlation: np.ndarray) -> tuple[list[int], float]:
    """Which markers go together, given their correlations (k, k), and Cronbach's alpha of those (0 of fewer than two).

    The rest of a marker is the sum of the others that are still there.
    """
    kept = list(range(len(correlation)))
    while len(kept) > 1:
        part = correlation[np.ix_(kept, kept)]
        total = part.sum(axis=1)
        # cov(x, T - x) = sum_row - 1;  var(T - x) = var(T) - 2 cov(x, T) + 1
        rest = (total - 1) / np.sqrt(np.maximum(total.sum() - 2 * total + 1, 1e-12))
        worst = int(rest.argmin())
        if rest[worst] >= LEAST_CORRELATION:
            return kept, float(len(kept) / (len(kept) - 1) * (1 - len(kept) / total.sum()))
        kept.pop(worst)
    return [], 0.0


def _moments(values: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weighted mean and standard deviation of every column."""
    mean = weights @ values
    return mean, np.sqrt(weights @ np.square(values - mean))


def _places(genes: Sequence[str], markers: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Column of every marker that is found; no name stands for another gene that goes by its own."""
    exact = {str(gene): i for i, gene in enumerate(genes)}
    folded: dict[str, list[int]] = {}
    for gene, i in exact.items():
        folded.setdefault(gene.upper(), []).append(i)
    found = {}
    for marker in (gene for listed in markers.values() for gene in listed):
        alike = folded.get(marker.upper(), [])
        if marker in exact:
            found[marker] = exact[marker]
        elif len(alike) == 1:
            found[marker] = alike[0]
    return found
