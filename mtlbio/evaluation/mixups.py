"""Are a donor's measurements and records of one person? Swapped samples and wrong entries, by a likelihood ratio.

What is recorded of a sample (tasks and covariates) is predicted from its measurements by linear models that were fitted
without its donor: T scores, what the measurements say of the person. Given the records, the scores of the cohort lie
around a linear function of the records with covariance S; where the measurements are somebody else's, they lie around
the mean of all with covariance S0. With e and e0 the two deviations, each without the donor, the evidence in nats is

    (e' S^-1 e - e0' S0^-1 e0 + log det S - log det S0) / 2

Records that the measurements do not show add nothing. Scores given records and not records given scores: the middle one
of three batches is no linear function of the measurements, but has a place among them.
:mod:`mtlbio.evaluation.label_noise` asks something else: whether a *share* of the labels of a task is drawn anew.
"""

import numpy as np

from mtlbio.evaluation.leave_one_out import LinearModel

LEVEL = 0.05  # of naming anybody in a cohort where all is right
LEAST = 5  # donors per record and score below which nothing is said
_SHRUNK = 1e-3  # of the variances of the scores, added to both covariances


def evidence_of_mixup(models: list[LinearModel]) -> np.ndarray:
    """(n,) evidence that measurements and records are of two, of models of the same samples; NaN where the donors are
    too few for so many records."""
    first = models[0]
    records = np.column_stack([_records(target.values) for model in models for target in model.targets])
    scores = np.column_stack([_scores(model, t) for model in models for t in range(len(model.targets))])
    records = np.column_stack([np.ones(len(records)), records])
    if len(first.donors) < LEAST * (np.linalg.matrix_rank(records) + scores.shape[1]):
        return np.full(len(records), np.nan)
    with_records, alone = (_distance(scores, design, first) for design in (records, records[:, :1]))
    return (with_records - alone) / 2


def of_donors(evidence: np.ndarray, place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(G,) the largest evidence of any sample of a donor, and (G,) the place of that sample; ``place`` as of
    :class:`~mtlbio.evaluation.leave_one_out.LinearModel`."""
    order = np.lexsort((-evidence, place))
    first = order[np.flatnonzero(np.diff(place[order], prepend=-1))]
    return evidence[first], first


def suspect(evidence: np.ndarray) -> np.ndarray:
    """(G,) whether a donor is named: a likelihood ratio above donors / ``LEVEL``, which by Markov's inequality at most
    a share ``LEVEL`` of cohorts without a mix-up has anywhere, as far as the normal model is right.

    Examples
    --------
    >>> suspect(np.array([9.0, 5.0, np.nan, *np.zeros(97)]))[:3].tolist()
    [True, False, False]
    """
    return np.nan_to_num(evidence, nan=-np.inf) >= np.log(max(len(evidence), 1) / LEVEL)


def _records(values: np.ndarray) -> np.ndarray:
    """(n, 1 or 2) standardised records, gaps filled with the mean and marked."""
    gap = np.isnan(values)
    return np.column_stack([np.where(gap, 0.0, values), *([gap.astype(float)] if gap.any() else [])])


def _scores(model: LinearModel, t: int) -> np.ndarray:
    """(n,) what the fit without the donor makes of its measurements, in deviations from the mean of the others, which
    alone would tell who is left out."""
    values, known = model.targets[t].values, ~np.isnan(model.errors[:, t])
    weights = np.where(known, model.weights, 0.0)
    total, of_donor, sums = weights.sum(), *np.zeros((2, len(model.donors)))
    np.add.at(of_donor, model.place, weights)
    np.add.at(sums, model.place, weights * np.where(known, values, 0.0))
    others = (sums.sum() - sums[model.place]) / np.maximum(total - of_donor[model.place], 1e-12)
    return np.where(known, values - model.errors[:, t] - others, model.fit.predicted[:, t])


def _distance(scores: np.ndarray, design: np.ndarray, model: LinearModel) -> np.ndarray:
    """(n,) squared distance of the scores (n, T) from their regression without the donor, plus log det."""
    root = np.sqrt(model.weights)[:, None]
    u, s, _ = np.linalg.svd(design * root, full_matrices=False)
    basis = u[:, s > 1e-8 * s[0]]
    left = scores * root - basis @ (basis.T @ (scores * root))
    for rows in model.samples_of:
        block = np.eye(len(rows)) - basis[rows] @ basis[rows].T
        left[rows] = np.linalg.pinv(block, rcond=1e-8, hermitian=True) @ left[rows]
    covariance = left.T @ left / len(left)
    covariance += _SHRUNK * np.diag(np.maximum(scores.var(axis=0), 1e-12))
    whitened = np.linalg.solve(np.linalg.cholesky(covariance), (left / root).T)
    return np.square(whitened).sum(axis=0) + np.linalg.slogdet(covariance)[1]
