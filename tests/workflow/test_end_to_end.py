"""The real workflow on a small planted cohort: from raw files to the page, in one command."""

import os
import re
import subprocess
import sys
from pathlib import Path

import anndata as ad
import numpy as np
import pytest
from single_node import QUICK, any_slurm

from benchmarks.shared.small_run import write_small_run
from mtlbio import tables as interface
from mtlbio.probing.verdict import VERDICTS as WORDS
from mtlbio.tables import COMPARISONS, HISTORY, METRICS, PREDICTIONS, QC, SPLITS, TRANSFER, VERDICTS, read_table
from mtlbio.workflow import snakefile


def mtlbio(*words: str, folder: Path) -> subprocess.CompletedProcess:
    environment = os.environ | {"XDG_CACHE_HOME": str(folder / "cache")}
    return subprocess.run(
        [sys.executable, "-m", "mtlbio", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
    )


def planted(folder: Path) -> Path:
    """Write the cohort and its run."""
    return write_small_run(folder / "cohort")


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """Folder of a finished run: ``cohort/run.yaml`` and ``results/small``."""
    folder = tmp_path_factory.mktemp("end_to_end")
    ran = mtlbio("run", str(planted(folder)), "--cores", "2", folder=folder)
    logs = "\n".join(f"{p.name}: {p.read_text()}" for p in folder.glob("results/small/logs/*.log"))
    assert ran.returncode == 0, ran.stderr[-3000:] + logs
    return folder


def test_every_table_of_the_interface_is_written_with_its_columns(done):
    results = done / "results" / "small"
    tables = {"qc": QC, "splits": SPLITS, "history": HISTORY, "predictions": PREDICTIONS, "metrics": METRICS}
    tables["reprobe"] = interface.REPROBE
    tables["label_noise"] = interface.LABEL_NOISE
    for name, columns in (
        tables | {"baselines/predictions": PREDICTIONS, "comparisons": COMPARISONS, "transfer": TRANSFER}
    ).items():
        assert list(read_table(results / f"{name}.tsv", columns).columns[: len(columns)]) == columns, name
    for name in ("audit", "association", "ablation", "enrichment", "stability", "replicas"):
        assert len(read_table(results / "probing" / f"{name}.tsv")) > 0 or name == "enrichment"


def test_every_arm_predicts_every_held_out_sample(done):
    results = done / "results" / "small"
    splits = read_table(results / "splits.tsv", SPLITS)
    model = read_table(results / "predictions.tsv", PREDICTIONS)
    other = read_table(results / "baselines/predictions.tsv", PREDICTIONS)
    assert set(model["arm"]) == {"multitask", "singletask"} and set(other["arm"]) == {"ridge", "covariates"}
    for table in (model, other):
        for _, rows in table.groupby(["arm", "task", "seed"]):
            found = rows.set_index("sample")["fold"]
            assert sorted(found.index) == sorted(splits["sample"])
            assert (found.loc[splits["sample"]].to_numpy() == splits["fold"].to_numpy()).all()


def test_one_verdict_per_dimension_and_the_planted_batch_is_found(done):
    results = done / "results" / "small"
    latents = ad.read_h5ad(results / "latents.h5ad")
    verdicts = read_table(results / "verdicts.tsv", VERDICTS)
    assert list(verdicts["dim"]) == list(latents.var_names)
    assert set(verdicts["verdict"]) <= set(WORDS)
    assert verdicts.loc[verdicts["verdict"] == "technical", "driver"].tolist().count("batch") >= 1
    assert verdicts["why"].str.len().min() > 20
    np.testing.assert_allclose(np.asarray(latents.X).mean(axis=0), 0, atol=0.5)


def test_the_page_opens_offline(done):
    page = (done / "results" / "small" / "report.html").read_text()
    assert page.count("<script") == 2  # names of genes, and what filters and copies
    assert not re.findall(r'(?:src|href)="(?!#|data:)[^"]+"', page)
    assert list((done / "results" / "small" / "figures").glob("*.svg"))


def test_a_second_call_has_nothing_to_do_and_snakemakes_report_works(done):
    again = mtlbio("run", "cohort/run.yaml", "-n", folder=done)
    assert "Nothing to be done" in again.stdout + again.stderr
    report = mtlbio("run", "cohort/run.yaml", "--report", "report.zip", folder=done)
    assert report.returncode == 0, report.stderr
    assert (done / "report.zip").stat().st_size > 10_000


def same_tables(folder: Path, other: Path) -> None:
    """Every table of a run is the same, byte by byte."""
    tables = [
        p.relative_to(folder) for p in (folder / "results" / "small").rglob("*.tsv") if "benchmarks" not in p.parts
    ]
    assert len(tables) > 10
    for table in tables:
        assert (folder / table).read_bytes() == (other / table).read_bytes(), table


@pytest.mark.slow
def test_the_same_run_gives_the_same_tables(done, tmp_path):
    ran = mtlbio("run", str(planted(tmp_path)), "--cores", "2", folder=tmp_path)
    assert ran.returncode == 0, ran.stderr[-3000:]
    same_tables(done, tmp_path)


@any_slurm
@pytest.mark.slow
def test_on_slurm_the_same_run_gives_the_same_tables(done, tmp_path):
    ran = mtlbio("run", str(planted(tmp_path)), "--workflow-profile", "slurm", *QUICK, folder=tmp_path)
    logs = "\n".join(f"{p.name}: {p.read_text()}" for p in tmp_path.glob("results/small/logs/*.log"))
    assert ran.returncode == 0, ran.stderr[-3000:] + logs
    assert len(set(re.findall(r"SLURM jobid '?(\d+)", ran.stdout + ran.stderr))) >= 6
    same_tables(done, tmp_path)


def test_the_workflow_is_the_one_of_the_repository():
    assert snakefile() == Path(__file__).parents[2] / "workflow" / "Snakefile"


@pytest.mark.slow
def test_folds_as_jobs_of_their_own_give_the_same_files(done, tmp_path):
    yaml = done / "cohort" / "scattered.yaml"
    text = (done / "cohort" / "run.yaml").read_text()
    yaml.write_text(text.replace("training: {", "training: {scatter: true, "))
    ran = mtlbio("run", str(yaml), "--cores", "2", folder=tmp_path)
    assert ran.returncode == 0, ran.stderr[-3000:]
    one, many = done / "results/small", tmp_path / "results/small"
    assert sorted(p.stem for p in (many / "logs").glob("train_*.log")) == ["train_final", "train_fold0", "train_fold1"]
    about = ("logs", "benchmarks", "predict")  # of how it went, and what other tests have added
    names = {p.relative_to(many) for p in many.rglob("*") if p.is_file()}
    names = {name for name in names if name.parts[0] not in about and name.name != "described.json"}
    assert len(names) > 20 and not (many / "parts").exists()
    for name in names:
        assert (many / name).read_bytes() == (one / name).read_bytes(), name
