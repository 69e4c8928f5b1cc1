"""What the tables say, in sentences that a biologist can quote.

Pure functions from tables to text: every number in a sentence stands in a table, and a model that has learnt
nothing is told so in as many words.
"""

from dataclasses import dataclass

import pandas as pd

from mtlbio.evaluation.comparisons import on_trial
from mtlbio.kinds.base import OnPage
from mtlbio.kinds.vocabulary import DONORS, Vocabulary
from mtlbio.metrics import metric_named
from mtlbio.probing.columns import column_of
from mtlbio.report.palette import VERDICTS
from mtlbio.report.words import COVARIATES, MODEL, arm_name, counted, interval
from mtlbio.text import joined, known, number

# Below these a task that beats chance is still told to be nearly unpredictable: an AUROC that puts one pair in three
# the wrong way round, less than a fifth of the variance.
_WEAK = {0.5: 0.65, 0.0: 0.2}


@dataclass(frozen=True)
class Reading:
    """What can be said of a task. ``level``: learnt, weak, covariates, chance, unknown."""

    task: str
    level: str
    short: str
    sentence: str


def headline(verdicts: pd.DataFrame, supervised: frozenset[str] = frozenset()) -> str:
    """How many dimensions there are, and how many of each verdict; ``supervised`` ones are told apart.

    A supervised dimension is a head's prediction: to count it as biology would count a programme twice.
    """
    apart = verdicts[verdicts.index.isin(supervised)]
    verdicts = verdicts.drop(index=apart.index)
    parts = _counts(verdicts)
    first, _, what = parts[0].partition(" ")
    parts[0] = f"{first} {'is' if first == '1' else 'are'} {what}"
    sentence = f"Of {counted(len(verdicts), 'latent dimension')}, {joined(parts)}"
    if not (verdicts["verdict"] == "biology").any():
        sentence += "; none could be affirmed as biology"
    if len(apart):
        words = "trained to follow its task, is" if len(apart) == 1 else "trained to follow their tasks, are"
        sentence += f". {counted(len(apart), 'supervised dimension')}, {words} judged apart: {joined(_counts(apart))}"
    return sentence + "."


def _counts(verdicts: pd.DataFrame) -> list[str]:
    """How many of each verdict, in the page's order."""
    counts = verdicts["verdict"].value_counts()
    present = [(counts[name], style) for name, style in VERDICTS.items() if name in counts]
    return [f"{count} {style.label if count == 1 else style.plural}" for count, style in present]


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
    own = MODEL if rows is None else on_trial(set(rows["arm"]))
    if metric is None or rows is None or not (rows["arm"] == own).any():
        return Reading(task, "unknown", "not evaluated", f"{task}: the model was not evaluated on this task.")
    arms, about = rows.drop_duplicates("arm").set_index("arm").rename(index={own: MODEL}), metric_named(metric)
    model = arms.loc[MODEL]
    if not known(model["value"]):
        return Reading(task, "unknown", "not evaluated", f"{task}: {about.printed} could not be computed.")
    shown = interval(model["value"], model["ci_low"], model["ci_high"])
    count = counted(int(model["n_donors"]), f"held-out {words.unit}", f"held-out {words.units}")
    start = f"{task}: {about.printed} {shown} in {count}"
    if about.chance is not None and not model["ci_low"] > about.chance:
        tail = _no_better_than_chance(arms.drop(index=MODEL), about.chance, words)
        return Reading(task, "chance", "no better than chance", f"{start}; {tail}.")

    pairs = _compared(comparisons, task, metric)
    if COVARIATES not in pairs.index:
        tail = "no covariates-only baseline was compared, so what goes beyond the covariates is unknown"
        return Reading(task, "unknown", "not compared with the covariates", f"{start}; {tail}.")
    against = pairs.loc[COVARIATES]
    gap = interval(against["difference"], against["ci_low"], against["ci_high"])
    baseline = "the covariates-only baseline"
    if COVARIATES in arms.index:
        baseline += f" ({number(arms.at[COVARIATES, 'value'])})"
    if against["call"] != "better":
        tail = _no_better_than_covariates(task, arms, baseline, gap, words)
        return Reading(task, "covariates", "no better than the covariates alone", f"{start}; {tail}.")
    if about.chance in _WEAK and model["value"] < _WEAK[about.chance]:
        tail = f"better than {baseline} by {gap}, but near-unpredictable from these data"
        return Reading(task, "weak", "near-unpredictable", f"{start}; {tail}.")
    return Reading(task, "learnt", "learnt", f"{start}; beats {baseline} by {gap}{_best(arms, pairs, words)}.")


def _compared(comparisons: pd.DataFrame | None, task: str, metric: str) -> pd.DataFrame:
    """Differences of the model from the other arms, by arm."""
    if comparisons is None:
        return pd.DataFrame()
    rows = comparisons[(comparisons["task"] == task) & (comparisons["metric"] == metric)]
    return rows[rows["arm_a"] == on_trial(set(rows["arm_a"]))].drop_duplicates("arm_b").set_index("arm_b")


def _no_better_than_chance(others: pd.DataFrame, chance: float, words: Vocabulary) -> str:
    able = others[others["ci_low"] > chance]
    if len(able):
        better = f"although {_named(able, words)} did better than chance"
        return f"the model's interval includes chance ({chance:g}), {better}"
    includes = f"the interval includes chance ({chance:g})"
    if chance == 0:
        includes += ", and no arm does better than chance"
    elif len(others):
        includes = f"the intervals of all arms include chance ({chance:g})"
    return f"{includes}: treat as not predictable from these data"


def _no_better_than_covariates(task: str, arms: pd.DataFrame, baseline: str, gap: str, words: Vocabulary) -> str:
    """Arms whose value exceeds the interval of the covariates are named: they have no paired test."""
    above = arms.iloc[:0]
    if COVARIATES in arms.index:
        rivals = arms.drop(index=[MODEL, COVARIATES])
        above = rivals[rivals["value"] > arms.at[COVARIATES, "ci_high"]]
    who = "no arm beats" if not len(above) and len(arms) > 2 else "it does not beat"
    nothing = f"The model has not been shown to learn anything about {task} that the covariates do not say"
    tail = f"{who} {baseline}; difference {gap}. {nothing}"
    return f"{tail}, although {_named(above, words)} came out above that baseline's interval" if len(above) else tail


def _named(arms: pd.DataFrame, words: Vocabulary) -> str:
    return joined([f"{arm_name(arm, words)} ({number(value)})" for arm, value in arms["value"].items()])


def _best(arms: pd.DataFrame, pairs: pd.DataFrame, words: Vocabulary) -> str:
    best = arms["value"].astype(float).idxmax()
    if best == MODEL:
        return "; no other arm scores higher"
    text = f"; the highest score is that of {_named(arms.loc[[best]], words)}"
    if best not in pairs.index:
        return text
    calls = {
        "worse": "to which the model is inferior",
        "no_worse": "to which the model is not inferior",
        "better": "which the paired comparison nevertheless puts behind the model",
    }
    return f"{text}, {calls.get(pairs.at[best, 'call'], 'and the paired difference is undecided')}"


def summary_of_tasks(readings: list[Reading]) -> str:
    """The page's second sentence: what the model predicts and what it does not."""
    groups = {
        "learnt": "The model predicts {} better than the covariates alone",
        "weak": "it barely predicts {}",
        "covariates": "it has not been shown to learn anything about {} beyond the covariates",
        "chance": "it predicts {} no better than chance",
        "unknown": "what it learnt about {} was not compared",
    }
    by_level = {level: [r.task for r in readings if r.level == level] for level in groups}
    parts = [groups[level].format(joined(tasks)) for level, tasks in by_level.items() if tasks]
    if not parts:
        return ""
    text = "; ".join(parts) + "."
    return "The model" + text[2:] if text.startswith("it ") else text[0].upper() + text[1:]


def cautions(
    verdicts: pd.DataFrame,
    readings: list[Reading],
    alpha: float,
    words: Vocabulary = DONORS,
    one_network: str = OnPage.one_network,
) -> list[str]:
    """What has to be said loudly: shortcuts through the batch, and harm to, or biology claimed for, a task that nobody
    predicts; ``one_network``: what is said where stability is not known."""
    texts = []
    tasks = [r.task for r in readings]
    if "stability" in verdicts and len(verdicts) and verdicts["stability"].isna().all():
        texts.append(one_network)
    for dim, row in verdicts[verdicts["verdict"] == "technical"].iterrows():
        harmed = [t for t in tasks if row.get(column_of("removal", t)) == "harmful"]
        if harmed:
            losses = joined([f"{t} by {number(row.get(column_of('delta', t)), 3)}" for t in harmed])
            texts.append(
                f"Shortcut: {dim} follows {row['driver']}, which is technical, and taking it out lowers {losses}. "
                f"Part of what the model seems to know about {joined(harmed)} comes from the {words.processing}."
            )
    for task in [r.task for r in readings if r.level == "chance" and column_of("removal", r.task) in verdicts]:
        harm = list(verdicts.index[verdicts[column_of("removal", task)] == "harmful"])
        if harm:
            texts.append(
                f"Taking out {joined(harm)} is called harmful for {task}, but the model predicts {task} no better than "
                f"chance: what is lost is part of a skill that was not shown."
            )
    poor = {r.task: r.short for r in readings if r.level in ("chance", "covariates")}
    for dim, row in verdicts[verdicts["verdict"] == "biology"].iterrows():
        q = {t: row.get(column_of("q", t)) for t in tasks}
        linked = [t for t in tasks if known(q[t]) and q[t] < alpha]
        if linked and all(t in poor for t in linked):
            why = joined([f"{t} ({poor[t]})" for t in linked])
            texts.append(
                f"{dim} is called biology for {why}: the association stands, but the model does not predict it."
            )
    return texts


def error_rate(row: pd.Series) -> str | None:
    """How often such a verdict is wrong, where the table carries a calibrated rate."""
    if not known(row.get("error_rate")):
        return None
    low, high = row.get("error_rate_low"), row.get("error_rate_high")
    span = f" ({_in_hundred(low)} to {_in_hundred(high)})" if known(low) and known(high) else ""
    where = f" ({row['error_rate_from'].split(': ')[0]})" if known(row.get("error_rate_from")) else ""
    rate = _in_hundred(row["error_rate"])
    return f"Of verdicts like this one, {rate} in 100{span} were wrong on planted cohorts{where}."


def short_rate(row: pd.Series) -> str:
    """How often such a verdict is wrong, in a few words: ``1.2 in 100 such verdicts wrong (0.4 to 3.1)``."""
    low, high = row.get("error_rate_low"), row.get("error_rate_high")
    span = f" ({_in_hundred(low)} to {_in_hundred(high)})" if known(low) and known(high) else ""
    return f"{_in_hundred(row['error_rate'])} in 100 such verdicts wrong{span}"


def _in_hundred(rate: float) -> str:
    return number(100 * float(rate), 1 if rate < 0.1 else 0)
