"""Whose labels move which predictions of the linear multi-task model of a cohort: every donor, exactly."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort
from mtlbio.errors import InputError, listing
from mtlbio.evaluation.held_out_moves import Removals, held_out_moves
from mtlbio.evaluation.leave_one_out import LinearModel, features_of, linear_model
from mtlbio.evaluation.linear_targets import covariate_targets, task_targets
from mtlbio.evaluation.mixups import mixups, of_donors, suspect
from mtlbio.tables import COUPLING, INFLUENCE

MOST_WATCHED = 500  # donors whose predictions are watched: of more, as many that are spread evenly over their names


@dataclass(frozen=True)
class Moves:
    """What leaving out one group of labels per donor does to the held-out predictions of other donors, by target.

    Attributes
    ----------
    rms, largest : (G, T) over other donors, standardised; ``largest`` has its sign
    moved : (G, T) place of the donor that moves most
    with_each : (T, T) sum over donors and those moved of the product of two targets' moves
    """

    rms: np.ndarray
    largest: np.ndarray
    moved: np.ndarray
    with_each: np.ndarray


def influence_of_donors(cohort: Cohort) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Who moves what, and which task moves which.

    Returns
    -------
    donors : columns of :data:`mtlbio.tables.INFLUENCE`, a row per donor and task (or class of one), the donors first
        whose measurements and records fit worst
    coupling : columns of :data:`mtlbio.tables.COUPLING`, a row per pair of tasks

    Raises
    ------
    InputError
        No task has labels that differ, or there are fewer than three donors.
    """
    targets = task_targets(cohort)
    if not targets or len(np.unique(cohort.donors)) < 3:
        raise InputError(
            f"cohort.h5ad: {len(np.unique(cohort.donors))} donors, of the tasks {listing(cohort.tasks)} "
            f"{len({t.name for t in targets})} with labels that differ; expected 3 donors or more and one such task"
        )
    x = features_of(cohort, len(targets))
    model = linear_model(x, targets, cohort.donors)
    beside = [linear_model(x, [target], cohort.donors) for target in covariate_targets(cohort)]
    others, own = _by_task(model)
    whole, *rest = moves(model, [model.labels_of, *others, *own])
    return donor_table(model, beside, cohort.samples, whole, rest[: len(others)]), coupling_table(
        model, own, rest[len(others) :]
    )


def donor_table(
    model: LinearModel, beside: list[LinearModel], samples: np.ndarray, whole: Moves, by_others: list[Moves]
) -> pd.DataFrame:
    """Columns of :data:`mtlbio.tables.INFLUENCE`.

    ``beside``: models of the covariates, ``samples``: (n,) names; ``whole``: without all labels of a donor,
    ``by_others``: without those of every other task, by task.
    """
    found = mixups([model, *beside])
    evidence, where = of_donors(found.evidence, model.place)
    named = np.where(suspect(evidence), "yes", "no")
    wrong = {name: of_donors(column, model.place)[0] for name, column in zip(found.records, found.wrong.T, strict=True)}
    odd = np.array(found.records)[np.nan_to_num(found.wrong[where]).argmax(axis=1)]
    target_of, names = model.fit.targets, list(dict.fromkeys(target.name for target in model.targets))
    common = {"donor": model.donors, "rank": pd.Series(-evidence).rank(method="first"), "evidence": evidence}
    common |= {"suspect": named, "sample": samples[where], "odd": odd}
    tables = []
    for t, target in enumerate(model.targets):
        here = [rows[target_of[rows] == t] for rows in model.labels_of]
        table = pd.DataFrame(common | {"task": target.name, "class": target.part, "order": t})
        table["wrong_label"] = wrong[target.name]
        table["n_labels"] = [len(rows) for rows in here]
        table["rms"], table["largest"] = whole.rms[:, t] * target.scale, whole.largest[:, t] * target.scale
        table["moved"] = model.donors[whole.moved[:, t]]
        table["by_others"] = by_others[names.index(target.name)].rms[:, t] * target.scale
        for column, values in (("error", model.errors[:, t] * target.scale), ("leverage", _leverage(model, t))):
            table[column] = [values[model.fit.samples[rows]].mean() if len(rows) else np.nan for rows in here]
        tables.append(table)
    out = pd.concat(tables, ignore_index=True).sort_values(["rank", "order"], kind="stable", ignore_index=True)
    return out[INFLUENCE]


def coupling_table(model: LinearModel, own: list[list[np.ndarray]], moved: list[Moves]) -> pd.DataFrame:
    """Columns of :data:`mtlbio.tables.COUPLING`: what the labels of one task (``by``) move another one's predictions.

    ``own``: by task the labels of it that every donor has, ``moved``: what leaving these out moves.

    ``rate``: how far, in standard deviations, where those of ``by`` move by one, over all donors and predictions;
    ``slope``: of the one move on the other, whose sign says whether they go together.
    """
    rows, names = [], list(dict.fromkeys(t.name for t in model.targets))
    columns = {name: [t for t, target in enumerate(model.targets) if target.name == name] for name in names}
    for by, groups, found in zip(names, own, moved, strict=True):
        # several classes of a task: the root mean square over them
        size = {name: np.sqrt(np.square(found.rms[:, columns[name]]).mean()) for name in names}
        for task in [name for name in names if name != by]:
            cross = found.with_each[np.ix_(columns[task], columns[by])].mean()
            own_sum = np.diag(found.with_each)[columns[by]].mean()
            row = {"task": task, "by": by, "gamma": model.gamma, "n_donors": sum(len(labels) > 0 for labels in groups)}
            row |= {"rms": size[task], "rms_by": size[by], "rate": size[task] / max(size[by], 1e-300)}
            single = len(columns[task]) == len(columns[by]) == 1
            rows.append(row | {"slope": cross / max(own_sum, 1e-300) if single else np.nan})
    return pd.DataFrame(rows, columns=COUPLING)


def _by_task(model: LinearModel) -> tuple[list[list[np.ndarray]], list[list[np.ndarray]]]:
    """By task, of every donor: the labels of all other tasks, and those of the task."""
    names = list(dict.fromkeys(target.name for target in model.targets))
    task = np.array([names.index(target.name) for target in model.targets])[model.fit.targets]
    others = [[rows[task[rows] != k] for rows in model.labels_of] for k in range(len(names))]
    return others, [[rows[task[rows] == k] for rows in model.labels_of] for k in range(len(names))]


def moves(model: LinearModel, sets: list[list[np.ndarray]]) -> list[Moves]:
    """What each group of labels of a donor moves, of several sets of (G) groups, one per donor."""
    donors, targets = len(model.donors), len(model.targets)
    watched = np.unique(np.linspace(0, donors - 1, min(donors, MOST_WATCHED)).astype(int))
    found = [np.zeros((len(watched), donors, targets)) for _ in sets]
    held = [model.labels_of[j] for j in watched], [model.samples_of[j] for j in watched]
    for row, (j, changes) in enumerate(
        zip(watched, held_out_moves(model.fit, *held, [Removals(model.fit, groups) for groups in sets]), strict=True)
    ):
        for table, change in zip(found, changes, strict=True):
            table[row] = change
            table[row, j] = 0.0
    others = len(watched) - np.isin(np.arange(donors), watched)[:, None]
    return [_summary(table, others, watched) for table in found]


def _summary(change: np.ndarray, others: np.ndarray, watched: np.ndarray) -> Moves:
    """``change``: (watched, G, T)."""
    place = np.abs(change).argmax(axis=0)
    largest = np.take_along_axis(change, place[None], axis=0)[0]
    rms = np.sqrt(np.square(change).sum(axis=0) / others)
    return Moves(rms, largest, watched[place], np.einsum("wgs,wgt->st", change, change))


def _leverage(model: LinearModel, t: int) -> np.ndarray:
    """(n,) of the labels of a target."""
    out, rows = np.full(len(model.place), np.nan), model.fit.targets == t
    out[model.fit.samples[rows]] = model.fit.leverage[rows]
    return out
