"""The plain facts of a run: cohort, quality control, versions, files."""

from __future__ import annotations

from importlib import metadata

import numpy as np
import pandas as pd

from mtlbio import __version__
from mtlbio.report.inputs import OPTIONAL, Inputs
from mtlbio.report.words import counted, probability
from mtlbio.text import known, number

QC_ROWS = 40


def facts(inputs: Inputs) -> dict:
    """Size of the cohort, labels with their counts, covariates with their roles."""
    cohort, obs = inputs.cohort, inputs.obs
    tasks = []
    for name, info in cohort.tasks.items():
        column = obs[name]
        missing = int(column.isna().sum())
        tasks.append({"name": name, "kind": info.kind, "text": info.summary(column), "missing": missing})
    covariates = []
    for name, covariate in cohort.covariates.items():
        column = obs[name]
        if covariate.kind == "continuous":
            values = column.astype(float)
            text = f"{number(values.min(), 1)} to {number(values.max(), 1)}"
        else:
            text = counted(column.dropna().nunique(), "level")
        missing = int(column.isna().sum())
        covariates.append({"name": name, "role": covariate.role, "text": text, "missing": missing})
    sizes = inputs.kind.part("report", "sizes")(inputs)
    return {
        "sizes": [*sizes, (inputs.latents.shape[1], "dimensions")],
        "tasks": tasks,
        "covariates": covariates,
    }


def quality(inputs: Inputs) -> dict | None:
    """What quality control dropped: counts by kind and reason, and the first items of each."""
    table = inputs.tables.get("qc")
    if table is None:
        return None
    counts = table.groupby(["kind", "reason"], sort=True).size()
    return {
        "counts": [{"kind": k, "reason": r, "count": int(n)} for (k, r), n in counts.items()],
        "rows": as_text(table[table["kind"] != "gene"].head(QC_ROWS)),
        "total": int((table["kind"] != "gene").sum()),
    }


def as_text(table: pd.DataFrame) -> dict:
    """Any table as header and rows of text; numbers with three decimals, p and q values in their own form."""

    def cell(column: str, value) -> str:
        if not known(value):
            return "–"
        if isinstance(value, (bool, np.bool_)):
            return "yes" if value else "no"
        if isinstance(value, (int, np.integer)):
            return str(int(value))
        if isinstance(value, (float, np.floating)):
            if column == "p" or column.startswith(("p_", "q_")) or column == "q":
                return probability(float(value))
            return number(value, 0 if float(value).is_integer() and abs(float(value)) > 1 else 3)
        return str(value)

    header = [str(c) for c in table.columns]
    rows = [[cell(c, v) for c, v in zip(header, row, strict=True)] for row in table.itertuples(index=False)]
    return {"header": header, "rows": rows}


def versions() -> list[tuple[str, str]]:
    """Versions of what computed the numbers; read from package metadata, nothing heavy is imported."""
    import platform

    names = ("torch", "numpy", "scipy", "statsmodels", "scikit-learn", "anndata", "decoupler", "matplotlib")
    found = [("mtlbio", __version__), ("python", platform.python_version())]
    for name in names:
        try:
            found.append((name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            found.append((name, "not installed"))
    return found


def files(inputs: Inputs) -> list[tuple[str, str]]:
    """The run's files and what each holds."""
    words = inputs.words
    measured = f"{words.samples} x {words.features}, labels, covariates"
    says = {
        "cohort.h5ad": inputs.kind.page.cohort_file or measured,
        "latents.h5ad": f"out-of-fold latents, {words.feature} loadings",
        "verdicts.tsv": "one row per dimension",
        "metrics.tsv": "every arm on every task, with intervals",
        "comparisons.tsv": "paired differences between arms",
        "transfer.tsv": "does sharing help, per task",
        "label_noise.tsv": "do labels look shuffled, and could it have been seen",
        "reprobe.tsv": f"can the {words.batch} still be read, and from what",
        "history.tsv": "losses by epoch",
        "conflict.tsv": "do the tasks' gradients pull in one direction, by epoch",
        "effects.tsv": "what a feature changes, in the model",
        "qc.tsv": "what was dropped, and why",
        "splits.tsv": f"which {words.units} were held out together",
        "probing/audit.tsv": "what the design can tell apart",
        "probing/enrichment.tsv": f"{words.gene_sets} per dimension",
    }
    present = {"cohort.h5ad", "latents.h5ad", "verdicts.tsv", *(OPTIONAL[name][0] for name in inputs.tables)}
    return [(file, text) for file, text in says.items() if file in present] + [
        ("figures/", "every figure of this page as SVG and PNG")
    ]
