"""The trial of any examinee, in memory, and the tables that it leaves: the one way for every kind of run."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic

import numpy as np
import pandas as pd

from mtlbio.probing.ablation import ablation
from mtlbio.probing.association import association
from mtlbio.probing.audit import audited
from mtlbio.probing.by_class import by_class
from mtlbio.probing.claims import with_refusals
from mtlbio.probing.collect_evidence import collect_evidence
from mtlbio.probing.columns import verdict_table
from mtlbio.probing.composition import with_cells
from mtlbio.probing.covariate_duplicates import covariate_duplicates
from mtlbio.probing.evidence import Evidence
from mtlbio.probing.examinee import Examinee, checked
from mtlbio.probing.judgement import Judgement, judgements
from mtlbio.probing.leakage import leakage
from mtlbio.probing.linked import with_links
from mtlbio.probing.odds import coefficients_for, odds_by_dimension, terms_of
from mtlbio.probing.planes import subspace_table
from mtlbio.probing.rates import Rate, rate_of
from mtlbio.probing.sites import claimed, sites
from mtlbio.probing.stability import as_written
from mtlbio.probing.stability import stability as stability_of_effects
from mtlbio.probing.subspaces import Genes, Subspace, subspace_tests, subspaces
from mtlbio.probing.trial import AnyTrial as T
from mtlbio.probing.trial import Trial
from mtlbio.progress import say
from mtlbio.tables import VERDICTS, write_table

TABLES = ("audit", "association", "ablation", "enrichment", "stability", "subspaces", "odds")


@dataclass(frozen=True)
class Procedure(Generic[T]):
    """What a kind of run asks in its trials.

    Attributes
    ----------
    names : what names a dimension, with the columns of :mod:`mtlbio.probing.enrichment`: gene sets, features of a
        table, properties of residues
    rates : of which planted cohorts, a key of :data:`mtlbio.probing.rates.SPEAK_FOR`; None where none were counted
        on such latents
    blocks : whether axes that turn are tried as the space they span; the examinee needs a final model for it
    genes : what names a direction of such a space
    classes : whether technical covariates are asked if they move every class of an outcome
    duplicates : whether a dimension may be a covariate (:mod:`mtlbio.probing.covariate_duplicates`)
    rescaled : the table of associations with shares of another variance
    shares : further columns of verdicts.tsv, a row per dimension with ``dim``
    claims : tasks of which these latents can show nothing, and why (:mod:`mtlbio.probing.claims`)
    composition : which dimensions go with which cells (:mod:`mtlbio.probing.composition`): a table more
    sites : the covariate within whose levels every biology is asked again (:mod:`mtlbio.probing.sites`): a table more
    """

    names: Callable[[T], pd.DataFrame]
    rates: str | None = None
    blocks: bool = False
    genes: Genes | None = None
    classes: bool = False
    duplicates: bool = False
    rescaled: Callable[[pd.DataFrame], pd.DataFrame] | None = None
    shares: Callable[[T], pd.DataFrame] | None = None
    composition: Callable[[T], pd.DataFrame] | None = None
    claims: Callable[[T, pd.DataFrame], dict[str, str]] | None = None
    sites: str | None = None


def examine(trial: T, examinee: Examinee, stability: np.ndarray, procedure: Procedure[T]) -> dict[str, pd.DataFrame]:
    """The whole trial: tables by name, ``TABLES``, ``verdicts``; ``composition`` and ``sites`` where asked for.

    Parameters
    ----------
    trial : samples in the order of ``examinee``; its design is audited here
    stability : (D,) median absolute correlation of a dimension with its partner over folds and seeds, NaN not known
    procedure : what is asked beside what every trial asks

    Raises
    ------
    InputError
        The examinee has other samples or dimensions, or it saw labels of the samples on trial.
    """
    examinee = checked(examinee, len(trial.z), trial.dims, judged=procedure.claims is not None)
    trial, design = audited(trial)
    if procedure.claims is not None:
        trial = replace(trial, refused=procedure.claims(trial, design))
        design = with_refusals(design, trial)
    spaces = subspaces(trial, examinee, stability) if procedure.blocks else []
    removed = ablation(trial, examinee, {space.name: space.places for space in spaces if space.block.stable})
    named = procedure.names(trial)
    duplicates = covariate_duplicates(trial, examinee.fold) if procedure.duplicates else {}
    cells = {} if procedure.composition is None else {"composition": procedure.composition(trial)}
    held = Held(spaces, removed, named, duplicates, cells.get("composition"))
    tested = judged_again(trial, design, stability, held, procedure)
    effects, judged, evidence = tested.effects, tested.judged, tested.evidence
    if procedure.rates is not None:
        judged = [replace(item, rate=_rate(trial, item, design, procedure.rates)) for item in judged]
    terms, coefficients = terms_of(evidence), coefficients_for(procedure.rates)
    if coefficients is not None:
        likely = odds_by_dimension(evidence, terms, coefficients)
        judged = [replace(item, odds=odds) for item, odds in zip(judged, likely, strict=True)]
    if procedure.shares is not None:
        more = procedure.shares(trial).set_index("dim").to_dict("index")
        judged = [replace(item, shares=more[item.evidence.dim]) for item in judged]
    # leakage has no table of its own: its columns belong to the rows of the task's effect
    merged = effects.merge(tested.beside.rename(columns={"task": "variable"}).assign(question="task"), how="left")
    merged = pd.concat([merged, tested.uneven], ignore_index=True) if len(tested.uneven) else merged
    written = (design, merged, removed, named, as_written(tested.steady), tested.planes, terms)
    tables = dict(zip(TABLES, written, strict=True))
    questions = {name for name in ("blocks", "duplicates") if getattr(procedure, name)}
    questions |= {"odds"} if coefficients is not None else set()
    inside = {} if procedure.sites is None else {"sites": sites(trial, procedure.sites, claimed(judged))}
    return {**tables, **cells, **inside, "verdicts": verdict_table(judged, questions | set(judged[0].shares))}


@dataclass(frozen=True)
class Held:
    """What the trial knows of the model's dimensions whichever donors are tested.

    ``spaces``: blocks of axes; ``removed``: of the ablation; ``named``: what names a dimension; ``duplicates``: which
    covariate a dimension is; ``cells``: the table of the composition, None where it is not asked.
    """

    spaces: list[Subspace]
    removed: pd.DataFrame
    named: pd.DataFrame
    duplicates: dict[str, str]
    cells: pd.DataFrame | None = None


@dataclass(frozen=True)
class Tested:
    """Every test of every dimension (``effects``; ``beside`` others; ``steady``; ``uneven`` in classes; ``planes``),
    the ``evidence`` and what is ``judged`` of it."""

    effects: pd.DataFrame
    beside: pd.DataFrame
    steady: pd.DataFrame
    uneven: pd.DataFrame
    evidence: list[Evidence]
    judged: list[Judgement]
    planes: pd.DataFrame


def judged_again(
    trial: Trial, design: pd.DataFrame, stability: np.ndarray, held: Held, procedure: Procedure[T]
) -> Tested:
    """All tests of an audited trial and its verdicts, given what is known of the dimensions."""
    effects = association(trial)
    effects = effects if procedure.rescaled is None else procedure.rescaled(effects)
    effects = with_links(trial, effects)
    beside = leakage(trial, effects)
    steady = stability_of_effects(trial, stability)
    uneven = by_class(trial) if procedure.classes else pd.DataFrame()
    removed, named = held.removed, held.named
    evidence = collect_evidence(trial, effects, beside, removed, steady, named, uneven, held.duplicates)
    evidence = evidence if held.cells is None else with_cells(evidence, held.cells)
    judged = judgements(evidence, design, stability, trial.options)
    tests, directions = subspace_tests(trial, held.spaces, effects, procedure.genes)
    planes, decided = subspace_table(trial, held.spaces, tests, removed, stability, directions, effects)
    judged = [replace(item, **decided.get(item.evidence.dim, {})) for item in judged]
    return Tested(effects, beside, steady, uneven, evidence, judged, planes)


def write_tables(tables: dict[str, pd.DataFrame], results: Path) -> None:
    """Write ``verdicts.tsv`` and, below ``probing/``, every other table."""
    for name, table in tables.items():
        if name == "verdicts":
            write_table(table, results / "verdicts.tsv", VERDICTS)
        else:
            write_table(table, results / "probing" / f"{name}.tsv")
    counts = tables["verdicts"]["verdict"].value_counts()
    say("verdicts: " + ", ".join(f"{count} {verdict}" for verdict, count in counts.items()))


def _rate(trial: Trial, judged: Judgement, design: pd.DataFrame, kind: str) -> Rate:
    """How often such a verdict was wrong; of a time, on cohorts of measurements with so many events."""
    verdict, about, alpha = judged.verdict.verdict, judged.about, trial.options.alpha
    label = trial.tasks[about]
    if not label.counts:
        return rate_of(verdict, about, design, kind, alpha)
    if kind != "measurements":  # none were counted of times in other kinds of run
        return Rate()
    events = float(label.telling(trial.task_units(about).y).sum())
    return rate_of(verdict, about, design, "times", alpha, events=events)
