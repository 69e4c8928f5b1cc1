"""Doses: three planted drugs, warfarin, and three drugs on one pathway.

    python benchmarks/doses.py planted                 # drug C with 40 patients; the enzyme's dimension
    python benchmarks/doses.py warfarin DATA           # five folds of patients, and folds of whole sites
    python benchmarks/doses.py sites DATA              # 200 patients of a site, alone and with the other sites
    python benchmarks/doses.py probing DATA            # the verdicts of warfarin's dimensions
    python benchmarks/doses.py gdsc DATA               # all labels; 60 lines labelled for one drug

DATA holds ``warfarin_iwpc/`` and ``gdsc_ic50/``. Every number is of people (cell lines) that were held out, in the
units of the file; intervals are paired bootstraps over them, 95 %. Nothing is chosen on held-out people: settings are
the defaults but for the curves, of which there are fewer for the sake of time. ``--full``: all 500 curves, more planted
cohorts, more sites, every drug in turn.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import anndata as ad
import numpy as np
import pandas as pd
import yaml

from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.prepare import build_cohort, prepare
from mtlbio.cohort.simulate_doses import simulate_doses, write_doses
from mtlbio.config import Training
from mtlbio.evaluation.bootstrap import bootstrap_weights, estimate, paired_difference
from mtlbio.kinds.read import read_run
from mtlbio.model.ensemble import FINAL
from mtlbio.probing.probe import probe
from mtlbio.progress import console
from mtlbio.training.fewer_labels import with_labels_of
from mtlbio.training.fold_in_table import fold_in_table
from mtlbio.training.problem import make_problem, make_targets, prepare_fold
from mtlbio.training.refits import Refit, Refitter
from mtlbio.training.subsets import out_of_fold
from mtlbio.training.train import train

DRAWS = 1000
# Of the warfarin table: what at least half of the patients have on record, and that is no free list of codes.
NUMERIC = ["age_decade", "height_cm", "weight_kg"]
CATEGORIES = ["race", "sex", "cyp2c9", "vkorc1_imputed", "amiodarone", "enzyme_inducer"]
CATEGORIES += ["smoker", "valve", "diabetes", "chf", "aspirin", "simvastatin"]
DRUGS = {"dabrafenib": "1373", "trametinib": "1372", "selumetinib": "1498"}
FOREST = {"dabrafenib": 0.69, "trametinib": 0.59, "selumetinib": 0.58}


def settings(full: bool, **changes) -> Training:
    """The defaults with borrowing, and fewer curves, which cost time, unless the form is full. All five seeds: only
    together do they validate on every labelled sample."""
    return Training(**{"curves": 500 if full else 200, "borrowing": True} | changes)


def fitted(
    cohort: Cohort, fold: np.ndarray, options: Training, arms: list[np.ndarray], only: list[int] | None = None
) -> Refit:
    """Train on the samples outside each fold of ``only``, all of them where left out; ``fold`` (n,)."""
    splits = pd.DataFrame({"sample": cohort.samples, "donor": cohort.donors, "fold": fold})
    folds = [prepare_fold(cohort, splits, f, options) for f in (only or sorted(set(fold.tolist())))]
    problem = make_problem(cohort, folds, make_targets(cohort, folds), arms, options.seeds, "cpu")
    (refit,) = Refitter(options, folds, problem).refit([cohort])
    return refit


def compared(
    cohort: Cohort, task: str, together: np.ndarray, alone: np.ndarray, metric: str = "mae", other: str = "alone"
) -> str:
    """Both, the gain and its interval, on the samples that both predict; ``other`` names the second."""
    info, y = cohort.tasks[task], cohort.y(task)
    known = np.isfinite(y) & np.isfinite(together) & np.isfinite(alone)
    weights = bootstrap_weights(cohort.donors[known], DRAWS, 0)
    both = [estimate(info, y[known], p[known], weights, metric).value for p in (together, alone)]
    gain = paired_difference(info, y[known], together[known], alone[known], weights, metric)
    said = f"{metric} together {both[0]:.3f}, {other} {both[1]:.3f}; gain {gain.value:.3f} ({gain.ci_low:.3f} to "
    share = f", {gain.value / both[1]:.1%} of {other}" if metric == "mae" else ""
    return f"{said}{gain.ci_high:.3f}){share}, n {known.sum()}, {'above 0' if gain.ci_low > 0 else 'NOT above 0'}"


def told(cohort: Cohort, task: str, pred: np.ndarray) -> str:
    """MAE, R2, r and the share within the tolerance, with intervals."""
    info, y = cohort.tasks[task], cohort.y(task)
    known = np.isfinite(y) & np.isfinite(pred)
    weights = bootstrap_weights(cohort.donors[known], DRAWS, 0)
    names = ["mae", "r2", "pearson"] + ([f"within_{100 * info.within:g}pct"] if info.within else [])
    found = {name: estimate(info, y[known], pred[known], weights, name) for name in names}
    return ", ".join(f"{name} {e.value:.3f} ({e.ci_low:.3f} to {e.ci_high:.3f})" for name, e in found.items())


def cohort_of(table: pd.DataFrame, run: dict) -> Cohort:
    """The cohort that ``mtlbio prepare`` would make of a table and a run's YAML."""
    with tempfile.TemporaryDirectory() as folder:
        table.to_csv(Path(folder) / "table.csv", index=False, na_rep="NA")
        run = {"run": "doses", **run, "features": {"path": "table.csv", **run["features"]}}
        (Path(folder) / "run.yaml").write_text(yaml.safe_dump(run))
        return build_cohort(read_run(Path(folder) / "run.yaml"))[0]


def planted(full: bool, seed: int = 0, test: int = 500) -> dict[str, float]:
    """Drug C with 40 patients; scored on ``test`` further patients whose dose is hidden."""
    found = {}
    for s in range(seed, seed + (3 if full else 1)):
        doses = simulate_doses(seed=s, c=40 + test)
        with tempfile.TemporaryDirectory() as folder:
            run = read_run(write_doses(folder, doses))
            cohort = build_cohort(run)[0]
        held_out = np.zeros(len(cohort.samples), dtype=int)
        held_out[-test:] = 1  # the last patients take drug C
        options = settings(full)
        refit = fitted(cohort, held_out, options, [np.ones(3), np.array([0.0, 0.0, 1.0])], only=[1])
        together, alone = (out_of_fold(cohort, refit, arm, "drug_c") for arm in (0, 1))
        print(f"seed {s}: drug_c {compared(cohort, 'drug_c', together, alone)}")
        # the fold's model stands for the final one: its dimensions are those of patients whom it has not seen
        final = [replace(data, fold=FINAL) for data in refit.folds]
        canonical = fold_in_table(
            cohort, final, refit.targets, refit.paths.heads, refit.paths.blocks, refit.mixed, list(range(options.seeds))
        )
        z = canonical.ensemble.latents(cohort.expression).mean(axis=0)[held_out == 1]
        truth = doses.truth.loc[cohort.samples[held_out == 1]]
        r2 = {str(n): np.corrcoef(z[:, k], truth["enzyme"])[0, 1] ** 2 for k, n in enumerate(canonical.feature) if n}
        ordered = sorted(r2, key=r2.get, reverse=True)
        print(f"seed {s}: dimension of the enzyme: {', '.join(f'{n} r2 {r2[n]:.3f}' for n in ordered[:3])}")
        found |= {f"r2_{s}": r2["enzyme"], f"gain_{s}": 1 - mae(cohort, together) / mae(cohort, alone)}
    return found


def mae(cohort: Cohort, pred: np.ndarray, task: str = "drug_c") -> float:
    """Mean absolute error."""
    return float(np.nanmean(np.abs(pred - cohort.y(task))))


def warfarin_table(data: Path) -> pd.DataFrame:
    """The analysis cohort of the data's README: stable, at most 175 mg a week, age, height and weight known.

    A race on record as unknown is a missing value, not one more ancestry: a whole site has no other.
    """
    table = pd.read_csv(data / "warfarin_iwpc" / "iwpc_tidy.csv.gz", dtype=str)
    number = {c: pd.to_numeric(table[c], errors="coerce") for c in ("stable", "dose_mg_week", *NUMERIC)}
    kept = (number["stable"] == 1) & (number["dose_mg_week"] <= 175)
    table["race"] = table["race"].where(table["race"] != "Unknown")
    return table[kept & pd.concat([number[c].notna() for c in NUMERIC], axis=1).all(axis=1)].reset_index(drop=True)


def warfarin_run(tasks: dict) -> dict:
    """The run's YAML; ``tasks`` by name, what each has besides the dose."""
    dose = {"kind": "regression", "column": "dose_mg_week", "transform": "sqrt", "unit": "mg/week"}
    return {
        "features": {"numeric": NUMERIC, "categories": CATEGORIES},
        "metadata": {"sample": "subject_id", "donor": "subject_id"},
        "tasks": {name: dose | more for name, more in tasks.items()},
        "covariates": {"site": {"role": "technical"}},
    }


def warfarin(data: Path, full: bool) -> dict[str, float]:
    """Five folds of patients, and five of whole sites (GroupKFold, as the published baselines)."""
    from sklearn.model_selection import GroupKFold, KFold

    cohort = cohort_of(warfarin_table(data), warfarin_run({"dose": {}}))
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
    table = warfarin_table(data)
    counts = table["site"].value_counts()
    large = sorted(counts.index[counts >= labelled + 100])
    chosen = large if full else large[:3]
    rng = np.random.default_rng([labelled, 51])
    pairs = []
    for target in chosen:
        cohort = cohort_of(
            table.assign(place=np.where(table["site"] == target, "here", "elsewhere")),
            warfarin_run({"here": {"where": {"place": "here"}}, "elsewhere": {"where": {"place": "elsewhere"}}}),
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
    weights = bootstrap_weights(np.arange(len(joined)), DRAWS, 0)
    gain = paired_difference(info, *(joined[c].to_numpy() for c in ("y", "together", "alone")), weights, "mae")
    said = f"all {len(chosen)} sites, {len(joined)} patients: gain {gain.value:.3f} mg/week"
    said += f" ({gain.ci_low:.3f} to {gain.ci_high:.3f})"
    print(said)
    return said


def probing(data: Path, full: bool) -> pd.DataFrame:
    """Verdicts of a whole run of the shipped ``config/runs/warfarin.yaml``, which has the site among its features."""
    shipped = Path(__file__).parents[1] / "config" / "runs" / "warfarin.yaml"
    run = yaml.safe_load(shipped.read_text())
    run["features"]["path"] = "patients.csv"
    run["training"] = settings(full, **({} if full else {"seeds": 2, "curves": 50}), single_task=False).model_dump()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        warfarin_table(data).to_csv(folder / "patients.csv", index=False, na_rep="NA")
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


def gdsc_cohort(data: Path) -> Cohort:
    """Lines with all three drugs; tissue and microsatellites as categories, mutations and copy numbers as numbers."""
    folder = data / "gdsc_ic50"
    ic50 = pd.read_csv(folder / "ic50_ln_uM_988x265.csv.gz", index_col=0)[list(DRUGS.values())].dropna()
    ic50.columns = list(DRUGS)
    features = pd.read_csv(folder / "genomic_features_988.csv.gz", index_col=0).loc[ic50.index]
    categories = [c for c in features if c.endswith("_FACTOR")]
    numeric = [c for c in features.select_dtypes("number") if c not in categories and features[c].nunique() > 1]
    table = features[categories + numeric].join(ic50)
    table.columns = [str(c) for c in table.columns]
    table.insert(0, "line", [f"L{i}" for i in table.index])
    return cohort_of(
        table.reset_index(drop=True),
        {
            "features": {"numeric": numeric, "categories": categories, "rare": 5},
            "metadata": {"sample": "line", "donor": "line"},
            "tasks": {drug: {"kind": "regression"} for drug in DRUGS},
        },
    )


def forest(cohort: Cohort, fold: np.ndarray) -> np.ndarray:
    """(n, drugs) predictions of one random forest for all drugs, on the same columns and folds."""
    from sklearn.ensemble import RandomForestRegressor

    y, pred = np.stack([cohort.y(drug) for drug in DRUGS], axis=1), np.zeros((len(fold), len(DRUGS)))
    x = np.nan_to_num(cohort.expression)
    for f in np.unique(fold):
        trees = RandomForestRegressor(500, max_features=1 / 3, random_state=0, n_jobs=-1)
        pred[fold == f] = trees.fit(x[fold != f], y[fold != f]).predict(x[fold == f])
    return pred


def gdsc(data: Path, full: bool, labelled: int = 60) -> dict[str, float]:
    """Five folds with all labels; then each drug in turn (the first in the small form) with 60 lines to train on."""
    from sklearn.model_selection import KFold

    cohort = gdsc_cohort(data)
    n, found = len(cohort.samples), {}
    fold = np.zeros(n, dtype=int)
    for f, (_, test) in enumerate(KFold(5, shuffle=True, random_state=0).split(np.zeros((n, 1)))):
        fold[test] = f
    print(f"{n} lines, {len(cohort.genes)} columns")
    refit = fitted(cohort, fold, settings(full), [np.ones(3)])
    trees = forest(cohort, fold)
    for t, drug in enumerate(DRUGS):
        pred = out_of_fold(cohort, refit, 0, drug)
        print(f"{drug}: {told(cohort, drug, pred)}; a forest of others r {FOREST[drug]}")
        print(f"{drug}, this or a forest: {compared(cohort, drug, pred, trees[:, t], 'pearson', 'forest')}", flush=True)
        found[drug] = float(np.corrcoef(pred, cohort.y(drug))[0, 1])
    for t, drug in enumerate(DRUGS):
        if t and not full:
            break
        rng = np.random.default_rng([t, 52])
        # so many in every fold's training lines
        known = np.concatenate([rng.permutation(np.flatnonzero(fold == f))[: labelled // 4] for f in range(5)])
        few = with_labels_of(cohort, drug, cohort.donors[known])
        refit = fitted(few, fold, settings(full), [np.ones(3), np.eye(3)[t]])
        together, alone = (out_of_fold(few, refit, arm, drug) for arm in (0, 1))
        print(f"{drug}, {labelled} lines: {compared(cohort, drug, together, alone, 'pearson')}")
        print(f"{drug}, {labelled} lines: {compared(cohort, drug, together, alone)}", flush=True)
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["planted", "warfarin", "sites", "probing", "gdsc"])
    parser.add_argument("data", type=Path, nargs="?", help="folder with warfarin_iwpc/ and gdsc_ic50/")
    parser.add_argument("--full", action="store_true")
    given = parser.parse_args()
    console.quiet = True
    if given.what == "planted":
        planted(given.full)
    elif given.data is None:
        parser.error("DATA: the folder with warfarin_iwpc/ and gdsc_ic50/")
    else:
        {"warfarin": warfarin, "sites": sites, "probing": probing, "gdsc": gdsc}[given.what](given.data, given.full)
