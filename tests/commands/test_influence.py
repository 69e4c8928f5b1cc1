"""``mtlbio influence`` on a tiny planted cohort, from the command line and from Python."""

import sys

import pytest

import mtlbio
from mtlbio import cli
from mtlbio.cohort.simulate import simulate, write_simulation
from mtlbio.errors import InputError
from mtlbio.tables import COUPLING, INFLUENCE, read_table


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Folder with ``cohort/run.yaml`` and the prepared ``small``."""
    folder = tmp_path_factory.mktemp("influence")
    yaml = write_simulation(folder / "cohort", simulate("clear", seed=1, donors=100, genes=400), name="small")
    mtlbio.prepare(mtlbio.read_run(yaml), folder / "small")
    return folder


def test_the_command_writes_its_tables_and_says_what_they_say(prepared, capsys, monkeypatch):
    words = ["influence", str(prepared / "cohort/run.yaml"), "--results", str(prepared / "small")]
    monkeypatch.setattr(sys, "argv", ["mtlbio", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert not ended.value.code
    out = capsys.readouterr().out
    donors = read_table(prepared / "small/influence.tsv", INFLUENCE)
    coupling = read_table(prepared / "small/influence/coupling.tsv", COUPLING)
    assert donors["donor"].nunique() == 100 and donors["suspect"].eq("no").all()
    assert "Of no donor do the measurements look like somebody else's." in out
    most = coupling.loc[coupling["rate"].idxmax()]
    assert f"Labels of {most['by']} that move its own predictions" in out and f"those of {most['task']} by" in out


def test_the_same_from_python_is_the_same_to_the_byte(prepared):
    path = prepared / "small/influence.tsv"
    run = mtlbio.read_run(prepared / "cohort/run.yaml")
    table = mtlbio.influence(run, prepared / "small")
    before = path.read_bytes()
    mtlbio.influence(run, prepared / "small")
    assert path.read_bytes() == before and list(table.columns) == INFLUENCE


def test_a_folder_that_is_not_prepared_is_refused(prepared, tmp_path):
    with pytest.raises(InputError, match="run `mtlbio prepare` first"):
        mtlbio.influence(mtlbio.read_run(prepared / "cohort/run.yaml"), tmp_path / "none")
