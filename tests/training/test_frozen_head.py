"""A head on a frozen trunk is a ridge whose prior follows the trunk's spectrum."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.special import logsumexp
from sklearn.linear_model import LogisticRegression

from mtlbio.labels import Binary, Multiclass, Ordinal, Regression, Survival
from mtlbio.labels.survival.records import records_of
from mtlbio.model.added import AddedHead
from mtlbio.training.frozen_head import Prior, fit_heads, fit_path

N, D = 40, 6
RNG = np.random.default_rng(3)
LATENTS = RNG.standard_normal((200, D)) @ RNG.standard_normal((D, D)) + 2
WEIGHTS = RNG.uniform(0.5, 2, N)
RISK = LATENTS[:N] @ RNG.standard_normal(D)
RISK = (RISK - RISK.mean()) / RISK.std()


def loss_of(head: AddedHead, latents: np.ndarray, y: np.ndarray, weights: np.ndarray) -> float:
    """Summed loss of labelled samples, each times its weight."""
    target = (head.task.transform(y) - head.mean) / head.scale
    outputs, truth, shares = map(torch.from_numpy, (head.outputs(latents), target, weights))
    return float((shares * head.task.loss(outputs, truth, shares)).sum())


@pytest.mark.parametrize("power", [0.0, 1.0, 2.0])
def test_of_a_number_it_is_the_posterior_mean_under_the_prior_of_the_spectrum(power):
    y, strength, share = 5 + 3 * RISK, 0.3, WEIGHTS / WEIGHTS.sum()
    head = fit_heads(Regression("dose"), Prior.of(LATENTS, power), LATENTS[:N], y, WEIGHTS, np.array([strength]))[0]
    values, vectors = np.linalg.eigh(np.cov(LATENTS, rowvar=False, bias=True))
    covariance = vectors @ np.diag(values ** (power / 2 - 1)) @ vectors.T  # of the weights on the dimensions
    target = (y - y.mean()) / y.std()
    centred = LATENTS[:N] - share @ LATENTS[:N]
    gram = centred.T @ (share[:, None] * centred) + strength * np.linalg.inv(covariance)
    wanted = np.linalg.solve(gram, centred.T @ (share * (target - share @ target)))
    np.testing.assert_allclose(head.weights[:, 0], wanted, rtol=1e-5, atol=1e-7)
    linear = (LATENTS[:N] - share @ LATENTS[:N]) @ wanted + share @ target
    np.testing.assert_allclose(head.predict(LATENTS[:N]), y.mean() + y.std() * linear, rtol=1e-5)


def test_about_a_centre_it_is_that_of_what_the_centre_leaves():
    y, strength, centre = 5 + 3 * RISK, 0.3, RNG.standard_normal(D) * 0.1
    about = replace(Prior.of(LATENTS), centre=centre)
    head = fit_heads(Regression("dose"), about, LATENTS[:N], y, WEIGHTS, np.array([strength]))[0]
    left = y - y.std() * LATENTS[:N] @ centre
    of_rest = Prior.of(LATENTS)
    share = WEIGHTS / WEIGHTS.sum()
    scores = of_rest.scores(LATENTS[:N])
    scores, target = scores - share @ scores, left / y.std() - share @ left / y.std()
    wanted = np.linalg.solve(scores.T @ (share[:, None] * scores) + strength * np.eye(D), scores.T @ (share * target))
    np.testing.assert_allclose(head.weights[:, 0], centre + of_rest.axes @ wanted, rtol=1e-6, atol=1e-9)


def test_a_plain_prior_of_two_classes_is_logistic_ridge_on_the_dimensions():
    y, strength = (RISK > 0.2).astype(float), 0.05
    task = Binary("sick", ("no", "yes"))
    head = fit_heads(task, Prior.of(LATENTS), LATENTS[:N], y, WEIGHTS, np.array([1.0, strength]))[1]
    other = LogisticRegression(C=1 / (strength * WEIGHTS.sum()), tol=1e-10, max_iter=10_000)
    other.fit(LATENTS[:N], y, sample_weight=WEIGHTS)
    np.testing.assert_allclose(head.weights[:, 0], other.coef_[0], rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(head.predict(LATENTS), other.predict_proba(LATENTS)[:, 1], atol=1e-4)


def _survival() -> tuple[Survival, np.ndarray]:
    time, event = np.exp(-RISK) * np.linspace(0.8, 1.2, N), np.arange(N) % 3 > 0
    entry, stratum = np.full(N, -np.inf), np.zeros(N)
    task = Survival("death", records_of(time, event.astype(float), entry, stratum), (0.5, 1.0), (), None)
    return task, task.table.place(time, event, entry, stratum.astype(int))


@pytest.mark.parametrize(
    "task, y",
    [
        (Ordinal("stage", ("I", "II", "III")), np.digitize(RISK, [-0.5, 0.5]).astype(float)),
        (Multiclass("type", ("A", "B", "C")), np.digitize(RISK, [-0.5, 0.5]).astype(float)),
        _survival(),
    ],
    ids=["ordinal", "multiclass", "survival"],
)
def test_every_kind_of_label_has_a_head(task, y):
    prior = Prior.of(LATENTS)
    strong, weak = fit_heads(task, prior, LATENTS[:N], y, WEIGHTS, np.array([1e4, 0.01]))
    predicted = weak.predict(LATENTS[:N])
    assert predicted.shape == (N, *task.width) and np.isfinite(predicted).all()
    assert task.score(y, predicted) > 0.85
    assert loss_of(weak, LATENTS[:N], y, WEIGHTS) < 0.8 * loss_of(strong, LATENTS[:N], y, WEIGHTS)
    assert np.abs(strong.weights).max() < 1e-3


def test_a_direction_that_the_trunk_never_saw_weighs_nothing():
    flat = LATENTS.copy()
    flat[:, 2] = 1.0
    assert Prior.of(flat).axes.shape == (D, D - 1)
    head = fit_heads(Regression("dose"), Prior.of(flat), flat[:N], RISK, WEIGHTS, np.array([0.1]))[0]
    assert abs(head.weights[2, 0]) < 1e-9


def test_evidence_of_a_number_is_the_likelihood_of_the_labels_under_the_prior():
    rng, n, strengths = np.random.default_rng(0), 12, np.array([3.0, 0.3, 0.03])
    prior, y = Prior.of(LATENTS), RISK[:12] + 0.3 * rng.standard_normal(12)
    _, found = fit_path(Regression("dose"), prior, LATENTS[:n], y, np.ones(n), strengths, n)
    flat = np.linalg.qr(np.column_stack([np.ones(n), rng.standard_normal((n, n - 1))]))[0][:, 1:]  # free of the level
    target, scores = flat.T @ ((y - y.mean()) / y.std()), flat.T @ prior.scores(LATENTS[:n])

    def likelihood(strength: float) -> float:
        covariance = np.eye(n - 1) + scores @ scores.T / (n * strength)  # in variances of the noise
        noise = target @ np.linalg.solve(covariance, target) / (n - 1)  # where the labels are likeliest
        return stats.multivariate_normal(np.zeros(n - 1), noise * covariance).logpdf(target)

    wanted = np.array([likelihood(strength) for strength in strengths])
    np.testing.assert_allclose(np.diff(found), np.diff(wanted), atol=1e-6)


def test_evidence_of_two_classes_is_near_the_integral_over_weight_and_bias():
    n, strengths = 30, np.array([1.0, 0.1])
    z, y = RISK[:n, None], (RISK[:n] > 0.1).astype(float)
    y[::7] = 1 - y[::7]
    prior = Prior(np.zeros(1), np.eye(1))
    _, found = fit_path(Binary("sick", ("no", "yes")), prior, z, y, np.ones(n), strengths, n)

    bias, weight = np.meshgrid(np.linspace(-6, 6, 241), np.linspace(-8, 8, 321))
    logit = weight[..., None] * z[:, 0] + bias[..., None]
    log = (y * logit - np.logaddexp(0, logit)).sum(axis=-1)

    def likelihood(strength: float) -> float:
        return logsumexp(log - n * strength * weight**2 / 2) + 0.5 * np.log(strength)

    np.testing.assert_allclose(np.diff(found), np.diff([likelihood(strength) for strength in strengths]), atol=0.1)
