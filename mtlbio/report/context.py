"""From tables to what the template prints: plain dictionaries of text, numbers already in words."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

from mtlbio.probing.columns import column_of, of_family
from mtlbio.report import conflicts, feature_effects, plain
from mtlbio.report.choice import kind
from mtlbio.report.facts import as_text, facts, files, quality, versions
from mtlbio.report.figures import task_metric
from mtlbio.report.fresh import fresh_readings
from mtlbio.report.heatmap import in_order
from mtlbio.report.inputs import Inputs
from mtlbio.report.palette import VERDICTS
from mtlbio.report.refits import whole_pipeline
from mtlbio.report.suspect_labels import label_warnings
from mtlbio.report.svg import Picture
from mtlbio.report.words import file_stem, metric_name, percent, probability
from mtlbio.text import known, number

AUDIT_ORDER = {"not_identifiable": 0, "weak": 1, "ok": 2}
# columns of verdicts.tsv in a protein run: what a dimension is told by, in words
LETTERS = (("identity", "own letter", "given the neighbours"), ("context", "neighbours", "given the own letter"))
TOP_GENES = 8
TOP_SETS = 3

# table -> what the page says where it is not there, to be filled with the run's vocabulary
MISSING = {
    "metrics": "No metrics.tsv in this run: how well the model predicts is not known (mtlbio evaluate writes it).",
    "comparisons": "No comparisons.tsv in this run: the arms were not compared (mtlbio evaluate writes it).",
    "transfer": "No transfer.tsv in this run: whether sharing helps was not asked (mtlbio evaluate writes it).",
    "history": "No history.tsv in this run: there are no training curves (mtlbio train writes it).",
    "conflict": "No conflict.tsv in this run: the tasks' gradients were not compared (mtlbio train writes it).",
    "qc": "No qc.tsv in this run: what was dropped before training is not known (mtlbio prepare writes it).",
    "audit": "No probing/audit.tsv in this run: the design was not audited (mtlbio probe writes it).",
    "enrichment": "No probing/enrichment.tsv in this run: no {gene_sets} were tested ({gene_sets_from}).",
}


def page_context(inputs: Inputs, chosen: list[str], pictures: dict[str, Picture]) -> dict:
    """All that ``templates/page.html`` refers to."""
    tables, words, run = inputs.tables, inputs.words, inputs.run
    readings = [
        plain.read_task(t, task_metric(inputs, t), tables.get("metrics"), tables.get("comparisons"), words)
        for t in inputs.tasks
    ]
    return {
        "title": run.report.title or run.run,
        "run": run.run,
        "page": inputs.kind.page,
        "transfers": "transfer" in inputs.kind.commands,
        "words": words,
        "headline": plain.headline(inputs.verdicts, inputs.supervised),
        "summary": plain.summary_of_tasks(readings) if "metrics" in tables else words.fill(MISSING["metrics"]),
        "cautions": plain.cautions(inputs.verdicts, readings, run.probe.alpha, words),
        "facts": facts(inputs),
        "styles": VERDICTS,
        "legend": legend(inputs),
        "tiles": [
            {"dim": d, "verdict": r["verdict"], "driver": _driver(inputs, r)}
            for d, r in in_order(inputs.verdicts).iterrows()
        ],
        "cards": [card(inputs, d, pictures) for d in chosen],
        "calibrated": "error_rate" in inputs.verdicts and inputs.verdicts["error_rate"].notna().any(),
        "rates": rates(inputs),
        "refits": whole_pipeline(inputs),
        "tasks": [task_section(inputs, reading, pictures) for reading in readings],
        "labels": label_warnings(tables.get("label_noise")),
        "sharing": sharing(inputs),
        "fresh": fresh_readings(tables.get("reprobe"), words),
        "effects": effects(inputs, pictures),
        "audit": audit(inputs),
        "training": [p for stem, p in pictures.items() if stem.startswith("training_")],
        "conflicts": [
            {"picture": pictures[stem], "sentence": conflicts.sentence(rows, words)}
            for stem, rows in conflicts.pairs(tables.get("conflict")).items()
        ],
        "enrichment": enrichment(inputs),
        "table_data": verdict_table(inputs),
        "qc": quality(inputs),
        "rank": inputs.effective_rank,
        "axes": int((inputs.about["block"] == "axis").sum()) if "block" in inputs.about else len(inputs.about),
        "options": run.probe,
        "missing": {name: "" if name in tables else words.fill(text) for name, text in MISSING.items()},
        "pictures": pictures,
        "versions": versions(),
        "files": files(inputs),
    }


def legend(inputs: Inputs) -> list[dict]:
    """Every verdict with its meaning and how many dimensions carry it here."""
    counts = inputs.verdicts["verdict"].value_counts()
    return [
        {"verdict": name, "style": s, "meaning": inputs.words.fill(s.meaning), "count": int(counts.get(name, 0))}
        for name, s in VERDICTS.items()
    ]


def _driver(inputs: Inputs, row: pd.Series) -> str:
    return inputs.directed(row.name, str(row["driver"])) if known(row["driver"]) else ""


def card(inputs: Inputs, dim: str, pictures: dict[str, Picture]) -> dict:
    """One dimension: verdict, sentence, picture, numbers, genes."""
    row = inputs.verdicts.loc[dim]
    effects, fixed = [], known(row.get("held_fixed"))
    for task in inputs.tasks:
        own = partial(column_of, of=task)
        adjusted = _parts(row, own("effect"), own("ci_low"), own("ci_high"), 2)
        effects.append(
            {
                "task": task,
                "effect": ("held fixed", "nothing is left") if fixed else adjusted,
                "q": "–" if fixed else probability(row.get(own("q"))),
                "call": str(row[own("removal")]) if known(row.get(own("removal"))) else "not tested",
                "loss": _parts(row, own("delta"), own("delta_ci_low"), own("delta_ci_high"), 3),
            }
        )
    known_shares = {c: row[column_of("share", c)] for c in inputs.covariates if known(row.get(column_of("share", c)))}
    shares = [
        {"name": c, "role": inputs.cohort.covariates[c].role, "value": float(value), "text": percent(value)}
        for c, value in known_shares.items()
    ]
    for column, name, given in LETTERS:
        if known(row.get(column)):
            value = float(row[column])
            shares.append({"name": name, "role": given, "value": value, "text": percent(value)})
    about = inputs.about.loc[dim]
    stability = row.get("stability") if known(row.get("stability")) else about.get("stability")
    return {
        "dim": dim,
        "verdict": row["verdict"],
        "shortcut": kind(row) == "shortcut",
        "driver": _driver(inputs, row),
        "why": row["why"] if known(row.get("why")) else "",
        "effects": effects,
        "shares": shares,
        "stability": number(stability),
        "trained_for": about.get("task") or "",
        "variance": percent(about.get("variance")),
        "genes": top_genes(inputs, dim),
        "feature": about.get("feature") or "",
        "error": plain.error_rate(row),
        "picture": pictures[f"card_{file_stem(dim)}"],
    }


def _parts(row: pd.Series, value: str, low: str, high: str, digits: int) -> tuple[str, str]:
    """Value and interval as two texts, for a cell of two lines."""
    if not (known(row.get(low)) and known(row.get(high))):
        return number(row.get(value), digits), ""
    return number(row[value], digits), f"{number(row[low], digits)} to {number(row[high], digits)}"


def top_genes(inputs: Inputs, dim: str) -> list[dict]:
    """Genes with the largest absolute loadings; ``up`` says whether they rise with the dimension."""
    if inputs.loadings is None:
        return []
    weights = inputs.loadings[inputs.latents.columns.get_loc(dim)]
    order = np.argsort(-np.abs(weights), kind="stable")[:TOP_GENES]
    return [{"gene": str(inputs.genes[i]), "up": bool(weights[i] > 0)} for i in order if weights[i] != 0]


def rates(inputs: Inputs) -> list[dict]:
    """Calibrated error rates by verdict, where verdicts.tsv carries them."""
    found: list[dict] = []
    if "error_rate" not in inputs.verdicts:
        return found
    for name in VERDICTS:
        rows = inputs.verdicts[(inputs.verdicts["verdict"] == name) & inputs.verdicts["error_rate"].notna()]
        if len(rows):
            found.append({"verdict": name, "sentence": plain.error_rate(rows.iloc[0])})
    return found


def task_section(inputs: Inputs, reading: plain.Reading, pictures: dict[str, Picture]) -> dict:
    """What a task's part of the page shows."""
    task = reading.task
    metric = task_metric(inputs, task)
    return {
        "name": task,
        "kind": inputs.cohort.tasks[task].kind,
        "metric": metric_name(metric) if metric else "",
        "reading": reading,
        "performance": pictures.get(f"performance_{task}"),
        "ablation": pictures.get(f"ablation_{task}"),
    }


def effects(inputs: Inputs, pictures: dict[str, Picture]) -> list[dict]:
    """What a feature changes: a picture and its sentences per task, of a table of features only."""
    table = inputs.tables.get("effects")
    found = []
    for task in inputs.tasks:
        picture = pictures.get(f"effects_{task}")
        if picture is None:
            continue
        rows, left = feature_effects.shown_features(table, task)
        said = feature_effects.sentences(rows, left, inputs.cohort.tasks[task].unit, inputs.words)
        found.append({"name": task, "picture": picture, "sentences": said})
    return found


def sharing(inputs: Inputs) -> list[dict]:
    """Multi-task against single-task: one line per task of ``transfer.tsv``."""
    table = inputs.tables.get("transfer")
    if table is None:
        return []
    return [
        {
            "task": row["task"],
            "call": row["verdict"],
            "metric": metric_name(row["metric"]),
            "together": number(row["multitask"], 3),
            "alone": number(row["singletask"], 3),
            "gain": _parts(row, "gain", "ci_low", "ci_high", 3),
            "donors": f"{int(row['n_donors']):,}",
            "overlap": percent(row["overlap"]),
            "sentence": row["why"],
        }
        for _, row in table.iterrows()
    ]


def audit(inputs: Inputs) -> list[dict]:
    """The audit of the design: pair, call and its sentence."""
    table = inputs.tables.get("audit")
    if table is None:
        return []
    # what cannot be separated first
    table = table.sort_values("call", key=lambda c: c.map(AUDIT_ORDER).fillna(1), kind="stable")
    found = []
    for _, row in table.iterrows():
        sentence = row["why"] if known(row.get("why")) else f"{row['task']} and {row['covariate']}: {row['call']}."
        found.append({"pair": f"{row['task']} × {row['covariate']}", "call": str(row["call"]), "sentence": sentence})
    return found


def enrichment(inputs: Inputs) -> dict | None:
    """The best gene sets per dimension: header and rows of text."""
    table = inputs.tables.get("enrichment")
    if table is None or not len(table):
        return None
    # sets that may name the dimension come first, then those its loadings point to
    order = {"names": False, "ulm": False, "q": True}
    by = ["dim", *(c for c in order if c in table)]
    table = table.sort_values(by, ascending=[True, *(order[c] for c in by[1:])], kind="stable")
    table = table.groupby("dim", sort=False).head(TOP_SETS)
    return as_text(table.drop(columns=list(inputs.kind.page.left_out), errors="ignore"))


def verdict_table(inputs: Inputs) -> dict:
    """The full table of verdicts as text, in the order of the page."""
    table = in_order(inputs.verdicts).reset_index()
    first = [c for c in ("dim", "verdict", "driver", "why") if c in table]
    rest = [c for c in table if c not in first]
    # too wide for paper: print leaves these columns out
    printed = {*of_family("share", rest), *of_family("effect", rest)}
    fine = [c for c in rest if c not in printed]
    return as_text(table[first + rest]) | {"fine": fine}
