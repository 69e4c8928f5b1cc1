"""Predictions that somebody has changed are not written over."""

import pytest

from mtlbio.errors import InputError
from mtlbio.integrity.predictions import check_own, record_predictions
from mtlbio.tables import PREDICTIONS


@pytest.fixture
def new(tmp_path):
    path = tmp_path / "new.csv"
    path.write_text("sample,CD4\na,1\n")
    return path


@pytest.fixture
def folder(tmp_path, new):
    """A folder of predictions, as it was written."""
    folder = tmp_path / "out"
    (folder / "pictures").mkdir(parents=True)
    (folder / "predictions.tsv").write_text("\t".join(PREDICTIONS) + "\n")
    (folder / "pictures" / "a.svg").write_text("<svg/>")
    return record_predictions(folder, [folder / "predictions.tsv", folder / "pictures"], new)


def test_what_is_as_it_was_written_may_be_written_again(folder, new, tmp_path):
    check_own(folder, new)
    (folder / "predictions.tsv").unlink()
    check_own(folder, new)
    check_own(tmp_path / "none", new)
    (folder / "notes.txt").write_text("mine")
    check_own(folder, new)


@pytest.mark.parametrize("name", ["predictions.tsv", "pictures/a.svg", "pictures/mine.png"])
def test_a_file_that_was_changed_or_added_where_it_would_go_is_named(folder, new, name):
    (folder / name).write_text("edited")
    with pytest.raises(InputError, match=f"{name}: .*; --force writes over it, --out names another folder"):
        check_own(folder, new)


def test_predictions_of_another_file_are_replaced_with_a_line(folder, new):
    assert check_own(folder, new) == ""
    new.write_text("sample,CD4\na,2\n")
    said = f"{folder}: held predictions of another file, or of an earlier new.csv; they were replaced"
    assert check_own(folder, new) == said


@pytest.mark.parametrize(
    "content, ours",
    [
        ("\t".join([*PREDICTIONS, "y_sd"]) + "\n", True),
        ("sample\tresidue\tletter\tq8\n", True),
        ("my table\n", False),
        ("", False),
        ("\xff", False),
    ],
)
def test_without_a_record_the_header_tells_whose_it_is(tmp_path, new, content, ours):
    (tmp_path / "predictions.tsv").write_text(content, encoding="latin-1")
    if ours:
        check_own(tmp_path, new)
    else:
        with pytest.raises(InputError, match="exists and does not begin as mtlbio predict writes it"):
            check_own(tmp_path, new)
