"""Names of samples in paths of files, and names of features that stand twice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mtlbio.intake.formats.names import apart, by_symbol, samples_of_paths
from mtlbio.intake.notes import noticing


@pytest.mark.parametrize(
    "paths, names",
    [
        (["bam/S1.sorted.bam", "bam/S2.sorted.bam"], ["S1", "S2"]),
        (["S1_d/quant.sf", "S2_d/quant.sf"], ["S1_d", "S2_d"]),
        (["a/S1/quant.sf", "b/S1/quant.sf"], ["a", "b"]),
        ([r"D:\x\S1.raw", r"D:\x\S2.d", "S3.mzML"], ["S1", "S2", "S3"]),
        (["P.1-2.counts.txt.gz", "P.1-3.counts.txt.gz"], ["P.1-2", "P.1-3"]),
        (["S1.bam", "S1.sorted.bam"], ["S1.bam", "S1.sorted.bam"]),
        (["star/S1_ReadsPerGene.out.tab"], ["S1"]),
    ],
)
def test_samples_of_paths(paths, names):
    assert samples_of_paths(paths) == names


def test_features_apart():
    with noticing() as notes:
        names = apart(["TNF", "IL6", "IL6", ""], ["a", "b", "c", "d"], Path("x.csv"))
    assert names == ["TNF", "IL6_b", "IL6_c", "d"]
    assert [note.text for note in notes] == [
        "1 gene names stand for several features each (IL6): kept apart as IL6_b and so on",
        "1 features without a gene name keep their identifier",
    ]


@pytest.mark.parametrize("added, expected", [(True, [[1, 6, 7]]), (False, [[1, 3, 7]])])
def test_features_of_one_symbol(added, expected):
    values = pd.DataFrame([[1, np.nan, 2, 4.0, 7]], columns=["a", "b", "c", "d", "e"])
    with noticing() as notes:
        found = by_symbol(values, ["TNF", "IL6", "IL6", "IL6", ""], Path("x.csv"), added)
    assert list(found.columns) == ["TNF", "IL6", "e"]
    np.testing.assert_array_equal(found, expected)
    assert [note.text for note in notes] == [
        "1 genes without a symbol keep their identifier",
        f"1 symbols stand for several genes each (IL6): {'added up' if added else 'averaged'}",
    ]
