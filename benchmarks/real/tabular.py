"""Two tabular cohorts as runs: drug responses of cell lines, and heart disease in four hospitals.

Both become a matrix of standardised features with one row per line or patient. Missing numbers are filled with the
median of the column, and where they are frequent an indicator says so.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from mtlbio.kinds.read import read_run
from mtlbio.kinds.schemas import CohortRun

DRUGS = {"dabrafenib": "1373", "trametinib": "1372", "selumetinib": "1498"}
_LEAST = 10  # lines that carry an alteration, and lines of a tissue: rarer ones are left out
_CATEGORIES = ("cp", "restecg", "slope", "thal")


def _standardised(table: pd.DataFrame) -> pd.DataFrame:
    """Columns that vary, with mean 0 and standard deviation 1."""
    table = table.loc[:, table.nunique() > 1].astype(float)
    return (table - table.mean()) / table.std(ddof=0)


def gdsc(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame, dict]:
    """Alterations and tissue of cell lines; ln IC50 of three drugs on the RAF-MEK pathway, a task each."""
    response = pd.read_csv(folder / "ic50_ln_uM_988x265.csv.gz", index_col=0)[list(DRUGS.values())]
    features = pd.read_csv(folder / "genomic_features_988.csv.gz", index_col=0)
    tissue = pd.get_dummies(features.pop("TISSUE_FACTOR"), prefix="tissue", dtype=float)
    features = pd.concat([tissue, features.select_dtypes("number")], axis=1)
    lines = response.dropna(how="all").index.intersection(features.index)
    features = features.loc[lines, features.loc[lines].sum() >= _LEAST]
    labels = response.loc[lines].set_axis(list(DRUGS), axis=1)
    return _standardised(features), labels, {drug: {"kind": "regression"} for drug in DRUGS}


def heart(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame, dict]:
    """Thirteen clinical features; disease of the coronary arteries, a task for each hospital."""
    table = pd.read_csv(folder / "heart_disease_4sites.csv")
    table["chol"] = table["chol"].replace(0, np.nan)  # a code for missing in two hospitals
    clinical = table.drop(columns=["site", "num", "target", *_CATEGORIES])
    missing = clinical.isna().astype(float).add_suffix("_missing")
    categories = pd.get_dummies(table[list(_CATEGORIES)].astype("Int64").astype(str), dtype=float)
    features = pd.concat([clinical.fillna(clinical.median()), missing, categories], axis=1)
    sick = table["target"].map({0: "healthy", 1: "sick"})
    sites = sorted(table["site"].unique())
    labels = pd.DataFrame({site: sick.where(table["site"] == site) for site in sites})
    return _standardised(features), labels, {site: {"kind": "binary", "positive": "sick"} for site in sites}


TABULAR: dict[str, Callable[[Path], tuple[pd.DataFrame, pd.DataFrame, dict]]] = {
    "gdsc_ic50": gdsc,
    "heart_four_hospitals": heart,
}


def described_table(name: str, data: Path, folder: Path) -> CohortRun:
    """The run of a tabular cohort; its matrix, labels and YAML are written below ``folder``."""
    features, labels, tasks = TABULAR[name](data / name)
    samples = pd.Index([f"S{i:04d}" for i in range(len(features))], name="sample_id")
    features.index = labels.index = samples
    own = folder / f"{name}_tables"
    own.mkdir(parents=True, exist_ok=True)
    features.to_parquet(own / "features.parquet")
    labels.assign(donor_id=samples).to_csv(own / "labels.csv")
    content = {
        "run": name,
        "expression": {"path": "features.parquet", "scale": "z"},
        "metadata": {"path": "labels.csv"},
        "tasks": tasks,
        "training": {"device": "cpu"},
    }
    (own / "run.yaml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return read_run(own / "run.yaml")
