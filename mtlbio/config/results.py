"""What is made of a trained network: what it has to beat, intervals and calls, the trial, the page."""

import math
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mtlbio.section import Section, Seed


class Baselines(Section):
    """What the network has to beat."""

    arms: list[Literal["ridge", "elasticnet", "lightgbm", "pca_linear", "covariates"]] = Field(
        ["ridge", "elasticnet", "lightgbm", "pca_linear", "covariates"], description="which baselines are fitted"
    )
    sites: str | None = Field(
        None,
        description="a categorical covariate: ridge also with an intercept of each of its levels (site_intercept), and "
        "with slopes of its own that are drawn towards the shared ones (site_deviations; [sites](../docs/sites.md))",
    )
    seed: Seed = Field(0, description="seed of the inner folds and of LightGBM")


class Evaluate(Section):
    """Intervals and calls."""

    bootstrap: int = Field(1000, ge=100, le=100_000, description="donor bootstrap draws")
    margin: float = Field(
        0.02, gt=0, le=0.5, description="no_worse: the interval of the difference stays above minus this margin"
    )
    seed: Seed = Field(0, description="seed of the bootstrap")


class TrialOptions(Section):
    """The trial of every dimension, whatever the samples are."""

    alpha: float = Field(
        0.05,
        ge=1e-6,
        lt=0.5,
        description="false discovery rate and test level; error rates were counted at .01, .05, .1 and .2",
    )
    margin: float = Field(0.02, gt=0, le=0.5, description="harmless: the loss of the metric stays below this margin")
    permutations: int = Field(999, ge=99, le=10_000_000, description="Freedman-Lane permutations within batch")
    bootstrap: int = Field(1000, ge=100, le=100_000, description="donor bootstrap draws")
    spline_df: int = Field(4, ge=1, le=50, description="degrees of freedom of the spline of a continuous covariate")
    share_dominant: Annotated[float, Field(gt=0, le=1)] = Field(
        0.6, description="partial R2 from which a covariate dominates a dimension"
    )
    share_technical: Annotated[float, Field(gt=0, le=1)] = Field(
        0.2, description="technical partial R2 that a biology verdict may not reach"
    )
    min_discordant: int = Field(
        5, ge=1, le=100_000, description="fewer discordant donors: task and batch are not identifiable"
    )
    max_vif: float = Field(
        4.0, gt=1, le=1e6, description="variance inflation of the task from which it is not identifiable"
    )
    seed: Seed = Field(0, description="seed of permutations and bootstrap")

    @model_validator(mode="after")
    def _can_decide(self) -> Self:
        """Options that leave nothing to decide are refused."""
        if self.alpha * (self.permutations + 1) < 1:
            least = 1 / (self.permutations + 1)
            raise ValueError(
                f"probe.permutations: found {self.permutations}, of which no p is below {least:.2g}; expected "
                f"{math.ceil(1 / self.alpha) - 1} or more for alpha {self.alpha:g}"
            )
        if self.share_technical > self.share_dominant:
            raise ValueError(
                f"probe.share_technical: found {self.share_technical:g}, above share_dominant "
                f"({self.share_dominant:g}); expected at most that"
            )
        return self


class Probe(TrialOptions):
    """The trial of every dimension."""

    null_refits: int = Field(
        0,
        ge=0,
        le=100_000,
        description="whole-pipeline null: so many times the outcomes are permuted between donors, the network is "
        "trained again and every dimension put on trial (199 reach p = .005; can take hours); 0: not done",
    )
    sites: str | None = Field(
        None,
        description="a categorical covariate: does every biology hold within each of its levels (hospitals, centres, "
        "chips; [sites](../docs/sites.md)); where left out, the one whose levels `splits` holds out, else none",
    )


class Report(Section):
    """The page."""

    title: str | None = Field(None, description="heading of the page; the run's name where left out")
    cards: int = Field(6, ge=1, le=1000, description="dimensions shown as cards with a picture; the others are rows")
