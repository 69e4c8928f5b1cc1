"""The kind of label ``survival``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from mtlbio.errors import InputError
from mtlbio.labels.base import Effects, Label, Note, TaskSection
from mtlbio.labels.strata import carried_classes, counted_classes
from mtlbio.labels.survival.baseline import cumulative_hazard, null_residuals
from mtlbio.labels.survival.reading import SurvivalSection, check_horizons, read_follow_up, read_horizons
from mtlbio.labels.survival.records import Record, Records, records_of
from mtlbio.metrics import Metric, survival
from mtlbio.text import number

if TYPE_CHECKING:
    import pandas as pd
    import torch

    from mtlbio.labels.survival.linear import RidgeCox

# Of the likelihood in the loss. A sample's second derivative is its cumulative hazard, 1 at most on average and several
# times that for who is followed longest; times this it is that of a cross-entropy, and so is how far a step goes.
_SHARE = 0.25
# Where nobody has had the event by a horizon there is no logarithm; and beyond this cumulative hazard all have.
_LEAST_HAZARD, _MOST_LOG_HAZARD = 1e-6, 6.0


@dataclass(frozen=True)
class Survival(Label[SurvivalSection]):
    """A time to an event or to the end of follow-up; a label is the place of its record in the table ``records``.

    Attributes
    ----------
    records : distinct (time, event, entry, stratum), sorted by time; entry None: followed from the beginning
    horizons : times by which the absolute risk is told
    strata : names of the strata; empty where there are none
    unit : of the times
    """

    records: tuple[Record, ...] = ()
    horizons: tuple[float, ...] = ()
    strata_names: tuple[str, ...] = ()
    unit: str | None = None

    kind: ClassVar[str] = "survival"
    section: ClassVar[type[TaskSection]] = SurvivalSection
    as_covariate: ClassVar[str] = ""
    names_values_of: ClassVar[str] = "event"
    averaged: ClassVar[bool] = False
    reads_weights: ClassVar[bool] = True
    likelihood: ClassVar[float] = _SHARE
    anchored: ClassVar[bool] = True
    predicts_label: ClassVar[bool] = False
    effect_unit: ClassVar[str] = "log HR per SD"
    contrast: ClassVar[str] = "log hazard ratio per SD"
    counts: ClassVar[str] = "events"
    ratio: ClassVar[str] = "hazard ratio"

    # reading

    @classmethod
    def check(cls, key: str, section: SurvivalSection) -> None:
        """Both columns are named, and horizons rise."""
        for name in ("time", "event"):
            if getattr(section, name) is None:
                raise ValueError(f"{key}.{name}: a survival task needs the columns of the time and of the event")
        if section.column is not None:
            raise ValueError(
                f"{key}.column: found {section.column!r}; a survival task names its columns time and event"
            )
        check_horizons(key, section.horizons)

    @classmethod
    def columns(cls, name: str, section: SurvivalSection) -> dict[str, str]:
        given = {"event": section.event, "entry": section.entry, "strata": section.strata}
        return {"column": section.time or name} | {key: column for key, column in given.items() if column is not None}

    @classmethod
    def number_keys(cls) -> tuple[str, ...]:
        return ("column", "entry")

    @classmethod
    def read(
        cls, name: str, section: SurvivalSection, columns: dict[str, pd.Series], source: str, note: Note
    ) -> tuple[pd.Series, Label]:
        """Follow-up of the samples; the column holds places of records."""
        table, strata = read_follow_up(name, section, columns, source, note)
        time, event, entry, stratum = (table[c].to_numpy() for c in ("time", "event", "entry", "stratum"))
        horizons = read_horizons(section, time, event > 0, f"{source}: tasks.{name}")
        label = cls(name, records_of(time, event, entry, stratum), horizons, strata, section.unit)
        places = label.table.place(time, event > 0, entry, stratum.astype(int))
        column = columns["column"].map(lambda text: np.nan).astype(float)
        column.loc[table.index] = places
        return column, label

    @classmethod
    def restored(cls, saved: dict[str, Any]) -> Self:
        records = tuple((float(t), int(e), b, int(s)) for t, e, b, s in saved["records"])
        return super().restored(saved | {"records": records})

    @cached_property
    def table(self) -> Records:
        """The records as arrays."""
        return Records.of(self.records)

    def times(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Time, event (bool), entry (-inf: none) and stratum of labels (n,); NaN, False, NaN, -1 where missing."""
        return self.table.at(np.asarray(y, dtype=float))

    # the design, and folds

    def check_labels(self, labelled: pd.DataFrame, folds: int, where: str) -> None:
        """Every fold needs a donor with an event, and one without is no use either."""
        events = labelled[self.times(labelled[self.name].to_numpy())[1]]
        if events["donor"].nunique() < folds:
            raise InputError(
                f"{where}: {events['donor'].nunique()} donor(s) with an event after quality control, fewer than the "
                f"{folds} folds; lower splits.folds"
            )

    def lacks(self, labels: pd.Series) -> str | None:
        """Two events at least are needed for a risk set to tell anything."""
        return "fewer than two events" if self.times(labels.to_numpy())[1].sum() < 2 else None

    def spread_evenly(self, y: np.ndarray) -> np.ndarray:
        """(n,) early, middle and late events as 0, 1, 2; who was censored before and after half of the events, as 3
        and 4."""
        time, event, *_ = self.times(y)
        edges = np.quantile(time[event], [1 / 3, 0.5, 2 / 3]) if event.any() else np.zeros(3)
        third = np.searchsorted(edges[[0, 2]], time)
        return np.where(np.isnan(y), np.nan, np.where(event, third, 3 + (time > edges[1])))

    def carried(self, owner: np.ndarray, y: np.ndarray, owners: int, folds: int) -> np.ndarray:
        return carried_classes(owner, self.spread_evenly(y), owners)

    def counted(self, owner: np.ndarray, y: np.ndarray) -> np.ndarray:
        return counted_classes(owner, self.spread_evenly(y))

    def strata(self, y: np.ndarray) -> np.ndarray:
        """Whether the time ended with the event."""
        return self.times(y)[1].astype(float)

    def groups(self, y: np.ndarray) -> list[np.ndarray]:
        """Those with an event: what is known of times rests on them."""
        return [self.times(y)[1]]

    # the network

    @property
    def n_outputs(self) -> int:
        """The log hazard, and for every horizon the same plus the logarithm of the cumulative hazard until then."""
        return 1 + len(self.horizons)

    def loss(self, outputs: torch.Tensor, target: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """A quarter of minus the partial log likelihood, shared out to the events; outputs of horizons are not read."""
        from mtlbio.labels.survival.likelihood import partial_loss

        return _SHARE * partial_loss(outputs[..., 0], target, weights, self.table)

    def anchor(self, outputs: np.ndarray, target: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """The baseline hazard, of all strata together: what the partial likelihood does not know."""
        time, event, entry, _ = self.times(target)
        scores = outputs[:, 0]
        hazard = cumulative_hazard(time, event, entry, scores, weights, np.array(self.horizons))
        return np.append(-np.average(scores, weights=weights), np.log(np.maximum(hazard, _LEAST_HAZARD)))

    def to_prediction(self, outputs: np.ndarray, mean: float = 0.0, scale: float = 1.0) -> np.ndarray:
        """(..., rows) the log hazard in the rows of what was seen, and the absolute risk at every horizon."""
        return self._prediction(outputs[..., 0], np.exp(np.minimum(outputs[..., 1:], _MOST_LOG_HAZARD)))

    def _prediction(self, scores: np.ndarray, hazards: np.ndarray) -> np.ndarray:
        """(..., rows) from log hazards (...) and cumulative hazards (..., horizons)."""
        return np.concatenate([scores[..., None]] * len(self._seen) + [-np.expm1(-hazards)], axis=-1)

    def typical(self, predicted: np.ndarray) -> float:
        """The mean log hazard of predictions (..., rows), as a ratio to the hazard of the training donors."""
        return float(np.exp(predicted[..., 0].mean()))

    def own_model(self, y: np.ndarray, weights: np.ndarray) -> RidgeCox:
        """Cox with a ridge."""
        from mtlbio.labels.survival.linear import RidgeCox

        return RidgeCox(*self.times(y), weights, self._prediction, np.array(self.horizons))

    # predictions

    @property
    def _seen(self) -> list[str]:
        """Rows of what was seen."""
        return ["time", "event"] + ["entry"] * self.table.truncated + ["stratum"] * bool(self.strata_names)

    @property
    def row_labels(self) -> Sequence[str]:
        """What was seen, then the horizons."""
        unit = f" {self.unit}" if self.unit else ""
        return [*self._seen, *(f"risk by {horizon:g}{unit}" for horizon in self.horizons)]

    def rows(self, y: np.ndarray, predicted: np.ndarray) -> list[dict]:
        """Of what was seen the truth, and the log hazard beside it; of a horizon 1 or 0 where it is known."""
        time, event, entry, stratum = self.times(y)
        known = ~np.isnan(y)
        seen = dict(zip(("time", "event", "entry", "stratum"), (time, event, entry, stratum), strict=True))
        truths = [np.where(known, seen[name], np.nan) for name in self._seen]
        for horizon in self.horizons:
            happened, not_yet = event & (time <= horizon), time > horizon
            truths.append(np.where(happened, 1.0, np.where(not_yet, 0.0, np.nan)))
        pairs = zip(self.row_labels, truths, strict=True)
        return [
            {"label": label, "y_true": truth, "y_pred": predicted[:, row]} for row, (label, truth) in enumerate(pairs)
        ]

    def from_rows(self, truth: np.ndarray, labelled: np.ndarray) -> np.ndarray:
        """The place of the record that the rows of what was seen tell."""
        seen = dict(zip(self._seen, truth[labelled].T, strict=False))
        count = int(labelled.sum())
        entry, stratum = seen.get("entry", np.full(count, -np.inf)), seen.get("stratum", np.zeros(count))
        y = np.full(len(truth), np.nan)
        y[labelled] = self.table.place(seen["time"], seen["event"], entry, stratum)
        return y

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Harrell's C decides; it needs nothing but the order of the log hazards."""
        risks = len(self._seen)

        def of(function, column: int | slice):
            def metric(y, pred, weights=None):
                pred = np.asarray(pred, dtype=float)
                chosen = pred if pred.ndim == 1 else pred[:, column]
                return function(np.column_stack(self.times(y)), chosen, weights)

            return metric

        last, integrated = self.horizons[-1], survival.integrated_brier(self.horizons)
        whole = [
            replace(survival.C_INDEX, function=of(survival.concordance, 0)),
            replace(survival.UNO_C, function=of(survival.uno_concordance(last), 0)),
            replace(survival.INTEGRATED_BRIER, function=of(integrated, slice(risks, None))),
        ]
        at_horizons = [
            Metric(
                f"{family.name}_{horizon:g}",
                of(at(horizon), risks + h),
                f"{family.printed} {horizon:g}",
                family.chance,
                family.lower_is_better,
            )
            for family, at in survival.AT_HORIZON
            for h, horizon in enumerate(self.horizons)
        ]
        return (*whole, *at_horizons)

    # the trial

    def as_value(self, y: np.ndarray) -> np.ndarray:
        """(n,) events beyond those to be expected of everybody alike; NaN where missing."""
        values, known = np.full(len(y), np.nan), ~np.isnan(y)
        values[known] = null_residuals(*self.times(y[known]))
        return values

    def test_columns(self, y: np.ndarray) -> np.ndarray:
        return super().test_columns(self.as_value(y))

    def test_columns_given(self, y: np.ndarray, fixed: np.ndarray) -> np.ndarray:
        """(units, 1) martingale residuals of the Cox model of what is held fixed."""
        from mtlbio.labels.survival.given import residual_given  # scipy, which no YAML waits for

        return super().test_columns(residual_given(self.times(y), fixed))

    def effects(self, y: np.ndarray, z: np.ndarray, fixed: np.ndarray, cluster: np.ndarray | None = None) -> Effects:
        """Log hazard ratios per standard deviation of the dimension, and whether hazards are proportional."""
        from mtlbio.labels.survival.given import hazard_ratios

        return hazard_ratios(self.times(y), fixed, z, cluster)

    def follow_up(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        return self.times(y)

    def telling(self, y: np.ndarray) -> np.ndarray:
        """Those with an event."""
        return self.times(y)[1]

    def smallest(self, size: float, rarest: str | None) -> str:
        """A log hazard ratio, and the ratio."""
        return (
            f"the hazard of {self.name} is {np.exp(size):.2f} times as large, or as small, per standard deviation (SD) "
            f"of it (a log hazard ratio of {size:.2f}); what counts are {self.counts}, not donors"
        )

    def summary(self, column: pd.Series) -> str:
        """Events, samples and the longest time."""
        time, event, *_ = self.times(column.dropna().to_numpy())
        text = f"{int(event.sum())} events in {len(time)}, times up to {number(time.max(), 1)}"
        return text + (f" {self.unit}" if self.unit else "")
