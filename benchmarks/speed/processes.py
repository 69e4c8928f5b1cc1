"""One deep network by several processes, each on its share of every batch, against one: how fast, and the same numbers?

    python benchmarks/speed/processes.py [--processes 2] [--widths 128 512] [--batches 256 1024 4096] [--repeats 3]

For every width and batch one network (two residual blocks, fifty inputs, three tasks) is trained for some steps by one
process and by several, in turns; every process has one thread. The processes are started before, with torch's own
launcher as in training, and wait for each other before the clock starts. A row per width and batch: samples a second
of each, fastest and slowest of the turns; the ratio of the fastest; the ratio of the processor seconds of one process
to those of the busiest of several, which is what cores give that nobody else uses, but for the time that messages take;
and the largest difference of any output, relative to the largest output. Small form: some minutes on two cores. What
others do on the machine meanwhile slows several processes more than one: each waits for the slowest.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import pandas as pd
import torch
from torch import distributed
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from mtlbio.choices.balancers import BALANCERS
from mtlbio.choices.multitask import MultitaskOptions
from mtlbio.config.training import Deep, Shape
from mtlbio.labels import Binary, Regression
from mtlbio.model.outputs import Outputs
from mtlbio.training.deep.group import ALONE, Group
from mtlbio.training.deep.launch import environment
from mtlbio.training.deep.network import Data, fit_network

INPUTS, STEPS = 50, 8
TASKS = {"disease": Binary("disease", ("no", "yes")), "age": Regression("age"), "marker": Regression("marker")}


def planted(n: int) -> Data:
    """Samples of which every eighth, at most a thousand, validates; labels follow products of the inputs."""
    rng = np.random.default_rng(0)
    inputs = rng.standard_normal((n, INPUTS))
    product = inputs[:, 0] * inputs[:, 1]
    targets = np.stack([product > 0, product, inputs[:, 2] + rng.standard_normal(n)], axis=1)
    validates = np.arange(n) % max(8, n // 1000) == 0
    weights = [np.repeat(rows[:, None], 3, axis=1) / rows.sum() for rows in (~validates, validates)]
    tensors = [torch.as_tensor(v, dtype=torch.float32) for v in (inputs, targets, *weights)]
    return Data(*tensors, torch.arange(n), Outputs.of(TASKS), 3)


def once(width: int, batch: int, balancing: str, group: Group) -> tuple[float, float, int, torch.Tensor]:
    """Wall seconds of a training, processor seconds of its busiest process, samples, and the network's outputs."""
    data = planted(int(batch * STEPS * 8 / 7))
    options = Deep(batch=batch, epochs=1)
    if group.size > 1:
        distributed.barrier()
    start, before = time.perf_counter(), time.process_time()
    shape = Shape(width=width, depth=2, dropout=0.3)
    found = fit_network(data, options, shape, MultitaskOptions(balancing=balancing), 8, 0, group)
    wall, busy = time.perf_counter() - start, torch.tensor(time.process_time() - before)
    if group.size > 1:
        distributed.all_reduce(busy, distributed.ReduceOp.MAX)
    return wall, float(busy), int((data.train.sum(1) > 0).sum()), found.outputs


def work(widths: list[int], batches: list[int], repeats: int, balancing: str, folder: str) -> None:
    """In every process: all sizes, alone (the first one, while the others wait) and together, in turns."""
    torch.set_num_threads(1)
    distributed.init_process_group("gloo")
    group, rows = Group(distributed.get_rank(), distributed.get_world_size()), []
    once(widths[0], batches[0], balancing, group)
    for width in widths:
        for batch in batches:
            alone, together = [], []
            for _ in range(repeats):
                if group.rank == 0:
                    alone.append(once(width, batch, balancing, ALONE))
                distributed.barrier()
                together.append(once(width, batch, balancing, group))
            if group.rank == 0:
                rows.append(row(width, batch, alone, together))
    if group.rank == 0:
        pd.DataFrame(rows).to_csv(Path(folder, "rows.tsv"), sep="\t", index=False)
    distributed.destroy_process_group()


def row(width: int, batch: int, alone: list[tuple], together: list[tuple]) -> dict[str, object]:
    """Of one size."""
    rates = [sorted(samples / seconds for seconds, _, samples, _ in turns) for turns in (alone, together)]
    busy = [min(seconds for _, seconds, *_ in turns) for turns in (alone, together)]
    one, many = alone[0][3], together[0][3]
    shown = [f"{rate[-1]:,.0f} ({rate[0]:,.0f})" for rate in rates]
    return {
        "width": width,
        "batch": batch,
        "samples/s, one": shown[0],
        "samples/s, together": shown[1],
        "ratio": f"{rates[1][-1] / rates[0][-1]:.2f}",
        "ratio of CPU s": f"{busy[0] / busy[1]:.2f}",
        "largest difference": f"{float((one - many).abs().max() / one.abs().max()):.0e}",
    }


def main(given: argparse.Namespace) -> None:
    """Print the table."""
    os.environ.update(environment(1))
    with TemporaryDirectory() as folder:
        config = LaunchConfig(
            1,
            1,
            given.processes,
            rdzv_backend="c10d",
            rdzv_endpoint="localhost:0",
            max_restarts=0,
            local_addr="localhost",
        )
        elastic_launch(config, work)(given.widths, given.batches, given.repeats, given.balancing, folder)
        table = pd.read_csv(Path(folder, "rows.tsv"), sep="\t", dtype=str)
    print(f"{given.processes} processes, balancing {given.balancing}; best of {given.repeats} turns (worst)")
    print(f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}")
    print(table.to_string(index=False))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--widths", type=int, nargs="+", default=[128, 512])
    parser.add_argument("--batches", type=int, nargs="+", default=[256, 1024, 4096])
    parser.add_argument("--balancing", choices=list(BALANCERS), default="equal")
    parser.add_argument("--repeats", type=int, default=3, help="turns")
    main(parser.parse_args())
