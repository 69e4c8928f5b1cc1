"""What each genotype does to the dose: the trained model asked about one feature at a time.

The final ensemble predicts the same people again and again, with one feature set to each of its levels (of a number:
to its 10th, 50th and 90th percentile) and everything else as it is: partial dependence (Friedman 2001, Ann. Stat.
29:1189).
"""

from pathlib import Path

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.tabular import Source
from mtlbio.model.ensemble import Ensemble
from mtlbio.tables import EFFECTS, write_table

# People that the model is asked about, spread evenly over the cohort.
_PEOPLE = 200
_PERCENTILES = (10, 50, 90)


def write_effects(cohort: Cohort, ensemble: Ensemble, results: Path) -> None:
    """Write ``effects.tsv``."""
    write_table(effects_table(cohort, ensemble), results / "effects.tsv", EFFECTS)


def effects_table(cohort: Cohort, ensemble: Ensemble) -> pd.DataFrame:
    """One row per task without classes, feature and level.

    Columns ``EFFECTS``: ``samples`` have the level, ``prediction`` is the typical one in the task's units
    (averaged on the scale that is learnt), ``factor`` its ratio to the typical prediction as people are; NaN where that
    is not above 0
    """
    plan, values = cohort.coding, cohort.expression
    rows = np.unique(np.linspace(0, len(values) - 1, min(_PEOPLE, len(values))).astype(int))
    tasks = [task for task in cohort.tasks.values() if not task.classes]

    def typical(people: np.ndarray) -> list[float]:
        latents = ensemble.latents(people)
        return [task.typical(ensemble.predict_from_latents(task.name, latents)) for task in tasks]

    usual, effects = typical(values[rows]), []
    for source in plan.sources:
        for value, count, coded in _levels(source, values[:, plan.places[source.name]]):
            changed = values[rows].copy()
            changed[:, plan.places[source.name]] = coded
            for task, prediction, base in zip(tasks, typical(changed), usual, strict=True):
                factor = prediction / base if base > 0 else np.nan
                effects.append([task.name, source.name, value, count, prediction, factor])
    table = pd.DataFrame(effects, columns=EFFECTS)
    return table.sort_values("task", key=lambda c: c.map(list(cohort.tasks).index), kind="stable", ignore_index=True)


def _levels(source: Source, coded: np.ndarray):
    """(what the level is called, samples that have it, its coded columns)."""
    width = coded.shape[1]
    if source.kind == "category":
        for k, column in enumerate(source.columns):
            yield column.removeprefix(f"{source.name}="), int(coded[:, k].sum()), np.eye(width, dtype=np.float32)[k]
        return
    present = coded[:, 0][~np.isnan(coded[:, 0])]
    for percentile in _PERCENTILES:
        value = float(np.percentile(present, percentile))
        yield f"{value:g}", len(present), np.array([value, *np.zeros(width - 1)], dtype=np.float32)
