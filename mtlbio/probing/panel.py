"""A panel on trial: its held-out scores and each of its features, as dimensions of a model that others made.

A score is of held-out donors, so that everything can be claimed of it. The features were chosen by the labels of all
donors: of the tasks nothing is claimed of them (:mod:`mtlbio.probing.claims`), and what is asked is whether a covariate
sits among them.
"""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort
from mtlbio.config import TrialOptions
from mtlbio.kinds.vocabulary import Vocabulary
from mtlbio.probing.audit import LEAST_UNITS
from mtlbio.probing.claims import Statement, refused
from mtlbio.probing.enrichment import named_by_loadings
from mtlbio.probing.examine import Procedure, examine
from mtlbio.probing.examinee import NOTHING
from mtlbio.probing.of_latents import OfLatents
from mtlbio.probing.trial import Trial
from mtlbio.tables import PANEL_FOLLOWS

COVARIATES = ("confounder", "technical")  # questions of the association that are about one


def try_panel(
    cohort: Cohort,
    fold: np.ndarray,
    scores: dict[tuple[str, str], np.ndarray],
    features: dict[str, np.ndarray],
    options: TrialOptions,
    words: Vocabulary,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Verdicts on scores and features, and which of them follow a covariate.

    Parameters
    ----------
    fold : (n,) in which a sample is held out
    scores : (task, class or nothing) -> (n,) held-out score
    features : name -> (n,) values without gaps

    Returns
    -------
    verdicts : columns of ``verdicts.tsv``, a row per score and feature
    follows : columns of :data:`mtlbio.tables.PANEL_FOLLOWS`: a row per covariate that has a material share of one
        (``probe.share_technical`` or more, and its test is called), the largest first, and per covariate that cannot
        be told from a task

    Both are empty where fewer than four samples have all covariates.
    """
    named = {f"score of {task}{f', {part}' if part else ''}": values for (task, part), values in scores.items()}
    rises_with = {f"score of {task}": task for task, part in scores if not part}
    tasks = tuple(name for name in cohort.tasks if name not in cohort.covariates)
    about = {"options": options, "words": words}
    of_scores = _tables(cohort, fold, named, "supervised", NOTHING, about | {"trained_for": rises_with})
    of_features = _tables(cohort, fold, features, "axis", tasks, about)
    found = [tables for tables in (of_scores, of_features) if tables]
    if not found:
        return pd.DataFrame(), pd.DataFrame(columns=PANEL_FOLLOWS)
    verdicts = pd.concat([tables["verdicts"] for tables in found], ignore_index=True)
    parts = [following(tables["association"], options) for tables in found] + [inseparable(found[0]["audit"])]
    parts = [part for part in parts if len(part)] or parts[:1]
    follows = pd.concat(parts, ignore_index=True).sort_values("share", ascending=False, kind="stable")
    return verdicts, follows.reset_index(drop=True)


def _tables(
    cohort: Cohort,
    fold: np.ndarray,
    values: dict[str, np.ndarray],
    block: str,
    saw: str | tuple[str, ...],
    about: dict[str, Any],
) -> dict[str, pd.DataFrame]:
    """Tables of the trial of some columns; none without columns or samples. ``about``: further fields of it."""
    if not values:
        return {}
    z, dims = np.column_stack(list(values.values())), tuple(values)
    blocks = np.full(len(dims), block)
    trial = Trial(z, dims, blocks, cohort.obs, cohort.tasks, cohort.covariates, **about)
    if trial.mask.sum() < LEAST_UNITS:
        return {}
    procedure = Procedure[Trial](
        lambda trial: named_by_loadings(trial, None),
        classes=True,
        duplicates="table" in cohort.preprocessing,
        claims=partial(refused, statement=Statement(saw)),
    )
    return examine(trial, OfLatents(dims, z, fold, saw), np.full(len(dims), np.nan), procedure)


def following(association: pd.DataFrame, options: TrialOptions) -> pd.DataFrame:
    """Dimensions with a material share of a covariate: columns of :data:`mtlbio.tables.PANEL_FOLLOWS`."""
    rows = association[association["question"].isin(COVARIATES) & association["called"].astype(bool)]
    rows = rows[rows["share"] >= options.share_technical]
    table = rows.rename(columns={"variable": "covariate", "question": "role"}).assign(call="follows")
    return table[PANEL_FOLLOWS]


def inseparable(audit: pd.DataFrame) -> pd.DataFrame:
    """Tasks that the cohort cannot tell from a covariate, in the same columns; ``dim`` is the task."""
    rows = audit[(audit["kind"] == "task") & (audit["call"] == "not_identifiable")]
    table = rows.rename(columns={"task": "dim"}).assign(share=np.nan, q=np.nan, call="inseparable")
    return table.reindex(columns=PANEL_FOLLOWS)
