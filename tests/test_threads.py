"""Every step computes with one thread, and leaves the number of threads as it was."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_info

from mtlbio import door
from mtlbio.integrity import step as taking
from mtlbio.threads import allotted, one_thread

RUN = "run: tiny\nexpression: {path: e.csv, scale: log}\nmetadata: {path: e.csv}\ntasks: {age: {kind: regression}}\n"


@pytest.fixture
def many_threads(monkeypatch):
    """A process whose libraries compute with three threads."""
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


def test_one_thread_inside_and_as_before_afterwards(many_threads):
    pools = {pool["filepath"]: pool["num_threads"] for pool in threadpool_info()}
    with pytest.raises(ZeroDivisionError), one_thread():
        assert torch.get_num_threads() == 1 and {pool["num_threads"] for pool in threadpool_info()} == {1}
        assert (os.environ["OMP_NUM_THREADS"], os.environ["MKL_NUM_THREADS"]) == ("1", "1")
        assert allotted() == 3
        _ = 1 / 0
    assert torch.get_num_threads() == 3 and allotted() == 3
    assert {pool["filepath"]: pool["num_threads"] for pool in threadpool_info()} == pools
    assert os.environ["OMP_NUM_THREADS"] == "3" and "MKL_NUM_THREADS" not in os.environ


@pytest.mark.parametrize("text, cores", [("4", 4), ("2,1", 2), ("", None), ("0", None), ("many", None)])
def test_cores_are_what_the_rule_was_given_else_all(monkeypatch, text, cores):
    monkeypatch.setenv("OMP_NUM_THREADS", text)
    assert allotted() == (cores or len(os.sched_getaffinity(0)))


def test_a_library_that_is_loaded_inside_has_one_thread_too():
    code = """if True:
        from mtlbio.threads import one_thread
        with one_thread():
            import numpy, torch
            from threadpoolctl import threadpool_info
            print(torch.get_num_threads(), *{pool["num_threads"] for pool in threadpool_info()})
        print(torch.get_num_threads())
    """
    environment = os.environ | {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "1 1\n2\n"


def test_a_step_is_taken_with_one_thread(many_threads, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.yaml").write_text(RUN)
    (tmp_path / "e.csv").write_text("sample_id,g\n")
    seen = []
    monkeypatch.setattr(taking, "checked", lambda *_: {})
    monkeypatch.setattr(taking, "function_at", lambda place: lambda run, results: seen.append(torch.get_num_threads()))
    door.steps.take("train", door.read_run("run.yaml"))
    assert seen == [1] and torch.get_num_threads() == 3


def test_trees_do_not_depend_on_the_number_of_threads(many_threads):
    from mtlbio.evaluation.boosting import _parameters
    from mtlbio.evaluation.tuning import Labels

    labels = Labels(np.zeros(40), 0, np.ones(40), np.arange(40), 0)
    assert _parameters(labels)["num_threads"] == 1
