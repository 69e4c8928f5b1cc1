"""Does the trial, and not the model, decide? One planted programme through PCA, MOFA2 and mtlbio's own axes.

    python benchmarks/axes_and_predictions/latents_power.py [--runs 20] [--apart 0.5 0.85] [--workers 2] [--write]

Every cohort has 80 donors, two batches and 400 genes; interferon drives disease and response (log odds 1 and 1.5 per
SD), age disease. Three models of the same cohort: principal components rotated by varimax and factors of MOFA2, both of
all donors and of as many dimensions, and mtlbio's own axes, which are trained with the labels and judged where the
donors of a fold were held out. Of each the dimension that follows the planted interferon most is looked at: how closely
(absolute correlation over the donors), and whether its verdict is ``biology``. The trial has the same permutations and
bootstrap samples in all.

Half a minute a cohort, most of it training. A cohort is a file below results/benchmarks/latents_power/: a killed run
goes on where it stopped. ``--write`` puts the table into docs/latents.md. MOFA2 needs ``mofapy2``.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from benchmarks.calibration.other_models import COVARIATES, TASKS
from benchmarks.calibration.pages import DOCS, between
from benchmarks.calibration.whole import run_through
from benchmarks.encoders.mofa import fitted, posterior_means
from benchmarks.shared.places import RESULTS
from mtlbio.cohort.simulate import Simulation, simulate, write_simulation
from mtlbio.embedding.simulate import rotated_components
from mtlbio.kinds.read import read_run
from mtlbio.notebook.trial import trial
from mtlbio.probing.rates import wilson
from mtlbio.progress import console, show_progress, track
from mtlbio.tables import read_table, write_table

STORE = RESULTS / "latents_power"
DESIGN = {"donors": 80, "genes": 400, "batches": 2, "interferon_effect": 1.0}
SEPARATIONS = (0.5, 0.85)
AXES = 10
PROBE = {"permutations": 199, "bootstrap": 200}
OPTIONS = f"""
training: {{genes: {DESIGN["genes"]}, seeds: 1, single_task: false}}
probe: {{permutations: {PROBE["permutations"]}, bootstrap: {PROBE["bootstrap"]}}}
"""
Found = tuple[np.ndarray, pd.DataFrame]  # (n, D) latents of the samples of the cohort, and their verdicts


def of_components(planted: Simulation) -> Found:
    """Principal components of all donors, rotated by varimax."""
    return _tried(planted, rotated_components(planted.expression.to_numpy(dtype=float), AXES)[0])


def of_mofa(planted: Simulation) -> Found:
    """Factors of MOFA2, fitted on all donors."""
    values = planted.expression.to_numpy(dtype=float)
    values = (values - values.mean(axis=0)) / values.std(axis=0)
    latents = posterior_means(values, *fitted(values, AXES))
    return _tried(planted, latents[:, latents.std(axis=0) > 1e-6 * latents.std(axis=0).max()])


def of_mtlbio(planted: Simulation) -> Found:
    """Axes and supervised dimensions of a run of mtlbio, every donor by the models that never saw it."""
    with tempfile.TemporaryDirectory() as folder:
        yaml = write_simulation(Path(folder) / "cohort", planted)
        yaml.write_text(yaml.read_text() + OPTIONS)
        latents, verdicts = run_through(read_run(yaml), Path(folder) / "results")
    place = latents.obs_names.get_indexer(planted.truth.index)
    return np.asarray(latents.X, dtype=float)[place], verdicts


MODELS: dict[str, Callable[[Simulation], Found]] = {
    "PCA + varimax": of_components,
    "MOFA2": of_mofa,
    "mtlbio's own": of_mtlbio,
}


def _tried(planted: Simulation, latents: np.ndarray) -> Found:
    table = pd.DataFrame(latents, planted.expression.index, [f"z{i + 1:02d}" for i in range(latents.shape[1])])
    obs = planted.metadata.set_index("sample_id").loc[table.index]
    stated = {"saw": "donors", "corrected_for": []}
    return latents, trial(
        table, obs=obs, donor="donor_id", tasks=TASKS, covariates=COVARIATES, probe=PROBE, **stated
    ).verdicts


def judged(job: tuple[float, int]) -> pd.DataFrame:
    """A row per model of one cohort: how closely its best dimension follows interferon, and the verdict on it."""
    console.quiet = True
    separation, seed = job
    planted = simulate("clear", 5000 + seed, batch_disease=separation, **DESIGN)
    rows = []
    for name, model in MODELS.items():
        latents, verdicts = model(planted)
        follows = np.abs(np.corrcoef(latents, planted.truth["interferon"].to_numpy(), rowvar=False)[-1, :-1])
        best = verdicts.iloc[int(follows.argmax())]
        rows.append((separation, seed, name, float(follows.max()), best["verdict"], best["stability"], best["why"]))
    return pd.DataFrame(rows, columns=["separation", "seed", "model", "follows", "verdict", "stability", "why"])


def kept(job: tuple[float, int]) -> pd.DataFrame:
    """The same, made once."""
    path = STORE / f"P{job[0]:g}_{job[1]}.tsv"
    if not path.exists():
        write_table(judged(job), path)
    return read_table(path)


def documented(rows: pd.DataFrame) -> str:
    """A line per separation and model, and in how many cohorts all models got the same verdict."""
    out = ["| P(batch = disease) | latents of | cohorts | interferon is `biology`, % (95 %) | its correlation |"]
    out.append("|---|---|---|---|---|")
    for separation, cohorts in rows.groupby("separation"):
        for model in MODELS:
            own = cohorts[cohorts["model"] == model]
            if own.empty:
                continue
            value, low, high = wilson(int((own["verdict"] == "biology").sum()), len(own))
            span = f"{100 * value:.0f} ({100 * low:.0f}-{100 * high:.0f})"
            out.append(f"| {separation:g} | {model} | {len(own)} | {span} | {own['follows'].median():.2f} |")
    same = rows.groupby(["separation", "seed"])["verdict"].nunique() == 1
    return "\n".join([*out, "", f"All verdicts of a cohort were the same in {same.sum()} of {len(same)}."])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=20, help="cohorts of each separation")
    parser.add_argument("--apart", type=float, nargs="+", default=SEPARATIONS, help="P(batch = disease)")
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--write", action="store_true", help="write the table into docs/latents.md")
    given = parser.parse_args()
    jobs = [(separation, seed) for separation in given.apart for seed in range(given.runs)]
    with ProcessPoolExecutor(given.workers) as pool:
        rows = pd.concat(track(pool.map(kept, jobs), "cohorts", len(jobs)), ignore_index=True)
    print(documented(rows))
    print(pd.crosstab([rows["separation"], rows["model"]], rows["verdict"]).to_string())
    if given.write:
        between(DOCS / "latents.md", documented(rows), "<!-- power -->")


if __name__ == "__main__":
    show_progress()
    main()
