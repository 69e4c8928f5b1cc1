"""Networks of a protein run that were trained by jobs of their own are those of one job, to the last byte."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from mtlbio.door.steps import take
from mtlbio.errors import InputError
from mtlbio.integrity.record import recorded
from mtlbio.kinds import kind_of
from mtlbio.kinds.read import read_run
from mtlbio.sequence.chains import read_chains
from mtlbio.sequence.simulate import simulate_chains, write_simulation
from mtlbio.training.chains import network_parts
from mtlbio.training.chains.side_by_side import jobs_of

ARMS = ("multitask", "singletask-structure", "singletask-exposure")
PARTS = tuple(f"{arm}-{seed}" for arm in ARMS for seed in (3, 4))


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A run on a few chains, its folder after training in one job."""
    folder = tmp_path_factory.mktemp("networks")
    run = read_run(write_simulation(folder / "data", simulate_chains(40, seed=1, length=(30, 50))))
    short = {"epochs": 2, "batch": 400, "width": 8, "layers": 1, "latent": 4, "seed": 3, "device": "cpu"}
    run = run.model_copy(update={"training": run.training.model_copy(update=short)})
    take("prepare", run, folder / "one")
    take("train", run, folder / "one")
    return run, folder / "one"


def unpacked(one: Path, many: Path) -> Path:
    """The prepared run in another folder."""
    many.mkdir()
    for name in ("cohort.h5ad", "splits.tsv", "qc.tsv"):
        shutil.copy(one / name, many / name)
    recorded(many, "prepare", "cohort.h5ad", "splits.tsv", "qc.tsv")
    return many


def assert_same_files(one: Path, many: Path) -> None:
    made = [[file for file in f.rglob("*") if file.is_file() and file.parent.name != "manifest"] for f in (one, many)]
    files = [{str(file.relative_to(f)) for file in own} for f, own in zip((one, many), made, strict=True)]
    assert files[0] == files[1] and len(files[0]) > 7
    for name in files[0]:
        assert (one / name).read_bytes() == (many / name).read_bytes(), name


def test_the_parts_are_the_networks_of_every_arm_and_seed(small):
    run, folder = small
    assert kind_of(run).scatter_of(run, "train") == PARTS
    assert tuple(job.part for job in jobs_of(run, read_chains(folder / "cohort.h5ad"))) == PARTS
    assert kind_of(run).scatter_of(run, "probe") == ()
    for alone, parts in ((False, PARTS[:2]), (["exposure"], PARTS[:2] + PARTS[4:])):
        fewer = run.model_copy(update={"training": run.training.model_copy(update={"single_task": alone})})
        assert kind_of(fewer).scatter_of(fewer, "train") == parts
        assert tuple(job.part for job in jobs_of(fewer, read_chains(folder / "cohort.h5ad"))) == parts


@pytest.mark.parametrize("missing", [(), (PARTS[0], PARTS[3])], ids=["all there", "two are missing"])
def test_networks_in_parts_are_those_of_one_job(small, tmp_path, monkeypatch, missing):
    run, folder = small
    many = unpacked(folder, tmp_path / "many")
    for part in PARTS:
        if part not in missing:
            take("train", run, many, part)
    trained = []
    fit_all = network_parts.fit_all

    def noted(run, results, chains, reader, jobs, device):
        trained.extend(job.part for job in jobs)
        return fit_all(run, results, chains, reader, jobs, device)

    monkeypatch.setattr(network_parts, "fit_all", noted)
    take("train", run, many)
    assert tuple(trained) == missing
    assert_same_files(folder, many)


def test_fewer_parts_have_several_networks_each_and_give_the_same_files(small, tmp_path, monkeypatch):
    run, folder = small
    fewer = run.model_copy(update={"training": run.training.model_copy(update={"scatter": 4})})
    names = ("networks0", "networks1", "networks2", "networks3")
    assert kind_of(run).scatter_of(fewer, "train") == names
    networks = [kind_of(run).networks_of_part(fewer, name) for name in names]
    assert networks == [(PARTS[0], PARTS[4]), (PARTS[1], PARTS[5]), (PARTS[2],), (PARTS[3],)]
    many = unpacked(folder, tmp_path / "many")
    for name in names:
        take("train", fewer, many, name)
    monkeypatch.setattr(network_parts, "fit_all", lambda *_: pytest.fail("nothing is left to train"))
    take("train", fewer, many)
    assert_same_files(folder, many)
    six = run.model_copy(update={"training": run.training.model_copy(update={"scatter": 6})})
    assert kind_of(run).scatter_of(six, "train") == PARTS


def test_a_part_of_other_options_is_trained_anew(small, tmp_path, caplog):
    run, folder = small
    many = unpacked(folder, tmp_path / "many")
    other = run.model_copy(update={"training": run.training.model_copy(update={"epochs": 1})})
    take("train", other, many, PARTS[0])
    assert json.loads((many / "parts/train" / PARTS[0] / "part.json").read_text())["about"][PARTS[0]]["history"]
    with caplog.at_level("INFO", logger="mtlbio"):
        take("train", run, many)
    assert f"{many}/parts/train/{PARTS[0]}: of other data, options or modules; made anew" in caplog.messages
    assert "0 of 6 networks trained before" in caplog.messages
    assert_same_files(folder, many)


def test_a_part_that_a_run_does_not_have_is_one_line(small):
    run, folder = small
    with pytest.raises(InputError) as caught:
        take("train", run, folder, "multitask-5")
    assert str(caught.value) == f"--part: found 'multitask-5'; valid: {', '.join(PARTS)}"
    with pytest.raises(InputError) as caught:
        take("probe", run, folder, "null0")
    assert str(caught.value) == "--part: step probe of a run of kind protein is one job"
