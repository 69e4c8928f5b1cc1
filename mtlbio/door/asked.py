"""What is asked of a run beside its steps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mtlbio.door.base import command_of, folder_of, table_at
from mtlbio.kinds.schemas.run import Run
from mtlbio.threads import one_thread

if TYPE_CHECKING:
    from pandas import DataFrame


def influence(run: Run, results: str | Path | None = None, most: int = 20) -> DataFrame:
    """Who moves what: ``influence.tsv``, ``influence/*.tsv``; no step of the workflow (docs/influence.md).

    Gives ``influence.tsv``, a row per donor and task. ``most``: donors without whom the trial of a run with verdicts is
    held again, to see which verdict hangs on one of them. An InputError where the run is not prepared, or is of a kind
    of which this cannot be asked.

    Examples
    --------
    >>> run = mtlbio.read_run("planted/run.yaml")
    >>> moves = mtlbio.influence(run, most=2)
    >>> moves["donor"].nunique(), moves["task"].unique().tolist(), bool((moves["rms"] >= 0).all())
    (48, ['disease', 'age', 'response'], True)
    """
    folder = folder_of(run, results)
    with one_thread():
        command_of(run, "influence")(run, folder, most)
    return table_at(folder / "influence.tsv")


def panel(
    run: Run,
    results: str | Path | None = None,
    sizes: Sequence[float] | None = None,
    prices: str | Path | None = None,
    tasks: Sequence[str] | None = None,
) -> DataFrame:
    """Which few features do what all of them do: ``panel/*.tsv``; no step of the workflow (docs/panels.md).

    Gives ``panel/front.tsv``, a row per task and panel. An InputError where the run is not prepared, or is of a kind of
    which this cannot be asked.

    Parameters
    ----------
    run : a cohort or a table of features, prepared
    results : folder of its results
    sizes : numbers of features; with ``prices`` what a panel may cost
    prices : table with the columns ``feature`` and ``price``
    tasks : that the panels are for, all where left out

    Examples
    --------
    >>> run = mtlbio.read_run("planted/run.yaml")
    >>> front = mtlbio.panel(run, sizes=[6, 12])
    >>> front.query("panel == 'shared'").groupby("task")["size"].apply(list).to_dict()
    {'age': [6, 12], 'disease': [6, 12], 'response': [6, 12]}
    """
    folder = folder_of(run, results)
    with one_thread():
        command_of(run, "panel")(run, folder, sizes, None if prices is None else Path(prices), tasks)
    return table_at(folder / "panel" / "front.tsv")


def tradeoff(
    run: Run,
    results: str | Path | None = None,
    preferences: int = 25,
    alpha: float = 0.5,
    sites: str | None = None,
    prices: str | Path | None = None,
) -> DataFrame:
    """What one task gains when another gives up: ``tradeoff/``; no step of the workflow (docs/tradeoff.md).

    Gives ``tradeoff/front.tsv``. An InputError where the run is not trained, or is of a kind of which this cannot be
    asked.

    Parameters
    ----------
    run : a cohort or a table of features, trained
    results : folder of its results
    preferences : how many weights of the tasks are trained, 3 or more
    alpha : level of the worst case: the mean of the worst 1 - alpha of tasks, donors and sites
    sites : covariate whose levels are sites; as the run names them if left out
    prices : table with the columns ``feature`` and ``price``: the smaller trunks are of panels that cost so much

    Examples
    --------
    >>> run = mtlbio.read_run("planted/run.yaml")
    >>> front = mtlbio.tradeoff(run, preferences=4)
    >>> sorted(front["task"].unique())
    ['age', 'disease', 'response']
    """
    folder = folder_of(run, results)
    with one_thread():
        cost = None if prices is None else Path(prices)
        command_of(run, "tradeoff")(run, folder, preferences, alpha, sites, cost)
    return table_at(folder / "tradeoff" / "front.tsv")


def impute(run: Run, results: str | Path | None = None) -> DataFrame:
    """Blocks that samples lack, filled from those that they have: ``impute/``; no step (docs/assays.md).

    Gives ``impute/features.tsv``, what the filling of every feature is off by in donors held out. An InputError where
    the run is not prepared, has no ``blocks``, or no sample lacks one.

    Examples
    --------
    >>> run = mtlbio.read_run("assays/run.yaml")
    >>> _ = mtlbio.prepare(run)
    >>> features = mtlbio.impute(run)
    >>> features.groupby("block")["from"].unique().str.join("").to_dict()
    {'proteins': 'rna', 'rna': 'proteins'}
    """
    folder = folder_of(run, results)
    with one_thread():
        command_of(run, "impute")(run, folder)
    return table_at(folder / "impute" / "features.tsv")
