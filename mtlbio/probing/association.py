"""Step 1: which dimension follows which task and which covariate, on held-out donors.

- task: ``z ~ task + s(confounders) + technical (+ s(confounder) x technical)``;
- confounder: without any task, because disease lies downstream of it (adjusting would open a collider); a continuous
  one with its interactions with the technical factors, where there are donors enough for them;
- technical: with the tasks, because samples of one disease state may have been processed together.

Wald test with HC3 (or donor- or family-clustered) covariance and Freedman-Lane randomisation; the larger of the two p
enters BH over the dimensions of the question, so a call needs both.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import optimize, stats

from mtlbio.probing.design import INTERACTION_SHARE, Nuisance, orthonormal, products
from mtlbio.probing.families import adjust
from mtlbio.probing.inference import Contrast, Wald
from mtlbio.probing.shares import share
from mtlbio.probing.trial import Trial
from mtlbio.probing.units import Units, sample_units
from mtlbio.progress import track

COLUMNS = ["dim", "question", "variable", "unit", "n", "n_donors", "adjusted_for", "effect", "ci_low", "ci_high"]
COLUMNS += ["share", "statistic", "df", "df_error", "df_residual", "p_wald", "p_permutation", "p", "q", "called"]
COLUMNS += ["p_familywise", "evidence", "evidence_needed"]
OF_TIME = ["changes", "p_changes"]  # of a run with a label that has effects over time
WITHIN = 0.2  # share of a technical covariate's variation inside donors from which it is tested inside donors


def association(trial: Trial) -> pd.DataFrame:
    """All questions of all dimensions, long form with the columns ``COLUMNS`` (and ``OF_TIME`` where one has them).

    ``question`` is ``task``, ``joint`` (a task without adjustment for the covariates that the audit could not tell from
    it), ``confounder``, ``technical``, or ``technical_all`` (the share of all technical covariates together). ``q`` is
    BH over the dimensions of a question; the last three columns are left to :mod:`mtlbio.probing.linked`.
    With families ``df_error`` counts them, and ``df_residual`` the donors.
    """
    questions = [("task", name) for name in trial.tasks]
    questions += [("joint", name) for name in trial.outcomes if trial.entangled(name)]
    questions += [(c.role, c.name) for c in trial.covariates.values()]
    if len(trial.role("technical")) > 1:
        questions.append(("technical_all", "technical"))
    tables = []
    for number, (question, name) in enumerate(track(questions, "association of every dimension")):
        ask = task_table if question in ("task", "joint") else covariate_table
        tables.append(ask(trial, name, question, trial.options.seed * 1000 + number))
    of_time = OF_TIME if any(OF_TIME[0] in table for table in tables) else []
    return pd.concat(tables, ignore_index=True).reindex(columns=COLUMNS + of_time)


def task_design(
    trial: Trial,
    task: str,
    without: tuple[str, ...] = (),
    extra: np.ndarray | None = None,
    units: Units | None = None,
    beside: np.ndarray | None = None,
) -> tuple[Units, Nuisance, np.ndarray]:
    """Units, nuisance and label columns of the test of a task.

    ``without``: covariates that are left out of the adjustment; ``extra``: (samples, k) further columns, for instance
    other dimensions; ``units``: where not the task's own (subsets for stability); ``beside``: (units, k) what the
    caller will hold fixed too. Tasks that are refused are held fixed where another
    one is tested: the latents may hold their labels.
    """
    units = trial.task_units(task) if units is None else units
    covariates = [c for c in trial.covariates.values() if c.name != task and c.name not in without]
    columns = trial.tasks[task].test_columns(units.y)
    extra = None if extra is None else units.mean(extra)
    held = trial.label_columns(units, [] if task in trial.refused else list(trial.refused))
    extra = held if extra is None else extra if held is None else np.column_stack([extra, held])
    telling = int(trial.tasks[task].telling(units.y).sum())
    adjustment = trial.adjustment(units, covariates, True, extra, columns, beside, telling)
    adjustment = _with_means(trial, units, adjustment, columns)
    return units, adjustment, trial.tasks[task].test_columns_given(units.y, adjustment.basis)


def _with_means(trial: Trial, units: Units, adjustment: Nuisance, columns: np.ndarray) -> Nuisance:
    """The adjustment with the label's mean in the levels of every factor that had to be pooled.

    Levels that are too many for columns of their own cost one column this way, and the label is still compared within
    them (Mundlak 1978, Econometrica 46:69): what is left of it is what differs from its level.
    """
    if not adjustment.pooled:
        return adjustment
    means = []
    for name in adjustment.pooled:
        share = units.mean(trial.coded(trial.covariates[name], 1, least=1))  # of a unit in each level
        level = share.T @ columns / np.maximum(share.sum(axis=0), 1e-12)[:, None]
        means.append(units.centre(share @ level))
    fixed = "levels pooled, the label's mean in each held fixed)"
    terms = tuple(term.replace("levels pooled)", fixed) for term in adjustment.terms)
    return replace(adjustment, basis=orthonormal(np.column_stack([adjustment.basis, *means])), terms=terms)


def task_table(trial: Trial, task: str, question: str, seed: int) -> pd.DataFrame:
    """Effect of a task on every dimension."""
    without = tuple(trial.entangled(task)) if question == "joint" else ()
    units = trial.task_units(task)
    if not units.testable(6):
        return _rows(trial, question, task, units, None)
    units, adjustment, columns = task_design(trial, task, without, units=units)
    z, contrast = units.mean(trial.z), Contrast(columns, adjustment, units)
    wald, p = contrast.wald(z), contrast.randomisation(z, trial.options.permutations, seed)
    table = _rows(trial, question, task, units, adjustment, wald, p)
    # the model may be linear in the label, but its share of variance is what the label explains
    table["share"], table["df_error"] = share(z, columns, False, adjustment, units), wald.df_error
    table["df_residual"] = contrast.df_residual
    clusters = units.cluster if units.clustered else None
    own = trial.tasks[task].effects(units.y, z, adjustment.basis, clusters)
    if own is not None:
        table = table.assign(share=own.share, changes=own.changes, p_changes=own.p_changes)
    effect, low, high = effects(wald, z) if own is None else (own.effect, own.low, own.high)
    return table.assign(effect=effect, ci_low=low, ci_high=high)


def effects(wald: Wald, z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Standardised effect of a label with its interval, each (D,).

    One column: its coefficient in standard deviations of the dimension (per class difference, or per standard deviation
    of a number), with the interval of the robust t. Several columns (multi-class): the multiple correlation
    R = sqrt(f2 / (1 + f2)), 0-1, with the interval of the non-central F (Steiger 2004, Psychol. Methods 9:164).
    """
    scale = z.std(axis=0, ddof=1)
    scale = np.where(scale > 0, scale, np.nan)
    if wald.coefficients.shape[0] == 1:
        half = stats.t.isf(0.025, wald.df_error) * wald.se[0]
        beta = wald.coefficients[0]
        return beta / scale, (beta - half) / scale, (beta + half) / scale
    pairs = zip(wald.f, np.broadcast_to(wald.df, wald.f.shape), strict=True)
    effect, low, high = np.array([multiple_correlation(f, df, wald.df_error) for f, df in pairs]).T
    return effect, low, high


def multiple_correlation(f: float, df: int, df_error: float) -> tuple[float, float, float]:
    """R of several columns with a dimension, or of a label with a block, and its 95 % interval, from F."""
    point = np.maximum(f * df * (df_error - 2) / df_error - df, 0)
    low, high = (_noncentrality(f, int(df), df_error, tail) for tail in (0.025, 0.975))
    effect, low, high = (np.sqrt(value / (value + df_error + df + 1)) for value in (point, low, high))
    return effect, np.minimum(low, effect), np.maximum(high, effect)


def covariate_table(trial: Trial, name: str, question: str, seed: int) -> pd.DataFrame:
    """Association with a covariate and its share of every dimension; ``technical_all``: all technical ones at once."""
    units, adjustment, columns, categorical = covariate_design(trial, name, question)
    z = units.mean(trial.z)
    part = true_share(trial, name, share(z, columns, categorical, adjustment, units))
    if question == "technical_all":
        return _rows(trial, question, name, units, adjustment).assign(share=part)
    contrast = Contrast(columns, adjustment, units)
    wald, p = contrast.wald(z), contrast.randomisation(z, trial.options.permutations, seed)
    wider = by_batch(trial, name, units, columns) if question == "confounder" else None
    if wider is not None:
        # Of two tests the more telling one, at twice its p (Bonferroni): the main effect alone misses an age that turns
        # with the batch, and ten columns of interactions take the power from an age that does not.
        contrast = Contrast(wider, adjustment, units)
        other, p_other = contrast.wald(z), contrast.randomisation(z, trial.options.permutations, seed)
        part = np.fmax(part, true_share(trial, name, share(z, wider, False, adjustment, units)))
        f, df = (np.where(other.p < wald.p, b, a) for a, b in ((wald.f, other.f), (wald.df, other.df)))
        wald = replace(wald, f=f, df=df, p=np.minimum(1.0, 2 * np.fmin(wald.p, other.p)))
        p = np.minimum(1.0, 2 * np.fmin(p, p_other))
    return _rows(trial, question, name, units, adjustment, wald, p).assign(share=part)


def true_share(trial: Trial, name: str, part):
    """The share of a covariate's true values, from that of its values as they are recorded.

    Spearman's correction for attenuation (1904, Am. J. Psychol. 15:72), at most 1. Of a curve, and of a covariate that
    goes with the others, more is lost than that: the share is then still too small.
    """
    info = trial.covariates.get(name)
    return part if info is None or info.reliability == 1 else np.minimum(part / info.reliability, 1.0)


def covariate_design(trial: Trial, name: str, question: str) -> tuple[Units, Nuisance, np.ndarray, bool]:
    """Units, nuisance and columns of the test of a covariate, and whether it is a factor."""
    infos = trial.role("technical") if question == "technical_all" else [trial.covariates[name]]
    units, columns = covariate_units(trial, infos)
    others = [c for c in trial.covariates.values() if c not in infos and _may_adjust(trial, c, infos)]
    extra = trial.adjusters(units, name) if infos[0].role == "technical" else None
    return (
        units,
        trial.adjustment(units, others, False, extra, columns),
        columns,
        any(c.kind == "categorical" for c in infos),
    )


def by_batch(trial: Trial, name: str, units: Units, columns: np.ndarray) -> np.ndarray | None:
    """Columns of a continuous confounder with its interactions with the technical factors, None where there is no room.

    A programme of age may be measured with another slope, even another sign, in every batch. Its dimension follows age
    no less, and the main effect alone would see nothing.
    """
    info = trial.covariates[name]
    if info.kind != "continuous" or info.estimated or units.within:
        return None
    smooth, out = trial.coded(info, units.donors), columns
    for factor in trial.role("technical"):
        if factor.kind != "categorical" or not trial.separable(name, factor.name):
            continue
        levels = trial.coded(factor, 1)
        for width in (smooth.shape[1], 1):
            wider = np.column_stack([out, products(smooth[:, :width], levels[:, 1:], units)])
            if out.shape[1] < wider.shape[1] <= INTERACTION_SHARE * len(units):
                out = wider
                break
    return out if out.shape[1] > columns.shape[1] else None


def covariate_units(trial: Trial, infos: list) -> tuple[Units, np.ndarray]:
    """Units and columns of covariates.

    Confounders belong to donors, except those of ``trial.within``. A technical covariate that changes within donors is
    tested on samples, every donor compared with itself: averaging over visits would hide it, and donors nested in chips
    would pass for chips.
    """
    units, least = trial.donor_units, 2 if infos[0].role == "technical" else 5
    columns = np.column_stack([trial.coded(c, units.donors, least, int(trial.mask.sum())) for c in infos])
    if infos[0].role == "technical" or infos[0].name in trial.within:
        samples = sample_units(trial.donors, trial.mask, trial.family)
        per_sample = samples.mean(columns)
        inside = np.square(samples.centre(per_sample)).sum()
        if inside > WITHIN * np.square(per_sample - per_sample.mean(axis=0)).sum():
            return samples, per_sample
    return units, units.mean(columns)


def _may_adjust(trial: Trial, other, infos: list) -> bool:
    """Whether a covariate is adjusted for another: technical ones are often nested in each other, and are not."""
    if infos[0].role == "technical":
        return other.role == "confounder" and all(trial.separable(other.name, c.name) for c in infos)
    # a technical covariate that stands in for a task would bring the collider back
    stands_in = other.role == "technical" and any(not trial.separable(t, other.name) for t in trial.outcomes)
    return not stands_in and trial.separable(other.name, infos[0].name)


def _rows(
    trial: Trial, question: str, name: str, units: Units, adjustment: Nuisance | None, wald=None, p_permutation=np.nan
) -> pd.DataFrame:
    p_wald, f, df = (np.nan, np.nan, np.nan) if wald is None else (wald.p, wald.f, wald.df)
    table = pd.DataFrame({"dim": trial.dims, "question": question, "variable": name, "unit": units.kind})
    terms = ", ".join(adjustment.terms) if adjustment is not None else ""
    table = table.assign(n=len(units), n_donors=units.donors, adjusted_for=terms or "nothing", statistic=f, df=df)
    table = table.assign(p_wald=p_wald, p_permutation=p_permutation, p=np.maximum(p_wald, p_permutation))
    q = adjust(table["p"].to_numpy())
    table[["effect", "ci_low", "ci_high", "share", "df_error", "df_residual"]] = np.nan
    return table.assign(q=q, called=q <= trial.options.alpha)


def _noncentrality(f: float, df: int, df_error: float, tail: float) -> float:
    """Non-centrality under which a fraction ``tail`` of F lies above the observed value; 0 if there is none."""
    if not np.isfinite(f):
        return np.nan

    def gap(value: float) -> float:
        return stats.ncf.cdf(f, df, df_error, value) - (1 - tail)

    if gap(0.0) <= 0:
        return 0.0
    high = max(4.0 * f * df, 10.0)
    while gap(high) > 0:
        high *= 2
    return float(optimize.brentq(gap, 0.0, high))
