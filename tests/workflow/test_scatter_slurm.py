"""Folds as jobs of a real Slurm. Skipped where no cluster answers."""

import re

from single_node import QUICK, any_slurm

pytestmark = any_slurm

STEPS = ["prepare", "train", "baselines", "evaluate", "probe", "report"]
FOLDS = [f"train:fold{k}" for k in range(5)] + ["train:final"]
SMALL = ["--set-threads", "train=1", "--set-resources", *(f"{rule}:mem_mb=450" for rule in (*STEPS, "train_part"))]


def test_every_fold_is_a_job_and_one_that_fails_is_made_again_alone(clone):
    (clone.folder / "fail_train:fold3").touch()
    words = ["mtlbio", "run", "config/one.yaml", "--workflow-profile", "slurm", "--retries", "0", *SMALL, *QUICK]
    done = clone.call(*words, seconds=400)
    assert done.returncode == 1
    assert sorted(clone.calls) == sorted(["prepare", "baselines", *FOLDS])
    assert len(set(re.findall(r"SLURM jobid '?(\d+)", done.stdout + done.stderr))) == 8
    assert "mtlbio: error: run one, step train_part" in done.stderr and "made to fail" in done.stderr
    (clone.folder / "fail_train:fold3").unlink()
    before = len(clone.calls)
    done = clone.call(*words, seconds=400)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert sorted(clone.calls[before:]) == ["evaluate", "probe", "report", "train", "train:fold3"]
    assert not (clone.folder / "results/one/parts").exists()
    assert clone.stale() == {}
