"""One sentence per dimension that can stand in a paper: what it is, with its numbers and how often such a claim is
wrong."""

import re

import pandas as pd

from mtlbio import __version__
from mtlbio.probing.columns import column_of
from mtlbio.report.adjusted import linked_task
from mtlbio.report.effect_words import effect_in_words
from mtlbio.report.inputs import Inputs
from mtlbio.report.words import percent, probability
from mtlbio.text import joined, known, number

_CALLED = {
    "biology": "is called biology",
    "confounder": "is called a confounder",
    "technical": "is called technical",
    "mixed": "is called mixed",
    "not_identifiable": "is called not identifiable: what it follows cannot be told apart in {all_units}",
    "underpowered": "stays undecided (underpowered)",
    "unused": "is called unused",
}


def citation(inputs: Inputs, dim: str) -> str:
    """The sentence: dimension, verdict, driver, effect with interval, donors, error rate and where it was counted."""
    row = inputs.verdicts.loc[dim]
    driver = f" ({inputs.directed(dim, str(row['driver']))})" if known(row["driver"]) else ""
    called = inputs.words.fill(_CALLED[row["verdict"]])
    parts = [p for p in (_share(inputs, row), _effect(inputs, row)) if p]
    numbers = f": {'; '.join(parts)}" if parts else ""
    trained_for = inputs.about.loc[dim].get("task") if dim in inputs.supervised else None
    what = f"Latent dimension {dim}{driver}" + (f", trained for {trained_for}," if known(trained_for) else "")
    run = f"(mtlbio {__version__}, run {inputs.run.run})"
    return f"{what} {called}{numbers}.{_needed(inputs, row)}{_wrong(row)} {run}"


def _share(inputs: Inputs, row: pd.Series) -> str:
    """How much of it a covariate explains, where the verdict is about one."""
    share = row.get(column_of("share", row["driver"])) if known(row["driver"]) else None
    return f"{percent(share)} of its variance goes with {row['driver']}" if known(share) else ""


def _effect(inputs: Inputs, row: pd.Series) -> str:
    task = linked_task(inputs, row)
    if task is None or known(row.get("held_fixed")) or not known(row.get(column_of("effect", task))):
        return ""
    q, (donors, fixed) = row.get(column_of("q", task)), tested(inputs, str(row.name), task)
    given = f", given {fixed}" if fixed else ", without covariates"
    sure = f"q {number_of(q)}, " if known(q) else ""
    return f"{task} {effect_in_words(inputs, str(row.name), task)}{given} ({sure}{donors:,} {inputs.words.units})"


def number_of(p: float) -> str:
    """A q with its sign: = 0.03, < 0.001."""
    text = probability(p)
    return text if text.startswith("<") else f"= {text}"


def tested(inputs: Inputs, dim: str, task: str) -> tuple[int, str]:
    """Donors in the test of a task, and the covariates that were held fixed, in words.

    How they were coded, and which interactions went in, is in ``probing/association.tsv``.
    """
    table, recorded = inputs.tables.get("association"), {n: i for n, i in inputs.cohort.covariates.items() if n != task}
    labelled = inputs.obs[inputs.obs[task].notna()]
    donors, terms = int(labelled["donor"].nunique()), ", ".join(recorded)
    if table is not None:
        rows = table[(table["dim"] == dim) & (table["question"] == "task") & (table["variable"] == task)]
        if len(rows) and known(rows["n_donors"].iloc[0]):
            donors, terms = int(rows["n_donors"].iloc[0]), str(rows["adjusted_for"].iloc[0])
    fixed = [(name, info) for name, info in recorded.items() if re.search(rf"(^|, ){re.escape(name)}($|,| \()", terms)]
    # estimated cell types are many, and one line of the YAML
    names = [f"{info.estimated} (estimated)" if info.estimated else name for name, info in fixed]
    return donors, joined(list(dict.fromkeys(names)))


def _needed(inputs: Inputs, row: pd.Series) -> str:
    if not known(row.get("donors_needed")):
        return ""
    for_what = f" {row['needed_for'].split(' (')[0]}" if known(row.get("needed_for")) else ""
    return f" It would take about {number(row['donors_needed'], 0)} {inputs.words.units}{for_what}."


def _wrong(row: pd.Series) -> str:
    """How often such a verdict is wrong, and where that was counted."""
    if not known(row.get("error_rate")):
        return "" if row["verdict"] == "underpowered" else " No error rate was counted for such a verdict."
    low, high = (row.get(f"error_rate_{end}") for end in ("low", "high"))
    span = f" (95 % {number(100 * low, 1)} to {number(100 * high, 1)})" if known(low) and known(high) else ""
    where = f" ({row['error_rate_from']})" if known(row.get("error_rate_from")) else ""
    return f" Of such verdicts, {number(100 * row['error_rate'], 1)} in 100{span} were wrong on planted data{where}."
