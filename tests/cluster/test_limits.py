"""What a partition gives, from the answers of ``sinfo`` and ``scontrol``."""

import pytest

from mtlbio.cluster.limits import Limits, limits_of, minutes_of

# partition, time, threads, MB, state, threads of a node that jobs may use
NODES = """\
cpu*|2-00:00:00|2|7000|idle|UNLIMITED
cpu*|2-00:00:00|16|4000|mixed|UNLIMITED
cpu*|2-00:00:00|64|512000|down*|UNLIMITED
long|infinite|2|7000|idle|UNLIMITED
small|30:00|8|7000|idle|4
"""


@pytest.fixture
def partitions(command):
    command("sinfo", f"cat <<'END' | grep \"^$(echo $3 | sed -n 's/--partition=//p')\"\n{NODES}END")
    command(
        "scontrol", "[ $4 = small ] && echo 'PartitionName=small MaxMemPerNode=3000' || echo 'MaxMemPerNode=UNLIMITED'"
    )


def test_limits_are_those_of_the_nodes_that_take_jobs(partitions):
    assert limits_of("cpu") == Limits(None, None, 2880, ((2, 7000), (16, 4000)))
    assert limits_of("long") == Limits(None, None, None, ((2, 7000),))
    assert limits_of("small") == Limits(4, 3000, 30, ((8, 7000),))


def test_without_a_name_the_default_partition_counts(partitions):
    assert limits_of(None) == limits_of("cpu")


def test_a_partition_all_of_whose_nodes_are_down_is_taken_at_its_word(command):
    command("sinfo", "echo 'away|1:00:00|64|512000|down*|UNLIMITED'")
    assert limits_of("away") == Limits(None, None, 60, ((64, 512000),))


@pytest.mark.parametrize("script", ["exit 1", "true", "echo 'sinfo: no such thing'"])
def test_nothing_is_known_where_slurm_does_not_tell(command, script):
    command("sinfo", script)
    assert limits_of("cpu") is None


def test_memory_is_that_of_a_node_with_as_many_threads():
    limits = Limits(None, None, 60, ((2, 7000), (16, 4000)))
    assert [limits.capped_megabytes(9000, threads) for threads in (1, 2, 3)] == [7000, 7000, 4000]
    assert limits.capped_megabytes(500, 16) == 500
    assert [limits.capped_threads(n) for n in (1, 16, 99)] == [1, 16, 16]
    assert [limits.capped_minutes(n) for n in (5, 600)] == [5, 60]
    assert str(limits) == "16 threads, 7000 MB, 60 min"


def test_without_limits_nothing_is_lowered():
    assert (Limits().capped_threads(9), Limits().capped_megabytes(9, 9), Limits().capped_minutes(9)) == (9, 9, 9)
    assert str(Limits()) == "no limit"


@pytest.mark.parametrize(
    "time, minutes",
    [("30:00", 30), ("1:00:00", 60), ("7-00:00:00", 10080), ("1-12:30:00", 2190), ("infinite", None), ("n/a", None)],
)
def test_times_of_slurm(time, minutes):
    assert minutes_of(time) == minutes
