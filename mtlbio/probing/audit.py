"""Step 0: what the design of the cohort can answer at all, before any latent is looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import CovariateInfo
from mtlbio.config import TrialOptions
from mtlbio.kinds.vocabulary import DONORS, Vocabulary
from mtlbio.labels import Label
from mtlbio.probing.design import code, complete_cases, nuisance, orthonormal
from mtlbio.probing.inference import variance_inflation
from mtlbio.probing.separation import donors_off_the_line, donors_to_add
from mtlbio.probing.units import Units, donor_units, label_units

COLUMNS = ["kind", "task", "covariate", "role", "unit", "n", "n_donors", "association", "value"]
COLUMNS += ["vif", "vif_all", "n_effective", "smallest_cell", "discordant", "overlap", "rank_deficient", "call", "why"]

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


def audit(
    obs: pd.DataFrame,
    tasks: dict[str, Label],
    covariates: dict[str, CovariateInfo],
    options: TrialOptions,
    units_of: Callable[[str, np.ndarray], Units] | None = None,
    words: Vocabulary = DONORS,
) -> pd.DataFrame:
    """Task x covariate, and technical covariate x confounder.

    Parameters
    ----------
    obs : one row per sample with ``donor``, tasks and covariates
    units_of : units of the label of a task among the samples of a mask; those of donors where left out
    words : of the run, for ``why``

    Returns
    -------
    DataFrame with the columns ``COLUMNS``:
        ``association`` / ``value``: bias-corrected Cramer's V (Bergsma 2013) of two factors, adjusted eta squared of a
        factor and a number, squared multiple correlation of two numbers. ``vif``: variance inflation of the task given
        this covariate, ``vif_all``: given all covariates; ``n_effective`` = units / vif_all. ``discordant``: donors
        outside the majority label of their level, summed over levels (continuous covariates: within the common range).
        ``overlap``: share of the units whose propensity lies in the range that all classes reach.
        ``call``: ``not_identifiable`` (rank deficient, vif >= max_vif, too few discordant donors), ``weak`` or ``ok``
    """
    donors = obs["donor"].to_numpy().astype(str)
    roster = list(covariates.values())
    mask = complete_cases(obs, roster)
    rows = []
    for task in tasks.values():
        if units_of is None:
            units = label_units(donors, task.y(obs[task.name]), task.averaged, mask)
        else:
            units = units_of(task.name, mask)
        others = [c for c in roster if c.name != task.name]
        if len(units) < 4 or len(np.unique(units.y)) < 2:
            rows += [_empty("task", task.name, c, units, words) for c in others]
            continue
        subject = Subject("task", task, units, task.test_columns(units.y), task.codes(units.y), task.classes)
        rows += _pairs(obs, subject, others, others, options, words)
    for info in [c for c in roster if c.role == "technical"]:
        units = donor_units(donors, mask)
        columns = units.mean(code(obs[info.name], info, donors, mask, 1)[0])
        classes = columns.argmax(axis=1) if info.kind == "categorical" else None
        names = tuple(np.unique(_text(obs[info.name])[mask])) if classes is not None else ()
        against = [c for c in roster if c.role == "confounder"]
        if len(units) >= 4 and columns.shape[1] >= (1 if classes is None else 2):
            subject = Subject("covariate", info, units, columns, classes, names)
            rows += _pairs(obs, subject, against, against, options, words)
    return pd.DataFrame(rows, columns=COLUMNS)


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


def _pairs(
    obs,
    subject: Subject,
    against: list[CovariateInfo],
    everything: list[CovariateInfo],
    options: TrialOptions,
    words: Vocabulary,
):
    units, donors = subject.units, obs["donor"].to_numpy().astype(str)
    intercept = np.ones((len(units), 1))
    everyone = nuisance(obs, everything, units, options.spline_df, interactions=False)
    vif_all = variance_inflation(units.centre(subject.columns), _with_intercept(everyone.basis))
    for info in against:
        coded, level, _ = code(
            obs[info.name], info, donors, units.mask, min(options.spline_df, max(1, len(units) // 10))
        )
        columns = units.mean(coded)
        basis = orthonormal(np.column_stack([intercept, units.centre(columns)]))
        vif = variance_inflation(units.centre(subject.columns), basis)
        counts = _counts(subject, donors, level) if info.kind == "categorical" else None
        judged = subject.kind == "task"  # of 100 chips none overlaps all others in age, and none has to
        propensity, common = _overlap(subject if judged else None, orthonormal(np.column_stack([intercept, columns])))
        row = {
            "kind": subject.kind,
            "task": subject.info.name,
            "covariate": info.name,
            "role": info.role,
            "unit": units.kind,
            "n": len(units),
            "n_donors": units.donors,
            **_association(subject, info, columns, counts),
            "vif": vif,
            "vif_all": vif_all,
            "n_effective": len(units) / vif_all,
            "smallest_cell": float(counts.min()) if counts is not None else np.nan,
            "discordant": _discordant(subject, counts, common),
            "overlap": propensity,
            "rank_deficient": bool(np.isinf(vif)),
        }
        row["call"] = _call(row, options)
        row["why"] = _why(row, counts, level, obs[info.name], subject, options, words)
        yield row


def _with_intercept(basis: np.ndarray) -> np.ndarray:
    return orthonormal(np.column_stack([np.ones((len(basis), 1)), basis]))


def _counts(subject: Subject, donors: np.ndarray, level: np.ndarray) -> np.ndarray | None:
    """Donors per level x class. A donor counts in every cell it was seen in: donors that bridge levels separate."""
    if subject.classes is None:
        return None
    weights = subject.units.average.tocoo()
    place = np.unique(level[weights.col], return_inverse=True)[1]
    member = np.unique(subject.classes[weights.row], return_inverse=True)[1]
    owner = np.unique(donors[weights.col], return_inverse=True)[1]
    seen = np.zeros((place.max() + 1, member.max() + 1, owner.max() + 1), dtype=bool)
    seen[place, member, owner] = True
    return seen.sum(axis=2)


def _association(subject: Subject, info: CovariateInfo, columns: np.ndarray, counts: np.ndarray | None) -> dict:
    if counts is not None:
        return {"association": "cramers_v", "value": cramers_v(counts.astype(float))}
    n, basis = len(columns), orthonormal(np.column_stack([np.ones((len(columns), 1)), columns]))
    if subject.classes is not None:  # a continuous covariate over classes: how much of it lies between the classes
        groups = (subject.classes[:, None] == np.unique(subject.classes)[None]).astype(float)
        basis, tested = orthonormal(groups), columns[:, :1]
    else:
        tested = subject.columns[:, :1]
    r2 = 1 - 1 / variance_inflation(tested, basis)
    adjusted = 1 - (1 - r2) * (n - 1) / max(n - basis.shape[1], 1)
    both_numbers = subject.classes is None and info.kind == "continuous"
    return {"association": "r2" if both_numbers else "eta2", "value": max(0.0, adjusted)}


def _overlap(subject: Subject | None, basis: np.ndarray) -> tuple[float, np.ndarray | None]:
    """Share and mask of the units whose fitted probability lies in the range that every class reaches."""
    if subject is None or subject.classes is None:
        return np.nan, None
    inside = np.ones(len(basis), dtype=bool)
    for k in np.unique(subject.classes):
        member = subject.classes == k
        fitted = basis @ (basis.T @ member.astype(float))
        low = max(fitted[member].min(), fitted[~member].min())
        high = min(fitted[member].max(), fitted[~member].max())
        inside &= (fitted >= low - 1e-9) & (fitted <= high + 1e-9)
    return float(inside.mean()), inside


def _discordant(subject: Subject, counts: np.ndarray | None, common: np.ndarray | None) -> float:
    if subject.classes is None or (counts is None and common is None):
        return np.nan
    if counts is not None:
        return float((counts.sum(axis=1) - counts.max(axis=1)).sum())
    sizes = [len(np.unique(subject.units.cluster[common & (subject.classes == k)])) for k in np.unique(subject.classes)]
    return float(sum(sizes) - max(sizes))


def _call(row: dict, options: TrialOptions) -> str:
    known = not np.isnan(row["discordant"])
    if row["rank_deficient"] or row["vif"] >= options.max_vif:
        return "not_identifiable"
    # paired designs put every class into every level within the donor: the count of donors says nothing more
    counted = known and not np.isnan(row["smallest_cell"])  # a thin range of a continuous covariate only makes it weak
    if counted and row["discordant"] < options.min_discordant and row["vif"] > 1.1:
        return "not_identifiable"
    thin = known and row["discordant"] < 2 * options.min_discordant
    return "weak" if thin or row["vif"] >= np.sqrt(options.max_vif) or row["overlap"] < 0.5 else "ok"


def _why(row, counts, level, values, subject: Subject, options: TrialOptions, words: Vocabulary) -> str:
    task, covariate = row["task"], row["covariate"]
    inflation = "without limit" if row["rank_deficient"] else f"{row['vif']:.1f}-fold"
    if row["call"] == "ok":
        return f"{task} and {covariate} can be told apart (variance inflation {row['vif']:.2f}, {row['n']} units)."
    reasons = [f"knowing {covariate} inflates the variance of the {task} effect {inflation}"]
    if not np.isnan(row["discordant"]):
        lie = f"{words.units} lie outside the majority of their level"
        reasons.append(f"{row['discordant']:.0f} of {row['n_donors']} {lie}")
        # a rare class, not the inflation, is then what makes it difficult
        reasons = reasons[1:] if row["call"] == "weak" and row["vif"] < 1.1 else reasons
    found = ", and ".join(reasons)
    if row["call"] == "weak":
        return f"{task} and {covariate} are told apart with difficulty: {found}; more such {words.units} would help."
    fix = _fix(row, counts, level, values, subject, options, words)
    return f"{task} and {covariate} cannot be told apart: {found}; to fix it, {fix}."


def _fix(row, counts, level, values, subject: Subject, options: TrialOptions, words: Vocabulary) -> str:
    """How many donors would make the pair just separable, and of what kind."""
    task, covariate = row["task"], row["covariate"]
    if counts is None or subject.classes is None:
        missing = donors_off_the_line(row["n_donors"], row["vif"], options.max_vif)
        return f"add about {missing} {words.units} in whom {task} does not follow {covariate}"
    if counts.size > _MOST_CELLS:
        return f"add {words.units} so that {task} varies within every {covariate}"
    added = donors_to_add(counts, options.max_vif, options.min_discordant)
    names, present_classes = _text(values), np.unique(subject.classes)
    present = np.unique(level[subject.units.mask])
    places = []
    for place in np.argsort(-added, axis=None, kind="stable")[: (added > 0).sum()]:
        i, k = np.unravel_index(place, added.shape)
        members = np.unique(names[subject.units.mask & (level == present[i])])
        where = members[0] if len(members) == 1 else "one of the smaller levels"
        label = f"{task} = {subject.names[present_classes[k]]}"
        places.append(f"{added[i, k]} with {label} in {covariate} = {where}")
    shown = " and ".join(places[:2]) + (f", and {len(places) - 2} more such groups" if len(places) > 2 else "")
    return f"measure about {added.sum()} more {words.units} ({shown}), or re-run as many of yours there"


def _text(values: pd.Series) -> np.ndarray:
    return values.astype(object).where(values.notna(), "missing").astype(str).to_numpy()


def _empty(kind: str, name: str, info: CovariateInfo, units: Units, words: Vocabulary) -> dict:
    row: dict = dict.fromkeys(COLUMNS, np.nan)
    row.update(kind=kind, task=name, covariate=info.name, role=info.role, unit=units.kind, n=len(units))
    row.update(n_donors=units.donors, rank_deficient=True, vif=np.inf, vif_all=np.inf, n_effective=0.0)
    row.update(association="none", call="not_identifiable")
    row["why"] = f"{name} has fewer than two labels among the {words.units} whose covariates are known."
    return row
