"""What the names and values of metadata columns hint at, for the draft of a run."""

import re

import pandas as pd

DONOR = ("donor", "subject", "patient", "individual", "participant", "person", "case_id", "mouse", "animal")
DISEASE = ("disease", "diagnosis", "case", "case_control", "status", "disease_status", "phenotype")
CONDITION = ("condition", "group", "stim", "stimulation", "treatment", "infection")
RESPONSE = ("response", "responder", "outcome", "remission", "relapse", "recurrence", "progression")
CONFOUNDER = (
    *("sex", "gender", "race", "ethnicity", "ancestry", "country", "study", "smoking", "smoker", "bmi"),
    *("site", "centre", "center", "hospital", "cohort"),
)
TECHNICAL = ("batch", "plate", "chip", "run", "lane", "array", "slide", "flowcell", "sequencer", "library", "kit")
POSITION = ("position", "row", "col", "column", "well")
# Read-outs and book-keeping that a name gives away: learning from them would be circular or pointless.
_DERIVED = ("score", "reference", "predicted", "prediction", "replicate", "pair", "split", "cellprop", "proportion")
_CONTROL = (
    *("healthy", "control", "ctrl", "ctl", "normal", "hc", "unaffected", "wildtype", "wt", "unstimulated", "untreated"),
    *("none", "no", "neg", "negative", "0", "false", "placebo", "baseline"),
)
_GOOD = (
    *("responder", "response", "responders", "r", "cr", "complete", "remission", "favourable", "favorable", "good"),
    *("yes", "true", "1", "improved", "recovered", "relapse", "progression"),
)
_NEGATING = ("non", "not", "un", "no", "never", "without")

LEAST_VALUES = 10  # that a regression needs, different ones


def words(column: str) -> list[str]:
    """Words of a column's name: ``array_chip``, ``arrayChip`` and ``array.chip`` are two each."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", column).lower().replace(".", "_").replace(" ", "_").split("_")


def has_word(column: str, vocabulary: tuple[str, ...]) -> bool:
    """Whether a column is named by one of the words, alone or with others."""
    return column.lower() in vocabulary or any(w in vocabulary for w in words(column))


def is_age(column: str) -> bool:
    """Whether a column is called age."""
    return column.lower() in ("age", "age_years", "age_at_sampling", "age_at_diagnosis", "age_at_visit")


def is_derived(column: str) -> bool:
    """Whether a name says that the column was derived from the data, or keeps the books."""
    parts = words(column)
    return any(w in _DERIVED or w.rstrip("s") in _DERIVED for w in parts) or parts[-1] == "id"


def guess_positive(carriers: pd.Series) -> str:
    """The class that counts as 1: the good answer, the one that is no control, else the rarer one."""

    parts = {level: re.split(r"[\W_]+", level.lower()) for level in carriers.index}

    def negated(level: str) -> bool:
        return parts[level][0] in _NEGATING or level.lower().startswith(("non", "un"))

    def called(level: str, names: tuple[str, ...]) -> bool:
        return not {level.lower(), *parts[level]}.isdisjoint(names)

    good = [level for level in parts if called(level, _GOOD) and not negated(level)]
    control = [level for level in parts if called(level, _CONTROL) or negated(level)]
    if len(good) == 1:
        return good[0]
    if len(control) == 1:
        return next(level for level in parts if level != control[0])
    return carriers.idxmin()
