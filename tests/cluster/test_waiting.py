"""Looks at the queue, one after the other."""

from mtlbio.cluster.slurm import Queued
from mtlbio.cluster.waiting import SECONDS_UNTIL_GONE, Waiting


def pending(reason: str) -> dict[str, Queued]:
    return {"7": Queued("PENDING", reason, "")}


def test_a_reason_that_is_seen_twice_ends_the_job():
    waiting = Waiting()
    assert waiting.look(pending("PartitionConfig"), ["7"], 0).hopeless == {}
    assert list(waiting.look(pending("PartitionConfig"), ["7"], 10).hopeless) == ["7"]


def test_a_reason_that_passes_is_forgotten():
    waiting = Waiting()
    for now, reason in enumerate(["PartitionConfig", "Priority", "PartitionConfig", "PartitionTimeLimit"]):
        assert waiting.look(pending(reason), ["7"], now).hopeless == {}
    assert waiting.look({"7": Queued("RUNNING", "PartitionTimeLimit", "")}, ["7"], 9).hopeless == {}


def test_nodes_that_are_down_are_told_once_and_waited_for():
    waiting, down = Waiting(), pending("ReqNodeNotAvail, UnavailableNodes:n1")
    looks = [waiting.look(down, ["7"], now) for now in (0, 10, 20, 1799, 1800)]
    assert [list(look.waits) for look in looks] == [[], ["7"], [], [], []]
    assert [list(look.hopeless) for look in looks] == [[], [], [], [], ["7"]]


def test_a_held_job_is_told_once_and_never_ended():
    waiting, held = Waiting(), pending("JobHeldUser")
    looks = [waiting.look(held, ["7"], now) for now in (0, 10, 10**6)]
    assert [list(look.waits) for look in looks] == [[], ["7"], []]
    assert all(not look.hopeless for look in looks)


def test_a_job_that_ended_without_a_word_is_found():
    waiting = Waiting()
    ended = {"7": Queued("CANCELLED", "None", "")}
    assert waiting.look(ended, ["7", "8"], 0).gone == []
    assert waiting.look(ended, ["7", "8"], SECONDS_UNTIL_GONE - 1).gone == []
    assert waiting.look(ended, ["7", "8"], SECONDS_UNTIL_GONE).gone == ["7", "8"]


def test_a_job_that_comes_back_was_not_gone():
    waiting = Waiting()
    waiting.look({}, ["7"], 0)
    assert waiting.look({"7": Queued("RUNNING", "None", "")}, ["7"], 50).gone == []
    assert waiting.look({}, ["7"], 70).gone == []
    # a task of an array is listed under another number
    assert waiting.look({}, ["9_1"], 0).gone == [] and waiting.look({}, ["9_1"], 999).gone == []
