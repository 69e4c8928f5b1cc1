"""What the tables say, in sentences that a biologist can quote.

Pure functions from tables to text: every number in a sentence stands in a table, and a model that has learnt
nothing is told so in as many words.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from mtlbio.kinds.vocabulary import DONORS, Vocabulary
from mtlbio.probing.columns import column_of
from mtlbio.report.palette import VERDICTS
from mtlbio.report.words import chance, counted, interval, metric_name
from mtlbio.text import joined, known, number

MODEL, SINGLE, COVARIATES = "multitask", "singletask", "covariates"

# Below these a task that beats chance is still told to be nearly unpredictable: an AUROC that puts one pair in three
# the wrong way round, less than a fifth of the variance.
_WEAK = {0.5: 0.65, 0.0: 0.2}
_ARMS = {
    MODEL: "the multi-task model",
    SINGLE: "the single-task model",
    COVARIATES: "the covariates-only baseline",
    "ridge": "ridge regression on all {features}",
    "window_linear": "the linear window of letters",
    "majority": "the commonest state or mean",
    "elasticnet": "the elastic net",
    "lightgbm": "LightGBM",
    "pca_linear": "a linear model on principal components",
}


@dataclass(frozen=True)
class Reading:
    """What can be said of a task. ``level``: learnt, weak, covariates, chance, unknown."""

    task: str
    level: str
    short: str
    sentence: str


def arm_name(arm: str, words: Vocabulary = DONORS) -> str:
    """An arm of the comparison in prose."""
    return words.fill(_ARMS[arm]) if arm in _ARMS else arm


def headline(verdicts: pd.DataFrame, supervised: frozenset[str] = frozenset()) -> str:
    """How many dimensions there are, and how many of each verdict; ``supervised`` ones are told apart.

    A supervised dimension is a head's prediction: to count it as biology would count a programme twice.
    """
    apart, verdicts = (verdicts[verdicts.index.isin(supervised) == own] for own in (True, False))
    counts, parts = verdicts["verdict"].value_counts(), _counts(verdicts)
    first, _, what = parts[0].partition(" ")
    parts[0] = f"{first} {'is' if first == '1' else 'are'} {what}"
    sentence = f"Of {counted(len(verdicts), 'latent dimension')}, {joined(parts)}"
    if not counts.get("biology", 0):
        sentence += "; none could be affirmed as biology"
    if len(apart):
        words = "trained to follow its task, is" if len(apart) == 1 else "trained to follow their tasks, are"
        sentence += f". {counted(len(apart), 'supervised dimension')}, {words} judged apart: {joined(_counts(apart))}"
    return sentence + "."


def _counts(verdicts: pd.DataFrame) -> list[str]:
    """How many of each verdict, in the page's order."""
    found = verdicts["verdict"].value_counts()
    kinds = [(int(found.get(name, 0)), style) for name, style in VERDICTS.items()]
    return [f"{count} {style.label if count == 1 else style.plural}" for count, style in kinds if count]


def compare(comparisons: pd.DataFrame | None, a: str, b: str, task: str, metric: str) -> dict | None:
    """Row of the comparison of ``a`` with ``b``, turned round where the table holds ``b`` with ``a``."""
    if comparisons is None:
        return None
    rows = comparisons[(comparisons["task"] == task) & (comparisons["metric"] == metric)]
    found = rows[(rows["arm_a"] == a) & (rows["arm_b"] == b)]
    if len(found):
        return found.iloc[0].to_dict()
    found = rows[(rows["arm_a"] == b) & (rows["arm_b"] == a)]
    if not len(found):
        return None
    row = found.iloc[0].to_dict()
    # "b is no worse than a" says nothing about a against b: turned round it is undecided
    opposite = {"better": "worse", "worse": "better"}.get(row["call"], "undecided")
    low, high = row["ci_low"], row["ci_high"]
    return {**row, "difference": -row["difference"], "ci_low": -high, "ci_high": -low, "call": opposite}


def read_task(
    task: str,
    metric: str | None,
    metrics: pd.DataFrame | None,
    comparisons: pd.DataFrame | None,
    words: Vocabulary = DONORS,
) -> Reading:
    """Whether the model predicts a task on donors it has not seen, against chance and against the covariates.

    ``metric`` is the one that decides about this kind of task (:mod:`mtlbio.labels`).
    """
    rows = None if metrics is None else metrics[(metrics["task"] == task) & (metrics["metric"] == metric)]
    if metric is None or rows is None or not (rows["arm"] == MODEL).any():
        return Reading(task, "unknown", "not evaluated", f"{task}: the model was not evaluated on this task.")
    values = rows.drop_duplicates("arm").set_index("arm")
    own = values.loc[MODEL]
    shown = interval(own["value"], own["ci_low"], own["ci_high"])
    count = counted(int(own["n_donors"]), f"held-out {words.unit}", f"held-out {words.units}")
    start = f"{task}: {metric_name(metric)} {shown} in {count}"
    guess = chance(metric)
    others = values.drop(index=[MODEL])

    if not known(own["value"]):
        return Reading(task, "unknown", "not evaluated", f"{task}: {metric_name(metric)} could not be computed.")
    if guess is not None and not (known(own["ci_low"]) and own["ci_low"] > guess):
        able = [a for a in others.index if known(others.at[a, "ci_low"]) and others.at[a, "ci_low"] > guess]
        if able:
            names = joined([f"{arm_name(a, words)} ({number(others.at[a, 'value'])})" for a in able])
            tail = f"the model's interval includes chance ({guess:g}), although {names} did better than chance"
        elif guess == 0:
            tail = (
                "the interval includes chance (0), and no arm does better than chance: "
                "treat as not predictable from these data"
            )
        else:
            tail = (
                f"the intervals of all arms include chance ({guess:g}): treat as not predictable from these data"
                if len(others)
                else f"the interval includes chance ({guess:g}): treat as not predictable from these data"
            )
        return Reading(task, "chance", "no better than chance", f"{start}; {tail}.")

    against = compare(comparisons, MODEL, COVARIATES, task, metric)
    if against is None:
        word = "no covariates-only baseline was compared, so what goes beyond the covariates is unknown"
        return Reading(task, "unknown", "not compared with the covariates", f"{start}; {word}.")
    gap = interval(against["difference"], against["ci_low"], against["ci_high"])
    base = f" ({number(values.at[COVARIATES, 'value'])})" if COVARIATES in values.index else ""
    if against["call"] != "better":
        above = _above_covariates(values)
        who = f"it does not beat the covariates-only baseline{base}"
        if not above and len(others) > 1:
            who = f"no arm beats the covariates-only baseline{base}"
        nothing = f"The model has not been shown to learn anything about {task} that the covariates do not say"
        tail = f"{who}; difference {gap}. {nothing}"
        if above:
            names = joined([f"{arm_name(a, words)} ({number(values.at[a, 'value'])})" for a in above])
            tail += f", although {names} came out above that baseline's interval"
        return Reading(task, "covariates", "no better than the covariates alone", f"{start}; {tail}.")

    floor = None if guess is None else _WEAK.get(guess)
    if floor is not None and own["value"] < floor:
        near = f"better than the covariates-only baseline{base} by {gap}, but near-unpredictable from these data"
        return Reading(task, "weak", "near-unpredictable", f"{start}; {near}.")
    tail = f"beats the covariates-only baseline{base} by {gap}{_best(task, metric, values, comparisons, words)}"
    return Reading(task, "learnt", "learnt", f"{start}; {tail}.")


def _above_covariates(values: pd.DataFrame) -> list[str]:
    """Arms other than the model whose value exceeds the interval of the covariates; they have no paired test."""
    if COVARIATES not in values.index:
        return []
    rivals = values.drop(index=[MODEL, COVARIATES])
    return list(rivals.index[rivals["value"] > values.at[COVARIATES, "ci_high"]])


def _best(task, metric, values, comparisons, words: Vocabulary) -> str:
    best = values["value"].astype(float).idxmax()
    if best == MODEL:
        return "; no other arm scores higher"
    row = compare(comparisons, MODEL, best, task, metric)
    say = f"; the highest score is that of {arm_name(best, words)} ({number(values.at[best, 'value'])})"
    if row is None:
        return say
    calls = {
        "worse": "to which the model is inferior",
        "no_worse": "to which the model is not inferior",
        "better": "which the paired comparison nevertheless puts behind the model",
    }
    return f"{say}, {calls.get(row['call'], 'and the paired difference is undecided')}"


def summary_of_tasks(readings: list[Reading]) -> str:
    """The page's second sentence: what the model predicts and what it does not."""
    groups = {
        "learnt": "The model predicts {} better than the covariates alone",
        "weak": "it barely predicts {}",
        "covariates": "it has not been shown to learn anything about {} beyond the covariates",
        "chance": "it predicts {} no better than chance",
        "unknown": "what it learnt about {} was not compared",
    }
    parts = []
    for level, words in groups.items():
        tasks = [r.task for r in readings if r.level == level]
        if tasks:
            parts.append(words.format(joined(tasks)))
    if not parts:
        return ""
    if parts[0].startswith("it "):
        parts[0] = "The model" + parts[0][2:]
    return "; ".join(p[0].upper() + p[1:] if i == 0 else p for i, p in enumerate(parts)) + "."


def cautions(verdicts: pd.DataFrame, readings: list[Reading], alpha: float, words: Vocabulary = DONORS) -> list[str]:
    """What has to be said loudly: shortcuts through the batch, and biology claimed for a task nobody predicts."""
    found = []
    tasks = [r.task for r in readings]
    if "stability" in verdicts and len(verdicts) and verdicts["stability"].isna().all():
        found.append(
            "Only one network was trained (training.seeds): nothing shows which dimensions another one would find, "
            "and no verdict carries an error rate."
        )
    for dim, row in verdicts.iterrows():
        if row["verdict"] != "technical":
            continue
        harmed = [t for t in tasks if row.get(column_of("removal", t)) == "harmful"]
        if harmed:
            losses = joined([f"{t} by {number(row.get(column_of('delta', t)), 3)}" for t in harmed])
            found.append(
                f"Shortcut: {dim} follows {row['driver']}, which is technical, and taking it out lowers {losses}. "
                f"Part of what the model seems to know about {joined(harmed)} comes from the {words.processing}."
            )
    poor = {r.task: r.short for r in readings if r.level in ("chance", "covariates")}
    for dim, row in verdicts[verdicts["verdict"] == "biology"].iterrows():
        q = {t: row.get(column_of("q", t)) for t in tasks}
        linked = [t for t in tasks if known(q[t]) and q[t] < alpha]
        if linked and all(t in poor for t in linked):
            why = joined([f"{t} ({poor[t]})" for t in linked])
            found.append(
                f"{dim} is called biology for {why}: the association stands, but the model does not predict it."
            )
    return found


def error_rate(row: pd.Series) -> str | None:
    """How often such a verdict is wrong, where the table carries a calibrated rate."""
    if not known(row.get("error_rate")):
        return None
    low, high = row.get("error_rate_low"), row.get("error_rate_high")
    span = f" ({_in_hundred(low)} to {_in_hundred(high)})" if known(low) and known(high) else ""
    where = f" ({row['error_rate_from'].split(': ')[0]})" if known(row.get("error_rate_from")) else ""
    rate = _in_hundred(row["error_rate"])
    return f"Of verdicts like this one, {rate} in 100{span} were wrong on planted cohorts{where}."


def _in_hundred(rate: float) -> str:
    return number(100 * float(rate), 1 if rate < 0.1 else 0)
