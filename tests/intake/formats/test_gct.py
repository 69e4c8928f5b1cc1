"""GCT tables, version 1.2 (GTEx) and 1.3 (cmap)."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from layouts import read, tabbed

from mtlbio.errors import InputError
from mtlbio.intake.formats.registry import description, measuring


def test_of_gtex(tmp_path):
    path = tmp_path / "gene_reads.gct.gz"
    rows = (
        ["Name", "Description", "GTEX-1117F-0226", "GTEX-111CU-1826"],
        ["ENSG00000223972.5", "DDX11L1", 0, 3],
        ["ENSG00000227232.5", "Y_RNA", 187, 109],
        ["ENSG00000278267.1", "Y_RNA", 1, 2],
    )
    path.write_bytes(gzip.compress(("#1.2\n3\t2\n" + tabbed(*rows)).encode()))
    content, said = read(path, "gct")
    assert list(content.values.index) == ["GTEX-1117F-0226", "GTEX-111CU-1826"]
    assert list(content.values.columns) == ["DDX11L1", "Y_RNA"]
    np.testing.assert_array_equal(content.values, [[0, 188], [3, 111]])
    assert "1 symbols stand for several genes each (Y_RNA): added up" in said
    assert "called by column 'Description'" in said
    with pytest.raises(InputError, match="version 1.2 describes no samples"):
        description(path)


def test_version_1_3_describes_its_samples(tmp_path):
    path = tmp_path / "cmap.gct"
    rows = (
        ["id", "pr_gene_symbol", "S1", "S2"],
        ["disease", "na", "SLE", "healthy"],
        ["age", "na", 31, 45],
        ["200814_at", "PSME1", 7.5, 8.5],
    )
    path.write_text("#1.3\n1\t2\t1\t2\n" + tabbed(*rows))
    content, _ = read(path, "gct")
    np.testing.assert_array_equal(content.values, [[7.5], [8.5]])
    table = description(path)
    assert table["sample_id"].tolist() == ["S1", "S2"]
    assert table["disease"].tolist() == ["SLE", "healthy"] and table["age"].tolist() == ["31", "45"]


def test_sizes_that_are_not_there(tmp_path):
    path = tmp_path / "a.gct"
    path.write_text("#1.2\n5\t1\n" + tabbed(["Name", "Description", "S1"], ["E1", "A", 1]))
    with pytest.raises(InputError, match="says that it has 5 rows and has 1"):
        measuring(path).read(path)
    path.write_text("#1.2\nmany\n" + tabbed(["Name", "Description", "S1"], ["E1", "A", 1]))
    with pytest.raises(InputError, match="expected 2 whole numbers"):
        measuring(path).read(path)
