"""Training as many jobs and one that gathers them, against one job: how long each takes, and whether the files differ.

    python benchmarks/speed/scatter.py [--full] [--donors 1000] [--jobs 2] [--repeats 2] [--seed 0]

A planted cohort is prepared once and trained by ``mtlbio train`` in one job (with one thread, and with as many as there
are jobs at a time), and by ``mtlbio train --part`` for every fold, ``--jobs`` at a time with one thread each, then
gathered. Every process is started anew, as a workflow does it. The ways take turns, each counts with its fastest turn:
a machine that does something else meanwhile slows all of them. Wall seconds, CPU seconds of all processes, the ratio of
the wall seconds to those of one job with one thread, and the wall seconds that every part would take on a machine of
its own. Small form: a minute or two. Full form: the size of a default run.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import pandas as pd

from mtlbio.cohort.prepare import prepare
from mtlbio.cohort.simulate import simulate, write_simulation
from mtlbio.kinds import kind_of
from mtlbio.kinds.read import read_run

ROOT = Path(__file__).resolve().parents[2]
SMALL = "training: {genes: 500, seeds: 2, epochs: 100}\n"


def call(yaml: Path, results: Path, threads: int, *part: str) -> float:
    """Wall seconds of ``mtlbio train``."""
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = os.environ | {"PYTHONPATH": path}
    environment |= dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(threads))
    command = [sys.executable, "-m", "mtlbio", "train", str(yaml), "--results", str(results), *part]
    start = time.perf_counter()
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return time.perf_counter() - start


def in_parts(yaml: Path, results: Path, jobs: int, parts: tuple[str, ...]) -> float:
    """Every part, ``jobs`` at a time, then the job that gathers them; the seconds of the longest part and that job."""
    with ThreadPoolExecutor(jobs) as pool:
        seconds = list(pool.map(lambda part: call(yaml, results, 1, "--part", part), parts))
    return max(seconds) + call(yaml, results, 1)


def same(one: Path, many: Path) -> bool:
    """Whether both folders hold the same files with the same bytes."""
    files = [{f.relative_to(top): f.read_bytes() for f in top.rglob("*") if f.is_file()} for top in (one, many)]
    return files[0] == files[1]


def main(full: bool, donors: int | None, jobs: int, repeats: int, seed: int) -> None:
    """Print the table."""
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        size = {} if full else {"donors": 100, "genes": 500}
        planted = simulate("clear", seed, **size | ({"donors": donors} if donors else {}))
        yaml = write_simulation(folder / "data", planted)
        yaml.write_text(yaml.read_text(encoding="utf-8") + ("" if full else SMALL), encoding="utf-8")
        run = read_run(yaml)
        (folder / "prepared").mkdir()
        prepare(run, folder / "prepared")
        parts = kind_of(run).scatter_of(run, "train")
        ways = {
            "one job, 1 thread": lambda results: call(yaml, results, 1),
            f"one job, {jobs} threads": lambda results: call(yaml, results, jobs),
            f"{len(parts)} parts, {jobs} at a time": lambda results: in_parts(yaml, results, jobs, parts),
        }
        turns: dict[str, list[tuple[float, float, float]]] = {way: [] for way in ways}
        for _ in range(repeats):
            for way, take in ways.items():
                results = folder / way
                shutil.rmtree(results, ignore_errors=True)
                shutil.copytree(folder / "prepared", results)
                start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
                apart = take(results)
                wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
                cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
                turns[way].append((wall, cpu, apart))
        first, rows = folder / next(iter(ways)), []
        base = min(turns[first.name])[0]
        for way, taken in turns.items():
            wall, cpu, apart = min(taken)
            numbers = {"wall s": f"{wall:.1f}", "CPU s": f"{cpu:.1f}", "ratio": f"{wall / base:.2f}"}
            alike = "yes" if same(first, folder / way) else "no"
            rows.append({"way": way, **numbers, "a machine each, s": f"{apart:.1f}", "same bytes": alike})
    shape = f"{len(planted.metadata)} donors x {planted.expression.shape[1]} genes"
    print(f"{shape}; fastest of {repeats} turns; {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}")
    print(pd.DataFrame(rows).to_string(index=False))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="the size of a default run")
    parser.add_argument("--donors", type=int, help="another number of donors")
    parser.add_argument("--jobs", type=int, default=2, help="parts at a time")
    parser.add_argument("--repeats", type=int, default=2, help="turns of every way")
    parser.add_argument("--seed", type=int, default=0, help="of the cohort")
    given = parser.parse_args()
    main(given.full, given.donors, given.jobs, given.repeats, given.seed)
