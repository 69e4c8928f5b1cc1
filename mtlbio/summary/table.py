"""The rows of all runs: as ``summary.tsv``, and as lines on the terminal."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from mtlbio.metrics import metric_named
from mtlbio.summary.rows import FINISHED, SUMMARY, NotStarted, row_of, row_of_not_started
from mtlbio.tables import write_table

Row = dict[str, Any]
# the verdicts that a reader looks for first; the others are counted together
FIRST = ("biology", "confounder", "technical")


def all_rows(
    results: Path, yamls: Mapping[str, str], not_started: list[NotStarted], since: float
) -> tuple[list[Row], list[Row]]:
    """A row per run: those asked for (``yamls``: name -> YAML of the started ones), and all that lie in ``results``,
    those asked for first."""
    asked = [row_of(results / run, yaml, since) for run, yaml in yamls.items()]
    asked += [row_of_not_started(wrong) for wrong in not_started]
    others = {path.parent.name for path in results.glob("*/logs")} - {row["run"] for row in asked}
    return asked, asked + [row_of(results / run) for run in sorted(others)]


def write_summary(rows: list[Row], path: Path) -> None:
    """Write ``summary.tsv``; columns per task follow those that always stand."""
    table = pd.DataFrame(rows)
    table = table.reindex(columns=[*SUMMARY, *(name for name in table.columns if name not in SUMMARY)])
    counts = table.columns[table.columns.get_loc("donors") : table.columns.get_loc("page")]
    write_table(table.astype(dict.fromkeys(counts, "Int64")), path, SUMMARY)


def in_print(rows: list[Row], results: Path) -> list[str]:
    """Lines for the terminal: a table of the runs that are finished, then what happened to each of the others."""
    done = [row for row in rows if row["status"] == FINISHED]
    lines = _aligned(done) if done else []
    for row in rows:
        if row["status"] == FINISHED and not row.get("error"):
            continue
        where = f" at {row['step']}" if row.get("step") else ""
        line = f"{row['run']}: {row['status']}{where}"
        line += f": {row['error']}" if row.get("error") else ""
        lines.append(line + (f" (log: {results / row['log']})" if row.get("log") else ""))
    if len(done) == 1:
        lines.append(f"Open {results / done[0]['page']} in a browser.")
    return [*lines, counted(rows)]


def counted(rows: list[Row]) -> str:
    """How many runs came to which end."""
    states = pd.Series([row["status"] for row in rows]).value_counts(sort=False)
    return f"{len(rows)} run{'s' * (len(rows) != 1)}: " + ", ".join(f"{n} {state}" for state, n in states.items())


def _aligned(rows: list[Row]) -> list[str]:
    head = ("run", "donors", *FIRST, "other", "performance of every task, 95 % interval")
    cells = [head, *(tuple(map(str, _cells(row))) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    # names to the left, counts to the right, and the last column as long as it is
    return [
        "  ".join(
            [line[0].ljust(widths[0])]
            + [cell.rjust(width) for cell, width in zip(line[1:-1], widths[1:-1], strict=True)]
            + [line[-1]]
        )
        for line in cells
    ]


def _cells(row: Row) -> Iterator[Any]:
    yield from (row["run"], row.get("donors", "?"))
    yield from (row.get(name, "?") for name in FIRST)
    yield row["dims"] - sum(row[name] for name in FIRST) if "dims" in row else "?"
    yield "; ".join(task_in_words(row, task) for task in tasks_of(row))


def tasks_of(row: Row) -> list[str]:
    """Tasks of which a row knows how well they are predicted."""
    return [name.removeprefix("value_") for name in row if name.startswith("value_")]


def task_in_words(row: Row, task: str) -> str:
    """How well a task is predicted, e.g. ``disease AUROC 0.82 (0.77 to 0.87)``."""
    return f"{task} {value_in_words(row, task)}"


def value_in_words(row: Row, task: str) -> str:
    """The value of a task's metric with its interval."""
    value, low, high = (row[f"{name}_{task}"] for name in ("value", "ci_low", "ci_high"))
    return f"{metric_named(row[f'metric_{task}']).printed} {value:.2f} ({low:.2f} to {high:.2f})"
