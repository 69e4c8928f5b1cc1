"""What is made of a trained network: what it has to beat, intervals and calls, the page."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from mtlbio.section import Section


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


class Report(Section):
    """The page."""

    title: str | None = Field(None, description="heading of the page; the run's name where left out")
    cards: int = Field(6, ge=1, description="dimensions shown as cards on the first screen")
