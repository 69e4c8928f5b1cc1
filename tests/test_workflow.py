"""Which modules a step uses, and how a workflow's configuration is checked."""

import json
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from mtlbio.config import Training
from mtlbio.errors import InputError
from mtlbio.kinds.sources import modules_of
from mtlbio.modules import PACKAGE
from mtlbio.workflow import plan, shown


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def package(tmp_path):
    """A package with the entry module of one step and every way to import."""
    return write(
        tmp_path / "mtlbio",
        {
            "__init__.py": "",
            "cli.py": "",
            "errors.py": "",
            "tables.py": "from mtlbio.errors import InputError",
            "probing/__init__.py": "",
            "probing/probe.py": """
                from mtlbio.probing import audit
                from mtlbio.errors import InputError
                import numpy as np
                def probe(run, results):
                    from .association import partial
                    import mtlbio.model.axes as axes
                    METHODS = {"rotate": "mtlbio.model.rotate:varimax"}
            """.replace("\n                ", "\n"),
            "probing/audit.py": "from ..tables import read_table",
            "probing/association.py": "from . import audit",
            "probing/unused.py": "from mtlbio.probing import probe",
            "model/__init__.py": "",
            "model/axes.py": "FILE = 'marker.gmt'",
            "model/rotate.py": "def varimax(): 'reads other.gmt'",
            "model/other.gmt": "",
            "cohort/__init__.py": "",
            "cohort/data/marker.gmt": "",
            "cohort/data/neighbour.css": "",
            "cohort/data/leukaemia/expression.parquet": "",
        },
    )


def test_modules_of_a_step_are_what_it_imports_and_reads(package):
    found = {str(Path(p).relative_to(package)) for p in modules_of("probe", package)}
    assert found == {
        "__init__.py",
        "tables.py",
        "probing/__init__.py",
        "probing/probe.py",
        "probing/audit.py",
        "probing/association.py",
        "model/__init__.py",
        "model/axes.py",
        "model/rotate.py",
        "cohort/data/marker.gmt",
        "cohort/data/neighbour.css",
    }


def test_where_a_module_is_chosen_by_name_the_whole_folder_counts(package):
    text = "from importlib import import_module\ndef made(name): return import_module(f'mtlbio.model.{name}')"
    write(package, {"probing/association.py": text, "model/chosen.py": "", "model/encoders/cnn.py": ""})
    found = {str(Path(p).relative_to(package)) for p in modules_of("probe", package)}
    assert {"model/chosen.py", "model/axes.py"} <= found and "model/encoders/cnn.py" not in found


def test_a_folder_named_by_a_module_counts_with_all_its_files(package):
    write(
        package,
        {"probing/audit.py": "FOLDER = 'templates'", "probing/templates/page.html": "", "model/templates/x": ""},
    )
    found = modules_of("probe", package)
    assert str(package / "probing/templates/page.html") in found
    assert str(package / "model/templates/x") not in found


def test_modules_of_an_unknown_step_or_a_missing_entry_is_an_error(package):
    with pytest.raises(KeyError, match="no such step"):
        modules_of("paint")
    with pytest.raises(FileNotFoundError, match="mtlbio.training.train"):
        modules_of("train", package)


def test_shipped_error_rates_belong_to_the_trial_and_not_to_the_training():
    found = {str(Path(p).resolve().relative_to(PACKAGE)) for p in modules_of("probe")}
    assert {"probing/rates.py", "probing/data/error_rates.tsv", "probing/data/found.tsv"} <= found
    assert "probing/data/found.tsv" not in {str(Path(p).resolve().relative_to(PACKAGE)) for p in modules_of("train")}


@pytest.fixture
def run_yaml(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pd.DataFrame({"sample_id": ["a"], "g": [1.0]}).to_csv("expression.csv", index=False)
    Path("metadata.csv").write_text("sample_id,donor_id,age\na,a,3\n")
    text = "run: {name}\nexpression: {{path: expression.csv, scale: log}}\nmetadata: {{path: metadata.csv}}\n"
    text += "tasks: {{age: {{kind: regression}}}}\n"

    def one(name: str, file: str | None = None) -> str:
        path = Path(file or f"{name}.yaml")
        path.write_text(text.format(name=name))
        return str(path)

    return one


def test_plan_knows_the_files_and_options_of_every_run(run_yaml, tmp_path):
    planned = plan({"runs": [run_yaml("one"), str(tmp_path / run_yaml("two"))], "results": "out/"})
    two = SimpleNamespace(run="two")
    assert list(planned.runs) == ["one", "two"]
    assert planned.folder(two) == "out/two"
    assert planned.yaml(two) == "two.yaml"
    assert planned.data(two) == ["expression.csv", "metadata.csv"]
    assert planned.gene_sets(two) == []
    assert json.loads(planned.options("train")(two)) == {"training": Training().model_dump(mode="json")}


def test_plan_knows_the_parts_of_a_step_and_their_time(run_yaml):
    one = SimpleNamespace(run="one")
    folds = [f"./out/one/parts/train/{name}" for name in ("fold0", "fold1", "final")]
    path = Path(run_yaml("one"))
    path.write_text(path.read_text() + "splits: {folds: 2}\nprobe: {null_refits: 13}\n")
    for config, found in (({}, []), ({"scatter": True}, folds), ({"scatter": "false"}, [])):
        assert plan({"runs": "one.yaml", "results": "./out"} | config).parts("train")(one) == found
    planned = plan({"runs": "one.yaml", "results": "./out", "scatter": "True"})
    assert planned.parts("probe")(one) == [f"./out/one/parts/probe/null{k}" for k in range(2)]
    assert planned.parts("evaluate")(one) == []
    # twice the share of an hour; of an hour and two minutes for each of 13 refits
    assert [planned.minutes_of_part(step)(one) for step in ("train", "probe")] == [40, 86]
    path.write_text(path.read_text() + "training: {scatter: false}\n")
    assert plan({"runs": "one.yaml", "scatter": True}).parts("train")(one) == []


def test_files_of_a_10x_folder_are_inputs_one_by_one(run_yaml, tmp_path):
    path = run_yaml("cells")
    write(tmp_path / "tenx", {"matrix.mtx": "", "barcodes.tsv": ""})
    Path(path).write_text(Path(path).read_text().replace("expression.csv", "tenx"))
    found = plan({"runs": path}).data(SimpleNamespace(run="cells"))
    assert found == ["tenx/barcodes.tsv", "tenx/matrix.mtx", "metadata.csv"]


@pytest.mark.parametrize(
    "config, message",
    [
        ({}, "config: runs: missing"),
        ({"runs": []}, "config: runs: missing"),
        ({"runs": ["one.yaml"], "result": "x"}, "config: result: unknown key; valid here: runs, results, scatter"),
        ({"runs": ["nowhere.yaml"]}, "nowhere.yaml: no such file"),
        ({"runs": ["one.yaml", "again.yaml"]}, "again.yaml: run: 'one' is the name of one.yaml too"),
        ({"runs": ["one.yaml"], "results": "a{run}"}, "results: found 'a{run}'; a name with braces is a wildcard of"),
        (
            {"runs": ["{a}.yaml"]},
            "{a}.yaml: found '{a}.yaml'; a name with braces is a wildcard of Snakemake: rename it",
        ),
        ({"runs": ["one.yaml"], "results": "-a"}, "results: found '-a'; expected a name without line breaks that does"),
        ({"runs": ["one.yaml"], "results": "a\nb"}, "results: found 'a\\nb'; expected a name without line breaks that"),
    ],
)
def test_a_wrong_configuration_is_one_clear_line(run_yaml, config, message):
    run_yaml("one")
    run_yaml("one", "again.yaml")
    run_yaml("braces", "{a}.yaml")
    with pytest.raises(InputError) as caught:
        plan(config)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_in_a_job_a_mistake_in_another_run_is_none(run_yaml):
    config = {"runs": [run_yaml("one"), run_yaml("two")]}
    Path("two.yaml").write_text("run: two\n")
    planned = plan(config, in_job=True)
    assert planned.yaml(SimpleNamespace(run="one")) == "one.yaml"
    for asked in (planned.yaml, planned.data):
        with pytest.raises(InputError, match=r"^two\.yaml: "):
            asked(SimpleNamespace(run="two"))
    with pytest.raises(InputError, match=r"^two\.yaml: "):
        plan(config)


def test_paths_are_relative_below_the_working_directory_only(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert shown("a/b.tsv") == "a/b.tsv"
    assert shown(tmp_path / "here" / "b.tsv") == "b.tsv"
    assert shown(tmp_path / "here2" / "b.tsv") == str(tmp_path / "here2" / "b.tsv")


def test_refits_of_the_null_get_their_time(tmp_path):
    (tmp_path / "x.csv").write_text("")
    written = (
        "run: a\nexpression: {path: x.csv, scale: log2}\nmetadata: {path: x.csv}\ntasks: {age: {kind: regression}}\n"
    )
    for probe, limit in (("", 60), ("probe: {null_refits: 199}\n", 458)):
        (tmp_path / "a.yaml").write_text(written + probe)
        planned = plan({"runs": [str(tmp_path / "a.yaml")]})
        assert planned.minutes_of_trial(SimpleNamespace(run="a")) == limit


def test_a_run_asks_for_what_its_processes_need(tmp_path):
    (tmp_path / "x.csv").write_text("")
    written = "run: a\nexpression: {path: x.csv, scale: log2}\nmetadata: {path: x.csv}\n"
    written += "tasks: {age: {kind: regression}}\ntraining: {encoder: mlp, TRAINING}\n"
    of_training = {"processes: 1": (1, 0, 0), "processes: 3": (3, 0, 1400), "processes: 3, device: cuda": (3, 3, 1400)}
    found, options = {}, set()
    for training in of_training:
        (tmp_path / "a.yaml").write_text(written.replace("TRAINING", training))
        planned, one = plan({"runs": [str(tmp_path / "a.yaml")]}), SimpleNamespace(run="a")
        assert planned.threads_of_training(one) == planned.processes(one)
        found[training] = (planned.processes(one), planned.gpus(one), planned.megabytes_of_processes(one))
        options |= {planned.options("train")(one)} if "cuda" not in training else set()
    assert found == of_training
    assert len(options) == 1  # no reason to train again


def test_where_time_stamps_would_be_put_in_order_they_are_no_reason_in_a_dry_run(run_yaml):
    planned, one = plan({"runs": run_yaml("one")}), SimpleNamespace(run="one")
    asked = (planned.made("prepare", "qc.tsv"), planned.data, planned.modules("train"))
    found = [ask(one) for ask in asked]
    assert not any(hasattr(file, "flags") for files in found for file in ([files] if isinstance(files, str) else files))
    planned.healing.in_order.add("one")
    for ask, before in zip(asked, found, strict=True):
        files = ask(one)
        assert files == before  # the same names
        assert all(file.flags.get("ancient") for file in ([files] if isinstance(files, str) else files))
