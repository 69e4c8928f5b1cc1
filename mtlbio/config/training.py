"""The network of a cohort and how it is fitted."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mtlbio.choices.balancers import BalancerName
from mtlbio.choices.deep import objection
from mtlbio.choices.multitask import MultitaskOptions
from mtlbio.choices.sharing import SharingName
from mtlbio.section import Section, Seed


class Adversary(Section):
    """What the shared part is kept from knowing: the gradient of a head that predicts it is turned round there."""

    covariate: str = Field(description="one of the covariates, for instance the batch")
    strength: float = Field(
        1.0, gt=0, le=1000, description="weight of the turned gradient, which is never longer than that of the tasks"
    )
    ramp: int = Field(50, ge=1, le=1_000_000, description="epochs until the full strength, along Ganin's curve")


class Sites(Section):
    """Heads that know the site of a donor; the trunk and the dimensions do not."""

    by: str = Field(description="a categorical covariate, for instance the hospital")
    heads: Literal["intercept", "deviations"] = Field(
        "intercept",
        description="intercept: each site has its own; deviations: also slopes of its own, on what the heads say, "
        "drawn towards the shared ones. How far a site may go is chosen on inner folds, nowhere at all included",
    )


class Shape(Section):
    """One size of the deep trunk, among which inner validation donors choose."""

    width: int = Field(128, ge=1, le=4096, description="of its layers")
    depth: int = Field(1, ge=0, le=16, description="residual blocks of two layers each, after the first layer")
    dropout: float = Field(0.3, ge=0, lt=1, description="share of units left out in every step of training")


class Deep(Section):
    """The deep trunk: a residual network on axes, or on leading components, that all tasks share."""

    shapes: list[Shape] = Field(
        [Shape(width=128, depth=1, dropout=0.3), Shape(width=64, depth=1, dropout=0.1)]
        + [Shape(width=256, depth=2, dropout=0.5)],
        min_length=1,
        max_length=12,
        description="tried by the first seed of every fold and arm; its validation donors choose",
    )
    inputs: list[Literal["axes", "components"]] = Field(
        ["axes", "components"],
        min_length=1,
        description="what it may read, chosen likewise, before the shape: the axes of the fold, or the 50 leading "
        "principal components of its measurements",
    )
    batch: int = Field(256, ge=2, le=1_000_000, description="samples of a step")
    epochs: int = Field(30, ge=1, le=100_000, description="upper bound; the learning rate falls to 0 over them")
    patience: int = Field(8, ge=1, le=100_000, description="epochs without improvement before a task stops")
    learning_rate: float = Field(0.002, gt=0, le=1, description="of AdamW, at the start")
    weight_decay: float = Field(0.3, ge=0, le=100, description="of AdamW, on weights; not on biases")
    from_donors: int = Field(
        2000, ge=1, le=1_000_000_000, description="labelled donors of a task from which on `encoder: auto` trains it"
    )


# not part of a model's description, nor of what a step depends on: it changes no result
Scatter = Annotated[
    bool | Annotated[int, Field(ge=2, le=10_000)] | None,
    Field(
        description="true: folds, networks of chains and refits of the null are jobs of their own (docs/scatter.md); "
        "a number: so many jobs at most, of several of these each; false: one job; where left out, as the workflow's "
        "profile says",
        exclude=True,
    ),
]


# likewise: processes are added up to rounding
Processes = Annotated[
    int,
    Field(
        ge=1,
        le=1024,
        description="that train the deep trunk together, each on its share of every batch "
        "([processes](../docs/processes.md)); what is found does not depend on it",
        exclude=True,
    ),
]


class Training(Section):
    """The network and how it is fitted."""

    genes: int = Field(
        5000, ge=10, le=2_000_000, description="most variable genes used, chosen on the training donors of each fold"
    )
    axes: Literal["auto"] | Annotated[int, Field(ge=1, le=1000)] = Field(
        "auto", description="number of gene-sparse axes; auto: parallel analysis on the training donors"
    )
    max_axes: int = Field(60, ge=1, le=1000, description="upper bound of the automatic number of axes")
    sparsity: float = Field(
        3.0, ge=0, le=10_000, description="penalty on the gene loadings of the axes, in standard errors of a loading"
    )
    block: int = Field(
        8,
        ge=1,
        le=4096,
        description="width of the supervised block, the trunk that all tasks share; it carries what the axes miss",
    )
    curves: int = Field(500, ge=1, le=100_000, description="nonlinear features of the axes that the block may use")
    seeds: int = Field(
        5, ge=1, le=1000, description="replicas per fold and arm, each with its own inner validation donors"
    )
    epochs: int = Field(400, ge=10, le=1_000_000, description="upper bound; early stopping decides, per task")
    patience: int = Field(40, ge=1, le=1_000_000, description="epochs without improvement before a task stops")
    learning_rate: float = Field(
        0.3,
        ge=1e-6,
        le=2,
        description="step of the trunk, in units of the inverse curvature of its strongest direction",
    )
    sharing: SharingName = Field(
        "hard", description="how tasks share what lies between genes and heads (docs/sharing_schemes.md)"
    )
    sharing_strength: Annotated[float, Field(ge=0, le=1e6)] | None = Field(
        None, description="of the penalty that ties the tasks; only of schemes that have one, their default if left out"
    )
    balancing: BalancerName = Field(
        "equal", description="how the tasks' losses or gradients are weighed against each other (docs/balancing.md)"
    )
    balancing_options: dict[str, float | int | str] = Field({}, description="options of that method, by name")
    gradient: Literal["trunk", "representation"] = Field(
        "trunk",
        description="what a method that compares gradients looks at: those of the shared parameters, or those of what "
        "they make of the samples",
    )
    adversary: Adversary | None = Field(
        None, description="a covariate that the shared part must not know; needs paths of the shared part only"
    )
    reconstruction: Annotated[float, Field(gt=0, le=1000)] | None = Field(
        None, description="auxiliary: weight of rebuilding the samples' principal components, from unlabelled ones too"
    )
    masked_genes: Annotated[float, Field(gt=0, le=1000)] | None = Field(
        None, description="auxiliary: weight of the same from samples half of whose genes are masked"
    )
    paths: list[Literal["axes", "genes", "dense", "curved"]] = Field(
        ["axes", "genes", "dense", "curved"],
        min_length=1,
        description="what a prediction is mixed from: sparse heads on axes and genes (each task's own), the shared "
        "part on all genes (dense) and on cosines of the axes (curved)",
    )
    encoder: Literal["linear", "mlp", "auto"] = Field(
        "linear",
        description="mlp: a deep trunk is trained too, and a task takes from it what inner validation donors say is "
        "won; auto: where a task has enough labelled donors ([deep trunk](../docs/deep.md))",
    )
    deep: Deep = Field(Deep(), description="the deep trunk, where there is one")
    processes: Processes = 1
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
    sites: Sites | None = Field(
        None, description="heads with an intercept, or slopes, of each site ([sites](../docs/sites.md))"
    )
    fit_from: Literal["auto", "rows", "moments"] = Field(
        "auto",
        description="rows: all folds at once, every fold with its own copy of the samples; moments: one fold after "
        "another, its axes from the products of all samples' columns minus those of the held-out ones; auto: moments "
        "where the copies would be too large ([many donors](../docs/many_donors.md))",
    )
    single_task: bool = Field(True, description="train the matched single-task arm too")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto: a GPU where there is one")
    scatter: Scatter = None
    seed: Seed = Field(0, description="first seed of the replicas")

    @model_validator(mode="after")
    def _choices_agree(self) -> Training:
        if isinstance(self.axes, int) and self.axes > self.genes:
            raise ValueError(f"training.axes: found {self.axes}, more than genes ({self.genes}); expected fewer axes")
        MultitaskOptions.of(self).check(self.adversary is not None)
        if self.processes > 1 and self.encoder == "linear":
            raise ValueError(
                f"training.processes: found {self.processes}, but only a deep trunk is shared out; valid beside "
                "training.encoder: linear: 1"
            )
        refused = objection(self) if self.encoder == "mlp" else None
        if refused:
            raise ValueError(refused)
        return self
