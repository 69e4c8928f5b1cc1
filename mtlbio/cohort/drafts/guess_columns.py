"""Columns that a name and its values tell more of than one word does: donors, sex, times to an event."""

import re

import pandas as pd

from mtlbio.cohort.drafts.guess import DONOR, has_word, is_age, words
from mtlbio.cohort.drafts.guess import is_called as called

_BESIDE_DONOR = set(
    "id ids no nr num number code name identifier key barcode uuid label the study anon deid of".split()
)
_BESIDE_DONOR |= {"human", "original", "unique", "submitter", "accession", "pseudonym"}
_NUMBER_OF_DONOR = (
    *("case_id", "case_submitter_id", "mrn", "pid", "pt", "pt_id", "pt_no", "subj", "subj_id", "subjid", "usubjid"),
    *("patientid", "subjectid", "donorid", "individualid", "participantid", "personid", "caseid", "mouseid"),
    *("animalid", "hospital_number", "medical_record_number", "record_id", "recordid", "ptid", "patid"),
    *("submitter_id", "cases_submitter_id", "bcr_patient_barcode", "patient_barcode", "patient"),
)
_TUMOUR = {
    "tumor",
    "tumour",
    "tumors",
    "cancer",
    "carcinoma",
    "metastasis",
    "metastatic",
    "malignant",
    "leukemia",
    "tp",
}
_NORMAL = {"normal", "healthy", "adjacent", "benign", "nontumor", "nontumour", "nt"}
_MOST_LEVELS, _MOST_VISITS = 8, 6
_SPAN = set("os dfs pfs rfs efs dss dmfs mfs ttp pfi dfi css survival surv follow followup futime fu".split())
TIME_WORDS = set("time times month months day days year years week weeks".split())
EVENT_WORDS = set("event status censor censored censoring cens death dead died deceased vital".split())
_TIMES = (
    *("time", "futime", "os", "pfs", "dfs", "rfs", "efs", "survival", "survival_time", "follow_up", "followup", "tte"),
    *("time_to_event", "ostime", "surv_time", "stime", "survtime", "duration"),
)
_EVENTS = (
    *("event", "status", "vital_status", "fustat", "censor", "censored", "death", "dead", "died", "deceased", "cens"),
    *("osevent", "delta", "observed"),
)


def donor_columns(table: pd.DataFrame) -> list[str]:
    """Columns that name donors, the likeliest first: ``PatientID``, ``MRN``, ``donor``; not ``patient_age``."""
    filled = [c for c in table.columns if table[c].notna().any()]
    exact = [c for c in filled if called(c, _NUMBER_OF_DONOR) or _only_donor(words(c))]
    loose = [c for c in filled if has_word(c, DONOR) and c not in exact and not is_age(c)]
    return exact or [c for c in loose if table[c].nunique() >= 0.2 * len(table)]


def shared_beginnings(names: pd.Index) -> tuple[str, str] | None:
    """Two names of samples that look like those of one donor: ``P01_pre`` and ``P01_post``, ``TCGA-A1-A001-01A`` and
    ``TCGA-A1-A001-11A``; None where names do not repeat so, or where what they share is a group of many (``ctrl_1``).
    """
    split = [re.fullmatch(r"(.{2,})[-_. ]([A-Za-z0-9]{1,9})", str(name)) for name in names]
    if not all(split) or len(split) < 6:
        return None
    parts = pd.DataFrame([m.groups() for m in split if m], columns=["donor", "rest"])
    sizes, rests = parts["donor"].value_counts(), parts["rest"].nunique()
    if rests > _MOST_VISITS or sizes.iloc[0] > rests or (sizes > 1).sum() < 3 or len(sizes) <= rests:
        return None
    first = names[(parts["donor"] == sizes[sizes > 1].sort_index().index[0]).to_numpy()]
    return str(first[0]), str(first[1])


def tells_tumour(column: pd.Series) -> bool:
    """Whether a column of a few levels tells tumours from normal tissue, as ``sample_type`` of TCGA does.

    Examples
    --------
    >>> tells_tumour(pd.Series(["Primary Tumor", "Solid Tissue Normal"])), tells_tumour(pd.Series(["blood", "saliva"]))
    (True, False)
    """
    levels = [set(re.split(r"[\W_]+", str(level).lower())) for level in column.dropna().unique()[:_MOST_LEVELS]]
    tumour = [not level.isdisjoint(_TUMOUR) for level in levels]
    normal = [not level.isdisjoint(_NORMAL) and not level & {"abnormal"} for level in levels]
    alone = [t and not n for t, n in zip(tumour, normal, strict=True)]  # "normal adjacent to tumor" is none
    return any(alone) and any(normal)


def _only_donor(parts: list[str]) -> bool:
    return any(w in DONOR for w in parts) and all(w in DONOR or w in _BESIDE_DONOR for w in parts)


def is_sample_name(column: str) -> bool:
    """Whether a column is called like one of samples.

    Examples
    --------
    >>> is_sample_name("SampleID"), is_sample_name("sampleid"), is_sample_name("geo_accession"), is_sample_name("age")
    (True, True, True, False)
    """
    parts = words(column)
    known = ("sampleid", "samplename", "specimen", "geo_accession", "barcode", "aliquot")
    return "sample" in parts or called(column, known)


def time_to_event(table: pd.DataFrame) -> list[str]:
    """Columns that tell how long it took until something happened, and whether it did: ``OS_MONTHS`` and ``OS_STATUS``,
    ``time`` and ``event``. Nothing where only one of the two is there, unless its name or values leave no doubt."""
    sure_times = [c for c in table.columns if _is_span(words(c)) or (called(c, _TIMES) and words(c) != ["time"])]
    sure_times = [c for c in sure_times if _is_number(table[c])]
    sure_events = [c for c in table.columns if _SPAN & set(words(c)) and EVENT_WORDS & set(words(c))]
    sure_events += [c for c in table.columns if c not in sure_events and _is_status(table[c])]
    maybe = [c for c in table.columns if words(c) in (["time"], ["days"], ["months"])]
    times = sure_times or [c for c in maybe if _is_number(table[c])]
    events = [c for c in table.columns if called(c, _EVENTS) and table[c].nunique() <= 3]
    if sure_events or (times and events):
        return list(dict.fromkeys([*times, *sure_events, *(events if times else [])]))
    return sure_times


def _is_span(parts: list[str]) -> bool:
    """``OS_MONTHS``, ``days_to_death``, ``survival_time``."""
    to_something = len(parts) > 2 and parts[0] in TIME_WORDS and parts[1] == "to"
    return bool(_SPAN & set(parts) and TIME_WORDS & set(parts)) or to_something


def _is_number(column: pd.Series) -> bool:
    known = column.dropna()
    numbers = pd.to_numeric(known, errors="coerce")
    return len(known) > 0 and bool(numbers.notna().mean() > 0.9) and numbers.nunique() > 5


def _is_status(column: pd.Series) -> bool:
    """``0:LIVING`` and ``1:DECEASED``, as cBioPortal writes them."""
    levels = [str(level) for level in column.dropna().unique()[:3]]
    return 0 < len(levels) <= 2 and all(re.fullmatch(r"[01]:\s*[A-Za-z /]+", level) for level in levels)
