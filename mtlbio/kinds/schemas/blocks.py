"""A run of kind blocks: several assays of one cohort, some of which some donors lack."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from mtlbio.config import Expression
from mtlbio.errors import listing
from mtlbio.kinds.schemas.cohort import CohortRun
from mtlbio.kinds.schemas.donors import DonorRun
from mtlbio.labels import label_kind
from mtlbio.section import Name
from mtlbio.text import MEASURED_BLOCKS

MOST = 4  # every further block doubles the sets of blocks that a prediction may rest on

# Keys of a cohort that blocks cannot have beside them -> what is valid.
_REFUSED = {
    "expression": "found beside blocks; valid: one of the two",
    "features": "found beside blocks; valid: one of the two",
    "latents": "found beside blocks; valid: one of the two",
    "pseudobulk": "found beside blocks, whose rows are samples; valid: leave it out, and give samples of donors",
}
_RESERVED = ("all",)  # baselines that read every block
_TRAINED_ALIKE = ("adversary", "sites", "reconstruction", "masked_genes", "validate_by")


class BlocksRun(DonorRun):
    """One run: blocks of measurements, tasks, covariates and the options of every step."""

    kind: Literal["blocks"] = Field("blocks", description="blocks; may be left out, as a run with `blocks` is one")
    blocks: Annotated[
        dict[Name, Expression],
        Field(
            description="measurements by the name of the assay, each with its own file and scale, in place of "
            "`expression`; two to four. Samples may lack blocks ([assays](../docs/assays.md))"
        ),
    ]
    gene_sets: str | None = Field(
        None, description="GMT file, or `builtin` for the small marker sets that ship with mtlbio"
    )
    # what a cohort of one assay may have
    expression: ClassVar[None] = None
    pseudobulk: ClassVar[None] = None

    @model_validator(mode="before")
    @classmethod
    def _of_blocks(cls, content: Any) -> Any:
        """A run with ``blocks`` may call itself a cohort, and may have the other keys of one if they are empty."""
        if not isinstance(content, dict):
            return content
        for key, line in _REFUSED.items():
            if content.get(key) is not None:
                raise ValueError(f"{key}: {line}")
        content = {key: value for key, value in content.items() if key not in _REFUSED}
        return content | {"kind": "blocks"} if content.get("kind") == "cohort" else content

    def _source_agrees(self) -> None:
        if len(self.blocks) < 2:
            raise ValueError(
                f"blocks: found {listing(self.blocks) or 'none'}; expected two or more; one assay is an ordinary "
                f"cohort: write expression: {{path, scale}}"
            )
        for name in [name for name in self.blocks if name in _RESERVED]:
            raise ValueError(f"blocks.{name}: the name is reserved ({listing(_RESERVED)}); give it another name")
        if len(self.blocks) > MOST:
            raise ValueError(f"blocks: found {len(self.blocks)}; valid: two to {MOST}")
        matrices: dict[tuple, str] = {}
        for name, block in self.blocks.items():
            matrix = (str(block.path), block.layer, block.modality)
            if matrix in matrices:
                raise ValueError(f"blocks.{name}.path: found {block.path}, which is blocks.{matrices[matrix]} already")
            matrices[matrix] = name
        if self.metadata.path is None:
            raise ValueError("metadata.path: missing; the samples of several blocks are described in one table")
        for part, names in (("tasks", self.tasks), ("covariates", self.covariates)):
            if MEASURED_BLOCKS in names:
                raise ValueError(f"{part}.{MEASURED_BLOCKS}: the name is reserved (which blocks a sample has)")
        for name, task in self.tasks.items():
            kind = label_kind(task.kind)
            if kind.needs_features(task):
                raise ValueError(f"tasks.{name}.head: multiplicative needs a table of features (features: ...)")
            if kind.anchored:
                raise ValueError(f"tasks.{name}.kind: found {task.kind} beside blocks; valid: a kind without times")
            if task.auxiliary:
                raise ValueError(f"tasks.{name}.auxiliary: found beside blocks; valid: leave it out")
        for key in _TRAINED_ALIKE:
            if getattr(self.training, key) is not None:
                raise ValueError(f"training.{key}: found beside blocks; valid: leave it out")
        for key, found in {
            "training.borrowing": self.training.borrowing,
            "training.scatter": self.training.scatter,
            "training.encoder": self.training.encoder != "linear",
            "splits.also": self.splits.also,
            "baselines.sites": self.baselines.sites,
            "probe.null_refits": self.probe.null_refits,
            "federation": self.federation,
        }.items():
            if found:
                raise ValueError(f"{key}: found beside blocks; valid: leave it out")

    def of_block(self, name: str) -> CohortRun:
        """The run as if the block were all that was measured: for those who read and check one file."""
        kept = {key: getattr(self, key) for key in DonorRun.model_fields if key != "kind"}
        return CohortRun.model_construct(**kept, kind="cohort", expression=self.blocks[name], pseudobulk=None)
