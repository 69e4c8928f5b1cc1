"""Tables of GenomeStudio, and GEO's tables with p-values."""

from __future__ import annotations

import numpy as np
import pytest
from layouts import read, tabbed


def test_beta_values(tmp_path):
    header = ["Index", "TargetID"]
    header += [f"{s}.{c}" for s in ("S1", "S 2") for c in ("AVG_Beta", "Intensity", "Detection Pval")]
    rows = (header, [1, "cg00000029", 0.5, 900, 0, 0.25, 800, 0], [2, "cg00000108", 0.9, 900, 0, "", 800, 0.2])
    path = tmp_path / "table.txt"
    path.write_text("Illumina GenomeStudio 2011.1\nMethylation Module v1.9\n\n" + tabbed(*rows))
    content, said = read(path, "genome_studio")
    assert list(content.values.index) == ["S1", "S 2"] and list(content.values.columns) == ["cg00000029", "cg00000108"]
    np.testing.assert_array_equal(content.values, [[0.5, 0.9], [0.25, np.nan]])
    assert content.scale == "beta" and "columns such as 'S1.AVG_Beta' are read, 5 others left out" in said


def test_signals_by_symbol(tmp_path):
    header = [
        "TargetID",
        "ProbeID",
        "S1.AVG_Signal",
        "S1.Detection Pval",
        "S2.AVG_Signal",
        "S2.Detection Pval",
        "SYMBOL",
    ]
    rows = (header, ["ILMN_1", 12, 120.5, 0, 130, 0, "IFI6"], ["ILMN_2", 13, 90, 0.1, 95, 0.2, "MX1"])
    path = tmp_path / "signals.txt"
    path.write_text(tabbed(*rows))
    content, _ = read(path, "genome_studio")
    assert list(content.values.columns) == ["IFI6", "MX1"] and content.scale == "linear"
    np.testing.assert_array_equal(content.values, [[120.5, 90], [130, 95]])


BEHIND = ["ID_REF", "S1", "Detection Pval", "S2", "Detection Pval"]
NAMED = ["ID_REF", "S1", "S1 Detection Pval", "S2", "S2 Detection Pval"]


@pytest.mark.parametrize("header", [BEHIND, NAMED])
def test_a_p_value_behind_every_sample(tmp_path, header):
    path = tmp_path / "GSE1_matrix_processed.txt"
    path.write_text(tabbed(header, ["cg00000029", 0.5, 0, 0.25, 0], ["cg00000108", 0.9, 0, 0.75, 0.3]))
    content, _ = read(path, "genome_studio")
    assert list(content.values.index) == ["S1", "S2"] and content.scale == "beta"
    np.testing.assert_array_equal(content.values, [[0.5, 0.9], [0.25, 0.75]])
