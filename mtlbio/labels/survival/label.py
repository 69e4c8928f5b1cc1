"""The kind of label ``survival``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from mtlbio.errors import InputError
from mtlbio.labels.base import Effects, Label, Note, TaskSection
from mtlbio.labels.strata import carried_classes, counted_classes
from mtlbio.labels.survival.baseline import null_residuals
from mtlbio.labels.survival.given import hazard_ratios, residual_given
from mtlbio.labels.survival.reading import SurvivalSection, check_horizons, read_follow_up, read_horizons
from mtlbio.labels.survival.records import Record, Records, records_of
from mtlbio.text import number

if TYPE_CHECKING:
    import pandas as pd


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
        return super().test_columns(residual_given(self.times(y), fixed))

    def effects(self, y: np.ndarray, z: np.ndarray, fixed: np.ndarray, cluster: np.ndarray | None = None) -> Effects:
        """Log hazard ratios per standard deviation of the dimension, and whether hazards are proportional."""
        found = hazard_ratios(self.times(y), fixed, z, cluster)
        return Effects(found.effect, found.low, found.high, found.changes, found.p_changes)

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
        """Events, samples and the median time."""
        time, event, *_ = self.times(column.dropna().to_numpy())
        text = f"{int(event.sum())} events in {len(time)}, times up to {number(time.max(), 1)}"
        return text + (f" {self.unit}" if self.unit else "")
