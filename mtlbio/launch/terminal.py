"""What a workflow says on the terminal: a line when a step starts and one when it is done, not a page of each.

Snakemake lists for every job all files that it depends on; of a step of mtlbio those are a hundred modules. All of that
still stands in Snakemake's own log (``.snakemake/log/``); ``--verbose`` brings it back.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from typing import ClassVar

from mtlbio.modules import PACKAGE

HANDLER = "DefaultStreamHandler"
# Snakemake's words on how it goes about its work, and on failures that are told by the steps' own lines
_CHATTER = re.compile(
    r"Select jobs to execute|Execute \d+ jobs|Building DAG|Using shell|Provided |Rules claiming|Conda environments"
    r"|Assuming unrestricted|Using \w+ specific profile|Exiting because a job execution failed|Shutting down, this"
    r"|WorkflowError:\s+At least one job did not complete|At least one job did not complete|Elapsed time|Reasons:"
    r"|Some jobs were triggered by provenance|If you prefer that only modification|If you are sure that a change"
    r"|Rules with provenance triggered jobs"
)
_OF_USERS = "Terminating processes on user request"


class StepLines(logging.Formatter):
    """Snakemake's records as lines of mtlbio; an empty text where there is nothing to say.

    Parameters
    ----------
    former : formats what is not about steps
    dry : whether steps are named that would be taken (``-n``), asked for each line
    clock : seconds, for how long a step took

    Attributes
    ----------
    interrupted : whether the workflow was stopped by Ctrl-C
    begun : run -> step that was started last and has not ended
    """

    interrupted = False
    begun: ClassVar[dict[str, str]] = {}

    def __init__(
        self,
        former: logging.Formatter | None,
        dry: Callable[[], bool] = bool,
        clock: Callable[[], float] = time.monotonic,
    ):
        super().__init__()
        self.former, self.dry, self.clock = former or logging.Formatter(), dry, clock
        self.jobs: dict[int, tuple[str, str, float]] = {}  # run, step, start
        self.done, self.steps, self.told = 0, 0, ""

    def format(self, record: logging.LogRecord) -> str:
        event = getattr(record, "event", None)
        say = getattr(self, f"_{getattr(event, 'value', event)}", None)
        if say is not None:
            return say(record)
        text = record.getMessage() if isinstance(record.msg, str) else ""
        if text.startswith(_OF_USERS):
            StepLines.interrupted = True
        formatted = self.former.format(record) or ""
        return "" if _CHATTER.match(formatted.strip()) else formatted

    def _workflow_started(self, record: logging.LogRecord) -> str:
        return ""

    _resources_info = _shellcmd = _progress = _job_started = _workflow_started

    def _run_info(self, record: logging.LogRecord) -> str:
        counts = getattr(record, "stats", {})
        stats = {name: counts[name] for name in counts if name not in ("all", "default", "total")}
        self.steps = sum(stats.values())
        names = ", ".join(name if count == 1 else f"{name} ({count})" for name, count in stats.items())
        again, self.told = self.told, names
        return "" if names == again or not names else f"{self.steps} step{'s' * (self.steps != 1)} to take: {names}"

    def _job_info(self, record: logging.LogRecord) -> str:
        about = run_and_step(record)
        if about is None:
            return ""
        run, step = about
        self.jobs[record.jobid] = run, step, self.clock()  # type: ignore[attr-defined]
        StepLines.begun[run] = step
        why, log = because(getattr(record, "reason", "")), ", ".join(getattr(record, "log", []) or [])
        dry = self.dry()
        more = f" and ask for {asked(record)}" if dry else f"; log: {log}"
        return f"{run}: {step}: {'would start' if dry else 'starts'}{f' ({why})' if why else ''}{more}"

    def _job_finished(self, record: logging.LogRecord) -> str:
        known = self.jobs.pop(getattr(record, "job_id", -1), None)
        if known is None:
            return ""
        self.done += 1
        run, step, since = known
        if StepLines.begun.get(run) == step:
            del StepLines.begun[run]
        return f"{run}: {step}: done after {self.clock() - since:.0f} s ({self.done} of {max(self.steps, self.done)})"

    def _job_error(self, record: logging.LogRecord) -> str:
        logs = ", ".join(getattr(record, "log", []) or [])
        about = run_and_step(record)
        return f"{': '.join(about) if about else 'a job'}: failed{f'; log: {logs}' if logs else ''}"


def run_and_step(record: logging.LogRecord) -> tuple[str, str] | None:
    """Run and step (and part of it) that a record is about; None for a rule that only asks for files of others."""
    rule = getattr(record, "rule_name", "")
    wildcards = getattr(record, "wildcards", None) or {}
    part = f" {wildcards['part']}" if "part" in wildcards else ""
    return (wildcards["run"], f"{rule.removesuffix('_part')}{part}") if "run" in wildcards else None


def asked(record: logging.LogRecord) -> str:
    """What a step asks a machine or a cluster for, in Snakemake's names."""
    resources = getattr(record, "resources", {})
    wanted = {name: resources[name] for name in ("mem_mb", "runtime", "gpu") if resources.get(name)}
    threads = {"threads": getattr(record, "threads", 1)}
    return ", ".join(f"{name}={value}" for name, value in (threads | wanted).items())


def because(reason: str) -> str:
    """What of Snakemake's reason a person can act on: what changed, modules as a number.

    Examples
    --------
    >>> because("Missing output files: a.tsv")
    ''
    >>> because("Updated input files: cohort/e.csv; Params have changed since last execution: {...}")
    'changed: cohort/e.csv, options'
    """
    changed = []
    found = re.search(r"Updated input files: (.*?)(?:; [A-Z]|$)", reason)
    if found:
        files = [file.strip() for file in found[1].split(",")]
        modules = [file for file in files if f"{PACKAGE.name}/" in file and file.endswith((".py", ".parquet", ".gmt"))]
        others = [file for file in files if file not in modules]
        changed += others[:3] + ([f"{len(others) - 3} more files"] if len(others) > 3 else [])
        changed += [f"{len(modules)} modules of mtlbio"] if modules else []
    changed += ["options"] if "Params have changed" in reason else []
    changed += ["the step's command"] if "Code has changed" in reason else []
    changed += ["its list of files"] if "Set of input files has changed" in reason else []
    return f"changed: {', '.join(changed)}" if changed else "made again" if "Forced" in reason else ""


def say_steps(workflow) -> None:
    """Let Snakemake's terminal lines be those of :class:`StepLines`; not where somebody asked for all (``--verbose``),
    and not inside a job."""
    from snakemake.logging import logger

    if not workflow.is_main_process or logger.isEnabledFor(logging.DEBUG):
        return
    for handler in [handler for handler in logger.handlers if handler.name == HANDLER]:
        if not isinstance(handler.formatter, StepLines):
            logger.removeHandler(handler)
            logger.addHandler(_Lines(handler, lambda: bool(getattr(workflow, "dryrun", False))))


class _Lines(logging.StreamHandler):
    """As Snakemake's handler for the terminal, but no empty lines and no colours."""

    def __init__(self, former: logging.Handler, dry: Callable[[], bool]):
        super().__init__(getattr(former, "stream", None))
        self.name = HANDLER
        self.setFormatter(StepLines(former.formatter, dry))
        for wanted in former.filters:
            self.addFilter(wanted)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = self.format(record)
            if text and text != "None":
                self.stream.write(f"{text}\n")
                self.flush()
        except BrokenPipeError:
            raise
        except Exception:
            self.handleError(record)
