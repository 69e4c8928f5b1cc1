"""Refits of the whole-pipeline null that jobs of their own have made are those of one job, to the last byte."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mtlbio.cohort.simulate import simulate, write_simulation
from mtlbio.config import Probe, Training
from mtlbio.door.steps import take
from mtlbio.integrity.record import place_of, read_record
from mtlbio.kinds import donors, kind_of
from mtlbio.kinds.read import read_run
from mtlbio.probing.null_refits import NullRefits

TRAINING = Training(genes=100, axes=4, curves=20, seeds=1, epochs=15, single_task=False, device="cpu")
PROBE = Probe(permutations=99, bootstrap=100, null_refits=5)


@pytest.fixture(autouse=True)
def four_at_a_time(monkeypatch):
    """Four refits in a part, as many as one stack takes of so small a cohort."""
    monkeypatch.setattr(donors, "REFITS_PER_PART", 4)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A run that is trained, and its folder after a trial in one job."""
    folder = tmp_path_factory.mktemp("null")
    planted = simulate("clear", 4, donors=60, genes=300, batches=2)
    run = read_run(write_simulation(folder / "data", planted))
    splits = run.splits.model_copy(update={"folds": 3})
    run = run.model_copy(update={"training": TRAINING, "probe": PROBE, "splits": splits})
    take("prepare", run, folder / "one")
    take("train", run, folder / "one")
    take("probe", run, folder / "one")
    return run, folder / "one"


def trained(one: Path, many: Path) -> Path:
    """The trained run in another folder, before its trial."""
    for name in ("prepare", "train"):
        for file in (*read_record(place_of(one, name)).files, f"manifest/{name}.json"):
            (many / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(one / file, many / file)
    return many


def assert_same_tables(one: Path, many: Path) -> None:
    for file in sorted((one / "probing").rglob("*.tsv")):
        assert (many / file.relative_to(one)).read_bytes() == file.read_bytes(), file
    assert not (many / "parts").exists()


def made_meanwhile(monkeypatch) -> list[list[int]]:
    """A list that every later call adds the numbers of its refits to."""
    numbers, made = [], NullRefits.made

    def noted(self, waiting, *kept):
        numbers.append(list(waiting))
        return made(self, waiting, *kept)

    monkeypatch.setattr(NullRefits, "made", noted)
    return numbers


@pytest.mark.parametrize("missing", [None, "null0"])
def test_refits_in_parts_are_those_of_one_job(small, tmp_path, monkeypatch, missing):
    run, folder = small
    assert kind_of(run).scatter_of(run, "probe") == ("null0", "null1")
    many, numbers = trained(folder, tmp_path / "many"), made_meanwhile(monkeypatch)
    for part in ("null1", "null0"):
        if part != missing:
            take("probe", run, many, part)
    take("probe", run, many)
    assert numbers == ([[4], [0, 1, 2, 3]] if missing else [[4], [0, 1, 2, 3], []])
    rows = [(f / "probing" / ".null").iterdir() for f in (folder, many)]
    kept = [sorted(next(files).read_text().splitlines()) for files in rows]
    assert kept[0] == kept[1]
    for name in ("null", "null_runs"):
        assert (many / f"probing/{name}.tsv").read_bytes() == (folder / f"probing/{name}.tsv").read_bytes()
    assert not (many / "parts").exists()


def test_fewer_parts_have_more_refits_each(small):
    run, _ = small
    kind = kind_of(run)

    def parts(refits: int, most: int | bool | None) -> list[range]:
        changed = {"probe": Probe(null_refits=refits), "training": TRAINING.model_copy(update={"scatter": most})}
        asked = run.model_copy(update=changed)
        return [kind.refits_of_part(asked, name) for name in kind.scatter_of(asked, "probe")]

    assert parts(10, True) == parts(10, None) == parts(10, 3) == [range(4), range(4, 8), range(8, 10)]
    assert parts(10, 2) == [range(8), range(8, 10)]  # whole stacks, which no two parts share
    assert [len(part) for part in parts(199, 4)] == [52, 52, 52, 43]
    assert parts(0, 4) == []


def test_refits_that_are_kept_from_before_are_not_made_again(small, tmp_path, monkeypatch):
    run, folder = small
    many, numbers = trained(folder, tmp_path / "many"), made_meanwhile(monkeypatch)
    fewer = run.model_copy(update={"probe": PROBE.model_copy(update={"null_refits": 4})})
    take("probe", fewer, many)
    take("probe", run, many, "null0")
    take("probe", run, many, "null1")
    # what a killed job left: a part whose refits are in the store already
    shutil.copytree(many / "parts/probe/null1", tmp_path / "null1")
    take("probe", run, many)
    (many / "parts/probe").mkdir(parents=True)
    shutil.copytree(tmp_path / "null1", many / "parts/probe/null1")
    take("probe", run, many)
    assert numbers == [[0, 1, 2, 3], [], [4], [], []]
    assert_same_tables(folder, many)


def test_without_refits_there_are_no_parts(small):
    run, _ = small
    plain = run.model_copy(update={"probe": Probe()})
    assert kind_of(plain).scatter_of(plain, "probe") == ()
    many = run.model_copy(update={"probe": Probe(null_refits=199)})
    assert len(kind_of(many).scatter_of(many, "probe")) == 50
