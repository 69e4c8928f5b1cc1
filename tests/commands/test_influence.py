"""``mtlbio influence`` on a tiny planted cohort, from the command line and from Python."""

import sys

import pytest

import mtlbio
from benchmarks.shared.small_run import SMALLEST
from mtlbio import cli
from mtlbio.cohort.simulate import simulate, write_simulation
from mtlbio.errors import InputError
from mtlbio.report.made_of import is_current
from mtlbio.tables import COUPLING, HANGING, INFLUENCE, TURNED, read_table, write_table


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
    assert "Of no donor do the measurements or a record look like somebody else's." in out
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


@pytest.fixture(scope="module")
def tried(tmp_path_factory):
    """(run, folder) of a small run with verdicts."""
    folder = tmp_path_factory.mktemp("tried")
    yaml = write_simulation(folder / "cohort", simulate("clear", seed=1, donors=48, genes=300), name="tried")
    yaml.write_text(yaml.read_text() + SMALLEST)
    run = mtlbio.read_run(yaml)
    for step in (mtlbio.prepare, mtlbio.train, mtlbio.trial):
        step(run, folder / "tried")
    return run, folder / "tried"


def test_of_a_run_with_verdicts_it_says_which_hang_on_one_donor(tried):
    run, folder = tried
    mtlbio.influence(run, folder, most=2)
    hanging = read_table(folder / "influence/hanging.tsv", HANGING)
    turned = read_table(folder / "influence/turned.tsv", TURNED)
    verdicts = read_table(folder / "verdicts.tsv").set_index("dim")["verdict"]
    assert set(hanging["dim"]) == set(verdicts.index) and set(hanging["task"]) == {"disease", "response"}
    assert turned["donor"].nunique() <= 2 and set(turned["donor"]) <= set(hanging["donor"])
    assert (turned["verdict"].to_numpy() == verdicts.loc[turned["dim"]].to_numpy()).all()
    assert (turned["verdict"] != turned["verdict_without"]).all()
    assert is_current(folder)


def test_verdicts_that_the_files_do_not_give_are_refused(tried):
    run, folder = tried
    from mtlbio.commands.influence import _turned

    path = folder / "verdicts.tsv"
    before, table = path.read_bytes(), read_table(path)
    write_table(table.assign(verdict="mixed"), path)
    try:
        with pytest.raises(InputError, match="is not the one that the latents and tables beside it give"):
            _turned(run, folder, 1)
        with pytest.raises(InputError, match="verdicts.tsv: "):
            mtlbio.influence(run, folder)
    finally:
        path.write_bytes(before)
