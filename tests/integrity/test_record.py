"""Records: every file of a step by its SHA-256, and words for what is wrong with it."""

import hashlib
import json
import subprocess

import pytest

from mtlbio.errors import InputError
from mtlbio.integrity.record import Content, Record, contents, faults, place_of, read_record, recorded


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model/model.json").write_text('{"kind": "cohort"}')
    (tmp_path / "latents.tsv").write_bytes(bytes(range(256)) * 10)
    return tmp_path


def test_content_is_what_sha256sum_says(folder):
    printed = subprocess.run(["sha256sum", folder / "latents.tsv"], capture_output=True, text=True, check=True).stdout
    assert Content.of(folder / "latents.tsv") == Content(2560, printed.split()[0])


def test_a_record_comes_back_as_it_was_written_and_is_the_same_text_in_any_order(folder):
    files = contents(folder, [folder / "model", folder / "latents.tsv"])
    record = Record("train", "lupus", files, {"prepare": "abc"}, "o", "m", (Content(3, "d"),))
    assert read_record(record.write(folder)) == record
    text = place_of(folder, "train").read_text()
    Record("train", "lupus", dict(reversed(files.items())), {"prepare": "abc"}, "o", "m", (Content(3, "d"),)).write(
        folder
    )
    assert place_of(folder, "train").read_text() == text
    assert list(json.loads(text)["files"]) == ["latents.tsv", "model/model.json"]


def test_contents_are_those_below_the_folder(folder, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "x.tsv"
    outside.write_text("x")
    found = contents(folder, [folder / "model", outside, folder / "none.tsv"])
    assert found == {"model/model.json": Content(18, hashlib.sha256(b'{"kind": "cohort"}').hexdigest())}


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


def flip_a_bit(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def lengthen(path):
    path.write_bytes(path.read_bytes() + b"\n")


def replace_by_a_folder(path):
    path.unlink()
    path.mkdir()


def link_to_nothing(path):
    path.unlink()
    path.symlink_to("nowhere")


@pytest.mark.parametrize(
    "damage, words",
    [
        (cut, "truncated or replaced: 2,559 bytes where 2,560 were written"),
        (flip_a_bit, "changed: 2,560 bytes as written, but others"),
        (lengthen, "replaced or added to: 2,561 bytes where 2,560 were written"),
        (lambda path: path.unlink(), "missing"),
        (replace_by_a_folder, "no file any more"),
        (link_to_nothing, "a link to nothing"),
    ],
)
def test_every_damage_has_its_words(folder, damage, words):
    record = recorded(folder, "train", "model", "latents.tsv")
    assert faults(record, folder) == {}
    damage(folder / "latents.tsv")
    assert faults(record, folder) == {"latents.tsv": words}


def test_a_flip_of_any_single_bit_is_seen(folder):
    record = recorded(folder, "train", "latents.tsv")
    before = (folder / "latents.tsv").read_bytes()
    for place in range(0, len(before), 97):
        content = bytearray(before)
        content[place] ^= 1 << (place % 8)
        (folder / "latents.tsv").write_bytes(content)
        assert list(faults(record, folder)) == ["latents.tsv"]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"step": "train"}', '{"step": "train", "run": "a", "files": {"x": 3}, "data": []}', "\x00" * 50],
)
def test_a_damaged_record_is_one_line(folder, text):
    place = place_of(folder, "train")
    place.parent.mkdir()
    place.write_text(text)
    with pytest.raises(InputError, match=r"^\S+train.json: not the record of a step as mtlbio writes it \([^\n]*\)$"):
        read_record(place)


@pytest.mark.parametrize("name", ["/etc/passwd", "../other/x.tsv"])
def test_a_record_names_files_below_its_folder_only(folder, name):
    Record("train", "a", {name: Content(1, "x")}).write(folder)
    with pytest.raises(InputError, match="not the record of a step"):
        read_record(place_of(folder, "train"))


def test_the_record_of_another_step_is_refused(folder):
    recorded(folder, "probe", "latents.tsv").write(folder)
    place_of(folder, "probe").rename(place_of(folder, "train"))
    with pytest.raises(InputError, match="it is of 'probe'"):
        read_record(place_of(folder, "train"))
    assert read_record(place_of(folder, "report")) is None
