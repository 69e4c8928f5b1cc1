"""Damaged files of every layout are read, or refused in one line that names them; nothing else happens."""

from __future__ import annotations

import os
import random
import warnings

import numpy as np
import pytest
from layouts import tabbed
from mutations import of_text

from mtlbio.errors import InputError
from mtlbio.intake.formats.registry import recognise

# damaged copies of each
FEW, MANY = 100, 2000 if os.environ.get("MTLBIO_GRID") == "full" else 400
SERIES = (
    ("!Series_title", '"a"'),
    ("!Sample_title", '"S1"', '"S2"'),
    ("!Sample_geo_accession", '"GSM1"', '"GSM2"'),
    ("!Sample_characteristics_ch1", '"age: 3"', '"age: 4"'),
    ("!series_matrix_table_begin",),
    ('"ID_REF"', '"GSM1"', '"GSM2"'),
    ('"a_at"', 1.5, 2),
    ('"b_at"', 3, "null"),
    ("!series_matrix_table_end",),
)
SOFT = (
    "^SERIES = GSE1\n^PLATFORM = GPL1\n!platform_table_begin\nID\tGene Symbol\na_at\tA\nb_at\tB\n!platform_table_end\n"
    "^SAMPLE = GSM1\n!Sample_geo_accession = GSM1\n!Sample_title = x\n!sample_table_begin\nID_REF\tVALUE\na_at\t1\n"
    "b_at\t2\n!sample_table_end\n"
)
ADAT = "!Checksum\ta\n^HEADER\n!Version\t1\n^TABLE_BEGIN\n" + tabbed(
    ("", "", "SeqId", "1-1", "2-2"),
    ("", "", "EntrezGeneSymbol", "A", "B"),
    ("", "", "Type", "Protein", "Protein"),
    ("SampleId", "SampleType", "", "", ""),
    ("S1", "Sample", "", 10, 20),
    ("S2", "Sample", "", 30, 40),
    ("", "Buffer", "", 3, 4),
)
FILES = {
    "GSE1_series_matrix.txt": tabbed(*SERIES),
    "GSE1_family.soft": SOFT,
    "a.adat": ADAT,
    "a.gct": "#1.3\n2\t2\t1\t1\nid\td\tS1\tS2\nage\t\t3\t4\nx\tA\t1\t2\ny\tB\t3\t4\n",
    "npx.csv": "SampleID;OlinkID;UniProt;Assay;Panel;PlateID;QC_Warning;LOD;NPX;Age\n"
    + "".join(f"S{s};O{a};P{a};A{a};I;P1;PASS;0,5;{s},{a};3\n" for s in range(3) for a in range(3)),
    "wide.csv": "NPX data\nPanel;I;I\nAssay;A;B\nUniprot ID;P;Q\nOlinkID;OID1;OID2\n\nS1;1,5;2\nS2;3;4\n\nLOD;1;1\n",
    "proteinGroups.txt": "Majority protein IDs\tGene names\tLFQ intensity S1\tLFQ intensity S2\tReverse\n"
    "P1;P2\tA\t100\t0\t\nP3\tB\t100\t200\t\nP4\tB\t100\t200\t+\n",
    "report.pg_matrix.tsv": "Protein.Group\tGenes\ta/S1.raw\ta/S2.raw\nP1\tA\t1\t2\nP2\t\t\t2\n",
    "report.tsv": "Run\tProtein.Group\tGenes\tPrecursor.Id\tPG.MaxLFQ\tQ.Value\nS1\tP1\tA\tx2\t100\t0.001\n"
    "S2\tP1\tA\tx2\t200\t0.001\nS2\tP2\t\ty2\t7\t0.5\n",
    "long.tsv": "R.FileName\tPG.ProteinGroups\tPG.Genes\tPG.Quantity\tEG.PrecursorId\tEG.Qvalue\n"
    "S1.raw\tP1\tA\t1,5\t_x_.2\t0,001\nS2.raw\tP1\tA\tFiltered\t_x_.2\t0,001\n",
    "GPL1.annot": "^Annotation\n!platform_table_begin\nID\tGene symbol\na_at\tA\n!platform_table_end\n",
    "combined_protein.tsv": "Protein\tProtein ID\tGene\tCombined Total Peptides\tS1 Intensity\tS2 Intensity\n"
    "sp|P1\tP1\tA\t3\t100\t200\n",
    "spectronaut.tsv": "PG.ProteinGroups\tPG.Genes\t[1] S1.raw.PG.Quantity\nP1\tA\t3\nP2\tB\tFiltered\n",
    "studio.txt": "TargetID\tS1.AVG_Beta\tS1.Detection Pval\tS2.AVG_Beta\ncg1\t0.1\t0\t0.2\ncg2\t0.1\t0\t0.2\n",
    "txi.csv": "abundance.S1,counts.S1,length.S1\nE1,1,2.5,3\nE2,1,2.5,3\n",
    "data_mrna_seq_v2_rsem.txt": "Hugo_Symbol\tEntrez_Gene_Id\tS1\tS2\nA\t1\t100\t2\nA\t2\t3\tNA\n",
    "data_clinical_sample.txt": "#a\n#b\n#c\n#d\nPATIENT_ID\tSAMPLE_ID\tAGE\nP1\tS1\t3\nP2\tS2\t4\n",
    "x.star_gene_counts.tsv": "# gene-model\ngene_id\tgene_name\tgene_type\tunstranded\nE1\tA\tx\t3\n",
    "S1ReadsPerGene.out.tab": "N_unmapped\t1\t2\t3\nE1\t1\t2\t3\nE2\t4\t5\t6\n",
    "S1.genes.results": "gene_id\teffective_length\texpected_count\nE1\t3\t2.5\nE2\t3\t4\n",
    "quant.sf": "Name\tLength\tEffectiveLength\tTPM\tNumReads\nT1\t1\t1\t1\t2.5\nT2\t1\t1\t1\t3\n",
    "counts.txt": "# Program:featureCounts\nGeneid\tChr\tStart\tEnd\tStrand\tLength\ta/S1.bam\ta/S2.bam\n"
    "E1\t1\t1\t1\t+\t1\t3\t4\n",
    "S1_gene_abund.tab": "Gene ID\tGene Name\tCoverage\tFPKM\tTPM\nE1\tA\t1\t1\t2\nE1\tA\t1\t1\t2\n",
}


def _tried(path):
    """Whatever can be read of a file; the readers themselves are called, without the net around them."""
    for described in (False, True):
        try:
            layout = recognise(path)
            if layout is None:
                return
            if described and layout.describe is not None:
                assert layout.describe(path).columns.is_unique
            elif layout.read is not None:
                content = layout.read(path)
                assert len(content.values.index) and all(kind == np.float64 for kind in content.values.dtypes)
        except InputError as error:
            assert str(path.parent) in str(error) and "\n" not in str(error) and "\r" not in str(error)


@pytest.mark.parametrize("name", FILES)
def test_a_few_damaged_files(tmp_path, name):
    path = tmp_path / name
    path.write_text(FILES[name])
    assert recognise(path) is not None
    _tried(path)
    _all_tried(path, range(FEW))


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_many_damaged_files(tmp_path, name):
    _all_tried(tmp_path / name, range(FEW, MANY))


def _all_tried(path, numbers):
    for number in numbers:
        path.write_bytes(of_text(FILES[path.name].encode(), random.Random(f"{path.name} {number}")))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            _tried(path)
