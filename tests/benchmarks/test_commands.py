"""Every benchmark is a command that runs from any folder, and the index and the documents name it where it is."""

import re
import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "benchmarks"
MODULES = {p: p.read_text(encoding="utf-8") for p in sorted(FOLDER.rglob("*.py"))}
COMMANDS = [p for p, text in MODULES.items() if 'if __name__ == "__main__"' in text]
NAMED = re.compile(r"benchmarks/[\w/]+\.py")


def place(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("command", COMMANDS, ids=place)
def test_a_command_finds_its_imports_from_any_folder_and_says_what_it_does(command, monkeypatch, capsys, tmp_path):
    # as `python .../command.py` starts: its own folder is on the path, the repository and its modules are not
    monkeypatch.chdir(tmp_path)
    elsewhere = [p for p in sys.path if p and Path(p).resolve() != ROOT]
    monkeypatch.setattr(sys, "path", [str(command.parent), *elsewhere])
    for name in [name for name in sys.modules if name.partition(".")[0] == "benchmarks"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "argv", [str(command), "--help"])
    monkeypatch.setenv("COLUMNS", "500")
    with pytest.raises(SystemExit) as left:
        runpy.run_path(str(command), run_name="__main__")
    assert left.value.code == 0
    said = capsys.readouterr().out
    assert said.startswith(f"usage: {command.name} ")
    assert MODULES[command].splitlines()[0].removeprefix('"""') in said


def test_the_index_names_every_command_of_a_folder():
    named = set(NAMED.findall((FOLDER / "README.md").read_text(encoding="utf-8")))
    # frozen.py, which compares two versions of the code, asks no question of the method
    assert named == {place(p) for p in COMMANDS if p.name != "frozen.py"}


def test_every_command_says_how_it_is_called_and_nothing_names_one_that_is_not_there():
    assert [p for p in COMMANDS if f"python {place(p)}" not in MODULES[p]] == []
    pages = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "Makefile", *(ROOT / "docs").rglob("*.md")]
    texts = [*pages, *MODULES, *(ROOT / "mtlbio").rglob("*.py"), *(ROOT / "mtlbio").rglob("*.md")]
    named = {(place(p), name) for p in texts for name in NAMED.findall(p.read_text(encoding="utf-8"))}
    assert len(named) > len(COMMANDS)
    assert {(page, name) for page, name in named if not (ROOT / name).is_file()} == set()
