"""Reasons of pending jobs, as versions 20 to 25 of Slurm spell them."""

import pytest

from mtlbio.cluster.reasons import advice, stuck

NEVER = """PartitionTimeLimit PartitionConfig PartitionNodeLimit MaxMemPerLimit BadConstraints AccountNotAllowed
QOSNotAllowed InvalidAccount InvalidQOS QOSMaxWallDurationPerJobLimit QOSMaxMemoryPerJob QOSMaxCpuPerJobLimit
QOSMaxNodePerJobLimit AssocMaxWallDurationPerJobLimit AssocMaxCpuPerJobLimit QOSMinGRES DependencyNeverSatisfied
JobHoldMaxRequeue QOSMaxGRESPerJob AssocMaxMemPerJob""".split()
PASSES = """Priority Resources None BeginTime Dependency JobArrayTaskLimit QOSGrpCpuLimit QOSGrpNodeLimit
AssocGrpMemLimit QOSMaxJobsPerUserLimit QOSMaxCpuPerUserLimit AssocMaxJobsLimit Licenses Prolog Cleaning
NodeRebooting""".split()
OUT = ["ReqNodeNotAvail, UnavailableNodes:n[1-3]", "ReqNodeNotAvail", "PartitionDown", "PartitionInactive"]
OUT += ["Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions", "Reservation"]


@pytest.mark.parametrize("reason", NEVER)
def test_what_does_not_pass_is_given_up_at_once(reason):
    found = stuck(reason)
    assert found is not None and found.minutes == 0


@pytest.mark.parametrize("reason", PASSES)
def test_what_passes_by_itself_is_left_alone(reason):
    assert stuck(reason) is None


@pytest.mark.parametrize("reason", OUT)
def test_nodes_that_may_come_back_are_waited_for(reason):
    assert stuck(reason).minutes == 30


def test_a_job_that_somebody_holds_is_left_to_them():
    assert stuck("JobHeldUser").minutes is None and stuck("(JobHeldAdmin)").minutes is None
    assert advice(stuck("JobHeldUser"), "train", "12") == "`scontrol release 12` lets it go"


def test_the_advice_names_the_step():
    assert advice(stuck("PartitionTimeLimit"), "train", "12") == (
        "a shorter time limit (--set-resources train:runtime=MINUTES) or another partition "
        "(--set-resources train:slurm_partition=NAME)"
    )
