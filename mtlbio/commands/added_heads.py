"""``mtlbio remove-task`` and ``mtlbio heads``: the tasks that were added to a run."""

from pathlib import Path

import pandas as pd

from mtlbio.errors import InputError, listing
from mtlbio.integrity.added import added_tasks, is_there, remove_added
from mtlbio.integrity.folder import check_marked
from mtlbio.model.added import describe_head


def remove_task(results: Path, name: str) -> None:
    """Remove an added task; every other file of the run stays.

    An InputError where no such task was added.
    """
    check_marked(results)
    if name not in added_tasks(results):
        raise InputError(f"{results}: no task {name!r} was added; found: {listing(added_tasks(results))}")
    remove_added(results, name)


def heads(results: Path) -> str:
    """A line per added task: labels, the metric that decides, and whether the trunk helps."""
    check_marked(results)
    rows = [_line(results, name) for name in added_tasks(results)]
    return pd.DataFrame(rows).fillna("NA").to_string(index=False) if rows else f"{results}: no task was added"


def _line(results: Path, name: str) -> dict[str, str]:
    if not is_there(results, name):
        return {"task": name, "answer": "not there: interrupted, or the model was trained again; add it again"}
    about = describe_head(results, name)
    found = about["answer"]
    numbers = {arm: "NA" if found[arm] is None else f"{found[arm]:.3f}" for arm in ("trunk", "ridge", "gain")}
    counts = {"samples": str(found["n_samples"]), "donors": str(found["n_donors"])}
    return {"task": name, "kind": about["task"]["kind"], **counts, "metric": found["metric"], **numbers} | {
        "answer": found["answer"]
    }
