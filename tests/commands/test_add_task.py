"""``mtlbio add-task`` on a small trained run: what is written, what stays, and what is refused."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mtlbio import door
from mtlbio.cohort.cohort import read_latents
from mtlbio.cohort.simulate import simulate, write_simulation
from mtlbio.commands.add_task import add_task
from mtlbio.commands.added_heads import heads, remove_task
from mtlbio.errors import InputError
from mtlbio.evaluation.added import arms, old_tasks
from mtlbio.integrity.folder import strangers
from mtlbio.integrity.verify import verify
from mtlbio.kinds.read import read_run
from mtlbio.model import added as model_added
from mtlbio.model.added import read_head
from mtlbio.model.ensemble import load_ensemble
from mtlbio.tables import COMPARISONS, METRICS, OLD_TASKS, PREDICTIONS, read_table

SMALL = "training: {seeds: 2, epochs: 20, patience: 10, curves: 20, single_task: false}\nsplits: {folds: 2}\n"
WRITTEN = ["association.tsv", "audit.tsv", "comparisons.tsv", "metrics.tsv", "old_tasks.tsv", "predictions.tsv"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A small run, and beside it ``labels.csv`` of 24 samples: a programme as a number and as classes."""
    folder = tmp_path_factory.mktemp("added")
    planted = simulate("clear", donors=60, genes=300)
    path = write_simulation(folder / "cohort", planted)
    path.write_text(path.read_text() + SMALL)
    run = read_run(path)
    door.prepare(run, folder / "results")
    door.train(run, folder / "results")
    ids = planted.truth.index[:24]
    activity = planted.truth.loc[ids, "interferon"].to_numpy()
    high = np.where(activity > np.median(activity), "high", "low")
    table = pd.DataFrame({"id": ids, "activity": activity, "level": high})
    table.to_csv(folder / "labels.csv", index=False)
    return folder


@pytest.fixture
def run(trained, tmp_path, monkeypatch) -> Path:
    """A copy of the run; one draw of folds and few of donors, for speed."""
    monkeypatch.setattr(arms, "DRAWS", 1)
    monkeypatch.setattr(old_tasks, "DRAWS", 40)
    shutil.copytree(trained / "results", tmp_path / "results")
    return tmp_path / "results"


def hashes(folder: Path) -> dict[str, str]:
    files = [file for file in folder.rglob("*") if file.is_file()]
    return {str(f.relative_to(folder)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


def test_nothing_else_of_the_run_is_touched_and_removing_leaves_no_trace(trained, run):
    before = hashes(run)
    said = add_task(run, trained / "labels.csv", "activity", "regression")
    after = hashes(run)
    new = {f"added/activity/{name}" for name in WRITTEN} | {"manifest/added-activity.json"}
    new |= {"model/heads/activity.json", "model/heads/activity.safetensors"}
    assert set(after) - set(before) == new and {k: after[k] for k in before} == before
    assert "added activity: 8 files as written" in verify(run)[0] and not strangers(run)
    assert said.startswith("activity: ") and "24 labelled donors" in said
    assert "activity" in heads(run) and "regression" in heads(run) and "24" in heads(run)
    remove_task(run, "activity")
    assert hashes(run) == before and not (run / "model" / "heads").exists() and not (run / "added").exists()


def test_tables_are_in_the_formats_of_the_run(trained, run):
    add_task(run, trained / "labels.csv", "level", "binary", keys={"positive": "high"})
    folder = run / "added" / "level"
    predictions = read_table(folder / "predictions.tsv", PREDICTIONS)
    assert predictions["sample"].nunique() == 24 and set(predictions["arm"]) == {"latents", "ridge"}
    metrics = read_table(folder / "metrics.tsv", METRICS)
    comparisons = read_table(folder / "comparisons.tsv", COMPARISONS)
    answer = json.loads((run / "model" / "heads" / "level.json").read_text())["answer"]
    auroc = metrics[metrics["metric"] == "auroc"].set_index("arm")["value"]
    assert auroc["latents"] == pytest.approx(answer["trunk"]) and auroc["ridge"] == pytest.approx(answer["ridge"])
    assert comparisons["difference"].iloc[0] == pytest.approx(answer["gain"])
    old = read_table(folder / "old_tasks.tsv", OLD_TASKS)
    assert set(old["task"]) == {"disease", "age", "response"} and old["share"].sum() == pytest.approx(1)
    assert (old["ci_low"] < old["weight"]).all() and (old["n_donors"] == 24).all()
    tried = read_table(folder / "association.tsv")
    latents = read_latents(run / "latents.h5ad")
    assert set(tried["variable"]) == {"level"} and set(tried["dim"]) == set(latents.var_names)


def test_new_samples_get_the_head_on_the_final_trunk_by_name_only(trained, run):
    add_task(run, trained / "labels.csv", "activity", "regression")
    new, options = trained / "cohort" / "expression.parquet", {"standardise": "training", "profiles": None}
    options |= {"embeddings": None, "sites": None, "anyway": None}
    door.finished.apply(run, new, run.parent / "both", options | {"tasks": "age, activity"})
    table = read_table(run.parent / "both" / "predictions.tsv", PREDICTIONS)
    assert list(dict.fromkeys(table["task"])) == ["age", "activity"] and len(table) == 120
    wanted = read_head(run, "activity").predict(np.asarray(read_latents(run / "latents.h5ad").layers["final"]))
    found = table[table["task"] == "activity"].set_index("sample")["y_pred"]
    np.testing.assert_allclose(found[read_latents(run / "latents.h5ad").obs_names], wanted, rtol=1e-4, atol=1e-4)
    door.finished.apply(run, new, run.parent / "own", options | {"tasks": None})
    assert "activity" not in set(read_table(run.parent / "own" / "predictions.tsv")["task"])
    with pytest.raises(InputError, match=r"--tasks: 'nothing' is no task .*valid: disease, age, response, activity$"):
        door.finished.apply(run, new, run.parent / "none", options | {"tasks": "nothing"})


def test_of_a_hundred_heads_only_the_named_one_is_opened(trained, run, monkeypatch):
    add_task(run, trained / "labels.csv", "activity", "regression")
    for k in range(100):
        for file in (run / "model" / "heads").glob("activity.*"):
            shutil.copy(file, file.with_stem(f"task{k}"))
        shutil.copy(run / "manifest" / "added-activity.json", run / "manifest" / f"added-task{k}.json")
    opened, read = [], model_added.read_head
    monkeypatch.setattr(model_added, "read_head", lambda *args: opened.append(args[1]) or read(*args))
    ensemble = load_ensemble(run / "model")
    assert [task.name for task, _ in model_added.predictors(ensemble, run, "activity")] == ["activity"]
    assert opened == ["activity"]
    assert len(model_added.predictors(ensemble, run, None)) == 3 and opened == ["activity"]


def test_a_changed_head_is_not_believed(trained, run):
    add_task(run, trained / "labels.csv", "activity", "regression")
    with (run / "model" / "heads" / "activity.json").open("a") as file:
        file.write(" ")
    with pytest.raises(InputError, match="activity.json: .*remove-task"):
        read_head(run, "activity")
    assert not verify(run)[1] and any("activity.json" in line for line in verify(run)[0])


@pytest.mark.parametrize("calls", [0, 1, 2])
def test_a_killed_call_leaves_a_task_that_does_not_count_and_can_be_added_again(trained, run, monkeypatch, calls):
    before, replace, done = hashes(run), os.replace, []

    def killed(source, target):
        if "activity" in Path(target).parts[-1] or Path(target).name == "activity":
            done.append(target)
            if len(done) > calls:
                raise KeyboardInterrupt
        replace(source, target)

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        add_task(run, trained / "labels.csv", "activity", "regression")
    monkeypatch.setattr(os, "replace", replace)
    left = hashes(run)
    assert {name: left[name] for name in before} == before
    assert not strangers(run)
    if calls:
        assert "add it again" in heads(run)
    add_task(run, trained / "labels.csv", "activity", "regression")
    assert "add it again" not in heads(run) and "added activity: 8 files as written" in verify(run)[0]
    remove_task(run, "activity")
    assert hashes(run) == before


def _table(trained: Path, **columns) -> pd.DataFrame:
    return pd.read_csv(trained / "labels.csv").assign(**columns)


@pytest.mark.parametrize(
    "name, kind, change, line",
    [
        ("activity", "weekday", {}, "kind: found 'weekday'; expected binary, multiclass"),
        ("disease", "regression", {}, "--task: 'disease' is a task of"),
        ("batch", "regression", {}, "--task: 'batch' is a covariate of"),
        ("a b", "regression", {}, "--task: found 'a b'; expected a letter"),
        ("activty", "regression", {}, r"no column 'activty' with the label; did you mean 'activity'\?"),
        ("level", "binary", {}, "--key positive: a binary task needs the value that counts as 1"),
        ("level", "regression", {}, "found 'high'|found 'low'"),
        ("activity", "regression", {"activity": 1.0}, "fewer than two values"),
        (
            "activity",
            "regression",
            {"id": [f"X{k}" for k in range(24)]},
            "no column names samples or donors of the run",
        ),
    ],
)
def test_bad_input_is_one_line(trained, run, tmp_path, name, kind, change, line):
    _table(trained, **change).to_csv(tmp_path / "labels.csv", index=False)
    before = hashes(run)
    with pytest.raises(InputError, match=line) as error:
        add_task(run, tmp_path / "labels.csv", name, kind)
    assert "\n" not in str(error.value) and hashes(run) == before


def test_samples_that_the_run_lacks_are_counted_and_named(trained, run, tmp_path):
    table = _table(trained)
    table.loc[[3, 5], "id"] = ["X3", "X5"]
    table.to_csv(tmp_path / "labels.csv", index=False)
    with pytest.raises(InputError, match=r"2 of 24 samples are not in the run \(X3, X5\)"):
        add_task(run, tmp_path / "labels.csv", "activity", "regression")


def test_too_few_labels_one_class_and_a_name_that_was_added(trained, run, tmp_path):
    _table(trained).head(9).to_csv(tmp_path / "few.csv", index=False)
    with pytest.raises(InputError, match="9 donors with a label; expected 10 or more"):
        add_task(run, tmp_path / "few.csv", "activity", "regression")
    _table(trained, level="high").to_csv(tmp_path / "one.csv", index=False)
    with pytest.raises(InputError, match="one class only"):
        add_task(run, tmp_path / "one.csv", "level", "binary", keys={"positive": "high"})
    add_task(run, trained / "labels.csv", "activity", "regression")
    with pytest.raises(InputError, match="'activity' is an added task of .*remove-task"):
        add_task(run, trained / "labels.csv", "activity", "regression")
    with pytest.raises(InputError, match="no task 'other' was added; found: activity"):
        remove_task(run, "other")
    with pytest.raises(InputError, match="no such folder|no trained model"):
        door.finished.add_task(tmp_path / "nowhere", trained / "labels.csv", "x", "regression", None, {})


def test_donors_name_their_samples(trained, run, tmp_path):
    latents = read_latents(run / "latents.h5ad")
    donors = latents.obs["donor"].astype(str)
    table = _table(trained)
    table.assign(id=donors[table["id"]].to_numpy()).to_csv(tmp_path / "donors.csv", index=False)
    add_task(run, tmp_path / "donors.csv", "activity", "regression")
    add_task(run, trained / "labels.csv", "again", "regression", column="activity")
    first, second = (read_table(run / "added" / name / "predictions.tsv") for name in ("activity", "again"))
    pd.testing.assert_frame_equal(first.drop(columns="task"), second.drop(columns="task"))
