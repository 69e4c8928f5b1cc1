"""Linear arms that know the site: an intercept of each, and slopes of its own that are drawn towards the shared ones.

A site's deviation from the shared coefficients, with a ridge of its own, is further features under one ridge: ``x`` at
that site, zero elsewhere (Evgeniou & Pontil 2004, KDD 109; Daume 2007, ACL 256). So the products of samples are those
of a pooled ridge times 1 + ``freedom`` where both are of one site, and everything that fits a ridge fits these. At a
site that training has not seen the further features are zero: the shared slopes with the average intercept predict.
"""

import numpy as np

from mtlbio.cohort.features import row_space
from mtlbio.evaluation.linear import fit_penalised
from mtlbio.evaluation.ridge import CLASS_PENALTIES, PENALTIES, total_variance
from mtlbio.evaluation.tuning import Labels, choose

# Variance of a site's deviation from a shared coefficient, in units of that of the coefficient itself.
FREEDOMS = (0.0, 0.03, 0.1, 0.3, 1.0)
# The same of intercepts, in units of the features' total variance: free, but finite where a site has one class.
_INTERCEPTS = 100.0
_LEAST = 1e-10  # eigenvalues, relative to the largest, that are nothing


def site_intercept(
    train: np.ndarray, test: np.ndarray, labels: Labels, site: np.ndarray, test_site: np.ndarray
) -> tuple[np.ndarray, float]:
    """Ridge or logistic ridge with an intercept of every site; ``site`` (n,), ``test_site`` (m,) codes, -1 unknown."""
    return _fit(train, test, labels, site, test_site, (0.0,))


def site_deviations(
    train: np.ndarray, test: np.ndarray, labels: Labels, site: np.ndarray, test_site: np.ndarray
) -> tuple[np.ndarray, float]:
    """The same with slopes of every site; how freely they deviate is chosen on inner folds, with the penalty."""
    return _fit(train, test, labels, site, test_site, FREEDOMS)


def _fit(train, test, labels: Labels, site, test_site, freedoms: tuple[float, ...]) -> tuple[np.ndarray, float]:
    scores = [features_of_sites(train, test, site, test_site, freedom) for freedom in freedoms]
    penalties = (CLASS_PENALTIES if labels.n_classes else PENALTIES) * total_variance(train, labels.weights)

    def candidates(rows, out):
        return np.concatenate([fit_penalised(x, labels, rows, penalties).predict(x[out]) for x, _ in scores])

    best, spread = choose(labels, candidates, len(freedoms) * len(penalties))
    (x, x_test), penalty = scores[best // len(penalties)], penalties[best % len(penalties)]
    return fit_penalised(x, labels, slice(None), np.array([penalty])).predict(x_test)[0], spread


def features_of_sites(
    train: np.ndarray, test: np.ndarray, site: np.ndarray, test_site: np.ndarray, freedom: float
) -> tuple[np.ndarray, np.ndarray]:
    """Features (n, r) and (m, r) whose ridge is that of shared slopes, intercepts of sites and deviations.

    Parameters
    ----------
    train, test : (n, p), (m, p) centred features
    freedom : variance of a site's deviation from a shared slope, in units of the variance of the slope; 0: none
    """
    intercepts = _INTERCEPTS * total_variance(train, np.ones(len(train)))
    names = np.unique(site[site >= 0])
    if (train.shape[1] + 1) * (len(names) + 1) < len(train):  # fewer columns than samples: written out
        columns = [_written_out(x, at, names, freedom, intercepts) for x, at in ((train, site), (test, test_site))]
        basis, scores = row_space(columns[0])
        return scores, columns[1] @ basis

    def products(x: np.ndarray, at: np.ndarray) -> np.ndarray:
        together = ((at[:, None] == site[None, :]) & (at[:, None] >= 0)).astype(float)
        return (x @ train.T) * (1 + freedom * together) + intercepts * together

    values, vectors = np.linalg.eigh(products(train, site))
    kept = values > _LEAST * values[-1]
    root = np.sqrt(values[kept])
    return vectors[:, kept] * root, products(test, test_site) @ (vectors[:, kept] / root)


def _written_out(x: np.ndarray, at: np.ndarray, names: np.ndarray, freedom: float, intercepts: float) -> np.ndarray:
    """Shared columns, an indicator of every site, and the columns at every site."""
    here = (at[:, None] == names).astype(float)
    own = (x[:, None, :] * here[:, :, None]).reshape(len(x), -1) if freedom else np.empty((len(x), 0))
    return np.column_stack([x, np.sqrt(intercepts) * here, np.sqrt(freedom) * own])
