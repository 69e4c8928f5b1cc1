"""How long the trial takes after training, and how long it takes to bring cells to donors.

    python benchmarks/speed/trial.py [--small] [--threads 2]

- The trial: audit, association, leakage, stability, ablation, gene sets and verdicts of 1,000 donors x 32 dimensions
  with two tasks, a batch of four levels, age and sex, 9,999 randomisations, 1,000 bootstrap draws and the built-in
  gene sets, in memory. Bar: 60 seconds on two cores. Beside it, what the randomisation tests alone would cost one by
  one in statsmodels (permute, fit, HC3 F test), extrapolated from a few fits.
- One million cells x 32 dimensions to 100 donors, by the units of the trial and by the pseudobulk of ``prepare``. Bar:
  2 seconds. Beside it, pandas' groupby.

The bars are held against the CPU seconds of one thread, which are the wall seconds of one idle core: wall seconds,
beside them, depend on what else the machine does.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
options.add_argument(
    "--small", action="store_true", help="200 donors, 12 dimensions, 199 randomisations, 100,000 cells"
)
options.add_argument("--threads", default="1")
OPTIONS = options.parse_args()
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = OPTIONS.threads  # before numpy is loaded

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

from benchmarks.calibration.given_axes import results_of, trial_of  # noqa: E402
from benchmarks.calibration.planted import Planted, plant  # noqa: E402
from mtlbio.cohort.cells.pseudobulk import pseudobulk  # noqa: E402
from mtlbio.cohort.genesets import builtin_sets  # noqa: E402
from mtlbio.cohort.measurements import Measurements  # noqa: E402
from mtlbio.cohort.qc import QcList  # noqa: E402
from mtlbio.config import Probe  # noqa: E402
from mtlbio.probing.association import task_design  # noqa: E402
from mtlbio.probing.cohorts import examine_cohort  # noqa: E402
from mtlbio.probing.units import donor_units  # noqa: E402
from mtlbio.progress import show_progress  # noqa: E402


def timed(action: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    action()
    return time.perf_counter() - wall, time.process_time() - cpu


def planted(donors: int, dims: int) -> Planted:
    """A planted cohort whose genes are those of the built-in sets, with disease and response as tasks."""
    made = plant(donors, batches=4, noise_dims=dims - 5)
    names = sorted({gene for members in builtin_sets().values() for gene in members})
    names += [f"OTHER{i}" for i in range(len(made.cohort.genes) - len(names))]
    tasks = {name: task for name, task in made.cohort.tasks.items() if name != "age"}
    return replace(made, cohort=replace(made.cohort, genes=tuple(names[: len(made.cohort.genes)]), tasks=tasks))


def trial_seconds(made: Planted, probe: Probe) -> tuple[float, float]:
    """Seconds of the trial, after a first small one that imports what is needed."""
    first = planted(60, 6)
    examine_cohort(first.cohort, *results_of(first), Probe(permutations=99, bootstrap=100), builtin_sets())
    latents, examinee = results_of(made)
    return timed(lambda: examine_cohort(made.cohort, latents, examinee, probe, builtin_sets()))


def plain_seconds(made: Planted, probe: Probe, fits: int = 40) -> float:
    """Seconds of the randomisation tests of all dimensions and questions, each permutation a fit of statsmodels."""
    import statsmodels.api as sm

    trial = trial_of(made)
    units, given, columns = task_design(trial, "disease")
    z = units.mean(trial.z[:, 0])
    residual = z - given.basis @ (given.basis.T @ z)
    design, rng = np.column_stack([given.basis, columns]), np.random.default_rng(0)
    restriction = np.eye(design.shape[1])[-1:]

    def some() -> None:
        for _ in range(fits):
            fit = sm.OLS(residual[rng.permutation(len(z))], design).fit(cov_type="HC3")
            fit.f_test(restriction)

    questions = len(made.cohort.tasks) + len(made.cohort.covariates)
    return timed(some)[1] / fits * probe.permutations * made.z.shape[1] * questions


def cells_to_donors(cells: int, dims: int) -> pd.DataFrame:
    """Seconds of the three ways, and their largest difference from pandas'."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(cells, dims))
    donors = np.array([f"donor{i:03d}" for i in range(100)])[rng.integers(0, 100, cells)]
    found: dict[str, np.ndarray] = {}
    obs = pd.DataFrame({"donor": donors}, index=pd.RangeIndex(cells).astype(str))
    frame = pd.DataFrame(values)

    def units() -> None:
        found["units of the trial"] = donor_units(donors, np.ones(cells, dtype=bool)).mean(values)

    def bulk() -> None:
        data = Measurements(obs.index.to_numpy(), np.arange(dims).astype(str), values, "cells")
        made, _ = pseudobulk(data, obs, obs[[]], "log", 10, QcList(), "cells")
        found["pseudobulk"] = made.dense()

    def pandas() -> None:
        found["pandas groupby"] = frame.groupby(donors).mean().to_numpy()

    rows = []
    for name, action in (("pandas groupby", pandas), ("units of the trial", units), ("pseudobulk", bulk)):
        wall, cpu = timed(action)
        rows.append((name, wall, cpu, np.abs(found[name] - found["pandas groupby"]).max()))
    return pd.DataFrame(rows, columns=["cells to donors", "wall s", "cpu s", "difference"])


def main() -> int:
    """Time both and say whether the bars hold."""
    donors, dims, cells = (200, 12, 100_000) if OPTIONS.small else (1000, 32, 1_000_000)
    probe = Probe(permutations=199, bootstrap=200) if OPTIONS.small else Probe(permutations=9999, bootstrap=1000)
    table = cells_to_donors(cells, dims)
    print(f"{cells:,} cells x {dims} dimensions, {OPTIONS.threads} threads")
    print(table.to_string(index=False, float_format="%.3g"), flush=True)
    made = planted(donors, dims)
    wall, cpu = trial_seconds(made, probe)
    plain = plain_seconds(made, probe)
    print(f"trial of {donors:,} donors x {dims} dimensions x {probe.permutations:,} randomisations: {wall:.1f} s "
          f"({cpu:.1f} CPU s); statsmodels, randomisation tests alone: {plain:,.0f} CPU s, {plain / cpu:,.0f} times "
          f"as long")  # fmt: skip
    own = table[table["cells to donors"] != "pandas groupby"]
    holds = {"trial <= 60 s": cpu <= 60, "cells to donors <= 2 s": bool((own["cpu s"] <= 2).all())}
    print("; ".join(f"{bar}: {'yes' if held else 'NO'}" for bar, held in holds.items()))
    return int(not all(holds.values()))


if __name__ == "__main__":
    show_progress()
    sys.exit(main())
