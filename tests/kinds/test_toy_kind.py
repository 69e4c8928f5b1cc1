"""A kind of run that the package does not know: wells of plates, from their YAML to the page."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Literal

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from pydantic import Field

from mtlbio import cli
from mtlbio.cohort.cohort import Cohort, CovariateInfo, read_cohort, schema_json, write_cohort
from mtlbio.config import Report, TrialOptions
from mtlbio.errors import InputError
from mtlbio.kinds import KINDS, STEPS, Kind, kind_named, kind_of, register
from mtlbio.kinds.base import OnPage
from mtlbio.kinds.read import read_run
from mtlbio.kinds.schemas import Run
from mtlbio.kinds.sources import modules_of
from mtlbio.kinds.vocabulary import DONORS
from mtlbio.labels import Binary
from mtlbio.report import page
from mtlbio.tables import METRICS, PREDICTIONS, QC, SPLITS, VERDICTS, read_table, write_table
from mtlbio.workflow import plan

WELLS = 24


class WellRun(Run):
    kind: Literal["wells"]
    plates: str = Field(description="a row per well: well, plate, signal, hit")
    threshold: float = Field(0.5, description="signal from which a well is predicted to be a hit")
    probe: TrialOptions = TrialOptions()
    report: Report = Report()


def prepare(run: WellRun, results: Path) -> None:
    table = pd.read_csv(run.plates, dtype={"well": str, "plate": str, "hit": str}).set_index("well")
    obs = pd.DataFrame({"donor": table["plate"], "hit": table["hit"], "plate": table["plate"]})
    tasks = {"hit": Binary("hit", ("no", "yes"))}
    covariates = {"plate": CovariateInfo("plate", "technical", "categorical")}
    signal = table[["signal"]].to_numpy(dtype=np.float32)
    write_cohort(Cohort(signal, ("signal",), obs, tasks, covariates, {"kind": run.kind}), results / "cohort.h5ad")
    write_table(pd.DataFrame(columns=QC), results / "qc.tsv", QC)
    folds = {"sample": obs.index, "donor": obs["donor"].to_numpy(), "fold": np.arange(len(obs)) % 2}
    write_table(pd.DataFrame(folds), results / "splits.tsv", SPLITS)


def train(run: WellRun, results: Path) -> None:
    cohort = read_cohort(results / "cohort.h5ad")
    var = pd.DataFrame({"block": "axis", "stability": 1.0, "variance": 1.0}, index=pd.Index(["z01"], name="dim"))
    uns = {"genes": np.array(cohort.genes), "mtlbio": schema_json(cohort)}
    latents = ad.AnnData(cohort.expression, obs=cohort.obs, var=var, varm={"loadings": np.ones((1, 1))}, uns=uns)
    latents.write_h5ad(results / "latents.h5ad")
    (results / "model").mkdir()
    description = {"kind": cohort.kind, "threshold": run.threshold}
    (results / "model" / "model.json").write_text(json.dumps(description))
    write_table(_predictions(cohort, run.threshold, "multitask"), results / "predictions.tsv", PREDICTIONS)


def baselines(run: WellRun, results: Path) -> None:
    cohort = read_cohort(results / "cohort.h5ad")
    write_table(_predictions(cohort, np.inf, "none"), results / "baselines" / "predictions.tsv", PREDICTIONS)


def _predictions(cohort: Cohort, threshold: float, arm: str) -> pd.DataFrame:
    rows = {"sample": cohort.samples, "donor": cohort.donors, "fold": 0, "seed": "0", "arm": arm, "task": "hit"}
    rows |= {"label": "yes", "y_true": cohort.y("hit"), "y_pred": (cohort.expression[:, 0] > threshold).astype(float)}
    return pd.DataFrame(rows)


def evaluate(run: WellRun, results: Path) -> None:
    rows = []
    for folder in (results, results / "baselines"):
        for arm, own in read_table(folder / "predictions.tsv", PREDICTIONS).groupby("arm"):
            right = (own["y_pred"] == own["y_true"]).mean()
            rows.append([arm, "hit", "auroc", right, right, right, len(own), own["donor"].nunique()])
    write_table(pd.DataFrame(rows, columns=METRICS), results / "metrics.tsv", METRICS)


def probe(run: WellRun, results: Path) -> None:
    row = {"dim": "z01", "verdict": "biology", "driver": "hit", "share_plate": 0.1, "effect_hit": 1.5}
    write_table(pd.DataFrame([row | {"why": "z01 follows hit."}]), results / "verdicts.tsv", VERDICTS)


def report(run: WellRun, results: Path) -> None:
    page.report(run, results)


def predict(results: Path, new: Path, out: Path) -> None:
    threshold = json.loads((results / "model" / "model.json").read_text())["threshold"]
    table = pd.read_csv(new, dtype={"well": str})
    out.mkdir(parents=True)
    table.assign(hit=table["signal"] > threshold)[["well", "hit"]].to_csv(out / "predictions.tsv", sep="\t")


def sizes(inputs) -> list[tuple[int, str]]:
    return [(inputs.obs["donor"].nunique(), "plates"), (len(inputs.obs), "wells")]


def decides(inputs, task: str) -> str:
    return "auroc"


class WellKind(Kind):
    name = "wells"
    schema = WellRun
    vocabulary = replace(DONORS, unit="plate", units="plates", sample="well", samples="wells")
    steps = {step: f"{__name__}:{step}" for step in STEPS}
    step_keys = dict.fromkeys(STEPS, ()) | {"prepare": ("plates",), "train": ("threshold",)}
    parts = {
        "report": {
            "cohort": "mtlbio.report.of_samples:cohort",
            "sizes": f"{__name__}:sizes",
            "decides": f"{__name__}:decides",
        }
    }
    commands = {"predict": f"{__name__}:predict"}
    page = OnPage("wells, hits")

    def files(self, run: WellRun) -> dict[str, str]:
        return {"plates": run.plates}


@pytest.fixture
def wells(tmp_path, monkeypatch):
    """A folder with a run of the new kind, which is known while the test runs."""
    kind = register(WellKind())
    monkeypatch.chdir(tmp_path)
    hits = np.arange(WELLS) % 3 == 0
    table = {"well": [f"w{i}" for i in range(WELLS)], "plate": [f"p{i // 6}" for i in range(WELLS)]}
    table |= {"signal": hits + 0.01 * np.arange(WELLS), "hit": np.where(hits, "yes", "no")}
    pd.DataFrame(table).to_csv("wells.csv", index=False)
    Path("run.yaml").write_text("run: assay\nkind: wells\nplates: wells.csv\n")
    yield tmp_path
    assert KINDS.pop("wells") is kind


def call(monkeypatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["mtlbio", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code or 0


def test_every_step_and_the_page_go_through_the_usual_doors(wells, monkeypatch, capsys):
    run = read_run("run.yaml")
    assert isinstance(run, WellRun) and run.plates == str(wells / "wells.csv")
    assert kind_of(run).vocabulary.unit == "plate"
    for step in STEPS:
        assert call(monkeypatch, step, "run.yaml") == 0, capsys.readouterr().err
    results = wells / "results/assay"
    assert read_cohort(results / "cohort.h5ad").kind == "wells"
    metrics = read_table(results / "metrics.tsv", METRICS).set_index("arm")["value"]
    assert metrics.to_dict() == {"multitask": 1.0, "none": pytest.approx(2 / 3)}
    text = (results / "report.html").read_text(encoding="utf-8")
    assert "assay" in text and "z01 follows hit." in text and "wells, hits" in text
    assert ">4<" in text.replace("\n", "") and "plates" in text
    assert call(monkeypatch, "predict", "results/assay", "wells.csv") == 0
    predicted = pd.read_csv(results / "predict/wells/predictions.tsv", sep="\t")
    assert predicted["hit"].tolist() == [i % 3 == 0 for i in range(WELLS)]


def test_what_the_kind_does_not_know_is_one_clear_line(wells, monkeypatch, capsys):
    for words, line in (
        (
            ("plan", "run.yaml"),
            "run.yaml: kind: found 'wells'; mtlbio plan is for runs of kind cohort, table, latents, blocks",
        ),
        (("simulate", "x", "--kind", "wells"), "--kind: found 'wells'; valid: blocks, cohort, doses, latents, protein"),
    ):
        assert call(monkeypatch, *words) == 2
        assert capsys.readouterr().err == f"mtlbio: error: {line}\n"
    Path("run.yaml").write_text("run: assay\nkind: wells\nplates: wells.csv\ntreshold: 1.0\n")
    with pytest.raises(InputError, match="run.yaml: treshold: unknown key; did you mean threshold?"):
        read_run("run.yaml")
    Path("run.yaml").write_text("run: assay\nkind: wells\nplates: none.csv\n")
    with pytest.raises(InputError, match="run.yaml: plates: no such file: .*none.csv"):
        read_run("run.yaml")
    with pytest.raises(InputError, match="kind wells: no part 'axes' of step train; found: report"):
        kind_named("wells").part("train", "axes")


def test_the_workflow_knows_files_options_and_modules(wells):
    planned, assay = plan({"runs": "run.yaml"}), SimpleNamespace(run="assay")
    assert planned.data(assay) == ["wells.csv"] and planned.gene_sets(assay) == []
    assert (planned.minutes_of_trial(assay), planned.minutes_of_training(assay), planned.gpus(assay)) == (60, 60, 0)
    assert json.loads(planned.options("train")(assay)) == {"threshold": 0.5}
    found = modules_of("prepare", kind="wells")
    assert str(Path(__file__).resolve()) in found
    assert any(file.endswith("mtlbio/cohort/cohort.py") for file in found)
    others = ("kinds/cohort.py", "kinds/donors.py", "kinds/table.py", "kinds/protein.py", "sequence/prepare.py")
    assert not [file for file in found if file.endswith(others)]


def test_a_kind_without_all_steps_is_refused():
    class Half(WellKind):
        steps = {"prepare": f"{__name__}:prepare"}

    with pytest.raises(InputError, match="kind wells: steps: train, baselines, evaluate, probe, report missing"):
        register(Half())
    assert "wells" not in KINDS
