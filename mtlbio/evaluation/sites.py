"""What every metric loses where whole sites are held out, and what it is at each site."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from mtlbio.evaluation.predictions import TaskPredictions, collect
from mtlbio.labels import Label
from mtlbio.metrics import Metric
from mtlbio.metrics.metric import INTERCEPT, SLOPE
from mtlbio.tables import SITES_LEFT_OUT

_BEST_BETWEEN = (SLOPE.name, INTERCEPT.name)  # of neither is more better, nor less
_OF_SITES = " with sites left out"  # of an arm's second predictions, within this module


def sites_left_out(
    by_donors: pd.DataFrame,
    by_sites: pd.DataFrame,
    tasks: dict[str, Label],
    site: pd.Series,
    draws: int,
    seed: int,
    families: pd.Series | None = None,
) -> pd.DataFrame:
    """Every metric of every arm with donors and with whole sites held out, on the same samples.

    Parameters
    ----------
    by_donors, by_sites : columns of ``mtlbio.tables.PREDICTIONS``
    site : by sample
    draws, seed : of the bootstrap of donors (``families`` by sample where they are known), the same for both

    Returns
    -------
    DataFrame
        Columns of ``mtlbio.tables.SITES_LEFT_OUT``. ``lost`` is how much better the arm is where donors are held out,
        positive whatever the metric (NA of slope and intercept of a calibration, of which neither more nor less is
        better), with the interval of the paired bootstrap: donors are drawn again, sites are not, so it speaks of
        these sites. All metrics over all samples (``site`` is NA), the one that decides at every site too: over all
        samples a metric also counts what tells one site's samples from another's.
    """
    both = pd.concat([by_donors, by_sites.assign(arm=by_sites["arm"] + _OF_SITES)], ignore_index=True)
    rows: list[dict] = []
    for task in tasks.values():
        found = collect(both, task, families)
        for part, where, metrics in _parts(found, site):
            for arm in [arm for arm in found.arms if arm + _OF_SITES in found.arms]:
                rows += [_row(part, arm, metric, draws, seed) | {"site": where} for metric in metrics]
    return pd.DataFrame(rows, columns=SITES_LEFT_OUT)


def _parts(found: TaskPredictions, site: pd.Series) -> Iterator[tuple[TaskPredictions, str | None, tuple[Metric, ...]]]:
    """All samples with every metric, then the samples of each site with the metric that decides."""
    yield found, None, found.task.metrics
    own = site.loc[found.samples].to_numpy().astype(str)
    for name in np.unique(own):
        at = own == name
        arms = {arm: values[at] for arm, values in found.arms.items()}
        families = None if found.families is None else found.families[at]
        of_site = {"samples": found.samples[at], "donors": found.donors[at], "y": found.y[at], "families": families}
        yield replace(found, arms=arms, **of_site), str(name), (found.task.decisive,)


def _row(part: TaskPredictions, arm: str, metric: Metric, draws: int, seed: int) -> dict:
    """One arm and metric on some samples; without a value where no sample has a label."""
    row: dict = {"arm": arm, "task": part.task.name, "metric": metric.name, "n_samples": 0, "n_donors": 0}
    pair = part.common(arm, arm + _OF_SITES)
    if pair is None:
        return row
    row |= {"n_samples": pair.n_samples, "n_donors": pair.n_units}
    if part.task.lacks(pd.Series(_labels(part))) is not None:  # one class alone has no AUROC
        return row
    for name, of in (("by_donors", arm), ("by_sites", arm + _OF_SITES)):
        row |= dict(zip([name, f"{name}_low", f"{name}_high"], pair.estimate(of, metric, draws, seed), strict=True))
    if metric.name in _BEST_BETWEEN:
        return row
    lost = pair.difference(arm, arm + _OF_SITES, metric, draws, seed)
    return row | dict(zip(["lost", "lost_low", "lost_high"], lost, strict=True))


def _labels(part: TaskPredictions) -> list:
    """Labels of the samples that have one, as the cohort's column holds them."""
    known = part.y[~np.isnan(part.y)]
    return [part.task.classes[int(code)] for code in known] if part.task.classes else list(known)
