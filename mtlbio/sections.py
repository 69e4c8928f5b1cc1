"""The sections of a run's YAML, one class each; :class:`mtlbio.config.Run` puts them together.

Every key of every class is a key of the YAML; its ``description`` is the text of ``config/README.md`` and of the JSON
schema.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mtlbio.choices.balancers import BALANCERS
from mtlbio.choices.multitask import MultitaskOptions
from mtlbio.choices.sharing import SHARING
from mtlbio.errors import InputError
from mtlbio.section import Fraction, Name, Section


class Expression(Section):
    """Where the measurements are and on which scale."""

    path: str = Field(
        description="h5ad, csv/tsv (.gz), parquet, a 10x/mtx folder or 10x h5; samples in rows, genes in columns"
    )
    scale: Literal["counts", "log", "log2", "beta", "z"] = Field(
        description="counts are normalised and log-transformed; log, log2 and z are used as they are; "
        "beta (methylation, 0-1) becomes M values"
    )
    layer: str | None = Field(None, description="h5ad only: the layer to use instead of X")


class Table(Section):
    """A table of features in place of measurements: genotypes, clinical numbers."""

    path: str = Field(description="csv/tsv (.gz) or parquet, one row per sample; may hold the metadata too")
    numeric: list[str] = Field(
        [], description="columns of numbers; a gap is filled with the training donors' mean and marked"
    )
    categories: list[str] = Field(
        [], description="columns of categories, each level a column of its own; a gap is a level of its own"
    )
    groups: dict[Name, list[str]] = Field(
        {}, description="columns that speak of one thing (an enzyme's genotype and expression): one dimension together"
    )
    rare: int = Field(10, ge=1, description="levels of fewer samples are pooled")


class Metadata(Section):
    """Where the description of the samples is."""

    path: str | None = Field(
        None, description="csv/tsv (.gz) or parquet; may be left out for an h5ad whose obs describes the samples"
    )
    sample: str = Field(
        "sample_id", description="column with the sample identifier; for h5ad with its own obs: the index"
    )
    donor: str = Field("donor_id", description="column with the donor identifier: the unit of every test")


class Pseudobulk(Section):
    """Single cells become donor-level samples."""

    by: list[str] = Field(
        [], description="metadata columns besides the donor that make a sample, e.g. condition, cell_type"
    )
    min_cells: int = Field(10, ge=1, description="samples of fewer cells are dropped and listed in qc.tsv")


class Covariate(Section):
    """Something that is known about a sample and must be controlled for."""

    role: Literal["confounder", "technical"] = Field(
        description="confounder: upstream of the disease (age, sex, site); technical: processing (plate, chip, run)"
    )
    kind: Literal["categorical", "continuous"] = Field("categorical", description="factors stay factors")
    column: str | None = Field(None, description="metadata column; the covariate's own name where left out")


class Qc(Section):
    """What is dropped before anything is learnt."""

    min_genes: int = Field(0, ge=0, description="counts only: samples with fewer genes detected are dropped")
    min_samples: int = Field(
        3, ge=0, description="genes detected in fewer samples are dropped (counts), constant genes always"
    )


class Splits(Section):
    """Who is held out."""

    kind: Literal["donor", "leave_out"] = Field(
        "donor", description="donor: stratified folds of donors; leave_out: each level of `by` is held out in turn"
    )
    folds: Annotated[int, Field(ge=2)] | None = Field(
        None,
        description="number of folds; where left out, 5 of donors (kind donor) or one for each level (kind leave_out), "
        "which many small levels (chips) make too many: whole levels then share a fold",
    )
    by: str | None = Field(None, description="kind leave_out: the categorical covariate whose levels are held out")
    seed: int = Field(0, ge=0, description="seed of the fold assignment")


class Adversary(Section):
    """What the shared part is kept from knowing: the gradient of a head that predicts it is turned round there."""

    covariate: str = Field(description="one of the covariates, for instance the batch")
    strength: float = Field(
        1.0, gt=0, description="weight of the turned gradient, which is never longer than that of the tasks"
    )
    ramp: int = Field(50, ge=1, description="epochs until the full strength, along Ganin's curve")


class Training(Section):
    """The network and how it is fitted."""

    genes: int = Field(5000, ge=10, description="most variable genes used, chosen on the training donors of each fold")
    axes: Literal["auto"] | Annotated[int, Field(ge=1)] = Field(
        "auto", description="number of gene-sparse axes; auto: parallel analysis on the training donors"
    )
    max_axes: int = Field(60, ge=1, description="upper bound of the automatic number of axes")
    sparsity: float = Field(
        3.0, ge=0, description="penalty on the gene loadings of the axes, in standard errors of a loading"
    )
    block: int = Field(
        8,
        ge=1,
        description="width of the supervised block, the trunk that all tasks share; it carries what the axes miss",
    )
    curves: int = Field(500, ge=1, description="nonlinear features of the axes that the block may use")
    seeds: int = Field(5, ge=1, description="replicas per fold and arm, each with its own inner validation donors")
    epochs: int = Field(400, ge=10, description="upper bound; early stopping decides, per task")
    patience: int = Field(40, ge=1, description="epochs without improvement before a task stops")
    learning_rate: float = Field(
        0.3, gt=0, le=2, description="step of the trunk, in units of the inverse curvature of its strongest direction"
    )
    sharing: Literal[tuple(SHARING)] = Field(
        "hard", description="how tasks share what lies between genes and heads (docs/sharing_schemes.md)"
    )
    sharing_strength: Annotated[float, Field(ge=0)] | None = Field(
        None, description="of the penalty that ties the tasks; only of schemes that have one, their default if left out"
    )
    balancing: Literal[tuple(BALANCERS)] = Field(
        "equal", description="how the tasks' losses or gradients are weighed against each other (docs/balancing.md)"
    )
    balancing_options: dict[str, float | int] = Field({}, description="options of that method, by name")
    gradient: Literal["trunk", "representation"] = Field(
        "trunk",
        description="what a method that compares gradients looks at: those of the shared parameters, or those of what "
        "they make of the samples",
    )
    adversary: Adversary | None = Field(
        None, description="a covariate that the shared part must not know; needs paths of the shared part only"
    )
    reconstruction: Annotated[float, Field(gt=0)] | None = Field(
        None, description="auxiliary: weight of rebuilding the samples' principal components, from unlabelled ones too"
    )
    masked_genes: Annotated[float, Field(gt=0)] | None = Field(
        None, description="auxiliary: weight of the same from samples half of whose genes are masked"
    )
    paths: list[Literal["axes", "genes", "dense", "curved"]] = Field(
        ["axes", "genes", "dense", "curved"],
        min_length=1,
        description="what a prediction is mixed from: sparse heads on axes and genes (each task's own), the shared "
        "part on all genes (dense) and on cosines of the axes (curved)",
    )
    borrowing: bool = Field(
        False,
        description="a task with few labels may lean on what is predicted for tasks with at least twice as many "
        "(docs/sharing.md); no other task's predictions change",
    )
    validate_by: str | None = Field(
        None,
        description="a categorical covariate whose whole levels validate within training (sites, where sites are left "
        "out); donors where left out",
    )
    single_task: bool = Field(True, description="train the matched single-task arm too")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto: a GPU where there is one")
    seed: int = Field(0, ge=0, description="first seed of the replicas")

    @model_validator(mode="after")
    def _choices_agree(self) -> Training:
        try:
            MultitaskOptions.of(self).check(self.adversary is not None)
        except InputError as error:
            raise ValueError(str(error)) from None
        return self


class Baselines(Section):
    """What the network has to beat."""

    arms: list[Literal["ridge", "elasticnet", "lightgbm", "pca_linear", "covariates"]] = Field(
        ["ridge", "elasticnet", "lightgbm", "pca_linear", "covariates"], description="which baselines are fitted"
    )
    seed: int = Field(0, ge=0, description="seed of the inner folds and of LightGBM")


class Evaluate(Section):
    """Intervals and calls."""

    bootstrap: int = Field(1000, ge=100, description="donor bootstrap draws")
    margin: float = Field(
        0.02, gt=0, description="no_worse: the interval of the difference stays above minus this margin"
    )
    seed: int = Field(0, ge=0, description="seed of the bootstrap")


class TrialOptions(Section):
    """The trial of every dimension, whatever the samples are."""

    alpha: float = Field(0.05, gt=0, lt=0.5, description="false discovery rate and test level")
    margin: float = Field(0.02, gt=0, description="harmless: the loss of the metric stays below this margin")
    permutations: int = Field(999, ge=99, description="Freedman-Lane permutations within batch")
    bootstrap: int = Field(1000, ge=100, description="donor bootstrap draws")
    spline_df: int = Field(4, ge=1, description="degrees of freedom of the spline of a continuous covariate")
    share_dominant: Fraction = Field(0.6, description="partial R2 from which a covariate dominates a dimension")
    share_technical: Fraction = Field(0.2, description="technical partial R2 that a biology verdict may not reach")
    min_discordant: int = Field(5, ge=1, description="fewer discordant donors: task and batch are not identifiable")
    max_vif: float = Field(4.0, gt=1, description="variance inflation of the task from which it is not identifiable")
    seed: int = Field(0, ge=0, description="seed of permutations and bootstrap")


class Probe(TrialOptions):
    """The trial of every dimension."""

    null_refits: int = Field(
        0,
        ge=0,
        description="whole-pipeline null: so many times the outcomes are permuted between donors, the network is "
        "trained again and every dimension put on trial (199 reach p = .005; can take hours); 0: not done",
    )


class Report(Section):
    """The page."""

    title: str | None = Field(None, description="heading of the page; the run's name where left out")
    cards: int = Field(6, ge=1, description="dimensions shown as cards on the first screen")
