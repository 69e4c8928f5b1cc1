"""``mtlbio verify``: a line per step."""

import sys

import pytest

from mtlbio import cli
from mtlbio.errors import InputError
from mtlbio.integrity.folder import claim
from mtlbio.integrity.record import place_of, recorded
from mtlbio.integrity.verify import verify
from mtlbio.kinds import STEPS


def test_every_step_has_its_line(tmp_path, monkeypatch, capsys):
    folder = claim(tmp_path / "a", "run a")
    for number, step in enumerate(STEPS):
        names = [f"{step}{i}.tsv" for i in range(number + 1)]
        for name in names:
            (folder / name).write_text(name)
        recorded(folder, step, *names)
    lines = [f"{step}: {n} {'file' if n == 1 else 'files'} as written" for n, step in enumerate(STEPS, 1)]
    assert verify(folder) == (lines, True)
    (folder / "train1.tsv").write_text("train1.tsx")
    place_of(folder, "probe").unlink()
    place_of(folder, "report").write_text("{")
    found, whole = verify(folder)
    assert not whole and found[1] == f"train: {folder / 'train1.tsv'}: changed: 10 bytes as written, but others"
    assert found[4] == "probe: not taken, or interrupted" and "not the record of a step" in found[5]
    monkeypatch.setattr(sys, "argv", ["mtlbio", "verify", str(folder)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1 and capsys.readouterr().out.splitlines() == [str(folder), *(f"  {x}" for x in found)]


def test_another_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        verify(tmp_path / "none")
    with pytest.raises(InputError, match="no manifest/run.json in it"):
        verify(tmp_path)
