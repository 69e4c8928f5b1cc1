"""Is who was measured, how often, and of whom something is unknown, a matter of the outcome?

Every test compares the donors that are there. Where cases came three times and controls once, what a visit does passes
for the disease; where the age of cases is more often unknown, the donors that a test is left with are other cases than
those who were recruited. Neither shows in any association of covariates.
"""

import numpy as np
import pandas as pd
from scipy import stats

from mtlbio.probing.trial import Trial

LEVEL = 0.01  # over all rows together (Bonferroni) from which it is said


def recruitment(trial: Trial) -> list[dict]:
    """Rows of the audit of kind ``recruitment``: outcome x samples per donor, x covariate or other label unknown.

    ``value`` is p: Kruskal-Wallis of classes and Spearman of numbers for the samples per donor, chi squared of classes
    and Mann-Whitney of numbers for gaps. ``call`` is ``weak`` where it goes with the outcome, else ``ok``.
    """
    obs = trial.obs.assign(donor=trial.donors)
    facts = {"samples per donor": obs.groupby("donor").size().astype(float)} if trial.visits else {}
    for name in [*trial.covariates, *(task for task in trial.outcomes if task not in trial.covariates)]:
        facts[f"{name} unknown"] = obs[name].isna().groupby(obs["donor"]).all().astype(float)
    rows = []
    for task in trial.outcomes:
        labels = pd.Series(trial.labels(task)).groupby(trial.donors)
        y = labels.mean()[labels.nunique() == 1] if trial.tasks[task].classes else labels.mean().dropna()
        for what, values in facts.items():
            fact = values.reindex(y.index)
            if what != f"{task} unknown" and fact.nunique() > 1 and y.nunique() > 1 and _asked(trial, task, y, fact):
                rows.append(_row(trial, task, what, y.to_numpy(), fact.to_numpy()))
    for row in rows:
        if row["value"] * len(rows) <= LEVEL:
            row |= {"call": "weak", "why": f"{row['why']} {_consequence(trial, row)}"}
    return rows


def _asked(trial: Trial, task: str, y: pd.Series, fact: pd.Series) -> bool:
    """Whether a fact is one of all classes: a response that only cases are asked for is no gap of the controls."""
    return not trial.tasks[task].classes or bool((fact.groupby(y).min() != 1).all() or fact.max() > 1)


def _row(trial: Trial, task: str, what: str, y: np.ndarray, fact: np.ndarray) -> dict:
    codes, classes = trial.tasks[task].codes(y), trial.tasks[task].classes
    count, units = what == "samples per donor", trial.words.units
    if codes is None:
        p = stats.spearmanr(y, fact).pvalue if count else stats.mannwhitneyu(y[fact > 0], y[fact == 0]).pvalue
        found = f"correlation {stats.spearmanr(y, fact).statistic:.2f}"
    else:
        groups = [fact[codes == k] for k in np.unique(codes)]
        p = stats.kruskal(*groups).pvalue if count else stats.chi2_contingency(pd.crosstab(codes, fact), False).pvalue
        means = [f"{g.mean():.1f}" if count else f"{100 * g.mean():.0f} %" for g in groups]
        found = ", ".join(f"{classes[k]} {mean}" for k, mean in zip(np.unique(codes), means, strict=True))
    start = {"kind": "recruitment", "task": task, "covariate": what, "unit": "donor", "n": len(y), "n_donors": len(y)}
    why = f"{what} by {task} of {len(y)} {units}: {found} (p {p:.2g})."
    return start | {"association": "p", "value": float(p), "call": "ok", "why": why}


def _consequence(trial: Trial, row: dict) -> str:
    if row["covariate"] == "samples per donor":
        return (
            f"What a visit does passes for {row['task']}: give the visit as a covariate, or keep one sample of each "
            f"{trial.words.unit}."
        )
    return f"Whom the tests are left with is a matter of {row['task']}: a link with it may be one with the gap."
