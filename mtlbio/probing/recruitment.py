"""Is who was measured, how often, and of whom something is unknown, a matter of the outcome?

Every test compares the donors that are there. Where cases came three times and controls once, what a visit does passes
for the disease; where the age of cases is more often unknown, the donors that a test is left with are other cases than
those who were recruited. Neither shows in any association of covariates. Nor does it that cases came last, where
the run knows the order of sampling (``metadata.order``): rows of a file are sorted by disease too often to be one.
"""

import numpy as np
import pandas as pd
from scipy import stats

from mtlbio.cohort.family import ORDER
from mtlbio.probing.design import Nuisance
from mtlbio.probing.inference import Contrast
from mtlbio.probing.trial import Trial
from mtlbio.probing.uneven import COUNT, INSIDE, SAME_ORDER, TIME, numbers
from mtlbio.probing.units import donor_units

LEVEL = 0.01  # over all rows together (Bonferroni) from which it is said
LEAST_P = 1e-10  # below which a p is only said to be smaller
LEAST_DONORS = 5  # seen in several states, whose order is looked at
SAME = 0.95  # share of the donors seen in several states, all in one order, from which that order is the design


def recruitment(trial: Trial) -> list[dict]:
    """Rows of the audit of kind ``recruitment``: outcome x samples per donor, x order of sampling, x covariate or other
    label unknown.

    ``value`` is p: Kruskal-Wallis of classes and Spearman of numbers for the samples per donor and their order (the
    mean rank of a donor's samples), chi squared of classes and Mann-Whitney of numbers for gaps; with families also
    that of the ranks by the family-clustered F. Where the label changes within donors, the order of its states is
    asked for within them (:func:`_inside`). ``call`` is ``weak`` where it goes with the outcome, else ``ok``.

    Of two p, with families and within donors, the larger one counts. Pairs tell how steadily a difference comes back,
    not whether there is enough of it for a drift to pass for the outcome: a case who is always sampled a day before
    its control is no later than the controls. One that strangers would show is.
    """
    obs = trial.obs.assign(donor=trial.donors)
    facts = numbers(trial)
    for name in [*trial.covariates, *(task for task in trial.outcomes if task not in trial.covariates)]:
        facts[f"{name} unknown"] = obs[name].isna().groupby(obs["donor"]).all().astype(float)
    rows = []
    for task in trial.outcomes:
        labels = pd.Series(trial.labels(task)).groupby(trial.donors)
        y = labels.mean()[labels.nunique() == 1] if trial.tasks[task].classes else labels.mean().dropna()
        for what, values in facts.items():
            fact = values.reindex(y.index).dropna()
            of = y[fact.index]
            if what != f"{task} unknown" and fact.nunique() > 1 and of.nunique() > 1 and _asked(trial, task, of, fact):
                rows.append(_row(trial, task, what, of, fact))
    rows += [row for task in trial.outcomes for row in _inside(trial, task)]
    rows = [row for row in rows if np.isfinite(row["value"])]  # of the others too few families, or donors, to tell
    for row in rows:
        then = row.pop("then")
        if row["association"] != "p" or row["value"] * len(rows) <= LEVEL:
            row |= {"call": "weak", "why": f"{row['why']} {then}"}
    return rows


def _inside(trial: Trial, task: str) -> list[dict]:
    """The row of the order in which donors were seen in their states; none where no label changes within donors.

    Where nearly all donors were seen in one order (before, then after), that order is the outcome itself: ``value`` is
    then the share of the donors, ``call`` is ``weak``, and nothing is held fixed. Else it is p: of the within-donor F
    by flips of whole donors (families), or of Kruskal-Wallis over the states of all donors, whichever is larger.
    """
    if ORDER not in trial.obs or not trial.tasks[task].classes:
        return []
    ranks, y = trial.obs[ORDER].rank(), pd.Series(trial.labels(task), trial.obs.index)
    several = y.where(ranks.notna()).groupby(trial.donors).transform("nunique") > 1
    units = trial.units_of(task, (several & ranks.notna()).to_numpy())
    if units.donors < LEAST_DONORS:
        return []
    table = pd.DataFrame({"donor": units.owner, "state": units.y, "rank": units.mean(ranks.to_numpy())})
    tied = table.groupby("donor")["rank"].transform(lambda ranks: ranks.duplicated().any())
    sequence = table[~tied].sort_values(["donor", "rank"]).groupby("donor")["state"].agg(tuple)
    if sequence.empty:  # all states of a donor at once
        return []
    same = float(sequence.value_counts().max() / units.donors)
    classes, words = trial.tasks[task].classes, trial.words
    start = {"kind": "recruitment", "task": task, "covariate": INSIDE, "unit": units.kind, "n": len(units)}
    start |= {"n_donors": units.donors, "call": "ok"}
    if same >= SAME:
        first = [classes[int(state)] for state in sequence.value_counts().index[0]]
        why = (
            f"{INSIDE}: {same * units.donors:.0f} of {units.donors} {words.units} were seen in one order, "
            f"{', then '.join(first)}."
        )
        then = f"What time does by itself cannot be told from {task}, and no test tries."
        return [start | {"association": SAME_ORDER, "value": same, "why": why, "then": then}]
    contrast = Contrast(trial.tasks[task].test_columns(units.y), trial.adjustment(units, []), units)
    p = contrast.randomisation(table["rank"].to_numpy()[:, None], 999, 0)[0]
    groups = [rows.to_numpy() for _, rows in table.groupby("state")["rank"]]
    p = np.maximum(p, stats.kruskal(*groups).pvalue)
    found, order = _later([classes[int(k)] for k in np.unique(units.y)], groups, trial)
    why = f"{INSIDE} (0 % first, 100 % last) by {task} of {units.donors} {words.units}: {found} ({_p(p)})."
    then = _consequence(trial, task, TIME, order)
    return [start | {"association": "p", "value": float(p), "why": why, "then": then}]


def _later(classes: list[str], ranks: list[np.ndarray], trial: Trial) -> tuple[str, str]:
    """The mean place of every class in the order of sampling, and which was sampled later than which."""
    means = [100 * group.mean() / trial.obs[ORDER].notna().sum() for group in ranks]
    found = ", ".join(f"{name} {mean:.0f} %" for name, mean in zip(classes, means, strict=True))
    return found, f"{classes[np.argmax(means)]} was sampled later than {classes[np.argmin(means)]}: whatever"


def _p(p: float) -> str:
    return f"p {p:.2g}" if not p < LEAST_P else f"p < {LEAST_P:g}"


def _asked(trial: Trial, task: str, y: pd.Series, fact: pd.Series) -> bool:
    """Whether a fact is one of all classes: a response that only cases are asked for is no gap of the controls."""
    return not trial.tasks[task].classes or bool((fact.groupby(y).min() != 1).all() or fact.max() > 1)


def _row(trial: Trial, task: str, what: str, of: pd.Series, by_donor: pd.Series) -> dict:
    """A row, with what follows from it under ``then``; label and fact by donor."""
    y, fact = of.to_numpy(), by_donor.to_numpy()
    codes, classes = trial.tasks[task].codes(y), trial.tasks[task].classes
    number, order = what in (COUNT, TIME), ""
    if codes is None:
        p = stats.spearmanr(y, fact).pvalue if number else stats.mannwhitneyu(y[fact > 0], y[fact == 0]).pvalue
        found = f"correlation {stats.spearmanr(y, fact).statistic:.2f}"
    else:
        present = np.unique(codes)
        groups = [fact[codes == k] for k in present]
        p = stats.kruskal(*groups).pvalue if number else stats.chi2_contingency(pd.crosstab(codes, fact), False).pvalue
        means = [f"{g.mean():.1f}" if what == COUNT else f"{100 * g.mean():.0f} %" for g in groups]
        found = ", ".join(f"{classes[k]} {mean}" for k, mean in zip(present, means, strict=True))
        if what == TIME:
            found, order = _later([classes[k] for k in present], groups, trial)
    if _related(trial):
        p = np.maximum(p, _p_of_families(trial, task, of, by_donor))
    start = {"kind": "recruitment", "task": task, "covariate": what, "unit": "donor", "n": len(y), "n_donors": len(y)}
    place = " (0 % first, 100 % last)" if what == TIME else ""
    why = f"{what}{place} by {task} of {len(y)} {trial.words.units}: {found} ({_p(p)})."
    more = {"association": "p", "value": float(p), "call": "ok", "why": why}
    return start | more | {"then": _consequence(trial, task, what, order or "Whatever")}


def _related(trial: Trial) -> bool:
    """Whether any donors are known to be relatives."""
    return len(np.unique(trial.clusters)) < len(np.unique(trial.donors))


def _p_of_families(trial: Trial, task: str, y: pd.Series, fact: pd.Series) -> float:
    """p of the ranks of a fact against a label by the F that knows families; NaN where they are too few."""
    members = pd.Series(trial.clusters, trial.donors)
    family = members[~members.index.duplicated()][y.index].to_numpy()
    units = donor_units(y.index.to_numpy(), np.ones(len(y), dtype=bool), family)
    constant = Nuisance(np.full((len(units), 1), len(units) ** -0.5), np.zeros(len(units), dtype=int), ())
    contrast = Contrast(units.mean(trial.tasks[task].test_columns(y.to_numpy())), constant, units)
    ranks = units.mean(fact.rank().to_numpy()[:, None])
    return float(contrast.wald(ranks).p[0] if contrast.robust else contrast.randomisation(ranks, 999, 0)[0])


def _consequence(trial: Trial, task: str, what: str, order: str) -> str:
    if what == COUNT:
        return (
            f"What a visit does passes for {task}, so biology for it has to stand with the number of samples held "
            f"fixed too; give the visit as a covariate, or keep one sample of each {trial.words.unit}."
        )
    if what == TIME:
        return (
            f"{order} drifts with time passes for {task}, so biology for it has to stand with that order held fixed "
            f"too; give the time, or its batches, as a technical covariate."
        )
    return f"Whom the tests are left with is a matter of {task}: a link with it may be one with the gap."
