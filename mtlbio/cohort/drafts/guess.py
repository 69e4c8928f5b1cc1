"""What the names and values of metadata columns hint at, for the draft of a run."""

import re

import pandas as pd

DONOR = ("donor", "subject", "patient", "individual", "participant", "person", "case_id", "mouse", "animal", "proband")
DISEASE = (
    *("disease", "diagnosis", "case", "case_control", "status", "disease_status", "phenotype", "dx", "diag"),
    *("affected",),
    *("disease_state", "disease_group", "disease_label", "disease_type", "diagnosis_group", "dx_group", "group_dx"),
    *("case_status", "casecontrol", "case_control_status", "affection_status", "affection", "health_status"),
    *("health_state", "clinical_status", "clinical_diagnosis", "primary_diagnosis", "final_diagnosis", "illness"),
    *("patient_group", "subject_group", "subject_status", "patient_status", "disease_subtype", "subtype"),
    *("cancer_type", "tumor_type", "tumour_type", "pathology", "histology"),
)
CONDITION = ("condition", "group", "stim", "stimulation", "treatment", "infection")
# columns that tables made for learning call their label
LABEL = ("target", "label", "class", "classification", "y")
RESPONSE = (
    *("response", "responder", "responders", "responded", "outcome", "recist"),
    *("remission", "relapse", "recurrence", "progression"),
)
CONFOUNDER = (
    *("sex", "gender", "race", "ethnicity", "ancestry", "country", "study", "smoking", "smoker", "smoke", "tobacco"),
    *("bmi",),
    *("site", "centre", "center", "hospital", "cohort"),
)
TECHNICAL = (
    *("batch", "plate", "chip", "run", "lane", "array", "slide", "flowcell", "sequencer", "library", "kit"),
    *("assay", "platform", "instrument", "scanner", "operator", "technician", "plex"),
)
# beside a word of a confounder these make a name of processing of it: processing_cohort, sequencing_center
_PROCESSED = ("processing", "processed", "sequencing", "hybridization", "hybridisation")
POSITION = ("position", "row", "col", "column", "well")
# Read-outs and book-keeping that a name gives away: learning from them would be circular or pointless.
_DERIVED = ("score", "reference", "predicted", "prediction", "replicate", "pair", "split", "cellprop", "proportion")
# how GEO describes a submission, not a sample
_SUBMISSION = (
    *("title", "submission_date", "last_update_date", "type", "channel_count", "source_name", "organism", "taxid"),
    *("molecule", "data_row_count", "description", "relation", "supplementary_file", "hyb_protocol"),
    *("scan_protocol", "data_processing", "extract_protocol", "label_protocol", "growth_protocol"),
    *("treatment_protocol", "library_selection", "library_source", "library_strategy", "geo_accession"),
)
_CONTROL = (
    *("healthy", "control", "ctrl", "ctl", "normal", "hc", "unaffected", "wildtype", "wt", "unstimulated", "untreated"),
    *("controls", "con", "cntl", "ctr", "cn", "nc", "nci", "cu", "normals", "asymptomatic"),
    *("none", "no", "neg", "negative", "0", "false", "placebo", "baseline"),
)
_GOOD = (
    *("responder", "response", "responders", "r", "cr", "complete", "remission", "favourable", "favorable", "good"),
    *("yes", "true", "1", "improved", "recovered", "relapse", "progression"),
)
_NEGATING = ("non", "not", "un", "no", "never", "without")

LEAST_VALUES = 10  # that a regression needs, different ones


# what repositories write around a name: characteristics_ch1.age, age:ch1, Characteristics[age], Factor Value[age]
_AROUND = re.compile(
    r"^(?:sample[_ ]?)?(?:characteristics?(?:[_ .]?ch\d)?|factor[_ .]?value|comment|parameter[_ .]?value)"
    r"[_ .:\[]+(?=\w*[a-z])(?!ch\d)|(?<=\w)[:._ ]+ch\d$|\]+$",
    re.IGNORECASE,
)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z][a-z])|(?<=[a-z]{2})(?=[A-Z])|(?<=[A-Z]{2})(?=[A-Z][a-z])")
_BESIDE_AGE = set(
    "at in years year yrs yr y sampling sample collection diagnosis dx visit draw baseline of the".split()
)
_BESIDE_AGE |= set("enrolment enrollment inclusion blood biopsy surgery time patient donor subject participant".split())
_BESIDE_AGE |= set("individual person host current chronological exact index initial pathologic study entry".split())
_BESIDE_AGE |= set(
    "recruitment scan admission presentation months month mo weeks days calc calculated num value".split()
)


def words(column: str) -> list[str]:
    """Words of a column's name: ``array_chip``, ``arrayChip`` and ``array.chip`` are two each; what a repository writes
    around a name is no part of it.

    Examples
    --------
    >>> words("AgeAtSampling"), words("Age (years)"), words("characteristics_ch1.disease state"), words("age:ch1")
    (['age', 'at', 'sampling'], ['age', 'years'], ['disease', 'state'], ['age'])
    """
    name = _CAMEL.sub("_", _AROUND.sub("", column.strip()))
    return re.sub(r"[\W_]+", "_", name).strip("_").lower().split("_")


def has_word(column: str, vocabulary: tuple[str, ...]) -> bool:
    """Whether a column is named by one of the words, alone or with others."""
    return is_called(column, vocabulary) or any(w in vocabulary for w in words(column))


def is_called(column: str, vocabulary: tuple[str, ...]) -> bool:
    """Whether a column's whole name is one of these."""
    return column.lower() in vocabulary or "_".join(words(column)) in vocabulary


def is_response(column: str) -> bool:
    """Whether a column is called like a response or an outcome."""
    return has_word(column, RESPONSE) or is_called(column, ("resp", "bor", "best_resp"))


def is_age(column: str) -> bool:
    """Whether a column is called age, of whoever and whenever; not one of groups of age, or of something else.

    Examples
    --------
    >>> [is_age(c) for c in ("AgeAtSampling", "Age (years)", "age:ch1", "PATIENT_AGE", "age_group", "gestational_age")]
    [True, True, True, True, False, False]
    """
    parts = words(column)
    return "age" in parts and _BESIDE_AGE.issuperset(w for w in parts if w != "age")


def role_of(column: str) -> str | None:
    """The role of a covariate that a name tells: ``confounder`` or ``technical``; None where it tells neither.

    Examples
    --------
    >>> [role_of(c) for c in ("sex", "site", "plate", "processing_cohort", "array_row", "tissue")]
    ['confounder', 'confounder', 'technical', 'technical', None, None]
    """
    if has_word(column, CONFOUNDER):
        return "technical" if has_word(column, (*TECHNICAL, *_PROCESSED)) else "confounder"
    return "technical" if has_word(column, TECHNICAL) and not has_word(column, POSITION) else None


def is_derived(column: str) -> bool:
    """Whether a name says that the column was derived from the data, or keeps the books."""
    parts = words(column)
    if is_called(re.sub(r"\.\d+$", "", column), _SUBMISSION) or parts[0] == "contact":
        return True
    named = parts[-1] == "id" and set(parts[:-1]).isdisjoint((*TECHNICAL, *CONFOUNDER))  # a batch_id is a batch
    return any(w in _DERIVED or w.rstrip("s") in _DERIVED for w in parts) or named


def guess_positive(carriers: pd.Series) -> tuple[str, bool]:
    """The class that counts as 1: the good answer, the one that is no control, else the rarer one; and whether the
    names of the classes tell it."""

    parts = {level: re.split(r"[\W_]+", level.lower()) for level in carriers.index}

    def negated(level: str) -> bool:
        minus = level.endswith("-") and any(other.endswith("+") for other in parts)  # HPV- beside HPV+
        return minus or parts[level][0] in _NEGATING or level.lower().startswith(("non", "un"))

    def called(level: str, names: tuple[str, ...]) -> bool:
        return not {level.lower(), *parts[level]}.isdisjoint(names)

    good = [level for level in parts if called(level, _GOOD) and not negated(level)]
    control = [level for level in parts if called(level, _CONTROL) or negated(level)]
    if len(good) == 1:
        return good[0], set(parts) != {"1", "2"}  # 2 is the case in PLINK, "no" in many a questionnaire
    if len(control) == 1:
        return next(level for level in parts if level != control[0]), True
    return carriers.idxmin(), False
