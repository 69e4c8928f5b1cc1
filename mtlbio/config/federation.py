"""Hospitals that may not pool: what all of them agree on, and which of them this file is of."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mtlbio.section import Name, Section, Seed

Bound = Annotated[float, Field(ge=-1e12, le=1e12)]


class Privacy(Section):
    """Differential privacy of every donor, in what the study as a whole tells."""

    epsilon: float = Field(
        1.0, gt=0, le=1000, description="how much more likely a donor may make what is sent, as logarithm"
    )
    delta: float = Field(1e-5, ge=1e-12, le=0.01, description="probability with which that may fail")
    clip: float = Field(3.0, gt=0, le=1000, description="length to which a donor's row of scaled columns is clipped")
    releases: int = Field(1, ge=1, le=100, description="times that the study may be begun, without a site that is gone")


class Federation(Section):
    """One fit of several sites that exchange sums and no rows."""

    study: Name = Field("study", description="what the sites call it; updates of another study are refused")
    name: Name | None = Field(None, description="which site this file is of")
    site: str | None = Field(
        None, description="for one file that holds all sites (a rehearsal): its column with the site of a sample"
    )
    intercept: Literal["site", "shared"] = Field(
        "site", description="site: each site has an intercept of its own, which never leaves it; shared: one for all"
    )
    trunk: Literal["all", "pca", "sparse"] = Field(
        "all",
        description="what heads read: all columns, standardised; pca: principal axes; sparse: the gene-sparse axes of "
        "mtlbio. All are found from sums",
    )
    axes: int = Field(10, ge=1, le=1000, description="number of axes of the trunks pca and sparse")
    folds: int = Field(
        5, ge=1, le=50, description="inner folds that choose the penalties; a site has as many as its floor allows"
    )
    floor: int = Field(5, ge=2, le=100_000, description="donors, and donors of each class, behind whatever leaves")
    rare: int = Field(
        10, ge=2, le=100_000, description="values that fewer donors of a site have are that column's commonest there"
    )
    masks: bool = Field(True, description="hide each site's sums from who merges them; they cancel in the total")
    flips: Annotated[int, Field(ge=0, le=100_000)] = Field(
        0, description="sign flips of donors behind the tests of the axes; 0: no tests"
    )
    levels: dict[str, Annotated[list[str | int | float | bool], Field(min_length=1)]] = Field(
        {}, description="levels of every category among features and covariates, the same at all sites"
    )
    privacy: Privacy | None = Field(
        None, description="add noise to what leaves a site, once; classes are then fitted by least squares"
    )
    bounds: dict[str, Annotated[list[Bound], Field(min_length=2, max_length=2)]] = Field(
        {}, description="with privacy: lowest and highest value of every number among features and labels"
    )
    seed: Seed = Field(0, description="seed of the folds and of a rehearsal's keys")

    @model_validator(mode="after")
    def _agree(self) -> Federation:
        if self.name is not None and self.site is not None:
            raise ValueError("federation.site: found beside federation.name; valid: one of the two")
        for name, pair in self.bounds.items():
            if pair[0] >= pair[1]:
                raise ValueError(f"federation.bounds.{name}: found {pair}; expected the lowest value, then the highest")
        found = [
            key for key in ("trunk", "flips", "intercept") if getattr(self, key) != type(self).model_fields[key].default
        ]
        if self.privacy is not None and found:
            raise ValueError(f"federation.{found[0]}: found beside privacy, which pays for one release; leave it out")
        if self.rare < self.floor:
            raise ValueError(
                f"federation.rare: found {self.rare}, below floor ({self.floor}); expected the floor or more"
            )
        return self
