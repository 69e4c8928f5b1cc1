"""Proteins: chains are the donors, residues their samples."""

from mtlbio.kinds.base import Kind, OnPage, Simulation
from mtlbio.kinds.schemas import ProteinRun
from mtlbio.kinds.vocabulary import CHAINS

LEAST_CHAINS = 8  # held-out chains that the trial needs


class ProteinKind(Kind[ProteinRun]):
    """A run with ``kind: protein``."""

    name = "protein"
    schema = ProteinRun
    vocabulary = CHAINS
    steps = {
        "prepare": "mtlbio.sequence.prepare:prepare",
        "train": "mtlbio.training.chains.train:train",
        "baselines": "mtlbio.evaluation.residues.baselines:baselines",
        "evaluate": "mtlbio.evaluation.residues.evaluate:evaluate",
        "probe": "mtlbio.probing.residues.probe:probe",
        "report": "mtlbio.report.page:report",
    }
    step_keys = {
        "prepare": ("kind", "chains", "tasks", "features", "qc", "splits"),
        "train": ("training", "features", "probe.residues"),
        "baselines": ("baselines", "features"),
        "evaluate": ("evaluate",),
        "probe": ("probe",),
        "report": ("run", "report"),
    }
    parts = {
        "report": {
            "cohort": "mtlbio.report.of_residues:cohort",
            "sizes": "mtlbio.report.of_residues:sizes",
            "decides": "mtlbio.report.of_residues:decides",
            "colours": "mtlbio.report.of_residues:colours",
        }
    }
    commands = {"check": "mtlbio.sequence.prepare:check", "predict": "mtlbio.commands.predict_chains:predict"}
    predict_options = ("profiles", "embeddings")
    simulation = Simulation("protein", "mtlbio.sequence.simulate:plant", ("chains",))
    planted = "chains"
    limits = {"chains": LEAST_CHAINS}
    page = OnPage(
        "chains, labels",
        left_out=("genes",),
        counted_on="sets of chains whose letters follow a planted rule, of the number of held-out chains nearest to "
        "this one",
        can_do_worse="chains that break their rules in a way of their own",
        named_by="named_by_properties.html",
    )
    minutes_of_training = 240
    processes_of_training = 4

    def files(self, run: ProteinRun) -> dict[str, str]:
        """The chains of every data set, and the numbers per residue that are read beside them."""
        chains = {f"chains.{name}.path": source.path for name, source in run.chains.items()}
        wide = {f"features.{key}": getattr(run.features, key) for key in ("profiles", "embeddings")}
        return chains | {key: path for key, path in wide.items() if path}


PROTEIN = ProteinKind()
