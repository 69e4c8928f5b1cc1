"""Which runs are meant: YAMLs, folders, and what is wrong with each."""

import pytest

from mtlbio.errors import InputError
from mtlbio.launch.find import find_runs
from mtlbio.progress import console

RUN = "run: {}\nexpression: {{path: {e}, scale: log}}\nmetadata: {{path: {e}}}\ntasks: {{age: {{kind: regression}}}}\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working directory with three runs in `cohorts`, one of them a folder further down."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "e.csv").write_text("sample_id,g\n")
    (tmp_path / "cohorts" / "c").mkdir(parents=True)
    for place, name in (("a.yaml", "a"), ("b.yml", "b"), ("c/run.yaml", "c")):
        (tmp_path / "cohorts" / place).write_text(RUN.format(name, e=tmp_path / "e.csv"))
    return tmp_path


def names(words):
    found, wrong = find_runs(words)
    return [one.run.run for one in found], [(one.run, one.yaml, one.error) for one in wrong]


def test_files_and_folders_in_their_order_each_once(folder):
    assert names(["cohorts"]) == (["a", "b", "c"], [])
    assert names(["cohorts/c/run.yaml", "cohorts", "cohorts/a.yaml"]) == (["c", "a", "b"], [])


def test_hidden_files_deeper_folders_and_other_files_are_no_runs(folder):
    deep = folder / "cohorts" / "c" / "deeper"
    for place in (deep / "d.yaml", folder / "cohorts" / ".old" / "e.yaml", folder / "cohorts" / ".f.yaml"):
        place.parent.mkdir(exist_ok=True)
        place.write_text(RUN.format("d", e=folder / "e.csv"))
    (folder / "cohorts" / "readme.txt").touch()
    assert names(["cohorts"]) == (["a", "b", "c"], [])


def test_a_mistake_is_the_run_s_own(folder):
    (folder / "cohorts" / "a.yaml").write_text(RUN.format("first", e="nowhere.csv"))
    (folder / "cohorts" / "b.yml").write_text("run: [")
    found, wrong = names(["cohorts", "none.yaml"])
    assert found == ["c"]
    assert [one[:2] for one in wrong] == [
        ("first", "cohorts/a.yaml"), ("b", "cohorts/b.yml"), ("none", "none.yaml"),
    ]  # fmt: skip
    assert wrong[0][2].startswith("cohorts/a.yaml: expression.path: no such file: ")
    assert wrong[1][2].startswith("cohorts/b.yml: not valid YAML: ")
    assert wrong[2][2].startswith("none.yaml: no such file")


def test_two_runs_of_one_name_are_both_left_out(folder):
    (folder / "cohorts" / "b.yml").write_text(RUN.format("a", e=folder / "e.csv"))
    line = "cohorts/a.yaml, cohorts/b.yml: run: 'a' is the name of 2 runs; each needs its own"
    assert names(["cohorts"]) == (["c"], [("a", "cohorts/a.yaml", line)])


def test_yamls_that_are_no_runs_are_said_and_left_out(folder, capsys, monkeypatch):
    from mtlbio.progress import show_progress

    show_progress()
    monkeypatch.setattr(console, "quiet", False)
    (folder / "cohorts" / "notes.yaml").write_text("colour: red\n")
    (folder / "cohorts" / "list.yaml").write_text("- 1\n")
    assert names(["cohorts"]) == (["a", "b", "c"], [])
    said = "cohorts: left out, since no `run:` stands in it: cohorts/list.yaml, cohorts/notes.yaml\n"
    assert capsys.readouterr().err == said


@pytest.mark.parametrize(
    "files, found", [({}, "no .yaml file"), ({"n.yaml": "colour: red\n"}, "empty/n.yaml, without a key `run`")]
)
def test_a_folder_without_runs_is_one_line(folder, files, found):
    (folder / "empty").mkdir()
    for name, text in files.items():
        (folder / "empty" / name).write_text(text)
    with pytest.raises(InputError) as caught:
        find_runs(["cohorts", "empty"])
    assert str(caught.value) == f"empty: found {found}; expected YAMLs of runs in it, or one folder further down"
