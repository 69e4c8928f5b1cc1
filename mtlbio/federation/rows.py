"""The rows of a site, which stay there: columns, labels and covariates, coded the same at every site.

A table's categories have the levels of ``federation.levels`` and no others, so that no site has to tell which ones it
has seen; measurements keep the names of their genes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import pandas as pd

from mtlbio.cohort.content import in_one_spelling, without_missing
from mtlbio.cohort.of_table import read_features
from mtlbio.cohort.prepare import build_cohort, build_roster
from mtlbio.cohort.tabular import FLOOR, Plan, Source
from mtlbio.config.federation import Federation
from mtlbio.errors import InputError, listing
from mtlbio.kinds.schemas import DonorRun, TableRun
from mtlbio.labels import Label


@dataclass(frozen=True)
class Rows:
    """Samples of one site, or of all.

    Attributes
    ----------
    names : (p,) of the columns
    x : (n, p), NaN where a number is missing
    least : (p,) least scale of every column
    obs : by sample, with ``donor``, labels and covariates
    labels : by task
    covariates : by name, (n, k) columns, NaN where missing
    """

    names: tuple[str, ...]
    x: np.ndarray
    least: np.ndarray
    obs: pd.DataFrame
    labels: dict[str, Label]
    covariates: dict[str, np.ndarray]

    @property
    def donors(self) -> np.ndarray:
        """(n,) text."""
        return self.obs["donor"].to_numpy().astype(str)

    def y(self, task: str) -> np.ndarray:
        """(n,) as of a cohort."""
        return self.labels[task].y(self.obs[task])

    def of(self, rows: np.ndarray) -> Rows:
        """Those rows alone."""
        own = {name: columns[rows] for name, columns in self.covariates.items()}
        return replace(self, x=self.x[rows], obs=self.obs.iloc[rows], covariates=own)

    def with_columns(self, names: Sequence[str]) -> Rows:
        """These columns in this order."""
        place = {name: i for i, name in enumerate(self.names)}
        columns = [place[name] for name in names]
        return replace(self, names=tuple(names), x=self.x[:, columns], least=self.least[columns])


def read_rows(run: DonorRun) -> Rows:
    """What a run describes; an InputError where its tasks or covariates are of kinds that sums do not serve."""
    options = run.federation
    assert options is not None, "a run without federation"
    if getattr(run, "features", None) is None:
        cohort = build_cohort(run)[0]
        names, x, obs, labels = cohort.genes, cohort.expression.astype(float), cohort.obs, cohort.tasks
        infos, least = cohort.covariates, np.zeros(len(names))
    else:
        obs, labels, infos, _ = build_roster(run)
        names, x, least = _coded(cast(TableRun, run), obs.index.to_numpy().astype(str), options)
    for name, label in labels.items():
        if len(label.classes) not in (0, 2) or not (label.predicts_value or label.classes):
            raise InputError(
                f"tasks.{name}.kind: found {label.kind!r}; valid in a federation: binary, regression, survival"
            )
    covariates = {
        name: _covariate(name, obs[name], info.kind == "continuous", options)
        for name, info in infos.items()
        if name != options.site and name not in labels
    }
    rows = Rows(tuple(names), x, least, obs, labels, covariates)
    if options.privacy is not None:
        _bounded(rows, options)
    return rows


def label_in_bounds(label: Label, y: np.ndarray, bounds: dict[str, list[float]]) -> np.ndarray:
    """(n,) labels between -1 and 1: the two classes, or numbers by their declared bounds."""
    if label.classes:
        return 2 * y - 1
    low, high = (label.transform(np.array([end]))[0] for end in bounds[label.name])
    return 2 * (label.transform(y) - low) / (high - low) - 1


def _bounded(rows: Rows, options: Federation) -> None:
    """An InputError where a study with noise has a number without bounds, or a time."""
    numbers = [name for name, least in zip(rows.names, rows.least, strict=True) if least == 0]
    for name, label in rows.labels.items():
        if label.follow_up(np.zeros(0)) is not None:
            raise InputError(
                f"tasks.{name}.kind: found {label.kind!r}; valid with federation.privacy: binary, regression"
            )
        numbers += [] if label.classes else [name]
    missing = [name for name in numbers if name not in options.bounds]
    if missing:
        raise InputError(
            f"federation.bounds: {listing(missing)} missing; expected the lowest and highest value of each"
        )


def _coded(run: TableRun, samples: np.ndarray, options: Federation) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """Names, values and least scales of a table's columns."""
    features = read_features(run)
    table, path, numeric = features.loc[samples], run.features.path, features.attrs["numeric"]
    known = without_missing(table, run.metadata.missing, path)
    sources = []
    for i, name in enumerate(known.columns):
        if i < numeric:
            sources.append(Source(name, "number", missing=True))
            continue
        known[name] = in_one_spelling(known[name], run, path)
        levels = _levels(name, known[name], options, f"{path}: column {name!r}")
        sources.append(Source(name, "category", levels, missing=True))
    plan = Plan(tuple(sources), {}, tuple(run.metadata.missing))
    return plan.columns, plan.code(known, path).astype(float), np.where(plan.indicators, FLOOR, 0.0)


def _levels(name: str, column: pd.Series, options: Federation, where: str) -> tuple[str, ...]:
    """The declared levels; an InputError where there are none, or the column holds another one."""
    if name not in options.levels:
        raise InputError(
            f"federation.levels.{name}: missing; expected the levels of this category, the same at all sites"
        )
    levels = tuple(f"{level:g}" if isinstance(level, float) else str(level) for level in options.levels[name])
    others = sorted(set(column.dropna().astype(str)) - set(levels))
    if others:
        raise InputError(f"{where}: found {listing(others)}; valid: {listing(levels)} (federation.levels.{name})")
    return levels


def _covariate(name: str, column: pd.Series, number: bool, options: Federation) -> np.ndarray:
    """(n, k) the number itself, or an indicator of every level."""
    if number:
        return pd.to_numeric(column).to_numpy(dtype=float)[:, None]
    text = column.astype(object).where(column.notna(), np.nan)
    levels = _levels(name, text, options, f"covariates.{name}")
    known = column.notna().to_numpy()
    coded = np.column_stack([(text.astype(str) == level).to_numpy(dtype=float) for level in levels])
    return np.where(known[:, None], coded, np.nan)
