"""A run of kind cohort: measurements of samples of donors."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from mtlbio.config import (
    Baselines,
    Evaluate,
    Expression,
    Metadata,
    Probe,
    Pseudobulk,
    Qc,
    Report,
    Splits,
    Tasks,
    Training,
)
from mtlbio.kinds.schemas.donors import Covariates, DonorRun
from mtlbio.labels import label_kind


class CohortRun(DonorRun):
    """One run: a cohort, its tasks, its covariates and the options of every step."""

    kind: Literal["cohort"] = Field("cohort", description="cohort; for a run of kind protein see below")
    expression: Expression | None = Field(
        None, description="where the measurements are and on which scale; this or `features` is required"
    )
    metadata: Metadata = Metadata()
    pseudobulk: Pseudobulk | None = Field(None, description="only for single-cell input")
    tasks: Tasks
    covariates: Covariates = {}
    gene_sets: str | None = Field(
        None, description="GMT file, or `builtin` for the small marker sets that ship with mtlbio"
    )
    qc: Qc = Qc()
    splits: Splits = Splits()
    training: Training = Training()
    baselines: Baselines = Baselines()
    evaluate: Evaluate = Evaluate()
    probe: Probe = Probe()
    report: Report = Report()

    @model_validator(mode="before")
    @classmethod
    def _without_empty_features(cls, content):
        """An empty ``features`` is one that was left out."""
        if isinstance(content, dict) and content.get("features", ...) is None:
            return {key: value for key, value in content.items() if key != "features"}
        return content

    def _source_agrees(self) -> None:
        if self.expression is None:
            found = "found nothing" if "expression" in self.model_fields_set else "missing"
            raise ValueError(
                f"expression: {found}; expected {{path, scale, layer}}, or features: {{path, numeric, categories}}"
            )
        for name, task in self.tasks.items():
            if label_kind(task.kind).needs_features(task):
                raise ValueError(f"tasks.{name}.head: multiplicative needs a table of features (features: ...)")
