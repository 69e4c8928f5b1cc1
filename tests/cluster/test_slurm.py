"""Questions to Slurm, answered by commands that stand in for its own."""

from mtlbio.cluster import slurm


def test_a_command_that_is_missing_fails_or_waits_for_ever_gives_no_answer(command):
    assert slurm.answer("no_such_command_of_slurm") is None
    command("sinfo", "echo half; exit 1")
    assert slurm.answer("sinfo") is None and not slurm.answers()
    # as sacct does where there is no accounting: SIGTERM is ignored
    command("sacct", "trap '' TERM; sleep 60")
    assert slurm.answer("sacct", seconds=0.5) is None


def test_jobs_of_a_name_with_their_states_reasons_and_comments(command):
    command(
        "squeue", "[ $3 = --name=u ] && echo '7|PENDING|Priority|rule_train_wildcards_a|b' && echo '8|COMPLETED|None|'"
    )
    assert slurm.queue("--name=u") == {
        "7": slurm.Queued("PENDING", "Priority", "rule_train_wildcards_a|b"),
        "8": slurm.Queued("COMPLETED", "None", ""),
    }
    assert [job.ended for job in slurm.queue("--name=u").values()] == [False, True]
    assert slurm.queue("--name=other") is None


def test_what_the_controller_knows_of_a_job(command):
    command("scontrol", "echo 'JobId=3 JobName=a=b JobState=TIMEOUT ExitCode=0:15 Features=(null)'")
    assert slurm.job("3")["JobState"] == "TIMEOUT" and slurm.job("3")["JobName"] == "a=b"
    command("scontrol", "echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1")
    assert slurm.job("3") == {}


def test_where_a_job_writes_its_log(command, tmp_path):
    command("scontrol", f"echo 'JobId=3 StdErr=/x StdOut={tmp_path}/a b/3.log Power='")
    assert slurm.logs_to("3", tmp_path / "a b") and not slurm.logs_to("3", tmp_path / "a")


def test_who_cancelled_a_job(command):
    command("sacct", "echo 'CANCELLED by 0'")
    assert slurm.cancelled_by("3") == "root"
    command("sacct", "echo 'CANCELLED by 987654321'")
    assert slurm.cancelled_by("3") == "987654321"
    command("sacct", "echo TIMEOUT")
    assert slurm.cancelled_by("3") is None
