"""The profile on a real Slurm. Skipped where no cluster answers; a single node without accounting is enough."""

import re
import subprocess

from single_node import QUICK, any_slurm
from single_node import asked as asked_of_slurm

pytestmark = any_slurm

# what a profile may say: of each job, not of all together
CAPS = ["--max-threads", "1", "--resources", "mem_mb=450", "runtime=20"]
SLURM = ["mtlbio", "run", "config/one.yaml", "--workflow-profile", "slurm", *QUICK, *CAPS]


def one_job(clone, run: str, device: str = "auto") -> None:
    """Let the training of a run be one job, on a device; the profile makes one of every fold."""
    yaml = clone.folder / clone.yaml(run)
    yaml.write_text(yaml.read_text() + f"training: {{scatter: false, device: {device}}}\n")


def test_every_step_is_a_job_and_training_on_cuda_asks_for_a_gpu(clone):
    has_gpu = "gpu" in subprocess.run(["sinfo", "-h", "-o", "%G"], capture_output=True, text=True).stdout
    one_job(clone, "one", device="cuda" if has_gpu else "auto")
    # Snakemake's own lines have what it asks for and in which order
    done = clone.call(*SLURM, "--verbose", *(["--set-resources", "train:slurm_partition=gpu"] if has_gpu else []))
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    asked = re.findall(r"^    resources: .*?\bmem_mb=(\d+).*\bruntime=(\d+)", done.stderr, re.MULTILINE)
    assert asked[:6] == [("450", "20")] * 6 and "threads: 4" not in done.stderr
    # and these two at the same time
    assert done.stderr.index("rule_baselines") < done.stderr.index("(Rule: train)")
    assert done.stderr.index("rule_train") < done.stderr.index("(Rule: baselines)")
    assert len(set(re.findall(r"SLURM jobid '?(\d+)", done.stdout + done.stderr))) == 6
    if has_gpu:
        train = re.search(r"SLURM jobid (\d+) \(log: \S+/rule_train/", done.stderr)[1]
        # spelled differently from version to version
        assert re.search(r"gres[:/]gpu[:=]1\b", asked_of_slurm("scontrol", "show", "job", train))
    assert sorted(clone.calls) == ["baselines", "evaluate", "prepare", "probe", "report", "train"]
    assert clone.stale() == {}


def test_a_job_that_fails_ends_the_run_with_its_log(clone):
    (clone.folder / "fail_prepare").touch()
    done = clone.call(*SLURM)
    assert done.returncode == 1
    assert clone.calls == ["prepare"]
    # the input is wrong: not repeated
    assert "mtlbio: error: run one, step prepare (Slurm job" in done.stderr
    assert "tried again" not in done.stderr


def test_jobs_of_many_runs_find_any_folder_of_results(study):
    name = "it's 007: $(touch x) naïve"
    for run in "ab":
        one_job(study, run)
    done = study.call("mtlbio", "run", "config/a.yaml", "config/b.yaml", "--results", name, *SLURM[3:])
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "2 runs: 2 finished" in done.stderr
    assert all((study.folder / name / run / "report.html").exists() for run in "ab")
    assert not (study.folder / "x").exists()
