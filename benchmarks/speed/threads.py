"""Does a second core ever make a step slower, also where others use the machine, and are the numbers the same?

    python benchmarks/speed/threads.py [--small] [--rounds 3] [--threads 2] [--steps train baselines probe]

Every step of a planted cohort is run with one thread and with more, as Snakemake would (``OMP_NUM_THREADS``), first
alone and then beside as many processes that only count, which this script starts and stops. Runs take turns, so that
whatever else the machine does falls on both; wall and CPU seconds are medians. A ratio above 1 says that more threads
were slower. The last column compares what was written, byte for byte. The bar: no ratio above 1.1 alone or busy, and
``same`` everywhere.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
STEPS = ("prepare", "train", "baselines", "evaluate", "probe")


def main() -> None:
    """Plant, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="60 donors x 300 genes in place of 300 x 2,000")
    parser.add_argument("--donors", type=int, help="another number of donors")
    parser.add_argument("--genes", type=int, help="another number of genes")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=max(2, min(4, os.cpu_count() or 1)))
    parser.add_argument("--burners", type=int, default=os.cpu_count() or 1, help="processes of the busy half")
    parser.add_argument("--steps", nargs="+", choices=STEPS[1:], default=["train", "baselines", "probe"])
    given = parser.parse_args()
    donors, genes = (60, 300) if given.small else (300, 2000)
    with TemporaryDirectory() as place:
        folder = Path(place)
        words = ["simulate", folder / "planted", "--donors", given.donors or donors, "--genes", given.genes or genes]
        call(1, *words)
        for step in STEPS[: STEPS.index(given.steps[-1])]:
            call(1, step, folder / "planted" / "run.yaml", "--results", folder / "results")
        print("step", "machine", "wall_1", f"wall_{given.threads}", "ratio", "cpu_ratio", "numbers", sep="\t")
        for step in given.steps:
            for busy in (False, True):
                measure(step, folder, given.threads, given.rounds, given.burners * busy)


def measure(step: str, folder: Path, threads: int, rounds: int, burners: int) -> None:
    """Run a step with one thread and with more in turn, and print a row."""
    taken: dict[int, list[tuple[float, float]]] = {1: [], threads: []}
    written = set()
    with burning(burners):
        for _ in range(rounds):
            for count in taken:
                copy = folder / f"copy{count}"
                shutil.copytree(folder / "results", copy)
                taken[count].append(call(count, step, folder / "planted" / "run.yaml", "--results", copy))
                written.add(fingerprint(copy))
                shutil.rmtree(copy)
    (wall, cpu), (wall_more, cpu_more) = (map(median, zip(*taken[count], strict=True)) for count in taken)
    machine = f"{burners} burners" if burners else "alone"
    row = (f"{wall:.1f}", f"{wall_more:.1f}", f"{wall_more / wall:.2f}", f"{cpu_more / cpu:.2f}")
    print(step, machine, *row, "same" if len(written) == 1 else "differ", sep="\t", flush=True)


def call(threads: int, *words: object) -> tuple[float, float]:
    """Wall and CPU seconds of ``mtlbio <words>``."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    environment = os.environ | dict.fromkeys(names, str(threads)) | {"PYTHONPATH": str(ROOT)}
    before, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-m", "mtlbio", *map(str, words)]
    subprocess.run(command, env=environment, check=True, capture_output=True, cwd=ROOT)
    wall, after = time.perf_counter() - wall, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def fingerprint(folder: Path) -> str:
    """One number for all files of a folder."""
    made = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        made.update(str(file.relative_to(folder)).encode() + hashlib.sha256(file.read_bytes()).digest())
    return made.hexdigest()


@contextmanager
def burning(count: int) -> Iterator[None]:
    """So many processes that count, of the usual priority, for as long as the block runs."""
    burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


if __name__ == "__main__":
    main()
