"""Other clusters: the rules know no scheduler, and another executor runs them as they are."""

import re
from pathlib import Path

import pytest

RULES = sorted((Path(__file__).parents[2] / "workflow" / "rules").glob("*.smk"))


def test_every_rule_asks_through_the_one_function_that_knows_limits():
    text = "\n".join(path.read_text() for path in RULES)
    rules = len(re.findall(r"^rule \w+:", text, re.MULTILINE))
    assert rules >= 6
    for kind, place in (("threads", "threads: "), ("memory", "mem_mb="), ("minutes", "runtime=")):
        assert len(re.findall(rf"^\s+{place}{kind}\(", text, re.MULTILINE)) == rules, kind


def test_no_rule_and_no_default_names_a_scheduler():
    profile = RULES[0].parents[1] / "profiles" / "default" / "config.yaml"
    for path in [*RULES, profile]:
        assert not re.search(r"slurm|sbatch|srun|qsub|bsub|kube", path.read_text(), re.IGNORECASE), path


@pytest.mark.slow
def test_an_executor_that_submits_by_any_command_runs_every_step(clone):
    # `bash` takes the job script as qsub and bsub do, and runs it at once
    submit = ["--executor", "cluster-generic", "--cluster-generic-submit-cmd", "bash", "--jobs", "4"]
    done = clone.call("snakemake", *submit, "--seconds-between-status-checks", "1")
    assert done.returncode == 0, done.stderr[-3000:]
    assert sorted(clone.calls) == ["baselines", "evaluate", "prepare", "probe", "report", "train"]
    assert clone.stale() == {}
