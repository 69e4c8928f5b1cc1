"""What is wrong with the records of a run, and which steps will be taken."""

import pytest
from toy_steps import toy, write_run

from mtlbio.errors import InputError
from mtlbio.integrity import step as taking
from mtlbio.integrity.found import CHANGED, DAMAGED, INTERRUPTED, OUTDATED, check_strangers, find_faults, steps_to_take
from mtlbio.integrity.record import place_of
from mtlbio.kinds import STEPS
from mtlbio.kinds.read import read_run


@pytest.fixture
def done(tmp_path, monkeypatch):
    """Run and folder of its results, in which every step has been taken."""
    monkeypatch.setattr(taking, "function_at", lambda place: toy(place.rpartition(":")[2]))
    run = read_run(write_run(tmp_path / "data"))
    for step in STEPS:
        taking.take(step, run, tmp_path / "tiny")
    return run, tmp_path / "tiny"


def faults(run, folder) -> list[tuple[str, str]]:
    return [(fault.step, fault.kind) for fault in find_faults(folder, run)]


def test_each_kind_of_fault_is_told_apart(done, tmp_path):
    run, folder = done
    assert faults(run, folder) == [] and steps_to_take(folder, run) == set()
    (folder / "qc.tsv").write_text("cut")
    place_of(folder, "baselines").write_text("{")
    place_of(folder, "report").unlink()
    assert faults(run, folder) == [("prepare", CHANGED), ("baselines", DAMAGED), ("report", INTERRUPTED)]
    other = read_run(write_run(tmp_path / "data", more="probe: {alpha: 0.01}\n"))
    assert ("probe", OUTDATED) in faults(other, folder)


@pytest.mark.parametrize(
    "more, taken",
    [
        ("report: {title: x}", {"report"}),
        ("evaluate: {margin: 0.05}", {"evaluate", "report"}),
        ("training: {epochs: 30}", {"train", "evaluate", "probe", "report"}),
        ("splits: {folds: 3}", set(STEPS)),
    ],
)
def test_a_changed_option_takes_its_step_and_what_follows(done, tmp_path, more, taken):
    _, folder = done
    run = read_run(write_run(tmp_path / "data", more=more + "\n"))
    assert steps_to_take(folder, run) == taken


def test_a_changed_file_alone_takes_its_step_alone_and_changed_data_all(done, tmp_path):
    run, folder = done
    (folder / "predictions.tsv").write_text("cut")
    assert steps_to_take(folder, run) == {"train"}
    (tmp_path / "data/e.csv").write_text("sample_id,g\na,2\n")
    assert steps_to_take(folder, run) == set(STEPS)


@pytest.mark.parametrize(
    "forced, more, refused",
    [
        ((), "", False),
        ((), "evaluate: {margin: 0.05}", True),  # report follows
        (("report",), "", True),
        (("probe",), "", True),
        (("prepare",), "", True),
    ],
)
def test_a_strangers_file_is_refused_where_a_step_will_write(done, tmp_path, forced, more, refused):
    _, folder = done
    run = read_run(write_run(tmp_path / "data", more=more + "\n"))
    check_strangers(folder, run, forced)
    (folder / "figures/mine.svg").write_text("mine")
    if refused:
        with pytest.raises(InputError, match="figures/mine.svg: mtlbio did not write it .*, and step report"):
            check_strangers(folder, run, forced)
    else:
        check_strangers(folder, run, forced)


def test_a_strangers_file_in_the_model_does_not_keep_the_page_from_being_written(done):
    run, folder = done
    (folder / "model/mine.txt").write_text("mine")
    check_strangers(folder, run, ["evaluate"])
    (folder / "history.tsv").write_text("cut")
    with pytest.raises(InputError, match="model/mine.txt: mtlbio did not write it .1 such file., and step train"):
        check_strangers(folder, run)
