"""Auxiliary heads, reconstruction, masked genes and the adversary."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import roc_auc_score
from small_training import OPTIONS, TASKS, folds_of, problem_of, small_cohort

from mtlbio.choices.multitask import MultitaskOptions
from mtlbio.choices.sharing import SHARING
from mtlbio.cohort.cohort import CovariateInfo
from mtlbio.config import Adversary, Training
from mtlbio.kinds.schemas import CohortRun
from mtlbio.model.outputs import Outputs
from mtlbio.model.sharing.make import make_sharing
from mtlbio.model.sharing.scheme import Sharing
from mtlbio.training.curvature import pace
from mtlbio.training.extras import COMPONENTS, extended, with_extras
from mtlbio.training.losses import task_losses
from mtlbio.training.networks import BlockOptions
from mtlbio.training.predictors import fit_predictors
from mtlbio.training.problem import Roles
from mtlbio.training.replicas import fit
from mtlbio.training.stacking import stack_predictors

EPOCHS, RATE = 15, 0.3


@pytest.fixture(scope="module")
def cohort():
    """Disease is predicted, subtype is auxiliary; the batch is written all over the genes."""
    made = small_cohort(tasks=("disease", "age", "subtype"))
    batch = np.where(np.arange(len(made.obs)) % 2 == 0, "B1", "B2")
    batch = pd.Series(batch, index=made.obs["donor"]).groupby(level=0).first().reindex(made.obs["donor"]).to_numpy()
    pattern = np.random.default_rng(5).normal(size=made.expression.shape[1])
    expression = made.expression + np.where(batch == "B1", 1.0, -1.0)[:, None] * pattern
    tasks = {name: TASKS[name] for name in ("disease", "age")}
    return replace(
        made,
        expression=expression.astype(np.float32),
        obs=made.obs.assign(batch=pd.Categorical(batch)),
        tasks=tasks,
        auxiliary={"subtype": TASKS["subtype"]},
        covariates={"batch": CovariateInfo("batch", "technical", "categorical")},
    )


@pytest.fixture(scope="module")
def folds(cohort):
    return folds_of(cohort)


def prepared(cohort, folds, **options):
    chosen = OPTIONS.model_copy(update=options)
    problem, _ = problem_of(cohort, folds, [np.ones(2), *np.eye(2)])
    return with_extras(problem, cohort, folds, chosen)


def fitted(problem, name="dense", epochs=EPOCHS, multitask=None):
    whole, inputs = extended(problem, name)
    return fit(
        whole, inputs, [0, 1], BlockOptions(OPTIONS.block, epochs, 10_000, RATE, multitask or MultitaskOptions())
    )


def test_further_heads_leave_the_shape_of_everything_as_it_was(cohort, folds):
    plain = fitted(problem_of(cohort, folds, [np.ones(2), *np.eye(2)])[0])
    options = {"reconstruction": 1.0, "masked_genes": 1.0, "adversary": Adversary(covariate="batch")}
    problem = prepared(cohort, folds, **options)
    assert len(problem.extras.tasks) == 1 + 1 + 2 * COMPONENTS
    found = fitted(problem)
    for name in ("block", "bias", "best_epoch", "history", "offsets"):
        assert getattr(found, name).shape == getattr(plain, name).shape, name
    assert found.gradients.shared.shape == plain.gradients.shared.shape
    # the single-task arms know nothing of them
    torch.testing.assert_close(found.block[:, 1:], plain.block[:, 1:])
    assert (found.block[:, 0] - plain.block[:, 0]).abs().max() > 1e-3
    torch.testing.assert_close(found.history[0], plain.history[0])  # the same start


def test_without_any_the_problem_is_the_same(cohort, folds):
    problem = prepared(replace(cohort, auxiliary={}), folds)
    assert problem.extras is None and extended(problem, "dense")[0] is problem


def test_auxiliary_labels_are_a_task_like_any_other(cohort, folds):
    """The multi-task arm with an auxiliary subtype is the arm of a cohort that predicts the subtype too."""
    aux = fitted(prepared(cohort, folds))
    whole = replace(cohort, tasks=cohort.tasks | cohort.auxiliary, auxiliary={})
    # without the start on a dimension of its own, which an auxiliary head does not get
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Sharing, "further", 3)
        problem, _ = problem_of(whole, folds)
        problem = replace(problem, roles=Roles(2, (1.0,) * 3, (True,) * 3))
        task = fit(problem, problem.dense, [0, 1], BlockOptions(OPTIONS.block, EPOCHS, 10_000, RATE))
    torch.testing.assert_close(aux.block[:, 0], task.block[:, 0], atol=1e-6, rtol=1e-4)


def test_the_turned_gradient_is_that_of_plain_reversal(cohort, folds):
    """Against an independent network of torch modules with a reversal layer."""
    cohort = replace(cohort, auxiliary={})
    problem = prepared(cohort, folds, adversary=Adversary(covariate="batch", strength=0.7, ramp=1))
    found = fitted(problem, epochs=6)
    whole, inputs = extended(problem, "dense")
    sharing = make_sharing("hard", whole.packing, OPTIONS.block)
    sharing.further = 1
    own = {k: v.requires_grad_() for k, v in sharing.start(inputs.shape[2], torch.Generator().manual_seed(1)).items()}
    bias = torch.zeros(3, requires_grad=True)
    weight = whole.train[0, 1] * pace(inputs, whole.train)[0, 1]
    for epoch in range(6):
        grown = 2 / (1 + np.exp(-10 * min(epoch, 1))) - 1
        scores = inputs[0] @ own["trunk"]
        turned = scores.detach() * (1 + 0.7 * grown) - 0.7 * grown * scores  # value of scores, gradient times -0.7
        outputs = torch.cat([scores @ own["heads"][:, :2], turned @ own["heads"][:, 2:]], dim=1) + bias
        loss = (task_losses(outputs, whole.targets[0], weight, whole.packing) * weight).sum()
        slopes = torch.autograd.grad(loss, [own["trunk"], own["heads"], bias])
        with torch.no_grad():
            for value, slope in zip((own["trunk"], own["heads"], bias), slopes, strict=True):
                value -= RATE * slope
    maps = (own["trunk"] @ own["heads"]).detach()[:, :2]
    kept = found.best_epoch[0, 0] == 6
    assert kept.any()
    torch.testing.assert_close(found.block[0, 0, 1][:, kept], maps[:, kept], atol=1e-5, rtol=1e-3)


@pytest.mark.parametrize("strength", [1.0, 10.0])
def test_the_adversary_takes_the_batch_out_of_the_shared_part(strength):
    """Batch and disease agree in 85 of 100 donors: predictions use the batch unless the trunk is kept from it. Plain
    reversal of strength 10 ended with a batch that was easier to read than without."""
    made, rng = small_cohort(donors=160, tasks=("disease", "age"), seed=3), np.random.default_rng(2)
    sick = (made.obs["disease"] == "sick").to_numpy()
    drawn = pd.Series(np.where(rng.random(len(sick)) < 0.85, sick, ~sick), index=made.obs["donor"])
    batch = drawn.groupby(level=0).first().reindex(made.obs["donor"]).to_numpy()
    shift = np.where(batch, 1, -1)[:, None] * rng.normal(size=made.expression.shape[1])
    own = replace(
        made,
        expression=(made.expression + shift).astype(np.float32),
        obs=made.obs.assign(batch=pd.Categorical(np.where(batch, "B1", "B2"))),
        covariates={"batch": CovariateInfo("batch", "technical", "categorical")},
    )
    folds = folds_of(own)

    def read(**options) -> tuple[float, float]:
        """AUROC of held-out disease within batches, and of the batch, from the disease output."""
        problem = with_extras(problem_of(own, folds)[0], own, folds, OPTIONS.model_copy(update=options))
        whole, inputs = extended(problem, "dense")
        outputs = fit(whole, inputs, [0, 1], BlockOptions(4, 200, 40, RATE)).outputs[:, 0].mean(1)[:, :, 0].numpy()
        disease, technical = [], []
        for k in (0, 1):
            rows = folds[k].test
            y = own.y("disease")[rows]
            technical.append(roc_auc_score(batch[rows], outputs[k][rows]))
            for level in (False, True):
                here = (batch[rows] == level) & ~np.isnan(y)
                disease.append(roc_auc_score(y[here], outputs[k][rows][here]))
        return float(np.mean(disease)), float(np.mean(technical))

    before, after = read(), read(adversary=Adversary(covariate="batch", strength=strength, ramp=20))
    assert after[1] < before[1] - 0.08 and after[0] > before[0] - 0.02


def test_masked_copies_carry_no_label_and_everybody_is_rebuilt(cohort, folds):
    problem = prepared(replace(cohort, auxiliary={}), folds, masked_genes=2.0)
    whole, inputs = extended(problem, "dense")
    n = len(cohort.obs)
    assert inputs.shape[1] == 2 * n and whole.train.shape[2] == 2 * n
    assert (whole.train[:, :, n:, :2] == 0).all() and (whole.train[:, :, :n, 2:] == 0).all()
    np.testing.assert_allclose(whole.train[0, 0, :, 2:].sum(), 2.0, rtol=1e-5)
    # half of the genes are gone, and the copies keep their size on average
    assert 0.5 < float(inputs[2, n:].std() / inputs[2, :n].std()) < 2.0
    assert float((inputs[2, n:] - inputs[2, :n]).abs().mean()) > 0.01
    assert torch.isfinite(fitted(problem).block).all()


def test_reconstruction_rebuilds_the_samples(cohort, folds):
    """After training, the rebuilt components of held-out donors follow the true ones."""
    problem = prepared(replace(cohort, auxiliary={}), folds, reconstruction=16.0)
    whole, inputs = extended(problem, "dense")
    uncut = fit(replace(whole, roles=replace(whole.roles, main=18)), inputs, [0, 1], BlockOptions(8, 150, 10_000, RATE))
    held_out = folds[0].test
    rebuilt = uncut.outputs[0, 0, 0][held_out][:, 2]
    true = whole.targets[0][held_out][:, 2]
    assert torch.corrcoef(torch.stack([rebuilt, true]))[0, 1] > 0.8


@pytest.mark.parametrize("scheme", SHARING)
def test_under_every_scheme_the_heads_serve_the_multi_task_arm_and_leave_the_others_alone(cohort, folds, scheme):
    heads = {"reconstruction": 1.0, "masked_genes": 1.0}
    if make_sharing(scheme, Outputs.of({}), 1).shared:
        heads["adversary"] = Adversary(covariate="batch")
    plain = prepared(replace(cohort, auxiliary={}), folds)
    multitask = MultitaskOptions(sharing=scheme)
    with_heads, without = (fitted(p, multitask=multitask) for p in (prepared(cohort, folds, **heads), plain))
    assert with_heads.outputs.shape == without.outputs.shape and with_heads.block.shape == without.block.shape
    torch.testing.assert_close(with_heads.outputs[:, 1:], without.outputs[:, 1:], atol=1e-5, rtol=0)
    assert float((with_heads.outputs[:, 0] - without.outputs[:, 0]).abs().max()) > 1e-4


def test_balancers_weigh_tasks_and_auxiliary_labels_but_no_adversary(cohort, folds):
    options = {"adversary": Adversary(covariate="batch"), "reconstruction": 1.0}
    problem = prepared(cohort, folds, **options)
    assert extended(problem, "dense")[0].roles.balanced[:4] == (True, True, True, False)
    for name in ("pcgrad", "uncertainty"):
        assert torch.isfinite(fitted(problem, multitask=MultitaskOptions(balancing=name)).block).all()


def test_only_the_paths_asked_for_are_mixed(cohort, folds):
    problem, targets = problem_of(cohort, folds)
    problem = with_extras(problem, replace(cohort, auxiliary={}), folds, Training(paths=["dense", "curved"]))
    found = fit_predictors(problem, [0, 1], OPTIONS)
    stacking = stack_predictors(problem, found.outputs, folds, targets)
    for mixture in stacking.mixture.values():
        assert (mixture.shares[:2] == 0).all() and mixture.shares[2:].sum() > 0


BASE = {
    "run": "x",
    "expression": {"path": "x.csv", "scale": "log"},
    "tasks": {"disease": {"kind": "binary", "positive": "sick"}},
    "covariates": {"batch": {"role": "technical"}},
}


@pytest.mark.parametrize(
    "change, words",
    [
        ({"training": {"adversary": {"covariate": "plate"}, "paths": ["dense"]}}, "found 'plate'; valid: batch"),
        ({"training": {"adversary": {"covariate": "batch"}}}, "found axes, genes, which the adversary cannot reach"),
        (
            {"training": {"adversary": {"covariate": "batch"}, "paths": ["dense"], "sharing": "soft"}},
            "soft sharing has no shared parameters for it to reach; valid: hard, offset, cross_stitch",
        ),
        (
            {"tasks": {"disease": {"kind": "binary", "positive": "sick", "auxiliary": True}}},
            "all of them are auxiliary",
        ),
        ({"training": {"paths": []}}, "at least 1"),
    ],
)
def test_wrong_options_are_errors(change, words):
    with pytest.raises(ValueError, match=words):
        CohortRun.model_validate(BASE | change)
