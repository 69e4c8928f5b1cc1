"""The sections of a run's YAML, one class each: the only package that knows the YAML.

Every key of every class is a key of the YAML; its ``description`` is the text of ``config/README.md`` and of the JSON
schema. A kind of run puts sections together (:mod:`mtlbio.kinds.schemas`). Nothing here imports torch.
"""

from mtlbio.config.latents import Latents
from mtlbio.config.results import Baselines, Evaluate, Probe, Report, TrialOptions
from mtlbio.config.samples import Covariate, Expression, Metadata, Pseudobulk, Qc, Splits, Table
from mtlbio.config.tasks import ResidueTasks, Tasks
from mtlbio.config.training import Adversary, Training
from mtlbio.section import Fraction, Name, Section, Seed

__all__ = [
    "Adversary", "Baselines", "Covariate", "Evaluate", "Expression", "Fraction", "Latents", "Metadata", "Name", "Probe",
    "Pseudobulk", "Qc", "Report", "ResidueTasks", "Section", "Seed", "Splits", "Table", "Tasks", "Training",
    "TrialOptions",
]  # fmt: skip
