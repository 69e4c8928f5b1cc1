"""Latents that another model made: PCA, MOFA2, scVI, Harmony, a foundation model."""

from collections.abc import Mapping
from typing import Any

from mtlbio.intake.annotated import is_annotated
from mtlbio.kinds.base import OnPage, Simulation
from mtlbio.kinds.donors import OF_ONE_MATRIX, DonorKind
from mtlbio.kinds.schemas import LatentsRun
from mtlbio.kinds.vocabulary import DONORS


class LatentsKind(DonorKind[LatentsRun]):
    """A run with ``latents``; its measurements may be there or not."""

    name = "latents"
    schema = LatentsRun
    vocabulary = DONORS
    steps = DonorKind.steps | {
        "train": "mtlbio.embedding.train:train",
        "baselines": "mtlbio.embedding.baselines:baselines",
        "probe": "mtlbio.probing.of_latents:probe",
    }
    step_keys = {
        "prepare": (
            "latents",
            "expression",
            "metadata",
            "pseudobulk",
            "tasks",
            "covariates",
            "qc",
            "splits",
        ),
        "train": ("latents",),
        "baselines": ("baselines",),
        "evaluate": ("evaluate", "latents"),
        "probe": ("probe", "gene_sets", "latents"),
        "report": ("run", "report"),
    }
    parts = {
        "prepare": {
            "cohort": "mtlbio.cohort.given.build:cohort_of_latents",
            "roster": "mtlbio.cohort.given.build:read_roster",
        },
        "probe": {"refused": "mtlbio.probing.of_latents:refused_by_design"},
        "evaluate": {"unpredicted": "mtlbio.evaluation.unpredicted:unpredicted"},
        "report": {
            "cohort": "mtlbio.report.of_samples:cohort",
            "trial": "mtlbio.report.of_samples:trial",
            "sizes": "mtlbio.report.of_latents:sizes",
            "decides": "mtlbio.report.of_samples:decides",
            "unseen": "mtlbio.report.of_latents:unseen",
            "cautions": "mtlbio.report.of_latents:cautions",
        },
    }
    commands = {key: place for key, place in DonorKind.commands.items() if key not in OF_ONE_MATRIX}
    scattered = {}
    simulation = Simulation(
        "latents", "mtlbio.embedding.simulate:plant", ("design", "donors", "genes", "batches", "visits")
    )
    planted = "latents"
    trial_files = ("gene_sets",)
    tables = ("composition",)
    columns = "columns"
    page = OnPage(
        cohort_file="samples, with the latents in obsm",
        counted_on="planted cohorts whose latents were made in the same way (a model that saw all donors and no label)",
        can_do_worse="latents that saw more than was stated",
        one_network="One model made all latents: nothing shows whether one without some of the donors would find the "
        "same dimensions (latents.encode calls it once per fold).",
    )

    def recognises(self, content: Mapping[str, Any]) -> bool:
        """``kind: latents``, or ``latents`` in a run that says nothing else or ``kind: cohort``."""
        kind = content.get("kind") or "cohort"
        return kind == self.name or (kind == "cohort" and content.get("latents") is not None)

    def files(self, run: LatentsRun) -> dict[str, str]:
        """Latents, metadata, measurements, gene sets and marker genes; weights where they are a file."""
        measured = None if run.expression is None else run.expression.path
        named = {"latents.path": run.latents.path, "expression.path": measured, "metadata.path": run.metadata.path}
        named |= {"gene_sets": run.gene_sets}
        named |= {f"covariates.{name}.markers": run.covariates[name].markers for name in run.estimated}
        if run.latents.path is not None and not is_annotated(run.latents.path):
            named["latents.loadings"] = run.latents.loadings
        return {key: path for key, path in named.items() if path not in (None, "builtin")}

    def objection(self, run: LatentsRun) -> str | None:
        """Where the samples' description is missing."""
        source = run.latents.path or run.measured.path
        if run.metadata.path is None and not is_annotated(source):
            return "metadata.path: missing; only an h5ad, zarr or h5mu may carry its own metadata"
        return None

    def scatter_of(self, run: LatentsRun, step: str) -> tuple[str, ...]:
        """Every step is one job."""
        return ()


LATENTS = LatentsKind()
