"""Why a job is still pending: which reasons pass by themselves, and what to change about the others.

The names are those of ``squeue`` (its manual: "JOB REASON CODES"), over all versions of Slurm.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# Minutes that a job may wait for a node or a partition that is out of order before it is given up.
PATIENCE = 30


@dataclass(frozen=True)
class Stuck:
    """Why a job does not start: ``minutes`` until it is given up, None where that is left to whoever holds it."""

    why: str
    change: str
    minutes: int | None = 0


_TIME = "a shorter time limit (--set-resources {step}:runtime=MINUTES) or another partition ({partition})"
_SIZE = "fewer threads or less memory (--set-threads {step}=N, --set-resources {step}:mem_mb=MB) or another partition"
_SIZE += " ({partition})"
_PARTITION = "--set-resources {step}:slurm_partition=NAME"
_ACCOUNT = "--default-resources slurm_account=NAME, without slurm-no-account in the profile; `sacctmgr show assoc`"
_ACCOUNT += " lists yours"
_OUT = "ask who runs the cluster, or another partition ({partition})"

# The first that fits counts. What fits none passes by itself: Resources, Priority, Dependency, BeginTime,
# QOSGrpCpuLimit, AssocMaxJobsLimit (until other jobs end) ...
_REASONS = (
    (r"PartitionTimeLimit|.*MaxWall.*PerJob.*|TimeLimit", Stuck("it asks for more time than is allowed", _TIME)),
    (r"PartitionConfig|PartitionNodeLimit|MaxMemPerLimit", Stuck("no node of the partition is as large", _SIZE)),
    (r"BadConstraints", Stuck("no node is what it asks for", _SIZE)),
    (r"(QOS|Assoc).*Max.*Per(Job|Node).*|QOSMinGRES|QOSMin.*", Stuck("the limits of the account forbid it", _SIZE)),
    (r"InvalidAccount|AccountNotAllowed|AssocNotAllowed", Stuck("the account may not run it", _ACCOUNT)),
    (
        r"InvalidQOS|QOSNotAllowed|QOSUsageThreshold",
        Stuck("the quality of service may not be used", "slurm-qos: NAME in the profile"),
    ),
    (r"DependencyNeverSatisfied", Stuck("it depends on a job that has failed", "submit it again")),
    (r"JobHoldMaxRequeue|.*requeued? held.*", Stuck("it was started too often and failed to start", _OUT)),
    (r"JobHeldUser|JobHeldAdmin", Stuck("somebody holds it", "`scontrol release {job}` lets it go", None)),
    (
        r"PartitionDown|PartitionInactive|ReqNodeNotAvail.*|Nodes required for job are.*|NodeDown|FrontEndDown",
        Stuck("nodes that it needs are down, drained or reserved", _OUT, PATIENCE),
    ),
    (
        r"ReservationDeleted|Reservation",
        Stuck("it waits for a reservation", "leave slurm-reservation out of the profile", PATIENCE),
    ),
)


def stuck(reason: str) -> Stuck | None:
    """What keeps a job from starting; None where the reason passes by itself.

    Examples
    --------
    >>> stuck("PartitionTimeLimit").why
    'it asks for more time than is allowed'
    >>> stuck("Priority") is None
    True
    """
    # a reason may be followed by nodes: "ReqNodeNotAvail, UnavailableNodes:n[1-3]"
    name = reason.strip("() ")
    return next((found for pattern, found in _REASONS if re.fullmatch(pattern, name, re.IGNORECASE)), None)


def advice(found: Stuck, step: str, number: str) -> str:
    """What to change, for this step and job."""
    partition = _PARTITION.format(step=step)
    return found.change.format(step=step, job=number, partition=partition)
