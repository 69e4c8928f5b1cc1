"""``mtlbio.plan(obs, ...)``: what a design can show, from the description of the samples alone."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import pandas as pd

from mtlbio.choices.deep import plan_lines
from mtlbio.cohort.content import understood_content
from mtlbio.cohort.metadata import text_table, unique_ids
from mtlbio.cohort.prepare import list_missing_covariates
from mtlbio.cohort.qc import QcList
from mtlbio.cohort.read import joined, used_columns, without_genes
from mtlbio.cohort.samples import checked, samples_of
from mtlbio.errors import InputError
from mtlbio.intake.notes import noticing
from mtlbio.kinds import kind_of
from mtlbio.kinds.read import as_run
from mtlbio.kinds.schemas import CohortRun
from mtlbio.notebook.content import shared_content
from mtlbio.notebook.memory import named
from mtlbio.probing.plan import design_of, planned
from mtlbio.tables import read_table
from mtlbio.threads import one_thread


class Plan(str):
    """The words of ``mtlbio plan``, which a notebook shows as they are; ``table`` is ``plan.tsv``."""

    table: pd.DataFrame

    @classmethod
    def of(cls, text: str, table: pd.DataFrame) -> "Plan":
        """Words with their table."""
        plan = cls(text)
        plan.table = table
        return plan

    def __repr__(self) -> str:
        """The words."""
        return str(self)


def written(text: str, folder: Path) -> Plan:
    """The words of a plan that was written into a folder."""
    return Plan.of(text, read_table(folder / "plan.tsv"))


def plan(
    what,
    *,
    donor: str,
    tasks: Mapping[str, Any],
    covariates: Mapping[str, Any] | None = None,
    dims: int = 20,
    by: Sequence[str] = (),
    cells: bool | None = None,
    name: str = "notebook",
    **sections: Any,
) -> Plan:
    """What these donors can show, before anything is trained or even measured.

    Parameters
    ----------
    what : DataFrame that describes the samples (or cells), or an AnnData, of which ``obs`` alone is looked at
    donor, tasks, covariates, by, cells, name, **sections : as of :func:`mtlbio.notebook.train.train`
    dims : dimensions that the model is expected to find

    Returns
    -------
    Plan
        Text, the words of ``mtlbio plan``; its ``table`` is ``plan.tsv`` (docs/plan.md).

    Raises
    ------
    InputError
        What does not fit, in one line, as far as the description can tell.

    Examples
    --------
    >>> import pandas as pd, mtlbio as mb
    >>> obs = pd.read_csv("planted/metadata.csv", index_col="sample_id")
    >>> found = mb.plan(obs, donor="donor_id", tasks={"disease": "case"}, covariates={"age": "confounder"})
    >>> found.splitlines()[0]
    'notebook: 48 samples of 48 donors.'
    >>> found.table.query("kind == 'pair'")[["task", "covariate"]].values.tolist()
    [['disease', 'age']]
    """
    obs = what if isinstance(what, pd.DataFrame) else getattr(what, "obs", None)
    if not isinstance(obs, pd.DataFrame):
        raise InputError(
            f"obs: found {type(what).__name__}; expected a DataFrame with samples in rows, an AnnData or a run"
        )
    obs, where = named(obs), "obs" if what is obs else "adata.obs"
    # nothing is measured yet: what a run says of its measurements is not looked at
    content = shared_content(obs, where, donor, tasks, covariates, "z", None, None, None, by, cells, sections)
    run = cast(CohortRun, as_run({"run": name, "kind": "cohort", **content}))
    if run.estimated:
        raise InputError(
            f"covariates.{run.estimated[0]}.estimate: composition is estimated from measurements; "
            "valid here: covariates that were recorded"
        )
    with one_thread(), noticing() as notes:
        unique_ids(obs.index, where)
        table, qc = understood_content(run, text_table(obs, used_columns(run, obs, where)), where), QcList()
        data = without_genes(table.index.to_numpy().astype(str), where)
        _, roster, labels, of_covariates = samples_of(run, joined(run, data, table, where, qc, "obs"), qc)
        roster = checked(run, roster, labels, of_covariates, where)
        list_missing_covariates(roster, list(of_covariates), qc)
        design = design_of(run, roster, labels, of_covariates, qc.table(), dims)
    rows, text = planned(design, kind_of(run).planted, notes)
    return Plan.of("\n".join([text, *plan_lines(run.training, rows)]), rows)
