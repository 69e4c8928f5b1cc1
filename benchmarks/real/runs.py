"""A real cohort, or a part of it, trained once and judged by the rules of the day.

Training is kept until it is asked for again. Judging takes a minute, so it is repeated whenever a module that it
imports has changed: the verdicts are always those of the present rules.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import yaml

from benchmarks.real.cohorts import COHORTS, write_run
from mtlbio.cohort.cohort import Cohort, read_cohort, write_cohort
from mtlbio.cohort.genesets import load_sets
from mtlbio.cohort.prepare import build_cohort
from mtlbio.cohort.split import make_splits
from mtlbio.config import Splits
from mtlbio.kinds.read import read_run
from mtlbio.kinds.schemas import CohortRun
from mtlbio.kinds.sources import modules_of
from mtlbio.model.ensemble import load_ensemble
from mtlbio.modules import PACKAGE
from mtlbio.probing.cohorts import OfEnsemble, examine_cohort
from mtlbio.probing.probe import aligned
from mtlbio.progress import say
from mtlbio.tables import PREDICTIONS, SPLITS, read_table, write_table
from mtlbio.training.train import train

KEPT = ("audit", "association", "enrichment", "stability", "ablation", "verdicts")
SEEDS = 2
LEAST_DONORS = 10  # of every class: a part of a cohort with fewer has lost the task

_KANG = {
    "run": "kang_ifnb",
    "tasks": {"condition": {"kind": "binary", "positive": "stim", "negative": "ctrl"}},
    "pseudobulk": {"by": ["condition"]},
}


@dataclass(frozen=True)
class Judged:
    """A trained cohort with the tables of its trial."""

    cohort: Cohort
    latents: ad.AnnData
    tables: dict[str, pd.DataFrame]

    @property
    def verdicts(self) -> pd.DataFrame:
        """``verdicts.tsv`` by dimension, with ``block``."""
        table = self.tables["verdicts"].set_index("dim")
        return table.assign(block=self.latents.var["block"].astype(str).reindex(table.index))

    @property
    def z(self) -> pd.DataFrame:
        """Held-out latents (samples, D)."""
        return pd.DataFrame(self.latents.X, self.latents.obs_names, self.latents.var_names)


def described(name: str, data: Path, folder: Path) -> CohortRun:
    """The run of a cohort below ``data``; the single-task arm, which has no part in the verdicts, is left out, and two
    seeds stand for five: the axes do not depend on them."""
    if name in COHORTS:
        run = read_run(write_run(name, data, folder))
    else:
        source = {"path": str(data / name / "kang2018_ifnb_2000cells.h5ad"), "scale": "counts"}
        content = _KANG | {"expression": source, "gene_sets": str(data / "genesets/h.all.v2024.1.Hs.symbols.gmt")}
        path = folder / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        run = read_run(path)
    training = run.training.model_copy(update={"single_task": False, "device": "cpu", "seeds": SEEDS})
    return run.model_copy(update={"training": training})


def prepared(run: CohortRun, folder: Path) -> Cohort:
    """The cohort of a run, read once."""
    if not (folder / "cohort.h5ad").exists():
        write_cohort(build_cohort(run)[0], folder / "cohort.h5ad")
    return read_cohort(folder / "cohort.h5ad")


def part(cohort: Cohort, rows: np.ndarray) -> Cohort:
    """Some samples of a cohort, with the tasks and covariates that still vary among them and the genes that do."""
    obs = cohort.obs[rows].copy()
    for column in obs.select_dtypes("category"):
        obs[column] = obs[column].cat.remove_unused_categories()
    tasks = {}
    for name, task in cohort.tasks.items():
        y, donors = cohort.y(name)[rows], cohort.donors[rows]
        classes = range(len(task.classes)) if task.classes else [None]
        counts = [len(set(donors[~np.isnan(y) if k is None else y == k])) for k in classes]
        if min(counts) >= LEAST_DONORS:
            tasks[name] = task
    covariates = {name: info for name, info in cohort.covariates.items() if obs[name].nunique() > 1}
    varying = np.ptp(cohort.expression[rows], axis=0) > 0
    genes = tuple(np.array(cohort.genes)[varying])
    kept = obs[["donor", *dict.fromkeys([*tasks, *covariates])]]
    return replace(cohort, expression=cohort.expression[rows][:, varying], genes=genes, obs=kept, tasks=tasks,
                   covariates=covariates)  # fmt: skip


def judged(cohort: Cohort, run: CohortRun, folder: Path, again: bool = False, splits: Splits | None = None) -> Judged:
    """Train a cohort unless ``folder`` holds its model, and judge it unless it holds the present verdicts."""
    if again or not (folder / "latents.h5ad").exists():
        say(f"training {folder.name}: {len(cohort.obs)} samples of {len(set(cohort.donors))} donors")
        write_cohort(cohort, folder / "cohort.h5ad")
        write_table(make_splits(cohort, splits or run.splits), folder / "splits.tsv", SPLITS)
        train(run, folder)
    return of_folder(run, folder, folder)


def of_folder(run: CohortRun, finished: Path, folder: Path) -> Judged:
    """The trial of a finished run; its tables are kept in ``folder``."""
    latents = ad.read_h5ad(finished / "latents.h5ad")
    cohort = aligned(read_cohort(finished / "cohort.h5ad"), latents)
    stamp, key = folder / "judged.json", _key(finished)
    if stamp.exists() and json.loads(stamp.read_text(encoding="utf-8")) == key:
        tables = {name: read_table(folder / "judged" / f"{name}.tsv") for name in KEPT}
        return Judged(cohort, latents, tables)
    say(f"judging {finished.name}")
    tables = examined(run, finished, cohort, latents)
    for name in KEPT:
        write_table(tables[name], folder / "judged" / f"{name}.tsv")
    stamp.write_text(json.dumps(key), encoding="utf-8")
    return Judged(cohort, latents, {name: read_table(folder / "judged" / f"{name}.tsv") for name in KEPT})


def examined(run: CohortRun, finished: Path, cohort: Cohort, latents: ad.AnnData) -> dict[str, pd.DataFrame]:
    """The tables of the trial of a finished run whose samples have the labels and covariates of ``cohort``."""
    fold = latents.obs["fold"].to_numpy().astype(int)
    examinee = OfEnsemble(load_ensemble(finished / "model"), cohort.expression, fold, cohort.obs)
    return examine_cohort(cohort, latents, examinee, run.probe, load_sets(run.gene_sets))


def held_out_score(folder: Path, judged_run: Judged, task: str) -> float:
    """The task's metric of the multi-task ensemble on held-out samples."""
    rows = read_table(folder / "predictions.tsv", PREDICTIONS)
    rows = rows[(rows["arm"] == "multitask") & (rows["task"] == task)]
    mean = rows.groupby("sample")["y_pred"].mean().reindex(judged_run.cohort.samples).to_numpy(dtype=float)
    return float(judged_run.cohort.tasks[task].score(judged_run.cohort.y(task), mean))


def _key(finished: Path) -> dict[str, str]:
    rooms = tuple(PACKAGE / room for room in ("probing", "evaluation"))
    modules = [m for m in map(Path, modules_of("probe")) if any(m.resolve().is_relative_to(room) for room in rooms)]
    rules = hashlib.sha256(b"".join(module.read_bytes() for module in modules))
    model = hashlib.sha256((finished / "latents.h5ad").read_bytes())
    return {"rules": rules.hexdigest(), "latents": model.hexdigest()}
