"""``mtlbio panel`` on a tiny planted cohort, from the command line and from Python."""

import pytest

import mtlbio
from benchmarks.shared.small_run import SMALLEST
from mtlbio.cohort.simulate import simulate, write_simulation
from mtlbio.cohort.simulate_doses import simulate_doses, write_doses
from mtlbio.errors import InputError
from mtlbio.integrity.described import describe
from mtlbio.integrity.folder import strangers
from mtlbio.integrity.verify import verify
from mtlbio.report.made_of import is_current
from mtlbio.tables import (
    PANEL_EXCHANGE,
    PANEL_FEATURES,
    PANEL_FOLLOWS,
    PANEL_FRONT,
    PANEL_STABILITY,
    PANELS,
    VERDICTS,
    read_table,
)

COLUMNS = {
    "front": PANEL_FRONT, "panels": PANELS, "features": PANEL_FEATURES, "exchange": PANEL_EXCHANGE,
    "stability": PANEL_STABILITY, "follows": PANEL_FOLLOWS, "verdicts": VERDICTS,
}  # fmt: skip


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Folder with ``cohort/run.yaml`` and the prepared ``small``, whose panels of 4 and 8 are there."""
    folder = tmp_path_factory.mktemp("panel")
    yaml = write_simulation(folder / "cohort", simulate("clear", seed=1, donors=60, genes=300), name="small")
    yaml.write_text(yaml.read_text() + SMALLEST)
    run = mtlbio.read_run(yaml)
    mtlbio.prepare(run, folder / "small")
    mtlbio.panel(run, folder / "small", [4, 8])
    return folder


def test_every_table_has_its_columns_and_mtlbio_knows_them(prepared):
    tables = {name: read_table(prepared / f"small/panel/{name}.tsv", its) for name, its in COLUMNS.items()}
    assert all(list(tables[name].columns)[: len(its)] == its for name, its in COLUMNS.items())
    assert {path.stem for path in (prepared / "small/panel").iterdir()} == {*COLUMNS, "made_of"}
    assert is_current(prepared / "small", "panel")
    lines, whole = verify(prepared / "small")
    assert "panel: 8 files as written" in lines and not strangers(prepared / "small")
    front = tables["front"]
    assert front.groupby("task").size().to_dict() == dict.fromkeys(["age", "disease", "response"], 5)
    assert front.loc[front["panel"] == "all", "size"].eq(100).all()  # training.genes
    panels = tables["panels"]
    assert set(panels["fold"]) == {"0", "1", "final"}
    assert panels.groupby(["panel", "limit", "fold"]).size().loc["shared"].to_dict() == {
        (limit, fold): limit for limit in (4, 8) for fold in ("0", "1", "final")
    }
    final = panels[(panels["panel"] == "shared") & (panels["fold"] == "final")]
    inside = tables["features"][(tables["features"]["panel"] == "shared") & tables["features"]["rank"].notna()]
    limit = inside["limit"].iloc[0]
    assert inside["feature"].tolist() == final.loc[final["limit"] == limit, "feature"].tolist()
    assert list(tables["verdicts"]["dim"])[:3] == ["score of disease", "score of age", "score of response"]
    assert list(tables["verdicts"]["dim"])[3:] == inside["feature"].tolist()


def test_the_command_is_the_function_and_the_same_to_the_byte(prepared, called):
    files = {path: path.read_bytes() for path in (prepared / "small/panel").iterdir()}
    yaml = prepared / "cohort/run.yaml"
    code, said = called("panel", prepared / "small", "--sizes", "8,4", "--run", yaml)
    assert code == 0 and "In the panel of every fold are " in said and "small/panel\n" in said
    assert {path: path.read_bytes() for path in (prepared / "small/panel").iterdir()} == files
    code, said = called("panel", prepared / "small")
    assert code == 2 and "which YAML describes it is not known; name it with --run" in said
    describe(prepared / "small", yaml)
    code, said = called("panel", prepared / "small", "--sizes", "8", "--tasks", "disease,weight")
    assert code == 2 and "--tasks: found weight; valid: disease, age, response" in said
    code, said = called("panel", prepared / "none")
    assert code == 2 and "none: no such folder" in said


def test_panels_are_paid_from_a_table_of_prices(prepared):
    run = mtlbio.read_run(prepared / "cohort/run.yaml")
    genes = mtlbio.cohort.cohort.read_cohort(prepared / "small/cohort.h5ad").genes
    prices = prepared / "prices.csv"
    prices.write_text("feature,price\n" + "".join(f"{gene},{1 + k % 3}\n" for k, gene in enumerate(genes)))
    front = mtlbio.panel(run, prepared / "small", [5, 10], prices)
    shared = front[front["panel"] == "shared"]
    assert (shared["price"] <= shared["limit"]).all() and (shared["price"] > shared["limit"] - 1).all()
    assert front.loc[front["panel"] == "all", "price"].between(100, 300).all()


def test_what_cannot_be_asked_is_one_line(prepared, tmp_path):
    run = mtlbio.read_run(prepared / "cohort/run.yaml")
    with pytest.raises(InputError, match="run `mtlbio prepare` first"):
        mtlbio.panel(run, tmp_path / "none")
    with pytest.raises(InputError, match="--sizes: found 100; expected whole numbers from 1 to 99, of 100 features"):
        mtlbio.panel(run, prepared / "small", [100])
    latents = run.model_copy(update={"kind": "latents"})
    with pytest.raises(InputError, match="panel: found a run of kind 'latents'; it is for runs of kind cohort, table"):
        mtlbio.panel(latents, prepared / "small")


def test_a_table_of_features_has_panels_too(tmp_path):
    yaml = write_doses(tmp_path / "doses", simulate_doses(a=150, b=150, c=60))
    run = mtlbio.read_run(yaml)
    fewer = {"evaluate": {"bootstrap": 100}, "probe": {"permutations": 99, "bootstrap": 100}}
    run = run.model_copy(update={key: getattr(run, key).model_copy(update=few) for key, few in fewer.items()})
    mtlbio.prepare(run, tmp_path / "out")
    front = mtlbio.panel(run, tmp_path / "out", [2, 4])
    shared = front[front["panel"] == "shared"].set_index(["task", "limit"])["value"].unstack()
    assert (shared[4.0] > 0.1).all() and (shared[4.0] > shared[2.0] - 0.1).all()
