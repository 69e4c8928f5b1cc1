"""Step 4: which gene set names a dimension.

Two pieces of evidence, both below the false discovery rate:

- competitive, on the loadings: decoupler's univariate linear model. Genes of a set are correlated, so its p is too
  small by an unknown factor: it ranks the sets and opens the door, no more;
- self-contained, on donors: the set's score per donor (mean z of its genes) against the dimension given the covariates.
  Donors, not genes, are exchanged, so any correlation between genes is respected.
"""

import os

import numpy as np
import pandas as pd
from scipy import stats

from mtlbio.cohort.cohort import Cohort
from mtlbio.probing.design import Nuisance
from mtlbio.probing.families import adjust
from mtlbio.probing.inference import exchanges, tail_probability
from mtlbio.probing.trial import Trial
from mtlbio.probing.units import Units

COLUMNS = ["dim", "set", "genes", "ulm", "q_ulm", "correlation", "p_wald", "p_permutation", "p", "q", "names"]
LEAST_GENES = 5
LEAST_CORRELATION = 0.3
_NUMBERS = 20_000_000  # randomisation values held at once
_CHUNK = 2_000_000  # numbers exchanged at once: what fits the cache
REDUNDANT = 0.8  # a set whose ulm score reaches this share of the best one's is a tie: redundant sets overlap


def enrichment(
    trial: Trial, cohort: Cohort, loadings: np.ndarray, genes: np.ndarray, sets: dict[str, list[str]]
) -> pd.DataFrame:
    """Every gene set against every dimension.

    Parameters
    ----------
    cohort : expression of the samples of ``trial``, in its order
    loadings : (D, genes) of ``genes``
    sets : gene set -> genes; those with fewer than five genes on either side are skipped

    Returns
    -------
    ``COLUMNS``: ``correlation`` is partial (given the covariates), ``q`` is BH over sets x dimensions,
    ``names`` marks the sets that may name the dimension
    """
    present = {name: [g for g in members if g in set(cohort.genes)] for name, members in sets.items()}
    present = {name: members for name, members in present.items() if len(members) >= LEAST_GENES}
    ulm, q_ulm = loading_scores(loadings, genes, trial.dims, present)
    present = {name: members for name, members in present.items() if name in ulm.columns}
    if not present:
        return pd.DataFrame(columns=COLUMNS)
    units = naming_units(trial)
    adjustment = trial.adjustment(units)
    scores = units.mean(set_scores(cohort, present))
    r, p_wald, p_permutation = partial_correlations(scores, units.mean(trial.z), adjustment, units, trial)
    names = list(present)
    columns = {"ulm": ulm[names], "q_ulm": q_ulm[names], "correlation": r.T}
    columns |= {"p_wald": p_wald.T, "p_permutation": p_permutation.T}
    table = pd.DataFrame({name: np.asarray(values).ravel() for name, values in columns.items()})
    genes_of_set = np.tile([len(members) for members in present.values()], len(trial.dims))
    table = table.assign(dim=np.repeat(trial.dims, len(names)), set=np.tile(names, len(trial.dims)), genes=genes_of_set)
    return named(table, trial.options.alpha)[COLUMNS]


def named(table: pd.DataFrame, alpha: float) -> pd.DataFrame:
    """The table with ``p``, the larger of both tests, its ``q``, and ``names``: what may name a dimension.

    Both pieces of evidence are below the false discovery rate and have the same sign, and the correlation is large.
    """
    table["p"] = table[["p_wald", "p_permutation"]].max(axis=1, skipna=False)
    table["q"] = adjust(table["p"].to_numpy())
    same = np.sign(table["ulm"]) == np.sign(table["correlation"])
    both = (table["q_ulm"] <= alpha) & (table["q"] <= alpha) & same
    return table.assign(names=both & (table["correlation"].abs() >= LEAST_CORRELATION))


def named_by_loadings(trial: Trial, of: tuple[np.ndarray, np.ndarray, dict[str, list[str]]] | None) -> pd.DataFrame:
    """Gene sets ranked by loadings alone, where nothing was measured beside the latents.

    ``of``: loadings (D, genes), their genes, and the sets; None where nobody gave any. Genes of a set are correlated,
    so that these names are no more than the set whose genes weigh most: the columns of the test on donors are NaN.
    """
    if of is None:
        return pd.DataFrame(columns=COLUMNS)
    loadings, genes, sets = of
    ulm, q_ulm = loading_scores(loadings, genes, trial.dims, sets)
    if not len(ulm.columns):
        return pd.DataFrame(columns=COLUMNS)
    names, present = list(ulm.columns), set(np.asarray(genes).astype(str))
    table = pd.DataFrame({"ulm": ulm.to_numpy().ravel(), "q_ulm": q_ulm[names].to_numpy().ravel()})
    table = table.assign(dim=np.repeat(trial.dims, len(names)), set=np.tile(names, len(trial.dims)))
    table["genes"] = table["set"].map({name: len(present.intersection(sets[name])) for name in names})
    table["names"] = table["q_ulm"] <= trial.options.alpha
    return table.reindex(columns=COLUMNS)


def best_set(rows: pd.DataFrame) -> str | None:
    """The set that names a dimension, from its rows of :func:`enrichment`.

    The highest ``ulm`` score wins; among sets within a fifth of it (interferon alpha and gamma share their genes) the
    one whose score follows the dimension most closely.
    """
    rows = rows[rows["names"]]
    if rows.empty:
        return None
    tied = rows[rows["ulm"].abs() >= REDUNDANT * rows["ulm"].abs().max()]
    if tied["correlation"].isna().all():  # ranked by loadings alone
        return str(tied.loc[tied["ulm"].abs().idxmax(), "set"])
    return str(tied.loc[tied["correlation"].abs().idxmax(), "set"])


def loading_scores(
    loadings: np.ndarray, genes: np.ndarray, dims: tuple[str, ...], sets: dict[str, list[str]]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """decoupler's ulm t values and their BH-adjusted p, both (D, sets), sets with too few loaded genes left out."""
    loaded = set(np.asarray(genes).astype(str))
    net = [(name, gene, 1.0) for name, members in sets.items() for gene in members if gene in loaded]
    net = pd.DataFrame(net, columns=["source", "target", "weight"])
    counts = net["source"].value_counts()
    # a set that is all genes has no complement to compete with
    net = net[net["source"].isin(counts.index[(counts >= LEAST_GENES) & (counts < len(loaded))])]
    if net.empty:
        return pd.DataFrame(index=list(dims)), pd.DataFrame(index=list(dims))
    # numba's thread pool goes on spinning after decoupler's loops and slows torch down, up to ten times where both live
    # in one process (refits, calibration); these loops take milliseconds on one thread
    os.environ.setdefault("NUMBA_NUM_THREADS", "1")
    import decoupler

    weights = np.asarray(loadings, dtype=float)
    even = np.ptp(weights, axis=1) <= 1e-12 * np.maximum(np.abs(weights).max(axis=1, initial=0.0), 1e-300)
    frame = pd.DataFrame(weights * ~even[:, None], index=list(dims), columns=np.asarray(genes).astype(str))
    # decoupler drops all-zero rows: a dimension without loadings, or with the same for all genes, has no score
    scores, _ = decoupler.mt.ulm(data=frame, net=net, tmin=LEAST_GENES)
    scores = scores.reindex(list(dims)).fillna(0.0)
    p = 2 * stats.t.sf(np.abs(scores.to_numpy()), len(loaded) - 2)
    return scores, pd.DataFrame(adjust(p.ravel()).reshape(p.shape), index=scores.index, columns=scores.columns)


def set_scores(cohort: Cohort, sets: dict[str, list[str]]) -> np.ndarray:
    """Mean z-score of every set's genes per sample (samples, sets)."""
    place = {gene: i for i, gene in enumerate(cohort.genes)}
    mean, spread = cohort.expression.mean(axis=0, dtype=float), cohort.expression.std(axis=0, dtype=float)
    spread, scores = np.where(spread > 0, spread, 1.0), []
    for columns in [[place[gene] for gene in members] for members in sets.values()]:
        scores.append(((cohort.expression[:, columns] - mean[columns]) / spread[columns]).mean(axis=1))
    return np.column_stack(scores)


def partial_correlations(
    scores: np.ndarray, z: np.ndarray, adjustment: Nuisance, units: Units, trial: Trial
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Partial correlation of scores (units, S) with latents (units, D), its t test and its randomisation test, (S, D).

    Freedman-Lane: what the nuisance leaves of z is permuted within strata (signs of whole donors, or families, are
    flipped where one holds several units).
    """
    freedom = units.clusters - adjustment.rank - 1
    if units.within:
        freedom = units.clusters - 1 - adjustment.basis.shape[1]
    a, b = (adjustment.residual(units.centre(values)) for values in (scores, z))
    a = a / np.maximum(np.linalg.norm(a, axis=0), 1e-300)
    if freedom < 4:
        gap = np.full((a.shape[1], b.shape[1]), np.nan)
        return gap, gap, gap
    r = a.T @ (b / np.maximum(np.linalg.norm(b, axis=0), 1e-300))
    f, p = _f(r, freedom), np.empty_like(r)
    draws, step = trial.options.permutations, max(1, _NUMBERS // (trial.options.permutations * z.shape[1]))
    for start in range(0, len(r), step):  # blocks of sets, so that thousands of sets fit the memory
        rng = np.random.default_rng([trial.options.seed, 4, len(units)])  # the same exchanges for every block
        rows = slice(start, start + step)
        null = np.empty((draws, *r[rows].shape))
        at_once = max(1, _CHUNK // b.size)
        for first in range(0, draws, at_once):
            some = min(at_once, draws - first)
            if units.clustered:
                signs = rng.choice([-1.0, 1.0], size=(some, units.clusters)).T[units.cluster]
                drawn = signs[:, :, None] * b[:, None, :]
            else:
                drawn = b[exchanges(adjustment.strata, some, rng).T]
            drawn = drawn.reshape(len(b), -1)
            # exchanged residuals are as long as before, less what the nuisance takes of them now
            lost = np.square(adjustment.basis.T @ drawn).sum(axis=0)
            length = np.sqrt(np.maximum(np.square(drawn).sum(axis=0) - lost, 1e-300))
            exchanged = a[:, rows].T @ drawn / length  # the scores are already free of the nuisance
            null[first : first + some] = _f(exchanged, freedom).reshape(-1, some, b.shape[1]).swapaxes(0, 1)
        p[rows] = tail_probability(f[rows].ravel(), null.reshape(draws, -1), 1, freedom).reshape(f[rows].shape)
    return r, stats.f.sf(f, 1, freedom), p


def naming_units(trial: Trial) -> Units:
    """Donors; in a paired design of few donors, the states of each donor against each other."""
    paired = [units for units in map(trial.task_units, trial.outcomes) if units.within]
    return paired[0] if paired and trial.donor_units.donors < 20 else trial.donor_units


def _f(r: np.ndarray, freedom: float) -> np.ndarray:
    return np.square(r) * freedom / np.maximum(1 - np.square(r), 1e-12)
