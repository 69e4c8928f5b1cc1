"""Several assays of one cohort (``blocks``), some of which some donors lack."""

from collections.abc import Mapping
from typing import Any

from mtlbio.kinds.base import OnPage, Simulation
from mtlbio.kinds.donors import OF_ONE_MATRIX, DonorKind
from mtlbio.kinds.schemas import BlocksRun
from mtlbio.kinds.vocabulary import ASSAYS


class BlocksKind(DonorKind[BlocksRun]):
    """A run with ``blocks``."""

    name = "blocks"
    schema = BlocksRun
    vocabulary = ASSAYS
    steps = DonorKind.steps | {
        "train": "mtlbio.training.assays.train:train",
        "baselines": "mtlbio.evaluation.assays.baselines:baselines",
        "evaluate": "mtlbio.evaluation.assays.evaluate:evaluate",
        "probe": "mtlbio.probing.of_assays:probe",
    }
    step_keys = DonorKind.step_keys | {
        "prepare": ("blocks", "metadata", "tasks", "covariates", "qc", "splits"),
        "probe": ("probe", "gene_sets"),
    }
    parts = {
        "prepare": {
            "cohort": "mtlbio.cohort.assays.build:cohort_of_blocks",
            "roster": "mtlbio.cohort.assays.build:read_roster",
            "roster_covariates": "mtlbio.cohort.assays.build:roster_covariates",
        },
        "train": {
            "axes": "mtlbio.training.axes:axes_of_genes",
            "most_axes": "mtlbio.training.axes:most_axes",
            "features": "mtlbio.cohort.assays.features:features_of_blocks",
        },
        "evaluate": {"matrices": "mtlbio.evaluation.assays.added:matrices"},
        "report": {
            "cohort": "mtlbio.report.of_samples:cohort",
            "sizes": "mtlbio.report.of_samples:sizes",
            "decides": "mtlbio.report.of_samples:decides",
            "trial": "mtlbio.report.of_samples:trial",
            "assays": "mtlbio.report.of_assays:assays",
        },
    }
    commands = {key: place for key, place in DonorKind.commands.items() if key not in OF_ONE_MATRIX}
    commands |= {
        "add_task": "mtlbio.commands.add_task:add_task",
        "impute": "mtlbio.commands.impute:impute",
        "predict": "mtlbio.training.assays.predict:predict",
    }
    predict_options = ("standardise", "anyway", "tasks")
    scattered = {}
    simulation = Simulation("blocks", "mtlbio.cohort.assays.simulate:plant", ("donors",))
    planted = "blocks"
    trial_files = ("gene_sets",)
    tables = ("rests_on", "pays", "cross_prediction", "variance_by_block")
    columns = "columns"
    page = OnPage(
        cohort_file="samples, with the features of all blocks side by side and gaps where a sample lacks a block",
    )

    def recognises(self, content: Mapping[str, Any]) -> bool:
        """``kind: blocks``, or ``blocks`` in a run that says nothing else or ``kind: cohort``."""
        kind = content.get("kind") or "cohort"
        return kind == self.name or (kind == "cohort" and content.get("blocks") is not None)

    def files(self, run: BlocksRun) -> dict[str, str]:
        """Measurements of every block, metadata and gene sets; the builtin ones are no file of the run."""
        named: dict[str, str | None] = {f"blocks.{name}.path": block.path for name, block in run.blocks.items()}
        named |= {"metadata.path": run.metadata.path, "gene_sets": run.gene_sets}
        return {key: path for key, path in named.items() if path not in (None, "builtin")}

    def scatter_of(self, run: BlocksRun, step: str) -> tuple[str, ...]:
        """Every step is one job."""
        return ()


BLOCKS = BlocksKind()
