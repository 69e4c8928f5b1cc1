"""Tables of features: numbers outside of what the model saw, levels that it does not know, columns that lack."""

from __future__ import annotations

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
from mtlbio.training.new_samples.loss import Gap, losses, prepared
from mtlbio.training.stored import put_together, taken_apart

# Share of the values outside of the range from which a person should look; fewer are only told.
_MANY = 0.1
# The median lies so many SD away, and in other units within one: not these people, but another unit.
_ANOTHER_UNIT, _SAME = 3.0, 1.0
_FEW, _FEW_AWAY = 5, 5.0
# how many times as large a number is in the unit of the new table as in the model's, and what people mix up
_UNITS = (
    (2.2046, "pounds where the model has kilograms"),
    (1 / 2.2046, "kilograms where the model has pounds"),
    (1 / 2.54, "inches where the model has centimetres"),
    (2.54, "centimetres where the model has inches"),
    (12.0, "months where the model has years"),
    (1 / 12, "years where the model has months"),
    (365.25, "days where the model has years"),
    (1 / 365.25, "years where the model has days"),
    (100.0, "centimetres for metres, or percent for shares"),
    (0.01, "metres for centimetres, or shares for percent"),
    (10.0, "per litre for per decilitre"),
    (0.1, "per decilitre for per litre"),
    (1000.0, "thousandths of the model's unit"),
    (0.001, "thousands of the model's unit"),
    (18.02, "glucose in mg/dL for mmol/L"),
    (1 / 18.02, "glucose in mmol/L for mg/dL"),
    (38.67, "cholesterol in mg/dL for mmol/L"),
    (1 / 38.67, "cholesterol in mmol/L for mg/dL"),
    (88.42, "creatinine in umol/L for mg/dL"),
    (1 / 88.42, "creatinine in mg/dL for umol/L"),
)  # fmt: skip


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
        unit = _unit(given, middle, spread) if outside and abs(away) > _far(given) else ""
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


def say_unknown_levels(text: pd.DataFrame, plan: Plan, checks: Checks) -> None:
    """Say which levels of categories, and how many samples with them, the model does not know."""
    for source in plan.sources:
        if source.kind != "category":
            continue
        levels = text[source.name].dropna()
        strange = levels[~levels.isin([*source.levels, *source.pooled])]
        share = len(strange) / max(len(levels), 1)
        checks.add(
            "unknown_levels", source.name, share, 0.0, call=LOOK if len(strange) else FINE, why="share of samples"
        )
        if len(strange):
            names = [f"{level} ({n})" for level, n in strange.value_counts(sort=False).sort_index().items()]
            consequence = "count as other" if source.pooled else "are no level that the model knows"
            near = _near(strange, source)
            checks.look(
                f"{source.name}: {listing(names, 5)} did not occur in training and {consequence}; the model knows "
                f"{listing(source.levels, 8)}{near}"
            )


def say_cost(absent: Sequence[str], plan: Plan, ensemble: Ensemble, results: Path, checks: Checks) -> str:
    """What columns that lack cost every task, in words; a row for each."""
    known = prepared(results)
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


def _unit(given: np.ndarray, middle: float, spread: float) -> str:
    """In which other unit numbers would be usual, in words; empty where in none."""
    median, best, words = float(np.median(given)), _SAME, ""
    for factor, meant in _UNITS:
        away = abs(median / factor - middle) / spread
        if away < best:
            best, words = away, f"in other units ({meant}?); times {1 / factor:.3g} they are usual"
    if abs((median - 32) / 1.8 - middle) / spread < best:
        words = "in other units (Fahrenheit where the model has Celsius?); (x - 32) / 1.8 are usual"
    return words


def _span(low: float, high: float) -> str:
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def _near(strange: pd.Series, source: Source) -> str:
    """Levels that are known but for case, spaces and hyphens."""
    plain = {_plain(level): level for level in source.levels}
    pairs = [f"{level} for {plain[_plain(level)]}" for level in sorted(set(strange)) if _plain(level) in plain]
    return f" (written differently? {listing(pairs, 3)})" if pairs else ""


def _plain(level: str) -> str:
    return "".join(filter(str.isalnum, str(level).casefold()))
