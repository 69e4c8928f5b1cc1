"""A smaller panel, in sentences: how small it may be, how sure its features are, and which covariate sits in it."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from mtlbio.kinds.vocabulary import Vocabulary
from mtlbio.metrics import metric_named
from mtlbio.report.inputs import Inputs
from mtlbio.report.words import counted, interval, percent
from mtlbio.text import joined, number

MOST_NAMED = 12  # features in a sentence
TABLES = ("front", "features", "stability", "exchange", "follows", "verdicts")


def panel(inputs: Inputs) -> list[str]:
    """The sentences of ``mtlbio panel``; none where it was not asked, or of another cohort than this."""
    tables = {name: inputs.tables.get(f"panel_{name}") for name in TABLES}
    if any(table is None for table in tables.values()):
        return []
    return panel_sentences(tables, inputs.words, inputs.run.evaluate.margin)


def panel_sentences(tables: Mapping[str, pd.DataFrame], words: Vocabulary, margin: float) -> list[str]:
    """What the tables of ``panel/`` say, by their names."""
    front, features = tables["front"], tables["features"]
    return [
        *size_sentences(front, features, words, margin),
        *own_sentences(front, words),
        *stability_sentences(features, tables["stability"], tables["exchange"], words),
        covariate_sentence(tables["follows"], tables["verdicts"], front["task"].unique().tolist()),
    ]


def size_sentences(front: pd.DataFrame, features: pd.DataFrame, words: Vocabulary, margin: float) -> list[str]:
    """The smallest panel of all tasks, what it reaches beside all features, and who is in it."""
    inside = _inside(features)
    whole, limit = front[front["panel"] == "all"].set_index("task"), inside["limit"].iloc[0]
    rows = front[(front["panel"] == "shared") & (front["limit"] == limit)]
    many, total = counted(len(inside), words.feature, words.features), f"all {int(whole['size'].iloc[0]):,}"
    price = f" for {number(inside['price'].sum())}" if inside["price"].notna().all() else ""
    parts = []
    for row in rows.itertuples():
        metric, all_of_them = metric_named(row.metric).printed, number(whole.loc[row.task, "value"])
        lead = interval(row.difference, row.diff_low, row.diff_high, 3)
        own = interval(row.value, row.ci_low, row.ci_high)
        parts.append(f"{row.task} {metric} {own} beside {all_of_them} (difference {lead})")
    if (rows["chosen"] == "yes").all():
        better = rows.loc[rows["call"] == "better", "task"].tolist()
        than = f"no worse than {total} {words.features} by the margin of {margin:g}"
        than += f", and better for {joined(better)}" if better else ""
        first = f"A panel of {many}{price} is {than}: {'; '.join(parts)}."
    else:
        first = (
            f"No panel was shown to be no worse than {total} {words.features} for every task, by the margin of "
            f"{margin:g}; the best of the front has {many}{price}: {'; '.join(parts)}."
        )
    names = inside["feature"].astype(str).head(MOST_NAMED).tolist()
    names += [f"{len(inside) - MOST_NAMED} more"] if len(inside) > MOST_NAMED else []
    return [first, f"It holds {joined(names)}."]


def own_sentences(front: pd.DataFrame, words: Vocabulary) -> list[str]:
    """The smallest panel of each task alone."""
    own = front[front["panel"] == "own"]
    if own.empty:
        return []
    shown = own[own["chosen"] == "yes"].drop_duplicates("task").set_index("task")["size"]
    parts = [f"{task} {counted(round(size), words.feature, words.features)}" for task, size in shown.items()]
    rest = [task for task in own["task"].unique() if task not in shown.index]
    parts += [f"none was shown to do for {joined(rest)}"] if rest else []
    return [f"For one task alone: {'; '.join(parts)}."]


def stability_sentences(
    features: pd.DataFrame, stability: pd.DataFrame, exchange: pd.DataFrame, words: Vocabulary
) -> list[str]:
    """How often the features are chosen again, and which could be others."""
    inside = _inside(features)
    folds, half = int((inside["in_folds"] == 1).sum()), int((inside["in_draws"] >= 0.5).sum())
    said = [
        f"In the panel of every fold are {folds} of the {len(inside)}, and in at least half of the panels that are "
        f"chosen when {words.units} are drawn again {half}.{_alike(stability)}"
    ]
    if exchange.empty:
        return [*said, f"No {words.feature} outside the panel is correlated with one in it by 0.5 or more."]
    free = inside[inside["exchange"].notna()]
    if free.empty:
        return [*said, f"For none of them a correlated {words.feature} was shown to do as well."]
    first = free.iloc[0]
    return [
        *said,
        f"{len(free)} of them could be a correlated {words.feature} outside, at a loss within the margin for every "
        f"task: {str(first['exchange']).split('; ')[0]} for {first['feature']}, for instance.",
    ]


def _alike(stability: pd.DataFrame) -> str:
    """How alike the shared panels of folds and of draws are."""
    rows = stability[stability["panel"] == "shared"].set_index("over")
    if rows.empty or rows["stability"].isna().any():
        return ""
    folds, draws = rows.loc["folds"], rows.loc["draws"]
    drawn = interval(draws["stability"], draws["ci_low"], draws["ci_high"])
    alike = number(folds["stability"])
    return f" Where 1 is the same panel each time and 0 chance, folds agree by {alike}, draws {drawn}."


def covariate_sentence(follows: pd.DataFrame, verdicts: pd.DataFrame, tasks: list[str]) -> str:
    """Whether a confounder or the batch sits in the panel, by name."""
    if verdicts.empty:
        return "Whether a covariate sits in the panel could not be tested."
    apart = follows[follows["call"] == "inseparable"]
    shares = follows[follows["call"] == "follows"]
    said = []
    names = shares["covariate"].unique().tolist()
    for covariate in [*(n for n in names if n not in tasks), *(n for n in names if n in tasks)]:
        rows = shares[shares["covariate"] == covariate]
        whom = [f"{row.dim} ({percent(row.share)})" for row in rows.head(MOST_NAMED // 2).itertuples()]
        whom += [f"{len(rows) - len(whom)} more"] if len(rows) > len(whom) else []
        if covariate in tasks:
            said.append(f"{covariate}, a task of the panel itself, is followed by {joined(whom)}")
        else:
            said.append(f"{covariate} sits in the panel, in {joined(whom)}")
    for covariate, rows in apart.groupby("covariate", sort=False):
        said.append(f"{joined(rows['dim'].tolist())} cannot be told from {covariate} in this cohort")
    if not said:
        return "No covariate has a material share of a score or of a feature of the panel."
    return f"Covariates: {'; '.join(said)}."


def _inside(features: pd.DataFrame) -> pd.DataFrame:
    """Features of the panel for all tasks that all donors chose."""
    return features[(features["panel"] == "shared") & features["rank"].notna()]
