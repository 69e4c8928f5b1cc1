"""Cells by the barcodes that they share with the metadata, whatever stands around these."""

from __future__ import annotations

import numpy as np
import pytest

from mtlbio.cohort.cells.barcodes import match_barcodes

CORES = ["AAACCTGAGAAACCAT", "AAACCTGAGAAACCTA", "TTTGCCTGAGAAACCG", "TTTGCCTGAGAAACGG"]

CASES = {
    "no number in the metadata": ([f"{c}-1" for c in CORES], CORES),
    "a number in the metadata": (CORES, [f"{c}-1" for c in CORES]),
    "the sample before and behind": ([f"S1_{c}-1" for c in CORES], [f"{c}-1-S1" for c in CORES]),
    "the sample in one of them": ([f"{c}-1" for c in CORES], [f"GSM7_{c}" for c in CORES]),
    "two samples of the same barcodes": (
        [f"S{i}_{c}-1" for i in (1, 2) for c in CORES],
        [f"{c}-1_S{i}" for i in (1, 2) for c in CORES],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_same_cells(case):
    names, described = CASES[case]
    order = np.random.default_rng(0).permutation(len(described))
    found, how = match_barcodes(np.array(names), np.array(described)[order])
    assert found.tolist() == described and how is not None


def test_what_may_be_another_cell_stays():
    lanes = np.array([f"{CORES[0]}-1", f"{CORES[0]}-2"])
    for names, described in (
        (lanes, [CORES[0]]),
        (np.array(CORES), [CORES[0], "x"]),
        (np.array(["S1", "S2"]), ["S-1", "S-2"]),
        (np.array([f"{c}-1" for c in CORES]), ["GGGGGGGGGGGG", "CCCCCCCCCCCC"]),
    ):
        assert match_barcodes(names, described)[1] is None
