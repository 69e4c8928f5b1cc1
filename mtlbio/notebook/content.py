"""What the calls of a notebook say, as the sections of a YAML."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from mtlbio.errors import InputError
from mtlbio.notebook.short import covariates_of, tasks_of
from mtlbio.text import suggestion

# sections of which an argument of the call gives some keys
MERGED = ("metadata", "expression", "pseudobulk")
CELLS = 20  # rows per donor, at the median, from which rows are taken for single cells


def shared_content(
    obs: pd.DataFrame,
    where: str,
    donor: str,
    tasks: Mapping[str, Any],
    covariates: Mapping[str, Any] | None,
    scale: str | None,
    layer: str | None,
    genes: str | None,
    gene_sets: str | Path | None,
    by: Sequence[str],
    cells: bool | None,
    sections: Mapping[str, Any],
) -> dict[str, Any]:
    """Sections of a YAML that every run in memory has; arguments as of :func:`mtlbio.notebook.trial.trial`.

    ``obs`` describes the samples or cells, and ``where`` names it in messages.

    Raises
    ------
    InputError
        No such column, no such GMT file, a section that is no dictionary, a role that there is not.
    """
    if donor not in obs.columns:
        raise InputError(f"donor: no column {donor!r} in {where}; {suggestion(donor, obs.columns)}")
    for key in MERGED:
        if key in sections and not isinstance(sections[key], Mapping):
            raise InputError(f"{key}: found {type(sections[key]).__name__}; expected a dictionary of its keys")
    merged = {key: dict(sections.get(key, {})) for key in MERGED}
    content: dict[str, Any] = {
        "metadata": {"donor": donor} | merged["metadata"],
        "tasks": tasks_of(tasks, obs),
        "covariates": covariates_of(covariates, obs),
    }
    if scale is None and merged["expression"]:
        raise InputError(
            "scale: missing; a section expression is about measurements, which are read where their scale is given"
        )
    if scale is not None:
        measured_in = {"path": "memory", "scale": scale, "layer": layer, "genes": genes}
        content["expression"] = {k: v for k, v in measured_in.items() if v is not None} | merged["expression"]
    if gene_sets is not None:
        content["gene_sets"] = sets_of(gene_sets)
    single = obs.groupby(donor, observed=True).size().median() >= CELLS if cells is None else cells
    if single or by or merged["pseudobulk"]:
        content["pseudobulk"] = {"by": list(by)} | merged["pseudobulk"]
    more = {key: dict(of) if isinstance(of, Mapping) else of for key, of in sections.items() if key not in MERGED}
    return content | more


def sets_of(gene_sets: str | Path) -> str:
    """``builtin``, or the absolute path of a GMT file; an InputError where there is none."""
    if gene_sets == "builtin":
        return "builtin"
    path = Path(gene_sets).expanduser().resolve()
    if not path.is_file():
        raise InputError(f"gene_sets: no such file: {path}; valid: builtin, or the path of a GMT file")
    return str(path)
