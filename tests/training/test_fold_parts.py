"""Folds that were fitted by jobs of their own and gathered are those of one stack, to the last byte."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from small_training import TASKS, small_cohort

from mtlbio.cohort.cohort import Cohort, CovariateInfo, write_cohort
from mtlbio.cohort.prepare import prepare
from mtlbio.cohort.simulate_doses import simulate_doses, write_doses
from mtlbio.cohort.split import make_splits
from mtlbio.config import Splits
from mtlbio.door.steps import take
from mtlbio.errors import InputError
from mtlbio.integrity.record import recorded
from mtlbio.kinds import kind_of
from mtlbio.kinds.read import read_run
from mtlbio.kinds.schemas import CohortRun, DonorRun
from mtlbio.model.ensemble import FINAL
from mtlbio.tables import SPLITS, write_table
from mtlbio.training import fold_parts
from mtlbio.training.fold_parts import fit_folds, folds_of_part, read_prepared
from mtlbio.training.fold_predictors import Refit
from mtlbio.training.joined import joined
from mtlbio.training.stored import put_together, taken_apart

SMALL = {"genes": 70, "curves": 30, "seeds": 2, "epochs": 30, "patience": 12, "device": "cpu"}
EVERYTHING = {
    "adversary": {"covariate": "batch", "ramp": 10},
    "reconstruction": 0.5,
    "masked_genes": 0.5,
    "paths": ["dense", "curved"],
}
PARTS = ("fold0", "fold1", "fold2", "final")


def cohort_with_batch() -> Cohort:
    """Two tasks, an auxiliary label and a batch."""
    made = small_cohort(tasks=("disease", "age", "subtype"))
    batch = np.array(["B1", "B2"], dtype=object)[pd.factorize(made.obs["donor"])[0] % 2]
    return replace(
        made,
        obs=made.obs.assign(batch=pd.Categorical(batch)),
        tasks={name: TASKS[name] for name in ("disease", "age")},
        auxiliary={"subtype": TASKS["subtype"]},
        covariates={"batch": CovariateInfo("batch", "technical", "categorical")},
    )


def prepared(cohort: Cohort, folder: Path, **training) -> DonorRun:
    """A run of three folds on a cohort that lies in ``folder``."""
    folder.mkdir(parents=True)
    write_cohort(cohort, folder / "cohort.h5ad")
    write_table(make_splits(cohort, Splits(folds=3)), folder / "splits.tsv", SPLITS)
    recorded(folder, "prepare", "cohort.h5ad", "splits.tsv")
    content = {"run": "small", "expression": {"path": "x.csv", "scale": "log2"}, "splits": {"folds": 3}}
    tasks = {name: {"kind": "regression"} for name in cohort.tasks}
    covariates = {name: {"role": "technical"} for name in cohort.covariates}
    content |= {"tasks": tasks, "covariates": covariates, "training": SMALL | training}
    return CohortRun.model_validate(content)


def in_parts(run: DonorRun, one: Path, many: Path, leaving_out: tuple[str, ...] = ()) -> Path:
    """The same prepared run in the folder ``many``, every part made on its own, then gathered."""
    many.mkdir(parents=True)
    for name in ("cohort.h5ad", "splits.tsv"):
        shutil.copy(one / name, many / name)
    recorded(many, "prepare", "cohort.h5ad", "splits.tsv")
    for part in kind_of(run).scatter_of(run, "train"):
        if part not in leaving_out:
            take("train", run, many, part)
    take("train", run, many)
    return many


def assert_same_files(one: Path, many: Path) -> None:
    """Every file of one folder is in the other, and has the same bytes."""
    files = [{str(file.relative_to(f)) for file in f.rglob("*") if file.is_file()} for f in (one, many)]
    assert files[0] == files[1] and len(files[0]) > 6
    for name in files[0]:
        assert (one / name).read_bytes() == (many / name).read_bytes(), name


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"borrowing": True, "balancing": "gradnorm", "single_task": False},
        {"sharing": "mmoe", "axes": 6, "seed": 3},
    ],
    ids=["all kinds of label, both arms", "stacking across tasks", "gates"],
)
def test_a_cohort_in_parts_is_the_cohort_in_one_job(options, tmp_path):
    run = prepared(small_cohort(), tmp_path / "one", **options)
    assert kind_of(run).scatter_of(run, "train") == PARTS
    take("train", run, tmp_path / "one")
    assert_same_files(tmp_path / "one", in_parts(run, tmp_path / "one", tmp_path / "many"))


def test_heads_beside_the_tasks_do_not_couple_the_folds(tmp_path):
    run = prepared(cohort_with_batch(), tmp_path / "one", **EVERYTHING)
    take("train", run, tmp_path / "one")
    assert_same_files(tmp_path / "one", in_parts(run, tmp_path / "one", tmp_path / "many"))


def asking_for(run: DonorRun, parts: int) -> DonorRun:
    """The run with ``training.scatter`` at a number of parts."""
    return run.model_copy(update={"training": run.training.model_copy(update={"scatter": parts})})


@pytest.fixture(scope="module")
def doses(tmp_path_factory):
    """A table of doses that is prepared, and its run."""
    folder = tmp_path_factory.mktemp("doses")
    run = read_run(write_doses(folder / "data", simulate_doses(seed=3, a=80, b=60, c=30, variants=1)))
    training = {"seeds": 2, "curves": 30, "epochs": 20, "device": "cpu"}
    run = run.model_copy(update={"training": run.training.model_copy(update=training)})
    prepare(run, folder / "one")
    return run, folder / "one"


def test_a_table_in_parts_is_the_table_in_one_job(doses, tmp_path):
    run, folder = doses
    many = in_parts(run, folder, tmp_path / "many")
    one = tmp_path / "one"
    one.mkdir()
    for name in ("cohort.h5ad", "splits.tsv"):
        shutil.copy(folder / name, one / name)
    recorded(one, "prepare", "cohort.h5ad", "splits.tsv")
    take("train", run, one)
    assert (one / "effects.tsv").exists()
    assert_same_files(one, many)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A small cohort that is prepared and trained in one job, and its run."""
    folder = tmp_path_factory.mktemp("parts") / "one"
    run = prepared(small_cohort(tasks=("disease", "age")), folder, single_task=False, seeds=1, epochs=20)
    take("train", run, folder)
    return run, folder


def fitted_meanwhile(monkeypatch) -> list[list[int]]:
    """A list that every later call of ``fit_folds`` adds its folds to."""
    calls: list[list[int]] = []

    def fit(cohort, splits, options, only=None, kept=None):
        calls.append([*fold_parts.folds_of(splits), FINAL] if only is None else list(only))
        return fit_folds(cohort, splits, options, only, kept)

    monkeypatch.setattr(fold_parts, "fit_folds", fit)
    return calls


def test_what_is_missing_is_fitted_and_nothing_else(small, tmp_path, monkeypatch):
    run, folder = small
    calls = fitted_meanwhile(monkeypatch)
    many = in_parts(run, folder, tmp_path / "many", leaving_out=("fold1", "final"))
    assert calls == [[0], [2], [1, FINAL]]
    assert_same_files(folder, many)


def test_without_parts_no_file_is_hashed_and_all_folds_are_one_stack(small, tmp_path, monkeypatch):
    run, folder = small
    monkeypatch.setattr(fold_parts, "_parts", lambda *_: pytest.fail("asked for parts"))
    calls = fitted_meanwhile(monkeypatch)
    assert_same_files(folder, in_parts(run, folder, tmp_path / "one", leaving_out=PARTS))
    assert calls == [[0, 1, 2, FINAL]]


def damage(file: Path) -> None:
    """Turn one bit in the middle."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize(
    "change, line",
    [
        (lambda run, many: damage(many / "parts/train/fold1/arrays.safetensors"), "damaged"),
        (lambda run, many: (many / "parts/train/fold1/arrays.safetensors").unlink(), "damaged"),
        (lambda run, many: (many / "parts/train/fold1/part.json").write_text("{"), "damaged"),
        (lambda run, many: shutil.rmtree(many / "parts/train/fold1"), None),
    ],
    ids=["a bit", "no arrays", "no json", "no folder"],
)
def test_a_damaged_part_is_made_anew(small, tmp_path, monkeypatch, caplog, change, line):
    run, folder = small
    many = tmp_path / "many"
    many.mkdir()
    for name in ("cohort.h5ad", "splits.tsv"):
        shutil.copy(folder / name, many / name)
    recorded(many, "prepare", "cohort.h5ad", "splits.tsv")
    for part in PARTS:
        take("train", run, many, part)
    change(run, many)
    calls = fitted_meanwhile(monkeypatch)
    with caplog.at_level("INFO", logger="mtlbio"):
        take("train", run, many)
    assert calls == [[1]]
    said = [message for message in caplog.messages if "made anew" in message]
    assert said == ([f"{many}/parts/train/fold1: {line}; made anew"] if line else [])
    assert "3 of 4 folds fitted before" in caplog.messages
    assert_same_files(folder, many)


def test_parts_of_other_data_or_options_are_made_anew(small, tmp_path, monkeypatch, caplog):
    run, folder = small
    other = run.model_copy(update={"training": run.training.model_copy(update={"epochs": 19})})
    many = tmp_path / "many"
    shutil.copytree(folder, many, ignore=shutil.ignore_patterns("model", "*.tsv", "latents.h5ad", "train.*"))
    shutil.copy(folder / "splits.tsv", many)
    take("train", other, many, "fold0")
    calls = fitted_meanwhile(monkeypatch)
    with caplog.at_level("INFO", logger="mtlbio"):
        take("train", run, many)
    assert calls == [[0, 1, 2, FINAL]]
    assert f"{many}/parts/train/fold0: of other data, options or modules; made anew" in caplog.messages
    assert_same_files(folder, many)
    take("train", run, many, "fold0")
    damage(many / "splits.tsv")
    before = fold_parts._parts(run, folder).key
    assert fold_parts._parts(run, many).key != before == fold_parts._parts(run, folder).key
    scattered = run.model_copy(update={"training": run.training.model_copy(update={"scatter": True})})
    assert fold_parts._parts(scattered, folder).key == before


def test_a_part_that_a_run_does_not_have_is_one_line(small):
    run, folder = small
    with pytest.raises(InputError) as caught:
        take("train", run, folder, "fold3")
    assert str(caught.value) == "--part: found 'fold3'; valid: fold0, fold1, fold2, final"
    with pytest.raises(InputError) as caught:
        take("evaluate", run, folder, "fold0")
    assert str(caught.value) == "--part: step evaluate of a run of kind cohort is one job"
    with pytest.raises(InputError) as caught:
        take("probe", run, folder, "null0")
    assert str(caught.value) == "--part: step probe of this run is one job"


def test_folds_that_the_yaml_does_not_count_share_the_parts(small):
    run, _ = small
    splits = run.splits.model_copy(update={"kind": "leave_out", "by": "site", "folds": None})
    names = kind_of(run).scatter_of(run.model_copy(update={"splits": splits}), "train")
    assert names == ("fold0", "fold1", "fold2", "fold3", "fold4", "final")
    sites = pd.DataFrame({"fold": [*range(7), 3]})
    found = {name: folds_of_part(name, names, sites) for name in names}
    assert found == {"fold0": [0, 5], "fold1": [1, 6], "fold2": [2], "fold3": [3], "fold4": [4], "final": [FINAL]}
    assert folds_of_part("fold4", names, sites[sites["fold"] < 3]) == []


@pytest.mark.parametrize(
    "most, parts, folds",
    [
        (2, ("fold0", "fold1"), [[0, 2], [1, FINAL]]),
        (3, ("fold0", "fold1", "fold2"), [[0], [1], [2, FINAL]]),
        (4, PARTS, [[0], [1], [2], [FINAL]]),
        (9, PARTS, [[0], [1], [2], [FINAL]]),
    ],
)
def test_fewer_parts_have_several_folds_each_and_give_the_same_files(small, tmp_path, monkeypatch, most, parts, folds):
    run, folder = small
    fewer = asking_for(run, most)
    assert kind_of(run).scatter_of(fewer, "train") == parts
    calls = fitted_meanwhile(monkeypatch)
    if most == 9:  # as where `scatter: true` stands
        return
    assert_same_files(folder, in_parts(fewer, folder, tmp_path / "many"))
    assert calls == folds


def test_parts_that_were_made_for_another_number_of_parts_are_made_anew(small, tmp_path, monkeypatch, caplog):
    run, folder = small
    many = tmp_path / "many"
    many.mkdir()
    for name in ("cohort.h5ad", "splits.tsv"):
        shutil.copy(folder / name, many / name)
    recorded(many, "prepare", "cohort.h5ad", "splits.tsv")
    for part in ("fold0", "fold1"):
        take("train", asking_for(run, 2), many, part)
    take("train", run, many, "final")
    calls = fitted_meanwhile(monkeypatch)
    with caplog.at_level("INFO", logger="mtlbio"):
        take("train", run, many)
    assert calls == [[0, 1, 2]]
    assert f"{many}/parts/train/fold0: has other folds; made anew" in caplog.messages
    assert_same_files(folder, many)


def test_folds_that_nobody_counted_share_fewer_parts_too():
    sites, names = pd.DataFrame({"fold": range(7)}), ("fold0", "fold1", "fold2")
    found = [folds_of_part(name, names, sites) for name in names]
    assert found == [[0, 3, 6], [1, 4], [2, 5, FINAL]]


def test_a_part_without_a_fold_is_empty(small, tmp_path):
    run, folder = small
    more = run.model_copy(update={"splits": run.splits.model_copy(update={"folds": 5})})
    many = in_parts(more, folder, tmp_path / "many")
    assert_same_files(folder, many)


def test_what_was_fitted_comes_back_as_it_was(small):
    run, folder = small
    refit = fit_folds(*read_prepared(folder), run.training, [1, FINAL])
    again = put_together(Refit, taken_apart(refit))

    def assert_same(one, other, name=""):
        assert type(one) is type(other) or isinstance(one, np.floating | np.integer), name
        if isinstance(one, np.ndarray):
            np.testing.assert_array_equal(one, other, strict=True)
            assert one.flags.f_contiguous == other.flags.f_contiguous or not one.flags.c_contiguous, name
        elif isinstance(one, torch.Tensor):
            assert torch.equal(one, other) and one.dtype == other.dtype, name
        elif hasattr(one, "__dataclass_fields__"):
            for key in one.__dataclass_fields__:
                assert_same(getattr(one, key), getattr(other, key), f"{name}/{key}")
        elif isinstance(one, dict):
            assert one.keys() == other.keys(), name
            for key in one:
                assert_same(one[key], other[key], f"{name}/{key}")
        elif isinstance(one, list):
            assert len(one) == len(other), name
            for k, (left, right) in enumerate(zip(one, other, strict=True)):
                assert_same(left, right, f"{name}/{k}")
        else:
            assert one == other, name

    assert_same(refit, again)


def test_joining_one_part_in_another_order_sorts_the_folds(small):
    run, folder = small
    whole = fit_folds(*read_prepared(folder), run.training)
    cohort, splits = read_prepared(folder)
    parts = [fit_folds(cohort, splits, run.training, only) for only in ([FINAL, 2], [1], [0])]
    made = joined(parts)
    assert [data.fold for data in made.folds] == [data.fold for data in whole.folds] == [0, 1, 2, FINAL]
    np.testing.assert_array_equal(made.stacking.outputs, whole.stacking.outputs)
    for name, block in whole.predictors.blocks.items():
        other = made.predictors.blocks[name]
        assert torch.equal(block.history, other.history)
        assert torch.equal(block.gradients.shared, other.gradients.shared)
        assert torch.equal(block.gradients.maps, other.gradients.maps)
    assert made.stacking.mixture.keys() == whole.stacking.mixture.keys()
