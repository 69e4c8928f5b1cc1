"""A run of kind table: a table of features (genotypes, clinical numbers) of samples of donors."""

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from mtlbio.config import Table
from mtlbio.kinds.schemas.donors import DonorRun

# Keys of a cohort that a table cannot have -> the line that says why.
_REFUSED = {
    "expression": "features: found beside expression; valid: one of the two",
    "pseudobulk": "pseudobulk: only for single-cell input, not for a table of features",
    "gene_sets": "gene_sets: a table of features has no genes; its own columns name the dimensions",
}


class TableRun(DonorRun):
    """One run: a table of features, its tasks, its covariates and the options of every step."""

    kind: Literal["table"] = Field("table", description="table; may be left out, as a run with `features` is one")
    features: Table
    # what a cohort may have: no table has cells or genes
    pseudobulk: ClassVar[None] = None
    gene_sets: ClassVar[None] = None

    @model_validator(mode="before")
    @classmethod
    def _of_a_table(cls, content):
        """A run with ``features`` may call itself a cohort, and may have the other keys of one if they are empty."""
        if not isinstance(content, dict):
            return content
        if content.get("features") is None and content.get("expression") is not None:
            raise ValueError("features: missing; kind: table has features in place of expression")
        for key, line in _REFUSED.items():
            if content.get(key) is not None:
                raise ValueError(line)
        content = {key: value for key, value in content.items() if key not in _REFUSED}
        return content | {"kind": "table"} if content.get("kind") == "cohort" else content

    def _source_agrees(self) -> None:
        for name in ("reconstruction", "masked_genes"):
            if getattr(self.training, name) is not None:
                raise ValueError(f"training.{name}: rebuilds measurements; a table of features has none")
        table = self.features
        if not table.numeric and not table.categories:
            raise ValueError("features.numeric: no column is named; expected columns in numeric or categories")
        listed = [*table.numeric, *table.categories]
        twice = [column for column in listed if listed.count(column) > 1]
        if twice:
            raise ValueError(f"features: column {twice[0]!r} is listed twice; valid: once, in numeric or in categories")
        for column in listed:
            for name in self.tasks:
                if self.task_column(name) == column:
                    raise ValueError(
                        f"features: column {column!r} is the label of tasks.{name}: it would predict itself"
                    )
            if column in (self.metadata.sample, self.metadata.donor):
                raise ValueError(f"features: column {column!r} is the identifier of samples or donors, not a feature")
            if column == self.metadata.family:
                raise ValueError(f"features: column {column!r} is the family (metadata.family), not a feature")
