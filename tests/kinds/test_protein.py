"""A run of kind protein from its YAML to the page and to predictions of new chains, on planted chains."""

from __future__ import annotations

import copy
import json
import sys
from dataclasses import replace

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import yaml

from mtlbio import cli, tables
from mtlbio.door.steps import take
from mtlbio.errors import InputError
from mtlbio.kinds import kind_of
from mtlbio.kinds.base import function_at
from mtlbio.kinds.read import read_run
from mtlbio.kinds.reference import json_schema
from mtlbio.kinds.schemas.chains import ResidueProbe
from mtlbio.kinds.vocabulary import CHAINS
from mtlbio.model.residue_store import load_model
from mtlbio.probing.evidence import Evidence, TaskEvidence
from mtlbio.probing.residues.probe import examine_residues
from mtlbio.probing.verdict import VERDICTS, judge
from mtlbio.report.grouping import parts_of
from mtlbio.report.inputs import read_inputs
from mtlbio.report.palette import NEUTRAL, STATE_COLOURS
from mtlbio.report.plain import cautions
from mtlbio.sequence.chains import read_chains
from mtlbio.sequence.prepare import check, prepare
from mtlbio.sequence.simulate import simulate_chains, write_simulation
from mtlbio.tables import read_table
from mtlbio.training.chains.predict import residue_table
from mtlbio.training.chains.train import three_only
from mtlbio.workflow import plan

SMALL = {
    "training": {"encoder": "cnn", "width": 24, "layers": 2, "kernel": 5, "latent": 6, "epochs": 5, "batch": 400,
                 "learning_rate": 0.01, "dropout": 0.0},
    "probe": {"permutations": 99, "bootstrap": 100, "residues": 15},
    "evaluate": {"bootstrap": 200},
    "report": {"cards": 1},
}  # fmt: skip


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """Folder of a finished run: ``run.yaml`` and ``results``."""
    folder = tmp_path_factory.mktemp("proteins")
    path = write_simulation(folder, simulate_chains(60, seed=1, length=(30, 60)))
    content = yaml.safe_load(path.read_text())
    content["tasks"]["site"] = {"kind": "binary"}
    path.write_text(yaml.safe_dump(content | SMALL))
    run, results = read_run(path), folder / "results"
    for step in ("prepare", "train", "baselines", "evaluate", "probe", "report"):
        take(step, run, results)
    return folder


def test_every_table_of_the_interface_is_written_with_its_columns(done):
    results = done / "results"
    for name, columns in (("qc", tables.QC), ("splits", tables.SPLITS), ("history", tables.HISTORY),
                          ("conflict", tables.CONFLICT), ("predictions", tables.PREDICTIONS),
                          ("baselines/predictions", tables.PREDICTIONS), ("metrics", tables.METRICS),
                          ("comparisons", tables.COMPARISONS), ("transfer", tables.TRANSFER),
                          ("reprobe", tables.REPROBE), ("label_noise", tables.LABEL_NOISE),
                          ("verdicts", tables.VERDICTS)):  # fmt: skip
        read_table(results / f"{name}.tsv", columns)
    for name in (
        "audit",
        "association",
        "ablation",
        "enrichment",
        "stability",
        "subspaces",
        "replicas",
        "null",
        "null_runs",
    ):
        assert (results / "probing" / f"{name}.tsv").exists()
    assert (results / "model/weights.safetensors").exists()


def test_the_network_beats_majority_and_the_planted_states_are_found(done):
    metrics = read_table(done / "results/metrics.tsv").set_index(["arm", "task", "metric"])["value"]
    assert metrics["multitask", "structure", "q3"] > 0.8 > 0.5 > metrics["majority", "structure", "q3"]
    assert metrics["multitask", "exposure", "pearson"] > 0.7
    assert metrics["multitask", "site", "auroc"] > 0.8
    assert metrics["window_linear", "structure", "q3"] > 0.85
    assert metrics["multitask", "structure", "sov"] > metrics["majority", "structure", "sov"]
    pairs = read_table(done / "results/comparisons.tsv")
    assert set(pairs["call"]) <= {"better", "worse", "no_worse", "undecided"}
    against = pairs[(pairs["arm_b"] == "majority") & (pairs["metric"] == "q3")].iloc[0]
    assert against["call"] == "better" and against["ci_low"] > 0
    # the mean has no correlation with anything: it is no baseline's best
    values = read_table(done / "results/metrics.tsv").set_index(["task", "metric", "arm"])["value"].sort_index()
    for (task, metric), rows in pairs.groupby(["task", "metric"]):
        own = values[task, metric].drop(["multitask", "singletask"]).dropna()
        best = own.idxmin() if metric == "mae" else own.idxmax()
        assert rows.loc[rows["best_baseline"] == "yes", "arm_b"].tolist() == [best]
    assert np.isnan(values["exposure", "pearson", "majority"])


def test_verdicts_name_dimensions_by_properties_and_speak_of_chains(done):
    table = read_table(done / "results/verdicts.tsv")
    assert set(table["verdict"]) <= set(VERDICTS) and len(table) == 6
    biology = table[table["verdict"] == "biology"]
    assert len(biology) and biology["error_rate_from"].str.startswith("planted chains, 20 held-out chains: ").all()
    named = read_table(done / "results/probing/enrichment.tsv")
    assert {"hydrophobicity", "helix_propensity_around"} <= set(named["set"])
    assert set(named.loc[named["set"] == "charge", "entry"]) == {"KLEP840101"}
    words = " ".join(table["why"])
    assert "donor" not in words and "share_source" in table and "share_length" in table
    assert table[["identity", "context"]].to_numpy().min() >= 0 and table["identity"].max() > 0.3


def test_the_page_is_one_file_that_speaks_of_chains(done):
    page = (done / "results/report.html").read_text()
    assert page.count("<script") == 2 and "src=" not in page
    assert "held-out chains" in page and "training chains" in page
    assert "were wrong on planted cohorts (planted chains, 20 held-out chains)" in page
    visible = page.split("</style>")[1]
    assert "held-out donor" not in visible and "gene set" not in visible
    assert "within chains, given the covariates" in page and "permuting chains" not in page


def test_states_have_the_colours_of_the_pictures_of_chains(done):
    inputs = read_inputs(read_run(done / "run.yaml"), done / "results")
    states = pd.DataFrame({"structure": ["H", "E", "C", "E"]})
    colours = {label: colour for label, _, colour in parts_of(inputs, states, "structure", "black")}
    assert colours == {"structure: H": STATE_COLOURS["H"], "E": STATE_COLOURS["E"], "C": NEUTRAL}
    # whatever states there are
    assert parts_of(inputs, states.iloc[1:3], "structure", "black")[0][2] == STATE_COLOURS["E"]


def test_a_dimension_that_falls_with_its_property_says_so(done):
    link = TaskEvidence("exposure", effect=0.9, ci_low=0.5, ci_high=1.3, q=1e-5, called=True, firm=True, own=True)
    whys = []
    for dim, name, falls in (("z01", "charge", True), ("z02", "charge", False), ("z03", None, False)):
        whys.append(judge(Evidence(dim, (link,), (), gene_set=name, falls=falls, words=CHAINS), ResidueProbe()).why)
    assert [why.partition(" once")[0] for why in whys] == [
        "z01 (low charge) is still linked to exposure",
        "z02 (charge) is still linked to exposure",
        "z03 is still linked to exposure",
    ]
    table, named = (read_table(done / f"results/{name}.tsv") for name in ("verdicts", "probing/enrichment"))
    sign = named.set_index(["dim", "set"])["correlation"]
    for row in table.itertuples():
        if (row.dim, row.driver) in sign.index and f"{row.dim} (" in row.why:
            assert ("(low " in row.why) == (sign[row.dim, row.driver] < 0)


def test_the_page_reads_the_direction_of_a_driver_from_the_table(done):
    inputs = read_inputs(read_run(done / "run.yaml"), done / "results")
    named = pd.DataFrame({"dim": ["z01", "z02", "z03"], "set": "charge", "correlation": [-0.5, 0.5, -0.5]})
    inputs.tables["enrichment"] = named.assign(names=[True, True, False])
    told = [inputs.directed(dim, "charge") for dim in ("z01", "z02", "z03", "z04")]
    assert told == ["low charge", "charge", "charge", "charge"]
    assert inputs.directed("z01", "exposure") == "exposure"
    del inputs.tables["enrichment"]
    assert inputs.directed("z01", "charge") == "charge"


def test_one_network_shows_nothing_that_comes_back_and_has_no_rate(done):
    model, latents = load_model(done / "results/model"), ad.read_h5ad(done / "results/latents.h5ad")
    latents.var["stability"] = np.nan
    first = replace(model, networks=model.networks[:1], axes=model.axes[:1])
    table = examine_residues(latents, first, read_run(done / "run.yaml").probe)["verdicts"]
    assert table["error_rate"].isna().all() and (table["verdict"] != "underpowered").any()
    assert "Only one network was trained" in cautions(table, [], 0.05)[0]


def test_chains_with_three_states_only_get_no_eight(done, tmp_path):
    assert three_only(read_chains(done / "results/cohort.h5ad")) == []
    model = load_model(done / "results/model")
    told = {"structure": np.full((2, 3, 8), 0.125), "exposure": np.zeros((2, 3)), "site": np.zeros((2, 3))}
    eight = residue_table(model, "a", "ACD", told)
    three = residue_table(replace(model, training=model.training | {"three": ["structure"]}), "a", "ACD", told)
    assert "structure_q8" in eight and eight["structure_B"].iloc[0] == 0.125
    states = ["structure_H", "structure_E", "structure_C"]
    assert [c for c in three if c.startswith("structure")] == ["structure_q3", *states]
    assert three.loc[0, states].tolist() == [0.375, 0.25, 0.375]
    frame = simulate_chains(40, seed=0, length=(30, 40))
    frame["q8"] = frame["q3"]
    run = read_run(write_simulation(tmp_path / "q3", frame))
    lines = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mtlbio.sequence.prepare.say", lines.append)
        prepare(run, tmp_path / "results")
    assert "warning: tasks.structure.q8: only H, E, C occur; a column of three states belongs to q3" in lines
    without = {"structure": run.tasks["structure"].model_copy(update={"q8": None}), "exposure": run.tasks["exposure"]}
    prepare(run.model_copy(update={"tasks": without}), tmp_path / "results")
    assert three_only(read_chains(tmp_path / "results/cohort.h5ad")) == ["structure"]


def test_too_few_held_out_chains_are_said_before_anything_is_trained(tmp_path):
    frame = simulate_chains(30, seed=0, length=(30, 40))
    run = read_run(write_simulation(tmp_path, frame))
    with pytest.raises(InputError, match="^splits: 6 of 30 chains are held out; the trial needs 8 or more; raise "):
        check(run)
    # letters of planted states recur, so that shared words make one cluster of most chains
    run = read_run(write_simulation(tmp_path, simulate_chains(36, seed=0)))
    source = run.chains["planted"].model_copy(update={"cluster": None, "split": None})
    run = run.model_copy(update={"chains": {"planted": source}})
    with pytest.raises(InputError, match="one cluster of similar chains holds .* of 36: raise splits.similarity, or"):
        check(run)


def test_training_again_gives_the_same_tables(done, tmp_path):
    run = read_run(done / "run.yaml")
    short = run.training.model_copy(update={"epochs": 1, "single_task": False})
    run, told = run.model_copy(update={"training": short}), []
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        for file in ("cohort.h5ad", "splits.tsv"):
            (folder / file).write_bytes((done / "results" / file).read_bytes())
        function_at(kind_of(run).steps["train"])(run, folder)
        told.append([(folder / f).read_text() for f in ("predictions.tsv", "history.tsv", "conflict.tsv")])
    assert told[0] == told[1]


def test_one_task_may_be_trained_alone(done, tmp_path):
    run = read_run(done / "run.yaml")
    short = run.training.model_copy(update={"epochs": 1, "seeds": 1, "single_task": ["exposure"]})
    run = run.model_copy(update={"training": short, "baselines": run.baselines.model_copy(update={"arms": []})})
    for file in ("cohort.h5ad", "splits.tsv", "qc.tsv"):
        (tmp_path / file).write_bytes((done / "results" / file).read_bytes())
    for step in ("train", "baselines", "evaluate"):
        function_at(kind_of(run).steps[step])(run, tmp_path)
    predictions = read_table(tmp_path / "predictions.tsv")
    assert set(predictions.loc[predictions["arm"] == "singletask", "task"]) == {"exposure"}
    gain = read_table(tmp_path / "transfer.tsv").set_index("task")["gain"]
    assert np.isfinite(gain["exposure"]) and np.isnan(gain["structure"])


def test_predict_writes_a_row_per_residue_and_a_picture_per_chain(done, monkeypatch, capsys):
    (done / "new.fasta").write_text(
        ">one\nMKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQAPILSRVGDGTQDNLSGAEKAVQVKVKALPD\n>b/2\nACDX\n"
    )
    words = ["mtlbio", "predict", str(done / "results"), str(done / "new.fasta"), "--out", str(done / "told")]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert not ended.value.code
    table = read_table(done / "told/predictions.tsv")
    assert table["sample"].tolist() == ["one"] * 64 + ["b/2"] * 4
    assert table["residue"].tolist() == [*range(1, 65), 1, 2, 3, 4] and table["letter"].tolist()[-1] == "X"
    shares = table[[f"structure_{s}" for s in "HGIEBTSC"]].to_numpy()
    assert np.allclose(shares.sum(axis=1), 1, atol=1e-3) and set(table["structure_q3"]) <= set("HEC")
    assert table["exposure"].between(0, 1).all() and (table["exposure_sd"] >= 0).all()
    assert sorted(p.name for p in (done / "told/pictures").iterdir()) == ["b_2.png", "b_2.svg", "one.png", "one.svg"]
    (done / "bad.fasta").write_text(">one\nMK1\n")
    monkeypatch.setattr(sys, "argv", [*words[:3], str(done / "bad.fasta")])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert "bad.fasta: chain one: '1' at position 3 is no amino acid" in capsys.readouterr().err


RUN = {
    "run": "small",
    "kind": "protein",
    "chains": {"own": {"path": "chains.csv", "split": "split"}},
    "tasks": {"structure": {"kind": "secondary_structure", "q8": "q8"}, "exposure": {"kind": "accessibility"}},
}

WRONG = [
    ({"kind": "proteins"}, ["kind: found 'proteins'", "cohort, protein"]),
    ({"expression": {}}, ["expression: unknown key", "belongs to a run of kind cohort"]),
    ({"covariates": {}}, ["covariates: unknown key", "kind cohort"]),
    ({"chain": {}}, ["chain: unknown key", "did you mean chains?"]),
    ({"chains": {}}, ["chains: found a mapping", "at least one"]),
    ({"chains.own.path": "no.csv"}, ["chains.own.path: no such file"]),
    ({"chains.own.part": "test"}, ["chains.own.part: the split column says so already"]),
    ({"tasks.exposure.kind": "rsa"}, ["tasks.exposure.kind: found 'rsa'", "secondary_structure, accessibility"]),
    ({"tasks.structure": {"kind": "secondary_structure"}}, ["tasks.structure.q8: missing"]),
    ({"tasks.structure.column": "q8"}, ["tasks.structure.column: only", "valid here: kind, auxiliary, q8, q3"]),
    ({"tasks.exposure.q3": "q3"}, ["tasks.exposure.q3: only secondary_structure tasks have one"]),
    ({"tasks.source": {"kind": "binary"}}, ["tasks.source: the name is reserved"]),
    ({"training": {"encoder": "mlp"}}, ["training.encoder: found 'mlp'", "cnn, lstm, transformer"]),
    ({"training": {"kernel": 4}}, ["training.kernel: found 4; expected an odd number"]),
    ({"training": {"encoder": "transformer", "width": 50}}, ["training.width: found 50", "multiple of 8"]),
    ({"training": {"single_task": ["age"]}}, ["training.single_task: found 'age'; valid: exposure, structure"]),
    ({"training": {"genes": 500}}, ["training.genes: unknown key"]),
    ({"training": {"balancing_options": {"x": 1}}}, ["training.balancing_options", "no option 'x'"]),
    ({"probe": {"null_refits": 9}}, ["probe.null_refits: unknown key"]),
    ({"baselines": {"window": 4}}, ["baselines.window: found 4; expected an odd number"]),
    ({"features": {"profiles": "p.npz"}}, ["features.profiles: no such file"]),
    ({"splits": {"test": ["train"]}}, ["splits.test: 'train' belongs to train already"]),
]


@pytest.mark.parametrize(("changes", "words"), WRONG, ids=[words[0] for _, words in WRONG])
def test_a_wrong_key_is_one_clear_line(tmp_path, changes, words):
    content = copy.deepcopy(RUN)
    for key, value in changes.items():
        *parents, last = key.split(".")
        node = content
        for part in parents:
            node = node[part]
        node[last] = value
    (tmp_path / "chains.csv").touch()
    path = tmp_path / "run.yaml"
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(InputError) as caught:
        read_run(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ") and "\n" not in message
    for word in words:
        assert word in message


def test_chain_keys_in_a_cohort_are_one_clear_line(tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text(yaml.safe_dump({k: v for k, v in RUN.items() if k != "kind"}))
    with pytest.raises(InputError, match="chains: unknown key; it belongs to a run of kind protein.*`kind: protein`"):
        read_run(path)


def test_the_workflow_knows_a_protein_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "chains.csv").touch()
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(RUN))
    planned = plan({"runs": "run.yaml"})
    small = type("wildcards", (), {"run": "small"})
    assert planned.data(small) == ["chains.csv"] and planned.gene_sets(small) == []
    assert planned.minutes_of_trial(small) == 60 and planned.gpus(small) == 0
    keys = json.loads(planned.options("train")(small))
    assert set(keys) == {"training", "features", "probe.residues"}
    used = planned.modules("train")(small)
    assert any(m.endswith("training/chains/fit.py") for m in used) and not any("cohort/expression" in m for m in used)
    assert json_schema("protein")["required"] == ["run", "kind", "chains", "tasks"]
    run = read_run(tmp_path / "run.yaml")
    assert json.loads(kind_of(run).step_options(run, "evaluate")) == {"evaluate": run.evaluate.model_dump(mode="json")}


def test_commands_of_cohorts_say_so(tmp_path, monkeypatch, capsys):
    (tmp_path / "chains.csv").touch()
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(RUN))
    for command in ("plan", "transfer", "influence"):
        monkeypatch.setattr(sys, "argv", ["mtlbio", command, str(tmp_path / "run.yaml")])
        with pytest.raises(SystemExit):
            cli.main()
        assert f"kind: found 'protein'; mtlbio {command} is for runs of kind cohort" in capsys.readouterr().err


def test_missing_labels_of_a_part_are_one_clear_line(tmp_path):
    frame = simulate_chains(40, seed=0, length=(30, 40))
    frame.loc[frame["split"] == "test", "rsa"] = ""
    path = write_simulation(tmp_path, pd.DataFrame(frame))
    run = read_run(path)
    with pytest.raises(InputError, match="tasks.exposure: no chain of part test has this label"):
        check(run)
    # what only shapes the encoder is never scored
    auxiliary = run.tasks["exposure"].model_copy(update={"auxiliary": True})
    check(run.model_copy(update={"tasks": run.tasks | {"exposure": auxiliary}}))
    frame["rsa"] = ""
    write_simulation(tmp_path / "none", pd.DataFrame(frame))
    with pytest.raises(InputError, match="tasks.exposure: no residue of any chain has this label; rsa hold"):
        check(read_run(tmp_path / "none/run.yaml"))
    write_simulation(tmp_path / "other", pd.DataFrame(frame).rename(columns={"rsa": "asa"}))
    with pytest.raises(InputError, match="no file has a column rsa; found asa, cluster, id, q3, q8, "):
        check(read_run(tmp_path / "other/run.yaml"))


def test_simulate_plants_chains_that_a_run_reads(tmp_path, monkeypatch, capsys):
    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["mtlbio", "simulate", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code or 0, *capsys.readouterr()

    status, out, _ = call(str(tmp_path / "x"), "--kind", "protein", "--chains", "40")
    assert status == 0 and out == f"mtlbio run {tmp_path / 'x/run.yaml'}\n"
    assert read_run(tmp_path / "x/run.yaml").run == "planted_proteins"
    assert len(pd.read_csv(tmp_path / "x/chains.csv")) == 40
    lists = "`mtlbio simulate --help` lists what is"
    for words, message in (
        (("--kind", "protein", "--donors", "9"), f"--donors: not for --kind protein; {lists}"),
        (("--kind", "proteins"), "--kind: found 'proteins'; valid: blocks, cohort, doses, latents, protein"),
        (("--chains", "9"), f"--chains: not for --kind cohort; {lists}"),
        (
            ("--kind", "protein", "--chains", "39"),
            "--chains: found 39; expected 40 or more: a fifth is held out for the trial",
        ),
    ):
        status, _, err = call(str(tmp_path / "y"), *words)
        assert status == 2 and err == f"mtlbio: error: {message}\n"
