"""The folder of a run as its files in memory."""

import pytest

from mtlbio.errors import InputError
from mtlbio.integrity.folder import mark
from mtlbio.notebook.stored import check_results, files_in, unpacked, write_files


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "results/model").mkdir(parents=True)
    (tmp_path / "results/model/weights").write_bytes(b"\x00\x01")
    (tmp_path / "results/a.tsv").write_text("a\n")
    return mark(tmp_path / "results", "run r")


def test_files_go_into_memory_and_back(folder, tmp_path):
    files = files_in(folder)
    assert list(files) == ["a.tsv", "manifest/run.json", "model/weights"] and files["model/weights"] == b"\x00\x01"
    assert files_in(write_files(files, tmp_path / "copy", "run r")) == files
    with unpacked(files, "run r") as there:
        assert files_in(there) == files
    assert not there.exists()


def test_a_folder_of_somebody_else_is_left_alone(folder, tmp_path):
    with pytest.raises(InputError, match="holds run r, and this is run other; give another folder"):
        write_files({"b.tsv": b"b"}, folder, "run other")
    assert not (folder / "b.tsv").exists()


def test_results_hold_a_model(folder, tmp_path):
    assert check_results(str(folder)) == folder
    with pytest.raises(InputError, match="no trained model in it; expected a folder that mtlbio.train"):
        check_results(tmp_path)
