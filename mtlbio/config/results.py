"""What is made of a trained network: what it has to beat, intervals and calls, the trial, the page."""

from typing import Literal

from pydantic import Field

from mtlbio.section import Fraction, Section


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

    alpha: float = Field(
        0.05,
        gt=0,
        lt=0.5,
        description="false discovery rate and test level; error rates were counted at .01, .05, .1 and .2",
    )
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
