"""What the Snakefile asks: which runs there are, what each step depends on, and which modules a step uses.

A step is run again when its files, its options (:meth:`mtlbio.kinds.Kind.step_options`) or its modules
(:func:`modules_of`) have changed, and for no other reason.
"""

import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from mtlbio.errors import InputError, listing
from mtlbio.kinds import STEPS, kind_named, kind_of
from mtlbio.kinds.read import read_run
from mtlbio.kinds.schemas import Run
from mtlbio.modules import PACKAGE, files_of, shown


@dataclass(frozen=True)
class Plan:
    """The runs of one workflow: by name, the YAML that describes each and what it says."""

    results: str
    yamls: dict[str, str]
    runs: dict[str, Run]

    def folder(self, wildcards) -> str:
        """The results of a run."""
        return f"{self.results}/{wildcards.run}"

    def yaml(self, wildcards) -> str:
        """The YAML of a run."""
        return self.yamls[wildcards.run]

    def data(self, wildcards) -> list[str]:
        """The files that a run's YAML names and ``prepare`` reads, of a folder (10x, structures) the files in it."""
        run = self.runs[wildcards.run]
        return kind_of(run).data_files(run)

    def gene_sets(self, wildcards) -> list[str]:
        """The GMT file of a run, if it names one; the builtin sets belong to the modules."""
        run = self.runs[wildcards.run]
        return kind_of(run).files_of_trial(run)

    def minutes_of_trial(self, wildcards, attempt) -> int:
        """Time limit of the trial: an hour, and two minutes for every refit of the whole-pipeline null."""
        run = self.runs[wildcards.run]
        return attempt * kind_of(run).minutes_of_trial(run)

    def minutes_of_training(self, wildcards, attempt) -> int:
        """Time limit of the training: an hour, and four for the many residues of a protein run."""
        return attempt * kind_of(self.runs[wildcards.run]).minutes_of_training

    def gpus(self, wildcards) -> int:
        """GPUs that training asks a cluster for: one where the run's YAML says ``device: cuda``."""
        run = self.runs[wildcards.run]
        return int(kind_of(run).wants_gpu(run))

    def modules(self, step: str) -> Callable:
        """Function of the wildcards that gives the modules of ``step``, for a rule's ``input``."""

        def modules(wildcards) -> list[str]:
            run = self.runs[wildcards.run]
            # labels of another package's kind: their keys stand in the module of the kind
            labels = {type(task).__module__ for task in getattr(run, "tasks", {}).values()}
            return modules_of(step, kind=run.kind, labels=labels)

        return modules

    def options(self, step: str) -> Callable:
        """Function of the wildcards that gives the options of ``step``, for a rule's ``params``."""

        def options(wildcards) -> str:
            run = self.runs[wildcards.run]
            return kind_of(run).step_options(run, step)

        return options


def plan(config: dict) -> Plan:
    """Check a workflow's configuration, and every run that it lists, before any job starts.

    ``config`` holds ``runs`` (paths of run YAMLs, relative to the working directory) and ``results`` (a folder).
    An InputError at an unknown key, no run, a run's YAML with a mistake, or two runs of one name.
    """
    unknown = [key for key in config if key not in ("runs", "results")]
    if unknown:
        raise InputError(f"config: {unknown[0]}: unknown key; valid here: runs, results")
    paths = config.get("runs") or []
    paths = [paths] if isinstance(paths, str) else list(paths)
    if not paths:
        raise InputError("config: runs: missing; a list of run YAMLs, e.g. runs: [my_cohort.yaml]")
    yamls: dict[str, str] = {}
    runs: dict[str, Run] = {}
    for path in map(str, paths):
        run = read_run(path)
        if run.run in runs:
            raise InputError(f"{path}: run: {run.run!r} is the name of {yamls[run.run]} too; each run needs its own")
        yamls[run.run] = shown(path)
        runs[run.run] = kind_of(run).with_paths(run, lambda key, place: shown(place))
    return Plan(str(config.get("results") or "results").rstrip("/") or "/", yamls, runs)


def memory(megabytes: int, per_input: float = 0.0) -> Callable:
    """Memory of a job as a function of the size of its input and of the attempt (a retry gets more)."""

    def mem_mb(wildcards, input, attempt) -> int:
        return attempt * int(megabytes + per_input * input.size_mb)

    return mem_mb


def minutes(first: int) -> Callable:
    """Time limit of a job as a function of the attempt."""

    def runtime(wildcards, attempt) -> int:
        return attempt * first

    return runtime


def find_command() -> None:
    """Let the jobs find ``mtlbio`` even where the environment of this interpreter is not activated."""
    folder = os.path.dirname(sys.executable)
    if folder not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = folder + os.pathsep + os.environ.get("PATH", "")


def snakefile() -> Path:
    """The Snakefile: beside the package in a clone, under ``share/mtlbio`` of an installed wheel; else InputError."""
    beside = PACKAGE.parent / "workflow" / "Snakefile"
    if beside.is_file():
        return beside
    for file in metadata.files("mtlbio") or []:
        if file.parts[-3:] == ("mtlbio", "workflow", "Snakefile"):
            return Path(file.locate()).resolve()
    raise InputError(f"{beside}: no such file; install mtlbio from its clone or from a wheel, both bring the workflow")


def modules_of(step: str, package: Path = PACKAGE, kind: str = "cohort", labels: Iterable[str] = ()) -> list[str]:
    """Files of the package that ``step`` uses, as :func:`mtlbio.modules.files_of` finds them.

    ``labels`` are the modules of the run's kinds of label; those of the package are used by every run.
    """
    if step not in STEPS:
        raise KeyError(f"{step}: no such step; valid: {listing(STEPS)}")
    run_kind = kind_named(kind)
    foreign = sorted(module for module in labels if module.partition(".")[0] != package.name)
    return files_of(run_kind.steps[step].partition(":")[0], package, run_kind, step, foreign)


def is_older(made: Path, sources: list[Path]) -> bool:
    """Whether a file is missing or older than one of its sources."""
    return not made.exists() or any(path.stat().st_mtime > made.stat().st_mtime for path in sources)


def finished_pages(results: str | Path, runs: Iterable[str]) -> list[str]:
    """Full paths of the pages that are there: Snakemake may work in another folder than the reader."""
    pages = (Path(results).absolute() / run / "report.html" for run in runs)
    return [str(page) for page in pages if page.exists()]


def reported_errors(results: str | Path, runs: list[str]) -> list[str]:
    """The steps' own one-line errors, from the logs of the runs: what a reader needs of a failed workflow."""
    logs = [log for run in runs for log in sorted((Path(results) / run / "logs").glob("*.log"))]
    lines = [line for log in logs for line in log.read_text(encoding="utf-8", errors="replace").splitlines()]
    return [line for line in lines if line.startswith("mtlbio: error:")]
