"""Options that ``mtlbio run`` passes on to Snakemake, and those that it does not.

They are read by Snakemake's own parser, so that ``--directory=X``, ``-dX`` and ``--direc X`` are all the same option.
"""

from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from mtlbio.errors import InputError, listing
from mtlbio.kinds import STEPS
from mtlbio.launch.find import is_run_or_folder
from mtlbio.text import suggestion
from mtlbio.workflow import only_looks, snakefile

_ELSEWHERE = "set by mtlbio run; a run's options stand in its YAML, its folder is --results"
_DELETES = "deletes results; remove results/<run> yourself where that is meant"
_STALE = (
    "would pass old or half-written results off as this run's; one step alone is a command of its own, "
    "e.g. mtlbio report RUN.yaml"
)
_SPOILS = "two workflows that write into one folder spoil each other's results"
_TAKES_APART = "belongs to Snakemake's own jobs; mtlbio run starts and concludes whole workflows"

# option -> why it is refused, in one of its spellings; docs/workflow.md lists them
REFUSED = (
    dict.fromkeys(("--config", "--configfile", "--replace-workflow-config", "--directory", "--snakefile"), _ELSEWHERE)
    | dict.fromkeys(("--delete-all-output", "--delete-temp-output", "--all-temp", "--unneeded-temp-files"), _DELETES)
    | dict.fromkeys(("--touch", "--rerun-triggers", "--consider-ancient", "--ignore-incomplete"), _STALE)
    | dict.fromkeys(("--cleanup-metadata", "--drop-metadata", "--omit-flags"), _STALE)
    | {"--nolock": _SPOILS}
    | dict.fromkeys(("--no-hooks", "--mode", "--immediate-submit", "--allowed-rules", "--target-jobs"), _TAKES_APART)
    | dict.fromkeys(("--target-files-omit-workdir-adjustment", "--deploy-sources", "--local-groupid"), _TAKES_APART)
)
_ELSEWHERE_RUN = ("executor", "profile", "workflow_profile")


@dataclass(frozen=True)
class Options:
    """What was asked of Snakemake.

    Attributes
    ----------
    words : as they were given
    cores_chosen : whether they, or a profile, say how much runs at once
    memory_chosen : whether they, or a profile, say how much memory that may take
    runs_jobs : whether jobs will run: not with ``-n``, ``--unlock`` ...
    checks : whether the cohorts are to be checked first: also with ``-n``
    forced : steps that are taken though nothing has changed (``--forcerun report``, ``--forceall``)
    """

    words: tuple[str, ...] = ()
    cores_chosen: bool = False
    memory_chosen: bool = False
    runs_jobs: bool = True
    checks: bool = True
    forced: frozenset[str] = frozenset()


def split_words(words: list[str]) -> tuple[list[str], list[str]]:
    """Runs, and Snakemake's options: the first word that begins with a hyphen ends the runs.

    Which word behind that is the value of an option, only Snakemake knows; :func:`read_options` refuses runs there.
    """
    first = next((place for place, word in enumerate(words) if word.startswith("-")), len(words))
    return words[:first], words[first:]


def read_options(words: list[str]) -> Options:
    """Check the options for Snakemake.

    An InputError of one line at an option that nobody knows, at one that would spoil the run (:data:`REFUSED`), and at
    a YAML or a folder of YAMLs among the options.
    """
    if not words:
        return Options()
    from snakemake.cli import get_argument_parser
    from snakemake.exceptions import CliException

    parser = get_argument_parser()
    parser.error = _refuse
    try:
        given, usual = parser.parse_args(words), parser.parse_args([])
    except CliException as error:  # what Snakemake's own types of values object to
        _refuse(str(getattr(error, "msg", error)))
    chosen = {name for name, value in vars(given).items() if value != getattr(usual, name)}
    for option, why in REFUSED.items():
        if parser._option_string_actions[option].dest in chosen:
            raise InputError(f"{option}: {why}")
    _no_runs(words, given, [action.dest for action in parser._actions if action.nargs in (None, "?")])
    _known_steps(given)
    _known_profiles(given)
    looks = only_looks(vars(given))
    elsewhere = any(getattr(given, name, None) for name in _ELSEWHERE_RUN)
    cores = elsewhere or bool(given.jobs or given.cores)
    memory, checks = elsewhere or "resources" in chosen, looks <= {"dryrun"}
    return Options(tuple(words), cores, memory, not looks, checks, _forced(given))


def _forced(given: Namespace) -> frozenset[str]:
    """Steps that are asked for whether anything has changed or not; all where it is not steps that are named."""
    named = set(map(str, _listed(given.forcerun))) if given.forcerun else set()
    steps = {name.removesuffix("_part") for name in named}
    return frozenset(STEPS) if given.forceall or given.force or not steps <= set(STEPS) else frozenset(steps)


def _refuse(message: str) -> NoReturn:
    raise InputError(f"{' '.join(message.split())}; neither mtlbio run (--help) nor Snakemake takes it so")


def _known_steps(given: Namespace) -> None:
    """No step that is misspelt: Snakemake would take it for none, or for a file."""
    rules = [*STEPS, "train_part", "probe_part", "all"]
    for option in ("forcerun", "until", "omit_from", "prioritize"):
        for name in sorted(map(str, _listed(getattr(given, option, None) or []))):
            if name not in rules and not Path(name).exists() and "/" not in name:
                raise InputError(f"--{option.replace('_', '-')}: no step {name!r}; {suggestion(name, rules)}")


def _known_profiles(given: Namespace) -> None:
    """No profile that is not there: Snakemake would do without."""
    from snakemake.cli import get_profile_dir

    beside = snakefile().parent / "profiles"
    for option in ("profile", "workflow_profile"):
        for name in map(str, _listed(getattr(given, option, None) or [])):
            of_ours = option == "workflow_profile" and get_profile_dir(str(beside / name)) is not None
            if name != "none" and get_profile_dir(name) is None and not of_ours:
                found = listing(sorted(folder.name for folder in beside.iterdir()))
                raise InputError(
                    f"--{option.replace('_', '-')}: no profile {name!r}; expected a folder with config.yaml, or one of "
                    f"mtlbio's: --workflow-profile {found}"
                )


def _no_runs(words: list[str], given: Namespace, single: list[str]) -> None:
    """No run among the options, where it would be a target of Snakemake, or one more value of the option before it."""
    values = {str(value) for name in single for value in _listed(getattr(given, name, None))}
    for word in words:
        if not word.startswith("-") and word not in values and is_run_or_folder(word):
            raise InputError(f"{word}: runs stand before Snakemake's options: mtlbio run {word} ... {words[0]} ...")


def _listed(value: object) -> list:
    return list(value) if isinstance(value, (list, tuple, set, frozenset)) else [value]
