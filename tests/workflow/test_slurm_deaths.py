"""Jobs that die on a real Slurm, or can never start: repeated where that helps, and told in one line in any case."""

from single_node import asked, own_slurm, running, within

pytestmark = own_slurm


def test_jobs_that_die_are_told_and_repeated_with_more_where_there_is_more(clone_of):
    clone = clone_of("late", "cancelled", "hungry")
    for file in ("wait_train_late", "wait_prepare_cancelled"):
        (clone.folder / file).touch()
    # a step needs 130 MB for Snakemake; a node of the partition `small` has 1000 MB for a job
    (clone.folder / "eat_prepare_hungry").write_text("250")
    (clone.folder / "eat_evaluate_hungry").write_text("1100")
    asks = ["prepare:mem_mb=300*attempt", "baselines:mem_mb=400", "train:mem_mb=400", "evaluate:slurm_partition=small"]
    with running(clone, "--set-resources", *asks) as workflow:
        within(60, "started", (clone.folder / "waiting_prepare_cancelled").exists)
        asked("scancel", workflow.job("prepare", "cancelled"))
        (clone.folder / "wait_prepare_cancelled").unlink()
        # a limit is in minutes, and the controller looks twice a minute whether one is reached
        late = workflow.job("train", "late")
        within(60, "started", (clone.folder / "waiting_train_late").exists)
        asked("scontrol", "update", f"jobid={late}", "EndTime=now+1")
        workflow.job("train", "late", "TIMEOUT")
        (clone.folder / "wait_train_late").unlink()
        assert workflow.end() == 1
    log = f"log: {clone.folder}/results"
    memory = "Slurm job N): killed at its memory limit of"
    lines = workflow.lines("mtlbio: ")
    assert set(lines) == {
        "mtlbio: run cancelled, step prepare (Slurm job N): cancelled by scancel (CANCELLED); "
        f"tried again with 1 thread, 600 MB, 60 min; {log}/cancelled/logs/prepare.log",
        f"mtlbio: run hungry, step prepare ({memory} 300 MB (OUT_OF_MEMORY); "
        f"tried again with 1 thread, 600 MB, 60 min; {log}/hungry/logs/prepare.log (empty)",
        "mtlbio: run late, step train (Slurm job N): killed at its time limit of 60 min (TIMEOUT); "
        f"tried again with 1 thread, 400 MB, 120 min; {log}/late/logs/train.log",
        # at what the partition gives: not repeated
        f"mtlbio: error: run hungry, step evaluate ({memory} 1000 MB (OUT_OF_MEMORY); "
        "to change: more memory: --set-resources evaluate:mem_mb=MB, or a partition with larger nodes: "
        f"--set-resources evaluate:slurm_partition=NAME; {log}/hungry/logs/evaluate.log (empty)",
    }
    assert "RuntimeWarning" not in workflow.said
    # when it happens, and once more at the end
    assert len(lines) == 5 and lines[-1].startswith("mtlbio: error: run hungry, step evaluate")
    assert "    | waits" in workflow.said.splitlines()
    pages = {run: (clone.folder / f"results/{run}/report.html").exists() for run in ("late", "cancelled", "hungry")}
    assert pages == {"late": True, "cancelled": True, "hungry": False}
    assert (clone.folder / "results/hungry/verdicts.tsv").exists()


def test_a_job_that_can_never_start_is_cancelled_and_told_and_the_others_go_on(clone_of):
    clone = clone_of("one")
    # asked for by name: not lowered to the 10 minutes of the partition
    asks = ["baselines:slurm_partition=small", "baselines:runtime=60", "probe:slurm_partition=away"]
    with running(clone, "--retries", "0", "--set-resources", *asks) as workflow:
        within(60, "told", lambda: workflow.lines("mtlbio: run one, step probe (Slurm job N): pending"))
        assert (clone.folder / "results/one/model").exists()
        asked("scancel", workflow.job("probe", "one", "PENDING"))
        assert workflow.end() == 1
    empty = f"log: {clone.folder}/results/one/logs"
    never = (
        "mtlbio: error: run one, step baselines (Slurm job N): can never start: it asks for more time than is allowed "
    )
    never += "(PartitionTimeLimit); it asks for 1 thread, 1000 MB, 60 min, partition small gives 2 threads, 1000 MB, "
    never += "10 min; to change: a shorter time limit "
    never += "(--set-resources baselines:runtime=MINUTES) or another partition "
    never += "(--set-resources baselines:slurm_partition=NAME); "
    assert (
        workflow.lines("mtlbio: error: run one, step baselines") == [never + f"{empty}/baselines.log (not there)"] * 2
    )
    pending = (
        "nodes that it needs are down, drained or reserved (Nodes required for job are DOWN, DRAINED or reserved for "
    )
    pending += (
        "jobs in higher priority partitions); given up after 30 min; to change: ask who runs the cluster, or another "
    )
    pending += "partition (--set-resources probe:slurm_partition=NAME)"
    assert workflow.lines("mtlbio: run one, step probe") == [
        f"mtlbio: run one, step probe (Slurm job N): pending: {pending}"
    ]


def test_jobs_that_were_left_behind_are_cancelled_before_they_run_twice(clone_of):
    clone = clone_of("one")
    (clone.folder / "nap_prepare").write_text("300")
    with running(clone) as workflow:
        left = workflow.job("prepare", "one")
        within(60, "started", lambda: clone.calls)
        workflow.process.kill()
        workflow.process.wait()
    (clone.folder / "nap_prepare").unlink()
    assert clone.call("snakemake", "--unlock").returncode == 0
    # the controller takes the job and its answer is lost: that job must not run beside the next one
    lost = clone.folder / "commands" / "sbatch"
    error = "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation"
    lost.write_text(f'#!/bin/sh\nrm "$0"; sbatch "$@" > /dev/null; echo "{error}" >&2; exit 1\n')
    lost.chmod(0o755)
    with running(clone, "--until", "prepare") as workflow:
        assert workflow.end() == 0, workflow.said[-3000:]
    cancels = "mtlbio: cancels Slurm job N: left by an earlier call, makes the same files"
    assert workflow.lines("mtlbio: ") == [cancels, cancels]
    assert asked("squeue", "-h", f"--jobs={left}", "--states=all", "-o", "%T").split() == ["CANCELLED"]
    assert list(workflow.jobs("COMPLETED")) == ["rule_prepare_wildcards_one"]
