"""What the rules ask for, on one machine and on Slurm."""

from types import SimpleNamespace

import pytest

from mtlbio.cluster import Requests

INPUT = SimpleNamespace(size_mb=50)


class Workflow:
    """What :class:`Requests` asks Snakemake's workflow."""

    def __init__(self, executor: str | None, **resources):
        self.executor_plugin = SimpleNamespace(cli_prefix=executor) if executor else None
        self.executor_settings, self.async_run = SimpleNamespace(partition_config=None), None
        given = {key: SimpleNamespace(evaluate=lambda *_, v=value, **__: v) for key, value in resources.items()}
        self.get_rule = lambda name: SimpleNamespace(resources=given)


def asked(workflow: Workflow, attempt: int = 1) -> tuple[int, int, int]:
    """Threads, memory and minutes of a job."""
    requests = Requests(workflow)
    threads = requests.threads(4)(None, INPUT, attempt, "train")
    memory = requests.memory(1000, per_input=10)(None, INPUT, attempt, threads, "train")
    return threads, memory, requests.minutes(30)(None, INPUT, attempt, threads, "train")


@pytest.fixture
def small(command, monkeypatch):
    """A partition of nodes with 2 threads and 4000 MB, for 50 minutes."""
    monkeypatch.delenv("SLURM_CPUS_PER_TASK", raising=False)
    command("sinfo", "echo 'cpu*|50:00|2|4000|idle|UNLIMITED'")
    command("scontrol", "true")


def test_on_one_machine_and_with_other_executors_nothing_is_capped(small):
    for executor in (None, "local", "dryrun", "cluster-generic", "kubernetes"):
        assert asked(Workflow(executor)) == (4, 1500, 30)
        assert asked(Workflow(executor), attempt=3) == (4, 4500, 90)


def test_on_slurm_no_attempt_asks_for_more_than_the_partition_gives(small):
    assert asked(Workflow("slurm")) == (2, 1500, 30)
    assert asked(Workflow("slurm"), attempt=2) == (2, 3000, 50)
    assert asked(Workflow("slurm"), attempt=3) == (2, 4000, 50)


def test_the_partition_is_that_of_the_rule(small, command):
    command("sinfo", "[ $3 = --partition=7 ] && echo '7|10:00|1|900|idle|UNLIMITED'")
    partition = SimpleNamespace(value=7)
    assert asked(Workflow("slurm", slurm_partition=partition)) == (1, 900, 10)


def test_of_another_cluster_and_of_a_silent_slurm_nothing_is_known(small, command):
    assert asked(Workflow("slurm", slurm_cluster=SimpleNamespace(value="b"))) == (4, 1500, 30)
    command("sinfo", "exit 1")
    assert asked(Workflow("slurm", slurm_partition=SimpleNamespace(value="gone"))) == (4, 1500, 30)


def test_inside_a_job_the_threads_are_those_that_slurm_gave(small, monkeypatch):
    monkeypatch.setenv("SLURM_CPUS_PER_TASK", "2")
    assert asked(Workflow("local"))[0] == 2


def test_minutes_may_depend_on_the_run(small):
    minutes = Requests(Workflow(None)).minutes(lambda wildcards: 10 * wildcards.fold)
    assert minutes(SimpleNamespace(fold=3), INPUT, 2, 1, "train") == 60


def test_processes_ask_for_their_memory_beside_that_of_the_step(small):
    requests, asked_of = Requests(Workflow("slurm")), []

    def memory(further: int, attempt: int) -> int:
        of_job = requests.memory(1000, per_input=10, further=lambda wildcards: asked_of.append(wildcards) or further)
        return of_job("run", INPUT, attempt, 1, "train")

    assert (memory(0, 1), memory(700, 1), memory(700, 2), memory(2800, 1)) == (1500, 2200, 4000, 4000)
    assert set(asked_of) == {"run"}
