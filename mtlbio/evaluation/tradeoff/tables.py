"""The tables of ``mtlbio tradeoff``: every point beside the run, the models of other sizes, and what they come to."""

from typing import Any

import numpy as np
import pandas as pd

from mtlbio.evaluation.bootstrap import expanded, interval
from mtlbio.evaluation.comparisons import call_difference
from mtlbio.evaluation.tradeoff.hypervolume import hypervolume, knee, undominated
from mtlbio.evaluation.tradeoff.points import Points
from mtlbio.evaluation.tradeoff.scored import PRESENT, Scored, call_front, call_gain
from mtlbio.evaluation.tradeoff.trunks import Shape
from mtlbio.tables import TRADEOFF_FRONT, TRADEOFF_MODELS, TRADEOFF_SUMMARY

LEVEL = 0.95
_DRAWS = 1000  # of donors for the interval of a volume, each of which is a volume


def front_table(scored: Scored, points: Points, margin: float, level: float) -> pd.DataFrame:
    """Columns of :data:`mtlbio.tables.TRADEOFF_FRONT`: the run as it is, then every point, task by task.

    ``level`` of the tail whose held-out loss is told.
    """
    names = [PRESENT, *points.names]
    gains = scored.gains(list(points.names)).set_index(["task", "point"])
    best, rows = dict(zip(names, undominated(scored.skills(names)), strict=True)), []
    for task, label in scored.cohort.tasks.items():
        scores = scored.scores(task)
        for name in names:
            row: dict[str, Any] = {"point": name, "task": task, "metric": label.decisive.name}
            estimate = scores.estimate(name, label.decisive, scored.draws, scored.seed)
            row |= dict(zip(("value", "ci_low", "ci_high"), estimate, strict=True))
            row["skill"] = float(scored.skill(task, np.array(estimate.value)))
            if name != PRESENT:
                found = gains.loc[(task, name)].to_dict()
                call = call_gain(found["difference"], found["diff_low"], found["diff_high"], margin)
                row |= found | {"call": call}
            row |= {"on_front": "yes" if best[name] else "no", "tail_loss": tail_loss(scored, name, task, level)}
            rows.append(row | {"n_samples": scores.n_samples, "n_donors": scores.n_units})
    return pd.DataFrame(rows).reindex(columns=TRADEOFF_FRONT)


def tail_loss(scored: Scored, point: str, task: str, level: float) -> float:
    """Mean over the worst ``1 - level`` of the held-out samples of what the prediction is off: squared error in units
    of the labels' variance, for classes the squared error of the probabilities (Brier); NaN for other labels."""
    label, y, pred = scored.cohort.tasks[task], scored.cohort.y(task), scored.points[point][task]
    known = ~np.isnan(y) & np.isfinite(pred if pred.ndim == 1 else pred.sum(axis=1))
    y, pred = y[known], pred[known]
    if label.classes:
        truth = y[:, None] == np.arange(pred.shape[1]) if pred.ndim > 1 else y[:, None]
        losses = np.square(pred.reshape(len(y), -1) - truth).sum(axis=1)
    elif label.predicts_value and pred.ndim == 1:
        losses = np.square(pred - y) / max(float(np.var(y)), 1e-30)
    else:
        return np.nan
    worst = np.sort(losses)[::-1][: max(1, int(np.ceil((1 - level) * len(losses))))]
    return float(worst.mean())


def models_table(scored: Scored, shapes: dict[str, Shape], margin: float) -> pd.DataFrame:
    """Columns of :data:`mtlbio.tables.TRADEOFF_MODELS`: accuracy, dimensions to interpret, features to measure, what
    these cost.

    ``shapes`` : of the models, the run's among them.
    """
    rows = []
    for task, label in scored.cohort.tasks.items():
        scores, metric = scored.scores(task), label.decisive
        for name, shape in shapes.items():
            estimate = scores.estimate(name, metric, scored.draws, scored.seed)
            row: dict[str, Any] = {"model": name, **shape._asdict(), "task": task}
            row |= {"metric": metric.name, "skill": float(scored.skill(task, np.array(estimate.value)))}
            row |= dict(zip(("value", "ci_low", "ci_high"), estimate, strict=True))
            if name != PRESENT:
                level = expanded(LEVEL, scores.rarest)
                lead = scores.difference(name, PRESENT, metric, scored.draws, scored.seed, level)
                row |= dict(zip(("difference", "diff_low", "diff_high"), lead, strict=True))
                row["call"] = call_difference(lead.ci_low, lead.ci_high, margin)
            rows.append(row)
    return pd.DataFrame(rows).reindex(columns=TRADEOFF_MODELS)


def summary_table(scored: Scored, points: Points, models: pd.DataFrame, margin: float) -> pd.DataFrame:
    """Columns of :data:`mtlbio.tables.TRADEOFF_SUMMARY`: the word on the front, its volume, its knee, where the run is.

    The word is on all points at once, tails included, and so is the interval of the largest gain. Intervals of volumes
    are of draws of donors, the same for all points and tasks.
    """
    gains = scored.gains(list(points.names))
    weighted = points.weighted
    skills = scored.skills(weighted)
    present = scored.skills([PRESENT])
    bend = knee(skills)
    near = int(np.square(skills - present).sum(axis=1).argmin())
    rows: list[dict[str, Any]] = [{"what": "front", "says": call_front(gains, margin)}]
    for task, part in gains.groupby("task", sort=False):
        top = part.loc[part["difference"].idxmax()]
        row = {"what": "largest gain", "point": top["point"], "task": task, "value": top["difference"]}
        rows.append(row | {"ci_low": top["diff_low"], "ci_high": top["diff_high"]})
    rows += [{"what": "reference", "task": task, "value": scored.reference(task)} for task in scored.cohort.tasks]
    rows += volumes(scored, {PRESENT: [PRESENT], "weights": weighted, "all points": [PRESENT, *points.names]})
    rows += [
        {"what": "knee", "point": weighted[bend], "value": regret(skills, skills[bend])},
        {"what": "present", "point": weighted[near], "value": regret(skills, present[0])},
    ]
    does = smallest_model(models)
    if does is not None:
        rows.append({"what": "smallest model", "point": does, "says": "no worse than the run for every task"})
    return pd.DataFrame(rows).reindex(columns=TRADEOFF_SUMMARY)


def volumes(scored: Scored, sets: dict[str, list[str]]) -> list[dict[str, Any]]:
    """Rows of the hypervolume of sets of points, the first of which is the run as it is, and of what the others have
    beyond that.

    The volume of many points is too large by chance alone, and in a draw of the donors once more: intervals are turned
    about the value (the basic bootstrap), which takes that away as far as a draw shows it.
    """
    names = list(dict.fromkeys(name for own in sets.values() for name in own))
    values, drawn = scored.skills(names), scored.drawn_skills(names)[:_DRAWS]
    of_set, in_draws = dict[str, float](), dict[str, np.ndarray]()
    for key, own in sets.items():
        place = [names.index(name) for name in own]
        of_set[key] = hypervolume(values[place])
        in_draws[key] = np.array([hypervolume(draw[place]) for draw in drawn])
    first, rows = next(iter(sets)), list[dict[str, Any]]()
    for key, value in of_set.items():
        rows.append({"what": "hypervolume", "point": key, "value": value, **_turned(value, in_draws[key])})
    for key, value in list(of_set.items())[1:]:
        lead, leads = value - of_set[first], in_draws[key] - in_draws[first]
        rows.append({"what": "hypervolume gain", "point": key, "value": lead, **_turned(lead, leads)})
    return rows


def _turned(value: float, drawn: np.ndarray) -> dict[str, float]:
    low, high = interval(drawn)
    return {"ci_low": 2 * value - high, "ci_high": 2 * value - low}


def regret(skills: np.ndarray, of: np.ndarray) -> float:
    """What a point (t,) falls short of the best that any of the points (m, t) reaches, where that is most."""
    return float((skills.max(axis=0) - of).max())


def smallest_model(models: pd.DataFrame) -> str | None:
    """The model with fewest dimensions, then the cheapest or fewest features, that is no worse than the run for every
    task."""
    others = models[models["model"] != PRESENT]
    does = others.groupby("model", sort=False)["call"].agg(lambda calls: calls.isin(["better", "no_worse"]).all())
    rows = others.drop_duplicates("model").set_index("model").loc[does.index[does.to_numpy(dtype=bool)]]
    return None if rows.empty else str(rows.sort_values(["dims", "price", "features"], kind="stable").index[0])
