"""A new drug with few labels on a linear trunk of 167 drugs: is it predicted better than from the features alone?

    python benchmarks/real/new_drugs.py DATA [--full] [--part few|pathways|answers]

DATA holds ``gdsc_ic50/``. On 500 cell lines a ridge per drug (leave-one-out penalty) learns the trunk from mutations,
copy numbers and tissues; its predictions are the dimensions. A new drug, left out of the trunk, has labels on 5 to 100
other lines; its head is that of ``mtlbio add-task`` (:mod:`mtlbio.evaluation.added.head`), beside ridge on the features
with the same labels, by Pearson's r on the remaining lines. ``pathways`` leaves the whole pathway of the drug out of
the trunk. ``answers`` does so for drugs of the EGFR pathway, of which the other drugs know least: counts what
``add-task`` would say, and how often that is so on lines whose labels it never saw. The small form asks every second
drug once, five minutes; ``--full`` all drugs on three draws of lines, twenty.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.features import row_space
from mtlbio.evaluation.added.answer import answer_of
from mtlbio.evaluation.added.arms import Added, predict_held_out
from mtlbio.evaluation.added.common import believed
from mtlbio.evaluation.added.head import fit_head
from mtlbio.evaluation.baselines import fit_label
from mtlbio.evaluation.linear import ridge
from mtlbio.evaluation.predictions import collect
from mtlbio.labels import Regression
from mtlbio.training.frozen_head import Prior

LABELS = {"few": (5, 10, 20, 50, 100), "pathways": (10, 20, 50)}
TASK = Regression("drug")
LINES, LEAST, RARE = 500, 848, 5  # lines that train the trunk, of a drug; lines that have a feature
EGFR, LEAST_DRUGS = "EGFR signaling", 4


@dataclass(frozen=True)
class Drugs:
    """Features (lines, p), labels (lines, drugs) with gaps, names of lines (lines,), and pathways of drugs (drugs,)."""

    x: np.ndarray
    y: np.ndarray
    lines: np.ndarray
    pathways: np.ndarray


def read(data: Path, least: int = LEAST) -> Drugs:
    """Drugs that were measured on so many lines or more."""
    folder = data / "gdsc_ic50"
    labels = pd.read_csv(folder / "ic50_ln_uM_988x265.csv.gz", index_col=0)
    features = pd.read_csv(folder / "genomic_features_988.csv.gz", index_col=0).loc[labels.index]
    about = pd.read_csv(folder / "drug_decode.csv").set_index("drug_id")["Target pathway"]
    kept = [drug for drug in labels if labels[drug].notna().sum() >= least and int(drug) in about.index]
    tissue = pd.get_dummies(features["TISSUE_FACTOR"]).astype(float)
    x = pd.concat([tissue, features.drop(columns=["TISSUE_FACTOR", "MSI_FACTOR"])], axis=1).to_numpy(dtype=float)
    return Drugs(
        x, labels[kept].to_numpy(), labels.index.to_numpy().astype(str), about.loc[[int(d) for d in kept]].to_numpy()
    )


@dataclass(frozen=True)
class Trunk:
    """Features without rare ones (lines, p), predictions of all drugs (lines, drugs), and lines that it never saw."""

    x: np.ndarray
    predictions: np.ndarray
    unseen: np.ndarray


def trunk_of(drugs: Drugs, seed: int) -> Trunk:
    """Ridge of every drug's standardised labels on 500 lines."""
    from sklearn.linear_model import RidgeCV

    order = np.random.default_rng([seed, 7]).permutation(len(drugs.x))
    train, unseen = order[:LINES], np.sort(order[LINES:])
    x = drugs.x[:, drugs.x[train].sum(axis=0) >= RARE]
    x = x - x[train].mean(axis=0)
    penalties = np.logspace(0, -4, 9) * np.square(x[train]).sum()
    predictions = np.empty(drugs.y.shape)
    for drug, y in enumerate(drugs.y.T):
        rows = train[~np.isnan(y[train])]
        model = RidgeCV(penalties).fit(x[rows], (y[rows] - y[rows].mean()) / y[rows].std())
        predictions[:, drug] = model.predict(x)
    return Trunk(x, predictions, unseen)


def of_drugs(latents: np.ndarray) -> Prior:
    """What is believed of a head on dimensions that are the old drugs' predictions, each its own head."""
    return believed(latents, latents, np.eye(latents.shape[1]))


def compared(drugs: Drugs, trunk: Trunk, drug: int, keep: np.ndarray, labels: tuple, seed: int) -> Iterator[dict]:
    """Pearson's r of both arms on the lines that are left, for every number of labels; ``keep`` (drugs,) says which
    drugs the trunk may know."""
    y, latents = drugs.y[:, drug], trunk.predictions[:, keep]
    rows = trunk.unseen[~np.isnan(y[trunk.unseen])]
    rows, prior = np.random.default_rng([seed, drug]).permutation(rows), of_drugs(latents)
    for k in labels:
        some, rest = rows[:k], rows[k:]
        lines = drugs.lines[some]
        by_trunk = fit_head(TASK, prior, latents[some], y[some], lines, lines).predict(latents[rest])
        basis, scores = row_space(trunk.x[some] - trunk.x[some].mean(axis=0))
        of_rest = (trunk.x[rest] - trunk.x[some].mean(axis=0)) @ basis
        by_ridge = fit_label(ridge, scores, of_rest, y[some], lines, TASK, seed)
        for arm, predicted in {"trunk": by_trunk, "ridge": by_ridge}.items():
            r = np.corrcoef(predicted, y[rest])[0, 1] if np.ptp(predicted) > 1e-12 else 0.0
            yield {"drug": drug, "labels": k, "arm": arm, "r": r}


def curve(drugs: Drugs, trunks: dict[int, Trunk], every: int, whole: bool) -> pd.DataFrame:
    """Rows of :func:`compared` for every so many-th drug; ``whole`` leaves the pathway of the drug out of the trunk."""
    found, counts = [], pd.Series(drugs.pathways).value_counts()
    asked = [d for d in range(len(drugs.pathways)) if not whole or counts[drugs.pathways[d]] >= LEAST_DRUGS]
    for seed, trunk in trunks.items():
        for drug in asked[::every]:
            keep = np.arange(len(drugs.pathways)) != drug
            keep &= (not whole) | (drugs.pathways != drugs.pathways[drug])
            labels = LABELS["pathways" if whole else "few"]
            rows = compared(drugs, trunk, drug, keep, labels, seed)
            found += [row | {"pathway": drugs.pathways[drug]} for row in rows]
    return pd.DataFrame(found)


def answers(drugs: Drugs, trunk: Trunk, labels: int, seed: int) -> list[tuple[str, bool]]:
    """What ``add-task`` says of every EGFR drug, whose pathway the trunk does not know, and whether its head is the
    better one on the lines without a label."""
    said, keep = [], drugs.pathways != EGFR
    for drug in np.flatnonzero(~keep):
        y = drugs.y[trunk.unseen, drug]
        known = np.random.default_rng([seed, drug]).permutation(np.flatnonzero(~np.isnan(y)))[:labels]
        lines = drugs.lines[trunk.unseen]
        few = pd.Series(np.nan, lines)
        few.iloc[known] = y[known]
        names = tuple(f"f{i}" for i in range(trunk.x.shape[1]))
        cohort = Cohort(trunk.x[trunk.unseen].astype(np.float32), names, pd.DataFrame({"donor": lines}, index=lines))
        old = trunk.predictions[np.ix_(trunk.unseen, keep)]
        added = Added(TASK, few, old, cohort, len(names), old)
        answer = answer_of(collect(predict_held_out(added, seed), TASK), 2000, seed, 0.02).answer
        found = {row["arm"]: row["r"] for row in compared(drugs, trunk, drug, keep, (labels,), seed)}
        said.append((answer, found["trunk"] > found["ridge"]))
    return said


def main(data: Path, full: bool, part: str | None) -> None:
    """Print the tables."""
    drugs = read(data)
    trunks = {seed: trunk_of(drugs, seed) for seed in range(3 if full else 1)}
    print(f"{drugs.y.shape[1]} drugs, {drugs.x.shape[1]} features, trunks on {LINES} of {len(drugs.x)} lines")
    for name, whole in {"few": False, "pathways": True}.items():
        if part in (None, name):
            table = curve(drugs, trunks, 1 if full else 2, whole)
            print(f"\n{'the pathway left out' if whole else 'the drug left out'}, {table['drug'].nunique()} drugs")
            means = table.pivot_table(index="arm", columns="labels", values="r", sort=False)
            print(means.round(3).to_string(), flush=True)
        if part in (None, name) and whole:
            by = table.pivot_table(index="pathway", columns="arm", values="r")
            worse = by.index[by["trunk"] < by["ridge"]].tolist()
            print(f"worse on the trunk in {len(worse)} of {len(by)} pathways: {', '.join(worse) or 'none'}")
    if part in (None, "answers"):
        for k in (20, 50) if full else (20,):
            said = [answer for seed, trunk in trunks.items() for answer in answers(drugs, trunk, k, seed)]
            table = pd.DataFrame(said, columns=["answer", "better"]).groupby("answer")["better"].agg(["size", "sum"])
            print(f"\n{EGFR} left out, {k} labels: drugs, and those of which the head is better on other lines")
            print(table.to_string(header=False), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with gdsc_ic50/")
    parser.add_argument("--full", action="store_true", help="all drugs on three draws of lines")
    parser.add_argument("--part", choices=["few", "pathways", "answers"], help="this one only")
    given = parser.parse_args()
    main(given.data, given.full, given.part)
