"""Names of samples that a program or a person changed are found again where that is one to one."""

from __future__ import annotations

import numpy as np
import pytest

from mtlbio.cohort.values.matching import matched, named_as
from mtlbio.intake.notes import noticing

IDS = ["S1", "S2", "S10"]


@pytest.mark.parametrize(
    ("names", "described", "how"),
    [
        (["s1", "s2", "s10"], IDS, "capitals"),
        (["X1.A", "X2.A"], ["1-A", "2-A"], "R makes"),
        (["Pat.1", "Pat.2"], ["Pat 1", "Pat-2"], "R makes"),
        (["sample_1", "sample_2"], ["Sample-1", "Sample 2"], "signs"),
        ([f"/data/run 1/{i}.sorted.bam" for i in IDS], IDS, "file around"),
        ([f"C:\\data\\{i}_counts.txt" for i in IDS], IDS, "file around"),
        ([f"{i}/{i}Aligned.sortedByCoord.out.bam" for i in IDS], IDS, "file around"),
        ([f"quants/{i}_quant/quant.sf" for i in IDS], IDS, "before and after all"),
        ([f"{i}.genes.results" for i in IDS], IDS, "file around"),
        ([f"X.data.{i}.sorted.bam" for i in IDS], IDS, "before and after all"),
        ([f"run7_{i}_L001.bam" for i in IDS], IDS, "before and after all"),
        (["a/S1_S1_L001_R1_001.bam", "a/S2_S2_L001_R1_001.bam"], ["S1", "S2"], "file around"),
        (["GSM101_S1", "GSM102_S2.counts.txt.gz"], ["GSM101", "GSM102"], "behind GEO's accession"),
        (["raw/GSM101_pat-1.counts.txt.gz", "raw/GSM102_pat-2.counts.txt.gz"], ["Pat 1", "Pat 2"], "accession before"),
        (["1", "2", "10"], ["001", "002", "010"], "leading zeros"),
        (["S_7", "S_12"], ["S-007", "S-012"], "leading zeros"),
        (["S1", "S2"], ["cohortA_S1_blood", "cohortA_S2_blood"], "before and after all of the metadata's"),
        (["bam/x1-a.bam", "bam/x2-b.bam"], ["X1_A", "X2_B"], "capitals or signs"),
    ],
)
def test_names_in_another_form(names, described, how):
    found, words = matched(np.array(names), described)
    assert found.tolist() == described and how in words


def test_names_that_stand_as_they_are_stay():
    names = np.array(["S1", "S2", "pool"])
    found, how = matched(names, IDS)
    assert found is names and how is None


def test_only_what_is_left_over_is_matched():
    found, _ = matched(np.array(["S1", "s10", "S1_rep"]), IDS)
    assert found.tolist() == ["S1", "S10", "S1_rep"]


def test_two_names_that_fit_one_sample_stay():
    found, how = matched(np.array(["a-1", "a.1", "a2"]), ["A_1"])
    assert found.tolist() == ["a-1", "a.1", "a2"] and how is None


def test_a_match_is_said(tmp_path):
    with noticing() as notes:
        names = named_as(np.array(["bam/S1.bam", "bam/S2.bam", "S10"]), IDS, tmp_path / "counts.txt")
    assert names.tolist() == IDS
    assert "2 names differ" in notes[0].text and "'bam/S1.bam' is 'S1'" in notes[0].text


def test_two_files_of_one_accession_stay():
    found, how = matched(np.array(["GSM1_a", "GSM1_b"]), ["GSM1", "GSM2"])
    assert found.tolist() == ["GSM1_a", "GSM1_b"] and how is None
