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
            "trial": "mtlbio.report.of_residues:trial",
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
    scattered = {"train": "mtlbio.training.chains.train:train_part"}

    def scatter_of(self, run: ProteinRun, step: str) -> tuple[str, ...]:
        """Every network of the training, or where fewer parts are asked for some networks each."""
        if step != "train":
            return ()
        networks, most = self.networks_of(run), self.most_parts(run)
        fewer = most is not None and most < len(networks)
        return tuple(f"networks{k}" for k in range(most or 0)) if fewer else networks

    def networks_of_part(self, run: ProteinRun, part: str) -> tuple[str, ...]:
        """Names of the networks that a part trains: itself, or every so many-th."""
        networks, parts = self.networks_of(run), self.scatter_of(run, "train")
        return networks[parts.index(part) :: len(parts)]

    def networks_of(self, run: ProteinRun) -> tuple[str, ...]:
        """Names of the networks of the training: all tasks together and each alone, with every seed."""
        options = run.training
        predicted = [name for name, task in run.tasks.items() if not task.auxiliary]
        named = predicted if options.single_task is True else options.single_task or []
        alone = [f"singletask-{name}" for name in predicted if name in named and len(run.tasks) > 1]
        return tuple(f"{arm}-{options.seed + s}" for arm in ("multitask", *alone) for s in range(options.seeds))

    def files(self, run: ProteinRun) -> dict[str, str]:
        """The chains of every data set, and the numbers per residue that are read beside them."""
        chains = {f"chains.{name}.path": source.path for name, source in run.chains.items()}
        wide = {f"features.{key}": getattr(run.features, key) for key in ("profiles", "embeddings")}
        return chains | {key: path for key, path in wide.items() if path}


PROTEIN = ProteinKind()
