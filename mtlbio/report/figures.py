"""Every figure of a run, drawn once: into ``figures/`` and, as inline SVG, onto the page."""

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

from mtlbio.files import replacing
from mtlbio.metrics import metric_named
from mtlbio.progress import track
from mtlbio.report import conflicts, sites
from mtlbio.report.adjusted import adjusted
from mtlbio.report.cards import card_figure
from mtlbio.report.curves import training_figure
from mtlbio.report.feature_effects import effects_figure, shown_features
from mtlbio.report.forest import forest_figure, forest_rows
from mtlbio.report.heatmap import heatmap_figure
from mtlbio.report.inputs import Inputs
from mtlbio.report.panel_front import front_figure
from mtlbio.report.performance import performance_figure, performance_rows
from mtlbio.report.svg import Drawing, Picture, house_style, save
from mtlbio.report.tradeoff import tables_of
from mtlbio.report.tradeoff_picture import tradeoff_figure
from mtlbio.report.words import file_stem


def plan(inputs: Inputs, chosen: list[str]) -> dict[str, Callable[[], Drawing]]:
    """File stem -> function that draws it, for every figure that the run's tables allow."""
    looks = cache(partial(adjusted, inputs))  # a task is adjusted once for all cards
    jobs: dict[str, Callable[[], Drawing]] = {
        f"card_{file_stem(dim)}": partial(card_figure, inputs, dim, looks) for dim in chosen
    }
    for dim in chosen:
        for stem, rows in sites.of_dimension(inputs, dim).items():
            if rows["sites"].iloc[0] > 0:
                jobs[stem] = partial(sites.sites_figure, rows, dim, inputs.cohort.tasks[rows["task"].iloc[0]].ratio)
    if any(str(c).startswith(("share_", "effect_")) for c in inputs.verdicts):
        jobs["shares"] = partial(heatmap_figure, inputs)
    metrics, history, effects = (inputs.tables.get(name) for name in ("metrics", "history", "effects"))
    for task in inputs.tasks:
        metric = task_metric(inputs, task)
        if metric is not None:
            rows = performance_rows(metrics, task, metric)
            jobs[f"performance_{task}"] = partial(performance_figure, rows, task, metric, inputs.words)
        rows = forest_rows(inputs.verdicts, task)
        if len(rows):
            printed = metric_named(metric).printed if metric else "the metric"
            jobs[f"ablation_{task}"] = partial(forest_figure, rows, task, printed, inputs.run.probe.margin)
        rows = None if effects is None else shown_features(effects, task)[0]
        if rows is not None and len(rows):
            jobs[f"effects_{task}"] = partial(effects_figure, rows, task, inputs.cohort.tasks[task].unit)
    front = inputs.tables.get("panel_front")
    for task in [] if front is None else front["task"].unique():
        jobs[f"panel_{file_stem(task)}"] = partial(front_figure, front, task, inputs.words)
    given_up = tables_of(inputs)
    if given_up is not None:
        jobs["tradeoff"] = partial(tradeoff_figure, given_up, inputs.words, inputs.run.evaluate.margin)
    for task in [] if history is None else history["task"].unique():
        jobs[f"training_{file_stem(task)}"] = partial(training_figure, history, task)
    for stem, rows in conflicts.pairs(inputs.tables.get("conflict")).items():
        jobs[stem] = partial(conflicts.conflict_figure, rows, inputs.words)
    return jobs


def task_metric(inputs: Inputs, task: str) -> str | None:
    """The metric that decides about a task, or None where the run was not evaluated on it."""
    metric, metrics = inputs.decides(task), inputs.tables.get("metrics")
    if metrics is None or not ((metrics["task"] == task) & (metrics["metric"] == metric)).any():
        return None
    return metric


def draw_all(inputs: Inputs, chosen: list[str], folder: str | Path) -> dict[str, Picture]:
    """Draw every figure; ``folder`` is replaced as a whole, so that no figure of an earlier run stays behind."""
    pictures = {}
    with replacing(folder) as temporary, house_style():
        temporary.mkdir()
        for stem, job in track(list(plan(inputs, chosen).items()), "Drawing figures"):
            figure, title, description = job()
            pictures[stem] = save(figure, temporary, stem, title, description)
    return pictures
