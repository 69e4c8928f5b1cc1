"""Folds one after another, from moments, are the folds of the stack."""

from __future__ import annotations

from dataclasses import replace
from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from small_training import OPTIONS, problem_of, small_cohort

from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.split import make_splits
from mtlbio.config import Splits
from mtlbio.labels import Binary, Regression
from mtlbio.training import fold_by_fold
from mtlbio.training.curvature import curvature_of, curvatures
from mtlbio.training.fold_by_fold import one_by_one, stack_bytes
from mtlbio.training.fold_in import fold_in
from mtlbio.training.fold_parts import arms_of, fit_folds
from mtlbio.training.fold_predictors import Refit
from mtlbio.training.predictors import fit_predictors
from mtlbio.training.problem import prepare_fold

SHARED = Path(__file__).parents[3] / "shared/data"


def both_ways(cohort: Cohort, **options) -> tuple[Refit, Refit, pd.DataFrame]:
    """Fits from rows and from moments, single-task arms among them."""
    splits = make_splits(cohort, Splits(folds=2))
    chosen = OPTIONS.model_copy(update={"single_task": True, "epochs": 25} | options)
    rows, moments = (
        fit_folds(cohort, splits, chosen.model_copy(update={"fit_from": how})) for how in ("rows", "moments")
    )
    return rows, moments, splits


def most_apart(cohort: Cohort, rows: Refit, moments: Refit) -> tuple[float, float]:
    """Largest difference of the axes, and of the outputs of held-out samples, whose units are log odds or SD."""
    axes = [
        np.abs(a.axes.encoder - b.axes.encoder).max(initial=0.0) for a, b in zip(rows.folds, moments.folds, strict=True)
    ]
    n = len(cohort.obs)
    outputs = [
        np.abs(rows.stacking.of_held_out(i, data.test, n) - moments.stacking.of_held_out(i, data.test, n)).max()
        for i, data in enumerate(rows.folds)
        if len(data.test)
    ]
    return max(axes), max(outputs)


@pytest.fixture(scope="module")
def planted() -> tuple[Cohort, Refit, Refit]:
    """Two classes and a number, a part of them missing; every fourth donor came twice."""
    cohort = small_cohort(donors=90, genes=30, tasks=("disease", "age"))
    return cohort, *both_ways(cohort)[:2]


def test_folds_know_the_same_before_any_label(planted):
    _, rows, moments = planted
    for a, b in zip(rows.folds, moments.folds, strict=True):
        assert a.fold == b.fold
        np.testing.assert_array_equal(a.features.genes_idx, b.features.genes_idx)
        np.testing.assert_array_equal(a.inner, b.inner)
        np.testing.assert_allclose(b.axes.encoder, a.axes.encoder, atol=1e-6)
        np.testing.assert_allclose(b.basis, a.basis, atol=1e-6)
        # the cosines' own directions are left out: those of nearly the same variance may turn among each other
        np.testing.assert_allclose(b.curves.mean, a.curves.mean, atol=1e-6)


def test_networks_and_predictions_are_the_same_to_single_precision(planted):
    cohort, rows, moments = planted
    axes, outputs = most_apart(cohort, rows, moments)
    assert axes < 1e-6
    assert outputs < 1e-4
    for name, block in rows.predictors.blocks.items():
        other = moments.predictors.blocks[name]
        assert torch.equal(block.best_epoch, other.best_epoch)
        torch.testing.assert_close(block.block, other.block, atol=1e-4, rtol=1e-3)
        torch.testing.assert_close(block.gradients.shared, other.gradients.shared, atol=1e-4, rtol=1e-2)
        assert other.outputs.numel() == 0, "of no sample is kept what a predictor says"
    a, b = (fold_in(cohort, refit, [0, 1]).ensemble for refit in (rows, moments))
    for task in cohort.tasks:
        np.testing.assert_allclose(b.predict(task, cohort.expression), a.predict(task, cohort.expression), atol=2e-4)


@pytest.mark.parametrize("sharing", ["hard", "mmoe"])
def test_tasks_by_their_own_columns_take_the_steps_of_the_whole_stack(sharing):
    """In double precision: what is left of the differences is rounding. Gated networks are computed whole."""
    cohort = small_cohort(donors=50, genes=30, tasks=("age", "subtype"))
    splits = make_splits(cohort, Splits(folds=3))
    options = OPTIONS.model_copy(update={"sharing": sharing, "genes": 25, "epochs": 25})
    problem, _ = problem_of(cohort, [prepare_fold(cohort, splits, 0, options)], [np.ones(2), *np.eye(2)], options)
    tensors = {name: value.double() for name, value in vars(problem).items() if isinstance(value, torch.Tensor)}
    problem = replace(problem, **tensors)
    whole, by_task = (fit_predictors(problem, [0, 1], options, by_task=apart) for apart in (False, True))
    used = problem.active[:, torch.as_tensor(problem.packing.task_of_output)]
    for name, outputs in whole.outputs.items():
        trained = outputs if outputs.dim() == 4 else outputs * used[None, :, None, None]
        found = by_task.outputs[name]
        found = found if outputs.dim() == 4 else found * used[None, :, None, None]
        torch.testing.assert_close(found, trained, atol=1e-9, rtol=1e-6)
    for name, head in whole.heads.items():
        assert torch.equal(head.penalty, by_task.heads[name].penalty)
        torch.testing.assert_close(by_task.heads[name].weights, head.weights, atol=1e-9, rtol=1e-6)


def test_curvatures_without_second_moments():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(60, 20, generator=generator, dtype=torch.float64)
    weights = torch.rand(4, 60, generator=generator, dtype=torch.float64)
    weights[1, 9:] = 0  # fewer samples than features
    weights[2] = 0
    scale = torch.tensor([1.0, 0.5, 1.0, 2.0], dtype=torch.float64)
    plain, with_bias = curvatures(x, weights), curvatures(x, weights, scale)
    assert plain[2] == with_bias[2] == 0
    for q in (0, 1, 3):
        rows, root = weights[q] > 0, weights[q, weights[q] > 0].sqrt()[:, None]
        assert plain[q] == pytest.approx(curvature_of(x[rows] * root).item(), rel=1e-9)
        beside = torch.cat([x[rows] * root * scale[q], root], dim=1)
        assert with_bias[q] == pytest.approx(curvature_of(beside).item(), rel=1e-9)


def test_the_size_chooses_and_the_key_decides(monkeypatch):
    cohort = small_cohort(donors=40, genes=30)
    splits = make_splits(cohort, Splits(folds=3))
    arms = len(arms_of(cohort, OPTIONS)[1])

    def chosen(how: str) -> bool:
        return one_by_one(cohort, splits, OPTIONS.model_copy(update={"fit_from": how}), arms)

    said: list[str] = []
    monkeypatch.setattr(fold_by_fold, "say", said.append)
    assert not chosen("auto")
    assert not said
    assert not chosen("rows")
    assert chosen("moments")
    assert said == [f"Fitted from {how} (training.fit_from)" for how in ("rows", "moments")]
    monkeypatch.setattr(fold_by_fold, "_LARGE", stack_bytes(cohort, splits, OPTIONS, arms) - 1)
    assert not chosen("auto"), "few samples are stacked whatever their size"
    monkeypatch.setattr(fold_by_fold, "FEW", len(cohort.obs))
    assert chosen("auto")
    assert said[-1].startswith("Fitted from moments, fold after fold: a stack of all folds would take")
    assert not chosen("rows")


def cohort_of(folder: Path, genes: int, disease: tuple[str, str, str]) -> Cohort:
    """The most variable genes of a cohort on disk, fewer than samples; tasks are a disease (column, control, case), and
    age."""
    metadata = pd.read_csv(folder / "metadata.csv", dtype={"sample_id": str}).set_index("sample_id")
    expression = pd.read_parquet(folder / "expression.parquet")
    expression = expression.set_index("sample_id") if "sample_id" in expression else expression
    expression = expression.loc[[sample for sample in expression.index if sample in metadata.index]]
    wide = expression.columns[np.sort(np.argsort(-expression.var().to_numpy())[:genes])]
    column, *levels = disease
    known = metadata.loc[expression.index]
    obs = pd.DataFrame({"donor": known["donor_id"].astype(str), "age": known["age"].astype(float)})
    obs[column] = known[column].astype(object).where(known[column].isin(levels))
    tasks = {column: Binary(column, tuple(levels)), "age": Regression("age")}
    return Cohort(expression[wide].to_numpy(np.float32), tuple(wide), obs, tasks)


def test_leukaemia_from_moments():
    """The cut that ships."""
    with resources.as_file(resources.files("mtlbio.cohort") / "data" / "leukaemia") as folder:
        cohort = cohort_of(folder, 60, ("response", "non_responder", "responder"))
    rows, moments, _ = both_ways(cohort, axes="auto", genes=60, single_task=False)
    axes, outputs = most_apart(cohort, rows, moments)
    assert axes < 1e-6
    assert outputs < 1e-4


@pytest.mark.slow
def test_lupus_from_moments():
    folder = SHARED / "sle"
    if not (folder / "expression.parquet").is_file():
        pytest.skip("needs the lupus cohort in the shared data")
    cohort = cohort_of(folder, 150, ("disease", "healthy", "SLE"))
    rows, moments, _ = both_ways(cohort, axes="auto", genes=150, epochs=100)
    axes, outputs = most_apart(cohort, rows, moments)
    assert axes < 1e-6
    assert outputs < 1e-4
