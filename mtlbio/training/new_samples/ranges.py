"""Tables of features: numbers outside of what the model saw, levels that it does not know, columns that lack."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.tabular import Plan, Source
from mtlbio.errors import listing
from mtlbio.intake.notes import notice
from mtlbio.model.ensemble import Ensemble, load_reference
from mtlbio.training.new_samples.checks import FINE, LOOK, REFUSED, Checks
from mtlbio.training.new_samples.loss import Gap, losses
from mtlbio.training.stored import put_together, taken_apart

# Share of the values outside of the range from which a person should look; fewer are only told.
_MANY = 0.1
# The median lies so many SD away, and in other units within one: not these people, but another unit.
_ANOTHER_UNIT, _SAME = 3.0, 1.0
_FEW, _FEW_AWAY = 5, 5.0
# what the column is called, how many times as large a number is in the unit of the new table as in the model's, and
# what people mix up; both ways round
_UNITS = (
    (("weight", "mass", "bw"), 2.2046, "pounds", "kilograms"),
    (("height", "length", "stature", "size", "waist"), 2.54, "centimetres", "inches"),
    (("height", "length", "stature", "size"), 100.0, "centimetres", "metres"),
    (("age", "time", "duration", "years", "followup", "since"), 12.0, "months", "years"),
    (("age", "time", "duration", "years", "followup", "since"), 365.25, "days", "years"),
    (("glucose", "sugar"), 18.02, "mg/dL", "mmol/L"),
    (("chol", "ldl", "hdl"), 38.67, "mg/dL", "mmol/L"),
    (("trig",), 88.57, "mg/dL", "mmol/L"),
    (("crea",), 88.42, "umol/L", "mg/dL"),
    (("bili",), 17.1, "umol/L", "mg/dL"),
    (("",), 100.0, "percent", "shares"),
    (("",), 1000.0, "thousandths", "whole units"),
    (("",), 10.0, "per litre", "per decilitre"),
)


@dataclass(frozen=True)
class Ranges:
    """Of each column of numbers, in the order of the coding, on the training samples: (k,) each."""

    low: np.ndarray
    high: np.ndarray
    middle: np.ndarray
    spread: np.ndarray

    @classmethod
    def read(cls, model: Path) -> Ranges | None:
        """Of a model's folder; None where an earlier mtlbio trained it."""
        arrays = load_reference(model)
        return put_together(cls, arrays) if "high" in arrays else None


def reference_of_table(cohort: Cohort, ensemble: Ensemble, splits: pd.DataFrame) -> Mapping[str, np.ndarray]:
    """Arrays by name of the :class:`Ranges` of a table on which ``ensemble`` was trained; none without numbers."""
    columns = [cohort.coding.places[source.name][0] for source in _numbers(cohort.coding)]
    if not columns:
        return {}
    values = cohort.expression[:, columns].astype(float)
    low, high = np.nanmin(values, axis=0), np.nanmax(values, axis=0)
    return taken_apart(Ranges(low, high, np.nanmedian(values, axis=0), np.nanstd(values, axis=0)))


def check_ranges(values: np.ndarray, plan: Plan, ranges: Ranges, checks: Checks) -> None:
    """Compare numbers of new samples (n, coded columns) with what the model saw."""
    for k, source in enumerate(_numbers(plan)):
        column = values[:, plan.places[source.name][0]].astype(float)
        given = column[~np.isnan(column)]
        low, high, middle, spread = (float(part[k]) for part in (ranges.low, ranges.high, ranges.middle, ranges.spread))
        if not len(given):
            continue
        outside = int(((given < low) | (given > high)).sum())
        away = (np.median(given) - middle) / spread if spread > 0 else 0.0
        saw = f"{source.name}: {_span(given.min(), given.max())}, the model saw {_span(low, high)}"
        saw += f" ({outside} of {len(given)} samples outside)"
        unit = _unit(source.name, given, middle, spread) if outside and abs(away) > _far(given) else ""
        call = FINE if not outside else LOOK
        if unit:
            checks.refuse(f"{saw}: {unit}")
            call = REFUSED
        elif outside:
            notice(checks.source, saw, doubt=outside >= _MANY * len(given))
        checks.add("median", source.name, float(np.median(given)), middle, low, high, call, "of the numbers given")
        checks.add(
            "outside", source.name, outside / len(given), 0.0, call=call, why="share outside of what the model saw"
        )


def known_levels(text: pd.DataFrame, plan: Plan, checks: Checks) -> pd.DataFrame:
    """The table with levels spelled as in training where only case, spaces or hyphens differ; says that, and which
    levels, of how many samples, did not occur in training."""
    text = text.copy()
    for source in (source for source in plan.sources if source.kind == "category"):
        # values that mean that nothing is known are no levels
        known = [*source.levels, *source.pooled, *map(str, getattr(plan, "missing", ()))]
        spelled = {
            level: _respelled(level, known) for level in text[source.name].dropna().unique() if level not in known
        }
        other = {level: to for level, to in spelled.items() if to is not None}
        if other:
            pairs = listing([f"{level} is {to}" for level, to in sorted(other.items())], 5)
            checks.look(f"{source.name}: levels spelled otherwise than in training, taken for the same: {pairs}")
            text[source.name] = text[source.name].replace(other)
        levels = text[source.name].dropna()
        strange = levels[~levels.isin(known)]
        share, call = len(strange) / max(len(levels), 1), LOOK if len(strange) else FINE
        checks.add("unknown_levels", source.name, share, 0.0, call=call, why="share of the samples")
        if len(strange):
            names = [f"{level} ({n})" for level, n in strange.value_counts(sort=False).sort_index().items()]
            consequence = "count as other" if source.pooled else "are no level that the model knows"
            checks.look(
                f"{source.name}: {listing(names, 5)} did not occur in training and {consequence}; the model knows "
                f"{listing(source.levels, 8)}"
            )
    return text


def say_cost(
    absent: Sequence[str], plan: Plan, ensemble: Ensemble, known: tuple[Cohort, pd.DataFrame] | str, checks: Checks
) -> str:
    """What columns that lack cost every task, in words; a row for each.

    ``known``: the cohort that the model was trained on and its folds, or why they are not at hand
    (:func:`mtlbio.training.new_samples.trained_on.prepared`).
    """
    if isinstance(known, str):
        return f"; what that costs cannot be told ({known})"
    found = losses(*known, ensemble, _without_columns(ensemble, plan, absent))
    for loss in found:
        why = f"{loss.metric} of {loss.samples} held-out training samples without the columns; expected: with them"
        checks.add("expected_loss", loss.task, loss.gap, loss.whole, why=why)
    return f"; expected of that, on held-out training samples: {listing(found, 12)}" if found else ""


def _without_columns(ensemble: Ensemble, plan: Plan, absent: Sequence[str]) -> Gap:
    """Columns of the file that lack for everybody, coded as a gap is."""
    coded = np.full(len(plan.columns), np.nan)
    there = np.ones(len(plan.columns), dtype=bool)
    for source in plan.sources:
        if source.name in absent:
            places = plan.places[source.name]
            there[places] = False
            coded[places] = 0.0
            if source.kind == "number":
                coded[places[0]] = np.nan
            if source.missing:
                coded[places[-1]] = 1.0

    def gap(held_out: np.ndarray, train: np.ndarray, fold: int) -> np.ndarray:
        features = ensemble.models[fold].features
        empty = features.transform(np.broadcast_to(coded, (1, len(coded))))
        return np.where(there[features.genes_idx], held_out, empty)

    return gap


def _numbers(plan: Plan) -> list[Source]:
    return [source for source in plan.sources if source.kind == "number"]


def _far(given: np.ndarray) -> float:
    return _ANOTHER_UNIT if len(given) >= _FEW else _FEW_AWAY


def _unit(name: str, given: np.ndarray, middle: float, spread: float) -> str:
    """In which other unit numbers would be usual, in words; empty where in none."""
    median, fits = float(np.median(given)), list[tuple[bool, float, str]]()
    if "temp" in name.lower() and abs((median - 32) / 1.8 - middle) < _SAME * spread:
        return "Fahrenheit where the model has Celsius? (x - 32) / 1.8 are usual"
    for words, factor, large, small in _UNITS:
        if not any(word in name.lower() for word in words):
            continue
        for times, theirs, ours in ((factor, large, small), (1 / factor, small, large)):
            away = abs(median / times - middle) / spread
            if away < _SAME:
                meant = f"{theirs} where the model has {ours}? Times {1 / times:.3g} they are usual"
                fits.append((words == ("",), away, meant))
    return min(fits)[2] if fits else ""


def _span(low: float, high: float) -> str:
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def _respelled(level: str, known: Sequence[str]) -> str | None:
    """The only known level that differs in case, spaces and hyphens alone; None where there is none."""
    same = [other for other in known if _plain(other) == _plain(level)]
    return same[0] if len(same) == 1 else None


def _plain(level: str) -> str:
    # A- is not A, 1-2 is not 12, -1 is not 1
    between = re.split(r"(?<=[^\W\d_])[\s_-]+(?=\w)|(?<=\w)[\s_-]+(?=[^\W\d_])", str(level).strip().casefold())
    return "".join(between)
