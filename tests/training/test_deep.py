"""The deep trunk: it finds what no line finds, takes nothing where there is nothing, and is what the model predicts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import roc_auc_score as auroc
from small_training import TASKS, small_cohort

from mtlbio.choices.balancers import BALANCERS
from mtlbio.choices.multitask import MultitaskOptions
from mtlbio.choices.sharing import SHARING
from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.split import make_splits
from mtlbio.config import Splits, Training
from mtlbio.config.training import Deep, Shape
from mtlbio.kinds.read import as_run
from mtlbio.labels import Binary
from mtlbio.labels.survival import Survival
from mtlbio.labels.survival.records import records_of
from mtlbio.model.deep import hidden as hidden_in_numpy
from mtlbio.model.ensemble import FINAL, load_ensemble, save_ensemble
from mtlbio.model.outputs import Outputs
from mtlbio.parts import Parts
from mtlbio.training import fold_parts, stacking
from mtlbio.training.deep import fit as fitting
from mtlbio.training.deep import network
from mtlbio.training.deep.network import Data, fit_network
from mtlbio.training.deep.trunk import hidden, start
from mtlbio.training.fold_in import fold_in
from mtlbio.training.fold_parts import KeptFolds, deep_lines, fit_folds
from mtlbio.training.stacking import mix, with_deep
from mtlbio.training.stored import put_together, taken_apart
from mtlbio.training.subsets import out_of_fold

QUICK = Deep(shapes=[Shape(width=32, depth=1, dropout=0.1)], inputs=["axes"], epochs=30, patience=8, batch=64)
SMALL = {"genes": 40, "curves": 20, "seeds": 2, "epochs": 30, "patience": 12, "device": "cpu", "single_task": False}


def planted(nonlinear: bool, donors: int = 600, seed: int = 0) -> Cohort:
    """Six programmes of ten genes; the disease follows the product of two of them, or their sum."""
    rng = np.random.default_rng([seed, 5])
    activity = rng.standard_normal((donors, 6))
    loadings = np.kron(np.eye(6), np.ones(10))
    odds = 3 * activity[:, 0] * activity[:, 1] if nonlinear else 1.5 * (activity[:, 0] + activity[:, 1])
    sick = rng.random(donors) < 1 / (1 + np.exp(-odds))
    names = np.array(["healthy", "sick"], dtype=object)[sick.astype(int)]
    expression = 7 + activity @ loadings + 0.5 * rng.standard_normal((donors, 60))
    obs = pd.DataFrame({"donor": [f"d{i:03d}" for i in range(donors)], "disease": names})
    obs.index = [f"s{i:03d}" for i in range(donors)]
    genes = tuple(f"g{i:02d}" for i in range(60))
    return Cohort(expression.astype(np.float32), genes, obs, {"disease": Binary("disease", ("healthy", "sick"))})


def options_of(encoder: str, **more) -> Training:
    return Training(**SMALL | {"genes": 60, "axes": 6, "encoder": encoder, "deep": QUICK} | more)


def fitted(cohort: Cohort, options: Training):
    splits = make_splits(cohort, Splits(folds=3))
    return fit_folds(cohort, splits, options, [0, 1, 2])


@pytest.fixture(scope="module")
def exclusive_or():
    """A cohort whose disease is an exclusive or, and what a run with paths of lines only makes of it."""
    cohort = planted(nonlinear=True)
    return cohort, fitted(cohort, options_of("mlp", paths=["axes", "genes", "dense"]))


def test_an_exclusive_or_is_found_where_lines_are_at_chance(exclusive_or):
    cohort, refit = exclusive_or
    y = cohort.y("disease")
    assert auroc(y, out_of_fold(cohort, refit, 0, "disease")) > 0.7
    for name in ("axes", "genes", "dense"):
        outputs = refit.predictors.outputs[name]
        outputs = outputs[:, 0] if outputs.ndim == 5 else outputs
        alone = np.zeros(len(y))
        for i, data in enumerate(refit.folds):
            alone[data.test] = outputs[i].mean(0)[data.test, 0]
        assert abs(auroc(y, alone) - 0.5) < 0.1
    assert min(mixture.shares[-1] for mixture in refit.stacking.mixture.values()) > 0.5
    assert all("reads axes, 1 residual blocks of width 32" in line for line in deep_lines(refit, cohort.tasks))


def test_a_line_takes_nothing_from_it_and_stays_what_it_is_to_the_last_digit():
    cohort = planted(nonlinear=False, donors=300)
    linear, beside = (fitted(cohort, options_of(encoder)) for encoder in ("linear", "mlp"))
    assert linear.predictors.deep is None and beside.predictors.deep is not None
    assert [m.shares[-1] for m in beside.stacking.mixture.values()] == [0.0] * 3
    for key, mixture in linear.stacking.mixture.items():
        np.testing.assert_array_equal(beside.stacking.mixture[key].shares[:-1], mixture.shares)
    np.testing.assert_array_equal(beside.stacking.outputs, linear.stacking.outputs)
    few = fitted(cohort, options_of("auto", deep=QUICK.model_copy(update={"from_donors": 301})))
    assert taken_apart(few).keys() == taken_apart(linear).keys()
    for name, array in taken_apart(linear).items():
        np.testing.assert_array_equal(taken_apart(few)[name], array)


@pytest.fixture(scope="module")
def of_all_kinds():
    """Tasks of four kinds with missing labels, each taking some of a gated trunk, and the canonical model."""
    return trained_model("hard")


def trained_model(sharing: str):
    cohort = small_cohort()
    quick = QUICK.model_copy(update={"epochs": 6})
    options = Training(**SMALL | {"axes": 6, "encoder": "mlp", "deep": quick, "sharing": sharing})

    def a_quarter_of_all(task, paths, *given):
        return replace(mix(task, paths, *given), shares=np.full(len(paths), 0.25))

    with pytest.MonkeyPatch.context() as patch:  # whatever is won, something is taken
        patch.setattr(stacking, "_BEYOND", -np.inf)
        patch.setattr(stacking, "_LEAST_DONORS", 0)
        patch.setattr(stacking, "mix", a_quarter_of_all)
        refit = fit_folds(cohort, make_splits(cohort, Splits(folds=3)), options)
    return cohort, refit, fold_in(cohort, refit, [0, 1])


@pytest.mark.parametrize("sharing", ["hard", "mmoe"])
def test_the_model_that_is_written_predicts_what_was_stacked(sharing, of_all_kinds, tmp_path):
    cohort, refit, canonical = of_all_kinds if sharing == "hard" else trained_model(sharing)
    save_ensemble(canonical.ensemble, tmp_path / "model", {})
    back, packing = load_ensemble(tmp_path / "model"), Outputs.of(cohort.tasks)
    assert sorted(back.models) == [FINAL, 0, 1, 2]
    for i, data in enumerate(refit.folds):
        assert back.models[data.fold].deep is not None
        for t, task in enumerate(packing.tasks):
            outputs = refit.stacking.outputs[i, 0][..., packing.outputs[t]].astype(float)
            scale = refit.targets.scale[i, t]
            expected = task.to_prediction(outputs, refit.targets.mean[i, t], scale)
            found = back.predict(task.name, cohort.expression, data.fold)
            np.testing.assert_allclose(found / scale, expected / scale, atol=2e-4)


def test_what_is_not_taken_is_not_kept(of_all_kinds):
    _, refit, _ = of_all_kinds
    deep, data = refit.predictors.deep, refit.folds[0]
    columns = deep.replicas[0, 0].place
    assert deep.block(0, data, np.zeros(len(columns))) is None
    one = deep.block(0, data, np.eye(len(columns))[0])
    assert [len(networks) for networks in one.networks] == [1, 1]
    assert (one.place[:, 1:] == -1).all() and (one.place[:, 0] == 0).all()


@pytest.mark.parametrize("depth", [0, 2])
def test_numpy_and_torch_are_one_network(depth):
    shape = Shape(width=16, depth=depth, dropout=0.5)
    layers, inputs = start(7, shape, 3), torch.randn(20, 7, generator=torch.Generator().manual_seed(0))
    expected = hidden(layers, inputs, shape)
    found = hidden_in_numpy({k: v.numpy() for k, v in layers.items()}, inputs.numpy())
    np.testing.assert_allclose(found, expected, atol=1e-6)
    dropped = hidden(layers, inputs, shape, lambda units: torch.rand(20, units))
    assert not torch.allclose(dropped, expected)


def data_of(seed: int = 0) -> Data:
    """One network's data: programmes as they are, labels 0/1 of several tasks, of which one has few."""
    rng, packing = np.random.default_rng(seed), Outputs.of({k: TASKS[k] for k in ("disease", "age", "stage")})
    n = 200
    inputs = rng.standard_normal((n, 4))
    product = inputs[:, 0] * inputs[:, 1]
    targets = np.stack([product > 0, product, np.digitize(inputs[:, 2], [-0.7, 0, 0.7])], axis=1)
    trains = np.arange(n) < 150
    train, validation = (np.repeat(rows[:, None], 3, axis=1).astype(float) for rows in (trains, ~trains))
    train[30:, 2] = 0
    scaled = [w / w.sum(0) for w in (train, validation)]
    tensors = [torch.as_tensor(v, dtype=torch.float32) for v in (inputs, targets, *scaled)]
    return Data(*tensors, torch.arange(n), packing, 3)


@pytest.mark.parametrize("sharing", [name for name, facts in SHARING.items() if facts.shared])
def test_every_scheme_that_shares_learns_a_product(sharing):
    found = fit_network(data_of(), QUICK, QUICK.shapes[0], MultitaskOptions(sharing), 4, 0)
    assert found.left < 0.9
    assert found.outputs.isfinite().all()


def test_half_precision_learns_it_too_and_keeps_single_precision(monkeypatch):
    given = (data_of(), QUICK, QUICK.shapes[0], MultitaskOptions(), 4, 0)
    whole = fit_network(*given)
    monkeypatch.setattr(network, "half_precision", lambda device: True)
    half = fit_network(*given)
    assert half.left < 0.9 and not torch.equal(half.outputs, whole.outputs)
    assert {array.dtype for each in half.networks for array in each.values()} == {np.dtype("float32")}


def test_times_to_an_event_are_learnt_from_who_is_at_risk_in_the_batch():
    rng, n = np.random.default_rng(0), 600
    inputs = rng.standard_normal((n, 4))
    hazard = 1.5 * inputs[:, 0] * inputs[:, 1]
    time, event = rng.exponential(np.exp(-hazard)), (rng.random(n) < 0.7).astype(float)
    nobody, none = np.full(n, -np.inf), np.zeros(n, dtype=int)
    task = Survival("death", records_of(time, event, nobody, none), (float(np.median(time)),))
    targets = task.table.place(time, event, nobody, none)[:, None]
    trains = (np.arange(n) < 300)[:, None].astype(float)
    validates = ((np.arange(n) >= 300) & (np.arange(n) < 400))[:, None].astype(float)
    tensors = [torch.as_tensor(v, dtype=torch.float32) for v in (inputs, targets, trains / 300, validates / 100)]
    data = Data(*tensors, torch.arange(n), Outputs.of({"death": task}), 1)
    found = fit_network(data, QUICK, QUICK.shapes[0], MultitaskOptions(), 4, 0)
    assert np.corrcoef(found.outputs[400:, 0], hazard[400:])[0, 1] > 0.6


@pytest.mark.parametrize("balancing", list(BALANCERS))
def test_every_balancer_weighs_it(balancing):
    data = data_of()
    three = QUICK.model_copy(update={"epochs": 8})
    multitask = MultitaskOptions(balancing=balancing)
    found = fit_network(data, three, QUICK.shapes[0], multitask, 4, 0)
    assert found.outputs.isfinite().all() and found.left < 1
    again = fit_network(data, three, QUICK.shapes[0], multitask, 4, 0)
    torch.testing.assert_close(found.outputs, again.outputs, rtol=0, atol=0)
    if balancing == "equal":
        return
    plain = fit_network(data, three, QUICK.shapes[0], MultitaskOptions(), 4, 0)
    assert not torch.equal(plain.outputs, found.outputs)


def test_a_task_alone_is_what_it_is_whatever_the_balancer():
    data = data_of()
    alone = torch.tensor([1.0, 0, 0])
    data = replace(data, train=data.train * alone, validation=data.validation * alone)
    found = [
        fit_network(data, QUICK, QUICK.shapes[0], MultitaskOptions(balancing=name), 4, 0).outputs
        for name in ("equal", "pcgrad")
    ]
    assert torch.equal(*found)
    assert (found[0][:, 1:] == 0).all()


def test_validation_and_missing_labels_teach_nothing():
    data = data_of()
    changed = data.targets.clone()
    changed[30:150, 2] = 3 - changed[30:150, 2]  # has no weight
    given = (QUICK.shapes[0], MultitaskOptions(), 4, 0)
    same, as_it_is = (fit_network(replace(data, targets=y), QUICK, *given) for y in (changed, data.targets))
    torch.testing.assert_close(same.outputs, as_it_is.outputs, rtol=0, atol=0)
    one = QUICK.model_copy(update={"epochs": 1})
    moved = data.targets.clone()
    moved[150:, 1] = moved[150:, 1].flip(0) * 0.99
    first, second = (fit_network(replace(data, targets=y), one, *given) for y in (data.targets, moved))
    both = (first.best_epoch == 1) & (second.best_epoch == 1)
    assert both[0] and torch.equal(first.outputs[:, 0], second.outputs[:, 0])


def test_samples_in_another_order_are_the_same_samples(exclusive_or):
    cohort, refit = exclusive_or
    turned = np.random.default_rng(0).permutation(len(cohort.obs))
    other = replace(cohort, expression=cohort.expression[turned], obs=cohort.obs.iloc[turned])
    found = fitted(other, options_of("mlp", paths=["axes", "genes", "dense"]))
    expected = out_of_fold(cohort, refit, 0, "disease")[turned]
    np.testing.assert_allclose(out_of_fold(other, found, 0, "disease"), expected, atol=0.02)


def test_a_killed_run_goes_on_and_ends_the_same(tmp_path, monkeypatch):
    cohort = small_cohort(tasks=("disease", "age"))
    quick = QUICK.model_copy(update={"epochs": 3})
    splits = make_splits(cohort, Splits(folds=3))
    options = Training(**SMALL | {"axes": 6, "encoder": "mlp", "deep": quick})
    monkeypatch.setattr(fold_parts, "_parts", lambda *_: Parts(tmp_path / "parts" / "train", "key"))
    kept = KeptFolds(None, tmp_path)
    whole = fit_folds(cohort, splits, options)
    done, plain = [], fitting.fit_fold

    def killed(*given):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(len(done))
        return plain(*given)

    monkeypatch.setattr(fitting, "fit_fold", killed)
    with pytest.raises(KeyboardInterrupt):
        fit_folds(cohort, splits, options, kept=kept)
    done.clear()
    resumed = fit_folds(cohort, splits, options, kept=kept)
    assert done == [0, 1]  # the first two of four were there
    expected = taken_apart(whole)
    assert taken_apart(resumed).keys() == expected.keys()
    for name, array in taken_apart(resumed).items():
        np.testing.assert_array_equal(array, expected[name])
    monkeypatch.undo()
    apart = [fit_folds(cohort, splits, options, only) for only in ([FINAL, 2], [1, 0])]
    back = [put_together(fold_parts.Refit, taken_apart(part)) for part in apart]
    together = taken_apart(fold_parts.joined(back))
    for name, array in expected.items():
        if name.startswith("predictors/deep"):
            np.testing.assert_allclose(together[name], array, atol=1e-6)


def test_surely_better_is_two_standard_errors_of_donors():
    rng, task = np.random.default_rng(0), TASKS["age"]
    y, noise = rng.standard_normal((2, 400))
    paths = (0.3 * y + rng.standard_normal((4, 400)))[..., None]
    linear = mix(task, paths, y)
    used = np.ones(4, dtype=bool)
    knows = with_deep(task, np.append(paths, (y + 0.3 * noise)[None, :, None], axis=0), y, used, linear)
    idle = with_deep(task, np.append(paths, noise[None, :, None], axis=0), y, used, linear)
    assert knows.shares[-1] > 0.5
    assert idle.shares[-1] == 0 and (idle.shares[:-1] == linear.shares).all()
    one_donor = with_deep(
        task, np.append(paths, (y + 0.3 * noise)[None, :, None], axis=0), y, used, linear, donors=np.repeat("d", 400)
    )
    assert one_donor.shares[-1] == 0
    few = [np.append(paths, (y + 0.3 * noise)[None, :, None], axis=0)[:, :n] for n in (99, 100)]
    taken = [with_deep(task, p, y[: p.shape[1]], used, linear).shares[-1] for p in few]
    assert taken[0] == 0 and taken[1] > 0.5
    broken = with_deep(task, np.append(paths, np.full((1, 400, 1), np.nan), axis=0), y, used, linear)
    assert broken.shares[-1] == 0 and np.isfinite(broken.shares).all()


@pytest.mark.parametrize(
    "training, line",
    [
        ({"sharing": "soft"}, "training.sharing: soft sharing lets no task"),
        ({"reconstruction": 1.0}, "training.reconstruction: reaches the linear trunk only"),
        ({"adversary": {"covariate": "batch"}, "paths": ["dense"]}, "training.adversary: reaches the linear trunk"),
    ],
)
def test_what_it_cannot_serve_is_refused_and_left_to_lines_by_auto(training, line):
    content = {"run": "a", "expression": {"path": "e.csv", "scale": "log2"}, "tasks": {"age": {"kind": "regression"}}}
    content |= {"covariates": {"batch": {"role": "technical"}}, "metadata": {"path": "m.csv"}}
    with pytest.raises(Exception, match=line):
        as_run(content | {"training": training | {"encoder": "mlp"}})
    assert as_run(content | {"training": training | {"encoder": "auto"}}).training.encoder == "auto"
