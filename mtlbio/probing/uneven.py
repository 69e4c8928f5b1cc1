"""What of its recruitment goes with an outcome, as :mod:`mtlbio.probing.recruitment` found, and is held fixed."""

import numpy as np
import pandas as pd

from mtlbio.cohort.family import ORDER
from mtlbio.probing.association import task_design
from mtlbio.probing.design import orthonormal
from mtlbio.probing.trial import Trial

COUNT, TIME, INSIDE = "samples per donor", "order of sampling", "order of sampling within a donor"
SAME_ORDER = "same order"  # stands under ``association`` where the order of the states is the design


def uneven(table: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """Outcome -> what goes with it of samples per donor and order of sampling, as the audit found; not an
    order of its states that is the same in all donors."""
    weak = table[(table["kind"] == "recruitment") & (table["call"] == "weak") & (table["association"] == "p")]
    weak = weak[weak["covariate"].isin([COUNT, TIME, INSIDE])]
    return {task: tuple(rows["covariate"]) for task, rows in weak.groupby("task", sort=False)}


def one_order(table: pd.DataFrame) -> frozenset[str]:
    """Outcomes in whose states nearly all donors were seen in one order."""
    return frozenset(table.loc[table["association"] == SAME_ORDER, "task"])


def uneven_columns(trial: Trial, task: str) -> np.ndarray:
    """(samples, k) what of its recruitment goes with an outcome: a straight line and a bend each; k is 0 of most.

    The order is that of a donor's samples together, and of each sample where the label changes within donors.
    """
    columns, names = [np.zeros((len(trial.obs), 0))], trial.uneven.get(task, ())
    if INSIDE in names:
        ranks = trial.obs[ORDER].rank()
        columns += [
            _bent(ranks.groupby(trial.donors).transform("mean").fillna(ranks.mean()).where(ranks.isna(), ranks))
        ]
    for what in names:
        if what != INSIDE and not (what == TIME and INSIDE in names):
            values = numbers(trial)[what]
            columns += [_bent(values.fillna(values.mean()).reindex(trial.donors))]
    return np.column_stack(columns)


def _bent(values: pd.Series) -> np.ndarray:
    return np.column_stack([values.to_numpy(), np.log(values.to_numpy())])


def told(trial: Trial) -> frozenset[str]:
    """Outcomes of which their recruitment leaves too little to see: a variance inflation of ``max_vif`` or more.

    More donors who were sampled like these would not tell either.
    """
    out = set()
    for task in trial.uneven:
        units, nuisance, columns = task_design(trial, task)
        tested = units.centre(columns)
        recruited = units.centre(units.mean(uneven_columns(trial, task)))
        before = np.square(nuisance.residual(tested)).sum(axis=0)
        basis = orthonormal(np.column_stack([nuisance.basis, recruited]))
        after = np.square(tested - basis @ (basis.T @ tested)).sum(axis=0)
        if (after * trial.options.max_vif <= before).any():
            out.add(task)
    return frozenset(out)


def numbers(trial: Trial) -> dict[str, pd.Series]:
    """Samples per donor and order of sampling, where there is one, by donor."""
    obs = trial.obs.assign(donor=trial.donors)
    facts = {COUNT: obs.groupby("donor").size().astype(float)} if trial.visits else {}
    if ORDER in obs:
        facts[TIME] = obs[ORDER].rank().groupby(obs["donor"]).mean()
    return facts
