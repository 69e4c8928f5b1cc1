"""Several processes find what one finds, and where one dies the rest of the work is not lost."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file
from small_training import small_cohort
from test_deep import QUICK, SMALL
from two_processes import FLOATS, METHODS, NETWORKS, computed, gradient_of_a_step, in_a_process

from mtlbio.choices.balancers import BALANCERS
from mtlbio.cohort.split import make_splits
from mtlbio.config import Splits, Training
from mtlbio.errors import InputError
from mtlbio.kinds import KINDS
from mtlbio.parts import Parts
from mtlbio.training import fold_parts
from mtlbio.training.deep import fold, launch
from mtlbio.training.deep.group import Group
from mtlbio.training.deep.launch import Together, check_fit, command, environment, machines_of_job
from mtlbio.training.deep.orders import Failure, Orders, first_failure
from mtlbio.training.fold_parts import KeptFolds, fit_folds
from mtlbio.training.stored import taken_apart


@pytest.fixture(scope="module")
def of_one_and_two(tmp_path_factory):
    """The same by one process, and by each of two."""
    folder = tmp_path_factory.mktemp("two")
    context = torch.multiprocessing.spawn(in_a_process, (2, str(folder)), nprocs=2, join=False)
    alone = computed(Group())
    while not context.join():
        pass
    return alone, [load_file(folder / f"{rank}.safetensors") for rank in range(2)]


@pytest.mark.parametrize(("balancing", "what", "kind"), METHODS)
def test_gradients_are_those_of_one_process(of_one_and_two, balancing, what, kind):
    alone, each = of_one_and_two
    name = f"{balancing}/{what}/{kind}"
    assert alone[name].abs().max() > 1e-3
    for found in each:
        torch.testing.assert_close(found[name], alone[name], rtol=0, atol=FLOATS[kind] * float(alone[name].abs().max()))
    assert torch.equal(each[0][name], each[1][name])  # to the last digit, or the two would move apart


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_are_those_of_one_process(of_one_and_two, name):
    alone, each = of_one_and_two
    for found in each:
        outputs = [values[f"outputs/{name}"] for values in (found, alone)]
        if name == "death":  # its loss knows no level, which rounding moves and an anchor sets later
            outputs = [values - values.mean(0) for values in outputs]
        torch.testing.assert_close(*outputs, rtol=1e-4, atol=1e-5)
        assert torch.equal(found[f"best/{name}"], alone[f"best/{name}"])
    assert alone[f"best/{name}"].max() > 0


@pytest.mark.parametrize("balancing", [name for name, facts in BALANCERS.items() if facts.reads_gramian])
def test_a_balancer_that_saw_one_share_only_would_find_another_gradient(of_one_and_two, balancing, monkeypatch):
    monkeypatch.setattr("mtlbio.training.deep.group.distributed.all_reduce", lambda values: values.mul_(2))
    monkeypatch.setattr("mtlbio.training.deep.group.distributed.broadcast", lambda values, source: None)
    share = gradient_of_a_step(balancing, "trunk", torch.float64, Group(0, 2))
    whole = of_one_and_two[0][f"{balancing}/trunk/torch.float64"]
    assert (share - whole).abs().max() > 1e-3 * whole.abs().max()


def test_shares_are_all_samples_once():
    for n in (0, 1, 2, 5, 256):
        places = [list(range(n))[Group(rank, 3).share(n)] for rank in range(3)]
        assert sum(places, []) == list(range(n))
        assert max(map(len, places)) - min(map(len, places)) <= 1


def cohort_and_options(processes: int):
    cohort = small_cohort(tasks=("disease", "age"))
    quick = QUICK.model_copy(update={"epochs": 3})
    options = Training(**SMALL | {"axes": 6, "encoder": "mlp", "deep": quick, "processes": processes})
    return cohort, make_splits(cohort, Splits(folds=3)), options


def alike(one, other) -> None:
    expected, found = taken_apart(one), taken_apart(other)
    assert found.keys() == expected.keys()
    for name, array in found.items():
        np.testing.assert_allclose(array, expected[name], atol=1e-5, err_msg=name)


@pytest.mark.slow
def test_a_run_by_two_processes_is_that_of_one_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(fold_parts, "_parts", lambda *_: Parts(tmp_path / "parts" / "train", "key"))
    kept = KeptFolds(None, tmp_path)
    alike(fit_folds(*cohort_and_options(1), [0]), fit_folds(*cohort_and_options(2), [0], kept))
    assert sorted(p.name for p in (tmp_path / "parts" / "train").iterdir()) == ["deep0"]


def children_of(process: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def workers_of(agent: int) -> list[int]:
    """Processes below one that carry out torch's spawn, not its helper."""
    below = [child for child in children_of(agent) if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]
    return below or [worker for child in children_of(agent) for worker in workers_of(child)]


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="finds the processes in /proc")
def test_one_that_dies_ends_the_step_in_a_line_and_the_next_start_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(fold_parts, "_parts", lambda *_: Parts(tmp_path / "parts" / "train", "key"))
    kept, done, wait = KeptFolds(None, tmp_path), tmp_path / "parts" / "train", Together.wait
    begun: list[int] = []

    def killing(self, i):
        if i == 1:
            while not list(done.glob("networks1/*/part.json")):
                assert self._agent.poll() is None
                time.sleep(0.002)
            begun[:] = workers_of(self._agent.pid)
            os.kill(begun[1], signal.SIGKILL)
        return wait(self, i)

    monkeypatch.setattr(Together, "wait", killing)
    cohort, splits, options = cohort_and_options(2)
    longer = options.model_copy(update={"deep": options.deep.model_copy(update={"epochs": 60, "patience": 60})})
    says = (
        r"^training.processes: process 2 of 2 was killed by SIGKILL \(too little memory\?\); [12] of 4 folds are done"
    )
    with pytest.raises(InputError, match=says + ", the next start goes on after the last network$"):
        fit_folds(cohort, splits, longer, kept=kept)
    assert len(begun) == 2 and not any(Path(f"/proc/{worker}").exists() for worker in begun)
    assert not list(done.glob(".*"))  # no folder of the processes is left
    of_networks = {file: file.stat().st_mtime_ns for file in done.glob("networks1/*/part.json")}
    assert of_networks
    monkeypatch.setattr(Together, "wait", wait)
    read, parts_read = [], Parts.read

    def noting(self, name):
        read.append((name, found := parts_read(self, name)))
        return found

    monkeypatch.setattr(Parts, "read", noting)
    resumed = fit_folds(cohort, splits, longer, kept=kept)
    assert [name for name, found in read if found is not None] == ["deep0"]
    alike(fit_folds(cohort, splits, longer.model_copy(update={"processes": 1})), resumed)
    assert sorted(p.name for p in done.iterdir()) == ["deep-1", "deep0", "deep1", "deep2"]


@pytest.mark.slow
def test_an_error_of_one_is_said_in_a_line(monkeypatch):
    write = Orders.write

    def misspelt(self, folder):
        self.tasks[1]["kind"] = "weekday"  # as of a kind of label that only this process knows
        write(self, folder)

    monkeypatch.setattr(Orders, "write", misspelt)
    with pytest.raises(InputError) as error:
        fit_folds(*cohort_and_options(2), [0])
    says = "training.processes: process [12] of 2 failed: InputError: kind: found 'weekday'; expected "
    assert re.fullmatch(f"{says}.*; 0 of 1 folds are done", str(error.value))


@pytest.mark.slow
def test_networks_that_are_done_are_not_trained_again(tmp_path, monkeypatch):
    monkeypatch.setattr(fold_parts, "_parts", lambda *_: Parts(tmp_path / "parts" / "train", "key"))
    kept, (cohort, splits, options) = KeptFolds(None, tmp_path), cohort_and_options(1)
    plain, done = fold.fit_network, []

    def stopping(*given):
        if len(done) == 1:
            raise KeyboardInterrupt
        done.append(plain(*given))
        return done[-1]

    monkeypatch.setattr(fold, "fit_network", stopping)
    with pytest.raises(KeyboardInterrupt):
        fit_folds(cohort, splits, options, [0], kept)
    monkeypatch.undo()
    monkeypatch.setattr(fold_parts, "_parts", lambda *_: Parts(tmp_path / "parts" / "train", "key"))
    calls = []
    monkeypatch.setattr(fold, "fit_network", lambda *given: calls.append(1) or plain(*given))
    resumed = fit_folds(cohort, splits, options, [0], kept)
    assert len(calls) == 1  # of two seeds
    whole = fit_folds(cohort, splits, options, [0])
    for name, array in taken_apart(whole).items():
        np.testing.assert_array_equal(taken_apart(resumed)[name], array)


@pytest.mark.slow
def test_two_machines_are_one_group(tmp_path, monkeypatch):
    """Slurm's srun starts the same words on every machine; here both are this one."""
    srun = tmp_path / "bin" / "srun"
    srun.parent.mkdir()
    srun.write_text(
        f"#!{sys.executable}\nimport subprocess, sys\n"
        "words = [word for word in sys.argv[1:] if not word.startswith('--')]\n"
        "both = [subprocess.Popen(words) for _ in range(2)]\n"
        "sys.exit(max(process.wait() for process in both))\n"
    )
    srun.chmod(0o755)
    monkeypatch.setenv("PATH", f"{srun.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("SLURM_JOB_NUM_NODES", "2")
    monkeypatch.setattr(launch.socket, "gethostname", lambda: "localhost")
    monkeypatch.setattr(fold_parts, "_parts", lambda *_: Parts(tmp_path / "parts" / "train", "key"))
    found = fit_folds(*cohort_and_options(2), [0], KeptFolds(None, tmp_path))
    alike(fit_folds(*cohort_and_options(1), [0]), found)


def test_what_is_started_where(monkeypatch, tmp_path):
    here = command(tmp_path, 4, 1)
    assert here[:3] == [sys.executable, "-m", "mtlbio.training.deep.agent"]
    assert here[3:] == [str(tmp_path), "1", "4", "localhost:0"]
    monkeypatch.delenv("SLURM_CPUS_PER_TASK", raising=False)
    many = command(tmp_path, 4, 2)
    assert many[:5] == ["srun", "--nodes=2", "--ntasks=2", "--ntasks-per-node=1", "--cpus-per-task=2"]
    assert many[5:12] == [
        "--kill-on-bad-exit=1",
        sys.executable,
        "-m",
        "mtlbio.training.deep.agent",
        str(tmp_path),
        "2",
        "2",
    ]
    assert environment(1)["OMP_NUM_THREADS"] == "1" and "GLOO_SOCKET_IFNAME" not in environment(2)
    monkeypatch.delenv("SLURM_JOB_NUM_NODES", raising=False)
    assert machines_of_job() == 1
    monkeypatch.setenv("SLURM_JOB_NUM_NODES", "3")
    assert machines_of_job() == 3


def test_processes_that_do_not_fit_are_refused(monkeypatch):
    with pytest.raises(InputError, match="^training.processes: found 3, but the job has 2 machines; valid: a multiple"):
        check_fit(3, 2, "cpu")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    check_fit(4, 2, "cuda")
    says = r"found 4, but torch sees 2 GPU\(s\) on a machine, .*; valid: at most 2, or training.device: cpu"
    with pytest.raises(InputError, match=f"^training.processes: {says}$"):
        check_fit(4, 1, "cuda")
    with pytest.raises(ValidationError, match="training.processes: found 2, but only a deep trunk is shared out"):
        Training(processes=2)


def test_a_signal_is_what_ended_the_others(tmp_path):
    assert first_failure(tmp_path) is None
    Failure(0, "", "RuntimeError: connection closed by peer", 100).write(tmp_path)
    Failure(1, "SIGKILL", "Signal 9", 101).write(tmp_path)
    assert first_failure(tmp_path) == Failure(1, "SIGKILL", "Signal 9", 101)


def test_a_job_asks_for_as_many_cores_and_gpus():
    kind = KINDS["cohort"]

    def run(**training) -> SimpleNamespace:
        return SimpleNamespace(training=Training(encoder="mlp", **training))

    assert kind.threads_of_training(run(processes=4)) == 4 and kind.threads_of_training(run()) == 1
    assert KINDS["protein"].threads_of_training(SimpleNamespace()) == 4
    assert "processes" not in run(processes=4).training.model_dump()
    assert run(processes=4).training.model_dump() == run().training.model_dump()


@pytest.mark.slow
@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU here")
def test_a_gpu_finds_what_the_cpu_finds():
    cohort, splits, options = cohort_and_options(1)
    on = [fit_folds(cohort, splits, options.model_copy(update={"device": name}), [0]) for name in ("cpu", "cuda")]
    for name in on[0].predictors.blocks:
        expected, found = (fit.predictors.outputs[name].cpu().double().flatten() for fit in on)
        assert (found - expected).abs().mean() < 0.01 * expected.std()
    expected, found = (fit.predictors.deep.outputs.double().flatten() for fit in on)
    assert np.corrcoef(expected, found)[0, 1] > 0.95  # its layers run in half precision


@pytest.mark.slow
@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two GPUs: each process has one of its own")
def test_two_gpus_are_one(tmp_path):
    cohort, splits, options = cohort_and_options(2)
    one, two = (
        fit_folds(cohort, splits, options.model_copy(update={"device": "cuda", "processes": n}), [0]) for n in (1, 2)
    )
    expected, found = (fit.predictors.deep.outputs for fit in (one, two))
    assert (found - expected).abs().mean() < 0.05 * expected.abs().mean()  # layers run in half precision
