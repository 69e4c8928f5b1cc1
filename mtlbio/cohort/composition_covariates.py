"""Estimated composition as covariates of a run: which scores are held fixed, under which names, and what is said."""

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import CovariateInfo
from mtlbio.cohort.composition import Composition, estimate_composition
from mtlbio.cohort.features import donor_weights
from mtlbio.cohort.genesets import builtin_cells, read_gmt
from mtlbio.cohort.qc import QcList
from mtlbio.config import Covariate
from mtlbio.errors import InputError, listing
from mtlbio.kinds.schemas import DonorRun

DONORS_PER_COLUMN = 10  # as of a spline: a degree of freedom for every ten donors
LEAST_DONORS_PER_COLUMN = 4  # of columns that the user asks for
_ENSEMBL = re.compile(r"ENS[A-Z]*[GT]\d{6,}")


def with_estimates(
    run: DonorRun,
    values: np.ndarray,
    genes: np.ndarray,
    obs: pd.DataFrame,
    covariates: dict[str, CovariateInfo],
    source: str,
    qc: QcList,
) -> tuple[pd.DataFrame, dict[str, CovariateInfo]]:
    """``obs`` and covariates of a run with what it wants estimated, in the order of its YAML; else as they are.

    Parameters
    ----------
    values : (samples, genes) after quality control, all samples of the cohort: no label is looked at
    qc : takes a note of every score that is held fixed, and of every cell type that has none

    Raises
    ------
    InputError
        A cell type that is unknown or cannot be estimated, or a name that is taken.
    """
    if not run.estimated:
        return obs, covariates
    ordered: dict[str, CovariateInfo] = {}
    for name, asked in run.covariates.items():
        if not asked.estimate:
            ordered[name] = covariates[name]
            continue
        where = f"{source}: covariates.{name}"
        markers = load_markers(asked.markers)
        found = estimate_composition(values, list(genes), obs["donor"].to_numpy(), markers)
        _check(found, markers, asked, genes, where)
        columns, notes, left_out = columns_of(found, asked, obs["donor"].to_numpy().astype(str), where)
        columns = columns.set_axis(obs.index).rename(columns=lambda kind, name=name: f"{name}_{in_a_name(kind)}")
        taken = [c for c in columns if c in obs or c in run.covariates]
        if taken or columns.columns.has_duplicates:
            raise InputError(f"{where}: {listing(taken or columns.columns)} is the name of something else; rename it")
        qc.add(columns.columns, "note", "estimated", notes)
        qc.add(left_out, "note", "not held fixed", list(left_out.values()))
        qc.add(found.refused, "note", "not estimated", list(found.refused.values()))
        obs = obs.join(columns)
        ordered |= {c: CovariateInfo(c, asked.role, "continuous", estimated=name) for c in columns}
    return obs, ordered


def load_markers(markers: str | None) -> dict[str, list[str]]:
    """Marker genes as ``markers`` names them: those of blood cells, or the path of a GMT file."""
    return builtin_cells() if markers in (None, "builtin") else read_gmt(markers)


def columns_of(
    found: Composition, asked: Covariate, donors: np.ndarray, where: str
) -> tuple[pd.DataFrame, list[str], dict[str, str]]:
    """Columns (samples, k) to hold fixed, by cell type or number, a line on each, and why other scores are left out.

    Of more cell types than one for every ten donors those are taken that together tell most of all scores, one after
    the other (principal variables, McCabe 1984, Technometrics 26:137): unlike components they keep their names, and a
    dimension that is one cell type remains the matter of one covariate.
    """
    people = len(np.unique(donors))
    asked_for = asked.components or len(asked.cell_types or ())
    most = max(1, people // LEAST_DONORS_PER_COLUMN)
    if asked_for > most:
        key = "components" if asked.components else "cell_types"
        raise InputError(
            f"{where}.{key}: {asked_for} columns for {people} donors; valid: up to {most}, or leave it out"
        )
    weights = donor_weights(donors) / len(donors)
    correlation = (found.scores * weights[:, None]).T @ found.scores
    if asked.components is not None:
        return *_components(found, correlation, asked.components, where), {}
    chosen = [found.names.index(kind) for kind in asked.cell_types or found.names]
    left_out: dict[str, str] = {}
    if asked.cell_types is None:
        room = max(1, people // DONORS_PER_COLUMN)
        picked = principal_variables(correlation, room)
        why = f"{people} donors leave room for {room}" if len(picked) == room else "told by those that are held fixed"
        left_out = {kind: why for i, kind in enumerate(found.names) if i not in picked}
        chosen = [i for i in chosen if i in picked]
    kinds = [found.types[i] for i in chosen]
    notes = [
        f"{len(k.markers)} of {k.measured} measured markers go together, reliability {k.reliability:.2f}" for k in kinds
    ]
    return pd.DataFrame(found.scores[:, chosen], columns=[k.name for k in kinds]), notes, left_out


def principal_variables(correlation: np.ndarray, most: int) -> list[int]:
    """Up to ``most`` variables, each the one that tells most of the variance of all that those before have left.

    ``correlation``: (k, k). Fewer than ``most`` where of no variable a tenth is left untold.
    """
    left, chosen = correlation.astype(float).copy(), list[int]()
    while len(chosen) < min(most, len(correlation)):
        own = np.diag(left)
        told = np.where(own > 0.1, np.square(left).sum(axis=0) / np.maximum(own, 1e-12), -1.0)
        best = int(told.argmax())
        if told[best] < 0:
            break
        chosen.append(best)
        left = left - np.outer(left[:, best], left[best]) / left[best, best]
    return chosen


def _components(found: Composition, correlation: np.ndarray, count: int, where: str) -> tuple[pd.DataFrame, list[str]]:
    """Principal components of the scores, each with standard deviation 1, its first loading positive or largest."""
    if count > len(found.types):
        raise InputError(f"{where}.components: found {count}; valid: up to the {len(found.types)} cell types estimated")
    variance, vectors = np.linalg.eigh(correlation)
    variance, vectors = variance[::-1][:count], vectors[:, ::-1][:, :count]
    vectors = vectors * np.where(vectors[np.abs(vectors).argmax(axis=0), np.arange(count)] < 0, -1.0, 1.0)
    notes = []
    for part, vector in zip(variance, vectors.T, strict=True):
        order = np.argsort(-np.abs(vector), kind="stable")[:4]
        leading = ", ".join(f"{found.names[i]} {vector[i] * np.sqrt(part):+.2f}" for i in order)
        notes.append(f"{100 * part / len(correlation):.0f} % of the variance of the scores; correlation with {leading}")
    scores = found.scores @ vectors / np.sqrt(np.maximum(variance, 1e-12))
    return pd.DataFrame(scores, columns=[str(i + 1) for i in range(count)]), notes


def _check(
    found: Composition, markers: Mapping[str, list[str]], asked: Covariate, genes: np.ndarray, where: str
) -> None:
    """An InputError where what is asked for has no score."""
    unknown = [kind for kind in asked.cell_types or () if kind not in markers]
    if unknown:
        raise InputError(f"{where}.cell_types: found {unknown[0]!r}; valid: {listing(markers, 40)}")
    lacking = [kind for kind in asked.cell_types or () if kind in found.refused]
    if lacking:
        raise InputError(f"{where}.cell_types: {lacking[0]} cannot be estimated: {found.refused[lacking[0]]}")
    if found.types:
        return
    first = next(iter(markers))
    reason = f"{first}: {found.refused[first]}"
    ensembl = sum(bool(_ENSEMBL.match(str(gene))) for gene in genes)
    if ensembl > len(genes) / 2 and not any(_ENSEMBL.match(gene) for gene in markers[first]):
        reason = (
            f"the genes are Ensembl identifiers ({listing(genes, 2)}) and the markers are symbols "
            f"({markers[first][0]}); expected symbols as gene names, or markers: a GMT file of the same identifiers"
        )
    raise InputError(f"{where}.estimate: no cell type can be estimated: {reason}")


def in_a_name(kind: str) -> str:
    """A cell type as part of a column's name.

    Examples
    --------
    >>> in_a_name("CD8+ T cells")
    'CD8_T_cells'
    """
    return "_".join(re.findall(r"\w+", kind))
