"""A results folder as the other steps write it, in a second and without training anything."""

from __future__ import annotations

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort, CovariateInfo, schema_json, write_cohort
from mtlbio.kinds.schemas import CohortRun
from mtlbio.labels import Binary, Regression
from mtlbio.probing.null_refits import empty
from mtlbio.tables import (
    COMPARISONS,
    CONFLICT,
    HISTORY,
    LABEL_NOISE,
    METRICS,
    QC,
    REPROBE,
    SPLITS,
    TRANSFER,
    VERDICTS,
    write_table,
)

SET = "HALLMARK_INTERFERON_ALPHA_RESPONSE"
DIMS = {  # dimension -> verdict, driver
    "z01": ("confounder", "age"),
    "z02": ("biology", SET),
    "z03": ("technical", "batch"),
    "z04": ("technical", "batch"),
    "z05": ("mixed", "disease"),
    "z06": ("not_identifiable", "site"),
    "z07": ("underpowered", None),
    "z08": ("biology", "response"),
    "z09": ("confounder", "sex"),
    "z10": ("unused", None),
    "z11": ("unused", None),
    "z12": ("underpowered", "disease"),
}
TASKS = {
    "disease": Binary("disease", ("healthy", "SLE")),
    "age": Regression("age"),
    "response": Binary("response", ("no", "yes")),
}


def fabricate(folder: Path, donors: int = 160, hostile: bool = False, seed: int = 3) -> CohortRun:
    """Write a results folder under ``folder`` and return the run that belongs to it.

    ``hostile`` gives genes, levels and sentences names that are markup.
    """
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    evil = "<script>alert('x')</script>" if hostile else ""
    rows = np.repeat(np.arange(donors), 2)  # two samples of each donor
    age, interferon = rng.uniform(20, 80, donors), rng.normal(size=donors)
    disease = rng.uniform(size=donors) < 1 / (1 + np.exp(-(1.6 * interferon + 0.03 * (age - 50))))
    response = np.where(disease & (rng.uniform(size=donors) < 0.7), rng.uniform(size=donors) < 0.5, np.nan)
    site = np.where(rng.uniform(size=donors) < 0.9, disease, ~disease)
    batch = rng.integers(0, 4, len(rows))
    sex = rng.integers(0, 2, donors)
    levels = np.array([f"plate{i}{evil if i == 1 else ''}" for i in range(4)])
    samples = [f"S{i:03d}" for i in range(len(rows))]
    obs = pd.DataFrame(
        {
            "donor": [f"D{i:03d}" for i in rows],
            "disease": np.where(disease, "SLE", "healthy")[rows],
            "age": age[rows],
            "response": np.where(np.isnan(response), None, np.where(response == 1, "yes", "no"))[rows],
            "sex": np.array(["F", "M"])[sex][rows],
            "site": np.where(site, "Leeds", "Oslo")[rows],
            "batch": levels[batch],
        },
        index=pd.Index(samples, name="sample"),
    )
    for column in ("disease", "response", "sex", "site", "batch"):
        obs[column] = pd.Categorical(obs[column])
    genes = [f"GENE{i}" for i in range(200)]
    genes[:6] = ["IFI44L", "ISG15", "MX1", "OAS1", "IFIT3", f"RSAD2{evil}"]
    expression = rng.normal(size=(len(rows), 200))
    expression[:, :6] += interferon[rows, None] * 1.2
    covariates = {
        "age": CovariateInfo("age", "confounder", "continuous"),
        "sex": CovariateInfo("sex", "confounder", "categorical"),
        "site": CovariateInfo("site", "confounder", "categorical"),
        "batch": CovariateInfo("batch", "technical", "categorical"),
    }
    cohort = Cohort(expression.astype(np.float32), tuple(genes), obs, TASKS, covariates)
    write_cohort(cohort, folder / "cohort.h5ad")
    drive = {
        "z01": ((age - 50) / 17)[rows] + 0.6 * np.sin(age / 9)[rows],
        "z02": interferon[rows],
        "z03": np.array([-1.2, -0.3, 0.4, 1.3])[batch],
        "z04": np.array([1.0, -1.0, 0.2, 0.1])[batch],
        "z05": (disease * 1.0)[rows] + np.array([0, 0.4, 0.8, 1.1])[batch],
        "z06": (site * 1.5)[rows],
        "z08": (np.nan_to_num(response, nan=0.5))[rows],
        "z09": (sex * 1.4)[rows],
        "z12": (disease * 0.3)[rows],
    }
    dims = list(DIMS)
    latents = np.column_stack([drive.get(d, 0) + rng.normal(0, 0.5 if d in drive else 1, len(rows)) for d in dims])
    latents = ((latents - latents.mean(0)) / latents.std(0)).astype(np.float32)
    loadings = rng.normal(0, 0.1, (len(dims), 200))
    loadings[1, :6] = [0.9, 0.85, 0.8, 0.75, 0.7, 0.65]
    adata = ad.AnnData(latents, obs=obs, var=pd.DataFrame(index=pd.Index(dims, name="dim")))
    adata.var["block"] = "axis"
    adata.var["stability"] = rng.uniform(0.6, 0.98, len(dims))
    adata.var["variance"] = np.linspace(0.2, 0.01, len(dims))
    adata.layers["final"] = latents
    adata.varm["loadings"] = loadings
    adata.uns.update({"genes": np.array(genes), "mtlbio": schema_json(cohort), "effective_rank": 9.4})
    adata.write_h5ad(folder / "latents.h5ad")
    write_table(_verdicts(rng, evil), folder / "verdicts.tsv", VERDICTS)
    for name, table in zip(("null", "null_runs"), empty(), strict=True):
        write_table(table, folder / "probing" / f"{name}.tsv")
    _tables(rng, folder, samples, obs, evil)
    gmt = folder / "sets.gmt"
    gmt.write_text(f"{SET}\tnone\t" + "\t".join(genes[:6]) + "\n", encoding="utf-8")
    return CohortRun.model_validate(
        {
            "run": "fabricated",
            "expression": {"path": "x.csv", "scale": "log"},
            "tasks": {
                "disease": {"kind": "binary", "positive": "SLE"},
                "age": {"kind": "regression"},
                "response": {"kind": "binary", "positive": "yes"},
            },
            "covariates": {n: {"role": c.role, "kind": c.kind} for n, c in covariates.items()},
            "gene_sets": str(gmt),
            "report": {"title": f"Lupus, two visits per donor {evil}".strip()},
        }
    )


def _verdicts(rng: np.random.Generator, evil: str) -> pd.DataFrame:
    why = {
        "z01": "z01 follows age (share 0.71); once age is given, its link to disease is no larger than 0.05.",
        "z02": "z02 carries the interferon response: it follows disease after age, sex, site and batch are given.",
        "z03": "z03 follows batch (share 0.82) and every prediction does as well without it.",
        "z04": "z04 follows batch (share 0.66), and the prediction of disease is worse without it.",
    }
    rows = []
    for i, (dim, (verdict, driver)) in enumerate(DIMS.items()):
        row = {"dim": dim, "verdict": verdict, "driver": driver}
        for covariate in ("age", "sex", "site", "batch"):
            high = driver == covariate
            dominant = {"z01": 0.71, "z03": 0.82, "z04": 0.66}.get(dim, 0.63)
            row[f"share_{covariate}"] = dominant if high else round(rng.uniform(0, 0.08), 3)
        for task in TASKS:
            strong = (task == "disease" and verdict in ("biology", "mixed")) or driver == task
            effect = rng.uniform(0.4, 0.8) if strong else rng.normal(0, 0.05)
            effect = 0.9 if (dim, task) == ("z02", "disease") else effect
            row |= {f"effect_{task}": effect, f"ci_low_{task}": effect - 0.17, f"ci_high_{task}": effect + 0.17}
            row[f"q_{task}"] = 0.0004 if strong else rng.uniform(0.1, 0.9)
            harmful = strong or (dim == "z04" and task == "disease")
            delta = rng.uniform(0.03, 0.07) if harmful else rng.normal(0, 0.003)
            width = rng.uniform(0.008, 0.014) if verdict != "underpowered" else 0.04
            row |= {
                f"delta_{task}": delta,
                f"delta_ci_low_{task}": delta - width,
                f"delta_ci_high_{task}": delta + width,
            }
            call = "harmful" if delta > width else "harmless" if delta + width < 0.02 else "inconclusive"
            row[f"removal_{task}"] = call
        row |= {"stability": 0.97 - 0.02 * i, "n_effective": 140 - i, "vif": 1.2}
        row["why"] = why.get(dim, f"{dim} is {verdict.replace('_', ' ')}: an invented sentence.") + evil
        rows.append(row)
    return pd.DataFrame(rows)


def _tables(rng, folder: Path, samples: list[str], obs: pd.DataFrame, evil: str) -> None:
    level = {"disease": (0.88, "auroc", 0.66), "age": (0.05, "r2", 0.01), "response": (0.53, "auroc", 0.5)}
    metrics, comparisons = [], []
    for task, (value, metric, base) in level.items():
        shift = {"multitask": 0, "singletask": -0.01, "ridge": 0.01, "elasticnet": -0.02, "lightgbm": -0.04}
        for arm, by in {**shift, "pca_linear": -0.03, "covariates": base - value}.items():
            half = 0.04 if task != "response" else 0.1
            metrics.append([arm, task, metric, value + by, value + by - half, value + by + half, 320, 160])
            if arm != "multitask":
                call = {"covariates": "better", "ridge": "no_worse"}.get(arm, "undecided")
                if arm == "covariates" and task == "response":
                    call = "undecided"
                comparisons.append(["multitask", arm, task, metric, -by, -by - 0.02, -by + 0.02, call])
    write_table(pd.DataFrame(metrics, columns=METRICS), folder / "metrics.tsv")
    write_table(pd.DataFrame(comparisons, columns=COMPARISONS), folder / "comparisons.tsv")
    transfer = [
        ["disease", "auroc", 0.88, 0.87, 0.01, 0.002, 0.018, "helps", 320, 160, 1.0, f"disease: sharing helps.{evil}"],
        ["age", "r2", 0.05, 0.04, 0.01, -0.02, 0.04, "cannot tell", 320, 160, 1.0, "age: nobody can tell."],
        ["response", "auroc", 0.53, 0.6, -0.07, -0.1, -0.02, "hurts", 90, 45, 0.98, "response: sharing hurts."],
    ]
    write_table(pd.DataFrame(transfer, columns=TRANSFER), folder / "transfer.tsv")
    read = []
    for where, value, over in (("labels", 0.55, np.nan), ("axes", 0.98, 0.43), ("supervised", 0.75, 0.2)):
        row = ["batch", "technical", "no", where, "linear", "auroc", value, value - 0.05, value + 0.02, 0.5]
        read.append([*row, "yes", over, over - 0.1, over + 0.1, 2, 320, 160, f"batch: somebody reads it.{evil}"])
    write_table(pd.DataFrame(read, columns=REPROBE), folder / "reprobe.tsv")
    drawn = "response: about 50 % of its labels look as if drawn anew."
    noise = [
        ["disease", "auroc", 0.88, 160, 0.0, 0.0, 0.2, 1.0, "no", "yes", None, f"disease: no sign.{evil}"],
        ["age", "r2", 0.05, 160, 0.3, 0.0, 0.9, 0.6, "no", "no", None, "age: no alarm, but this says little."],
        ["response", "auroc", 0.53, 45, 0.5, 0.2, 0.8, 0.002, "yes", "yes", "S001 (0.91); S017 (0.88)", drawn + evil],
    ]
    write_table(pd.DataFrame(noise, columns=LABEL_NOISE), folder / "label_noise.tsv")
    history = []
    for arm in ("multitask", "singletask"):
        for replica in range(6):
            for epoch in range(0, 60 + 8 * replica, 4):
                for task in (*TASKS, "reconstruction") if arm == "multitask" else TASKS:
                    for part, floor in (("train", 0.25), ("validation", 0.45)):
                        loss = floor + 0.5 * np.exp(-epoch / 15) + rng.normal(0, 0.02)
                        history.append([arm, replica % 3, str(replica // 3), epoch, task, part, loss])
    write_table(pd.DataFrame(history, columns=HISTORY), folder / "history.tsv")
    conflict = []
    for epoch in range(0, 60, 5):
        for a, b, cosine, overlap in (("disease", "age", -0.2, 0.9), ("disease", "response", 0.5, 0.1)):
            row = [epoch, a, b, 6, cosine + 0.001 * epoch, cosine - 0.2, cosine + 0.2, 0.6, 80.0, 0.1, 0.2, 60, 50]
            conflict.append([*row, overlap, overlap > 0.3])
    write_table(pd.DataFrame(conflict, columns=CONFLICT), folder / "conflict.tsv")
    qc = [["S900", "sample", "too few genes", f"812 of 1000 {evil}"], ["GENE9", "gene", "constant", "NA"]]
    write_table(pd.DataFrame(qc, columns=QC), folder / "qc.tsv")
    folds = [int(d[1:]) % 5 for d in obs["donor"]]
    write_table(
        pd.DataFrame({"sample": samples, "donor": obs["donor"].to_numpy(), "fold": folds}),
        folder / "splits.tsv",
        SPLITS,
    )
    audit = pd.DataFrame(
        [
            ["disease", "age", "ok", 0.12, 1.1, "disease and age overlap: the two can be told apart (VIF 1.1)."],
            [
                "disease",
                "site",
                "not_identifiable",
                0.81,
                5.2,
                "nearly all SLE donors are from Leeds (VIF 5.2)." + evil,
            ],
        ],
        columns=["task", "covariate", "call", "association", "vif", "why"],
    )
    write_table(audit, folder / "probing" / "audit.tsv")
    sets = pd.DataFrame(
        [
            ["z02", "HALLMARK_APOPTOSIS", 12, 6.1, 0.2, 0.4, False],
            ["z02", SET, 6, 5.1, 0.0002, 0.001, True],
            ["z01", "SENESCENCE", 20, 2.0, 0.01, 0.2, False],
        ],
        columns=["dim", "set", "genes", "ulm", "p", "q", "names"],
    )
    write_table(sets, folder / "probing" / "enrichment.tsv")
    cells = [("z02", "monocytes", 0.42), ("z02", f"NK_cells{evil}", 0.11), ("z02", "platelets", 0.02)]
    cells += [("z03", "neutrophils", 0.29), ("z07", "B_cells", 0.31)]
    cells = pd.DataFrame(cells, columns=["dim", "cell_type", "share"])
    write_table(cells.assign(held_fixed=False), folder / "probing" / "composition.tsv")
