"""``mtlbio tradeoff``: what one task gains when another gives up.

An extra on request, no step of the workflow: it reads what ``prepare`` and ``train`` wrote and adds a folder
``tradeoff/``.
"""

from pathlib import Path

import pandas as pd

from mtlbio.choices.sharing import SHARED, SHARING
from mtlbio.cohort.cohort import Cohort, read_cohort, read_latents
from mtlbio.cohort.split import read_splits
from mtlbio.errors import InputError, listing
from mtlbio.evaluation.panel.limits import read_prices
from mtlbio.evaluation.tradeoff.points import points_of
from mtlbio.evaluation.tradeoff.scored import PRESENT, Scored, of_run
from mtlbio.evaluation.tradeoff.tables import front_table, models_table, summary_table
from mtlbio.evaluation.tradeoff.trunks import Shape, fit_trunks, whole_of
from mtlbio.integrity.extras import check_own, writing
from mtlbio.integrity.step import checked
from mtlbio.kinds import kind_of
from mtlbio.kinds.schemas import DonorRun
from mtlbio.progress import say
from mtlbio.report.made_of import write_made_of
from mtlbio.report.svg import house_style, save
from mtlbio.report.tradeoff import tradeoff_sentences
from mtlbio.report.tradeoff_picture import tradeoff_figure
from mtlbio.tables import PREDICTIONS, read_table, write_table
from mtlbio.training.preference_stack import fit_preferences, preference_stack

PREFERENCES, LEVEL, MOST = 25, 0.5, 1000
_LEVELS = (0.0, 0.95)
STEPS = ("prepare", "train")


def tradeoff(
    run: DonorRun,
    results: Path,
    preferences: int = PREFERENCES,
    alpha: float = LEVEL,
    sites: str | None = None,
    prices: Path | None = None,
) -> list[str]:
    """Write ``tradeoff/{front,preferences,models,summary}.tsv`` and a picture; gives what they say in sentences.

    Parameters
    ----------
    preferences : weights of the tasks that are trained
    alpha : level of the tails: they descend the mean of the worst ``1 - alpha``
    sites : categorical covariate over whose levels a tail is taken; where left out the one by which the run holds out,
        or shifts, sites, if any

    Raises
    ------
    InputError
        The folder is not prepared or not trained, the run has one task or shares nothing, an option is out of range, or
        as of :func:`mtlbio.evaluation.panel.limits.read_prices`.
    """
    results, words = Path(results), kind_of(run).vocabulary
    _check(run, preferences, alpha)
    records = checked(results, STEPS, run)
    check_own(results, "tradeoff")
    cohort = read_cohort(results / "cohort.h5ad")
    cost = None if prices is None else read_prices(prices, cohort.genes, words.features)
    points = points_of(len(cohort.tasks), preferences, _site(run, cohort, sites))
    splits = read_splits(results, cohort)
    present = of_run(read_table(results / "predictions.tsv", PREDICTIONS), cohort)
    options, evaluate = run.training, run.evaluate
    refitter = preference_stack(cohort, splits, options, points.trained(cohort, alpha))
    say(
        f"{len(points.names)} preferences in one stack of {2 * len(points.names) * len(refitter.folds) * options.seeds}"
    )
    predicted = dict(zip(points.names, fit_preferences(cohort, refitter), strict=True))
    trunks = fit_trunks(cohort, splits, refitter, cost)
    scored = Scored(cohort, {PRESENT: present, **predicted}, evaluate.bootstrap, evaluate.seed)
    shapes = {shape.name: shape for shape in trunks}
    of_trunks = dict(zip(shapes, trunks.values(), strict=True))
    sized = Scored(cohort, {PRESENT: present, **of_trunks}, evaluate.bootstrap, evaluate.seed)
    shapes[PRESENT] = Shape(read_latents(results / "latents.h5ad").n_vars, *whole_of(cohort, options.genes, cost))
    models = models_table(sized, shapes, evaluate.margin)
    tables = {
        "front": front_table(scored, points, evaluate.margin, alpha),
        "preferences": points.table(list(cohort.tasks)),
        "models": models,
        "summary": with_options(summary_table(scored, points, models, evaluate.margin), alpha, options.balancing),
    }
    sentences = tradeoff_sentences(tables, words, evaluate.margin)
    with writing(results, "tradeoff", records) as place:
        for name, table in tables.items():
            write_table(table, place / f"{name}.tsv")
        (place / "sentences.txt").write_text("\n".join(sentences) + "\n", encoding="utf-8")
        with house_style():
            figure, title, description = tradeoff_figure(tables, words, evaluate.margin)
            save(figure, place, "tradeoff", title, description)
        write_made_of(results, "tradeoff", place)
    return sentences


def with_options(summary: pd.DataFrame, alpha: float, balancing: str) -> pd.DataFrame:
    """The summary with what sentences have to know of how it was asked: level of the tails, the run's own weights."""
    asked = pd.DataFrame([{"what": "level", "value": alpha}, {"what": "balancing", "says": balancing}])
    return pd.concat([summary, asked.reindex(columns=summary.columns).astype(summary.dtypes)], ignore_index=True)


def _check(run: DonorRun, preferences: int, alpha: float) -> None:
    """Refuse what cannot be asked of the run before anything is read."""
    predicted = [name for name, task in run.tasks.items() if not task.auxiliary]
    if len(predicted) < 2:
        raise InputError(f"tasks: found {listing(predicted)} only; a trade-off is between two or more")
    if run.federation is not None:
        raise InputError(
            "federation: sites that exchange sums train no preferences; valid: a run that pools its samples"
        )
    if not SHARING[run.training.sharing].shared:
        raise InputError(
            f"training.sharing: {run.training.sharing} sharing has no shared parameters on which tasks could give up "
            f"anything; valid: {listing(SHARED, limit=20)}"
        )
    if not set(run.training.paths) & {"dense", "curved"}:
        raise InputError("training.paths: the trunk has no part in the predictions; valid: with dense or curved")
    if not 3 <= preferences <= MOST:
        raise InputError(f"--preferences: found {preferences}; expected 3 to {MOST}")
    if not _LEVELS[0] < alpha <= _LEVELS[1]:
        raise InputError(
            f"--alpha: found {alpha:g}; expected a number above {_LEVELS[0]:g}, and {_LEVELS[1]:g} at most"
        )


def _site(run: DonorRun, cohort: Cohort, asked: str | None) -> str | None:
    """The covariate whose levels are sites."""
    valid = [name for name, info in cohort.covariates.items() if info.kind == "categorical" and name in cohort.obs]
    if asked is not None:
        if asked not in valid:
            raise InputError(f"--sites: found {asked!r}; valid: {listing(valid)} (categorical covariates)")
        return asked
    of_heads = run.training.sites
    named = [run.splits.by, None if run.splits.also is None else run.splits.also.by, run.training.validate_by]
    named += [None if of_heads is None else of_heads.by]
    return next((name for name in named if name in valid), None)
