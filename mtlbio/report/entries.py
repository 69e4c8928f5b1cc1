"""What the page says of one dimension, on a card or in a row: text and numbers already in words."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from mtlbio.probing.columns import column_of
from mtlbio.probing.composition import cells_in_words, largest_shares
from mtlbio.report import plain, sites
from mtlbio.report.choice import kind
from mtlbio.report.citation import citation
from mtlbio.report.claims import claim
from mtlbio.report.inputs import Inputs
from mtlbio.report.leaning import leaning, odds
from mtlbio.report.set_names import readable, set_name
from mtlbio.report.svg import Picture
from mtlbio.report.words import file_stem, interval_parts, percent, probability
from mtlbio.text import known, number

TOP_GENES, SEARCHED_GENES = 8, 100
TOP_CELLS, LEAST_CELLS = 3, 0.1  # cell types on a card, and the share from which they are named
TOP_SETS = 3
MOST_MEASURED = 30_000  # names that the page carries for its search
# columns of verdicts.tsv in a protein run: what a dimension is told by, in words
LETTERS = (("identity", "own letter", "given the neighbours"), ("context", "neighbours", "given the own letter"))


def entry(inputs: Inputs, dim: str, pictures: dict[str, Picture]) -> dict[str, Any]:
    """One dimension: verdict, sentence, numbers, genes, and its picture where one was drawn."""
    row = inputs.verdicts.loc[dim]
    columns = [(column_of("share", c), c, inputs.cohort.covariates[c].role) for c in inputs.covariates]
    shares = [
        {"name": name, "role": role, "value": float(row[column]), "text": percent(row[column])}
        for column, name, role in (*columns, *LETTERS)
        if known(row.get(column))
    ]
    about, why = inputs.about.loc[dim], parted(str(row["why"]) if known(row.get("why")) else "")
    stability = row.get("stability") if known(row.get("stability")) else about.get("stability")
    return {
        "dim": dim,
        "slug": file_stem(dim),
        "verdict": row["verdict"],
        "shortcut": kind(row) == "shortcut",
        "driver": driver(inputs, row),
        "raw": row["driver"] if known(row["driver"]) else "",
        "why": spoken(inputs, why[0]),
        "further": spoken(inputs, why[1]),
        "effects": [_effect(row, task, inputs.cohort.tasks[task].ratio) for task in inputs.tasks],
        "shares": shares,
        "cells": cells(inputs, dim),
        "sites": [
            {
                "sentence": sites.sentence(rows, inputs.words.units, inputs.cohort.tasks[rows["task"].iloc[0]].ratio),
                "picture": pictures.get(stem),
            }
            for stem, rows in sites.of_dimension(inputs, dim).items()
        ],
        "stability": number(stability),
        "block": row["block"].replace("+", " and ") if known(row.get("block")) else "",
        "trained_for": about.get("task") or "",
        "variance": percent(about.get("variance")),
        "genes": top_genes(inputs, dim, SEARCHED_GENES),
        "feature": about.get("feature") or "",
        "error": plain.error_rate(row),
        "leaning": leaning(row),
        "picture": pictures.get(f"card_{file_stem(dim)}"),
        "claim": claim(inputs, dim),
        "odds": of_biology(row),
        "needed": needed(inputs, row),
        "citation": citation(inputs, dim),
        "names": searched(inputs, dim),
    }


def tile(inputs: Inputs, dim: str) -> dict[str, str]:
    """One dimension in the row of all of them."""
    row = inputs.verdicts.loc[dim]
    about = {"verdict": row["verdict"], "driver": driver(inputs, row), "odds": of_biology(row)}
    return {"dim": dim, "slug": file_stem(dim), **about}


def measured(inputs: Inputs) -> str:
    """Names of everything that has a loading, for a search that finds nothing; empty where they are too many."""
    names = [] if inputs.loadings is None else sorted(map(str, inputs.genes))
    return json.dumps(" ".join(names)).replace("<", "\\u003c") if 0 < len(names) <= MOST_MEASURED else ""


def driver(inputs: Inputs, row: pd.Series) -> str:
    """What names a dimension, in readable form; empty where nothing does."""
    return inputs.directed(row.name, str(row["driver"])) if known(row["driver"]) else ""


def of_biology(row: pd.Series) -> str:
    """Odds of an undecided dimension, for its tile."""
    return percent(odds(row)["biology"]) if row["verdict"] == "underpowered" and odds(row) else ""


def parted(why: str) -> tuple[str, str]:
    """The first sentence, which says what the dimension is, and what follows it.

    Examples
    --------
    >>> parted("z01 follows age: 0.5 of it. Its link to disease is a trace.")
    ('z01 follows age: 0.5 of it.', 'Its link to disease is a trace.')
    """
    first, _, rest = why.partition(". ")
    return (f"{first}.", rest) if rest else (why, "")


def spoken(inputs: Inputs, sentence: str) -> Markup:
    """A sentence of the tables with readable names of gene sets."""
    table = inputs.tables.get("enrichment")
    sets = set() if table is None else set(table["set"].astype(str))
    own = {*inputs.tasks, *inputs.covariates, *inputs.features}
    named = {str(name) for name in inputs.verdicts["driver"].dropna()}
    return readable(str(sentence), sorted((named | sets) - own))


def needed(inputs: Inputs, row: pd.Series) -> str:
    """How many donors would settle an open dimension, for its row; empty where no number is stated."""
    if row["verdict"] != "underpowered" or not known(row.get("donors_needed")):
        return ""
    return f"{row['donors_needed']:,.0f} {inputs.words.units} would settle it"


def searched(inputs: Inputs, dim: str) -> list[str]:
    """Names that a search finds a dimension by, beside its genes: driver and best sets, as written and readable."""
    raw = [inputs.verdicts.at[dim, "driver"]]
    table = inputs.tables.get("enrichment")
    if table is not None:
        own = table[table["dim"] == dim]
        order = [c for c in ("names", "ulm") if c in own]
        raw += list(own.sort_values(order, ascending=False, kind="stable")["set"].head(TOP_SETS)) if order else []
    names = [str(name) for name in raw if known(name)]
    return list(dict.fromkeys([*names, *(set_name(name) for name in names)]))


def cells(inputs: Inputs, dim: str) -> str:
    """The estimated cell types that a dimension goes with most, the larger shares first; empty where there are none."""
    table = inputs.tables.get("composition")
    if table is None:
        return ""
    own = table[(table["dim"] == dim) & (table["share"] >= LEAST_CELLS)].head(TOP_CELLS)
    return ", ".join(_cells(row) for row in own.itertuples())


def composition(inputs: Inputs) -> str:
    """Every dimension with a large share of an estimated cell type; empty where there is none."""
    named = {dim: main_cells(inputs, dim) for dim in dict.fromkeys(_composition(inputs)["dim"])}
    return ", ".join(f"{dim} {text}" for dim, text in named.items() if text)


def main_cells(inputs: Inputs, dim: str) -> str:
    """The cell type that makes a dimension one of composition; empty where there is none."""
    table = _composition(inputs)
    if dim not in largest_shares(table):
        return ""
    # the largest share of a dimension comes first
    return _cells(next(table[table["dim"] == dim].itertuples()))


def _composition(inputs: Inputs) -> pd.DataFrame:
    empty = pd.DataFrame(columns=["dim", "cell_type", "share", "held_fixed"])
    return inputs.tables.get("composition", empty)


def _cells(row) -> str:
    """A row of the table of composition: monocytes 42 %, and whether they are held fixed."""
    return f"{cells_in_words(row.cell_type)} {percent(row.share)}{' (held fixed)' if row.held_fixed else ''}"


def _effect(row: pd.Series, task: str, ratio: str) -> dict:
    """What a dimension has to do with a task: the adjusted effect, and the loss without the dimension.

    ``ratio``: what an effect is the logarithm of, where it is one; the card then shows that.
    """
    column, fixed = partial(column_of, of=task), known(row.get("held_fixed"))
    adjusted = interval_parts(row, column("effect"), column("ci_low"), column("ci_high"), 2)
    if ratio and adjusted[1]:
        names = value, low, high = column("effect"), column("ci_low"), column("ci_high")
        shown, between = interval_parts(np.exp(row[list(names)].astype(float)), value, low, high, 2)
        initials = "".join(word[0].upper() for word in ratio.split())  # a card is narrow
        adjusted = (f"{initials} {shown}", between)
    call = row.get(column("removal"))
    return {
        "task": task,
        "effect": ("held fixed", "nothing is left") if fixed else adjusted,
        "q": "–" if fixed else probability(row.get(column("q"))),
        "call": call if known(call) else "not tested",
        "loss": interval_parts(row, column("delta"), column("delta_ci_low"), column("delta_ci_high"), 3),
    }


def top_genes(inputs: Inputs, dim: str, most: int = TOP_GENES) -> list[dict]:
    """Genes with the largest absolute loadings; ``up`` says whether they rise with the dimension."""
    if inputs.loadings is None:
        return []
    weights = inputs.loadings[inputs.latents.columns.get_loc(dim)]
    order = np.argsort(-np.abs(weights), kind="stable")[:most]
    return [{"gene": str(inputs.genes[i]), "up": bool(weights[i] > 0)} for i in order if weights[i] != 0]
