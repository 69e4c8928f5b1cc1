"""A kind of run: all that differs between a cohort, a table of features, proteins and what comes from elsewhere.

Functions are named as text, ``"module:function"``, and imported when they are called: a kind knows the rooms of the
package without importing them. A kind from outside the package is found by its entry point (group ``mtlbio.kinds``), or
is put into :data:`KINDS` by :func:`register`.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module, metadata
from typing import Any, Generic, TypeVar

from mtlbio.errors import InputError, listing
from mtlbio.intake.folders import files_in
from mtlbio.kinds.schemas.run import Run
from mtlbio.kinds.vocabulary import Vocabulary
from mtlbio.reading import file_of

R = TypeVar("R", bound=Run)

STEPS = ("prepare", "train", "baselines", "evaluate", "probe", "report")


@dataclass(frozen=True)
class Simulation:
    """Data of a kind whose truth is planted (``mtlbio simulate``).

    Attributes
    ----------
    name : value of ``--kind``
    function : called with (folder, name of the run or None, seed) and options by name; gives the path of run.yaml
    options : options of the command that it knows
    """

    name: str
    function: str
    options: tuple[str, ...]


@dataclass(frozen=True)
class OnPage:
    """What the page says of a run besides the words of its vocabulary.

    Attributes
    ----------
    cohort_file : what ``cohort.h5ad`` holds, where that is not samples x features
    left_out : columns of ``enrichment.tsv`` that are not shown
    counted_on, can_do_worse : on what the rates of its verdicts were counted, and what those do not speak for
    one_network : what is said where nothing shows whether a dimension comes back
    named_by : what may name a dimension, of ``report/templates``
    """

    cohort_file: str | None = None
    left_out: tuple[str, ...] = ()
    counted_on: str = (
        "cohorts whose truth is planted, in the design nearest to this one (donors, and how closely disease and batch "
        "go together)"
    )
    can_do_worse: str = "a cohort that breaks their rules in a way of its own"
    one_network: str = (
        "Only one network was trained (training.seeds): nothing shows which dimensions another one would find, and no "
        "verdict carries an error rate."
    )
    named_by: str = "named_by_gene_sets.html"


class Kind(ABC, Generic[R]):
    """One kind of run, whose YAML is an ``R``; its instance is registered.

    Attributes
    ----------
    name : as ``kind`` says it in the YAML and in ``model.json``
    schema : model of the YAML
    beside : models of kinds that one more key would make of it, which a line on an unknown key names too
    vocabulary : words of its sentences
    steps : step -> function, called with (run, results)
    step_keys : step -> keys that it depends on beyond the files it reads: a changed key reruns it and what follows
    parts : step -> name -> function that the step asks for (:meth:`part`)
    commands : what the command line may ask for beside the steps: ``check`` (run), what prepare would object to;
        ``plan`` (run, results, dims); ``warned`` (run), lines before a workflow; ``influence`` (run, results), its
        sentences; ``panel`` (run, results, sizes, prices, tasks), its sentences; ``tradeoff`` (run, results,
        preferences, alpha, sites), its sentences; ``impute`` (run, results), its sentences; ``transfer`` (run, results,
        curves, draws, source); ``predict`` (results, new, out, options in the order of ``predict_options``);
        ``add_task`` (results, labels, task, kind, column, keys), a head on the trained trunk; ``draft`` (file, second
        file or None, folder), text and notes; ``drafts`` (file, second file or None), whether the files are of this
        kind
    predict_options : options of ``mtlbio predict`` that it knows
    simulation : how its data are planted
    planted : whose error rates speak for its verdicts, a key of ``mtlbio.probing.rates.SPEAK_FOR``
    limits : least numbers that it needs, by what is counted
    trial_files : keys of files that only the trial and the page read
    tables : tables of its page that other kinds do not have
    columns : what ``prepare`` calls a sample's columns
    page : what the page says
    minutes_of_training : time limit of the first attempt
    processes_of_training : networks that may be trained side by side, each in a process of one thread
    scattered : step -> function that makes one part of it, called with (run, results, part), where jobs of their own
        may make parts of a step, which the step then gathers (:meth:`scatter_of`)
    """

    name: str
    schema: type[R]
    beside: tuple[type[Run], ...] = ()
    vocabulary: Vocabulary
    steps: Mapping[str, str]
    step_keys: Mapping[str, tuple[str, ...]]
    parts: Mapping[str, Mapping[str, str]] = {}
    commands: Mapping[str, str] = {}
    predict_options: tuple[str, ...] = ()
    simulation: Simulation | None = None
    planted: str | None = None
    limits: Mapping[str, int] = {}
    trial_files: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    columns: str = "columns"
    page: OnPage = OnPage()
    minutes_of_training: int = 60
    processes_of_training: int = 1
    scattered: Mapping[str, str] = {}

    @abstractmethod
    def files(self, run: R) -> dict[str, str]:
        """Dotted key -> path, of every file (or folder) that the run's YAML names."""

    def recognises(self, content: Mapping[str, Any]) -> bool:
        """Whether the content of a YAML describes a run of this kind."""
        return content.get("kind") == self.name

    def objection(self, run: R) -> str | None:
        """What is wrong with a run whose files were found, beyond its schema: one line without the YAML's name."""
        return None

    def minutes_of_trial(self, run: R) -> int:
        """Time limit of the trial's first attempt."""
        return 60

    def wants_gpu(self, run: R) -> bool:
        """Whether the run asks a cluster for a GPU: where its training says ``device: cuda``."""
        return getattr(getattr(run, "training", None), "device", None) == "cuda"

    def processes_of(self, run: R) -> int:
        """Processes that train one network together: as the run's training says."""
        return getattr(getattr(run, "training", None), "processes", 1)

    def threads_of_training(self, run: R) -> int:
        """Cores that the training keeps busy: of networks side by side one for each, or of the processes of one."""
        return max(self.processes_of_training, self.processes_of(run))

    def scatter_of(self, run: R, step: str) -> tuple[str, ...]:
        """Names of the parts that ``step`` falls into where a run is scattered; none where it is one job."""
        return ()

    def part_maker(self, step: str) -> str:
        """Function that makes one part of ``step``; an InputError where the kind has no parts of it."""
        if step not in self.scattered:
            raise InputError(f"--part: step {step} of a run of kind {self.name} is one job")
        return self.scattered[step]

    def minutes_of_part(self, run: R, step: str) -> int:
        """Time limit of the first attempt at a part: twice its share of the step's."""
        whole = self.minutes_of_training if step == "train" else self.minutes_of_trial(run)
        return max(20, 2 * whole // max(1, len(self.scatter_of(run, step))))

    def is_scattered(self, run: R, otherwise: bool) -> bool:
        """Whether the run's parts are jobs of their own: as its training says, else as the workflow does."""
        asked = _scatter(run)
        return otherwise if asked is None else bool(asked)

    def most_parts(self, run: R) -> int | None:
        """How many parts of a step the run wants at most (``training.scatter: 3``); None where it does not say."""
        asked = _scatter(run)
        return None if asked is None or isinstance(asked, bool) else asked

    @property
    def modules(self) -> frozenset[str]:
        """Modules that define the kind and those it is made from: a reason to run its steps again."""
        return frozenset(made.__module__ for made in type(self).__mro__ if issubclass(made, Kind))

    @property
    def other_modules(self) -> frozenset[str]:
        """Modules that define the other kinds, which are no reason to run this one's steps again."""
        return frozenset().union(*(kind.modules for kind in KINDS.values())) - self.modules

    def part(self, step: str, name: str, missing: Any = ...) -> Callable:
        """What a step does in this kind's own way; of kinds without the part a function that gives ``missing``.

        ``step`` and ``name`` stand as plain text where this is called: so it is known which modules a step uses
        (:func:`mtlbio.modules.files_of`). An InputError where the kind has no such part and nothing stands in for it.
        """
        place = self.parts.get(step, {}).get(name)
        if place is not None:
            return function_at(place)
        if missing is ...:
            raise InputError(f"kind {self.name}: no part {name!r} of step {step}; found: {listing(self.parts)}")
        return lambda *_: missing

    def data_files(self, run: R) -> list[str]:
        """Files that ``prepare`` depends on; of a folder, those in it and in folders in it."""
        places = [file_of(path)[0] for key, path in self.files(run).items() if key not in self.trial_files]
        inside = [files_in(place) if place.is_dir() else [place] for place in places]
        return list(dict.fromkeys(str(file) for files in inside for file in files))

    def files_of_trial(self, run: R) -> list[str]:
        """Files that the trial and the page depend on."""
        return [path for key, path in self.files(run).items() if key in self.trial_files]

    def with_paths(self, run: R, changed: Callable[[str, str], str]) -> R:
        """The run with every path replaced by ``changed(key, path)``."""
        for key, path in self.files(run).items():
            run = run.with_value(key, changed(key, path))
        return run

    def step_options(self, run: R, step: str) -> str:
        """JSON text of the keys that ``step`` depends on: the parameter that makes Snakemake rerun it."""
        return json.dumps(run.dump_of(self.step_keys[step]), sort_keys=True)


def _scatter(run: Run) -> bool | int | None:
    """``training.scatter`` of a run; None where its kind has no such key."""
    return getattr(getattr(run, "training", None), "scatter", None)


def function_at(place: str) -> Callable:
    """The function that ``"module:function"`` names."""
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


KINDS: dict[str, Kind] = {}


def register(kind: Kind) -> Kind:
    """Add a kind, in place of one of the same name; an InputError at a step without a function or keys to depend on.

    Examples
    --------
    >>> register(kind_named("cohort")) is kind_named("cohort")
    True
    """
    for what in ("steps", "step_keys"):
        missing = [step for step in STEPS if step not in getattr(kind, what)]
        if missing:
            raise InputError(f"kind {kind.name}: {what}: {listing(missing)} missing; expected {listing(STEPS)}")
    KINDS[kind.name] = kind
    return kind


def kind_named(name: Any) -> Kind:
    """The kind of this name, which may be anything; an InputError where nobody knows it.

    Installed packages are asked only where it is not registered yet.

    Examples
    --------
    >>> kind_named("cohort").vocabulary.unit
    'donor'
    >>> kind_named("cohrt")
    Traceback (most recent call last):
    mtlbio.errors.InputError: kind: found 'cohrt'; expected cohort, ...
    """
    if isinstance(name, str) and name not in KINDS:
        for entry in metadata.entry_points(group="mtlbio.kinds", name=name):
            register(entry.load())
    if not isinstance(name, str) or name not in KINDS:
        raise InputError(f"kind: found {name!r}; expected {listing(KINDS)}")
    return KINDS[name]


def kind_of(run: Run) -> Kind:
    """The kind of a run.

    Examples
    --------
    >>> kind_of(mtlbio.read_run("planted/run.yaml")).name
    'cohort'
    """
    return kind_named(run.kind)
