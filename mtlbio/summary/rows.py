"""What became of a run, in one row: read from its folder alone, so that it does not matter who ran it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from mtlbio.errors import InputError
from mtlbio.integrity.record import place_of
from mtlbio.kinds import STEPS
from mtlbio.report.palette import VERDICTS
from mtlbio.summary.complaints import complaints, logs_of, step_of
from mtlbio.tables import read_table

if TYPE_CHECKING:
    from pandas import DataFrame

FINISHED, FAILED, UNFINISHED, NOT_STARTED = "finished", "failed", "unfinished", "not started"
SUMMARY = ["run", "status", "step", "error", "log", "yaml", "donors", "samples", "dims", *VERDICTS, "page"]
OF_TASK = ("metric", "value", "ci_low", "ci_high", "call")
STOPPED = "stopped (Ctrl-C)"
SILENT = "ended without a word: killed, out of memory, or stopped"


@dataclass(frozen=True)
class NotStarted:
    """A run that was asked for and cannot be started: its name, its YAML, and why, in one line."""

    run: str
    yaml: str
    error: str


def row_of(folder: Path, yaml: str | None = None, since: float = 0.0) -> dict[str, Any]:
    """A row of ``summary.tsv`` without what is not known.

    Parameters
    ----------
    folder : results of the run
    yaml : its YAML, where that is known
    since : seconds since the epoch at which the workflow began; what older logs complain of is over, and infinity is
        for a workflow that did all it was to do
    """
    row: dict[str, Any] = {"run": folder.name, "yaml": yaml} | _state(folder, since)
    if row["status"] == FINISHED:
        for fill in (_sizes, _verdicts, _performance):
            try:
                row |= fill(folder)
            except (InputError, OSError, ValueError, KeyError) as error:
                # a table that somebody edited spoils its own cells only
                row["error"] = " ".join(str(error).split())
    return row


def row_of_not_started(wrong: NotStarted) -> dict[str, Any]:
    """A row of ``summary.tsv``."""
    return {"run": wrong.run, "status": NOT_STARTED, "error": wrong.error, "yaml": wrong.yaml}


def _state(folder: Path, since: float) -> dict[str, Any]:
    """``status``, and of a run that is not finished the step, its error and its log; of one that is its page."""
    page = folder / "report.html"
    for said in complaints(folder, since):
        return {"status": FAILED, "step": said.step, "error": said.text, "log": _below(said.log, folder)}
    without = [step for step in STEPS if not place_of(folder, step).is_file()]
    if page.exists() and not without:
        return {"status": FINISHED, "page": _below(page, folder)}
    # a part of a step (train_fold0) belongs to it
    silent = [log for log in logs_of(folder, since) if step_of(log, folder).split("_")[0] in without]
    if not silent:
        return {"status": UNFINISHED if logs_of(folder) else NOT_STARTED}
    return {
        "status": UNFINISHED,
        "step": step_of(silent[0], folder),
        "error": SILENT,
        "log": _below(silent[0], folder),
    }


def explain(rows: list[dict[str, Any]], failures: list[str], stopped: Mapping[str, str] = MappingProxyType({})) -> None:
    """Put what the cluster said of a job in place of the silence of a step that was killed.

    ``failures`` are lines as :func:`mtlbio.cluster.told.told` writes them, their log behind the last semicolon.
    ``stopped``: run -> step in which somebody stopped it: what is there of the run is from before.
    """
    for row in rows:
        if row["run"] in stopped and row["status"] in (FINISHED, UNFINISHED):
            known = {key: row[key] for key in ("run", "yaml", "log") if key in row}
            row.clear()
            row |= known | {"status": UNFINISHED, "step": stopped[known["run"]], "error": STOPPED}
        elif row.get("error") == SILENT:
            title = f"mtlbio: error: run {row['run']}, step {row['step']} "
            for text in failures:
                if text.startswith(title):
                    row["error"] = text.splitlines()[0].removeprefix(title).partition("; log: ")[0]


def _below(file: Path, folder: Path) -> str:
    """A file's place below the folder of all results, where the summary stands."""
    return file.relative_to(folder.parent).as_posix()


def _sizes(folder: Path) -> dict[str, Any]:
    splits = read_table(folder / "splits.tsv", ["sample", "donor"])
    return {"donors": splits["donor"].nunique(), "samples": len(splits)}


def _verdicts(folder: Path) -> dict[str, Any]:
    """How many dimensions got each verdict."""
    verdicts = read_table(folder / "verdicts.tsv", ["dim", "verdict"])["verdict"]
    return {"dims": len(verdicts)} | {name: int((verdicts == name).sum()) for name in VERDICTS}


def _performance(folder: Path) -> dict[str, Any]:
    """Of every task the metric on which arms are compared, of what the run is about, and how it did against the best
    baseline."""
    metrics = read_table(folder / "metrics.tsv", ["arm", "task", "metric", "value", "ci_low", "ci_high"])
    compared = read_table(folder / "comparisons.tsv", ["arm_a", "task", "metric", "call"])
    from mtlbio.evaluation.comparisons import on_trial  # whoever only looks what is to do does without its imports

    cells: dict[str, Any] = {}
    for task in metrics["task"].unique():
        mine = compared[compared["task"] == task]
        own = metrics[(metrics["task"] == task) & (metrics["arm"] == on_trial(set(metrics["arm"])))]
        own = own[own["metric"] == mine["metric"].iloc[0]] if len(mine) else own
        if len(own):
            cells |= {f"{name}_{task}": own[name].iloc[0] for name in OF_TASK[:-1]}
            cells |= {f"call_{task}": _call(mine)}
    return cells


def _call(compared: DataFrame) -> str | None:
    """The call against the best baseline."""
    best = compared[compared["best_baseline"] == "yes"] if "best_baseline" in compared else compared[:0]
    return best["call"].iloc[0] if len(best) else None
