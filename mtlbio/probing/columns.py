"""The columns of verdicts.tsv: a line for each, or for each family such as ``effect_<task>``.

``python -m mtlbio.probing.columns`` writes the section on this table in docs/tables.md.
"""

import math
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from mtlbio.probing.judgement import Judgement
from mtlbio.probing.odds import ROLES
from mtlbio.probing.verdict import RETURNS

ODDS = {role: f"odds_{role}" for role in ROLES}  # role -> its column
HEADING = "## verdicts.tsv: one row per dimension"


@dataclass(frozen=True)
class Column:
    """A column, or several side by side that one sentence explains.

    Attributes
    ----------
    names : of the columns, separated by spaces; those of a family go on with the task or covariate, ``effect_disease``
    meaning : as docs/tables.md has it
    values : a function of the :class:`Judgement` that gives what stands there (of several columns a tuple); of a family
        a function of the ``TaskEvidence`` or ``CovariateEvidence`` too
    per : ``dimension``, or ``task`` or ``covariate`` of the dimension: a family
    question : what the trial has to have asked, else it is left out: ``blocks``, ``duplicates``, ``odds``, or
        the name of a further share (:func:`mtlbio.probing.examine.examine`)
    """

    names: str
    meaning: str
    values: Callable
    per: str = "dimension"
    question: str | None = None

    def cells(self, item: Judgement) -> dict:
        """Column -> value in the row of one dimension."""
        if self.per == "dimension":
            return self._named("", self.values(item))
        row: dict = {}
        for one in item.evidence.tasks if self.per == "task" else item.evidence.covariates:
            row |= self._named(f"_{one.name}", self.values(item, one))
        return row

    def _named(self, end: str, values) -> dict:
        names = self.names.split()
        return dict(zip([name + end for name in names], values if len(names) > 1 else [values], strict=True))

    def documented(self) -> str:
        """Its line of docs/tables.md."""
        end = "" if self.per == "dimension" else f"_<{self.per}>"
        return f"| {', '.join(f'`{name}{end}`' for name in self.names.split())} | {self.meaning} |"


# In the order of the table.
COLUMNS = (
    Column("dim", "`z01`, ...", lambda j: j.evidence.dim),
    Column(
        "verdict",
        "`biology`, `confounder`, `technical`, `mixed`, `unused`, `not_identifiable`, `underpowered` "
        "([what they mean](verdicts.md))",
        lambda j: j.verdict.verdict,
    ),
    Column("driver", "the covariate, task or gene set that names it", lambda j: j.verdict.driver),
    Column(
        "verdict",
        "the verdict that this outcome alone would get, whatever the others are; `NA` for a task that is a covariate. "
        "`error_rate` is not about it: of a dimension that is biology for another outcome it is false at the level of "
        "a single test ([measured](evidence.md#the-verdict-of-one-outcome-alone))",
        lambda j, task: j.by_task.get(task.name),
        per="task",
    ),
    Column(
        "share",
        "share of the dimension's variance that goes with the covariate, 0-1, adjusted",
        lambda j, covariate: covariate.share,
        per="covariate",
    ),
    Column(
        "effect ci_low ci_high q",
        "standardised effect after adjustment (of a time to an event a log hazard ratio per SD), its 95 % interval, "
        "adjusted p",
        lambda j, task: (task.effect, task.ci_low, task.ci_high, task.q),
        per="task",
    ),
    Column(
        "delta delta_ci_low delta_ci_high",
        "loss of the task's metric when the dimension is taken out",
        lambda j, task: (j.removal(task.name).loss, j.removal(task.name).loss_low, j.removal(task.name).loss_high),
        per="task",
    ),
    Column(
        "removal",
        "`harmful`, `harmless` (shown to lose less than the margin), `inconclusive`",
        lambda j, task: j.removal(task.name).removal,
        per="task",
    ),
    Column("stability", "median absolute correlation with its partner over folds and seeds", lambda j: j.stability),
    Column(
        "about",
        "the task that the verdict is about: one that cannot be told from a covariate, else the most closely linked",
        lambda j: j.about,
    ),
    Column("n_effective vif", "of that task, from the design audit", lambda j: (j.n_effective, j.vif)),
    Column(
        "donors_needed needed_for",
        "`underpowered` only: donors that would settle it with 80 % probability, and what for; where no number can be "
        "stated, the words say why",
        lambda j: (j.donors_needed, j.needed_for),
    ),
    Column(
        "held_fixed",
        "of a table of features: the covariate that the dimension is (weight), else `NA`; its effects are then those "
        "of nothing",
        lambda j: j.evidence.held_fixed,
        question="duplicates",
    ),
    Column(
        "identity context",
        "of a run of kind protein: share of the dimension that the own letter, and that its neighbours tell, each "
        "given the other",
        lambda j: (j.shares["identity"], j.shares["context"]),
        question="identity",
    ),
    Column(
        "block",
        "of a run with several assays: those that an axis is in, such as `rna` or `rna+proteins` "
        "([how it is told](assays.md#axes)); `NA` of a supervised dimension",
        lambda j: j.shares["block"],
        question="block",
    ),
    Column(
        "subspace",
        "`NA`, or the axes such as `z07+z09` whose plane the verdict is about, because this one alone was not found "
        "again ([why](verdicts.md#axes-that-turn)); then `driver`, `delta_*`, `removal_*` and `why` are the plane's "
        "too, all other columns the axis' own; not in a run of kind protein",
        lambda j: j.block.dim if j.block else None,
        question="blocks",
    ),
    Column("why", "one plain sentence", lambda j: j.verdict.why),
    Column(
        " ".join(ODDS.values()),
        "of planted dimensions with such evidence, how many were what, 0-1, which sum to 1 ([what they rest on]"
        "(odds.md)): whatever the verdict dares to say. `NA` of a dimension that the folds did not find again "
        f"(`stability` below {RETURNS:g}), and where every task is a covariate too; not in runs of kind protein or "
        "table",
        lambda j: tuple(j.odds.get(role, math.nan) for role in ROLES),
        question="odds",
    ),
    Column(
        "error_rate error_rate_low error_rate_high error_rate_from",
        "share of such verdicts that were wrong on planted cohorts of the nearest design, its 95 % Wilson interval, "
        "and the cell of the [grid](calibration.md), of a time the [events](survival_trial.md); `NA` where nothing is "
        "claimed, or of a task that is refused",
        lambda j: (j.rate.error, j.rate.low, j.rate.high, j.rate.counted),
    ),
)
_FAMILIES = {name for column in COLUMNS if column.per != "dimension" for name in column.names.split()}


def verdict_table(judged: list[Judgement], questions: Collection[str] = ()) -> pd.DataFrame:
    """``verdicts.tsv``: a row per dimension; ``questions`` names what the trial asked besides what every trial asks."""
    columns = [column for column in COLUMNS if column.question is None or column.question in questions]
    rows = [{name: value for column in columns for name, value in column.cells(item).items()} for item in judged]
    return pd.DataFrame(rows)


def column_of(family: str, of: str) -> str:
    """The column of a task or covariate.

    Examples
    --------
    >>> column_of("effect", "disease")
    'effect_disease'
    """
    if family not in _FAMILIES:
        raise KeyError(f"{family}: no such family of columns; there are {', '.join(sorted(_FAMILIES))}")
    return f"{family}_{of}"


def of_family(family: str, columns: Iterable[str]) -> list[str]:
    """Those of a table's columns that belong to a family, whatever the tasks and covariates are called.

    Examples
    --------
    >>> of_family("share", ["dim", "share_age", "share_batch", "effect_disease"])
    ['share_age', 'share_batch']
    """
    return [name for name in columns if str(name).startswith(column_of(family, ""))]


def documented(text: str) -> str:
    """docs/tables.md with its section on this table written anew."""
    lines = ["| column | meaning |", "|---|---|", *(column.documented() for column in COLUMNS)]
    section = "\n".join([HEADING, "", *lines, "", ""])
    return re.sub(rf"^{HEADING}\n.*?(?=^## )", lambda _: section, text, count=1, flags=re.MULTILINE | re.DOTALL)


if __name__ == "__main__":
    target = Path(__file__).parents[2] / "docs" / "tables.md"
    target.write_text(documented(target.read_text(encoding="utf-8")), encoding="utf-8")
    print(target)
