"""Warfarin at 18 sites: the dose of patients and of whole sites held out, a site alone, and the verdicts.

    python benchmarks/doses/warfarin.py folds DATA     # five folds of patients, and folds of whole sites
    python benchmarks/doses/warfarin.py sites DATA     # 200 patients of a site, alone and with the other sites
    python benchmarks/doses/warfarin.py probing DATA   # the verdicts on the dimensions

DATA holds ``warfarin_iwpc/``; settings and intervals: ``fitting.py`` beside it. ``--full``: all 500 curves, every large
site and, of ``probing``, all seeds.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("OMP_NUM_THREADS", "1")

import anndata as ad
import numpy as np
import pandas as pd
import yaml

from benchmarks.doses.fitting import DRAWS, cohort_of, compared, fitted, settings, told
from benchmarks.shared.places import ROOT
from mtlbio.cohort.prepare import prepare
from mtlbio.evaluation.predictions import TaskPredictions
from mtlbio.kinds.read import read_run
from mtlbio.metrics import metric
from mtlbio.probing.probe import probe
from mtlbio.training.subsets import out_of_fold
from mtlbio.training.train import train

# What at least half of the patients have on record, and that is no free list of codes.
NUMERIC = ["age_decade", "height_cm", "weight_kg"]
CATEGORIES = ["race", "sex", "cyp2c9", "vkorc1_imputed", "amiodarone", "enzyme_inducer"]
CATEGORIES += ["smoker", "valve", "diabetes", "chf", "aspirin", "simvastatin"]


def patients(data: Path) -> pd.DataFrame:
    """The analysis cohort of the data's README: stable, at most 175 mg a week, age, height and weight known.

    A race on record as unknown is a missing value, not one more ancestry: a whole site has no other.
    """
    table = pd.read_csv(data / "warfarin_iwpc" / "iwpc_tidy.csv.gz", dtype=str)
    number = {c: pd.to_numeric(table[c], errors="coerce") for c in ("stable", "dose_mg_week", *NUMERIC)}
    kept = (number["stable"] == 1) & (number["dose_mg_week"] <= 175)
    table["race"] = table["race"].where(table["race"] != "Unknown")
    return table[kept & pd.concat([number[c].notna() for c in NUMERIC], axis=1).all(axis=1)].reset_index(drop=True)


def described(tasks: dict) -> dict:
    """The run's YAML; ``tasks`` by name, what each has besides the dose."""
    dose = {"kind": "regression", "column": "dose_mg_week", "transform": "sqrt", "unit": "mg/week"}
    return {
        "features": {"numeric": NUMERIC, "categories": CATEGORIES},
        "metadata": {"sample": "subject_id", "donor": "subject_id"},
        "tasks": {name: dose | more for name, more in tasks.items()},
        "covariates": {"site": {"role": "technical"}},
    }


def folds(data: Path, full: bool) -> dict[str, float]:
    """Five folds of patients, and five of whole sites (GroupKFold, as the published baselines)."""
    from sklearn.model_selection import GroupKFold, KFold

    cohort = cohort_of(patients(data), described({"dose": {}}))
    n, found = len(cohort.samples), {}
    site = cohort.obs["site"].astype(str).to_numpy()
    print(f"{n} patients, {len(set(site))} sites, {len(cohort.genes)} columns")
    # choices are made like the test: on patients, and on whole sites
    ways = {
        "sites left out": (GroupKFold(5), {"validate_by": "site"}),
        "five-fold": (KFold(5, shuffle=True, random_state=0), {}),
    }
    for name, (way, own) in ways.items():
        fold = np.zeros(n, dtype=int)
        for f, (_, test) in enumerate(way.split(np.zeros((n, 1)), None, site)):
            fold[test] = f
        pred = out_of_fold(cohort, fitted(cohort, fold, settings(full, **own), [np.ones(1)]), 0, "dose")
        print(f"{name}: {told(cohort, 'dose', pred)}", flush=True)
        found[name] = float(np.abs(pred - cohort.y("dose")).mean())
    return found


def sites(data: Path, full: bool, labelled: int = 200) -> str:
    """200 patients of one site, alone and with the patients of all other sites."""
    table = patients(data)
    counts = table["site"].value_counts()
    large = sorted(counts.index[counts >= labelled + 100])
    chosen = large if full else large[:3]
    rng = np.random.default_rng([labelled, 51])
    pairs = []
    for target in chosen:
        cohort = cohort_of(
            table.assign(place=np.where(table["site"] == target, "here", "elsewhere")),
            described({"here": {"where": {"place": "here"}}, "elsewhere": {"where": {"place": "elsewhere"}}}),
        )
        here = np.flatnonzero(cohort.obs["site"].astype(str) == target)
        held_out = np.zeros(len(cohort.samples), dtype=int)
        held_out[rng.permutation(here)[labelled:]] = 1
        arms = [np.ones(2), np.array([1.0, 0.0])]
        refit = fitted(cohort, held_out, settings(full), arms, only=[1])
        together, alone = (out_of_fold(cohort, refit, arm, "here") for arm in (0, 1))
        print(f"site {target} ({len(here)}): {compared(cohort, 'here', together, alone)}", flush=True)
        tested = held_out == 1
        pairs.append(pd.DataFrame({"together": together, "alone": alone, "y": cohort.y("here")})[tested])
    joined = pd.concat(pairs, ignore_index=True)
    info = cohort.tasks["here"]
    people, arms = np.arange(len(joined)), {c: joined[c].to_numpy() for c in ("together", "alone")}
    scores = TaskPredictions(info, people, people, joined["y"].to_numpy(), arms).common(*arms)
    gain = scores.difference(*arms, metric.MAE, DRAWS, 0)
    said = f"all {len(chosen)} sites, {len(joined)} patients: gain {gain.value:.3f} mg/week"
    said += f" ({gain.ci_low:.3f} to {gain.ci_high:.3f})"
    print(said)
    return said


def probing(data: Path, full: bool) -> pd.DataFrame:
    """Verdicts of a whole run of the shipped ``config/runs/warfarin.yaml``, which has the site among its features."""
    shipped = ROOT / "config" / "runs" / "warfarin.yaml"
    run = yaml.safe_load(shipped.read_text())
    run["features"]["path"] = "patients.csv"
    run["training"] = settings(full, **({} if full else {"seeds": 2, "curves": 50}), single_task=False).model_dump()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        patients(data).to_csv(folder / "patients.csv", index=False, na_rep="NA")
        (folder / "run.yaml").write_text(yaml.safe_dump(run))
        described = read_run(folder / "run.yaml")
        for step in (prepare, train, probe):
            step(described, folder / "results")
        features = ad.read_h5ad(folder / "results" / "latents.h5ad").var["feature"]
        table = pd.read_csv(folder / "results" / "verdicts.tsv", sep="\t").set_index("dim")
        effects = pd.read_csv(folder / "results" / "effects.tsv", sep="\t")
    table.insert(0, "feature", features)
    for row in table.itertuples():
        print(f"{row.Index} {row.feature or 'supervised'}: {row.verdict}, driver {row.driver}; {row.why}")
    shown = effects[effects["feature"].isin(["cyp2c9", "vkorc1_imputed"])]
    print(shown.to_string(index=False, float_format="{:.2f}".format))
    return table


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["folds", "sites", "probing"])
    parser.add_argument("data", type=Path, help="folder with warfarin_iwpc/")
    parser.add_argument("--full", action="store_true", help="all curves, sites and seeds")
    given = parser.parse_args()
    {"folds": folds, "sites": sites, "probing": probing}[given.what](given.data, given.full)
