"""What the page is made of, read from ``results/<run>/``: three files it cannot do without, and the rest if there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd

from mtlbio import tables
from mtlbio.cohort.cohort import Cohort, read_latents
from mtlbio.cohort.genesets import load_sets
from mtlbio.config import Report, TrialOptions
from mtlbio.errors import InputError, listing
from mtlbio.kinds import KINDS, Kind, kind_named
from mtlbio.kinds.vocabulary import Vocabulary
from mtlbio.probing.null_refits import NULL
from mtlbio.report.made_of import is_current
from mtlbio.report.palette import VERDICTS
from mtlbio.report.set_names import set_name

# table -> (file, columns it must have, what it holds in words to be filled; "" where the page's list leaves it out)
OPTIONAL = {
    "metrics": ("metrics.tsv", tables.METRICS, "every arm on every task, with intervals"),
    "comparisons": ("comparisons.tsv", tables.COMPARISONS, "paired differences between arms"),
    "transfer": ("transfer.tsv", tables.TRANSFER, "does sharing help, per task"),
    "sites_left_out": (
        "sites_left_out.tsv",
        tables.SITES_LEFT_OUT,
        "every metric where {units} and where whole sites are held out, and at every site",
    ),
    "label_noise": ("label_noise.tsv", tables.LABEL_NOISE, "do labels look shuffled, and could it have been seen"),
    "reprobe": ("reprobe.tsv", tables.REPROBE, "can the {batch} still be read, and from what"),
    "history": ("history.tsv", tables.HISTORY, "losses by epoch"),
    "conflict": ("conflict.tsv", tables.CONFLICT, "do the tasks' gradients pull in one direction, by epoch"),
    "effects": ("effects.tsv", tables.EFFECTS, "what a feature changes, in the model"),
    "qc": ("qc.tsv", tables.QC, "what was dropped, and why"),
    "splits": ("splits.tsv", tables.SPLITS, "which {units} were held out together"),
    "audit": ("probing/audit.tsv", ["task", "covariate", "call"], "what the design can tell apart"),
    "association": (
        "probing/association.tsv",
        ["dim", "question", "variable", "n_donors", "adjusted_for"],
        "every test of a dimension, with what was held fixed",
    ),
    "enrichment": ("probing/enrichment.tsv", ["dim", "set"], "{gene_sets} per dimension"),
    "composition": (
        "probing/composition.tsv",
        ["dim", "cell_type", "share", "held_fixed"],
        "cell types that a dimension goes with, estimated from its expression",
    ),
    "sites": (
        "probing/sites.tsv",
        ["dim", "task", "class", "site", "effect", "call", "heterogeneity"],
        "what a biology is at every site, and whether sites differ",
    ),
    "rests_on": ("rests_on.tsv", tables.RESTS_ON, "the blocks that a prediction rests on, and how much on each"),
    "pays": ("pays.tsv", tables.PAYS, "does each block pay, per task"),
    "cross_prediction": ("cross_prediction.tsv", tables.CROSS_PREDICTION, "what one block says of another"),
    "variance_by_block": (
        "variance_by_block.tsv",
        tables.VARIANCE_BY_BLOCK,
        "share of the variance of each block that an axis explains",
    ),
    "influence": ("influence.tsv", tables.INFLUENCE, "what every {unit} moves, and whose sample may not be theirs"),
    "coupling": ("influence/coupling.tsv", tables.COUPLING, "what labels of one task move in another"),
    "turned": ("influence/turned.tsv", tables.TURNED, "verdicts that hang on one {unit}"),
    "panel_front": ("panel/front.tsv", tables.PANEL_FRONT, "performance against the size of a panel, with intervals"),
    "panel_features": (
        "panel/features.tsv",
        tables.PANEL_FEATURES,
        "how sure the {features} of the smallest panel are",
    ),
    "panel_stability": ("panel/stability.tsv", tables.PANEL_STABILITY, "how alike panels are that are chosen again"),
    "panel_exchange": ("panel/exchange.tsv", tables.PANEL_EXCHANGE, "what an exchanged {feature} of the panel costs"),
    "panel_follows": ("panel/follows.tsv", tables.PANEL_FOLLOWS, "covariates in the panel"),
    "panel_verdicts": ("panel/verdicts.tsv", [], "the panel's scores and {features} on trial"),
    "tradeoff_front": (
        "tradeoff/front.tsv",
        tables.TRADEOFF_FRONT,
        "what every weighting of the tasks gains, with intervals",
    ),
    "tradeoff_preferences": ("tradeoff/preferences.tsv", tables.TRADEOFF_PREFERENCES, "these weightings"),
    "tradeoff_models": (
        "tradeoff/models.tsv",
        tables.TRADEOFF_MODELS,
        "trunks of few dimensions on few {features}",
    ),
    "tradeoff_summary": ("tradeoff/summary.tsv", tables.TRADEOFF_SUMMARY, "is there a front, its volume, its knee"),
    "null": ("probing/null.tsv", NULL, ""),
    "null_runs": ("probing/null_runs.tsv", ["refit", "any_biology"], ""),
}


class ReportedRun(Protocol):
    """What the page reads of a run of any kind."""

    run: str
    kind: str
    tasks: Mapping[str, Any]
    probe: TrialOptions
    evaluate: Any
    report: Report


@dataclass(frozen=True)
class Inputs:
    """Everything that one page shows.

    Attributes
    ----------
    latents : DataFrame (samples, dimensions), out-of-fold
    obs : DataFrame (samples, ...), labels and covariates of the same samples, plus ``donor``
    loadings : array (dimensions, genes) or None; ``genes`` holds the names of its columns
    about : DataFrame (dimensions, ...): block, stability, variance
    verdicts : one row per dimension, index ``dim``
    tables : the optional tables by name (a key of ``OPTIONAL``); those that were not found are left out
    members : gene set -> its genes, for the sets that name a dimension
    """

    run: ReportedRun
    cohort: Cohort
    latents: pd.DataFrame
    obs: pd.DataFrame
    loadings: np.ndarray | None
    genes: np.ndarray
    about: pd.DataFrame
    verdicts: pd.DataFrame
    effective_rank: float | None = None
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    members: dict[str, list[str]] = field(default_factory=dict)

    @property
    def kind(self) -> Kind:
        """What the page asks for where kinds of run differ."""
        return kind_named(self.run.kind)

    @property
    def words(self) -> Vocabulary:
        """What the run's sentences call things."""
        return self.kind.vocabulary

    def decides(self, task: str) -> str:
        """The metric on which arms are compared for a task."""
        return self.kind.part("report", "decides")(self, task)

    def spoken(self, driver: str) -> str:
        """A driver in readable form: gene sets are spelt out, tasks and covariates keep the user's name."""
        users = driver in self.cohort.tasks or driver in self.cohort.covariates or driver in self.features
        return driver if users else set_name(driver)

    def directed(self, dim: str, driver: str) -> str:
        """The driver in readable form, with the direction in which it goes where the run's words tell directions."""
        table = self.tables.get("enrichment")
        falls = False
        if self.words.low and table is not None:
            rows = table[(table["dim"] == dim) & (table["set"] == driver) & table["names"].astype(bool)]
            falls = bool((rows["correlation"] < 0).any())
        return (self.words.low if falls else "") + self.spoken(driver)

    @property
    def unseen(self) -> bool:
        """Whether every point is encoded by models that never saw whom it belongs to."""
        return self.kind.part("report", "unseen", missing=True)(self.run)

    @property
    def whose(self) -> str:
        """Held-out donors, where they were held out."""
        return f"held-out {self.words.units}" if self.unseen else self.words.units

    @property
    def features(self) -> list[str]:
        """Columns of the table of features; none where the run has measurements."""
        return self.kind.part("report", "features", missing=[])(self.cohort)

    @property
    def supervised(self) -> frozenset[str]:
        """Dimensions that were trained to follow a task."""
        if "block" not in self.about:
            return frozenset()
        return frozenset(self.about.index[self.about["block"] == "supervised"])

    @property
    def tasks(self) -> list[str]:
        """Names of the tasks, in the order of the YAML."""
        return list(self.cohort.tasks)

    @property
    def covariates(self) -> list[str]:
        """Names of the covariates, in the order of the YAML."""
        return list(self.cohort.covariates)


def read_inputs(run: ReportedRun, results: str | Path) -> Inputs:
    """Read a results folder.

    Raises
    ------
    InputError
        ``cohort.h5ad``, ``latents.h5ad`` or ``verdicts.tsv`` is missing or lacks what the page is about.
    """
    results = Path(results)
    kind = kind_named(run.kind)
    cohort = kind.part("report", "cohort")(results)
    adata = read_latents(results / "latents.h5ad")
    verdicts = _verdicts(results / "verdicts.tsv", list(adata.var_names))
    rank = adata.uns.get("effective_rank")
    # a table of other kinds only was left behind by an earlier run of that name
    foreign = {name for other in KINDS.values() for name in other.tables} - set(kind.tables)
    foreign |= set() if is_current(results) else {"influence", "coupling", "turned"}
    for command in ("panel", "tradeoff"):
        foreign |= set() if is_current(results, command) else {n for n in OPTIONAL if n.startswith(f"{command}_")}
    optional = {
        name: tables.read_table(results / file, columns)
        for name, (file, columns, _) in OPTIONAL.items()
        if name not in foreign and (results / file).exists()
    }
    drivers = set(verdicts["driver"].dropna())  # one that is no gene set is simply not found
    sets = load_sets(getattr(run, "gene_sets", None))
    return Inputs(
        run=run,
        cohort=cohort,
        latents=pd.DataFrame(np.asarray(adata.X, dtype=float), index=adata.obs_names, columns=adata.var_names),
        obs=adata.obs,
        loadings=np.asarray(adata.varm["loadings"], dtype=float) if "loadings" in adata.varm else None,
        genes=np.asarray(adata.uns.get("genes", [])).astype(str),
        about=adata.var,
        verdicts=verdicts,
        effective_rank=None if rank is None else float(rank),
        tables=optional,
        members={name: genes for name, genes in sets.items() if name in drivers},
    )


def _verdicts(path: Path, dims: list[str]) -> pd.DataFrame:
    table = tables.read_table(path, tables.VERDICTS)
    unknown = sorted(set(table["verdict"]) - set(VERDICTS))
    if unknown:
        raise InputError(f"{path}: verdict {listing(unknown)} unknown; valid: {listing(VERDICTS)}")
    strangers = [d for d in table["dim"] if d not in dims]
    if strangers:
        raise InputError(f"{path}: dimension {listing(strangers)} is not in latents.h5ad; run `mtlbio probe` again")
    return table.set_index("dim")
