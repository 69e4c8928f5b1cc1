"""Latents that another model made: where they are, and what that model saw."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mtlbio.errors import listing
from mtlbio.section import Name, Section


class Latents(Section):
    """Latents of another model: where they are, what it saw, and what was taken out of its data beforehand."""

    path: str | None = Field(
        None,
        description="h5ad, zarr or h5mu (`key` names the matrix in obsm), or csv/tsv (.gz) or parquet with samples in "
        "rows and dimensions in columns; left out where `encode` makes them",
    )
    key: str | None = Field(None, description="h5ad, zarr, h5mu only: the matrix in obsm, such as X_pca or X_scVI")
    modality: str | None = Field(None, description="h5mu (MuData) only: the modality whose obsm it is")
    loadings: str | None = Field(
        None,
        description="weights of the genes: the matrix in varm (PCs, LFs), or a table with genes in rows and dimensions "
        "in columns; without them and without `expression` nothing names a dimension",
    )
    genes: str | None = Field(
        None, description="with `loadings` of varm: column of var with the names of the genes; its index where left out"
    )
    saw: Literal["nothing", "donors"] | Annotated[list[Name], Field(min_length=1)] | None = Field(
        None,
        description="what the model saw of the samples: nothing (those of each donor come from a model that was made "
        "without that donor; `fold` names the column), donors (all measurements, no label), or the tasks whose labels "
        "it saw; where left out, the worst is taken: all of them",
    )
    fold: str | None = Field(
        None, description="with `saw: nothing`: metadata column that says which model made the latents of a sample"
    )
    corrected_for: list[Name] | None = Field(
        None,
        description="covariates that were taken out of the data or the latents beforehand (ComBat, limma, Harmony, the "
        "batch key of scVI); [] for none; where left out, the worst is taken: all technical ones",
    )
    kept: list[Name] | None = Field(
        None,
        description="tasks that this correction was told to protect (`mod` of ComBat, the design of limma); [] for "
        "none; where left out, the worst is taken: all of them",
    )
    encode: str | None = Field(
        None,
        description="command that makes them, called once per fold and once for all donors, with {train}, {test} and "
        "{out} in it ([latents](../docs/latents.md)); the latents of a donor then come from a model made without it",
    )
    files: Literal["h5ad", "tsv"] = Field("h5ad", description="with `encode`: format of the files {train} and {test}")
    minutes: int = Field(60, ge=1, le=100_000, description="with `encode`: time limit of one call")

    @model_validator(mode="after")
    def _agree(self) -> Self:
        """What is there, and what was said of it, fit together."""
        if (self.path is None) == (self.encode is None):
            found = "both" if self.path else "neither"
            raise ValueError(f"latents: found {found} of path and encode; expected one of the two")
        if self.encode is not None:
            missing = [word for word in ("{train}", "{test}", "{out}") if word not in self.encode]
            if missing:
                raise ValueError(f"latents.encode: {listing(missing)} missing; expected a command with all three in it")
            given = [key for key in ("key", "modality", "genes", "fold") if getattr(self, key) is not None]
            if given:
                raise ValueError(f"latents.{given[0]}: found beside encode; valid: beside path")
            if self.saw not in (None, "nothing"):
                raise ValueError(f"latents.saw: found {self.saw!r} beside encode; valid: nothing, or left out")
        elif (self.saw == "nothing") != (self.fold is not None):
            what = "missing; saw: nothing needs it" if self.fold is None else "found without saw: nothing"
            raise ValueError(f"latents.fold: {what} (the column that says which model made the latents of a sample)")
        if self.corrected_for == [] and self.kept:
            raise ValueError("latents.kept: found beside corrected_for: []; valid: [], as nothing was corrected")
        return self
