"""The plain facts of a run: cohort, quality control, versions, files."""

import platform
from importlib import metadata
from typing import Any

import numpy as np
import pandas as pd

from mtlbio import __version__
from mtlbio.report.inputs import OPTIONAL, Inputs
from mtlbio.report.words import counted, probability
from mtlbio.section import Section
from mtlbio.text import known, number

QC_ROWS = 40


def facts(inputs: Inputs) -> dict:
    """Size of the cohort, labels with their counts, covariates with their roles."""
    cohort, missing = inputs.cohort, inputs.obs.isna().sum()
    tasks = [
        {"name": name, "text": info.summary(inputs.obs[name]), "missing": missing[name]}
        for name, info in cohort.tasks.items()
    ]
    covariates = [
        {"name": name, "role": info.role, "text": _extent(inputs.obs[name], info.kind), "missing": missing[name]}
        for name, info in cohort.covariates.items()
    ]
    sizes = inputs.kind.part("report", "sizes")(inputs)
    return {"sizes": [*sizes, (inputs.latents.shape[1], "dimensions")], "tasks": tasks, "covariates": covariates}


def _extent(column: pd.Series, kind: str) -> str:
    if kind != "continuous":
        return counted(column.dropna().nunique(), "level")
    values = column.astype(float)
    return f"{number(values.min(), 1)} to {number(values.max(), 1)}"


def quality(inputs: Inputs) -> dict | None:
    """What quality control dropped: counts by kind and reason, and the first items of each."""
    table = inputs.tables.get("qc")
    if table is None:
        return None
    counts, rows = table.groupby(["kind", "reason"], sort=True).size(), table[table["kind"] != "gene"]
    return {
        "counts": [{"kind": kind, "reason": reason, "count": int(n)} for (kind, reason), n in counts.items()],
        "rows": as_text(rows.head(QC_ROWS)),
        "total": len(rows),
    }


def as_text(table: pd.DataFrame) -> dict:
    """Any table as header and rows of text; numbers with three decimals, p and q values in their own form."""

    def cell(column: str, value) -> str:
        if not known(value):
            return "–"
        if isinstance(value, (bool, np.bool_)):
            return "yes" if value else "no"
        if isinstance(value, (float, np.floating)):
            if column in ("p", "q") or column.startswith(("p_", "q_")):
                return probability(float(value))
            return number(value, 0 if float(value).is_integer() and abs(float(value)) > 1 else 3)
        return str(value)

    header = [str(c) for c in table.columns]
    rows = [[cell(c, v) for c, v in zip(header, row, strict=True)] for row in table.itertuples(index=False)]
    return {"header": header, "rows": rows}


def chosen_options(run: Any) -> list[str]:
    """``training.balancing: pcgrad (equal)``: every option of a step that differs from its default, and the default."""
    sections = [name for name, field in type(run).model_fields.items() if isinstance(field.default, Section)]
    out = []
    for name in [name for name in sections if name not in ("metadata", "report")]:
        own, default = (section.model_dump() for section in (getattr(run, name), type(run).model_fields[name].default))
        out += [f"{name}.{key}: {own[key]} ({default[key]})" for key in own if own[key] != default[key]]
    return out


def versions() -> list[tuple[str, str]]:
    """Versions of what computed the numbers; read from package metadata, nothing heavy is imported."""
    listed = [("mtlbio", __version__), ("python", platform.python_version())]
    for name in ("torch", "numpy", "scipy", "statsmodels", "scikit-learn", "anndata", "decoupler", "matplotlib"):
        try:
            listed.append((name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            listed.append((name, "not installed"))
    return listed


def files(inputs: Inputs) -> list[tuple[str, str]]:
    """The run's files and what each holds."""
    words = inputs.words
    listed = [
        ("cohort.h5ad", inputs.kind.page.cohort_file or f"{words.samples} x {words.features}, labels, covariates"),
        ("latents.h5ad", f"out-of-fold latents, {words.feature} loadings"),
        ("verdicts.tsv", "one row per dimension"),
    ]
    listed += [(file, words.fill(text)) for name, (file, _, text) in OPTIONAL.items() if name in inputs.tables and text]
    return [*listed, ("figures/", "every figure of this page as SVG and PNG")]
