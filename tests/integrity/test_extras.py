"""What a command adds to a run is known to mtlbio, and is not written over what somebody else left."""

import json
from dataclasses import asdict

import pytest

from mtlbio.errors import InputError
from mtlbio.integrity.extras import check_own, lines_of_extras, writing
from mtlbio.integrity.record import Record, recorded


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "splits.tsv").write_text("sample\n")
    record = recorded(tmp_path, "prepare", "splits.tsv", run="small")
    with writing(tmp_path, "panel", {"prepare": record}) as place:
        (place / "front.tsv").write_text("task\n")
    return tmp_path


def again(folder, text):
    (folder / "splits.tsv").write_text(text)
    return {"prepare": recorded(folder, "prepare", "splits.tsv", run="small")}


def test_a_changed_file_and_other_files_than_it_read_are_told(folder):
    records = again(folder, "sample\n")
    assert lines_of_extras(folder, records) == [("panel: 1 files as written", True)]
    records = again(folder, "sample\nS1\n")
    assert lines_of_extras(folder, records) == [("panel: read other files of step prepare than are there", False)]
    (folder / "panel/front.tsv").write_text("more\n\n")
    line, good = lines_of_extras(folder, {})[0]
    assert "panel/front.tsv: replaced or added to: 6 bytes where 5 were written" in line and not good
    (folder / "manifest/panel.json").write_text("{}")
    assert "not the record of a step" in lines_of_extras(folder, {})[0][0]
    (folder / "manifest/panel.json").unlink()
    assert lines_of_extras(folder, {}) == []


def test_a_kill_before_the_folder_has_its_name_is_healed_by_the_next_call(folder, monkeypatch):
    def killed(*names):
        raise KeyboardInterrupt

    records = again(folder, "sample\n")
    monkeypatch.setattr("mtlbio.files.os.replace", killed)
    monkeypatch.setattr(Record, "write", lambda record, at: recorded_as(record, at))
    with pytest.raises(KeyboardInterrupt), writing(folder, "panel", records) as place:
        (place / "front.tsv").write_text("other\n")
    monkeypatch.undo()
    assert not lines_of_extras(folder, records)[0][1]
    with writing(folder, "panel", records) as place:
        (place / "front.tsv").write_text("other\n")
    assert lines_of_extras(folder, records) == [("panel: 1 files as written", True)]
    assert (folder / "panel/front.tsv").read_text() == "other\n"


def recorded_as(record: Record, folder) -> None:
    """The record, written without a rename."""
    content = asdict(record) | {"files": {name: asdict(its) for name, its in record.files.items()}}
    (folder / "manifest/panel.json").write_text(json.dumps(content))


def test_a_failure_leaves_what_was_there_and_no_trace(folder):
    before = sorted(folder.rglob("*"))
    with pytest.raises(ZeroDivisionError), writing(folder, "panel", again(folder, "sample\n")) as place:
        (place / "front.tsv").write_text("half")
        raise ZeroDivisionError
    assert sorted(folder.rglob("*")) == before


def test_somebody_elses_file_is_not_written_over(folder):
    (folder / "panel/mine.txt").write_text("mine")
    with pytest.raises(InputError, match="panel/mine.txt: mtlbio did not write it, and mtlbio panel would write there"):
        check_own(folder, "panel")
    (folder / "panel/mine.txt").unlink()
    check_own(folder, "panel")
