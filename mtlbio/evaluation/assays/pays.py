"""Does an assay pay: is the prediction that a donor gets without it worse by more than the margin?

Compared is what the same stacked model says of the same held-out donors, with all the blocks that they have and without
one of them, on the same bootstrap draws of donors. ``does_not`` is a non-inferiority call of the prediction without the
block; ``pays`` that it is worse, and may be worse by more than the margin.
"""

import math

import numpy as np
import pandas as pd

from mtlbio.evaluation.bootstrap import Estimate
from mtlbio.evaluation.comparisons import MODEL, call_difference
from mtlbio.evaluation.predictions import collect
from mtlbio.labels import Label
from mtlbio.tables import PAYS
from mtlbio.text import number

CALLS = {"better": "does_not", "no_worse": "does_not", "worse": "pays", "undecided": "cannot_tell"}
_BOTH = 1.96 + 0.84  # normal quantiles of a 95 % interval and of a chance of 80 %
_MOST = 1e6  # donors, beyond which no number is said


def pays(
    table: pd.DataFrame,
    without: pd.DataFrame,
    tasks: dict[str, Label],
    blocks: list[str],
    draws: int,
    seed: int,
    margin: float,
    families: pd.Series | None = None,
) -> pd.DataFrame:
    """A row per task and block, columns ``mtlbio.tables.PAYS``.

    Parameters
    ----------
    table : columns of predictions.tsv, with the arm ``multitask``
    without : the same of the arms ``without_<block>``
    draws, seed : of the donor bootstrap; ``margin`` : of the task's decisive metric; ``families`` : by sample
    """
    both = pd.concat([table[table["arm"] == MODEL], without], ignore_index=True)
    rows = []
    for task in tasks.values():
        predictions, metric = collect(both, task, families), task.decisive
        for block in blocks:
            arm = f"without_{block}"
            pair = predictions.common(MODEL, arm)
            if pair is None:
                continue
            lost = pair.difference(arm, MODEL, metric, draws, seed)
            call = CALLS[call_difference(lost.ci_low, lost.ci_high, margin)]
            gain = Estimate(-lost.value, -lost.ci_high, -lost.ci_low)
            needed = donors_to_tell(gain, pair.n_units, margin) if call == "cannot_tell" else np.nan
            values = pair.value(MODEL, metric), pair.value(arm, metric)
            why = sentence(task.name, block, metric.printed, values, gain, call, needed, margin)
            rows.append(
                [task.name, block, metric.name, *values, *gain, call, needed, pair.n_samples, pair.n_units, why]
            )
    return pd.DataFrame(rows, columns=PAYS)


def donors_to_tell(gain: Estimate, donors: int, margin: float) -> float:
    """Donors with the block and others of whom 80 % of such studies would call ``pays`` or ``does_not``, if the gain is
    what it was; NaN where no number of donors is likely to.

    The interval narrows with the root of the donors: it has to leave 0 where the gain is above the margin, and to stay
    below the margin where the gain is.

    Examples
    --------
    >>> donors_to_tell(Estimate(0.05, -0.01, 0.11), 100, 0.02)
    294.0
    >>> donors_to_tell(Estimate(0.0, -0.06, 0.06), 100, 0.02)
    1837.0
    """
    error = (gain.ci_high - gain.ci_low) / (2 * 1.96)
    distance = gain.value if gain.value > margin else margin - gain.value
    if not np.isfinite(error) or not distance > 0:
        return np.nan
    needed = donors * (_BOTH * error / distance) ** 2
    return float(math.ceil(max(needed, donors))) if needed < _MOST else np.nan


def sentence(
    task: str,
    block: str,
    metric: str,
    values: tuple[float, float],
    gain: Estimate,
    call: str,
    needed: float,
    margin: float,
) -> str:
    """The call in words; ``values`` with and without the block."""
    interval = f"{number(gain.value, 3)}, 95 % {number(gain.ci_low, 3)} to {number(gain.ci_high, 3)}"
    said = f"{task}: {metric} {number(values[0], 3)} with {block}, {number(values[1], 3)} without (gain {interval})"
    if call == "pays":
        return f"{said}: {block} pays."
    if call == "does_not":
        return f"{said}: {block} does not pay, as less than the margin of {margin:g} is lost."
    more = "" if np.isnan(needed) else f"; about {needed:,.0f} donors with it would tell"
    return f"{said}: whether {block} pays cannot be told{more}."
