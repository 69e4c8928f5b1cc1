"""Around a step: nothing is computed from a file that is not what the step before wrote."""

import os

import pytest
from toy_steps import files_of, toy, write_run

from mtlbio.errors import InputError
from mtlbio.files import replacing
from mtlbio.integrity import step as taking
from mtlbio.integrity.folder import set_aside
from mtlbio.integrity.record import place_of, read_record
from mtlbio.integrity.steps import READS
from mtlbio.kinds import STEPS
from mtlbio.kinds.read import read_run


@pytest.fixture
def called(monkeypatch):
    """Steps that were taken, in order."""
    calls = []

    def function_at(place):
        step = next(s for s in STEPS if place.rpartition(":")[2] == s)

        def function(run, results):
            calls.append(step)
            toy(step)(run, results)

        return function

    monkeypatch.setattr(taking, "function_at", function_at)
    return calls


@pytest.fixture
def done(tmp_path, called):
    """Run and folder in which every step has been taken."""
    run, folder = read_run(write_run(tmp_path)), tmp_path / "results"
    for step in STEPS:
        taking.take(step, run, folder)
    called.clear()
    return run, folder


def test_every_step_leaves_a_record_of_all_its_files(done):
    _, folder = done
    for step in STEPS:
        record = read_record(place_of(folder, step))
        assert set(record.files) == set(files_of(step)) and set(record.reads) == set(READS[step])
        assert (folder / "manifest" / f"{step}.started").read_text() == ""
    assert not list(folder.rglob(".mtlbio-*"))
    before = {step: place_of(folder, step).read_bytes() for step in STEPS}
    for step in STEPS:
        taking.take(step, done[0], folder)
    assert {step: place_of(folder, step).read_bytes() for step in STEPS} == before


@pytest.mark.parametrize("step", STEPS[1:])
def test_a_change_of_any_file_that_a_step_reads_is_named_and_nothing_is_computed(done, called, step):
    run, folder = done
    for other in READS[step]:
        for name in files_of(other):
            before = (folder / name).read_bytes()
            (folder / name).write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
            with pytest.raises(InputError) as error:
                taking.take(step, run, folder)
            assert str(error.value).startswith(
                f"{folder / name}: changed: {len(before)} bytes as written, but others, by"
            )
            assert f"by step {other}; `mtlbio run` makes it again" in str(error.value) and "\n" not in str(error.value)
            (folder / name).write_bytes(before)
    assert called == []
    taking.take(step, run, folder)
    assert called == [step]


def test_a_step_taken_with_other_options_is_said(done, tmp_path):
    other = read_run(write_run(tmp_path, more="training: {epochs: 30}\n"))
    with pytest.raises(InputError, match="step train ran with other options than the YAML has now"):
        taking.take("probe", other, done[1])
    taking.take("baselines", other, done[1])  # which reads nothing of train


def test_moved_files_are_the_same_data(done, called, tmp_path):
    write_run(tmp_path / "elsewhere")
    other = read_run(tmp_path / "elsewhere/run.yaml")
    before = place_of(done[1], "train").read_bytes()
    taking.take("train", other, done[1])
    assert called == ["train"] and place_of(done[1], "train").read_bytes() == before


def test_a_step_that_read_older_files_is_said(done, tmp_path):
    run, folder = done
    (tmp_path / "e.csv").write_text("sample_id,g\na,2\n")
    taking.take("prepare", run, folder)  # the toy cohort is another one now
    with pytest.raises(InputError, match="step train read other files of step prepare than are there now"):
        taking.take("probe", run, folder)


def test_a_step_that_fails_leaves_no_record(done, monkeypatch):
    run, folder = done

    def fails(run, results):
        raise ZeroDivisionError

    monkeypatch.setattr(taking, "function_at", lambda place: fails)
    before = place_of(folder, "train").read_bytes()
    with pytest.raises(ZeroDivisionError):
        taking.take("train", run, folder)
    assert place_of(folder, "train").read_bytes() == before  # its files are untouched, too
    assert taking.checked(folder, ["train"])


def test_files_that_a_step_no_longer_writes_go_unless_somebody_changed_them(done):
    run, folder = done
    for name in ("probing/old.tsv", "probing/edited.tsv"):
        (folder / name).write_text("old")
    record = read_record(place_of(folder, "probe"))
    added = taking.contents(folder, [folder / "probing"])
    taking.Record(**vars(record) | {"files": {**record.files, **added}}).write(folder)
    (folder / "probing/edited.tsv").write_text("mine")
    taking.take("probe", run, folder)
    assert not (folder / "probing/old.tsv").exists() and (folder / "probing/edited.tsv").read_text() == "mine"


def test_copies_set_aside_go_when_the_same_is_there_again(done):
    run, folder = done
    (folder / "history.tsv").write_text("edited")
    set_aside(folder, "train", files_of("train"))
    place_of(folder, "train").rename(folder / "manifest/train.changed.json")  # as a workflow does
    taking.take("train", run, folder)
    assert not (folder / "manifest/train.changed.json").exists()
    found = [os.path.join(below, file) for below, _, files in os.walk(folder / "set_aside") for file in files]
    assert found == [str(folder / "set_aside/train.1/history.tsv")]
    assert (folder / "set_aside/train.1/history.tsv").read_text() == "edited"


def test_too_early_is_said_before_anything_is_written(tmp_path, called):
    run, folder = read_run(write_run(tmp_path)), tmp_path / "results"
    with pytest.raises(InputError, match=r"cohort.h5ad: no such file; run `mtlbio prepare` first, or `mtlbio run`"):
        taking.take("train", run, folder)
    taking.take("prepare", run, folder)
    place_of(folder, "prepare").unlink()
    with pytest.raises(InputError, match="prepare.json: no such file, the record of what step prepare wrote"):
        taking.take("train", run, folder)
    assert called == ["prepare"]


def test_a_strangers_file_that_a_step_writes_at_times_is_not_replaced(done, monkeypatch):
    run, folder = done

    def writes_more(run, results):
        toy("probe")(run, results)
        with replacing(results / "probing/composition.tsv") as temporary:
            temporary.write_text("ours")

    monkeypatch.setattr(taking, "function_at", lambda place: writes_more)
    (folder / "probing/composition.tsv").write_text("mine")
    with pytest.raises(InputError, match="composition.tsv: mtlbio did not write it, and step probe would write there"):
        taking.take("probe", run, folder)
    assert (folder / "probing/composition.tsv").read_text() == "mine"
    (folder / "probing/composition.tsv").unlink()
    for _ in range(2):
        taking.take("probe", run, folder)
    assert (folder / "probing/composition.tsv").read_text() == "ours"


def test_what_somebody_edited_is_kept_when_the_step_is_taken_again(done):
    run, folder = done
    before = (folder / "verdicts.tsv").read_text()
    (folder / "verdicts.tsv").write_text("with my remarks")
    taking.take("probe", run, folder)
    assert (folder / "verdicts.tsv").read_text() == before
    assert (folder / "set_aside/probe.1/verdicts.tsv").read_text() == "with my remarks"


def test_a_step_of_data_in_memory_has_no_files_of_data(tmp_path, called):
    """The files that the run names need not be there, and the next step takes what was written."""
    run, folder = read_run(write_run(tmp_path)), tmp_path / "results"
    taking.take("prepare", run, folder)
    of_files = read_record(place_of(folder, "prepare"))
    written = {name: (folder / name).read_bytes() for name in files_of("prepare")}

    def write(run, results):
        for name, content in written.items():
            with replacing(results / name) as temporary:
                temporary.write_bytes(content)

    for name in ("e.csv", "m.csv"):
        (tmp_path / name).unlink()
    taking.take("prepare", run, tmp_path / "memory", write)
    record = read_record(place_of(tmp_path / "memory", "prepare"))
    assert record.data == () and len(of_files.data) == 2
    assert (record.files, record.options, record.modules) == (of_files.files, of_files.options, of_files.modules)
    taking.take("train", run, tmp_path / "memory")
    assert called == ["prepare", "train"]
