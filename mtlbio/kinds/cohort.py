"""A cohort: measurements (expression, methylation ...) of samples of donors."""

from collections.abc import Mapping
from typing import Any

from mtlbio.intake.annotated import is_annotated
from mtlbio.kinds.base import Simulation
from mtlbio.kinds.donors import DonorKind
from mtlbio.kinds.schemas import CohortRun, TableRun
from mtlbio.kinds.vocabulary import DONORS


class CohortKind(DonorKind[CohortRun]):
    """A run with ``expression``; what a YAML without ``kind`` is, unless it has ``features``."""

    name = "cohort"
    schema = CohortRun
    beside = (TableRun,)
    vocabulary = DONORS
    step_keys = DonorKind.step_keys | {
        "prepare": ("expression", "metadata", "pseudobulk", "tasks", "covariates", "qc", "splits"),
        "probe": ("probe", "gene_sets"),
    }
    parts = {
        "prepare": {
            "cohort": "mtlbio.cohort.prepare:cohort_of_measurements",
            "roster": "mtlbio.cohort.read:read_roster",
        },
        "train": {
            "axes": "mtlbio.training.axes:axes_of_genes",
            "most_axes": "mtlbio.training.axes:most_axes",
            "canonical_axes": "mtlbio.training.fold_in:fold_in",
            "reference": "mtlbio.training.new_samples.reference:reference_of_genes",
        },
        "report": {
            "cohort": "mtlbio.report.of_samples:cohort",
            "sizes": "mtlbio.report.of_samples:sizes",
            "decides": "mtlbio.report.of_samples:decides",
            "trial": "mtlbio.report.of_samples:trial",
        },
    }
    commands = DonorKind.commands | {
        "predict": "mtlbio.training.predict:predict",
        "add_task": "mtlbio.commands.add_task:add_task",
        "draft": "mtlbio.cohort.drafts.draft:draft",
    }
    predict_options = ("standardise", "anyway", "sites", "tasks")
    simulation = Simulation(
        "cohort", "mtlbio.cohort.simulate:plant", ("design", "donors", "genes", "batches", "visits")
    )
    planted = "measurements"
    trial_files = ("gene_sets",)
    tables = ("composition",)
    columns = "genes"

    def recognises(self, content: Mapping[str, Any]) -> bool:
        """No ``kind``, or ``kind: cohort``, and none of ``features``, ``latents`` and ``blocks``."""
        others = [key for key in ("features", "latents", "blocks") if content.get(key) is not None]
        return content.get("kind", self.name) == self.name and not others

    def files(self, run: CohortRun) -> dict[str, str]:
        """Measurements, metadata and gene sets, marker genes; the builtin ones are no file of the run."""
        named = {"expression.path": run.measured.path, "metadata.path": run.metadata.path, "gene_sets": run.gene_sets}
        named |= {f"covariates.{name}.markers": run.covariates[name].markers for name in run.estimated}
        return {key: path for key, path in named.items() if path not in (None, "builtin")}

    def objection(self, run: CohortRun) -> str | None:
        """Where the samples' description is missing."""
        if run.metadata.path is None and not is_annotated(run.measured.path):
            return "metadata.path: missing; only an h5ad file may carry its own metadata"
        return None


COHORT = CohortKind()
