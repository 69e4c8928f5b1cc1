"""An effect of verdicts.tsv in words."""

import numpy as np

from mtlbio.probing.columns import column_of
from mtlbio.report.inputs import Inputs
from mtlbio.report.words import interval
from mtlbio.text import known, number


def effect_in_words(inputs: Inputs, dim: str, task: str) -> str:
    """The adjusted effect of a task on a dimension with its interval: ``+0.90 SD (0.50 to 1.30)``; of a task whose
    classes have no direction ``R 0.52 (0.31 to 0.66)``, of a time ``hazard ratio 1.82 (1.35 to 2.46) per SD``."""
    row, label = inputs.verdicts.loc[dim], inputs.cohort.tasks[task]
    unit = label.effect_unit
    effect, low, high = (row.get(column_of(family, task)) for family in ("effect", "ci_low", "ci_high"))
    if not known(effect):
        return "not tested"
    if label.ratio:
        return f"{label.ratio} {interval(*np.exp([effect, low, high]))} per SD"
    text = interval(effect, low, high)
    if unit == "R":
        return f"R {text}"
    value, _, rest = text.partition(" ")
    sign = "+" if float(effect) > 0 and value != number(0) else ""
    return f"{sign}{value} {unit} {rest}".strip()
