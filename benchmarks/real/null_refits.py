"""The null of the whole pipeline: how often does it speak of biology once the outcomes are permuted?

    python benchmarks/real/null_refits.py [DATA] [--refits 50] [--seeds 5] [--results DIR] [--seed 0]

Printed per cohort: the share of refits with any dimension called biology with its 95 % Wilson interval, how the Wald p
of axes and of supervised dimensions are spread over the refits (a share above .05 at p < .05 is what the analytic test
gets wrong and the refits correct), the smallest family-wise p, and the seconds. Cohorts: a planted one in which nothing
causes disease or response and, where DATA holds it (``sle/expression.parquet``, ``sle/metadata.csv``), lupus, whose
disease is real: there the refits say what is left when it is permuted. First, on a small case, copies in one stack
against one after another. Refits that are kept in DIR are used again.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
import torch

from benchmarks.real.cohorts import write_run
from mtlbio.cohort.cohort import Cohort, CovariateInfo
from mtlbio.cohort.prepare import prepare
from mtlbio.cohort.simulate import simulate, write_simulation
from mtlbio.cohort.split import make_splits
from mtlbio.config import Splits, Training
from mtlbio.kinds.read import read_run
from mtlbio.kinds.schemas import CohortRun
from mtlbio.labels import Binary
from mtlbio.probing.null_refits import share_of_biology
from mtlbio.probing.probe import probe
from mtlbio.probing.relabel import Relabelling, relabelled
from mtlbio.tables import read_table
from mtlbio.training.device import choose_device
from mtlbio.training.refits import Refitter
from mtlbio.training.train import train

TASKS = {
    "disease": Binary("disease", ("control", "case")),
    "response": Binary("response", ("non_responder", "responder")),
}


def stacked_against_single(copies: int, seeds: int, seed: int, device: str) -> str:
    """Seconds of both ways on 150 donors, and how far their latents are apart."""
    planted = simulate("clear", seed, donors=150, genes=1000)
    obs = planted.metadata.set_index("sample_id").rename(columns={"donor_id": "donor"})
    batch = {"batch": CovariateInfo("batch", "technical", "categorical")}
    cohort = Cohort(planted.expression.to_numpy(), tuple(planted.expression.columns), obs, TASKS, batch)
    refitter = Refitter.of(cohort, make_splits(cohort, Splits()), Training(seeds=seeds, genes=1000), device)
    relabelling = Relabelling.of(cohort)
    permuted = [
        relabelled(cohort, relabelling.outcomes, relabelling.draw(np.random.default_rng([seed, k])))
        for k in range(copies)
    ]
    refitter.fit(permuted[:1])
    start = time.perf_counter()
    stack = refitter.fit(permuted)
    middle = time.perf_counter()
    alone = [refitter.fit([copy])[0] for copy in permuted]
    end = time.perf_counter()
    pairs = zip(stack, alone, strict=True)
    apart = max(np.abs(np.subtract(*(c.ensemble.latents(cohort.expression) for c in pair))).max() for pair in pairs)
    return (
        f"{copies} copies, {seeds} seeds, {device}: in one stack {middle - start:.1f} s, one after another "
        f"{end - middle:.1f} s, ratio {(end - middle) / (middle - start):.2f}; "
        f"largest difference of a latent {apart:.1e}"
    )


def one_cohort(run: CohortRun, results: Path, seeds: int, refits: int) -> dict:
    """A row of the table."""
    run = run.model_copy(
        update={
            "training": run.training.model_copy(update={"single_task": False, "seeds": seeds}),
            "probe": run.probe.model_copy(update={"null_refits": refits}),
            "gene_sets": None,
        }
    )
    prepare(run, results)
    train(run, results)
    start = time.perf_counter()
    probe(run, results)
    seconds = time.perf_counter() - start
    null, runs = (read_table(results / "probing" / f"{name}.tsv") for name in ("null", "null_runs"))
    share, low, high = share_of_biology(runs)
    kept = max((results / "probing" / ".null").iterdir(), key=lambda path: path.stat().st_mtime)
    found = read_table(kept).merge(null[["dim", "outcome", "block"]], on=["dim", "outcome"])
    row = {"refits": len(runs), "seeds": seeds, "any biology": f"{share:.3f} ({low:.3f}-{high:.3f})"}
    for block, rows in found.groupby("block"):
        row |= {f"{block} p < {level:g}": f"{(rows['p_wald'] < level).mean():.3f}" for level in (0.05, 0.01)}
    best = null.loc[null["p_refit_familywise"].idxmin()]
    row["smallest family-wise p"] = f"{best['p_refit_familywise']:.3f} ({best['dim']}, {best['outcome']})"
    return row | {"probe, seconds": round(seconds)}


def main() -> None:
    """Print the comparison of the two ways, then a row per cohort."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, nargs="?", help="folder of the real cohorts")
    parser.add_argument("--refits", type=int, default=50)
    parser.add_argument("--seeds", type=int, default=5, help="replicas per fold, of the run and of its refits")
    parser.add_argument("--results", type=Path, help="where to work; a temporary folder where left out")
    parser.add_argument("--seed", type=int, default=0, help="of the planted cohort")
    given = parser.parse_args()
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    print(stacked_against_single(4, given.seeds, given.seed, choose_device("auto")), flush=True)
    with tempfile.TemporaryDirectory() if given.results is None else nullcontext(given.results) as folder:
        folder = Path(folder)
        runs = {"planted, no cause": read_run(write_simulation(folder / "cohort", simulate("null", given.seed)))}
        if given.data is not None and (given.data / "sle" / "expression.parquet").exists():
            runs["lupus"] = read_run(write_run("sle", given.data.resolve(), folder))
        elif given.data is not None:
            print(f"lupus: skipped, no {given.data / 'sle' / 'expression.parquet'}")
        for name, run in runs.items():
            row = one_cohort(run, folder / f"{run.run}_{given.seeds}", given.seeds, given.refits)
            print(pd.Series({"cohort": name} | row).to_string(), flush=True)


if __name__ == "__main__":
    main()
