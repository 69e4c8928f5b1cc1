"""The tables that other programs read: their columns are an interface.

TSV, UTF-8, a header row, ``NA`` for missing. Columns named here always stand, in this order;
columns per task or covariate follow them (see ``verdicts.tsv`` in ``docs/tables.md``). Text that a spreadsheet would
take for a formula is written with an apostrophe before it, which :func:`read_table` takes away.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from mtlbio.errors import InputError, listing
from mtlbio.files import replacing
from mtlbio.reading import understood

QC = ["item", "kind", "reason", "detail"]
SPLITS = ["sample", "donor", "fold"]
PREDICTIONS = ["sample", "donor", "fold", "seed", "arm", "task", "label", "y_true", "y_pred"]
HISTORY = ["arm", "fold", "seed", "epoch", "task", "part", "loss"]
CONFLICT = [
    "epoch", "task_a", "task_b", "networks", "cosine", "cosine_low", "cosine_high", "conflicting", "angle", "norm_a",
    "norm_b", "donors_a", "donors_b", "overlap", "reliable",
]  # fmt: skip
METRICS = ["arm", "task", "metric", "value", "ci_low", "ci_high", "n_samples", "n_donors"]
COMPARISONS = ["arm_a", "arm_b", "task", "metric", "difference", "ci_low", "ci_high", "call"]
TRANSFER = [
    "task", "metric", "multitask", "singletask", "gain", "ci_low", "ci_high", "verdict", "n_samples", "n_donors",
    "overlap", "why",
]  # fmt: skip
REPROBE = [
    "covariate", "role", "adversary", "representation", "classifier", "metric", "value", "ci_low", "ci_high", "chance",
    "readable", "over_labels", "over_low", "over_high", "levels", "n_samples", "n_donors", "why",
]  # fmt: skip
LABEL_NOISE = [
    "task", "metric", "value", "n_units", "share", "share_low", "share_high", "p", "alarm", "could_show", "suspects",
    "why",
]  # fmt: skip
# of runs with splits.also, as the files of the same names beside them
SITE_SPLITS, SITE_PREDICTIONS, SITE_BASELINES = "sites/splits.tsv", "sites/predictions.tsv", "sites/baselines.tsv"
SITES_LEFT_OUT = [
    "arm", "task", "metric", "site", "by_donors", "by_donors_low", "by_donors_high", "by_sites", "by_sites_low",
    "by_sites_high", "lost", "lost_low", "lost_high", "n_samples", "n_donors",
]  # fmt: skip
# of runs with blocks
PREDICTIONS_WITHOUT = "predictions_without.tsv"
RESTS_ON = ["sample", "donor", "fold", "blocks", "task", "network", "share"]
VARIANCE_BY_BLOCK = ["dim", "block", "variance", "in_block", "samples"]
PAYS = [
    "task", "block", "metric", "with_block", "without_block", "gain", "ci_low", "ci_high", "call", "donors_to_tell",
    "n_samples", "n_donors", "why",
]  # fmt: skip
CROSS_PREDICTION = ["from", "to", "r", "r_low", "r_high", "variance", "features", "n_samples", "n_donors"]
IMPUTED = ["block", "from", "feature", "r", "error", "spread", "n_samples", "n_donors", "n_filled"]
CHECKS = ["check", "item", "value", "expected", "low", "high", "call", "why"]
EFFECTS = ["task", "feature", "value", "samples", "prediction", "factor"]
SUBSETS = ["subset", "task", "metric", "value", "gain", "ci_low", "ci_high", "verdict", "n_donors"]
AFFINITY = ["task", "partner", "metric", "gain", "ci_low", "ci_high", "verdict"]
GROUPS = ["rank", "groups", "role", "gain", "over_together", "ci_low", "ci_high", "why"]
CURVE = [
    "task", "donors", "draws", "metric", "multitask", "singletask", "gain", "ci_low", "ci_high", "n_donors",
    "bias_multitask", "bias_singletask", "variance_multitask", "variance_singletask",
]  # fmt: skip
INFLUENCE = [
    "donor", "rank", "evidence", "suspect", "sample", "odd", "task", "class", "wrong_label", "n_labels", "rms",
    "largest", "moved", "by_others", "error", "leverage",
]  # fmt: skip
OLD_TASKS = ["task", "label", "weight", "ci_low", "ci_high", "share", "leans", "n_donors"]
COUPLING = ["task", "by", "gamma", "n_donors", "rms", "rms_by", "rate", "slope"]
HANGING = ["dim", "task", "donor", "left", "p", "p_without", "crosses"]
TURNED = [
    "donor", "dim", "verdict", "verdict_without", "again", "driver", "driver_without", "task", "effect",
    "effect_without", "p", "p_without", "q", "q_without", "why_without",
]  # fmt: skip
PANEL_FRONT = [
    "panel", "task", "limit", "size", "price", "metric", "value", "ci_low", "ci_high", "difference", "diff_low",
    "diff_high", "call", "chosen", "n_samples", "n_donors",
]  # fmt: skip
PANELS = ["panel", "task", "limit", "fold", "rank", "feature", "price"]
PANEL_FEATURES = [
    "panel", "task", "limit", "feature", "rank", "price", "in_folds", "in_draws", "exchange", "follows", "verdict",
]  # fmt: skip
PANEL_EXCHANGE = [
    "feature", "partner", "correlation", "task", "metric", "difference", "ci_low", "ci_high", "call",
]  # fmt: skip
PANEL_STABILITY = ["panel", "task", "limit", "over", "panels", "stability", "ci_low", "ci_high"]
PANEL_FOLLOWS = ["dim", "covariate", "role", "share", "q", "call"]
TRADEOFF_FRONT = [
    "point", "task", "metric", "value", "ci_low", "ci_high", "skill", "difference", "diff_low", "diff_high", "call",
    "on_front", "tail_loss", "n_samples", "n_donors",
]  # fmt: skip
TRADEOFF_PREFERENCES = ["point", "serves", "task", "weight"]
TRADEOFF_MODELS = [
    "model", "dims", "features", "price", "task", "metric", "value", "ci_low", "ci_high", "skill", "difference",
    "diff_low", "diff_high", "call",
]  # fmt: skip
TRADEOFF_SUMMARY = ["what", "point", "task", "value", "ci_low", "ci_high", "says"]
VERDICTS = ["dim", "verdict", "driver"]

# Identifiers stay text even where they look like numbers (donor 007, chip 5730053041).
_TEXT = (
    "sample", "donor", "family", "seed", "arm", "task", "label", "dim", "driver", "set", "item", "level", "subset",
    "partner", "site", "class", "odd", "moved", "by", "panel", "feature",
    "point", "serves", "model", "what", "says", "over",
)  # fmt: skip


# how a formula begins, also in full width; apostrophes before it, so that a name that has one itself comes back whole
_FORMULA = re.compile(r"'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def write_table(table: pd.DataFrame, path: str | Path, columns: list[str] | None = None) -> None:
    """Write a TSV; ``columns`` must all be there and come first."""
    if columns is not None:
        missing = [c for c in columns if c not in table.columns]
        if missing:
            raise KeyError(f"{Path(path).name} lacks its columns {missing}")
        table = table[columns + [c for c in table.columns if c not in columns]]
    with replacing(path) as temporary:
        # Nine digits: more than any result deserves, and stable across BLAS builds.
        escaped(table).to_csv(temporary, sep="\t", index=False, na_rep="NA", float_format="%.9g")


def read_table(path: str | Path, columns: list[str] | None = None) -> pd.DataFrame:
    """Read one of the project's TSVs; raise InputError where a column of the interface is missing.

    Examples
    --------
    >>> folds = read_table("results/planted/splits.tsv", SPLITS)
    >>> folds["donor"].iloc[0]
    'P0001'
    >>> read_table("results/planted/splits.tsv", ["centre"])
    Traceback (most recent call last):
    mtlbio.errors.InputError: results/planted/splits.tsv: column centre missing; found sample, donor, fold
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path}: no such file; run the step that writes it first")
    # only the empty-by-convention mark is missing: a donor called "nan" or a label "None" is text
    with understood(path, "a table that mtlbio wrote: run the step that writes it again"):
        with open(path, "rb") as file:
            # a name may hold a carriage return, which ends no line unless a spreadsheet saved the file
            ends = None if file.readline().endswith(b"\r\n") else "\n"
        types = dict.fromkeys(_TEXT, str)
        table = pd.read_csv(
            path, sep="\t", na_values=["NA"], keep_default_na=False, dtype=types, lineterminator=ends, encoding="utf-8"
        )
    missing = [c for c in columns or [] if c not in table.columns]
    if missing:
        raise InputError(f"{path}: column {listing(missing)} missing; found {listing(table.columns)}")
    return _changed(table, lambda text: text[1:] if text[0] == "'" and _is_special(text[1:]) else text)


def escaped(table: pd.DataFrame) -> pd.DataFrame:
    """The table with an apostrophe before text that a spreadsheet would execute, and before the text NA, which would
    come back as missing; numbers stay as they are.

    Examples
    --------
    >>> escaped(pd.DataFrame({"gene": ["=1+1", "-1.5", "CD4", "'@x"]}))["gene"].tolist()
    ["'=1+1", '-1.5', 'CD4', "''@x"]
    """
    return _changed(table, lambda text: f"'{text}" if _is_special(text) and not _NUMBER.fullmatch(text) else text)


def _is_special(text: str) -> bool:
    return bool(_FORMULA.match(text)) or text.lstrip("'") == "NA"


def _changed(table: pd.DataFrame, change: Callable[[str], str]) -> pd.DataFrame:
    """A table with ``change`` applied to its text; the same object where nothing changes."""
    columns = dict[str, pd.Series]()
    for name, column in table.items():
        if pd.api.types.is_numeric_dtype(column.dtype):
            continue
        other = {text: change(text) for text in column.unique() if isinstance(text, str) and text}
        if any(text != new for text, new in other.items()):
            columns[str(name)] = column.astype(object).map(lambda value, other=other: other.get(value, value))
    return table.assign(**columns) if columns else table
