"""Whose folder it is: nothing of somebody else's is written over or taken away."""

import os

import pytest

from mtlbio.errors import InputError
from mtlbio.integrity.folder import MARK, check_claim, claim, refuse_strangers, set_aside
from mtlbio.integrity.record import recorded


def test_a_new_and_an_empty_folder_are_marked_once(tmp_path):
    for folder in (tmp_path / "deep/new", tmp_path / "empty"):
        if folder.name == "empty":
            folder.mkdir()
        assert claim(folder, "run a") == folder
        marked = (folder / MARK).stat().st_mtime_ns
        (folder / "notes.txt").write_text("mine")  # beside what steps write it is nobody's business
        assert claim(folder, "run a") == folder and (folder / MARK).stat().st_mtime_ns == marked


@pytest.mark.parametrize("name", ["model/weights.safetensors", "figures/a.svg", "report.html", "logs/x.log", "x"])
def test_a_folder_of_somebody_else_is_refused_whatever_its_files_are_called(tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine")
    with pytest.raises(InputError, match=r"holds files that mtlbio did not write \(\w+.*\), and no manifest/run.json"):
        claim(tmp_path, "run a")
    assert (tmp_path / name).read_text() == "mine" and not (tmp_path / MARK).exists()


def test_a_folder_of_another_run_or_purpose_is_refused(tmp_path):
    claim(tmp_path, "run a")
    with pytest.raises(InputError, match="holds run a, and this is run b; give another folder"):
        check_claim(tmp_path, "run b")
    with pytest.raises(InputError, match="found a file; expected a folder"):
        claim(tmp_path / MARK, "run a")


@pytest.mark.parametrize("text", [None, "{", ""])
def test_records_speak_where_the_mark_is_damaged(tmp_path, text):
    claim(tmp_path, "run a")
    (tmp_path / "qc.tsv").write_text("x")
    recorded(tmp_path, "prepare", "qc.tsv")
    (tmp_path / MARK).unlink() if text is None else (tmp_path / MARK).write_text(text)
    claim(tmp_path, "run a")
    with pytest.raises(InputError, match="holds run a"):
        check_claim(tmp_path, "run b")


def test_a_strangers_file_where_a_step_writes_is_refused(tmp_path):
    claim(tmp_path, "run a")
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures/mine.svg").write_text("x")
    with pytest.raises(InputError, match=r"figures/mine.svg: mtlbio did not write it \(1 such file\), and step report"):
        refuse_strangers(tmp_path, "report")
    (tmp_path / "report.html").write_text("x")
    recorded(tmp_path, "report", "report.html")
    with pytest.raises(InputError, match="figures/mine.svg"):
        refuse_strangers(tmp_path, "report")
    recorded(tmp_path, "report", "report.html", "figures")
    refuse_strangers(tmp_path, "report")


def test_what_an_interrupted_step_left_is_no_strangers(tmp_path):
    claim(tmp_path, "run a")
    (tmp_path / "history.tsv").write_text("x")
    with pytest.raises(InputError, match="history.tsv"):
        refuse_strangers(tmp_path, "train")
    (tmp_path / "manifest/train.started").touch()
    refuse_strangers(tmp_path, "train")


def test_files_set_aside_outlive_their_first_name(tmp_path):
    (tmp_path / "model").mkdir()
    for name in ("model/weights", "history.tsv"):
        (tmp_path / name).write_text(name)
    names = ["model/weights", "history.tsv", "none.tsv", "history.tsv"]
    first, second = set_aside(tmp_path, "train", names), set_aside(tmp_path, "train", names)
    assert (first, second) == (tmp_path / "set_aside/train.1", tmp_path / "set_aside/train.2")
    (tmp_path / "history.tsv").unlink()
    assert (first / "history.tsv").read_text() == "history.tsv" and (first / "model/weights").exists()
    assert sorted(os.listdir(second)) == ["history.tsv", "model"]
