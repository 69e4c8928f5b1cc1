"""Marginal tests of association: of principal components, by decoupler, and by MOFA2's own rule."""

from __future__ import annotations

import contextlib
import io
import warnings

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.multitest import multipletests

from benchmarks.other_tools.tools.labels import CATEGORICAL, Read, known, read_tests
from mtlbio.model.parallel import count_axes
from mtlbio.model.rotation import principal_components

MOFA_FACTORS = 15  # MOFA2's own choice between 26 and 1,000 samples


def components(x: np.ndarray, seed: int) -> np.ndarray:
    """(n, k) principal components of standardised genes, as many as parallel analysis counts (Horn 1965)."""
    return principal_components(x, count_axes(x, np.arange(len(x)), seed))[0]


def p_value(z: np.ndarray, column: pd.Series) -> float:
    """Welch's t for two groups, Kruskal-Wallis for more, Spearman for numbers; rows without a value are left out."""
    there = column.notna().to_numpy()
    if pd.api.types.is_numeric_dtype(column):
        return float(stats.spearmanr(z[there], column[there]).pvalue)
    groups = [z[there & (column == level).to_numpy()] for level in column[there].unique()]
    groups = [g for g in groups if len(g) > 1]
    if len(groups) < 2:
        return 1.0
    test = stats.ttest_ind(*groups, equal_var=False) if len(groups) == 2 else stats.kruskal(*groups)
    return float(test.pvalue)


def adjusted(p: pd.DataFrame) -> pd.DataFrame:
    """Benjamini-Hochberg over all components and columns of a cohort."""
    flat = multipletests(p.to_numpy().ravel(), method="fdr_bh")[1]
    return pd.DataFrame(flat.reshape(p.shape), p.index, p.columns)


def pca_tests(x: np.ndarray, obs: pd.DataFrame, seed: int) -> Read:
    """Principal components, one test per component and column, Benjamini-Hochberg."""
    z = components(x, seed)
    p = pd.DataFrame({c: [p_value(own, obs[c]) for own in z.T] for c in known(obs)})
    return Read(z, read_tests(adjusted(p), obs))


def decoupler_ranks(x: np.ndarray, obs: pd.DataFrame, seed: int) -> Read:
    """Principal components and ``decoupler.tl.rankby_obsm``: analysis of variance or Spearman, its own adjustment."""
    import decoupler as dc
    from anndata import AnnData

    z = components(x, seed)
    data = AnnData(np.zeros((len(z), 1), dtype=np.float32), obs=obs[known(obs)].copy(), obsm={"X_pca": z})
    ranks = dc.tl.rankby_obsm(data, "X_pca", uns_key=None)
    q = ranks.pivot(index="obsm", columns="obs", values="padj").reset_index(drop=True)
    # names are PC1, PC2, ... padded with zeros: alphabetical order is the order of the components
    return Read(z, read_tests(q[known(obs)], obs))


def coded(obs: pd.DataFrame) -> pd.DataFrame:
    """Numbers as MOFA2's ``correlate_factors_with_covariates`` makes them: levels in alphabetical order, 1, 2, ..."""
    numbers = {}
    for c in known(obs):
        if c in CATEGORICAL:
            code = pd.Categorical(obs[c]).codes.astype(float)
            numbers[c] = np.where(code < 0, np.nan, code + 1)
        else:
            numbers[c] = obs[c].to_numpy(dtype=float)
    return pd.DataFrame(numbers, index=obs.index)


def correlate(z: np.ndarray, obs: pd.DataFrame) -> pd.DataFrame:
    """Adjusted p of Pearson's correlation (factors x columns), as ``psych::corr.test(adjust = "BH")`` gives them."""
    numbers = coded(obs)
    p = pd.DataFrame(1.0, range(z.shape[1]), list(numbers))
    for c in numbers:
        there = numbers[c].notna().to_numpy()
        for k, own in enumerate(z.T):
            if numbers.loc[there, c].nunique() > 1:
                p.loc[k, c] = stats.pearsonr(own[there], numbers.loc[there, c]).pvalue
    return adjusted(p)


def mofa_factors(x: np.ndarray, factors: int, seed: int) -> np.ndarray:
    """(n, k) factors of MOFA2 on its defaults (sparse weights, no factor dropped), trained by mofapy2."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mofapy2.run.entry_point import entry_point

        model = entry_point()
        model.set_data_options(scale_views=False)
        model.set_data_matrix([[x.copy()]])
        model.set_model_options(factors=factors)
        # no dropR2: dropping weak factors while it trains can lose true ones (r2 .00 with age on some seeds)
        model.set_train_options(iter=1000, convergence_mode="fast", quiet=True, verbose=False, seed=seed)
        model.build()
        model.run()
        return np.asarray(model.model.getExpectations()["Z"]["E"])


def mofa_correlations(x: np.ndarray, obs: pd.DataFrame, seed: int) -> Read:
    """MOFA2 and the rule of its ``correlate_factors_with_covariates``."""
    z = mofa_factors(x, MOFA_FACTORS, seed)
    z = z[:, z.std(axis=0) > 1e-6]  # a factor that was switched off while training is the same for everybody
    return Read(z, read_tests(correlate(z, obs), obs))
