"""``mtlbio panel``: which few features do for the tasks what all of them do.

An extra on request, no step of the workflow: it reads what ``prepare`` wrote and adds a folder ``panel/``.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mtlbio.cohort.cohort import read_cohort
from mtlbio.cohort.split import read_splits
from mtlbio.commands.panel_tables import panel_tables
from mtlbio.errors import InputError, listing
from mtlbio.evaluation.panel.chosen import choose_panels
from mtlbio.evaluation.panel.front import Scored
from mtlbio.evaluation.panel.limits import limits_of, read_prices
from mtlbio.integrity.extras import check_own, writing
from mtlbio.integrity.step import checked
from mtlbio.kinds import kind_of
from mtlbio.kinds.schemas import DonorRun
from mtlbio.progress import say
from mtlbio.report.made_of import write_made_of
from mtlbio.report.smaller_panel import panel_sentences
from mtlbio.tables import write_table

LEAST_FEATURES = 4


def panel(
    run: DonorRun,
    results: Path,
    sizes: Sequence[float] | None = None,
    prices: Path | None = None,
    tasks: Sequence[str] | None = None,
) -> list[str]:
    """Write ``panel/{front,panels,features,exchange,follows,verdicts}.tsv``; gives what they say in sentences.

    Parameters
    ----------
    sizes : of the panels, in features; with ``prices`` what they may cost; a row of usual ones where left out
    prices : table with the columns ``feature`` and ``price``
    tasks : that the panels are for, all where left out

    Raises
    ------
    InputError
        The folder is not prepared, a task is none of the run's, or as of
        :func:`mtlbio.evaluation.panel.limits.limits_of` and :func:`mtlbio.evaluation.panel.limits.read_prices`.
    """
    results, words = Path(results), kind_of(run).vocabulary
    records = checked(results, ("prepare",), run)
    check_own(results, "panel")
    cohort = read_cohort(results / "cohort.h5ad")
    if tasks is not None:
        unknown = [name for name in tasks if name not in cohort.tasks]
        if unknown or not tasks:
            raise InputError(f"--tasks: found {listing(unknown)}; valid: {listing(cohort.tasks)}")
        cohort = replace(cohort, tasks={name: task for name, task in cohort.tasks.items() if name in tasks})
    cost = None if prices is None else read_prices(prices, cohort.genes, words.features)
    candidates = min(len(cohort.genes), run.training.genes)
    if candidates < LEAST_FEATURES:
        raise InputError(f"cohort.h5ad: {candidates} {words.features}; a panel is for {LEAST_FEATURES} or more")
    limits = limits_of(sizes, candidates, cost)
    splits = read_splits(results, cohort)
    options = run.evaluate
    say(f"Panels out of {candidates} {words.features}, chosen in every fold")
    panels = choose_panels(cohort, splits, limits, candidates, cost, options.seed)
    scored = Scored(cohort, panels, options.bootstrap, options.seed, options.margin)
    tables = panel_tables(scored, splits, limits, candidates, cost, run.trial_options, words)
    with writing(results, "panel", records) as place:
        for name, table in tables.items():
            write_table(table, place / f"{name}.tsv")
        write_made_of(results, "panel", place)
    return panel_sentences(tables, words, options.margin)
