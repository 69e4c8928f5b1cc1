"""The command line: what is wrong is one line and exit status 2; nothing of somebody else's is overwritten."""

import json
import os
import resource
import subprocess
import sys

import pytest

from mtlbio import __version__, cli, door
from mtlbio.cohort.simulate import simulate, write_simulation
from mtlbio.integrity import step as taking
from mtlbio.integrity.record import recorded
from mtlbio.kinds import COHORT, STEPS
from mtlbio.progress import console
from mtlbio.workflow import is_older

RUN = "run: tiny\nexpression: {path: e.csv, scale: log}\nmetadata: {path: m.csv}\ntasks: {age: {kind: regression}}\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working directory with a valid run."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.yaml").write_text(RUN)
    (tmp_path / "e.csv").write_text("sample_id,g\na,1\n")
    (tmp_path / "m.csv").write_text("sample_id,donor_id,age\na,a,1\n")
    return tmp_path


@pytest.fixture
def mtlbio(monkeypatch, capsys):
    """Call the command line; gives (exit status, stdout, stderr)."""

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["mtlbio", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return ended.value.code or 0, out, err

    return call


def test_help_names_every_command():
    """That it answers at once follows from what it does not import: the next test."""
    done = subprocess.run([sys.executable, "-m", "mtlbio", "--help"], capture_output=True, text=True, check=True)
    for command in (
        *STEPS,
        "run",
        "plan",
        "transfer",
        "influence",
        "panel",
        "impute",
        "simulate",
        "init",
        "predict",
        "verify",
        "config",
        "schema",
    ):
        assert f"\n  {command} " in done.stdout


def test_help_of_run_and_reading_a_run_import_no_heavy_library(folder):
    code = """if True:
        import sys, mtlbio.cli, mtlbio.workflow
        mtlbio.workflow.plan({"runs": "run.yaml"})
        heavy = {"torch", "scanpy", "anndata", "lightgbm", "decoupler", "matplotlib", "pandas"}
        print(sorted(heavy & set(sys.modules)))
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_help_answers_at_once():
    spent = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "mtlbio", "--help"], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(spent) < 0.3


def test_a_plan_needs_no_torch(folder, mtlbio):
    mtlbio("simulate", "planted", "--donors", "40", "--genes", "300")
    code = """if True:
        import atexit, sys
        from mtlbio import cli
        atexit.register(lambda: print([name for name in ("torch", "mtlbio.probing.plan") if name in sys.modules]))
        sys.argv = ["mtlbio", "plan", "planted/run.yaml"]
        cli.main()
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-2:] == ["results/planted/plan.tsv", "['mtlbio.probing.plan']"]


def test_version(mtlbio):
    assert mtlbio("--version") == (0, f"mtlbio {__version__}\n", "")


@pytest.mark.parametrize("step", [*STEPS, "run", "plan"])
def test_a_wrong_run_is_one_line_and_status_2(folder, mtlbio, step):
    (folder / "run.yaml").write_text(RUN + "probe: {alfa: 0.05}\n")
    status, out, err = mtlbio(step, "run.yaml")
    assert status == 2 and out == ""
    assert err.startswith("mtlbio: error: run.yaml: probe.alfa: unknown key") and err.count("\n") == 1
    assert not (folder / "results").exists()


def test_a_step_is_given_the_run_and_its_folder(folder, mtlbio, monkeypatch):
    calls = []
    monkeypatch.setattr(
        taking, "function_at", lambda place: lambda run, results: calls.append((place, run.run, str(results)))
    )
    monkeypatch.setattr(taking, "checked", lambda *_: {})
    assert mtlbio("probe", "run.yaml")[0] == 0
    assert mtlbio("report", "run.yaml", "--results", "out")[0] == 0
    assert calls == [(COHORT.steps["probe"], "tiny", "results/tiny"), (COHORT.steps["report"], "tiny", "out")]


@pytest.mark.parametrize(
    "words",
    [
        ("prepare", "run.yaml", "--results", "mine"),
        ("simulate", "mine"),
    ],
)
def test_a_folder_with_other_files_is_refused(folder, mtlbio, words):
    (folder / "mine").mkdir()
    (folder / "mine" / "thesis.docx").touch()
    status, _, err = mtlbio(*words)
    assert status == 2
    assert err == (
        "mtlbio: error: mine: holds files that mtlbio did not write (thesis.docx), and no manifest/run.json, the "
        "mark of its folders; give a new or an empty folder\n"
    )
    assert os.listdir(folder / "mine") == ["thesis.docx"]


def test_a_file_where_a_folder_is_needed_is_refused(folder, mtlbio):
    for words in (("prepare", "run.yaml", "--results", "e.csv"), ("simulate", "e.csv")):
        assert mtlbio(*words)[2] == "mtlbio: error: e.csv: found a file; expected a folder, or a name for a new one\n"
    assert mtlbio("run", "run.yaml", "--results", "e.csv")[0] == 2


@pytest.fixture
def handed(monkeypatch):
    """What `mtlbio run` hands to Snakemake, which is not called."""
    words = []
    monkeypatch.setattr("mtlbio.launch.run._snakemake", lambda arguments: words.append(arguments) or (0, ""))
    return words


def test_run_refuses_options_that_would_point_the_workflow_elsewhere(folder, mtlbio, handed):
    status, _, err = mtlbio("run", "run.yaml", "--configfile", "x.yaml")
    assert status == 2 and err.startswith("mtlbio: error: --configfile: set by mtlbio run") and err.count("\n") == 1
    assert handed == [] and not (folder / "results").exists()


@pytest.mark.parametrize(
    "given, parallel",
    [
        ([], ["--cores", "all", "--resources", "mem_mb=16000"]),
        (["--cores", "3"], ["--cores", "3", "--resources", "mem_mb=16000"]),
        (["--workflow-profile", "slurm"], ["--workflow-profile", "slurm"]),
        (["-j4"], ["--resources", "mem_mb=16000", "-j4"]),
        (["--res", "mem_mb=9"], ["--cores", "all", "--res", "mem_mb=9"]),
        (["--cores", "2", "--executor=slurm"], ["--cores", "2", "--executor=slurm"]),
    ],
)
def test_run_hands_over_to_snakemake(folder, mtlbio, handed, monkeypatch, given, parallel):
    checked = []
    monkeypatch.setattr("mtlbio.launch.run.memory_mb", lambda: 16000)
    monkeypatch.setattr("mtlbio.launch.checks._apart", lambda one: checked.append(one.run.run) or (None, []))
    assert mtlbio("run", "run.yaml", "--results", "deep/out", *given)[0] == 0
    assert checked == ["tiny"]  # there is no prepared cohort yet
    words = handed[0]
    assert words[words.index("--directory") + 1] == str(folder / "deep")
    place = words.index("--config")
    after = ["--rerun-incomplete", "--keep-going", *parallel]
    assert words[place + 1 :] == [f"runs=quoted:{folder}/run.yaml", "results=quoted:out", *after]


def test_simulate_writes_a_cohort_that_can_be_run_and_can_be_repeated(folder, mtlbio):
    words = (
        "simulate",
        "planted",
        "--donors",
        "12",
        "--genes",
        "300",
        "--seed",
        "3",
        "--design",
        "null",
        "--name",
        "p",
    )
    assert mtlbio(*words) == (0, "mtlbio run planted/run.yaml\n", "")
    first = {p.name: p.read_bytes() for p in (folder / "planted").rglob("*.*")}
    assert mtlbio(*words)[0] == 0
    assert {p.name: p.read_bytes() for p in (folder / "planted").rglob("*.*")} == first
    from mtlbio.kinds.read import read_run

    assert read_run(folder / "planted" / "run.yaml").run == "p"
    assert first["metadata.csv"].count(b"\n") == 13


def test_simulate_names_the_valid_designs(folder, mtlbio):
    status, _, err = mtlbio("simulate", "planted", "--design", "clean")
    assert status == 2 and err.startswith("mtlbio: error: design: found 'clean'; valid: clear,")


def test_init_writes_a_draft_that_loads_and_never_overwrites(folder, mtlbio):
    mtlbio("simulate", "planted", "--donors", "30", "--genes", "300")
    status, out, _ = mtlbio("init", "planted/expression.parquet", "planted/metadata.csv", "--out", "drafts/new.yaml")
    assert status == 0 and out.startswith("drafts/new.yaml: a draft")
    from mtlbio.kinds.read import read_run

    run = read_run(folder / "drafts" / "new.yaml")
    assert run.tasks["disease"].positive == "case" and run.covariates["batch"].role == "technical"
    status, _, err = mtlbio("init", "planted/expression.parquet", "--out", "drafts/new.yaml")
    assert status == 2 and err.startswith("mtlbio: error: drafts/new.yaml: exists already")


def test_init_of_one_table_loads_and_plans(folder, mtlbio):
    mtlbio("simulate", "doses", "--kind", "doses")
    status, out, notes = mtlbio("init", "doses/doses.csv", "--out", "drug.yaml")
    assert status == 0 and "task drug_a: regression" in notes
    assert (
        out == "drug.yaml: a draft; read it, correct it, then: mtlbio plan drug.yaml, and last: mtlbio run drug.yaml\n"
    )
    status, out, _ = mtlbio("plan", "drug.yaml")
    assert status == 0 and "drug_c" in out and (folder / "results/doses/plan.tsv").exists()
    status, _, err = mtlbio("init", "doses/doses.csv", "doses/truth.csv", "--table", "--out", "other.yaml")
    assert status == 2 and err.startswith("mtlbio: error: --table: found doses/truth.csv too")
    status, _, err = mtlbio("init", "doses/none.csv", "--out", "other.yaml")
    assert status == 2 and err.startswith("mtlbio: error: doses/none.csv: no such file")


@pytest.mark.parametrize(
    "words, message",
    [
        (("predict", "results/tiny", "new.csv"), "new.csv: no such file"),
        (("predict", "results/tiny", "e.csv"), "results/tiny: no trained model in it"),
        (
            ("predict", "results/tiny", "e.csv", "--standardise", "none"),
            "--standardise: found 'none'; valid: training, cohort",
        ),
    ],
)
def test_predict_says_what_it_misses(folder, mtlbio, words, message):
    status, _, err = mtlbio(*words)
    assert status == 2 and err.startswith(f"mtlbio: error: {message}") and err.count("\n") == 1


def test_predict_is_given_its_folder(folder, mtlbio, monkeypatch):
    (folder / "results/tiny/model").mkdir(parents=True)
    (folder / "results/tiny/model/model.json").write_text("{}")
    recorded(folder / "results/tiny", "train", "model")
    calls = []
    monkeypatch.setattr(door.finished, "function_at", lambda place: lambda *given: calls.append(tuple(map(str, given))))
    assert mtlbio("predict", "results/tiny", "e.csv")[:2] == (0, "results/tiny/predict/e\n")
    assert mtlbio("predict", "results/tiny", "e.csv", "--out", "o", "--standardise", "cohort", "--anyway")[0] == 0
    assert mtlbio("predict", "results/tiny", "e.csv", "--out", "p", "--tasks", "a,b")[0] == 0
    assert calls == [
        ("results/tiny", "e.csv", "results/tiny/predict/e", "training", "None", "None", "None"),
        ("results/tiny", "e.csv", "o", "cohort", "True", "None", "None"),
        ("results/tiny", "e.csv", "p", "training", "None", "None", "a,b"),
    ]


def test_the_reference_of_keys_can_be_printed(mtlbio):
    status, out, _ = mtlbio("config")
    assert status == 0 and "## `probe`" in out
    status, out, _ = mtlbio("schema")
    assert status == 0 and json.loads(out)["properties"]["tasks"]


def test_any_other_error_is_a_line_that_names_its_traceback(folder, mtlbio, monkeypatch):
    def broken(run, results):
        raise ZeroDivisionError

    monkeypatch.setattr(taking, "function_at", lambda place: broken)
    monkeypatch.setattr(taking, "checked", lambda *_: {})
    status, out, err = mtlbio("probe", "run.yaml")
    place = folder / "results/tiny/logs/probe.traceback.txt"
    assert (status, out) == (1, "")
    assert err == f"mtlbio: error: a mistake of mtlbio, ZeroDivisionError; please report it with {place}\n"
    assert "in broken" in place.read_text()


def test_run_tells_what_is_wrong_with_the_data_before_any_job(folder, mtlbio, handed):
    status, _, err = mtlbio("run", "run.yaml", "--results", "deep/out")
    assert status == 2 and err.splitlines()[-1].startswith("mtlbio: error: ")
    assert handed == [] and not (folder / "deep").exists()


def test_run_says_first_what_the_design_cannot_answer(tmp_path, mtlbio, handed, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(console, "quiet", False)  # as benchmarks leave it
    for design, warned in (("nested", 1), ("clear", 0)):
        path = write_simulation(tmp_path / design, simulate(design, 0, donors=60, genes=300))
        status, out, err = mtlbio("run", str(path))
        said = [line for line in (out + err).splitlines() if "Warning: " in line]
        assert status == 0 and len(said) == warned
        assert all("batch is nested in disease (" in line and "no verdict can separate them" in line for line in said)
    assert len(handed) == 2


def test_the_cohort_is_checked_again_only_where_something_changed(tmp_path):
    made, source = tmp_path / "cohort.h5ad", tmp_path / "e.csv"
    source.touch()
    assert is_older(made, [source])
    made.touch()
    os.utime(source, (1, 1))
    assert not is_older(made, [source])
    os.utime(made, (0, 0))
    assert is_older(made, [source])
