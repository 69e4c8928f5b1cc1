"""Step 0: what the design of the cohort can answer at all, before any latent is looked at."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import CovariateInfo
from mtlbio.labels import Label
from mtlbio.probing.design import code, freedom, orthonormal
from mtlbio.probing.inference import variance_inflation
from mtlbio.probing.recruitment import recruitment
from mtlbio.probing.relatives import design_effect, relatives
from mtlbio.probing.separation import discordant, donors_off_the_line, donors_to_add
from mtlbio.probing.trial import AnyTrial, Trial
from mtlbio.probing.uneven import one_order, told, uneven
from mtlbio.probing.units import Units

COLUMNS = ["kind", "task", "covariate", "role", "unit", "n", "n_donors", "association", "value"]
COLUMNS += ["vif", "vif_all", "n_effective", "smallest_cell", "discordant", "overlap", "rank_deficient", "call", "why"]

LEAST_UNITS = 4
_MOST_CELLS = 200  # levels x classes up to which the fix names single groups


@dataclass(frozen=True)
class Subject:
    """One side of a pair: a task, or a technical covariate that is itself set against the confounders.

    ``classes``: (units,) codes, None for numbers; ``names``: of the codes.
    """

    kind: str
    info: Label | CovariateInfo
    units: Units
    columns: np.ndarray
    classes: np.ndarray | None
    names: tuple[str, ...] = ()


def audit(trial: Trial) -> pd.DataFrame:
    """Task x covariate, technical covariate x confounder, and outcome x who was measured how often
    (:mod:`mtlbio.probing.recruitment`), and what relatives cost each task (:mod:`mtlbio.probing.relatives`); no latent
    is looked at.

    Returns
    -------
    DataFrame with the columns ``COLUMNS``:
        ``association`` / ``value``: bias-corrected Cramer's V (Bergsma 2013) of two factors, adjusted eta squared of a
        factor and a number, squared multiple correlation of two numbers. ``vif``: variance inflation of the task given
        this covariate, ``vif_all``: given all covariates; ``n_effective`` = units / vif_all, with families
        over their design effect too. ``discordant``: donors (families, where they are known)
        outside the majority label of their level, summed over levels (continuous covariates: within the common range);
        not counted where donors are compared with themselves.
        ``overlap``: share of the units whose propensity lies in the range that all classes reach.
        ``call``: ``not_identifiable`` (rank deficient, vif >= max_vif, too few discordant donors), ``weak`` or ``ok``
    """
    covariates, rows = list(trial.covariates.values()), []
    for task in trial.tasks.values():
        units = trial.task_units(task.name)
        others = [c for c in covariates if c.name != task.name]
        if not units.testable(LEAST_UNITS):
            rows += [_empty(trial, task.name, c, units) for c in others]
            continue
        subject = Subject("task", task, units, task.test_columns(units.y), task.codes(units.y), task.classes)
        rows += _pairs(trial, subject, others)
    for info in trial.role("technical"):
        units = trial.donor_units
        columns = units.mean(trial.coded(info, 1, least=1))
        classes = columns.argmax(axis=1) if info.kind == "categorical" else None
        names = tuple(np.unique(_text(trial.obs[info.name])[trial.mask])) if classes is not None else ()
        if len(units) >= LEAST_UNITS and columns.shape[1] >= (1 if classes is None else 2):
            subject = Subject("covariate", info, units, columns, classes, names)
            rows += _pairs(trial, subject, trial.role("confounder"))
    rows += recruitment(trial) + relatives(trial)
    return pd.DataFrame(rows, columns=COLUMNS)


def audited(trial: AnyTrial) -> tuple[AnyTrial, pd.DataFrame]:
    """The trial that knows which pairs its design cannot tell apart, and :func:`audit`."""
    table = audit(trial)
    trial = replace(trial, inseparable=frozenset(inseparable(table)), uneven=uneven(table), one_order=one_order(table))
    return replace(trial, told=told(trial)), table


def inseparable(table: pd.DataFrame) -> set[frozenset[str]]:
    """Pairs of names that the audit calls ``not_identifiable``."""
    bad = table[table["call"] == "not_identifiable"]
    return {frozenset(pair) for pair in zip(bad["task"], bad["covariate"], strict=True)}


def cramers_v(table: np.ndarray) -> float:
    """Bias-corrected Cramer's V of a contingency table (Bergsma 2013, eq. 7)."""
    n = table.sum()
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    r, c = table.shape
    if n < 2 or min(r, c) < 2:
        return float("nan")
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / n
    phi2 = max(0.0, (np.square(table - expected) / expected).sum() / n - (r - 1) * (c - 1) / (n - 1))
    small = min(r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)) - 1
    return float(np.sqrt(phi2 / small)) if small > 0 else float("nan")


def _pairs(trial: Trial, subject: Subject, against: list[CovariateInfo]):
    """A row for every covariate that the subject is set against."""
    units, spline_df = subject.units, trial.options.spline_df
    everyone = trial.adjustment(units, against, tested=subject.columns)
    vif_all = variance_inflation(units.centre(subject.columns), _with_intercept(everyone.basis))
    cost = design_effect(subject.columns, everyone, units)
    for info in against:
        df = freedom(spline_df, len(units))
        least = 5 if info.name in everyone.pooled else 1  # as the tests hold it fixed
        coded, level, _ = code(trial.obs[info.name], info, trial.donors, units.mask, df, least)
        columns = units.mean(coded)
        alone = units.centre(columns)
        if info.reliability < 1:  # what is not known of it makes it harder to tell apart
            alone = trial.adjustment(units, [info], tested=subject.columns).basis
        vif = variance_inflation(units.centre(subject.columns), _with_intercept(alone))
        counts = _counts(subject, trial.donors, level) if info.kind == "categorical" else None
        common = _overlap(subject, _with_intercept(columns))
        row = _start(subject.kind, subject.info.name, info, units) | _association(subject, info, columns, counts)
        row |= {"vif": vif, "vif_all": vif_all, "n_effective": len(units) / vif_all / cost}
        row["overlap"] = np.nan if common is None else float(common.mean())
        row |= {"smallest_cell": float(counts.min()) if counts is not None else np.nan}
        # donors that are compared with themselves separate the task from whatever does not change in them
        apart = counts if trial.family is None or counts is None else _counts(subject, trial.clusters, level)
        discordant = np.nan if units.within else _discordant(subject, apart, common)
        row |= {"discordant": discordant, "rank_deficient": bool(np.isinf(vif))}
        row["call"] = _call(row, trial)
        row["why"] = _why(trial, subject, row, counts, level)
        if info.name in everyone.pooled and row["call"] != "not_identifiable":
            row["call"] = "weak"
            levels, name = trial.obs[info.name][units.mask].nunique(), subject.info.name
            row["why"] = (
                f"{name} and {info.name} are told apart with difficulty: {info.name} has too many levels ({levels}) "
                f"for {len(units)} {trial.words.units} to be compared within each; what is held fixed is the mean of "
                f"{name} in each."
            )
        yield row


def _start(kind: str, name: str, info: CovariateInfo, units: Units) -> dict:
    row = {"kind": kind, "task": name, "covariate": info.name, "role": info.role, "unit": units.kind}
    return row | {"n": len(units), "n_donors": units.donors}


def _empty(trial: Trial, name: str, info: CovariateInfo, units: Units) -> dict:
    row = {"rank_deficient": True, "vif": np.inf, "vif_all": np.inf, "n_effective": 0.0, "association": "none"}
    why = f"{name} has fewer than two labels among the {trial.words.units} whose covariates are known."
    return _start("task", name, info, units) | row | {"call": "not_identifiable", "why": why}


def _with_intercept(columns: np.ndarray) -> np.ndarray:
    """Orthonormal basis of columns (units, k) and a constant."""
    return orthonormal(np.column_stack([np.ones((len(columns), 1)), columns]))


def _counts(subject: Subject, donors: np.ndarray, level: np.ndarray) -> np.ndarray | None:
    """Donors (or families) per level x class. One counts in every cell it was seen in: those that bridge levels
    separate."""
    if subject.classes is None:
        return None
    weights = subject.units.average.tocoo()
    place = np.unique(level[weights.col], return_inverse=True)[1]
    member = np.unique(subject.classes[weights.row], return_inverse=True)[1]
    owner = np.unique(donors[weights.col], return_inverse=True)[1]
    present = np.zeros((place.max() + 1, member.max() + 1, owner.max() + 1), dtype=bool)
    present[place, member, owner] = True
    return present.sum(axis=2)


def _association(subject: Subject, info: CovariateInfo, columns: np.ndarray, counts: np.ndarray | None) -> dict:
    if counts is not None:
        return {"association": "cramers_v", "value": cramers_v(counts.astype(float))}
    n, basis = len(columns), _with_intercept(columns)
    if subject.classes is not None:  # a continuous covariate over classes: how much of it lies between the classes
        groups = (subject.classes[:, None] == np.unique(subject.classes)[None]).astype(float)
        basis, tested = orthonormal(groups), columns[:, :1]
    else:
        tested = subject.columns[:, :1]
    r2 = 1 - 1 / variance_inflation(tested, basis)
    adjusted = 1 - (1 - r2) * (n - 1) / max(n - basis.shape[1], 1)
    both_numbers = subject.classes is None and info.kind == "continuous"
    return {"association": "r2" if both_numbers else "eta2", "value": max(0.0, adjusted)}


def _overlap(subject: Subject, basis: np.ndarray) -> np.ndarray | None:
    """(units,) whose fitted probability lies in the range that every class reaches; None without classes."""
    # of 100 chips none overlaps all others in age, and none has to
    if subject.classes is None or subject.kind != "task":
        return None
    inside = np.ones(len(basis), dtype=bool)
    for k in np.unique(subject.classes):
        member = subject.classes == k
        fitted = basis @ (basis.T @ member.astype(float))
        low = max(fitted[member].min(), fitted[~member].min())
        high = min(fitted[member].max(), fitted[~member].max())
        inside &= (fitted >= low - 1e-9) & (fitted <= high + 1e-9)
    return inside


def _discordant(subject: Subject, counts: np.ndarray | None, common: np.ndarray | None) -> float:
    if counts is not None:
        return float(discordant(counts))
    if common is None or subject.classes is None:
        return np.nan
    sizes = [len(np.unique(subject.units.cluster[common & (subject.classes == k)])) for k in np.unique(subject.classes)]
    return float(sum(sizes) - max(sizes))


def _call(row: dict, trial: Trial) -> str:
    options, counted = trial.options, not np.isnan(row["discordant"])
    if row["rank_deficient"] or row["vif"] >= options.max_vif:
        return "not_identifiable"
    # a thin range of a continuous covariate only makes it weak
    if counted and not np.isnan(row["smallest_cell"]) and row["vif"] > 1.1:
        if row["discordant"] < options.min_discordant:
            return "not_identifiable"
    thin = counted and row["discordant"] < 2 * options.min_discordant
    return "weak" if thin or row["vif"] >= np.sqrt(options.max_vif) or row["overlap"] < 0.5 else "ok"


def _why(trial: Trial, subject: Subject, row: dict, counts: np.ndarray | None, level: np.ndarray) -> str:
    task, covariate, units = row["task"], row["covariate"], trial.words.units
    inflation = "without limit" if row["rank_deficient"] else f"{row['vif']:.1f}-fold"
    if row["call"] == "ok" and subject.units.within and row["vif"] < 1 + 1e-9:
        return f"{task} and {covariate} can be told apart: every {trial.words.unit} is compared with itself."
    if row["call"] == "ok":
        return f"{task} and {covariate} can be told apart (variance inflation {row['vif']:.2f}, {row['n']} units)."
    reasons = [f"knowing {covariate} inflates the variance of the {task} effect {inflation}"]
    if not np.isnan(row["discordant"]):
        whole = (row["n_donors"], units) if trial.family is None else (subject.units.clusters, "families")
        some = f"{row['discordant']:.0f} of {whole[0]} {whole[1]}"
        reasons.append(f"{some} lie {outside(trial.covariates[covariate].kind)}")
        # a rare class, not the inflation, is then what makes it difficult
        reasons = reasons[1:] if row["call"] == "weak" and row["vif"] < 1.1 else reasons
    reason = ", and ".join(reasons)
    if row["call"] == "weak":
        return f"{task} and {covariate} are told apart with difficulty: {reason}; more such {units} would help."
    fix = _fix(trial, subject, row, counts, level)
    return f"{task} and {covariate} cannot be told apart: {reason}; to fix it, {fix}."


def outside(kind: str) -> str:
    """Where the discordant units of a covariate of this kind lie."""
    return "outside the majority of their level" if kind == "categorical" else "where the ranges of the classes overlap"


def _fix(trial: Trial, subject: Subject, row: dict, counts: np.ndarray | None, level: np.ndarray) -> str:
    """How many donors would make the pair just separable, and of what kind."""
    task, covariate, units, options = row["task"], row["covariate"], trial.words.units, trial.options
    if counts is None or subject.classes is None:
        missing = donors_off_the_line(row["n_donors"], row["vif"], options.max_vif)
        return f"add about {missing} {units} in whom {task} does not follow {covariate}"
    if counts.size > _MOST_CELLS:
        return f"add {units} so that {task} varies within every {covariate}"
    added = donors_to_add(counts, options.max_vif, options.min_discordant)
    names, classes = _text(trial.obs[covariate]), np.unique(subject.classes)
    present = np.unique(level[subject.units.mask])
    places = []
    for place in np.argsort(-added, axis=None, kind="stable")[: (added > 0).sum()]:
        i, k = np.unravel_index(place, added.shape)
        members = np.unique(names[subject.units.mask & (level == present[i])])
        where = members[0] if len(members) == 1 else "one of the smaller levels"
        label = f"{task} = {subject.names[classes[k]]}"
        places.append(f"{added[i, k]} with {label} in {covariate} = {where}")
    shown = " and ".join(places[:2]) + (f", and {len(places) - 2} more such groups" if len(places) > 2 else "")
    return f"measure about {added.sum()} more {units} ({shown}), or re-run as many of yours there"


def _text(values: pd.Series) -> np.ndarray:
    return values.astype(object).where(values.notna(), "missing").astype(str).to_numpy()
