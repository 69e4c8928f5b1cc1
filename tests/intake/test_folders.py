"""Files of a folder that stands for one table."""

from __future__ import annotations

from mtlbio.intake.folders import files_in, names_in


def test_files_of_samples_in_folders_of_their_own(tmp_path):
    for name in ("b.txt", "S1/quant.sf", "S2/aux/meta.json", "S2/quant.sf", ".hidden", "a/b/c/too_deep"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    assert names_in(tmp_path) == ["b.txt", "S1/quant.sf", "S2/quant.sf", "S2/aux/meta.json"]
    assert files_in(tmp_path)[0] == tmp_path / "S1/quant.sf"


def test_a_store_is_not_looked_into(tmp_path):
    for name in (".zgroup", ".zattrs", "X/0.0", "X/.zarray"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    assert names_in(tmp_path) == []
    assert [file.name for file in files_in(tmp_path)] == [".zattrs", ".zgroup"]


def test_a_circle_of_links_ends(tmp_path):
    (tmp_path / "a.txt").write_text("")
    (tmp_path / "again").symlink_to(tmp_path)
    assert names_in(tmp_path) == ["a.txt", "again/a.txt", "again/again/a.txt"]
