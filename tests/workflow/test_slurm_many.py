"""Many runs on a real Slurm while its daemons and jobs are killed: nothing is lost, and who failed is named."""

import contextlib
import os
import random
import re
import time

import pytest
from single_node import asked, kill, own_slurm, running, start, within

pytestmark = own_slurm

STEPS = ("prepare", "train", "baselines", "evaluate", "probe", "report")
FULL = os.environ.get("MTLBIO_GRID") == "full"
RUNS, KILLS = (20, 10) if FULL else (4, 2)


def end_at_random(workflow, random_job, hit: set[str]) -> bool:
    """End a running job that was not hit yet, by ``scancel`` or by killing its processes; whether there was one."""
    jobs = {job: number for job, number in workflow.jobs().items() if job not in hit}
    if not jobs:
        return False
    job = random_job.choice(sorted(jobs))
    if random_job.random() < 0.5:
        asked("scancel", jobs[job])
    else:
        killed = 0
        # the command of a job, not the daemon's own processes around it
        for line in asked("ps", "-eo", "pid=,args=").splitlines():
            pid, _, command = line.strip().partition(" ")
            rule, run = re.fullmatch(r"rule_(\w+)_wildcards_(\w+)", job).groups()
            if f"--target-jobs {rule}:run={run}" in command and "-m snakemake" in command:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), 9)
                    killed += 1
        if not killed:
            return False
    hit.add(job)
    return True


@pytest.mark.slow
def test_nothing_is_lost_while_daemons_and_jobs_are_killed(clone_of):
    names = [f"r{i:02}" for i in range(RUNS)]
    clone = clone_of(*names)
    wrong = {names[1]: "prepare", names[3]: "probe"}
    for run, step in wrong.items():
        (clone.folder / f"fail_{step}_{run}").touch()
    for run in names:
        (clone.folder / f"nap_prepare_{run}").write_text("12")
        (clone.folder / f"nap_train_{run}").write_text("3")
    asks = [f"{step}:mem_mb=400" for step in STEPS]
    random_job, hit = random.Random(1), set()
    with running(clone, "--set-resources", *asks, "--set-threads", "train=1", "probe=1", scatter=FULL) as workflow:
        within(60, "a job", workflow.jobs)
        # a controller that is killed before it has written down its state, some seconds later, loses jobs, and drains
        # their node when it gives their numbers to others
        time.sleep(7)
        kill("slurmctld")
        time.sleep(10)
        start("slurmctld")
        for _ in range(KILLS):
            within(120, "a job to end", lambda: end_at_random(workflow, random_job, hit))
            time.sleep(2)
        kill("slurmd")
        time.sleep(5)
        start("slurmd")
        assert workflow.end(900) == 1
    errors = workflow.lines("mtlbio: error: run ")
    log = f"log: {clone.folder}/results"
    assert set(errors) == {
        f"mtlbio: error: run {run}, step {step} (Slurm job N): made to fail; {log}/{run}/logs/{step}.log"
        for run, step in wrong.items()
    }
    done = {run for run in names if (clone.folder / "results" / run / "report.html").exists()}
    assert done == set(names) - set(wrong)
    assert len(hit) == KILLS
    # who was hit was told, and repeated; a job may end by itself before the signal comes
    assert re.findall(r"^mtlbio: run .*tried again", workflow.said, re.MULTILINE)
    stale = clone.stale()
    assert {run: steps & set(STEPS) for run, steps in stale.items()}.keys() == set(wrong)
