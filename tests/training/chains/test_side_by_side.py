"""Networks trained in processes of their own are those trained one after the other."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mtlbio.kinds.read import read_run
from mtlbio.sequence.chains import read_chains
from mtlbio.sequence.prepare import prepare
from mtlbio.sequence.simulate import simulate_chains, write_simulation
from mtlbio.threads import one_thread
from mtlbio.training.chains import side_by_side
from mtlbio.training.chains.make import make_reader
from mtlbio.training.chains.side_by_side import Job, fit_all, work


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A run, its folder, its chains and three jobs."""
    folder = tmp_path_factory.mktemp("jobs")
    run = read_run(write_simulation(folder, simulate_chains(30, seed=1, length=(30, 50))))
    short = {"epochs": 2, "batch": 400, "encoder": "lstm", "width": 8, "layers": 1, "dropout": 0.1}
    run = run.model_copy(update={"training": run.training.model_copy(update=short)})
    prepare(run, folder)
    both = ("structure", "exposure")
    jobs = [Job("singletask", ("exposure",), 3), Job("multitask", both, 3), Job("multitask", both, 4)]
    return run, folder, read_chains(folder / "cohort.h5ad"), jobs


@pytest.fixture
def two_threads(monkeypatch):
    """A process that may keep two cores busy."""
    monkeypatch.setenv("OMP_NUM_THREADS", "2")


def test_side_by_side_and_one_after_the_other_are_the_same(prepared, two_threads, monkeypatch):
    run, folder, chains, jobs = prepared
    monkeypatch.setattr(side_by_side, "WORTH", 1)
    together = fit_all(run, folder, chains, make_reader(run, chains), jobs, "cpu")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with one_thread():  # as every step and every process of its own computes
        alone = fit_all(run, folder, chains, make_reader(run, chains), jobs, "cpu")
    assert set(together) == set(alone) == set(jobs)
    for job in jobs:
        assert together[job].history == alone[job].history
        for (epoch, gramian), (at, again) in zip(together[job].gramians, alone[job].gramians, strict=True):
            assert epoch == at and np.array_equal(gramian, again)
        one, other = together[job].network.state_dict(), alone[job].network.state_dict()
        assert one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)
    assert together[jobs[1]].history != together[jobs[2]].history


def test_small_networks_start_no_process(prepared, two_threads, monkeypatch):
    run, folder, chains, jobs = prepared
    residues = int(chains.lengths[chains.of("train")].sum())
    assert work(run, chains, jobs[0]) == 2 * residues < side_by_side.WORTH

    def never(*_):
        raise AssertionError("a process was started")

    monkeypatch.setattr(side_by_side, "ProcessPoolExecutor", never)
    assert len(fit_all(run, folder, chains, make_reader(run, chains), jobs[:1], "cpu")) == 1


def test_what_fails_in_a_process_says_why(prepared, two_threads, monkeypatch):
    run, folder, chains, jobs = prepared
    monkeypatch.setattr(side_by_side, "WORTH", 1)
    with pytest.raises(KeyError, match="unknown"):
        fit_all(run, folder, chains, make_reader(run, chains), [*jobs[:1], Job("multitask", ("unknown",), 0)], "cpu")
