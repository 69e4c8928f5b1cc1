"""``import mtlbio``: the steps as functions write what the command line writes, and print nothing."""

import inspect
import logging
import re
import subprocess
import sys
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest

import mtlbio
from benchmarks.shared.small_run import SMALLEST
from mtlbio import cli, door, progress
from mtlbio.cli import steps
from mtlbio.cli.base import function_of
from mtlbio.cohort.simulate import Simulation, simulate, write_simulation
from mtlbio.errors import InputError
from mtlbio.kinds import STEPS, read
from mtlbio.tables import METRICS, PREDICTIONS, SPLITS, VERDICTS, read_table

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Folder with the planted cohort ``planted``."""
    folder = tmp_path_factory.mktemp("door")
    yaml = write_simulation(folder / "planted", simulate("clear", seed=1, donors=48, genes=300), name="planted")
    yaml.write_text(yaml.read_text() + SMALLEST)
    return folder


def with_pca(planted: Simulation) -> ad.AnnData:
    """A planted cohort with its first four components."""
    values = planted.expression.to_numpy()
    left, size, _ = np.linalg.svd(values - values.mean(axis=0), full_matrices=False)
    obs = planted.metadata.set_index("sample_id")
    return ad.AnnData(values, obs=obs, obsm={"X_pca": left[:, :4] * size[:4]})


def examples(document: str) -> list[str]:
    """Python that a document shows."""
    return re.findall(r"```python\n(.*?)```", (ROOT / document).read_text(encoding="utf-8"), flags=re.DOTALL)


@pytest.fixture(scope="module")
def shown(folder):
    """What the example of docs/python.md leaves, and what it printed."""
    code = f"{examples('docs/python.md')[0]}\nimport pickle, sys\n"
    code += "keys = 'folds predictions metrics verdicts page new'\n"
    code += "pickle.dump({key: globals()[key] for key in keys.split()}, open('shown.pickle', 'wb'))\n"
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    return pd.read_pickle(folder / "shown.pickle"), done


@pytest.fixture
def silent(monkeypatch):
    """The logger as an import leaves it, whatever was called before (benchmarks leave a quiet console)."""
    monkeypatch.setattr(progress.console, "quiet", False)
    handlers, level = progress.log.handlers[:], progress.log.level
    progress.log.handlers = [h for h in handlers if isinstance(h, logging.NullHandler)]
    progress.log.setLevel(logging.NOTSET)
    yield progress.log
    progress.log.handlers, progress.log.level = handlers, level


def test_a_library_prints_nothing_of_its_own(shown):
    assert shown[1].stdout == "" and "Warning: " not in shown[1].stderr and "planted" not in shown[1].stderr


def test_every_step_gives_the_table_that_it_wrote(shown, folder):
    given, results = shown[0], folder / "results/planted"
    for name, file, columns in (
        ("folds", "splits.tsv", SPLITS),
        ("predictions", "predictions.tsv", PREDICTIONS),
        ("metrics", "metrics.tsv", METRICS),
        ("verdicts", "verdicts.tsv", VERDICTS),
        ("new", "predict/expression/predictions.tsv", PREDICTIONS),
    ):
        pd.testing.assert_frame_equal(given[name], read_table(results / file, columns))
        assert len(given[name]) > 0
    assert given["page"] == Path("results/planted/report.html") and (folder / given["page"]).exists()


def test_the_command_line_writes_the_same_tables(shown, folder, monkeypatch):
    monkeypatch.chdir(folder)
    out = folder / "by_command"
    for words in [
        *((step, "planted/run.yaml", "--results", str(out)) for step in STEPS),
        ("predict", str(out), "planted/expression.parquet"),
    ]:
        monkeypatch.setattr(sys, "argv", ["mtlbio", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert not ended.value.code
    results = folder / "results/planted"
    tables = sorted(p.relative_to(results) for p in results.rglob("*.tsv"))
    assert len(tables) > 15
    assert tables == sorted(p.relative_to(out) for p in out.rglob("*.tsv"))
    assert [str(t) for t in tables if (results / t).read_bytes() != (out / t).read_bytes()] == []
    assert (results / "report.html").read_bytes() == (out / "report.html").read_bytes()


def test_the_examples_of_the_readme_run(shown, folder, monkeypatch):
    monkeypatch.chdir(folder)
    of_latents, of_a_run = examples("README.md")
    made = {"adata": with_pca(simulate("clear", seed=1, donors=48, genes=300))}
    exec(of_latents, made)
    assert list(made["trial"].verdicts["dim"]) == ["z01", "z02", "z03", "z04"]
    assert made["trial"]["z03"].why
    left: dict = {}
    exec(of_a_run, left)
    pd.testing.assert_frame_equal(left["verdicts"], shown[0]["verdicts"])


def test_a_step_that_is_called_too_early_says_what_it_misses(folder, tmp_path):
    run = mtlbio.read_run(folder / "planted/run.yaml")
    for step in ("train", "baselines", "evaluate", "trial", "report"):
        with pytest.raises(InputError, match="no such file; run"):
            getattr(mtlbio, step)(run, tmp_path / step)
    with pytest.raises(InputError, match="no trained model in it"):
        mtlbio.predict(run, folder / "planted/expression.parquet", tmp_path)
    (tmp_path / "thesis.docx").touch()
    with pytest.raises(InputError, match="the folder of all results"):
        mtlbio.prepare(run, tmp_path)


def test_import_loads_nothing_heavy():
    code = """if True:
        import sys, mtlbio
        heavy = {"torch", "pandas", "numpy", "pydantic", "rich", "typer"}
        print(sorted(heavy & set(sys.modules)), end=" ")
        mtlbio.read_run, mtlbio.report, mtlbio.trial
        print(sorted({"torch", "pandas", "rich", "typer"} & set(sys.modules)))
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[] []\n"


@pytest.mark.parametrize(
    "first",
    [
        "",
        "import mtlbio.report.page",
        "from mtlbio.report import page",
        "import mtlbio.report as room",
        "mtlbio.report",
    ],
)
def test_the_room_of_the_page_is_the_step_too_in_any_order(first):
    code = f"""if True:
        import mtlbio, sys
        {first}
        from mtlbio import report
        import mtlbio.report.page as page
        from mtlbio.report.page import render
        import mtlbio.door
        mtlbio.door.steps.take = lambda step, run, results: mtlbio.door.steps.Path(results) / step
        assert report is mtlbio.report is sys.modules["mtlbio.report"] and page is report.page
        print(mtlbio.report("run", "out"), report(None, results="here"))
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "out/report/report.html here/report/report.html\n", done.stderr


def test_what_is_offered_is_documented_and_typed():
    assert set(door.__all__) <= set(mtlbio.__all__) <= set(dir(mtlbio))
    for name in door.__all__:
        function = getattr(door, name)
        assert function.__doc__ and "return" in inspect.get_annotations(function), name
    for name in set(mtlbio.__all__) - {"pl"}:
        assert getattr(mtlbio, name).__doc__, name
        assert f"`{name}(" in (ROOT / "docs/python.md").read_text(encoding="utf-8")
    assert list(inspect.signature(mtlbio.report).parameters) == list(inspect.signature(door.report).parameters)
    assert (ROOT / "mtlbio/py.typed").exists()
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        mtlbio.nothing  # noqa: B018


def test_lines_go_to_whoever_asks_for_them(silent, capsys, caplog):
    progress.say("nobody listens")
    assert list(progress.track([1, 2], "nobody counts")) == [1, 2] and not progress.shown()
    assert capsys.readouterr() == ("", "") and caplog.messages == []
    with caplog.at_level(logging.INFO, logger="mtlbio"):
        progress.say("100% [bold]")
        with progress.hushed():
            progress.say("hushed")
        assert list(progress.track([1, 2], "counting")) == [1, 2]
    assert caplog.messages == ["100% [bold]", "counting"]
    assert capsys.readouterr() == ("", "")


def test_a_program_prints_them_once_and_as_they_are(silent, capsys):
    progress.show_progress()
    progress.show_progress()
    progress.say("100% [bold] " + "x" * 200)
    with progress.hushed():
        progress.say("hushed")
        assert not progress.shown()
    assert list(progress.track([1, 2], "counting")) == [1, 2]
    assert capsys.readouterr() == ("", "100% [bold] " + "x" * 200 + "\ncounting\n") and progress.shown()


def test_every_command_that_works_shows_its_progress(silent, monkeypatch):
    monkeypatch.setattr(door.steps, "take", lambda step, run, results: progress.say(step))
    monkeypatch.setattr(read, "read_run", lambda path: path)
    steps._step("prepare", Path("run.yaml"), None)
    assert progress.shown()
    progress.log.handlers = []
    assert function_of("mtlbio.door.steps:take") is door.steps.take and progress.log.handlers


def test_a_part_is_asked_for_by_name_of_the_steps_that_have_parts(silent, monkeypatch, capsys):
    taken = []
    monkeypatch.setattr(door.steps, "take", lambda *words: taken.append(words))
    monkeypatch.setattr(read, "read_run", lambda path: str(path))
    for words in (["train", "a.yaml", "--part", "fold0"], ["probe", "a.yaml"]):
        cli.app(words, standalone_mode=False)
    assert taken == [("train", "a.yaml", None, "fold0"), ("probe", "a.yaml", None)]
    with pytest.raises(Exception, match="No such option: --part"):
        cli.app(["report", "a.yaml", "--part", "fold0"], standalone_mode=False)
