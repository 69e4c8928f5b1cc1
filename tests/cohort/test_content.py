"""What stands in the metadata's columns: words for nothing, ways of writing, numbers in disguise."""

from __future__ import annotations

import numpy as np
import pytest

from mtlbio.cohort.prepare import build_cohort, build_roster
from mtlbio.errors import InputError
from mtlbio.intake.notes import noticing
from mtlbio.kinds.read import read_run


def roster(small):
    """``obs`` and what was noticed, of a cohort after its files are written."""
    run = read_run(small.write())
    with noticing() as notes:
        return build_roster(run)[0], notes


def put(small, column, rows, value):
    small.metadata[column] = small.metadata[column].astype(object)
    small.metadata.loc[rows, column] = value


def test_values_that_look_missing_are_named_with_their_numbers(small):
    put(small, "sex", [0, 1], "n/a")
    put(small, "batch", [2, 3, 4], ".")
    put(small, "age", [6, 7], -9)
    obs, notes = roster(small)
    assert (obs["batch"] == ".").sum() == 3 and obs["age"].min() == -9
    (note,) = [note for note in notes if note.doubt]
    assert note.text == (
        "values that look missing count as values: age '-9' (2); sex 'n/a' (2); batch '.' (3); if they mean that "
        "nothing is known, write missing: ['-9', 'n/a', '.'] under metadata"
    )


def test_what_metadata_missing_names_is_missing_in_every_column(small):
    put(small, "sex", [0, 1], "N/a")
    put(small, "batch", [2, 3, 4], ".")
    put(small, "age", [6, 7], -9)
    put(small, "donor_id", [8, 9, 10], "unknown")
    small.set("metadata.missing", ["n/a", ".", -9, "Unknown"])
    obs, notes = roster(small)
    assert obs[["sex", "batch", "age"]].isna().sum().tolist() == [2, 3, 2]
    assert len(obs) == 45 and obs["donor"].nunique() == 23
    (note,) = notes
    assert not note.doubt and note.text == (
        "read as missing, as metadata.missing says: donor_id 'unknown' (3); age '-9' (2); sex 'N/a' (2); batch '.' (3)"
    )


def test_a_class_that_the_run_names_is_no_missing_value(small):
    put(small, "disease", small.metadata.index[small.metadata["disease"] == "control"], "unknown")
    small.set("tasks.disease.negative", "unknown")
    obs, notes = roster(small)
    assert obs["disease"].value_counts().to_dict() == {"case": 32, "unknown": 16} and not notes


def test_a_donor_who_is_nobody_is_told_as_that(small):
    put(small, "donor_id", [0, 1, 2, 3], "unknown")
    small.run["tasks"] = {"disease": {"kind": "binary", "positive": "case"}}
    small.run["covariates"] = {}
    with pytest.raises(InputError, match=r"'unknown' is no donor, write missing: \['unknown'\] under metadata"):
        roster(small)


def test_a_class_of_which_one_way_of_writing_is_named_is_refused(small):
    cases = small.metadata.index[small.metadata["disease"] == "case"]
    put(small, "disease", cases[:6], "Case")
    wrong = r"tasks.disease.positive: 'case' matches only some of 'case' \(26\), 'Case' \(6\) in column 'disease'"
    with pytest.raises(InputError, match=wrong):
        roster(small)
    small.set("metadata.spelling", "pool")
    obs, notes = roster(small)
    assert obs["disease"].value_counts().to_dict() == {"case": 32, "control": 16}


def test_a_class_that_is_written_otherwise_is_offered_and_meant_where_ways_of_writing_are_pooled(small):
    put(small, "disease", small.metadata.index, small.metadata["disease"].str.upper())
    with pytest.raises(InputError, match="'case' never occurs in column 'disease'; did you mean 'CASE'. found: CASE "):
        roster(small)
    small.set("metadata.spelling", "pool")
    obs, _ = roster(small)
    assert obs["disease"].value_counts().to_dict() == {"case": 32, "CONTROL": 16}


def test_levels_and_donors_in_two_ways_of_writing_are_named_and_pooled_where_the_run_says_so(small):
    put(small, "batch", small.metadata.index[small.metadata["batch"] == "B1"][:4], "b-1")
    put(small, "donor_id", 1, "D 001")
    put(small, "donor_id", 0, "d001")
    obs, notes = roster(small)
    assert obs["donor"].nunique() == 25
    donors, levels = [note.text for note in notes if note.doubt]
    assert "'donor_id': donors that differ" in donors and "'D 001' (1), 'd001' (1)" in donors
    assert "'batch': levels that differ" in levels and "'b-1' (4)" in levels and "spelling: pool" in levels
    small.set("metadata.spelling", "pool")
    obs, notes = roster(small)
    assert obs["donor"].nunique() == 24 and set(obs["batch"]) == {"B1", "B2"} and not notes


def test_numbers_in_disguise_are_read_and_said(small):
    ages = small.metadata["age"].round().astype(int).astype(str).tolist()
    ages[:6] = [">89", "45 years", "45,3", "40-49", "unknown", "~45"]
    small.metadata["age"] = ages
    run = read_run(small.write())
    with noticing() as notes:
        cohort, qc = build_cohort(run)
    np.testing.assert_allclose(cohort.y("age")[:6], [89, 45, 45.3, 44.5, np.nan, 45])
    assert cohort.y("age")[6] == int(ages[6])
    assert [(note.text, note.doubt) for note in notes] == [
        ("read as missing, since numbers are due: age 'unknown' (1)", False),
        ("column 'age': '>89' read as 89 (the bound), 1 sample", True),
        ("column 'age': '45 years' read as 45 (without its unit), 1 sample", False),
        ("column 'age': '45,3' read as 45.3 (decimal comma), 1 sample", False),
        ("column 'age': '40-49' read as 44.5 (the middle of a range), 1 sample", True),
        ("column 'age': '~45' read as 45 (about that), 1 sample", False),
    ]
    assert [row[1:3] for row in qc.rows if row[0] == "metadata.csv"].count(("note", "to be looked at")) == 2


def test_what_is_no_number_is_quoted_with_its_counts(small):
    put(small, "age", [0, 3], "adult")
    put(small, "age", [5], "old")
    wrong = r"found 'adult' \(sample 'S001_1' and 2 more\) where a number is due; also 'old' \(1\)"
    with pytest.raises(InputError, match=wrong):
        roster(small)
