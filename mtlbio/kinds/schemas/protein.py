"""A run of kind protein: chains, and labels of their residues."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from mtlbio.config import Evaluate, Name, Report, ResidueTasks
from mtlbio.errors import listing
from mtlbio.kinds.schemas import chains as sections
from mtlbio.kinds.schemas.run import Run

# What the tables say of every residue besides its labels.
RESERVED = ("sample", "donor", "fold", "chain", "part", "position", "end_distance", "length", "source")


class ProteinRun(Run):
    """One run of kind protein: chains, labels of their residues and the options of every step."""

    kind: Literal["protein"] = Field(description="protein")
    chains: dict[Name, sections.ChainSource] = Field(
        min_length=1, description="where the chains come from, by data set"
    )
    tasks: ResidueTasks
    features: sections.Features = sections.Features()
    qc: sections.ChainQc = sections.ChainQc()
    splits: sections.ChainSplits = sections.ChainSplits()
    training: sections.ResidueTraining = sections.ResidueTraining()
    baselines: sections.ResidueBaselines = sections.ResidueBaselines()
    evaluate: Evaluate = Evaluate()
    probe: sections.ResidueProbe = sections.ResidueProbe()
    report: Report = Report()

    @model_validator(mode="after")
    def _names_agree(self) -> ProteinRun:
        for name in self.tasks:
            if name in RESERVED:
                raise ValueError(f"tasks.{name}: the name is reserved ({listing(RESERVED)}); give it another name")
        if all(task.auxiliary for task in self.tasks.values()):
            raise ValueError("tasks: all of them are auxiliary; expected at least one that is to be predicted")
        alone = self.training.single_task
        predicted = [name for name, task in self.tasks.items() if not task.auxiliary]
        for name in [] if isinstance(alone, bool) else alone:
            if name not in predicted:
                raise ValueError(f"training.single_task: found {name!r}; valid: {listing(predicted)}")
        for name, source in self.chains.items():
            if source.split and source.part:
                raise ValueError(f"chains.{name}.part: the split column says so already; give one of the two")
        return self
