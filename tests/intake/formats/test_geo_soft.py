"""SOFT files of GEO: samples one after the other."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from layouts import read

from mtlbio.errors import InputError
from mtlbio.intake.formats.registry import description, measuring

FAMILY = """^DATABASE = GeoMiame
!Database_name = Gene Expression Omnibus (GEO)
^SERIES = GSE1
!Series_title = Blood
^PLATFORM = GPL1
!Platform_title = an array
#ID = probe
!platform_table_begin
ID\tGB_ACC\tGene Symbol
a_at\tX1\tIFI6
b_at\tX2\tDDR1 /// MIR4640
c_at\tX3\t
!platform_table_end
^SAMPLE = GSM1
!Sample_title = S1
!Sample_geo_accession = GSM1
!Sample_characteristics_ch1 = disease: SLE
!Sample_characteristics_ch1 = age: 31
#ID_REF =
!sample_table_begin
ID_REF\tVALUE\tDETECTION P-VALUE
a_at\t7.5\t0.01
b_at\t3\t0.2
c_at\tnull\t0.3
!sample_table_end
^SAMPLE = GSM2
!Sample_title = S2
!Sample_geo_accession = GSM2
!Sample_characteristics_ch1 = disease: healthy
!sample_table_begin
ID_REF\tVALUE\tDETECTION P-VALUE
b_at\t4\t0.2
a_at\t8.5\t0.01
c_at\t1\t0.3
!sample_table_end
"""


def test_values_and_symbols(tmp_path):
    path = tmp_path / "GSE1_family.soft.gz"
    path.write_bytes(gzip.compress(FAMILY.encode()))
    content, said = read(path, "geo_soft")
    assert list(content.values.index) == ["GSM1", "GSM2"]
    assert list(content.values.columns) == ["IFI6", "DDR1", "c_at"]
    np.testing.assert_array_equal(content.values, [[7.5, 3, np.nan], [8.5, 4, 1]])
    assert "gene symbols of the platform (a_at: IFI6)" in said
    table = description(path)
    assert table["disease"].tolist() == ["SLE", "healthy"] and table["age"].tolist() == ["31", None]


def test_no_values(tmp_path):
    path = tmp_path / "GSE1_family.soft"
    path.write_text(FAMILY.split("!sample_table_begin")[0])
    with pytest.raises(InputError, match="supplementary files.*mtlbio init COUNTS GSE1_family.soft"):
        measuring(path).read(path)
