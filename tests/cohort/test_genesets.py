import gzip
import re

import pytest

from mtlbio.cohort.genesets import builtin_sets, load_sets, read_gmt
from mtlbio.errors import InputError


def test_builtin_sets_are_gene_symbols():
    sets = builtin_sets()
    assert len(sets) == 22
    assert {"INTERFERON_RESPONSE", "NEUTROPHIL", "CELL_CYCLE", "SEX_CHROMOSOME"} <= set(sets)
    for name, genes in sets.items():
        assert 20 <= len(genes) <= 60, name
        assert len(set(genes)) == len(genes)
        assert all(re.fullmatch(r"[A-Z0-9-]+(orf\d+)?", g) for g in genes), name
    assert {"IFIT1", "ISG15", "MX1", "OAS1", "IFI44L", "RSAD2", "SIGLEC1"} <= set(sets["INTERFERON_RESPONSE"])


def test_read_gmt_plain_and_gzipped(tmp_path):
    text = "A\tfirst\tG1\tG2\tG1\t\n\nB\t\tG3\r\n"
    (tmp_path / "a.gmt").write_text(text)
    (tmp_path / "a.gmt.gz").write_bytes(gzip.compress(text.encode()))
    for name in ("a.gmt", "a.gmt.gz"):
        assert read_gmt(tmp_path / name) == {"A": ["G1", "G2"], "B": ["G3"]}


def test_load_sets(tmp_path):
    (tmp_path / "a.gmt").write_text("A\tfirst\tG1\n")
    assert load_sets(None) == {}
    assert load_sets("builtin") == builtin_sets()
    assert load_sets(str(tmp_path / "a.gmt")) == {"A": ["G1"]}


def test_a_folder_is_no_gmt(tmp_path):
    with pytest.raises(InputError, match="a folder"):
        read_gmt(tmp_path)
