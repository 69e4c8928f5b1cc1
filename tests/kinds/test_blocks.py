"""A run with several assays, from its YAML to the page."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import mtlbio as mb
from mtlbio import cli
from mtlbio.cohort.assays.blocks import blocks_of
from mtlbio.cohort.assays.simulate import plant, simulate_blocks
from mtlbio.cohort.cohort import read_cohort
from mtlbio.errors import InputError
from mtlbio.integrity.folder import mark
from mtlbio.integrity.record import recorded
from mtlbio.kinds import BLOCKS, kind_of
from mtlbio.kinds.read import as_run, read_run
from mtlbio.tables import read_table

ONE = {"path": "rna.csv", "scale": "log2"}
RUN = {
    "run": "b",
    "blocks": {"rna": ONE, "proteins": ONE | {"path": "p.csv"}},
    "metadata": {"path": "m.csv"},
    "tasks": {"disease": {"kind": "binary", "positive": "case"}},
    "covariates": {"age": {"role": "confounder", "kind": "continuous"}},
}
SHORT = """
training: {seeds: 1, epochs: 10, curves: 10, block: 2, axes: 6, genes: 150, single_task: false, device: cpu}
splits: {folds: 2}
probe: {permutations: 99, bootstrap: 100}
evaluate: {bootstrap: 100}
baselines: {arms: [ridge, covariates]}
report: {cards: 2}
"""


def test_a_run_with_blocks_is_of_this_kind():
    for content in (RUN, RUN | {"kind": "blocks"}, RUN | {"kind": "cohort", "expression": None}):
        assert kind_of(as_run(content)) is BLOCKS
    files = BLOCKS.files(as_run(RUN))
    assert files == {"blocks.rna.path": "rna.csv", "blocks.proteins.path": "p.csv", "metadata.path": "m.csv"}
    moved = BLOCKS.with_paths(as_run(RUN), lambda key, path: f"/data/{path}")
    assert moved.blocks["proteins"].path == "/data/p.csv" and moved.of_block("rna").measured.path == "/data/rna.csv"


def with_training(**said) -> dict:
    return RUN | {"training": said}


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (RUN | {"blocks": {"rna": ONE}}, "blocks: found rna; expected two or more; one assay is an ordinary cohort"),
        (RUN | {"blocks": {k: ONE for k in "abcde"}}, "blocks: found 5; valid: two to 4"),
        (RUN | {"blocks": {"rna": ONE, "pro:tein": ONE}}, "a name has to be text of letters, digits and _"),
        (RUN | {"blocks": {"rna": ONE, "all": ONE}}, "blocks.all: the name is reserved (all)"),
        (RUN | {"blocks": {"rna": ONE, "proteins": {"path": "p.csv"}}}, "blocks.proteins.scale: missing"),
        (RUN | {"expression": ONE}, "expression: found beside blocks; valid: one of the two"),
        (RUN | {"pseudobulk": {}}, "pseudobulk: found beside blocks, whose rows are samples"),
        (RUN | {"metadata": {}}, "metadata.path: missing; the samples of several blocks are described in one table"),
        (RUN | {"covariates": {"measured_blocks": {"role": "technical"}}}, "the name is reserved (which blocks"),
        (RUN | {"covariates": {"cells": {"role": "confounder", "estimate": True}}}, "needs measurements (expression)"),
        (RUN | {"tasks": {"t": {"kind": "survival", "time": "d", "event": "e"}}}, "found survival beside blocks"),
        (with_training(scatter=True), "training.scatter: found beside blocks; valid: leave it out"),
        (with_training(borrowing=True), "training.borrowing: found beside blocks; valid: leave it out"),
        (with_training(reconstruction=1.0), "training.reconstruction: found beside blocks; valid: leave it out"),
        (RUN | {"federation": {"site": "hospital"}}, "federation: found beside blocks; valid: leave it out"),
        (RUN | {"probe": {"null_refits": 9}}, "probe.null_refits: found beside blocks; valid: leave it out"),
    ],
)
def test_what_does_not_fit_is_one_line(content, line):
    with pytest.raises(InputError) as caught:
        as_run(content)
    assert line in str(caught.value) and "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def planted(tmp_path_factory) -> Path:
    """Two planted assays whose analysis is short."""
    yaml = plant(tmp_path_factory.mktemp("blocks"), None, 0, donors=60)
    yaml.write_text(yaml.read_text() + SHORT)
    return yaml


def changed(planted: Path, folder: Path, proteins: pd.DataFrame) -> Path:
    proteins.to_parquet(folder / "p.parquet")
    text = planted.read_text().replace("path: proteins.parquet", f"path: {folder / 'p.parquet'}")
    for name in ("rna.parquet", "metadata.csv"):
        text = text.replace(f"path: {name}", f"path: {planted.parent / name}")
    (folder / "run.yaml").write_text(text)
    return folder / "run.yaml"


@pytest.mark.slow
def test_the_steps_go_from_the_yaml_to_the_page(planted):
    results, run = planted.parent / "results", read_run(planted)
    for step in (mb.prepare, mb.train, mb.baselines, mb.evaluate, mb.trial, mb.report):
        step(run, results)
    verdicts = read_table(results / "verdicts.tsv").set_index("dim")
    named = verdicts.set_index("driver")["block"]
    assert (named["batch"], named["plate"], named["age"]) == ("rna", "proteins", "rna")
    supervised = verdicts["block"].isna()
    assert supervised.sum() == 2
    variance = read_table(results / "variance_by_block.tsv")
    inside = variance[variance["in_block"] == "yes"].groupby("dim")["block"].apply("+".join)
    assert inside.to_dict() == verdicts.loc[~supervised, "block"].to_dict()
    arms = set(read_table(results / "metrics.tsv")["arm"])
    assert arms == {"multitask", "ridge_rna", "ridge_proteins", "ridge_all", "late_fusion", "covariates"}
    paid = read_table(results / "pays.tsv")
    assert len(paid) == 4 and set(paid["call"]) <= {"pays", "does_not", "cannot_tell"}
    crossed = read_table(results / "cross_prediction.tsv")
    assert crossed[["from", "to"]].to_numpy().tolist() == [["rna", "proteins"], ["proteins", "rna"]]
    page = (results / "report.html").read_text()
    assert "Does every assay pay?" in page and "there is rna in 51 and proteins in 51" in page
    assert paid["why"].iloc[0][1:] in page and "<code>rests_on.tsv</code>" in page


def test_donors_who_lack_a_block_are_kept(planted, tmp_path):
    run, truth = read_run(planted), simulate_blocks(0, donors=60)
    mb.prepare(run, tmp_path)
    cohort, qc = read_cohort(tmp_path / "cohort.h5ad"), read_table(tmp_path / "qc.tsv")
    blocks = blocks_of(cohort)
    assert len(cohort.samples) == 60 and blocks.names == ("rna", "proteins")
    for name, table in truth.blocks.items():
        have = blocks.have([name])
        assert set(cohort.samples[have]) == set(table.index)
        values = cohort.expression[:, blocks.columns([name])]
        assert np.isnan(values[~have]).all()
        features = [feature.partition(":")[2] for feature in np.array(cohort.genes)[blocks.columns([name])]]
        np.testing.assert_allclose(values[have], table.loc[cohort.samples[have], features], rtol=1e-5)
        assert (qc["reason"] == f"no {name}").sum() == 60 - len(table)
    assert cohort.covariates["measured_blocks"].role == "technical"
    level = cohort.obs["measured_blocks"].astype(str)
    assert level.value_counts().to_dict() == {"rna+proteins": 42, "rna": 9, "proteins": 9}


def test_a_plan_knows_who_lacks_a_block(planted):
    said = mb.plan(read_run(planted))
    assert "60 samples of 60 donors" in said and "measured_blocks" in said


def test_a_block_that_few_have_is_refused(planted, tmp_path):
    few = pd.read_parquet(planted.parent / "proteins.parquet").iloc[:15]
    with pytest.raises(InputError, match=r"p\.parquet: blocks\.proteins: found in 15 samples; expected 20 or more"):
        mb.prepare(read_run(changed(planted, tmp_path, few)), tmp_path / "r")


def test_what_is_wrong_with_a_file_names_its_block(planted, tmp_path):
    wrong = pd.read_parquet(planted.parent / "proteins.parquet")
    wrong.iloc[0, 0] = np.nan
    with pytest.raises(InputError, match=r"^blocks\.proteins: .*p\.parquet"):
        mb.prepare(read_run(changed(planted, tmp_path, wrong)), tmp_path / "r")


@pytest.mark.parametrize("command", ["influence", "panel", "transfer"])
def test_commands_that_fit_one_matrix_are_refused(planted, monkeypatch, capsys, tmp_path, command):
    words = [str(planted)]
    if command == "panel":  # is told of a folder of results
        words = [str(mark(tmp_path, "run")), "--run", *words]
    monkeypatch.setattr("sys.argv", ["mtlbio", command, *words])
    with pytest.raises(SystemExit):
        cli.main()
    said = capsys.readouterr().err
    assert "found 'blocks'" in said and said.count("\n") == 1


def test_a_model_without_networks_is_refused(planted, monkeypatch, capsys, tmp_path):
    (tmp_path / "done/model").mkdir(parents=True)
    (tmp_path / "done/model/model.json").write_text('{"kind": "blocks"}')
    recorded(tmp_path / "done", "train", "model")
    file = str(planted.parent / "metadata.csv")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["mtlbio", "predict", "done", file])
    with pytest.raises(SystemExit):
        cli.main()
    said = capsys.readouterr().err
    assert "keeps no networks (an earlier mtlbio trained it)" in said and said.count("\n") == 1, said
