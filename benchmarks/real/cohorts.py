"""What the workflow finds on real cohorts: predictions against the best baseline, and the lupus facts that are known.

    python benchmarks/real/cohorts.py DATA [--cohorts sle covid_proteome ...] [--results DIR] [--cores 2]

DATA holds one folder per cohort with ``expression.parquet`` and ``metadata.csv`` (and ``genesets/`` with GMT files);
none of it ships with mtlbio. A finished run in the results folder is reused by Snakemake's own rules.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import anndata as ad
import numpy as np
import pandas as pd
import yaml

from mtlbio.progress import show_progress
from mtlbio.tables import read_table

_AGE = {"age": {"kind": "regression"}}
_CONFOUNDERS = {"age": {"role": "confounder", "kind": "continuous"}, "sex": {"role": "confounder"}}
_HALLMARK = "genesets/h.all.v2024.1.Hs.symbols.gmt"

COHORTS: dict[str, dict] = {
    "sle": {
        "scale": "log2",
        "tasks": {"disease": {"kind": "binary", "positive": "SLE"}}
        | _AGE
        | {"response": {"kind": "binary", "column": "response_180d", "positive": "responder"}},
        "covariates": _CONFOUNDERS | {"batch": {"role": "technical"}, "array_chip": {"role": "technical"}},
        "gene_sets": _HALLMARK,
    },
    "ra_methylation": {
        "scale": "beta",
        "tasks": {"disease": {"kind": "binary", "positive": "RA"}} | _AGE,
        "covariates": _CONFOUNDERS | {"array_chip": {"role": "technical"}},
    },
    "covid_proteome": {
        "scale": "log2",
        "tasks": {"disease": {"kind": "binary", "positive": "COVID19"}}
        | _AGE
        | {"outcome": {"kind": "binary", "positive": "favourable"}},
        "covariates": _CONFOUNDERS,
        "gene_sets": _HALLMARK,
    },
    "ageing_proteome": {
        "scale": "log",
        "tasks": _AGE | {"sex": {"kind": "binary", "positive": "female"}},
        "covariates": _CONFOUNDERS | {"cohort": {"role": "technical"}},
    },
}


def write_run(name: str, data: Path, folder: Path) -> Path:
    """The run's YAML beside the results, with absolute paths to the data."""
    content = dict(COHORTS[name])
    content["run"] = name
    content["expression"] = {"path": str(data / name / "expression.parquet"), "scale": content.pop("scale")}
    content["metadata"] = {"path": str(data / name / "metadata.csv")}
    if "gene_sets" in content:
        content["gene_sets"] = str(data / content["gene_sets"])
    path = folder / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return path


def predictions(results: Path) -> pd.DataFrame:
    """Multi-task arm against the best baseline and the single-task arm, per task."""
    metrics, comparisons = read_table(results / "metrics.tsv"), read_table(results / "comparisons.tsv")
    rows = []
    for _, row in comparisons[comparisons["best_baseline"] == "yes"].iterrows():
        own = metrics[(metrics["task"] == row["task"]) & (metrics["metric"] == row["metric"])].set_index("arm")
        single = comparisons[(comparisons["task"] == row["task"]) & (comparisons["arm_b"] == "singletask")].iloc[0]
        rows.append(
            {
                "task": row["task"],
                "metric": row["metric"],
                "multitask": own.loc["multitask", "value"],
                "best baseline": f"{row['arm_b']} {own.loc[row['arm_b'], 'value']:.3f}",
                "difference": f"{row['difference']:+.3f} [{row['ci_low']:+.3f}, {row['ci_high']:+.3f}]",
                "call": row["call"],
                "against single-task": f"{single['difference']:+.3f} {single['call']}",
            }
        )
    return pd.DataFrame(rows)


def lupus_facts(results: Path, data: Path) -> pd.DataFrame:
    """Held-out latents against the interferon reference, the chips and the technical replicates."""
    latents = ad.read_h5ad(results / "latents.h5ad")
    verdicts = read_table(results / "verdicts.tsv").set_index("dim")
    metadata = pd.read_csv(data / "sle" / "metadata.csv", dtype={"array_chip": str}).set_index("sample_id")
    metadata = metadata.loc[latents.obs_names]
    values = pd.DataFrame(latents.X, metadata.index, latents.var_names)
    pairs = [rows for rows in metadata.groupby("replicate_pair").groups.values() if len(rows) == 2]
    first, second = (values.loc[[rows[i] for rows in pairs]].to_numpy() for i in (0, 1))
    chip = metadata["array_chip"].to_numpy()
    facts = pd.DataFrame(
        {
            "r_interferon": values.corrwith(metadata["ifn_score_reference"]),
            "eta2_chip": 1 - (values - values.groupby(chip).transform("mean")).var(ddof=0) / values.var(ddof=0),
            "r_replicates": [np.corrcoef(a, b)[0, 1] for a, b in zip(first.T, second.T, strict=True)],
        }
    )
    removal = [c for c in verdicts if c.startswith("removal_")]
    facts = facts.join(verdicts[["verdict", "driver", *removal]])
    shown = facts["verdict"].isin(["biology", "technical"]) & (latents.var["block"] == "axis")
    return facts[shown].reset_index(names="dim")


def main() -> int:
    """Run the cohorts and print their tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--cohorts", nargs="+", default=list(COHORTS), choices=list(COHORTS))
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--cores", default="2")
    options = parser.parse_args()
    for name in options.cohorts:
        if not (options.data / name / "expression.parquet").exists():
            print(f"{name}: skipped, no {options.data / name / 'expression.parquet'}")
            continue
        run = write_run(name, options.data.resolve(), options.results / "benchmarks")
        command = [str(Path(sys.executable).parent / "mtlbio"), "run", str(run), "--cores", options.cores]
        start = time.perf_counter()
        done = subprocess.run([*command, "--results", str(options.results), "--quiet", "all"], check=False)
        if done.returncode:
            return done.returncode
        print(f"\n{name} ({time.perf_counter() - start:.0f} s)")
        print(predictions(options.results / name).to_string(index=False, float_format="%.3f"))
        if name == "sle":
            print(lupus_facts(options.results / name, options.data).to_string(index=False, float_format="%.3f"))
    return 0


if __name__ == "__main__":
    show_progress()
    sys.exit(main())
