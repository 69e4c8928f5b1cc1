"""Are a donor's measurements and records of one person? Swapped samples and wrong entries, by likelihood ratios.

What is recorded of a sample (tasks and covariates) is predicted from its measurements by linear models that were fitted
without its donor: T scores, what the measurements say of the person. Given the records r, the scores of the cohort lie
around a linear function B r with covariance S, fitted without the donor. Do they fit the records of others better: all
of them (a swap), or one entry (a wrong label), the other records kept? With e the deviation from what the own records
say, and e_j that from the records with those of sample j put in, the evidence is in nats

    log mean_j exp((e' S^-1 e - e_j' S^-1 e_j) / 2)

of a swap and of every record; that of the sample is the log of the mean of these ratios, each of which is a likelihood
ratio. Records that the measurements do not show add nothing.
Scores given records and not records given scores: the middle one of three batches is no linear function of the
measurements, but has a place among them.
:mod:`mtlbio.evaluation.label_noise` asks something else: whether a *share* of the labels of a task is drawn anew.
"""

from dataclasses import dataclass

import numpy as np

from mtlbio.evaluation.leave_one_out import LinearModel

LEVEL = 0.05  # of naming anybody in a cohort where all is right
LEAST = 5  # donors per record and score below which nothing is said
MOST_OTHERS = 500  # samples whose records are put in; of more, as many that are spread evenly over the donors
_SHRUNK = 1e-3  # of the variances of the scores, added to their covariance


@dataclass(frozen=True)
class Mixups:
    """Evidence in nats.

    Attributes
    ----------
    records : R names of tasks and covariates
    swapped : (n,) that the measurements are those of somebody else
    wrong : (n, R) that the record is that of somebody else, the other records kept
    """

    records: tuple[str, ...]
    swapped: np.ndarray
    wrong: np.ndarray

    @property
    def evidence(self) -> np.ndarray:
        """(n,) of any of these."""
        return _log_mean(np.column_stack([self.swapped, self.wrong]))


def mixups(models: list[LinearModel]) -> Mixups:
    """What tells that measurements and records are of two, of models of the same samples; NaN where the donors are too
    few for so many records."""
    first, targets = models[0], [target for model in models for target in model.targets]
    parts = [_records(target.values) for target in targets]
    owner = np.repeat([target.name for target in targets], [part.shape[1] for part in parts])
    records, names = np.column_stack(parts), tuple(dict.fromkeys(owner.tolist()))
    scores = np.column_stack([_scores(model, t) for model in models for t in range(len(model.targets))])
    design = np.column_stack([np.ones(len(records)), records])
    if len(first.donors) < LEAST * (np.linalg.matrix_rank(design) + scores.shape[1]):
        nothing = np.full((len(records), 1 + len(names)), np.nan)
        return Mixups(names, nothing[:, 0], nothing[:, 1:])
    slopes, left, whiten = _regression(scores, design, first)
    spread = np.unique(np.linspace(0, len(records) - 1, min(len(records), MOST_OTHERS)).astype(int))
    others = np.argsort(first.place, kind="stable")[spread]

    def of(part: np.ndarray) -> np.ndarray:
        shift = records[:, part] @ slopes[1:][part] @ whiten
        return _ratios(left @ whiten, shift, shift[others])

    return Mixups(names, of(np.full(len(owner), True)), np.column_stack([of(owner == name) for name in names]))


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


def _log_mean(values: np.ndarray) -> np.ndarray:
    """(n,) log of the mean of exp over (n, m)."""
    top = values.max(axis=1, keepdims=True)
    return top[:, 0] + np.log(np.exp(values - top).mean(axis=1))


def _ratios(left: np.ndarray, own: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(n,) log of the mean over ``others`` (m, T) of the ratio between what is left of the scores (n, T) with
    their part of the records put in and with ``own`` (n, T), all whitened."""
    whole = left + own
    far = np.square(whole).sum(axis=1)[:, None] + np.square(others).sum(axis=1) - 2 * whole @ others.T
    return _log_mean((np.square(left).sum(axis=1)[:, None] - far) / 2)


def _regression(
    scores: np.ndarray, design: np.ndarray, model: LinearModel
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of the scores (n, T) on the design (n, k): slopes (k, T), what is left (n, T) without the donor, and the (T, T)
    that whitens it."""
    root = np.sqrt(model.weights)[:, None]
    u, s, vt = np.linalg.svd(design * root, full_matrices=False)
    kept = s > 1e-8 * s[0]
    basis, scaled = u[:, kept], scores * root
    slopes = (vt[kept].T / s[kept]) @ (basis.T @ scaled)
    left = scaled - basis @ (basis.T @ scaled)
    for rows in model.samples_of:
        block = np.eye(len(rows)) - basis[rows] @ basis[rows].T
        left[rows] = np.linalg.pinv(block, rcond=1e-8, hermitian=True) @ left[rows]
    covariance = left.T @ left / len(left)
    covariance += _SHRUNK * np.diag(np.maximum(scores.var(axis=0), 1e-12))
    return slopes, left / root, np.linalg.inv(np.linalg.cholesky(covariance)).T
