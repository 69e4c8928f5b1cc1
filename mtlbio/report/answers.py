"""The first screen: what was learnt, what was not, and what it would take."""

from __future__ import annotations

from typing import Any

import pandas as pd
from markupsafe import Markup, escape

from mtlbio.report import plain
from mtlbio.report.choice import kind, ranked
from mtlbio.report.claims import claim
from mtlbio.report.entries import main_cells
from mtlbio.report.inputs import Inputs
from mtlbio.report.leaning import odds
from mtlbio.report.palette import VERDICTS
from mtlbio.report.undecided import MULTIPLES, ORDER, Open, in_words, open_dimensions, settled
from mtlbio.report.words import counted, file_stem, percent
from mtlbio.text import joined, known

MOST_LINES = 4  # dimensions of one verdict on the first screen
MOST_DIMS = 8  # names of dimensions in one line
_LEARNT = ("biology", "confounder", "technical")


def answers(inputs: Inputs, readings: list[plain.Reading]) -> dict[str, Any]:
    """The three answers, as ``templates/answers.html`` prints them."""
    groups = ranked(inputs.verdicts, inputs.supervised)
    by_verdict = {name: groups.get(name, []) for name in VERDICTS}
    by_verdict["technical"] = groups.get("shortcut", []) + by_verdict["technical"]
    undecided = open_dimensions(inputs.verdicts, int(inputs.obs["donor"].nunique()))
    learnt = [r for r in readings if r.level == "learnt"]
    others = [r for r in readings if r.level != "learnt"]
    return {
        "learnt": [_group(inputs, name, by_verdict[name]) for name in _LEARNT if by_verdict[name]],
        "predicts": plain.summary_of_tasks(learnt),
        "unused": counted(len(by_verdict["unused"]), "dimension") if by_verdict["unused"] else "",
        "not_learnt": _undecided(inputs, undecided) + _entangled(inputs, by_verdict),
        "fails": plain.summary_of_tasks(others) if "metrics" in inputs.tables else "",
        "no_biology": not by_verdict["biology"],
        "takes": _takes(inputs, undecided),
    }


def _group(inputs: Inputs, verdict: str, dims: list[str]) -> dict[str, Any]:
    """Dimensions of one verdict with their names and numbers, and how often such a verdict is wrong."""
    rates = inputs.verdicts.loc[dims]
    rated = rates[rates["error_rate"].notna()] if "error_rate" in rates else rates.iloc[:0]
    return {
        "verdict": verdict,
        "count": len(dims),
        "rate": plain.short_rate(rated.iloc[0]) if len(rated) else "",
        "lines": [_line(inputs, dim) for dim in dims[:MOST_LINES]],
        "more": len(dims) - MOST_LINES,
    }


def _line(inputs: Inputs, dim: str) -> dict[str, Any]:
    row = inputs.verdicts.loc[dim]
    driver = str(row["driver"]) if known(row["driver"]) else ""
    trained_for = inputs.about.loc[dim].get("task") if dim in inputs.supervised else None
    name = {"name": inputs.directed(dim, driver), "raw": driver, "trained_for": trained_for or ""}
    numbers = {"text": claim(inputs, dim), "shortcut": kind(row) == "shortcut", "cells": main_cells(inputs, dim)}
    return {"dim": dim, "slug": file_stem(dim), **name, **numbers}


def _undecided(inputs: Inputs, undecided: list[Open]) -> list[dict[str, Any]]:
    """Why dimensions are ``underpowered``: a line per reason, those that may be biology first."""
    lines = []
    likely = {one.dim: odds(inputs.verdicts.loc[one.dim]).get("biology", 0.0) for one in undecided}
    for why in ORDER:
        for task in dict.fromkeys(one.task for one in undecided if one.kind == why):
            own = [one.dim for one in undecided if one.kind == why and one.task == task]
            own = sorted(own, key=lambda dim: -likely[dim])
            lines.append({"verdict": "underpowered", "reason": in_words(why, task, inputs.words), **_listed(own)})
    return lines


def _entangled(inputs: Inputs, by_verdict: dict[str, list[str]]) -> list[dict[str, Any]]:
    """What more donors of the same design would not settle."""
    lines = []
    pairs: dict[str, list[str]] = {}
    for dim in by_verdict["not_identifiable"]:
        row = inputs.verdicts.loc[dim]
        sides = [str(side) for side in (row.get("about"), row["driver"]) if known(side)]
        what = f"{joined(list(dict.fromkeys(sides)))} cannot be told apart in this design"
        pairs.setdefault(what if len(set(sides)) > 1 else "a task and a covariate cannot be told apart", []).append(dim)
    for reason, dims in pairs.items():
        lines.append({"verdict": "not_identifiable", "reason": reason, **_listed(dims)})
    if by_verdict["mixed"]:
        reason = "several things at once, none of which dominates"
        lines.append({"verdict": "mixed", "reason": reason, **_listed(by_verdict["mixed"])})
    return lines


def _listed(dims: list[str]) -> dict[str, Any]:
    shown = [{"dim": dim, "slug": file_stem(dim)} for dim in dims[:MOST_DIMS]]
    return {"count": len(dims), "dims": shown, "more": max(len(dims) - MOST_DIMS, 0)}


def _takes(inputs: Inputs, undecided: list[Open]) -> dict[str, Any]:
    """How many donors, and where donors are not enough, what the design has to change."""
    told = [one for one in undecided if one.told]
    never = [one.dim for one in told if not one.needed < float("inf")]
    steps = [{"times": times, "settled": settled(undecided, times), "of": len(undecided)} for times in MULTIPLES]
    return {
        "steps": steps if len(told) > len(never) else [],
        "first": _first(inputs, undecided),
        "never": _listed(never),
        "unknown": bool(undecided) and not told,
        "design": fixes(inputs.tables.get("audit")),
    }


def _first(inputs: Inputs, undecided: list[Open]) -> Markup | None:
    """The likeliest biology among those that a number of donors would settle."""
    rows = inputs.verdicts
    able = [one for one in undecided if one.kind == "link" and one.needed < float("inf")]
    likely = {one.dim: odds(rows.loc[one.dim]).get("biology", 0.0) for one in able}
    best = max(able, key=lambda one: (likely[one.dim], -one.needed), default=None)
    if best is None:
        return None
    units = inputs.words.units
    leans = f" (odds {percent(likely[best.dim])})" if likely[best.dim] > 0 else ""
    text = f"{leans}: {best.needed:,.0f} {units} with {best.task} known would tell; there are {best.now:,.0f}."
    link = Markup('<a href="#card-{}">{}</a>').format(file_stem(best.dim), best.dim)
    return link + escape(text)


def fixes(audit: pd.DataFrame | None, most: int = 3) -> list[str]:
    """What would separate a task from a covariate, one line per pair that cannot be told apart."""
    if audit is None:
        return []
    lines = []
    for _, row in audit[audit["call"] == "not_identifiable"].iterrows():
        why = (
            str(row["why"]) if known(row.get("why")) else f"{row['task']} and {row['covariate']} cannot be told apart."
        )
        _, found, fix = why.partition("; to fix it, ")
        lines.append(f"{row['task']} and {row['covariate']}: {fix}" if found else why)
    left = len(lines) - most
    return lines[:most] + ([f"{counted(left, 'more pair')}: see the design audit."] if left > 0 else [])
