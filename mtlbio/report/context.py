"""From tables to what the template prints: plain dictionaries of text, numbers already in words."""

from __future__ import annotations

import pandas as pd

from mtlbio.metrics import metric_named
from mtlbio.probing.columns import of_family
from mtlbio.probing.null_refits import share_of_biology
from mtlbio.probing.rates import NO_CLAIM, SPEAK_FOR, findable, no_rate_at, refused_in
from mtlbio.report import conflicts, feature_effects, plain
from mtlbio.report.answers import answers
from mtlbio.report.choice import ranked
from mtlbio.report.entries import SEARCHED_GENES, TOP_GENES, TOP_SETS, composition, entry, measured, tile
from mtlbio.report.facts import as_text, chosen_options, facts, files, quality, versions
from mtlbio.report.figures import task_metric
from mtlbio.report.fresh import fresh_readings
from mtlbio.report.heatmap import in_order
from mtlbio.report.influence import influence
from mtlbio.report.inputs import Inputs
from mtlbio.report.palette import VERDICTS
from mtlbio.report.sites_left_out import left_out
from mtlbio.report.smaller_panel import panel
from mtlbio.report.suspect_labels import label_warnings
from mtlbio.report.svg import Picture
from mtlbio.report.tradeoff import tradeoff
from mtlbio.report.words import interval_parts, percent
from mtlbio.text import joined, known, number

AUDIT_ORDER = {"not_identifiable": 0, "weak": 1, "ok": 2}
TOP_REFITS = 10

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
    order = [dim for dims in ranked(inputs.verdicts, inputs.supervised).values() for dim in dims]
    return {
        "title": run.report.title or run.run,
        "run": run.run,
        "page": inputs.kind.page,
        "transfers": "transfer" in inputs.kind.commands,
        "words": words,
        "unseen": inputs.unseen,
        "headline": plain.headline(inputs.verdicts, inputs.supervised),
        "unevaluated": "" if "metrics" in tables else words.fill(MISSING["metrics"]),
        "answers": answers(inputs, readings),
        "cautions": [
            *inputs.kind.part("report", "cautions", missing=[])(inputs),
            *plain.cautions(inputs.verdicts, readings, run.probe.alpha, words, inputs.kind.page.one_network),
        ],
        "facts": facts(inputs),
        "styles": VERDICTS,
        "legend": legend(inputs),
        "tiles": [tile(inputs, dim) for dim in order],
        "shown": [name for name in VERDICTS if (inputs.verdicts["verdict"] == name).any()],
        "counts": inputs.verdicts["verdict"].value_counts().to_dict(),
        "top": TOP_GENES,
        "searched": SEARCHED_GENES,
        "measured": measured(inputs),
        "composition": composition(inputs),
        "cells_fixed": inputs.tables.get("composition", pd.DataFrame()).get("held_fixed", pd.Series(dtype=bool)).any(),
        "cards": [entry(inputs, dim, pictures) for dim in order if dim in chosen],
        "rows": [entry(inputs, dim, pictures) for dim in order if dim not in chosen],
        "calibrated": "error_rate" in inputs.verdicts and inputs.verdicts["error_rate"].notna().any(),
        "rates": rates(inputs),
        "no_rates": why_no_rates(inputs),
        "cells_differ": cells_differ(inputs),
        "findable": what_is_found(inputs),
        "refits": whole_pipeline(inputs),
        "tasks": [
            {
                "name": reading.task,
                "reading": reading,
                "performance": pictures.get(f"performance_{reading.task}"),
                "ablation": pictures.get(f"ablation_{reading.task}"),
                "left_out": left_out(inputs, reading.task),
            }
            for reading in readings
        ],
        "labels": label_warnings(tables.get("label_noise")),
        "sharing": sharing(inputs),
        "influence": influence(inputs),
        "assays": inputs.kind.part("report", "assays", missing=[])(inputs),
        "panel": panel(inputs),
        "tradeoff": tradeoff(inputs),
        "panel_pictures": [p for stem, p in pictures.items() if stem.startswith("panel_")],
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
        "chosen": chosen_options(run),
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


def rates(inputs: Inputs) -> list[dict]:
    """Calibrated error rates by verdict, where verdicts.tsv carries them."""
    if "error_rate" not in inputs.verdicts:
        return []
    first = inputs.verdicts.dropna(subset=["error_rate"]).drop_duplicates("verdict").set_index("verdict")
    return [
        {"verdict": name, "sentence": plain.error_rate(first.loc[name])} for name in VERDICTS if name in first.index
    ]


def cells_differ(inputs: Inputs) -> bool:
    """Whether rates of this run come from several designs: not every one gave every verdict often enough."""
    if "error_rate_from" not in inputs.verdicts:
        return False
    return inputs.verdicts["error_rate_from"].dropna().astype(str).str.split(": ").str[0].nunique() > 1


def why_no_rates(inputs: Inputs) -> str:
    """Why no verdict of a run carries an error rate."""
    alpha, planted = inputs.run.probe.alpha, inputs.kind.planted
    if planted is None or not SPEAK_FOR.get(planted, (planted,)):
        return "none were counted on runs of this kind"
    if no_rate_at(alpha, planted):
        return f"none were counted at probe.alpha {alpha:g} or a looser one"
    audit = inputs.tables.get("audit")
    if audit is not None and "kind" in audit and (refused := set(refused_in(audit))) and refused >= set(inputs.tasks):
        return f"nothing can be claimed of {joined(sorted(refused))} from these latents"
    if not inputs.covariates:
        return "they were counted on designs with covariates, and this one has none"
    if (inputs.verdicts["verdict"] == NO_CLAIM).all():
        return "none of its verdicts claims anything"
    return "its table was made without, or no planted design near it gave such verdicts often enough"


def what_is_found(inputs: Inputs) -> list[str]:
    """Per outcome how often planted programmes were found, by size; empty where the design was not audited in full."""
    table, planted = inputs.tables.get("audit"), inputs.kind.planted
    if table is None or planted is None or not {"kind", "role", "association", "value", "n_donors"} <= set(table):
        return []
    outcomes, alpha = [task for task in inputs.tasks if task not in inputs.cohort.covariates], inputs.run.probe.alpha
    outcomes = [task for task in outcomes if not inputs.cohort.tasks[task].counts]  # none were counted of times
    return [sentence for task in outcomes if (sentence := findable(table, task, planted, alpha=alpha))]


def effects(inputs: Inputs, pictures: dict[str, Picture]) -> list[dict]:
    """What a feature changes: a picture and its sentences per task, of a table of features only."""
    sections = []
    for task in inputs.tasks:
        if f"effects_{task}" in pictures:
            rows, left = feature_effects.shown_features(inputs.tables["effects"], task)
            sentences = feature_effects.sentences(rows, left, inputs.cohort.tasks[task].unit, inputs.words)
            sections.append({"name": task, "picture": pictures[f"effects_{task}"], "sentences": sentences})
    return sections


def sharing(inputs: Inputs) -> list[dict]:
    """Multi-task against single-task: one line per task of ``transfer.tsv``."""
    table = inputs.tables.get("transfer")
    if table is None:
        return []
    return [
        {
            "task": row["task"],
            "call": row["verdict"],
            "metric": metric_named(row["metric"]).printed,
            "together": number(row["multitask"], 3),
            "alone": number(row["singletask"], 3),
            "gain": interval_parts(row, "gain", "ci_low", "ci_high", 3),
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
    lines = []
    for _, row in table.iterrows():
        sentence = row["why"] if known(row.get("why")) else f"{row['task']} and {row['covariate']}: {row['call']}."
        lines.append({"pair": f"{row['task']} × {row['covariate']}", "call": row["call"], "sentence": sentence})
    return lines


def whole_pipeline(inputs: Inputs) -> dict | None:
    """The whole-pipeline null: a sentence, and the dimensions with the smallest p; None where there are no refits."""
    null, runs = inputs.tables.get("null"), inputs.tables.get("null_runs")
    if null is None or runs is None or not len(runs):
        return None
    share, low, high = share_of_biology(runs)
    sentence = (
        f"{len(runs)} times the labels of {joined(list(null['outcome'].unique()))} were permuted, the network was "
        f"trained again and every dimension was put on trial: any dimension was called biology in "
        f"{round(share * len(runs))} of them ({percent(share)}, 95 % interval {percent(low)} to {percent(high)})."
    )
    best = null.sort_values(["p_refit_familywise", "p_refit", "p", "dim"], kind="stable").head(TOP_REFITS)
    return {"sentence": sentence, "table": as_text(best.drop(columns="refits"))}


def enrichment(inputs: Inputs) -> dict | None:
    """The best gene sets per dimension: header and rows of text."""
    table = inputs.tables.get("enrichment")
    if table is None or not len(table):
        return None
    # sets that may name the dimension come first, then those its loadings point to
    ascending = {c: a for c, a in {"dim": True, "names": False, "ulm": False, "q": True}.items() if c in table}
    table = table.sort_values(list(ascending), ascending=list(ascending.values()), kind="stable")
    table = table.groupby("dim", sort=False).head(TOP_SETS)
    return as_text(table.drop(columns=list(inputs.kind.page.left_out), errors="ignore"))


def verdict_table(inputs: Inputs) -> dict:
    """The full table of verdicts as text, in the order of the page."""
    table = in_order(inputs.verdicts).reset_index()
    first = [c for c in ("dim", "verdict", "driver", "why") if c in table]
    rest = [c for c in table if c not in first]
    # too wide for paper: print leaves these columns out
    printed = {*of_family("share", rest), *of_family("effect", rest)}
    return as_text(table[first + rest]) | {"fine": [c for c in rest if c not in printed]}
