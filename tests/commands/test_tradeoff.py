"""``mtlbio tradeoff`` on a tiny planted cohort, from the command line and from Python."""

import shutil
import sys

import numpy as np
import pandas as pd
import pytest

import mtlbio
from benchmarks.shared.small_run import SMALLEST
from mtlbio import cli
from mtlbio.cohort.cohort import read_latents
from mtlbio.cohort.simulate import simulate, write_simulation
from mtlbio.commands.tradeoff import tradeoff
from mtlbio.errors import InputError
from mtlbio.integrity.folder import strangers
from mtlbio.integrity.verify import verify
from mtlbio.report.figures import plan
from mtlbio.report.inputs import read_inputs
from mtlbio.report.tradeoff import tradeoff as section
from mtlbio.tables import (
    TRADEOFF_FRONT,
    TRADEOFF_MODELS,
    TRADEOFF_PREFERENCES,
    TRADEOFF_SUMMARY,
    VERDICTS,
    read_table,
    write_table,
)

COLUMNS = {
    "front": TRADEOFF_FRONT, "preferences": TRADEOFF_PREFERENCES, "models": TRADEOFF_MODELS,
    "summary": TRADEOFF_SUMMARY,
}  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Folder with ``cohort/run.yaml`` and the trained ``small``, whose trade-off of 4 preferences is there."""
    folder = tmp_path_factory.mktemp("tradeoff")
    yaml = write_simulation(folder / "cohort", simulate("clear", seed=1, donors=60, genes=300), name="small")
    yaml.write_text(yaml.read_text() + SMALLEST)
    run = mtlbio.read_run(yaml)
    mtlbio.prepare(run, folder / "small")
    mtlbio.train(run, folder / "small")
    before = {path: path.read_bytes() for path in (folder / "small").rglob("*") if path.is_file()}
    sentences = tradeoff(run, folder / "small", 4, sites="batch")
    return folder, run, before, sentences


def test_the_folder_is_recorded_and_nothing_else_changes(trained):
    folder, _, before, sentences = trained
    small = folder / "small"
    assert all(path.read_bytes() == content for path, content in before.items())
    assert "tradeoff: 8 files as written" in verify(small)[0] and not strangers(small)
    tables = {name: read_table(small / f"tradeoff/{name}.tsv", its) for name, its in COLUMNS.items()}
    assert all(list(tables[name].columns) == its for name, its in COLUMNS.items())
    assert (small / "tradeoff/sentences.txt").read_text().splitlines() == sentences
    front = tables["front"]
    names = ["present", "w01", "w02", "w03", "w04", "worst tasks", "worst donors", "worst batch"]
    assert front.groupby("task")["point"].apply(list).to_dict() == dict.fromkeys(["age", "disease", "response"], names)
    models = tables["models"]
    assert set(zip(models["dims"], models["features"], strict=True)) == {
        (1, 6), (2, 6), (1, 24), (2, 24), (1, 96), (2, 96), (1, 100), (2, 100), (7, 100),
    }  # fmt: skip


def test_the_page_shows_it_as_long_as_it_is_of_these_results(trained, tmp_path):
    folder, run, _, sentences = trained
    small = tmp_path / "small"
    shutil.copytree(folder / "small", small)
    dims = read_latents(small / "latents.h5ad").var_names
    write_table(pd.DataFrame({"dim": dims, "verdict": "unused", "driver": None}), small / "verdicts.tsv", VERDICTS)
    inputs = read_inputs(run, small)
    assert section(inputs) == sentences and "tradeoff" in plan(inputs, [])
    _, title, description = plan(inputs, [])["tradeoff"]()
    assert title == "What tasks trade, and what dimensions and features do" and "7 dimensions" in description
    predictions = small / "predictions.tsv"
    predictions.write_text(predictions.read_text() + "\n")
    inputs = read_inputs(run, small)
    assert section(inputs) == [] and "tradeoff" not in plan(inputs, [])


def test_prices_are_of_every_feature(trained, tmp_path):
    folder, run, _, _ = trained
    (tmp_path / "prices.csv").write_text("feature,price\nG0001,2\n")
    with pytest.raises(InputError, match=r"prices.csv: no price of .*; expected one of each of the \d+ genes"):
        tradeoff(run, folder / "small", 4, prices=tmp_path / "prices.csv")


def test_equal_weights_are_the_run_itself(trained):
    front = read_table(trained[0] / "small/tradeoff/front.tsv")
    centre = front[front["point"] == "w04"]
    assert np.allclose(centre["difference"], 0, atol=0.005) and (centre["call"] != "gains").all()
    present = front[front["point"] == "present"].set_index("task")["value"]
    assert np.allclose(centre.set_index("task")["value"], present, atol=0.005)


def test_sentences_say_what_60_donors_can_show(trained):
    said = trained[3]
    assert said[0].startswith("The front looks flat: of 7 other preferences none is shown to gain anything beyond the")
    assert any(line.startswith("Hypervolume, 0 for a model that tells nobody apart (disease 0.50") for line in said)
    assert any(line.startswith("The run weighs its 3 tasks alike") for line in said)
    assert any(line.startswith("Trained on the worst 50 % of the levels of batch: ") for line in said)


def test_the_command_is_the_function_and_the_same_to_the_byte(trained, monkeypatch, capsys):
    folder, _, _, sentences = trained
    files = {path: path.read_bytes() for path in (folder / "small/tradeoff").iterdir()}
    words = [folder / "small", "--preferences", 4, "--sites", "batch", "--run", folder / "cohort/run.yaml"]
    monkeypatch.setattr(sys, "argv", ["mtlbio", "tradeoff", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    out = capsys.readouterr().out
    assert not ended.value.code and "\n".join(sentences) in out
    assert {path: path.read_bytes() for path in (folder / "small/tradeoff").iterdir()} == files


@pytest.mark.parametrize(
    "asked, line",
    [
        (
            {"preferences": 3},
            "--preferences: found 3; expected 4 or more, every one of the 3 tasks alone and all alike",
        ),
        ({"preferences": 5000}, "--preferences: found 5000; expected 3 to 1000"),
        ({"alpha": 1.0}, "--alpha: found 1; expected a number above 0, and 0.95 at most"),
        ({"sites": "age"}, "--sites: found 'age'; valid: sex, batch"),
    ],
)
def test_a_wrong_option_is_one_line(trained, asked, line):
    folder, run, _, _ = trained
    with pytest.raises(InputError, match=line):
        tradeoff(run, folder / "small", **asked)


def test_a_run_that_cannot_trade_is_refused(trained, tmp_path):
    folder, run, _, _ = trained
    with pytest.raises(InputError, match="run `mtlbio prepare` first"):
        tradeoff(run, tmp_path / "none")
    alone = run.model_copy(update={"tasks": {"age": run.tasks["age"]}})
    with pytest.raises(InputError, match="tasks: found age only; a trade-off is between two or more"):
        tradeoff(alone, folder / "small")
    changes = {"sharing": "soft"}, {"paths": ["axes", "genes"]}
    for change, line in zip(
        changes, ("training.sharing: soft sharing has no shared", "training.paths: the trunk has no"), strict=True
    ):
        other = run.model_copy(update={"training": run.training.model_copy(update=change)})
        with pytest.raises(InputError, match=line):
            tradeoff(other, folder / "small")


def test_kinds_without_one_matrix_of_their_own_do_not_have_it():
    have = [name for name, kind in mtlbio.kinds.KINDS.items() if "tradeoff" in kind.commands]
    assert have == ["cohort", "table"]
