"""What one task gains when another gives up, in sentences: is there a front at all, its knee, where the run is."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from mtlbio.evaluation.tradeoff.scored import PRESENT
from mtlbio.kinds.vocabulary import Vocabulary
from mtlbio.metrics import metric_named
from mtlbio.report.inputs import Inputs
from mtlbio.report.words import counted, interval, percent
from mtlbio.text import joined, number

_WORST = "worst "


TABLES = ("front", "preferences", "models", "summary")


def tradeoff(inputs: Inputs) -> list[str]:
    """The sentences of ``mtlbio tradeoff``; none where it was not asked, or of other results than these."""
    tables = tables_of(inputs)
    return [] if tables is None else tradeoff_sentences(tables, inputs.words, inputs.run.evaluate.margin)


def tables_of(inputs: Inputs) -> dict[str, pd.DataFrame] | None:
    """The tables of ``tradeoff/`` by their names; None where one is missing."""
    tables = {name: inputs.tables[f"tradeoff_{name}"] for name in TABLES if f"tradeoff_{name}" in inputs.tables}
    return tables if len(tables) == len(TABLES) else None


def tradeoff_sentences(tables: Mapping[str, pd.DataFrame], words: Vocabulary, margin: float) -> list[str]:
    """What the tables of ``tradeoff/`` say, by their names."""
    front, summary, preferences = tables["front"], tables["summary"], tables["preferences"]
    asked = summary.set_index("what")
    level, balancing = float(asked.loc["level", "value"]), str(asked.loc["balancing", "says"])
    tails = [name for name in front["point"].unique() if name.startswith(_WORST)]
    return [
        _word(front, summary, margin, words),
        *_largest(summary, front, preferences),
        *_losses(front, preferences),
        _volume(summary),
        _knee(summary, preferences, balancing),
        *_tails(front, tails, level, words),
        *_models(tables["models"], summary, margin, words),
    ]


def described_point(name: str, preferences: pd.DataFrame) -> str:
    """A point by its weights, such as ``disease .75, age .25``; a tail by its name."""
    rows = preferences[preferences["point"] == name]
    if name.startswith(_WORST) or rows.empty:
        return f"the {name}"
    return f"{name} ({', '.join(f'{row.task} {number(row.weight)}' for row in rows.itertuples())})"


def _word(front: pd.DataFrame, summary: pd.DataFrame, margin: float, words: Vocabulary) -> str:
    says = summary.loc[summary["what"] == "front", "says"].iloc[0]
    count = counted(front["point"].nunique() - 1, "other preference")
    if says == "flat":
        return (
            f"The front is flat: of {count} none gains as much as the margin of {margin:g} over the present weights, "
            "for any task, with certainty for all of them at once. There is nothing to trade."
        )
    if says == "undecided":
        most = front["diff_high"].max()
        return (
            f"The front looks flat: of {count} none is shown to gain anything beyond the margin of {margin:g} over the "
            f"present weights, for any task. That none does is not shown either: gains up to {number(most, 3)} remain "
            f"possible with so few {words.units}, all of them considered at once."
        )
    gains = front[front["call"] == "gains"]
    pays = front[front["point"].isin(gains["point"]) & (front["call"] == "loses")]
    price = (
        f"; {joined(pays['task'].unique().tolist())} pays for it" if len(pays) else "; no task is shown to pay for it"
    )
    return (
        f"The front is not flat: {counted(gains['point'].nunique(), 'preference')} of {count} "
        f"{'gains' if gains['point'].nunique() == 1 else 'gain'} more than the margin of {margin:g} over the present "
        f"weights, for {joined(gains['task'].unique().tolist())}, all points and tasks considered at once{price}."
    )


def _largest(summary: pd.DataFrame, front: pd.DataFrame, preferences: pd.DataFrame) -> list[str]:
    parts = []
    for row in summary[summary["what"] == "largest gain"].itertuples():
        metric = metric_named(front.loc[front["task"] == row.task, "metric"].iloc[0]).printed
        lead = interval(row.value, row.ci_low, row.ci_high, 3)
        parts.append(f"{row.task} {metric} {lead} at {described_point(row.point, preferences)}")
    return [
        f"Largest gain of each task; its value is flattered by the picking, its interval is not: {'; '.join(parts)}."
    ]


def _losses(front: pd.DataFrame, preferences: pd.DataFrame) -> list[str]:
    rows = front[front["call"] == "loses"]
    if rows.empty:
        return []
    worst = rows.loc[rows.groupby("task", sort=False)["difference"].idxmin()]
    parts = [
        f"{row.task} by {interval(-row.difference, -row.diff_high, -row.diff_low, 3)} at "
        f"{described_point(row.point, preferences)}"
        for row in worst.itertuples()
    ]
    return [f"Weights can still be chosen badly: {'; '.join(parts)}."]


def _volume(summary: pd.DataFrame) -> str:
    rows = summary[summary["what"] == "hypervolume"].set_index("point")
    own = {name: interval(row["value"], row["ci_low"], row["ci_high"], 3) for name, row in rows.iterrows()}
    beyond = summary[summary["what"] == "hypervolume gain"].set_index("point").loc["weights"]
    more = interval(beyond["value"], beyond["ci_low"], beyond["ci_high"], 3)
    reference = summary[summary["what"] == "reference"]
    parts = [f"{row.task} {number(row.value)}" for row in reference.itertuples()]
    return (
        f"Hypervolume, 0 for a model that tells nobody apart ({', '.join(parts)}) and 1 for perfect predictions of all "
        f"tasks: the present weights alone {own[PRESENT]}, the preferences {own['weights']}, all points "
        f"{own['all points']}. The preferences have {more} beyond the present weights; the best of many "
        "points is always a little above one of them."
    )


def _knee(summary: pd.DataFrame, preferences: pd.DataFrame, balancing: str) -> str:
    rows = summary.set_index("what")
    bend, here = rows.loc["knee"], rows.loc["present"]
    says = summary.loc[summary["what"] == "front", "says"].iloc[0]
    tasks = preferences["task"].nunique()
    own = (
        f"The run weighs its {tasks} tasks alike"
        if balancing == "equal"
        else f"The run's weights move with every step ({balancing}); its point lies nearest to {here['point']}"
    )
    worth = "" if says == "trade" else " On such a front the place of the knee is chance."
    return (
        f"{own}, {percent(here['value'])} of the way to perfection short of the best preference, for the task where "
        f"that is most. The knee, where it is least, is {described_point(bend['point'], preferences)} with "
        f"{percent(bend['value'])}.{worth}"
    )


def _tails(front: pd.DataFrame, tails: list[str], level: float, words: Vocabulary) -> list[str]:
    told = []
    for name in tails:
        parts = []
        for row in front[front["point"] == name].itertuples():
            here = front[(front["point"] == PRESENT) & (front["task"] == row.task)].iloc[0]
            text = f"{row.task} {number(row.value)} beside {number(here['value'])} ({row.call})"
            if row.tail_loss == row.tail_loss:
                text += (
                    f", loss of the worst {percent(1 - level)} {number(row.tail_loss)} beside {here['tail_loss']:.2f}"
                )
            parts.append(text)
        of = name.removeprefix(_WORST)
        whom = {"tasks": "tasks", "donors": words.units}.get(of, f"levels of {of}")
        told.append(f"Trained on the worst {percent(1 - level)} of the {whom}: {'; '.join(parts)}.")
    return told


def _models(models: pd.DataFrame, summary: pd.DataFrame, margin: float, words: Vocabulary) -> list[str]:
    chosen = summary.loc[summary["what"] == "smallest model", "point"]
    size = _size(models[models["model"] == PRESENT], words)
    if chosen.empty:
        best = models[models["model"] != PRESENT].groupby("model", sort=False)["skill"].mean().idxmax()
        lead, rows = "No smaller trunk was shown to be no worse than the run", models[models["model"] == best]
        tail = f"; the best of them has {_size(rows, words)}: {_values(rows)}"
    else:
        rows = models[models["model"] == chosen.iloc[0]]
        lead = f"A trunk of {_size(rows, words)} is no worse than the run"
        tail = f": {_values(rows)}"
    return [f"{lead} ({size}) for every task, by the margin of {margin:g}{tail}."]


def _size(rows: pd.DataFrame, words: Vocabulary) -> str:
    first = rows.iloc[0]
    price = "" if pd.isna(first["price"]) else f" for {number(first['price'])}"
    return f"{counted(int(first['dims']), 'dimension')} on {int(first['features']):,} {words.features}{price}"


def _values(rows: pd.DataFrame) -> str:
    return "; ".join(
        f"{row.task} {metric_named(row.metric).printed} {interval(row.value, row.ci_low, row.ci_high)}, "
        f"{interval(row.difference, row.diff_low, row.diff_high, 3)} beside the run"
        for row in rows.itertuples()
    )
