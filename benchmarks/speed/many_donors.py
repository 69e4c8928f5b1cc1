"""Where the time and the memory of a run go as donors double: every step of the workflow as a process of its own.

    python benchmarks/speed/many_donors.py [--donors 500] [--proteins 1000] [--tasks 6] [--fit-from auto]
        [--until report] [--all-arms] [--keep DIR] [--threads 1] [--seed 0]

A cohort is planted and written, a block of donors at a time, as a parquet file: twelve sparse programmes and noise over
the proteins, age, sex and a batch, and tasks that follow two programmes each, every second one a disease with 5 to
50 % of cases, the others a value; a tenth of the labels is missing. Then ``prepare``, ``train``, ``baselines``,
``evaluate``, ``probe`` and ``report`` run one after another, each as its own process, with a run file of defaults but
for the baselines, ridge and the covariates (``--all-arms``: all of them).

Of every step: CPU seconds, wall seconds, peak memory (resident set) and CPU milliseconds per donor. ``--fit-from`` is
the key ``training.fit_from``. ``--keep`` keeps data and results in a folder, and steps whose results are there already
are not run again. As it stands: two minutes.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[2]
STEPS = {
    "prepare": "splits.tsv",
    "train": "conflict.tsv",
    "baselines": "baselines/predictions.tsv",
    "evaluate": "reprobe.tsv",
    "probe": "verdicts.tsv",
    "report": "report.html",
}
PROGRAMMES, IN_PROGRAMME, BLOCK = 12, 60, 2000


def plant(folder: Path, donors: int, proteins: int, tasks: int, seed: int) -> None:
    """Write ``expression.parquet`` and ``metadata.csv``."""
    rng = np.random.default_rng([seed, donors, proteins, tasks])
    age, sex, batch = rng.uniform(40, 70, donors), rng.integers(0, 2, donors), rng.integers(0, 4, donors)
    activity = rng.standard_normal((donors, PROGRAMMES))
    activity[:, 0] = 0.6 * activity[:, 0] + 0.8 * (age - 55) / 8.66
    activity[:, 1] = sex * 2.0 - 1.0
    activity[:, 2] = (batch - 1.5) / 1.118 + 0.1 * activity[:, 2]
    loadings = np.zeros((PROGRAMMES, proteins))
    for row in loadings:
        members = rng.choice(proteins, min(IN_PROGRAMME, proteins // 4), replace=False)
        row[members] = rng.choice([-1.0, 1.0], len(members)) * rng.gamma(4.0, 0.15, len(members))
    samples = [f"S{i:06d}" for i in range(donors)]
    metadata = pd.DataFrame({"sample_id": samples, "donor_id": [f"P{i:06d}" for i in range(donors)]})
    metadata["age"], metadata["sex"] = age.round(1), np.array(["female", "male"])[sex]
    metadata["batch"] = [f"plate{b + 1}" for b in batch]
    for task in range(tasks):
        first, second = 3 + task % (PROGRAMMES - 3), rng.integers(PROGRAMMES)
        score = activity[:, first] + 0.5 * activity[:, second]
        known = rng.random(donors) < 0.9
        if task % 2:
            values = pd.Series((10 + score + rng.standard_normal(donors)).round(3)).where(known)
        else:
            odds = 1.5 * score + rng.logistic(size=donors)
            ill = odds > np.quantile(odds, 1 - rng.uniform(0.05, 0.5))
            values = pd.Series(np.where(ill, "case", "control")).where(known)
        metadata[f"task{task + 1:02d}"] = values
    metadata.to_csv(folder / "metadata.csv", index=False)
    names = [f"protein{p:04d}" for p in range(proteins)]
    schema = pa.schema([("sample_id", pa.string()), *((name, pa.float32()) for name in names)])
    base = rng.uniform(4, 11, proteins)
    with pq.ParquetWriter(folder / "expression.parquet", schema) as writer:
        for start in range(0, donors, BLOCK):
            part = slice(start, start + BLOCK)
            values = base + activity[part] @ loadings + rng.standard_normal((len(activity[part]), proteins))
            columns = [pa.array(samples[part]), *(pa.array(column) for column in values.T.astype(np.float32))]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))


def write_run(folder: Path, tasks: int, fit_from: str, all_arms: bool) -> Path:
    """Write ``run.yaml``; gives its path."""
    kinds = ["{kind: binary, column: %s, positive: case}", "{kind: regression, column: %s}"]
    lines = [f"  task{t + 1:02d}: {kinds[t % 2] % f'task{t + 1:02d}'}" for t in range(tasks)]
    text = "run: many\nexpression: {path: expression.parquet, scale: log2}\n"
    text += "metadata: {path: metadata.csv, sample: sample_id, donor: donor_id}\ntasks:\n" + "\n".join(lines)
    text += "\ncovariates:\n  age: {role: confounder, kind: continuous}\n  sex: {role: confounder}\n"
    text += "  batch: {role: technical}\n"
    text += "" if all_arms else "baselines: {arms: [ridge, covariates]}\n"
    text += "" if fit_from == "auto" else f"training: {{fit_from: {fit_from}}}\n"
    (folder / "run.yaml").write_text(text, encoding="utf-8")
    return folder / "run.yaml"


def measured(command: list[str], environment: dict[str, str]) -> tuple[float, float, float]:
    """CPU seconds, wall seconds and peak memory in GB of a process."""
    start = time.perf_counter()
    with subprocess.Popen(command, env=environment) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}: ended with {process.returncode}")
    return used.ru_utime + used.ru_stime, time.perf_counter() - start, used.ru_maxrss / 2**20


def main(options: argparse.Namespace) -> None:
    """Print the table, row by row."""
    with nullcontext(options.keep) if options.keep else TemporaryDirectory() as scratch:
        folder = Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "metadata.csv").is_file():
            plant(folder, options.donors, options.proteins, options.tasks, options.seed)
        yaml = write_run(folder, options.tasks, options.fit_from, options.all_arms)
        path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        environment = os.environ | {"PYTHONPATH": path}
        environment |= dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), options.threads)
        print(f"{options.donors:,} donors x {options.proteins:,} proteins x {options.tasks} tasks, fit_from "
              f"{options.fit_from}, {options.threads} thread(s)")  # fmt: skip
        print(f"{'step':10} {'CPU s':>8} {'wall s':>8} {'peak GB':>8} {'ms/donor':>9}", flush=True)
        totals = np.zeros(3)
        for step, made in STEPS.items():
            if options.keep and (folder / "results" / made).is_file():
                print(f"{step:10} there already", flush=True)
            else:
                command = [sys.executable, "-m", "mtlbio", step, str(yaml), "--results", str(folder / "results")]
                taken = measured(command, environment)
                totals = np.array([totals[0] + taken[0], totals[1] + taken[1], max(totals[2], taken[2])])
                _say(step, taken, options.donors)
            if step == options.until:
                break
        _say("all", totals, options.donors)


def _say(step: str, taken, donors: int) -> None:
    cpu, wall, peak = taken
    print(f"{step:10} {cpu:8.1f} {wall:8.1f} {peak:8.2f} {1000 * cpu / donors:9.1f}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--donors", type=int, default=500)
    parser.add_argument("--proteins", type=int, default=1000)
    parser.add_argument("--tasks", type=int, default=6)
    parser.add_argument("--fit-from", default="auto", choices=["auto", "rows", "moments"])
    parser.add_argument("--until", default="report", choices=list(STEPS), help="the last step")
    parser.add_argument("--all-arms", action="store_true", help="all baselines, not only ridge and the covariates")
    parser.add_argument("--keep", type=Path, help="folder of data and results; a temporary one where left out")
    parser.add_argument("--threads", default="1")
    parser.add_argument("--seed", type=int, default=0)
    main(parser.parse_args())
