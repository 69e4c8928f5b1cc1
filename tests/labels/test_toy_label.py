"""Kinds of label that the package does not know: the example of the docs from its YAML to the page, and risk sets."""

from __future__ import annotations

import importlib
import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import poisson, spearmanr
from sklearn.metrics import mean_poisson_deviance

from mtlbio import cli
from mtlbio.cohort.cohort import Cohort, read_cohort
from mtlbio.cohort.simulate import simulate, write_simulation
from mtlbio.cohort.split import make_splits
from mtlbio.config import Splits, Training
from mtlbio.errors import InputError
from mtlbio.kinds import STEPS
from mtlbio.kinds.sources import modules_of
from mtlbio.labels import Label, TaskSection, kinds, label_kind, read_label, register, registry
from mtlbio.metrics import METRICS as KNOWN_METRICS
from mtlbio.tables import COMPARISONS, METRICS, PREDICTIONS, VERDICTS, read_table
from mtlbio.training.networks import BlockOptions, Networks
from mtlbio.training.problem import Problem, make_problem, make_targets, prepare_fold
from mtlbio.training.sparse_heads import fit_sparse_heads
from mtlbio.workflow import plan

DOCS = Path(__file__).parents[2] / "docs/labels.md"
RUN = """\
run: small
expression: {path: expression.parquet, scale: log2}
metadata: {path: metadata.csv}
tasks: {flares: {kind: count, most: 60}, disease: {kind: binary, positive: case}}
covariates: {batch: {role: technical, kind: categorical}}
splits: {folds: 2}
training: {genes: 300, seeds: 1, epochs: 30, block: 1}
baselines: {arms: [ridge, covariates]}
evaluate: {bootstrap: 100}
probe: {permutations: 99, bootstrap: 100}
"""


@pytest.fixture(scope="module", autouse=True)
def counts(tmp_path_factory):
    """The module of the docs' example; its kind is known while these tests run."""
    folder = tmp_path_factory.mktemp("package")
    (folder / "my_counts.py").write_text(DOCS.read_text(encoding="utf-8").split("```python\n")[1].split("```")[0])
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        patch.setattr(registry.LABELS, "by_name", kinds())
        patch.setitem(KNOWN_METRICS, "deviance", None)
        yield importlib.import_module("my_counts")
        del sys.modules["my_counts"]


def planted(folder: Path) -> pd.Series:
    """A cohort whose flares follow the interferon programme; their rate by sample."""
    made = simulate("clear", seed=1, donors=120, genes=300)
    activity = made.truth["interferon"].to_numpy()
    rate = np.exp(1.5 + 0.6 * activity / activity.std())
    metadata = made.metadata.assign(flares=np.random.default_rng(3).poisson(rate).astype(object))
    metadata.loc[::10, "flares"] = np.nan
    write_simulation(folder, made)
    metadata.to_csv(folder / "metadata.csv", index=False)
    (folder / "run.yaml").write_text(RUN)
    return pd.Series(rate, index=metadata["sample_id"].astype(str))


def call(*words: str) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["mtlbio", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
    return ended.value.code or 0


@pytest.fixture(scope="module")
def finished(counts, tmp_path_factory):
    """Results of all six steps, and the rate that was planted."""
    folder = tmp_path_factory.mktemp("flares")
    rate = planted(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for step in STEPS:
            assert call(step, "run.yaml", "--results", "results") == 0
    return folder / "results", rate


def held_out(results: Path, arm: str, folder: str = "") -> pd.DataFrame:
    """Rows of the counts of one arm, by sample."""
    table = read_table(results / folder / "predictions.tsv", PREDICTIONS)
    return table[(table["task"] == "flares") & (table["arm"] == arm)].set_index("sample")


@pytest.mark.parametrize(("arm", "folder"), [("multitask", ""), ("singletask", ""), ("ridge", "baselines")])
def test_counts_are_predicted_and_scored_by_their_own_metrics(finished, arm, folder):
    results, rate = finished
    rows = held_out(results, arm, folder)
    assert len(rows) == 120 and rows["label"].isna().all() and (rows["y_pred"] > 0).all()
    assert spearmanr(rows["y_pred"], rate[rows.index])[0] > 0.75
    known = rows.dropna(subset="y_true")
    assert len(known) == 108 and (known["y_true"] % 1 == 0).all()
    metrics = read_table(results / "metrics.tsv", METRICS)
    found = metrics[(metrics["task"] == "flares") & (metrics["arm"] == arm)].set_index("metric")
    assert found.index.tolist() == ["spearman", "deviance"]
    expected = mean_poisson_deviance(known["y_true"], known["y_pred"])
    assert found.loc["deviance", "value"] == pytest.approx(expected, abs=1e-4)
    assert found.loc["spearman", "value"] == pytest.approx(spearmanr(known["y_true"], known["y_pred"])[0], abs=1e-4)
    assert found.loc["deviance", "ci_low"] < expected < found.loc["deviance", "ci_high"]


def test_the_network_beats_what_knows_only_the_mean(finished):
    known = held_out(finished[0], "multitask").dropna(subset="y_true")
    constant = np.full(len(known), known["y_true"].mean())
    ours = mean_poisson_deviance(known["y_true"], known["y_pred"])
    assert ours < 0.6 * mean_poisson_deviance(known["y_true"], constant)
    compared = read_table(finished[0] / "comparisons.tsv", COMPARISONS)
    assert set(compared.loc[compared["task"] == "flares", "metric"]) == {"spearman"}


def test_a_dimension_is_put_on_trial_for_the_counts(finished):
    verdicts = read_table(finished[0] / "verdicts.tsv", VERDICTS).set_index("dim")
    found = verdicts.loc[verdicts["q_flares"].idxmin()]
    assert found["q_flares"] < 1e-4 and found["verdict"] == "biology" and "flares" in found["why"]
    low, effect, high = np.abs(found[["ci_low_flares", "effect_flares", "ci_high_flares"]].astype(float))
    assert min(low, high) > 0.3 and 0.4 < effect < 1.2
    assert verdicts["delta_flares"].notna().all()
    assert "flares" in (finished[0] / "report.html").read_text(encoding="utf-8")


def test_the_label_is_read_back_and_predicts_new_samples(finished, counts, monkeypatch):
    results, rate = finished
    task = read_cohort(results / "cohort.h5ad").tasks["flares"]
    assert task == counts.Count("flares", most=60) == read_label(json.loads(json.dumps(task.saved())))
    assert '"most": 60' in json.dumps(json.loads((results / "model/model.json").read_text()))
    monkeypatch.chdir(results.parent)
    new = pd.read_parquet("expression.parquet").sample(frac=0.5, random_state=0)
    new.to_parquet("new.parquet")
    assert call("predict", "results", "new.parquet") == 0
    table = pd.read_csv(next(results.glob("predict/*/predictions.tsv")), sep="\t").query("task == 'flares'")
    assert table["sample"].tolist() == list(new.index) and (table["y_pred"] > 0).all()
    assert spearmanr(table["y_pred"], rate[table["sample"]])[0] > 0.75


def test_the_workflow_watches_the_module_of_the_kind(finished, counts, monkeypatch):
    monkeypatch.chdir(finished[0].parent)
    planned, small = plan({"runs": "run.yaml"}), SimpleNamespace(run="small")
    for step in STEPS:
        assert set(planned.modules(step)(small)) - set(modules_of(step)) == {counts.__file__}


def test_the_loss_is_the_likelihood_of_a_poisson(counts):
    task, rng = counts.Count("flares"), np.random.default_rng(0)
    outputs, y = torch.as_tensor(rng.normal(0, 1, (3, 20, 1))), rng.poisson(4, 20)
    _, scale = task.standard(y)
    loss = scale * task.loss(outputs, torch.as_tensor(y / scale), torch.ones(3, 20)).numpy()
    rate = task.to_prediction(outputs.numpy(), 0.0, scale)
    constant = -poisson.logpmf(y, rate) - loss  # of the outputs nothing is left
    assert np.allclose(constant, constant[:1], atol=1e-10)


def test_what_is_wrong_is_one_clear_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    planted(tmp_path)
    for wrong, line in {
        "mots: 60": "run.yaml: tasks.flares.mots: unknown key; did you mean most? "
        "valid here: kind, column, where, auxiliary, most",
        "most: 0": "run.yaml: tasks.flares.most: found 0; expected whole number, above 0",
        "transform: log": "run.yaml: tasks.flares.transform: only regression tasks have one; found kind: count; "
        "valid here: kind, column, where, auxiliary, most",
        "most: 4": f"{tmp_path}/metadata.csv: tasks.flares: found 5 (sample 'S0002'); expected counts of 0 to 4",
    }.items():
        Path("run.yaml").write_text(RUN.replace("most: 60", wrong))
        assert call("prepare", "run.yaml", "--results", "results") == 2
        assert capsys.readouterr().err.splitlines()[-1] == f"mtlbio: error: {line}"


def test_a_loss_that_diverges_is_told(tmp_path, counts, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    planted(tmp_path)
    monkeypatch.setattr(counts.Count, "loss", lambda self, outputs, target, weights: (outputs[..., 0] - target) ** 6)
    assert call("prepare", "run.yaml", "--results", "results") == 0
    assert call("train", "run.yaml", "--results", "results") == 2
    assert "flares, disease: some predictions are no numbers, so a loss has diverged" in capsys.readouterr().err


def test_a_kind_of_an_installed_package_is_found(counts, monkeypatch):
    asked = []

    def entry_points(group: str, name: str) -> list:
        asked.append((group, name))
        return [SimpleNamespace(load=lambda: counts.Count)] if name == "count" else []

    monkeypatch.setattr("importlib.metadata.entry_points", entry_points)
    monkeypatch.delitem(registry.LABELS.by_name, "count")
    assert label_kind("binary").kind == "binary" and asked == []
    assert read_label({"kind": "count", "name": "flares", "most": 9}) == counts.Count("flares", 9)
    assert label_kind("count") is counts.Count and asked == [("mtlbio.labels", "count")]
    with pytest.raises(InputError, match="kind: found 'weekday'; expected binary, .*count"):
        label_kind("weekday")
    with pytest.raises(ValueError, match="a kind of label 'count' is known already: my_counts"):
        register(type("Other", (counts.Count,), {}))


@dataclass(frozen=True)
class Among(Label):
    """A score by which a sample stands out among those that take part: a loss that reads the weights of the others."""

    kind: ClassVar[str] = "among"
    section: ClassVar[type[TaskSection]] = TaskSection
    metrics: ClassVar = (KNOWN_METRICS["spearman"],)
    reads_weights: ClassVar[bool] = True

    def loss(self, outputs, target, weights):
        scores = outputs[..., 0]
        everyone = torch.logsumexp(scores + weights.clamp_min(1e-30).log(), dim=-1, keepdim=True)
        return target * (everyone - scores)


DONORS, OPTIONS = 40, Training(genes=50, axes=4, block=4, curves=20, seeds=2, epochs=10, single_task=False)


@pytest.fixture(scope="module")
def watched():
    """A problem of a task that reads weights beside one that does not; some donors come twice, some have no label."""
    rng = np.random.default_rng(0)
    rows = np.sort(np.concatenate([np.arange(DONORS), np.arange(0, DONORS, 4)]))
    values = rng.standard_normal((len(rows), 50)) + rng.standard_normal((DONORS, 1))[rows]
    obs = pd.DataFrame({"donor": [f"d{i:02d}" for i in rows]}, index=[f"s{i:02d}" for i in range(len(rows))])
    obs["rank"] = np.where(rows % 5 == 0, np.nan, np.exp(values[:, :10].mean(axis=1)))
    obs["age"] = np.where(rows % 7 == 0, np.nan, values[:, 0])
    tasks = {"rank": Among("rank"), "age": label_kind("regression")("age")}
    cohort = Cohort(values.astype(np.float32), tuple(f"g{i}" for i in range(50)), obs, tasks)
    splits = make_splits(cohort, Splits(folds=2))
    folds = [prepare_fold(cohort, splits, fold, OPTIONS) for fold in (0, 1)]
    return cohort, splits, make_problem(cohort, folds, make_targets(cohort, folds), [np.ones(2)], 2, "cpu")


def permuted(problem: Problem, order: np.ndarray) -> Problem:
    """The problem with its samples in another order."""
    parts = {name: getattr(problem, name)[:, order] for name in ("axes", "dense", "targets")}
    parts |= {name: getattr(problem, name)[:, :, order] for name in ("train", "validation")}
    return replace(problem, **parts)


def losses_of(problem: Problem) -> tuple[np.ndarray, ...]:
    """Losses of the first task in training and held out after three steps, and outputs; all (folds, seeds, samples)."""
    networks = Networks(problem, problem.dense, [0, 1], BlockOptions.of(OPTIONS))
    for epoch in range(3):
        loss = networks.losses()
        trained = (loss.detach() * problem.train[:, None]).sum(-2)
        networks.step(epoch, loss, trained, torch.ones_like(trained[:, :, 0], dtype=torch.bool))
    loss = networks.losses()
    parts = (loss, networks.held_out_losses(loss), networks.outputs(*networks.point()))
    return tuple(part[:, 0, ..., 0].detach().numpy() for part in parts)


def test_the_weights_that_a_loss_reads_are_those_of_its_samples(watched):
    cohort, splits, problem = watched
    loss, held, scores = losses_of(problem)
    assert np.abs(scores).max() > 0.01
    target = problem.targets[:, None, :, 0].numpy()
    for found, weights in ((loss, problem.train), (held, problem.validation)):
        own = weights[..., 0].numpy()
        expected = np.log((own * np.exp(scores)).sum(-1, keepdims=True)) - scores
        assert np.allclose(found, target * expected, atol=1e-5)
    for fold in (0, 1):
        out = np.isnan(cohort.y("rank")) | (splits["fold"].to_numpy() == fold)
        for weights in (problem.train[fold, :, :, 0], problem.validation[fold, :, :, 0]):
            assert out.any() and (weights[:, out] == 0).all() and torch.allclose(weights.sum(1), torch.ones(2))
        assert ((problem.train[fold, :, :, 0] > 0) ^ (problem.validation[fold, :, :, 0] > 0))[:, ~out].any()


def test_weights_move_with_their_samples(watched):
    problem = watched[2]
    order = np.random.default_rng(1).permutation(problem.targets.shape[1])
    for found, moved in zip(losses_of(problem), losses_of(permuted(problem, order)), strict=True):
        assert np.allclose(moved, found[..., order], atol=1e-4)
    left = replace(problem, train=problem.train[:, :, order])  # the losses would be others if the weights stayed behind
    assert not np.allclose(losses_of(left)[0], losses_of(problem)[0], atol=1e-4)
    heads, moved = (fit_sparse_heads(found, found.axes) for found in (problem, permuted(problem, order)))
    assert heads.weights.abs().max() > 0.01
    torch.testing.assert_close(moved.outputs, heads.outputs[:, :, order], atol=1e-3, rtol=1e-3)


def test_who_does_not_take_part_changes_no_loss_and_no_head(watched):
    problem = watched[2]
    idle = (problem.train[:, :, :, 0].sum(1) == 0) & (problem.validation[:, :, :, 0].sum(1) == 0)
    idle &= (problem.train[..., 1].sum(1) == 0) & (problem.validation[..., 1].sum(1) == 0)
    assert idle.any()
    axes = torch.where(idle[:, :, None], problem.axes + 5.0, problem.axes)
    found, other = fit_sparse_heads(problem, problem.axes), fit_sparse_heads(problem, axes)
    torch.testing.assert_close(found.weights, other.weights)
    torch.testing.assert_close(found.bias, other.bias)
