"""The cohort as every later room sees it, and its form on disk (``cohort.h5ad``)."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd

from mtlbio.cohort.tabular import Plan
from mtlbio.cohort.transforms import TRANSFORMS
from mtlbio.errors import InputError
from mtlbio.files import replacing
from mtlbio.kinds.stored import kind_stored


@dataclass(frozen=True)
class TaskInfo:
    """A label to be predicted.

    ``classes`` are the labels in code order (binary: negative, positive; ordinal: low to high; regression: empty).
    Regression only: ``transform`` is the scale on which it is learnt (:mod:`mtlbio.cohort.transforms`), ``within`` the
    relative error that still counts as right, ``unit`` what the values are in, and a ``multiplicative`` task is a
    product of one factor per feature.
    """

    name: str
    kind: str
    classes: tuple[str, ...] = ()
    transform: str = "none"
    within: float | None = None
    unit: str | None = None
    multiplicative: bool = False

    @classmethod
    def read(cls, saved: dict) -> TaskInfo:
        """From what ``dataclasses.asdict`` gave, possibly by way of JSON, which has no tuples."""
        return cls(**saved | {"classes": tuple(saved["classes"])})

    @property
    def is_class(self) -> bool:
        """Whether the labels are classes (codes 0, 1, ...) rather than numbers."""
        return self.kind != "regression"

    def learnt(self, y: np.ndarray) -> np.ndarray:
        """Values in the units of the user on the scale that is learnt."""
        return TRANSFORMS[self.transform].forward(y)

    def told(self, values: np.ndarray) -> np.ndarray:
        """Inverse of :meth:`learnt`."""
        return TRANSFORMS[self.transform].inverse(values)


@dataclass(frozen=True)
class CovariateInfo:
    """Something known about a sample: ``role`` confounder or technical, ``kind`` categorical or continuous."""

    name: str
    role: str
    kind: str


@dataclass(frozen=True)
class Cohort:
    """Samples x genes with donors, tasks and covariates.

    Attributes
    ----------
    expression : array (samples, genes), float32, on a log-like scale; normalised per sample only, nothing fitted. Of a
        table of features: its coded columns, NaN where a number is missing
    genes, samples : names
    obs : one row per sample, index = sample; column ``donor`` (text) and one column per task and covariate name:
        text categories for classes and categorical covariates, float for the rest, missing = NaN
    tasks, covariates : by name, in the order of the YAML
    auxiliary : tasks that only shape what the others share: trained, but neither evaluated nor put on trial
    preprocessing : ``kind`` of the run, ``scale`` and, for counts, the library ``size``: what new samples need to come
        onto this scale; of a table of features, under ``table``, how its columns are coded
    """

    expression: np.ndarray
    genes: tuple[str, ...]
    obs: pd.DataFrame
    tasks: dict[str, TaskInfo] = field(default_factory=dict)
    covariates: dict[str, CovariateInfo] = field(default_factory=dict)
    preprocessing: dict = field(default_factory=dict)
    auxiliary: dict[str, TaskInfo] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """Name of the kind of run that it was prepared for (:func:`mtlbio.kinds.kind_named`)."""
        return kind_stored(self.preprocessing)

    @cached_property
    def table(self) -> Plan | None:
        """How a table of features was coded; None for measurements."""
        saved = self.preprocessing.get("table")
        return None if saved is None else Plan.read(saved)

    @property
    def samples(self) -> np.ndarray:
        """Sample identifiers, text."""
        return self.obs.index.to_numpy().astype(str)

    @property
    def donors(self) -> np.ndarray:
        """Donor identifier per sample, text."""
        return self.obs["donor"].to_numpy().astype(str)

    def y(self, task: str) -> np.ndarray:
        """Labels of a task, float (samples,): class code or value; NaN where missing."""
        return encode_labels(self.obs[task], (self.tasks | self.auxiliary)[task])


def encode_labels(column: pd.Series, task: TaskInfo) -> np.ndarray:
    """Class codes (or values, for regression) of a label column as float, NaN where missing."""
    if not task.is_class:
        return column.to_numpy(dtype=float)
    codes = {label: float(code) for code, label in enumerate(task.classes)}
    return np.array([codes.get(v, np.nan) if isinstance(v, str) else np.nan for v in column.astype(object)])


def schema_json(cohort: Cohort) -> str:
    """Tasks and covariates as JSON, for ``uns["mtlbio"]``."""
    return json.dumps(
        {
            "tasks": [asdict(t) for t in cohort.tasks.values()],
            "covariates": [asdict(c) for c in cohort.covariates.values()],
            "auxiliary": [asdict(t) for t in cohort.auxiliary.values()],
        }
    )


def write_cohort(cohort: Cohort, path: str | Path) -> None:
    """Write ``cohort.h5ad``: X, obs, and the tasks and covariates as JSON in ``uns["mtlbio"]``."""
    adata = ad.AnnData(
        X=cohort.expression.astype(np.float32),
        obs=cohort.obs.copy(),
        var=pd.DataFrame(index=pd.Index(cohort.genes, name="gene")),
        uns={"mtlbio": schema_json(cohort), "preprocessing": json.dumps(cohort.preprocessing)},
    )
    with replacing(path) as temporary:
        adata.write_h5ad(temporary, compression="lzf")


def read_cohort(path: str | Path) -> Cohort:
    """Read what :func:`write_cohort` wrote.

    Raises
    ------
    InputError
        No such file, or an h5ad that ``mtlbio prepare`` did not write.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path}: no such file; run `mtlbio prepare` first")
    adata = ad.read_h5ad(path)
    if "mtlbio" not in adata.uns:
        raise InputError(f'{path}: not a prepared cohort (no uns["mtlbio"]); `mtlbio prepare` writes one')
    tasks, covariates = parse_schema(adata.uns["mtlbio"])
    auxiliary = {t["name"]: TaskInfo.read(t) for t in json.loads(adata.uns["mtlbio"]).get("auxiliary", [])}
    preprocessing = json.loads(adata.uns.get("preprocessing", "{}"))
    return Cohort(np.asarray(adata.X), tuple(adata.var_names), adata.obs, tasks, covariates, preprocessing, auxiliary)


def parse_schema(text: str) -> tuple[dict[str, TaskInfo], dict[str, CovariateInfo]]:
    """Inverse of :func:`schema_json`."""
    schema = json.loads(text)
    tasks = {t["name"]: TaskInfo.read(t) for t in schema["tasks"]}
    covariates = {c["name"]: CovariateInfo(**c) for c in schema["covariates"]}
    return tasks, covariates
