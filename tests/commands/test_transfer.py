"""``mtlbio transfer`` on a tiny planted cohort, from the command line to the figure."""

import sys
from xml.etree import ElementTree

import pytest

from mtlbio import cli
from mtlbio.cohort.simulate import simulate, write_simulation
from mtlbio.tables import AFFINITY, CURVE, GROUPS, SUBSETS, read_table

OPTIONS = """
splits: {folds: 3}
training: {genes: 100, axes: 4, curves: 40, block: 3, seeds: 2, epochs: 20, patience: 5}
evaluate: {bootstrap: 200}
"""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Folder with ``cohort/run.yaml`` and the prepared ``small``."""
    folder = tmp_path_factory.mktemp("transfer")
    yaml = write_simulation(folder / "cohort", simulate("clear", seed=1, donors=48, genes=300), name="small")
    yaml.write_text(yaml.read_text() + OPTIONS)
    assert call("prepare", str(yaml), "--results", str(folder / "small")) == 0
    return folder


def call(*words: str) -> int:
    before, sys.argv = sys.argv, ["mtlbio", *words]
    try:
        cli.main()
    except SystemExit as ended:
        return ended.code or 0
    finally:
        sys.argv = before


def test_every_subset_a_proposal_and_a_curve(prepared, capsys):
    yaml, results = str(prepared / "cohort/run.yaml"), prepared / "small"
    command = ("transfer", yaml, "--results", str(results), "--curve", "disease", "--draws", "2")
    assert call(*command) == 0
    out = capsys.readouterr().out
    folder = results / "transfer"
    groups = read_table(folder / "groups.tsv", GROUPS)
    assert groups["why"].iloc[0] in out and groups["role"].iloc[0] == "proposed" and len(groups) == 5
    subsets = read_table(folder / "subsets.tsv", SUBSETS)
    assert len(subsets) == 12 and subsets["value"].notna().all()
    assert len(read_table(folder / "affinity.tsv", AFFINITY)) == 6
    curve = read_table(folder / "curve.tsv", CURVE)
    assert curve["task"].eq("disease").all() and curve["donors"].iloc[-1] == 32
    assert curve["donors"].is_monotonic_increasing and curve["draws"].tolist() == [2, 2, 1]
    assert curve["donors"].sub([10, 20, 32]).abs().max() <= 1
    # the curve ends where the subsets stand: with all labels
    alone, together = (
        subsets.set_index(["subset", "task"]).at[(s, "disease"), "value"] for s in ("disease", "disease+age+response")
    )
    assert curve["multitask"].iloc[-1] == pytest.approx(together, abs=0.01)
    assert curve["singletask"].iloc[-1] == pytest.approx(alone, abs=0.01)
    text = ElementTree.parse(folder / "curve.svg").getroot()
    assert "gain from sharing" in "".join(text.itertext())
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert set(before) == {"subsets.tsv", "affinity.tsv", "groups.tsv", "curve.tsv", "curve.svg", "curve.png"}
    assert call(*command) == 0
    assert before == {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.mark.parametrize(
    "words, line",
    [
        (["--curve", "disese"], "--curve: no task 'disese' in {yaml}; valid: disease, age, response"),
        (["--curve", "response", "--results", "{results}"], "--curve: response: a fold trains on"),
        (
            ["--results", "{folder}/none"],
            "{folder}/none/cohort.h5ad: no such file; run `mtlbio prepare {yaml} --results",
        ),
    ],
)
def test_what_is_wrong_is_one_line(prepared, capsys, words, line):
    names = {"yaml": prepared / "cohort/run.yaml", "folder": prepared, "results": prepared / "small"}
    assert call("transfer", str(names["yaml"]), *(word.format(**names) for word in words)) == 2
    error = [text for text in capsys.readouterr().err.splitlines() if text.startswith("mtlbio: error:")]
    assert len(error) == 1 and error[0].startswith("mtlbio: error: " + line.format(**names))
    assert not (prepared / "none").exists()


def test_a_cohort_that_was_prepared_with_other_tasks_is_refused(prepared, capsys):
    yaml = prepared / "cohort/run.yaml"
    other = yaml.with_name("other.yaml")
    other.write_text("\n".join(line for line in yaml.read_text().splitlines() if not line.startswith("  response:")))
    assert call("transfer", str(other), "--results", str(prepared / "small")) == 2
    assert "prepared with the tasks disease, age, response" in capsys.readouterr().err
