"""The cohort as every later room sees it, and its form on disk (``cohort.h5ad``)."""

import json
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd

from mtlbio.cohort.family import clusters_of, families_of
from mtlbio.cohort.given.given import Given
from mtlbio.cohort.tabular import Plan
from mtlbio.errors import InputError
from mtlbio.files import replacing
from mtlbio.kinds.stored import kind_stored
from mtlbio.labels import Label, read_label
from mtlbio.reading import understood


@dataclass(frozen=True)
class CovariateInfo:
    """Something known about a sample: ``role`` confounder or technical, ``kind`` categorical or continuous.

    ``estimated``: the covariate of the YAML that it is a part of, where it comes from the measurements themselves. It
    is held fixed as a straight line: like a dimension, it is a sum of log-scale measurements, and a spline for each of
    ten cell types would take the donors' degrees of freedom. ``reliability``: share of the variance of a number among
    donors that is true, the rest being error of its recording.
    """

    name: str
    role: str
    kind: str
    estimated: str = ""
    reliability: float = 1.0

    def saved(self) -> dict:
        """What is written of it."""
        plain = {"estimated": "", "reliability": 1.0}
        return {key: value for key, value in asdict(self).items() if key not in plain or value != plain[key]}


@dataclass(frozen=True)
class Cohort:
    """Samples x genes with donors, tasks and covariates.

    Attributes
    ----------
    expression : array (samples, genes), float32, on a log-like scale; normalised per sample only, nothing fitted. Of a
        table of features: its coded columns, NaN where a number is missing
    genes, samples : names
    obs : one row per sample, index = sample; column ``donor`` (text) and one column per task and covariate name:
        text categories for classes and categorical covariates, float for the rest, missing = NaN; where the run has
        them, ``metadata.family`` and ``metadata.order`` too (:mod:`mtlbio.cohort.family`)
    tasks, covariates : by name, in the order of the YAML
    auxiliary : tasks that only shape what the others share: trained, but neither evaluated nor put on trial
    preprocessing : ``kind`` of the run, ``scale`` and, for counts, the library ``size``: what new samples need to come
        onto this scale; of a table of features, under ``table``, how its columns are coded; of several assays, under
        ``blocks``, these of each by its name
    given : latents of the samples that another model made; ``expression`` holds them too where nothing was measured
    """

    expression: np.ndarray
    genes: tuple[str, ...]
    obs: pd.DataFrame
    tasks: dict[str, Label] = field(default_factory=dict)
    covariates: dict[str, CovariateInfo] = field(default_factory=dict)
    preprocessing: dict = field(default_factory=dict)
    auxiliary: dict[str, Label] = field(default_factory=dict)
    given: Given | None = None

    @property
    def kind(self) -> str:
        """Name of the kind of run that it was prepared for (:func:`mtlbio.kinds.kind_named`)."""
        return kind_stored(self.preprocessing)

    @cached_property
    def coding(self) -> Plan:
        """How the table of features was coded.

        Raises
        ------
        InputError
            These are measurements.
        """
        if "table" not in self.preprocessing:
            raise InputError(f"cohort.h5ad: of kind {self.kind}; expected a table of features")
        return Plan.read(self.preprocessing["table"])

    @property
    def samples(self) -> np.ndarray:
        """Sample identifiers, text."""
        return self.obs.index.to_numpy().astype(str)

    @property
    def donors(self) -> np.ndarray:
        """Donor identifier per sample, text."""
        return self.obs["donor"].to_numpy().astype(str)

    @property
    def families(self) -> np.ndarray | None:
        """Family per sample, text; None where the run has no ``metadata.family``."""
        return families_of(self.obs)

    @property
    def clusters(self) -> np.ndarray:
        """What is independent of each other, per sample: families where they are known, else donors."""
        return clusters_of(self.obs)

    def y(self, task: str) -> np.ndarray:
        """Labels of a task, float (samples,): class code or value; NaN where missing."""
        return (self.tasks | self.auxiliary)[task].y(self.obs[task])


def schema_json(cohort: Cohort) -> str:
    """Tasks and covariates as JSON, for ``uns["mtlbio"]``."""
    return json.dumps(
        {
            "tasks": [t.saved() for t in cohort.tasks.values()],
            "covariates": [c.saved() for c in cohort.covariates.values()],
            "auxiliary": [t.saved() for t in cohort.auxiliary.values()],
        }
    )


def write_cohort(cohort: Cohort, path: str | Path) -> None:
    """Write ``cohort.h5ad``: X, obs, and the tasks and covariates as JSON in ``uns["mtlbio"]``; latents that another
    model made in ``obsm["latents"]``, the assay of every feature of several in ``var["block"]``."""
    uns: dict = {"mtlbio": schema_json(cohort), "preprocessing": json.dumps(cohort.preprocessing)}
    obsm = {}
    if cohort.given is not None:
        obsm["latents"], uns["latents"] = cohort.given.values, cohort.given.stored()
    var = pd.DataFrame(index=pd.Index(cohort.genes, name="gene"))
    if "blocks" in cohort.preprocessing:
        var["block"] = pd.Categorical(var.index.str.partition(":").get_level_values(0))
    write_h5ad(path, cohort.expression.astype(np.float32), cohort.obs, var, uns, obsm)


def write_h5ad(
    path: str | Path, values: np.ndarray, obs: pd.DataFrame, var: pd.DataFrame, uns: dict, obsm: dict | None = None
) -> None:
    """Write an AnnData, or nothing."""
    adata = ad.AnnData(X=values, obs=obs.copy(), var=var, uns=uns, obsm=obsm or {})
    with replacing(path) as temporary:
        adata.write_h5ad(temporary, compression="lzf")


def read_cohort(path: str | Path) -> Cohort:
    """Read what :func:`write_cohort` wrote.

    Raises
    ------
    InputError
        No such file, or an h5ad that ``mtlbio prepare`` did not write.
    """
    adata = read_h5ad(path, "prepare")
    if "mtlbio" not in adata.uns:
        raise InputError(f'{path}: not a prepared cohort (no uns["mtlbio"]); `mtlbio prepare` writes one')
    tasks, covariates = parse_schema(adata.uns["mtlbio"])
    auxiliary = {t["name"]: read_label(t) for t in json.loads(adata.uns["mtlbio"]).get("auxiliary", [])}
    preprocessing = json.loads(adata.uns.get("preprocessing", "{}"))
    given = Given.read(adata.obsm["latents"], adata.uns["latents"]) if "latents" in adata.uns else None
    genes = tuple(adata.var_names)
    return Cohort(np.asarray(adata.X), genes, adata.obs, tasks, covariates, preprocessing, auxiliary, given)


def parse_schema(text: str) -> tuple[dict[str, Label], dict[str, CovariateInfo]]:
    """Inverse of :func:`schema_json`."""
    schema = json.loads(text)
    tasks = {t["name"]: read_label(t) for t in schema["tasks"]}
    covariates = {c["name"]: CovariateInfo(**c) for c in schema["covariates"]}
    return tasks, covariates


def read_latents(path: Path) -> ad.AnnData:
    """``latents.h5ad``; an InputError where there is none."""
    return read_h5ad(path, "train")


def read_h5ad(path: str | Path, step: str) -> ad.AnnData:
    """Read what a step writes; an InputError that names the step where there is none."""
    if not Path(path).exists():
        raise InputError(f"{path}: no such file; run `mtlbio {step}` first")
    with understood(path, f"an h5ad file that `mtlbio {step}` wrote: run it again"):
        return ad.read_h5ad(path)
