"""A table of features in place of measurements: genotypes, clinical numbers, doses."""

from collections.abc import Mapping
from typing import Any

from mtlbio.kinds.base import OnPage, Simulation
from mtlbio.kinds.donors import DonorKind
from mtlbio.kinds.schemas import TableRun
from mtlbio.kinds.vocabulary import PATIENTS


class TableKind(DonorKind[TableRun]):
    """A run with ``features``, whether it calls itself a table, a cohort or nothing."""

    name = "table"
    schema = TableRun
    vocabulary = PATIENTS
    step_keys = DonorKind.step_keys | {"prepare": ("features", "metadata", "tasks", "covariates", "qc", "splits")}
    parts = {
        "prepare": {"cohort": "mtlbio.cohort.of_table:cohort_of_table", "roster": "mtlbio.cohort.of_table:read_roster"},
        "train": {
            "scale_floor": "mtlbio.cohort.tabular:scale_floor",
            "axes": "mtlbio.training.fold_in_table:axes_of_table",
            "most_axes": "mtlbio.training.fold_in_table:most_axes_of_table",
            "canonical_axes": "mtlbio.training.fold_in_table:fold_in_table",
            "reference": "mtlbio.training.new_samples.ranges:reference_of_table",
            "further_tables": "mtlbio.training.effects:write_effects",
        },
        "report": {
            "cohort": "mtlbio.report.of_samples:cohort",
            "sizes": "mtlbio.report.of_samples:sizes",
            "decides": "mtlbio.report.of_samples:decides",
            "trial": "mtlbio.report.of_samples:trial",
            "features": "mtlbio.report.of_samples:features",
        },
    }
    steps = DonorKind.steps | {"probe": "mtlbio.probing.probe:probe_table"}
    scattered = DonorKind.scattered | {"probe": "mtlbio.probing.probe:probe_part_of_table"}
    commands = DonorKind.commands | {
        "predict": "mtlbio.training.predict_table:predict",
        "add_task": "mtlbio.commands.add_task:add_task",
        "draft": "mtlbio.cohort.drafts.draft_table:draft_table",
        "drafts": "mtlbio.cohort.drafts.guess_table:looks_like_table",
    }
    predict_options = ("anyway", "sites", "tasks")
    simulation = Simulation("doses", "mtlbio.cohort.simulate_doses:plant", ("few",))
    planted = "table"
    tables = ("effects",)
    columns = "columns of features"
    page = OnPage(named_by="named_by_features.html")

    def recognises(self, content: Mapping[str, Any]) -> bool:
        """``kind: table``, or ``features`` in a run that says nothing else or ``kind: cohort``."""
        kind = content.get("kind", "cohort")
        return kind == self.name or (kind == "cohort" and content.get("features") is not None)

    def files(self, run: TableRun) -> dict[str, str]:
        """The table, and the metadata where they lie apart."""
        apart = {} if run.metadata.path is None else {"metadata.path": run.metadata.path}
        return {"features.path": run.features.path} | apart


TABLE = TableKind()
