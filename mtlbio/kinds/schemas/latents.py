"""A run of kind latents: dimensions that another model made, of samples of donors."""

from typing import Any, Literal

from pydantic import Field, model_validator

from mtlbio.config import Expression, Latents, Pseudobulk
from mtlbio.errors import listing
from mtlbio.kinds.schemas.donors import DonorRun


class LatentsRun(DonorRun):
    """One run: latents of another model, what it saw, tasks, covariates and the options of the trial."""

    kind: Literal["latents"] = Field("latents", description="latents; may be left out, as a run with `latents` is one")
    latents: Latents
    expression: Expression | None = Field(
        None, description="the measurements; gene sets are scored from them, and baselines fitted"
    )
    pseudobulk: Pseudobulk | None = Field(
        None, description="only for latents of single cells, which are averaged over the cells of a sample"
    )
    gene_sets: str | None = Field(
        None, description="GMT file, or `builtin` for the small marker sets that ship with mtlbio"
    )

    @model_validator(mode="before")
    @classmethod
    def _nothing_is_trained(cls, content: Any) -> Any:
        """Keys of a run that trains have no meaning here."""
        if not isinstance(content, dict):
            return content
        if content.get("training") is not None:
            raise ValueError("training: found beside latents, which another model made; valid: leave it out")
        probe = content.get("probe")
        if isinstance(probe, dict) and probe.get("null_refits"):
            raise ValueError(
                f"probe.null_refits: found {probe['null_refits']}; valid: 0, as mtlbio cannot train a model of latents "
                f"again"
            )
        return content | {"kind": "latents"} if content.get("kind") in (None, "cohort") else content

    def _source_agrees(self) -> None:
        latents = self.latents
        seen = latents.saw if isinstance(latents.saw, list) else []
        for key, names, valid in (
            ("saw", seen, list(self.tasks)),
            ("corrected_for", latents.corrected_for or [], list(self.covariates)),
            ("kept", latents.kept or [], [*self.tasks, *self.covariates]),
        ):
            strange = [name for name in names if name not in valid]
            if strange:
                what = "the covariates: name there what was corrected for" if key == "corrected_for" else "the tasks"
                raise ValueError(f"latents.{key}: found {strange[0]!r}; valid: {listing(valid)} ({what})")
        if latents.encode is not None and self.expression is None:
            raise ValueError("expression: missing; latents.encode is called with the measurements")
        if self.splits.also is not None:
            raise ValueError("splits.also: found beside latents, which nobody here trains again; valid: leave it out")
        if self.federation is not None:
            raise ValueError("federation: found beside latents, which nobody here trains; valid: leave it out")
        if latents.encode is not None and self.splits.kind == "leave_out":
            raise ValueError("splits.kind: found leave_out beside latents.encode; valid: donor")
        if self.gene_sets is not None and latents.loadings is None and self.expression is None:
            raise ValueError("gene_sets: found without latents.loadings and without expression; expected one of them")

    @property
    def further_columns(self) -> dict[str, str]:
        """The column that says which model made the latents of a sample."""
        return {"latents.fold": self.latents.fold} if self.latents.fold else {}
