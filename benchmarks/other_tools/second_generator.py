"""Verdicts on cohorts of another generator: counts of a model that was fitted to real cells by scdesigner.

    python benchmarks/other_tools/second_generator.py [DATA] [--full] [--runs N] [--only TEXT] [--tables]

The project's own generator draws programmes and noise as it pleases. Here ``scdesigner`` (Sankaran, MIT; Song et al.
2024, Nat. Biotechnol. 42:247) fits a negative binomial for every gene and a Gaussian copula between genes to blood
cells of eight donors with and without interferon-beta (Kang et al. 2018), pooled to small bulks of about twenty cells:
levels, dispersion, the composition of the blood and the effect of interferon are those of the data. A cohort is drawn
from altered covariates of the fitted model, one bulk per donor:

- a donor's activity, two standard deviations to either side, spans the two conditions of the cells. The effect of
  interferon is set to zero (planted null: disease follows age and batch only), halved or kept, and the activity then
  drives disease beside age;
- age, sex and batch, which the cells do not have, are terms of the same model with planted coefficients, in units of
  the gene's own noise.

A dimension's role is the planted covariate that carries its variance, by regression on all of them; what the copula
holds beside them (composition) is no cause of anything here. Verdicts are scored as those of the calibration grid.
The tools of ``todays_tools.py`` that take seconds see the same cohorts, as logarithms of counts per million.

scdesigner is no dependency of the package: ``pip install --no-deps scdesigner formulaic interface-meta tqdm``; with its
dependencies it would replace torch. DATA is the folder that holds ``kang_ifnb/`` (``../shared/data``).
Small form: 2 cohorts of 3 arms x 2 sizes, about 10 minutes on one core; full form: 20 cohorts, two hours. Rows are kept
below results/benchmarks/second_generator/: a killed run goes on where it stopped.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import importlib.util
import io
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("OMP_NUM_THREADS", "1")

import anndata as ad
import numpy as np
import pandas as pd

from benchmarks.calibration.cells import Cell
from benchmarks.calibration.grid import version
from benchmarks.calibration.roles import role_of
from benchmarks.calibration.score import rescored, scored
from benchmarks.calibration.whole import run_through
from benchmarks.other_tools.todays_tools import show
from benchmarks.other_tools.tools.associations import pca_tests
from benchmarks.other_tools.tools.labels import Read
from benchmarks.other_tools.tools.variance_components import variance_partition
from benchmarks.shared.places import RESULTS, ROOT
from mtlbio.cohort.features import fit_features
from mtlbio.kinds.read import read_run
from mtlbio.progress import console, say, show_progress, track
from mtlbio.tables import read_table, write_table

STORE = RESULTS / "second_generator"
DATA = ROOT.parent / "shared" / "data"
CELLS_PER_BULK, GENES, BATCHES = 20, 1000, 4
SIZES = (80, 200)
ARMS = {"effect zeroed": 0.0, "effect halved": 0.5, "effect kept": 1.0}
SPAN = 0.25  # of the way between the conditions, per standard deviation of a donor's activity
# share of the genes and mean absolute coefficient, in standard deviations of the gene's noise
PLANTED = {"age": (0.08, 0.7), "sex": (0.02, 1.0), "batch": (0.17, 0.6)}
TERMS = ("stimulation", "age", "sex", *(f"batch{b}" for b in range(1, BATCHES)))
TOOLS: dict[str, Callable[[np.ndarray, pd.DataFrame, int], Read]] = {
    "PCA + tests": pca_tests,
    "variancePartition": variance_partition,
}
RUN = """\
run: drawn
expression: {path: expression.parquet, scale: counts}
metadata: {path: metadata.csv, sample: sample_id, donor: donor_id}
tasks:
  disease: {kind: binary, column: disease, positive: case}
  age:     {kind: regression, column: age}
covariates:
  age:   {role: confounder, kind: continuous}
  sex:   {role: confounder}
  batch: {role: technical}
gene_sets: builtin
"""


@dataclass(frozen=True)
class Drawn:
    """A cohort: ``counts`` (donors x genes), ``obs`` with its labels, ``activity`` by planted programme, each (donors,
    columns): what a dimension's variance is divided among."""

    counts: pd.DataFrame
    obs: pd.DataFrame
    activity: dict[str, np.ndarray]


def cells() -> list[Cell]:
    """Arms and sizes; disease follows age, and P(batch = disease) is .7."""
    shared = {"age_effect": 0.8, "batch_disease": 0.7, "batches": BATCHES, "response": "nothing"}
    return [Cell(arm, n, {"interferon": effect, **shared}) for n in SIZES for arm, effect in ARMS.items()]


def small_bulks(data: Path) -> ad.AnnData:
    """Counts of about twenty cells of one donor and condition at a time, the genes with most counts."""
    found = ad.read_h5ad(data / "kang_ifnb" / "kang2018_ifnb_2000cells.h5ad")
    rng = np.random.default_rng([0, 31])
    counts = found.X.toarray()
    genes = np.sort(np.argsort(-counts.sum(axis=0), kind="stable")[:GENES])
    bulks, stimulation = [], []
    for (_, condition), own in found.obs.groupby(["donor_id", "condition"], observed=True):
        rows = rng.permutation(found.obs_names.get_indexer(own.index))
        for part in np.array_split(rows, max(1, len(rows) // CELLS_PER_BULK)):
            # the mean cell times twenty: bulks of a few more cells are no deeper
            bulks.append(np.round(counts[part][:, genes].mean(axis=0) * CELLS_PER_BULK))
            stimulation.append(float(condition == "stim"))
    obs = pd.DataFrame({"stimulation": stimulation}, index=[f"bulk{i:03d}" for i in range(len(bulks))])
    # the cells have no age, sex or batch: terms that are there to be planted, independent of everything measured
    for term in TERMS[1:]:
        obs[term] = rng.standard_normal(len(obs))
    return ad.AnnData(np.array(bulks, dtype=np.float32), obs=obs, var=pd.DataFrame(index=found.var_names[genes]))


@cache
def fitted(data: Path):
    """scdesigner's simulator, fitted to the small bulks; about a minute."""
    import torch
    from scdesigner.simulators import NegBinCopula

    bulks = small_bulks(data)
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002  scdesigner draws from numpy's global generator
    with quiet():
        model = NegBinCopula("~ " + " + ".join(TERMS), "~ 1", "~ 1", estimator="ledoit_wolf")
        # without a validation split, and until it has converged: early stopping leaves means that are off by a half
        model.fit(bulks, verbose=False, max_epochs=1000, lr=0.02, val_frac=0.0)
    return model


@contextlib.contextmanager
def quiet():
    """Without progress bars and warnings of other libraries."""
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield


def planted(model, effect: float, rng: np.random.Generator):
    """The fitted simulator with its effect of interferon scaled and coefficients for age, sex and batch."""
    from scdesigner.transform import replace_param

    mean, dispersion = (model.parameters["marginal"][p] for p in ("mean", "dispersion"))
    level = np.exp(mean.loc["Intercept"].to_numpy() + 0.5 * mean.loc["stimulation"].to_numpy())
    noise = np.sqrt(1 / np.maximum(level, 0.1) + 1 / np.exp(dispersion.to_numpy()[0]))  # of the log count
    new = mean.astype(float)  # scdesigner fits in single precision
    new.loc["stimulation"] *= effect
    for programme, (share, strength) in PLANTED.items():
        genes = rng.choice(len(level), int(share * len(level)), replace=False)
        for term in [t for t in TERMS if t.rstrip("0123456789") == programme]:
            coefficient = np.zeros(len(level))
            size = rng.gamma(4.0, strength / 4.0, len(genes)) * rng.choice([-1.0, 1.0], len(genes))
            coefficient[genes] = size * noise[genes]
            new.loc[term] = coefficient
    return replace_param(model, ["marginal", "mean"], new)


def draw(cell: Cell, run: int, data: Path) -> Drawn:
    """One cohort."""
    effect, n = cell.changes["interferon"], cell.donors
    rng = np.random.default_rng([run, n, int(100 * effect), 32])
    age, activity = rng.uniform(20, 80, n), rng.standard_normal(n)
    age_z, sex = (age - 50) / (60 / np.sqrt(12)), rng.integers(0, 2, n)
    odds = cell.changes["age_effect"] * age_z + (1.5 * activity if effect else 0.0)
    diseased = odds + rng.logistic(size=n) > np.median(odds)
    half = np.where(rng.random(n) < cell.changes["batch_disease"], diseased, ~diseased).astype(int)
    batch = half * (BATCHES // 2) + rng.integers(0, BATCHES // 2, n)
    member = (batch[:, None] == np.arange(1, BATCHES)).astype(float)
    terms = pd.DataFrame({"stimulation": 0.5 + SPAN * activity, "age": age_z, "sex": sex * 2.0 - 1.0})
    terms[[t for t in TERMS if t.startswith("batch")]] = member
    terms.index = [f"S{i + 1:04d}" for i in range(n)]
    model = planted(fitted(data), effect, rng)
    np.random.seed(rng.integers(2**32, dtype=np.uint32))  # noqa: NPY002  as above
    with quiet():
        counts = model.sample(terms[list(TERMS)]).to_df().round().astype(np.float32)
    obs = pd.DataFrame(
        {
            "donor_id": terms.index,
            "disease": np.where(diseased, "case", "control"),
            "age": age.round(1),
            "sex": np.array(["female", "male"])[sex],
            "batch": np.array([f"B{b + 1}" for b in batch]),
        },
        index=terms.index.rename("sample_id"),
    )
    counts.index = obs.index
    # squares too: a count is no straight line in its log mean
    curved = {"age": age_z, "interferon": activity}
    columns = {name: np.column_stack([v, v**2]) for name, v in curved.items()}
    return Drawn(counts, obs, columns | {"sex": sex[:, None].astype(float), "batch": member})


def carried(z: np.ndarray, activity: dict[str, np.ndarray]) -> pd.DataFrame:
    """Share of every dimension's variance that each planted programme carries (D, programmes), 0-1: the variance of its
    part of the regression on all of them."""
    blocks = {name: columns - columns.mean(axis=0) for name, columns in activity.items()}
    design, centred = np.column_stack(list(blocks.values())), z - z.mean(axis=0)
    slope = np.linalg.lstsq(design, centred, rcond=None)[0]
    shares, start = {}, 0
    for name, columns in blocks.items():
        part = columns @ slope[start : start + columns.shape[1]]
        shares[name] = part.var(axis=0) / np.maximum(centred.var(axis=0), 1e-12)
        start += columns.shape[1]
    return pd.DataFrame(shares)


def judge(cell: Cell, run: int, data: Path) -> pd.DataFrame:
    """Scored dimensions of one cohort: mtlbio's, and the components of the fast tools."""
    console.quiet = True
    cohort = draw(cell, run, data)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cohort.counts.to_parquet(folder / "expression.parquet")
        cohort.obs.to_csv(folder / "metadata.csv")
        (folder / "run.yaml").write_text(RUN, encoding="utf-8")
        start = time.process_time()
        latents, verdicts = run_through(read_run(folder / "run.yaml"), folder / "results")
        seconds = time.process_time() - start
    place = cohort.obs.index.get_indexer(latents.obs_names)
    activity = {name: columns[place] for name, columns in cohort.activity.items()}
    shares = carried(np.asarray(latents.X, dtype=float), activity)
    out = [rows_of(cell, run, "mtlbio", shares, {"-": list(verdicts["verdict"])}, seconds)]
    logs = np.log1p(cohort.counts.div(cohort.counts.sum(axis=1), axis=0) * 1e6).to_numpy()
    x = fit_features(logs).transform(logs).astype(float)
    for tool, reader in TOOLS.items():
        start = time.process_time()
        read = reader(x, cohort.obs, run)
        seconds = time.process_time() - start
        out.append(rows_of(cell, run, tool, carried(read.components, cohort.activity), read.verdicts, seconds))
    return pd.concat(out, ignore_index=True)


def rows_of(
    cell: Cell, run: int, tool: str, shares: pd.DataFrame, readings: dict[str, list[str]], seconds: float
) -> pd.DataFrame:
    """Scored rows of a tool, once for each reading."""
    roles = [role_of(row) for row in shares.to_dict("records")]
    dims = [f"d{k + 1:02d}" for k in range(len(roles))]
    made = [scored(cell, run, dims, roles, said).assign(reading=way) for way, said in readings.items()]
    return pd.concat(made, ignore_index=True).assign(tool=tool, seconds=seconds)


def place_of(cell: Cell) -> Path:
    """File of a cell, of the present sources."""
    files = [Path(__file__), *sorted((Path(__file__).parent / "tools").glob("*.py"))]
    digest = hashlib.sha256(b"".join(f.read_bytes() for f in files) + version("pipeline").encode())
    return STORE / digest.hexdigest()[:10] / f"{cell.slug}.tsv"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="20 cohorts of each arm and size; hours")
    parser.add_argument("--runs", type=int, help="cohorts of each arm and size (2, full form 20)")
    parser.add_argument("--only", default="", help="only cells whose name contains this text")
    parser.add_argument("data", nargs="?", type=Path, default=DATA, help="folder that holds kang_ifnb/")
    parser.add_argument("--tables", action="store_true", help="only print what is there so far")
    given = parser.parse_args()
    runs, wanted = given.runs or (20 if given.full else 2), [c for c in cells() if given.only in c.name]
    if importlib.util.find_spec("scdesigner") is None and not given.tables:
        raise SystemExit("scdesigner is not installed: pip install --no-deps scdesigner")
    if not (given.data / "kang_ifnb").exists() and not given.tables:
        raise SystemExit(f"{given.data}: no folder kang_ifnb; name the folder that holds it")
    paths = {cell.name: place_of(cell) for cell in wanted}
    if not given.tables:
        jobs = [(cell, run) for run in range(runs) for cell in wanted]
        for cell, run in track(jobs, "cohorts", len(jobs)):
            path = paths[cell.name]
            done = [read_table(path)] if path.exists() else []
            if done and run in set(done[0]["run"]):
                continue
            write_table(pd.concat([*done, judge(cell, run, given.data)], ignore_index=True), path)
    found = [read_table(path) for path in paths.values() if path.exists()]
    if not found:
        say("nothing is there yet: run without --tables")
        return
    rows = rescored(pd.concat(found, ignore_index=True), {cell.name: cell for cell in wanted})
    show(rows[rows["run"] < runs], wanted)


if __name__ == "__main__":
    show_progress()
    main()
