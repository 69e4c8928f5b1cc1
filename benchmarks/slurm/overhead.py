"""How long a step takes on Slurm beyond its own work.

    python benchmarks/slurm/overhead.py [--runs 3] [-- further options of snakemake]

Needs a Slurm that answers. Small planted cohorts go through the real workflow with the Slurm profile, and every job's
time is split into what the controller and Snakemake's log know of it, in seconds: `queue` from the submission to the
start, `start` what the job runs beyond its work (Snakemake is started on the node), `seen` from its end to the moment
that Snakemake knows, and `work`, which the benchmark file of the step has. `overhead` is all but the work. Slurm and
the log count whole seconds.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import pandas as pd

from benchmarks.shared.small_run import write_small_run
from mtlbio.cluster import slurm

ROOT = Path(__file__).resolve().parents[2]


def run(folder: Path, runs: int, options: list[str]) -> str:
    """Run so many cohorts; what Snakemake says."""
    yamls = []
    for seed in range(runs):
        yaml = write_small_run(folder / f"cohort{seed}", seed, name=f"r{seed}")
        yamls.append(str(yaml))
    words = ["-m", "snakemake", "--snakefile", str(ROOT / "workflow" / "Snakefile"), "--directory", str(folder)]
    words += [
        "--workflow-profile",
        str(ROOT / "workflow" / "profiles" / "slurm"),
        "--verbose",  # Snakemake's own lines, which carry the time
        "--config",
        f"runs={yamls}",
        *options,
    ]
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    done = subprocess.run([sys.executable, *words], env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr[-3000:])
    return done.stdout + done.stderr


def times(said: str, folder: Path) -> pd.DataFrame:
    """One row per job."""
    finished, when = dict[str, datetime](), datetime.now()
    for line in said.splitlines():
        if stamp := re.fullmatch(r"\[(.+ \d{4})\]", line):
            when = datetime.strptime(stamp[1], "%a %b %d %H:%M:%S %Y")
        elif done := re.match(r"Finished jobid: (\d+)", line):
            finished[done[1]] = when
    rows = []
    for number, job, log in re.findall(r"Job (\d+) has been submitted with SLURM jobid (\d+) \(log: (\S+)\)", said):
        rule, name = Path(log).parts[-3:-1]
        step = rule.removeprefix("rule_")
        known = slurm.job(job)
        submitted, started, ended = (
            datetime.fromisoformat(known[key]) for key in ("SubmitTime", "StartTime", "EndTime")
        )
        work = float(pd.read_csv(folder / "results" / name / "benchmarks" / f"{step}.tsv", sep="\t")["s"][0])
        queue, seen = (started - submitted).total_seconds(), (finished[number] - ended).total_seconds()
        start = (ended - started).total_seconds() - work
        rows.append((step, name, queue, start, seen, work, queue + start + seen))
    return pd.DataFrame(rows, columns=["step", "run", "queue", "start", "seen", "work", "overhead"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("options", nargs="*", help="of snakemake, after --")
    given = parser.parse_args()
    if not slurm.answers():
        sys.exit("no Slurm answers here")
    with tempfile.TemporaryDirectory() as folder:
        table = times(run(Path(folder), given.runs, given.options), Path(folder))
    print(table.to_csv(sep="\t", index=False, float_format="%.1f"), end="")
    print(table.drop(columns=["step", "run"]).describe().loc[["mean", "50%", "max"]].round(1).to_string())


if __name__ == "__main__":
    main()
