"""``mtlbio run``: look at the runs, let Snakemake work, and sum up."""

import os
import sys
from pathlib import Path

from mtlbio.config.yaml import read_yaml
from mtlbio.errors import InputError
from mtlbio.handover import quoted
from mtlbio.launch.checks import checked
from mtlbio.launch.find import Found, find_runs, is_run_or_folder
from mtlbio.launch.machine import memory_mb
from mtlbio.launch.options import Options, read_options, split_words
from mtlbio.launch.terminal import StepLines
from mtlbio.places import check_writable
from mtlbio.progress import say
from mtlbio.summary import Conclusion
from mtlbio.summary.complaints import ERROR
from mtlbio.summary.rows import NotStarted
from mtlbio.workflow import snakefile


def run(words: list[str], cores: int | None, results: Path) -> int:
    """Run the workflow on all runs at once; gives the exit status.

    Parameters
    ----------
    words : YAMLs and folders of YAMLs, then options for Snakemake
    cores : how many cores to use; all where None, unless the options choose
    results : folder of all results

    Raises
    ------
    InputError
        Nothing can be run: what is wrong with the only run, or that something is wrong with all of them.
    """
    named, extra = split_words(words)
    if not named:
        last = next((word for word in extra if is_run_or_folder(word)), "RUN.yaml")
        raise InputError(f"{extra[0]}: the runs come first: mtlbio run {last} {extra[0]}")
    options = read_options(extra)
    results = _folder(results)
    found, wrong = find_runs(named)
    if options.checks:
        fit, objected = checked(found, results, cores, options.forced)
    else:
        fit, objected = found, []
    wrong += objected
    conclusion, Conclusion.told_by_caller = Conclusion(results, {one.run.run: str(one.yaml) for one in fit}), True
    try:
        _tell(wrong, fit)
    except InputError:
        if options.runs_jobs:
            _sum_up(conclusion, wrong)
        raise
    results.parent.mkdir(parents=True, exist_ok=True)
    status, refusal = _snakemake(command(fit, results, cores, options))
    if options.runs_jobs and status == REFUSED:
        _sum_up(conclusion, [*wrong, *(NotStarted(one.run.run, str(one.yaml), refusal) for one in fit)])
    elif options.runs_jobs:
        conclusion.tell(status == 0, wrong, StepLines.begun if StepLines.interrupted else {})
    return STOPPED if StepLines.interrupted and status else status or int(bool(wrong))


def _sum_up(conclusion: Conclusion, wrong: list[NotStarted]) -> None:
    """Keep in the summary that no run was started. A single mistake is one line, and makes no folder of results."""
    alone = len(wrong) == 1
    if alone and not conclusion.results.is_dir():
        return
    line = conclusion.keep(wrong)
    if not alone:
        say(line)


REFUSED, STOPPED = 2, 130


def command(runs: list[Found], results: Path, cores: int | None, options: Options) -> list[str]:
    """Arguments for Snakemake.

    The working directory is the results' parent: Snakemake's records then lie beside the results, wherever the command
    was given. An option must follow ``--config``, which takes every word up to the next one.
    """
    parallel = [] if cores is None and options.cores_chosen else ["--cores", str(cores or "all")]
    memory = None if options.memory_chosen or "resources" in default_profile() else memory_mb()
    parallel += [] if memory is None else ["--resources", f"mem_mb={memory}"]
    words = ["--snakefile", str(snakefile()), "--directory", str(results.parent)]
    words += ["--config", f"runs={quoted(one.yaml.absolute() for one in runs)}", f"results={quoted([results.name])}"]
    return [*words, "--rerun-incomplete", "--keep-going", *parallel, *options.words]


def default_profile() -> dict:
    """What the profile says that Snakemake takes where none is named; the command line would overrule it."""
    path = snakefile().parent / "profiles" / "default" / "config.yaml"
    return (read_yaml(path) or {}) if path.is_file() else {}


def _folder(results: Path) -> Path:
    """The folder of all results, refused where it cannot be one."""
    if results.is_file():
        raise InputError(f"--results: {results}: found a file; expected a folder")
    results = Path(os.path.abspath(results))
    for folder in (results, results.parent):  # Snakemake keeps its records beside the results
        check_writable(folder, "--results")
    if set(results.name) & set("{}\n\r") or not results.name or results.name != results.name.strip():
        what = "expected a name without braces, line breaks and blanks at its ends, which Snakemake would misread"
        raise InputError(f"--results: {str(results)!r}: {what}")
    return results


def _tell(wrong: list[NotStarted], fit: list[Found]) -> None:
    """Say what is not started, before the others are."""
    if len(wrong) == 1 and not fit:
        raise InputError(wrong[0].error)
    for one in wrong:
        say(f"mtlbio: error: {one.error}")
    if wrong and not fit:
        raise InputError(f"none of {len(wrong)} runs can be started; what is wrong with each stands above")
    if wrong:
        say(f"{len(wrong)} of {len(wrong) + len(fit)} runs cannot be started; the others go on")


def _snakemake(arguments: list[str]) -> tuple[int, str]:
    """Run Snakemake in this process, which therefore gets its signals; gives the exit status, and what the Snakefile
    refuses, where it does."""
    from snakemake.cli import main

    sys.stdout.flush()
    sys.argv = ["snakemake", *arguments]  # which Snakemake shows, and the Snakefile may ask
    try:
        main(arguments)
    except SystemExit as ended:
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
            return REFUSED, ended.code.removeprefix(ERROR)
        return ended.code or 0, ""
    return 0, ""
