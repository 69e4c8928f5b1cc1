"""``index.html``: all runs of a folder on one page that opens offline, with links to the page of each."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

from mtlbio.files import replacing
from mtlbio.report.page import filled
from mtlbio.report.palette import VERDICTS
from mtlbio.summary.rows import FINISHED
from mtlbio.summary.table import Row, counted, tasks_of, value_in_words


def write_page(rows: list[Row], path: Path) -> None:
    """Write the page; it runs no script and names no date, so that the same results give the same bytes."""
    text = render(rows)
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def render(rows: list[Row]) -> str:
    """The page; everything but the style sheet is escaped."""
    done = [row for row in rows if row["status"] == FINISHED]
    tasks = list(dict.fromkeys(task for row in done for task in tasks_of(row)))
    context = {
        "counted": counted(rows),
        "styles": VERDICTS,
        "tasks": tasks,
        "done": [_shown(row, tasks) for row in done],
        "others": [_other(row) for row in rows if row["status"] != FINISHED],
    }
    return filled("mtlbio.summary", "index.html", context)


def _shown(row: Row, tasks: list[str]) -> dict[str, Any]:
    """Cells of a finished run."""
    known = tasks_of(row)
    return {
        "run": row["run"],
        "page": quote(row["page"]),
        "donors": row.get("donors", "?"),
        "samples": row.get("samples", "?"),
        "verdicts": {name: row.get(name, "?") for name in VERDICTS},
        "tasks": [(value_in_words(row, task), _call(row, task)) if task in known else ("", "") for task in tasks],
        "error": row.get("error"),
    }


def _call(row: Row, task: str) -> str:
    """How a task compares with the best baseline, in words."""
    return (row.get(f"call_{task}") or "").replace("_", " ")


def _other(row: Row) -> dict[str, Any]:
    """What is said of a run without a page of now."""
    words = {name: row.get(name) or "" for name in ("run", "status", "step", "error")}
    return words | {"log": quote(row["log"]) if row.get("log") else ""}
