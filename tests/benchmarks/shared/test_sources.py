"""A kept result belongs to the sources that made it, and to no others."""

from pathlib import Path

from benchmarks.calibration.grid import APART, ROOMS
from benchmarks.shared import sources


def test_a_digest_changes_with_its_rooms_and_not_with_what_stands_apart(monkeypatch, tmp_path):
    monkeypatch.setattr(sources, "_FOLDERS", {top: tmp_path / top for top in ("mtlbio", "benchmarks")})
    for place in ("mtlbio/probing/judge.py", "mtlbio/probing/deep/test.py", "benchmarks/calibration/planted.py"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text("1")

    def digest():
        return sources.digest_of(("mtlbio.probing", "benchmarks.calibration"), {"pages"})

    seen = [digest()]
    assert len(seen[0]) == 10
    for place in ("benchmarks/calibration/pages.py", "benchmarks/other/x.py", "mtlbio/model/x.py"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text("2")
        assert digest() == seen[0], place
    for place in ("mtlbio/probing/judge.py", "mtlbio/probing/deep/test.py", "benchmarks/calibration/planted.py"):
        (tmp_path / place).write_text("2")
        assert digest() not in seen, place
        seen.append(digest())


def test_the_rooms_of_the_grid_are_there_and_so_is_what_stands_apart():
    root = Path(__file__).parents[3]
    for rooms in ROOMS.values():
        assert all(list((root / room.replace(".", "/")).glob("*.py")) for room in rooms)
        named = {path.stem for room in rooms for path in (root / room.replace(".", "/")).rglob("*.py")}
        assert named >= APART
