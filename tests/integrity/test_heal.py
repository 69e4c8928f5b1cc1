"""The start of a workflow: what was changed is named, kept, and made again, and nothing else."""

import os
import shutil
from dataclasses import replace

import pytest
from toy_steps import files_of, toy, write_run

from mtlbio.errors import InputError
from mtlbio.integrity import step as taking
from mtlbio.integrity.heal import begin, end, look
from mtlbio.integrity.owner import owner_of
from mtlbio.integrity.process import Process
from mtlbio.integrity.record import place_of, read_record
from mtlbio.kinds import STEPS
from mtlbio.kinds.read import read_run


@pytest.fixture
def take(monkeypatch):
    monkeypatch.setattr(taking, "function_at", lambda place: toy(place.rpartition(":")[2]))
    return taking.take


@pytest.fixture
def done(tmp_path, take):
    """Run and folder of all results, in which every step has been taken."""
    run = read_run(write_run(tmp_path / "data"))
    for step in STEPS:
        take(step, run, tmp_path / "results/tiny")
    return run, tmp_path / "results"


def locks_of(results):
    return results.parent / ".snakemake/locks"


def started(run, results):
    return begin({run.run: run}, results, locks_of(results))


@pytest.mark.parametrize("step", STEPS)
def test_each_changed_file_is_named_kept_and_its_step_alone_taken_again(done, take, step):
    run, results = done
    folder = results / "tiny"
    assert started(run, results).lines == []
    expected = {name: (folder / name).read_bytes() for each in STEPS for name in files_of(each)}
    time = place_of(folder, step).stat().st_mtime_ns
    for name in files_of(step):
        (folder / name).write_bytes(expected[name][:-3])
        found = started(run, results)
        first, second = found.lines
        assert first.startswith(f"{folder / name}: truncated or replaced: {len(expected[name]) - 3} bytes where")
        assert second.startswith(f"{folder}: step {step} is taken again; what was there is kept in set_aside/{step}.")
        assert list(found.steps["tiny"]) == [step] and not place_of(folder, step).exists()
        kept = results / "tiny" / second.rpartition(" ")[2]
        take(step, run, folder)
        end(found, ["tiny"], results, locks_of(results))
        assert {name: (folder / name).read_bytes() for name in expected} == expected
        assert (folder / files_of(step)[0]).stat().st_mtime_ns == time == place_of(folder, step).stat().st_mtime_ns
        assert (kept / name).read_bytes() == expected[name][:-3]
        assert owner_of(folder) is None
        assert started(run, results).lines == []


def test_a_healing_that_was_interrupted_goes_on(done):
    run, results = done
    (results / "tiny/cohort.h5ad").write_text("cut")
    first, second = started(run, results), started(run, results)
    assert len(first.lines) == 2 and second.lines == [] and second.steps == first.steps


@pytest.mark.parametrize("change", ["options", "data", "step"])
def test_where_something_else_has_changed_too_the_usual_reasons_decide(done, take, tmp_path, change):
    run, results = done
    (results / "tiny/predictions.tsv").write_text("cut")
    if change == "options":
        run = read_run(write_run(tmp_path / "data", more="training: {epochs: 30}\n"))
    if change == "data":
        (tmp_path / "data/e.csv").write_text("sample_id,g\na,2\n")
    if change == "step":  # prepare was taken again, and made another cohort
        record = read_record(place_of(results / "tiny", "train"))
        replace(record, reads={"prepare": "other"}).write(results / "tiny")
    found = started(run, results)
    assert len(found.lines) == 2 and found.steps == {}


def test_other_data_with_an_older_time_stamp_are_noticed(done, take, tmp_path):
    run, results = done
    data = tmp_path / "data/e.csv"
    data.write_text("sample_id,g\na,7\n")
    assert started(run, results).lines == []  # newer than what was made of it: Snakemake sees that
    os.utime(data, (1e9, 1e9))
    found = started(run, results)
    assert "step prepare read other data than are there, though their time stamps are older" in found.lines[0]
    assert found.steps == {}
    take("prepare", run, results / "tiny")
    assert [line for line in started(run, results).lines if "prepare" in line and "read other data" in line] == []


def test_files_of_another_run_are_noticed_with_their_record(done, take, tmp_path):
    run, results = done
    other = read_run(write_run(tmp_path / "other", name="other"))
    for step in STEPS:
        take(step, other, results / "other")
    for step, name in (("train", "predictions.tsv"), ("probe", "verdicts.tsv")):
        for file in (*files_of(step), f"manifest/{step}.json"):
            shutil.copy(results / "other" / file, results / "tiny" / file)
        found = started(run, results)
        assert found.lines[0] == f"{results / 'tiny'}: the files of step {step} are of run other (by step {step})"
        take(step, run, results / "tiny")
        assert started(run, results).lines == [], name


def test_files_of_the_same_run_from_other_data_are_noticed_too(done, take, tmp_path):
    run, results = done
    write_run(tmp_path / "other")
    (tmp_path / "other/e.csv").write_text("sample_id,g\na,22\n")
    other = read_run(tmp_path / "other/run.yaml")
    for step in STEPS:
        take(step, other, tmp_path / "elsewhere/tiny")
    for file in (*files_of("train"), "manifest/train.json"):
        shutil.copy(tmp_path / "elsewhere/tiny" / file, results / "tiny" / file)
    assert (
        started(run, results)
        .lines[0]
        .endswith("step train read other files of step prepare than are there (by step train)")
    )


def test_restored_older_results_are_taken_again_without_a_word(done, take, tmp_path):
    """Neither Snakemake's records nor time stamps show it."""
    run, results = done
    other = read_run(write_run(tmp_path / "data", more="training: {epochs: 30}\n"))
    found = started(other, results)
    assert found.lines == [] and found.steps == {}
    assert [step for step in STEPS if not place_of(results / "tiny", step).exists()] == ["train"]
    take("train", other, results / "tiny")
    in_order = f"{results / 'tiny'}: made from what is there now, by content; time stamps are put in order"
    assert started(other, results).lines == [in_order]
    record = read_record(place_of(results / "tiny", "prepare"))
    replace(record, files={**record.files, "qc.tsv": replace(record.files["qc.tsv"])}).write(results / "tiny")
    assert started(other, results).lines in ([], [in_order])


def test_what_stands_where_an_interrupted_step_writes_is_kept(done, take):
    run, results = done
    place_of(results / "tiny", "report").unlink()
    (results / "tiny/figures/slides.pptx").write_text("mine")
    assert started(run, results).lines == []
    take("report", run, results / "tiny")
    assert not (results / "tiny/figures/slides.pptx").exists()
    assert {f.name for f in (results / "tiny/set_aside").rglob("*.*") if f.is_file()} == {"slides.pptx"}


def test_a_damaged_record_is_made_again_and_the_files_are_kept(done, take):
    run, results = done
    place = place_of(results / "tiny", "train")
    place.write_bytes(place.read_bytes()[:40])
    (line,) = started(run, results).lines
    assert line.startswith(f"{place}: not the record of a step as mtlbio writes it") and line.endswith("is taken again")
    assert (results / "tiny/set_aside/train.1/model/a.txt").exists() and not place.exists()
    take("train", run, results / "tiny")
    assert [file.name for file in (results / "tiny/set_aside").rglob("*.*") if file.is_file()] == ["train.json"]
    assert (results / "tiny/manifest/train.damaged").exists()


def test_strangers_files_and_folders_stop_everything_before_anything_is_touched(done, tmp_path):
    run, results = done
    (results / "tiny/figures/mine.svg").write_text("mine")
    (results / "tiny/report.html").write_text("cut")
    with pytest.raises(InputError, match="figures/mine.svg: mtlbio did not write it .*, and step report would"):
        started(run, results)
    assert place_of(results / "tiny", "report").exists() and owner_of(results / "tiny") is None
    (results / "mine").mkdir()
    (results / "mine/report.html").write_text("mine")
    with pytest.raises(InputError, match="holds files that mtlbio did not write"):
        begin({"mine": run}, results, tmp_path / "locks")


def test_strangers_files_are_told_where_no_step_is_known_to_write(done, take):
    run, results = done
    (results / "tiny/figures/mine.svg").write_text("mine")
    warning = (
        f"Warning: {results / 'tiny'}/figures/mine.svg: mtlbio did not write it (1 such file), and step report writes "
        "there: it is left alone, and stops the run once that step has something to do"
    )
    assert started(run, results).lines == [warning]
    (results / "tiny/cohort.h5ad").write_text("cut")  # prepare writes elsewhere, and what it wrote
    found = started(run, results)
    assert found.lines[0] == warning and list(found.steps["tiny"]) == ["prepare"]
    take("prepare", run, results / "tiny")
    with pytest.raises(InputError, match="figures/mine.svg: mtlbio did not write it"):
        begin({run.run: run}, results, locks_of(results), strict=True)
    with pytest.raises(InputError, match="figures/mine.svg: mtlbio did not write it"):
        take("report", run, results / "tiny")
    assert (results / "tiny/figures/mine.svg").read_text() == "mine"


def files_and_times(folder):
    return {path: (path.stat().st_mtime_ns, path.is_file() and path.read_bytes()) for path in folder.rglob("*")}


@pytest.mark.parametrize("step", STEPS)
def test_a_look_says_what_would_be_mended_and_touches_nothing(done, take, step):
    run, results = done
    folder = results / "tiny"
    assert (look({run.run: run}, results).lines, look({run.run: run}, results).again) == ([], {"tiny": set()})
    name = files_of(step)[0]
    (folder / name).write_bytes((folder / name).read_bytes()[:-3])
    before = files_and_times(results.parent)
    found = look({run.run: run}, results)
    assert files_and_times(results.parent) == before
    first, second = found.lines
    assert second == f"{folder}: step {step} would be taken again; what is there would be kept in set_aside"
    assert found.again == {"tiny": {step}} and list(found.steps["tiny"]) == [step]
    began = started(run, results)
    assert began.lines[0] == first and began.steps == found.steps
    assert look({run.run: run}, results).steps == found.steps  # what is put away already would be taken too


def test_a_look_at_results_that_are_only_out_of_order(done):
    run, results = done
    os.utime(results / "tiny/cohort.h5ad", (1e9, 1e9))
    os.utime(place_of(results / "tiny", "prepare"), (1e9, 1e9))
    before = files_and_times(results.parent)
    found = look({run.run: run}, results)
    assert (found.in_order, found.again, found.steps) == ({"tiny"}, {"tiny": set()}, {})
    words = "made from what is there now, by content; time stamps would be put in order"
    assert found.lines == [f"{results / 'tiny'}: {words}"] and files_and_times(results.parent) == before


def test_a_look_at_damaged_records_older_results_and_strangers_files(done, tmp_path):
    run, results = done
    folder = results / "tiny"
    other = read_run(write_run(tmp_path / "data", more="training: {epochs: 30}\n"))
    found = look({"tiny": other}, results)
    assert (found.lines, found.again, found.steps) == ([], {"tiny": {"train"}}, {})
    (folder / "figures/mine.svg").write_text("mine")
    place = place_of(folder, "probe")
    place.write_bytes(place.read_bytes()[:40])
    before = files_and_times(results.parent)
    damaged, again, warning = look({run.run: run}, results).lines
    assert damaged.startswith(f"{place}: not the record of a step as mtlbio writes it")
    assert again.startswith(f"{folder}: step probe would be taken again; ")
    assert warning.startswith(f"Warning: {folder}/figures/mine.svg: mtlbio did not write it")
    assert files_and_times(results.parent) == before
    assert look({"none": run}, results).lines == []


def test_a_run_that_is_owned_by_a_living_process_is_left_alone(done, monkeypatch):
    run, results = done
    started(run, results)
    assert owner_of(results / "tiny") == Process.of()
    monkeypatch.setattr("mtlbio.integrity.process.os.getpid", lambda: 1)
    with pytest.raises(InputError, match="is at work on this run; wait for it"):
        started(run, results)
