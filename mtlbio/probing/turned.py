"""Which verdict hangs on one donor: the trial once more without it, for those donors that move a test most.

The tests of the trial, its family-wise level, the other dimensions, stability and blocks are asked again of everybody
else. What is known of the model is kept: latents, the loss without a dimension, gene sets, blocks. A verdict near a
line may turn with other draws of the permutations alone, so one that turned is asked with others too (``again``).
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from mtlbio.probing.examine import Tested
from mtlbio.probing.influence import left_without, retested
from mtlbio.probing.judgement import Judgement
from mtlbio.probing.retrial import Retrial
from mtlbio.probing.trial import Trial
from mtlbio.tables import HANGING, TURNED

PER_TEST = 2  # donors that are looked at per dimension and outcome
_OTHER_DRAWS = 7919  # added to the seed


def hanging_effects(trial: Trial) -> pd.DataFrame:
    """Columns of :data:`mtlbio.tables.HANGING`: of every dimension and outcome the donors without whom p moves most.

    ``trial``: audited. ``crosses``: p and p without the donor lie on different sides of the level of a single test, or
    of that level over the number of dimensions.
    """
    rows = []
    alpha = trial.options.alpha
    for task in trial.outcomes:
        found, left = retested(trial, task), left_without(trial, task)
        if found is None:
            continue
        p, without, names = found
        clusters = np.unique(trial.clusters[trial.task_units(task).mask])
        moved = np.abs(np.log(np.maximum(without, 1e-300)) - np.log(np.maximum(p, 1e-300)))
        lines = np.array([alpha, alpha / len(trial.dims)])[:, None, None]
        crosses = ((without <= lines) != (p <= lines)).any(axis=0) & np.isfinite(without)
        for d, dim in enumerate(trial.dims):
            for g in np.argsort(-np.nan_to_num(moved[:, d]), kind="stable")[:PER_TEST]:
                share = np.nan if left is None else left[0][g, d]
                row = {"dim": dim, "task": task, "donor": names[g], "cluster": clusters[g], "p": p[d]}
                row |= {"p_without": without[g, d], "left": share, "crosses": "yes" if crosses[g, d] else "no"}
                rows.append(row | {"moved": moved[g, d]})
    return pd.DataFrame(rows, columns=[*HANGING, "cluster", "moved"])


def candidates(hanging: pd.DataFrame, most: int) -> list[tuple[str, str]]:
    """(donor, cluster) of those to leave out: first who moves a test across a line, then by how far p moves."""
    order = hanging.assign(first=hanging["crosses"] == "yes").sort_values(["first", "moved"], ascending=False)
    chosen = order.drop_duplicates("cluster").head(most)
    return list(zip(chosen["donor"], chosen["cluster"], strict=True))


def turned_verdicts(retrial: Retrial, whole: dict[str, Judgement], donors: Iterable[tuple[str, str]]) -> pd.DataFrame:
    """Columns of :data:`mtlbio.tables.TURNED`: a row per verdict that is another one without a donor.

    ``whole``: the verdicts with everybody; ``donors``: names, and what they are among ``trial.clusters``.
    """
    others, rows = None, list[dict]()
    for donor, cluster in donors:
        without = by_dim(retrial.judged(cluster))
        turned = [dim for dim in whole if without[dim].verdict.verdict != whole[dim].verdict.verdict]
        if not turned:
            continue
        others = others or by_dim(retrial.judged(seed=_OTHER_DRAWS))
        again = by_dim(retrial.judged(cluster, _OTHER_DRAWS))
        for dim in turned:
            pairs = ((whole, others), (without, again))
            same = all(a[dim].verdict.verdict == b[dim].verdict.verdict for a, b in pairs)
            rows.append(_row(donor, whole[dim], without[dim]) | {"again": "yes" if same else "no"})
    return pd.DataFrame(rows, columns=TURNED)


def by_dim(tested: Tested) -> dict[str, Judgement]:
    """What is judged, by the name of the dimension."""
    return {item.evidence.dim: item for item in tested.judged}


def _row(donor: str, item: Judgement, other: Judgement) -> dict:
    tasks = [{t.name: t for t in judged.evidence.tasks} for judged in (item, other)]
    about = item.about if item.about in tasks[1] else other.about
    row: dict[str, Any] = {"donor": donor, "dim": item.evidence.dim, "task": about}
    for end, judged, its in (("", item, tasks[0]), ("_without", other, tasks[1])):
        row |= {f"verdict{end}": judged.verdict.verdict, f"driver{end}": judged.verdict.driver}
        row |= {f"{key}{end}": getattr(its[about], key) for key in ("effect", "p", "q")}
    return row | {"why_without": other.verdict.why}
