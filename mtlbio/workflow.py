"""What the Snakefile asks: which runs there are, what each step depends on, and which modules a step uses.

A step is run again when its files, its options (:meth:`mtlbio.kinds.Kind.step_options`) or its modules
(:func:`modules_of`) have changed, and for no other reason.
"""

import atexit
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from mtlbio.errors import InputError
from mtlbio.handover import unquoted
from mtlbio.integrity.described import check_described, describe
from mtlbio.integrity.folder import refuse_strangers
from mtlbio.integrity.heal import Healing, begin, end, look, unlock
from mtlbio.integrity.record import MANIFEST
from mtlbio.kinds import STEPS, kind_of
from mtlbio.kinds.read import read_run
from mtlbio.kinds.schemas import Run
from mtlbio.kinds.sources import modules_of_run
from mtlbio.modules import PACKAGE, shown


@dataclass(frozen=True)
class Plan:
    """The runs of one workflow: by name, the YAML that describes each and what it says.

    Attributes
    ----------
    results : folder of all results
    yamls, runs : by name of the run
    scatter : whether the parts of a step are jobs of their own where a run's YAML says nothing about it
    healing : what was found when the workflow began (:mod:`mtlbio.integrity.heal`)
    """

    results: str
    yamls: dict[str, str]
    runs: dict[str, Run]
    scatter: bool = False
    healing: Healing = field(default_factory=Healing)

    def begin(self, workflow, words: list[str] | None = None) -> None:
        """Where jobs are about to be run: make this process the owner of the runs, and say what was changed since.

        ``workflow`` is Snakemake's, ``words`` those of its command line. An InputError where a folder is somebody
        else's, or another process is at work on a run.
        """
        asked = asked_of_snakemake(sys.argv[1:] if words is None else words)
        if not workflow.is_main_process:
            return
        locks = Path(".snakemake", "locks").absolute()
        if asked.get("unlock"):
            unlock(self.runs, Path(self.results), locks)
        looks = only_looks(asked)
        if "dryrun" in looks:
            self._look()
        if looks:
            return
        # Snakemake calls no hook where there is nothing to do
        atexit.register(end, self.healing, self.runs, Path(self.results).absolute(), locks)
        for name, yaml in self.yamls.items():
            check_described(Path(self.results, name), yaml)
        # without hooks nobody looks for them when it is known which steps are taken
        found = begin(self.runs, Path(self.results), locks, strict=bool(asked.get("no_hooks")))
        for name, yaml in self.yamls.items():
            describe(Path(self.results, name), yaml)
        self._heal_as(found)

    def _heal_as(self, found: Healing) -> None:
        for line in found.lines:
            print(f"mtlbio: {line}", file=sys.stderr)
        self.healing.steps.update(found.steps)
        self.healing.in_order.update(found.in_order)

    def _look(self) -> None:
        """Say what would be mended, and let Snakemake count these steps, whose records are there, as to be taken."""
        found = look(self.runs, Path(self.results))
        self._heal_as(found)
        count_as_taken(
            f"{self.results}/{run}/{MANIFEST}/{step}.json" for run in found.again for step in found.again[run]
        )

    def check_strangers(self, dag) -> None:
        """An InputError where somebody's file stands where a step writes that is about to be taken: before the first
        job, since Snakemake removes what a job is about to write. ``dag`` is Snakemake's."""
        for job in dag.needrun_jobs():
            if job.rule.name in STEPS:
                refuse_strangers(Path(self.results, job.wildcards.run), job.rule.name)

    def made(self, step: str, name: str) -> Callable:
        """Function of the wildcards that gives a file of ``step``, for the ``input`` of a later rule.

        Where the step only makes again what it had made, the file's time stamp is no reason to go on.
        """

        def file(wildcards) -> str:
            from snakemake.io import ancient

            (path,) = self._in_order(wildcards.run, [f"{self.results}/{wildcards.run}/{name}"])
            return ancient(path) if step in self.healing.steps.get(wildcards.run, {}) else path

        return file

    def _in_order(self, run: str, paths: list[str]) -> list[str]:
        """The files, whose time stamps are no reason for anything where they would be put in order."""
        from snakemake.io import ancient

        return [ancient(path) for path in paths] if run in self.healing.in_order else paths

    def folder(self, wildcards) -> str:
        """The results of a run."""
        return f"{self.results}/{wildcards.run}"

    def yaml(self, wildcards) -> str:
        """The YAML of a run."""
        return self.yamls[wildcards.run]

    def data(self, wildcards) -> list[str]:
        """The files that a run's YAML names and ``prepare`` reads, of a folder (10x, structures) the files in it."""
        run = self.runs[wildcards.run]
        return self._in_order(run.run, kind_of(run).data_files(run))

    def gene_sets(self, wildcards) -> list[str]:
        """The GMT file of a run, if it names one; the builtin sets belong to the modules."""
        run = self.runs[wildcards.run]
        return self._in_order(run.run, kind_of(run).files_of_trial(run))

    def minutes_of_trial(self, wildcards) -> int:
        """Time limit of the trial: an hour, and two minutes for every refit of the whole-pipeline null."""
        run = self.runs[wildcards.run]
        return kind_of(run).minutes_of_trial(run)

    def minutes_of_training(self, wildcards) -> int:
        """Time limit of the training: an hour, and four for the many residues of a protein run."""
        return kind_of(self.runs[wildcards.run]).minutes_of_training

    def threads_of_training(self, wildcards) -> int:
        """Cores that the training keeps busy: one, of kinds that train networks side by side one for each, or one for
        every process that trains a deep trunk."""
        run = self.runs[wildcards.run]
        return kind_of(run).threads_of_training(run)

    def processes(self, wildcards) -> int:
        """Processes that train one network together."""
        run = self.runs[wildcards.run]
        return kind_of(run).processes_of(run)

    def megabytes_of_processes(self, wildcards) -> int:
        """Memory of the processes beyond the first: torch, and what a fold's network reads."""
        return 700 * (self.processes(wildcards) - 1)

    def gpus(self, wildcards) -> int:
        """GPUs that training asks a cluster for: where the run's YAML says ``device: cuda``, one for each process."""
        run = self.runs[wildcards.run]
        return kind_of(run).processes_of(run) if kind_of(run).wants_gpu(run) else 0

    def parts(self, step: str) -> Callable:
        """Function of the wildcards that gives the folders of the parts that ``step`` gathers; none where it is one
        job."""

        def parts(wildcards) -> list[str]:
            run = self.runs[wildcards.run]
            names = kind_of(run).scatter_of(run, step) if kind_of(run).is_scattered(run, self.scatter) else ()
            return [f"{self.folder(wildcards)}/parts/{step}/{name}" for name in names]

        return parts

    def minutes_of_part(self, step: str) -> Callable:
        """Function of the wildcards: time limit of the first attempt at one part of ``step``."""

        def runtime(wildcards) -> int:
            run = self.runs[wildcards.run]
            return kind_of(run).minutes_of_part(run, step)

        return runtime

    def modules(self, step: str) -> Callable:
        """Function of the wildcards that gives the modules of ``step``, for a rule's ``input``."""

        def modules(wildcards) -> list[str]:
            return self._in_order(wildcards.run, modules_of_run(self.runs[wildcards.run], step))

        return modules

    def options(self, step: str) -> Callable:
        """Function of the wildcards that gives the options of ``step``, for a rule's ``params``."""

        def options(wildcards) -> str:
            run = self.runs[wildcards.run]
            return kind_of(run).step_options(run, step)

        return options


class _ByRun(dict):
    """What is known by run; of one that could not be read, why."""

    def __init__(self, mistakes: list[str]):
        super().__init__()
        self.mistakes = mistakes

    def __missing__(self, run: str):
        raise InputError("; ".join(self.mistakes) or f"no run {run!r}")


def plan(config: dict, in_job: bool = False) -> Plan:
    """Check a workflow's configuration, and every run that it lists, before any job starts.

    ``config`` holds ``runs`` (paths of run YAMLs, relative to the working directory), ``results`` (a folder) and
    ``scatter`` (whether parts of a step are jobs of their own, where a run's YAML does not say).
    An InputError at an unknown key, no run, a run's YAML with a mistake, or two runs of one name. A job on a cluster
    makes the plan anew: ``in_job``, a mistake that was made meanwhile is an error of that run's jobs only.
    """
    unknown = [key for key in config if key not in ("runs", "results", "scatter")]
    if unknown:
        raise InputError(f"config: {unknown[0]}: unknown key; valid here: runs, results, scatter")
    words = {"true": True, "false": False}  # as Snakemake's --config leaves them
    scatter = words.get(str(config.get("scatter", False)).lower())
    if scatter is None:
        raise InputError(f"config: scatter: found {config['scatter']!r}; expected true or false")
    paths = unquoted(config.get("runs")) or []
    paths = [paths] if isinstance(paths, str) else list(paths)
    if not paths:
        raise InputError("config: runs: missing; a list of run YAMLs, e.g. runs: [my_cohort.yaml]")
    mistakes: list[str] = []
    yamls: dict[str, str] = _ByRun(mistakes)
    runs: dict[str, Run] = _ByRun(mistakes)
    for path in map(str, paths):
        try:
            run = read_run(path)
        except InputError as error:
            if not in_job:
                raise
            mistakes.append(str(error))
            continue
        if run.run in runs:
            raise InputError(f"{path}: run: {run.run!r} is the name of {yamls[run.run]} too; each run needs its own")
        yamls[run.run] = shown(path)
        runs[run.run] = kind_of(run).with_paths(run, lambda key, place: shown(place))
    results = unquoted(config.get("results")) or "results"
    results = (results[0] if isinstance(results, list) else str(results)).rstrip("/") or "/"
    if results.startswith("-") or not set("\n\r").isdisjoint(results):
        raise InputError(f"results: found {results!r}; expected a name without line breaks that does not begin with -")
    _without_braces("results", results)
    for name, run in runs.items():
        for place in (yamls[name], *kind_of(run).files(run).values()):
            _without_braces(yamls[name], place)
    return Plan(results, yamls, runs, scatter)


def _without_braces(where: str, place: str) -> None:
    if not set("{}").isdisjoint(place):
        raise InputError(f"{where}: found {place!r}; a name with braces is a wildcard of Snakemake: rename it")


# what Snakemake can be asked for besides running jobs, by the names that its options have in its parser
_LOOKS = (
    "dryrun", "touch", "unlock", "lint", "dag", "rulegraph", "filegraph", "d3dag", "summary", "detailed_summary",
    "archive", "delete_all_output", "delete_temp_output", "list_rules", "list_target_rules", "list_changes",
    "list_input_changes", "list_params_changes", "list_untracked", "list_conda_envs", "cleanup_metadata",
    "cleanup_shadow", "containerize", "container_cleanup_images", "conda_create_envs_only", "conda_cleanup_envs",
    "export_cwl", "generate_unit_tests", "print_compilation", "report",
)  # fmt: skip


def only_looks(asked: Mapping[str, Any]) -> set[str]:
    """Names of options, among those that Snakemake was given, with which it runs no jobs."""
    looks = {name for name in _LOOKS if asked.get(name)}
    return looks - {"report"} if asked.get("report_after_run") else looks


def asked_of_snakemake(words: list[str]) -> dict:
    """Options by the names that Snakemake's parser gives them; none where the words are not its own."""
    from snakemake.cli import get_argument_parser

    try:
        return vars(get_argument_parser().parse_known_args(words)[0])
    except SystemExit:
        return {}


def leave_parts_out_of_records(planned: Plan) -> None:
    """Let no finished step be stale because its parts were, or were not, jobs of their own, or its YAML has another
    name: the tables are the same.

    Snakemake runs a step again when its inputs are others than those that it recorded, and has no way to say which of
    them do not count.
    """
    from snakemake import persistence

    yamls = {os.path.normpath(yaml) for yaml in planned.yamls.values()}
    is_part = re.compile(rf"{re.escape(os.path.normpath(planned.results))}/[^/]+/parts/[^/]+/[^/]+").fullmatch
    # of later and of earlier versions
    for recorder in (getattr(persistence, "PersistenceBase", None), getattr(persistence, "Persistence", None)):
        if recorder is not None and hasattr(recorder, "_input"):

            def without_parts(self, job, recorded=recorder._input) -> list[str]:
                found = [(file, os.path.normpath(file)) for file in recorded(self, job)]
                return [file for file, path in found if not is_part(path) and path not in yamls]

            recorder._input = without_parts


def count_as_taken(outputs: Iterable[str]) -> None:
    """Let Snakemake take the jobs that write these files, as ``--forcerun`` would without making them its targets."""
    from snakemake.dag import DAG

    files, init = set(outputs), DAG.__init__

    def with_files(self, *words, **named) -> None:
        init(self, *words, **named)
        self.forcefiles.update(files)

    if files:
        DAG.__init__ = with_files


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


def is_older(made: Path, sources: list[Path]) -> bool:
    """Whether a file is missing or older than one of its sources."""
    return not made.exists() or any(path.stat().st_mtime > made.stat().st_mtime for path in sources)
