"""One file per sample: htseq-count, STAR, RSEM, StringTie and GDC."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from layouts import read, tabbed

from mtlbio.errors import InputError
from mtlbio.intake.formats.registry import measuring, recognise


def put(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())


def test_htseq(tmp_path):
    for sample, counts in (("S1", (5, 0, 7)), ("S2", (6, 1, 8))):
        rows = [*zip(("ENSG1", "ENSG2", "A#1"), counts, strict=True), ("__no_feature", 99), ("__ambiguous", 3)]
        put(tmp_path / f"{sample}.htseq.counts.gz", tabbed(*rows))
    put(tmp_path / "README.md", "how it was made")
    content, said = read(tmp_path, "htseq")
    assert list(content.values.index) == ["S1", "S2"] and list(content.values.columns) == ["ENSG1", "ENSG2", "A#1"]
    np.testing.assert_array_equal(content.values, [[5, 0, 7], [6, 1, 8]])
    assert content.scale == "counts" and "2 files, one per sample, called S1, S2" in said


def test_htseq_with_names_of_genes_and_another_order(tmp_path):
    put(tmp_path / "S1.txt", tabbed(("ENSG1", "IFI6", 5), ("ENSG2", "MX1", 7)))
    put(tmp_path / "S2.txt", tabbed(("ENSG2", "MX1", 8), ("ENSG1", "IFI6", 6)))
    content, _ = read(tmp_path, "htseq")
    np.testing.assert_array_equal(content.values[["ENSG1", "ENSG2"]], [[5, 7], [6, 8]])


def test_other_genes_in_one_file(tmp_path):
    put(tmp_path / "S1.txt", tabbed(("ENSG1", 5), ("ENSG2", 7)))
    put(tmp_path / "S2.txt", tabbed(("ENSG1", 5), ("ENSG3", 7)))
    with pytest.raises(InputError, match="S2.txt: 1 genes of S1.txt are not in it and 1 others are .*ENSG2, ENSG3"):
        measuring(tmp_path).read(tmp_path)
    put(tmp_path / "S2.txt", tabbed(("ENSG1", 5), ("ENSG1", 7)))
    with pytest.raises(InputError, match="S2.txt: ENSG1 stands twice"):
        measuring(tmp_path).read(tmp_path)


def star(folder, sample, first, second):
    total = np.add(first, second)
    head = [("N_unmapped", 9, 9, 9), ("N_multimapping", 9, 9, 9), ("N_noFeature", 9, 9, 9), ("N_ambiguous", 9, 9, 9)]
    genes = zip(("ENSG1", "ENSG2"), total, first, second, strict=True)
    put(folder / f"{sample}ReadsPerGene.out.tab", tabbed(*head, *genes))


@pytest.mark.parametrize(
    "first, second, expected, column",
    [([5, 7], [500, 700], [500, 700], "4"), ([500, 700], [5, 7], [500, 700], "3"), ([5, 7], [6, 8], [11, 15], "2")],
)
def test_star_reads_the_strand_that_has_the_reads(tmp_path, first, second, expected, column):
    for sample in ("S1", "S2"):
        star(tmp_path, sample, first, second)
    content, said = read(tmp_path, "star")
    assert list(content.values.index) == ["S1", "S2"] and list(content.values.columns) == ["ENSG1", "ENSG2"]
    np.testing.assert_array_equal(content.values, [expected, expected])
    assert f"STAR: column {column}" in said


def test_star_names_a_sample_of_another_library(tmp_path):
    for sample in ("S1", "S2", "S3"):
        star(tmp_path / sample, "", [5, 7], [500, 700])
    star(tmp_path / "S4", "", [200, 300], [220, 330])
    content, said = read(tmp_path, "star")
    assert list(content.values.index) == ["S1", "S2", "S3", "S4"]
    assert "the reads of S4 look as from another kind of library" in said


def test_rsem(tmp_path):
    names = "gene_id transcript_id(s) length effective_length expected_count TPM FPKM".split()
    for sample, count in (("S1", 5.4), ("S2", 8.6)):
        rows = (names, ("ENSG1", "T1,T2", 100, 90, count, 1, 1), ("ENSG2", "T3", 100, 90, 7, 1, 1))
        put(tmp_path / f"{sample}.genes.results", tabbed(*rows))
        put(tmp_path / f"{sample}.isoforms.results", "transcript_id\n")
    content, said = read(tmp_path, "rsem")
    np.testing.assert_array_equal(content.values, [[5, 7], [9, 7]])
    assert list(content.values.index) == ["S1", "S2"] and "rounded to whole numbers" in said


def test_stringtie(tmp_path):
    names = ["Gene ID", "Gene Name", "Reference", "Strand", "Start", "End", "Coverage", "FPKM", "TPM"]
    for sample, tpm in (("S1", 5.5), ("S2", 8.5)):
        rows = (names, ("ENSG1", "IFI6", "chr1", "+", 1, 9, 1, 1, tpm), ("ENSG2", "-", "chr1", "+", 1, 9, 1, 1, 2))
        put(tmp_path / f"{sample}_gene_abund.tab", tabbed(*rows))
    content, _ = read(tmp_path, "stringtie")
    assert list(content.values.index) == ["S1", "S2"] and list(content.values.columns) == ["IFI6", "ENSG2"]
    np.testing.assert_array_equal(content.values, [[5.5, 2], [8.5, 2]])
    assert content.scale == "linear"


def test_gdc(tmp_path):
    names = "gene_id gene_name gene_type unstranded stranded_first stranded_second tpm_unstranded".split()
    for folder, file, count in (("aaa", "f1", 5), ("bbb", "f2", 8)):
        rows = (names, ("N_unmapped", "", "", 9, 9, 9, ""), ("ENSG1.1", "IFI6", "protein_coding", count, 1, 1, 0.5))
        path = tmp_path / folder / f"{file}.rna_seq.augmented_star_gene_counts.tsv"
        put(path, "# gene-model: GENCODE v36\n" + tabbed(*rows))
    content, said = read(tmp_path, "gdc")
    assert list(content.values.columns) == ["IFI6"] and "no gdc_sample_sheet" in said
    sheet = (
        ("File ID", "File Name", "Case ID", "Sample ID"),
        ("aaa", "f1.rna_seq.augmented_star_gene_counts.tsv", "TCGA-1", "TCGA-1-01A"),
        ("bbb", "f2.rna_seq.augmented_star_gene_counts.tsv", "TCGA-2", "TCGA-2-01A"),
    )
    put(tmp_path / "gdc_sample_sheet.2024-01-01.tsv", tabbed(*sheet))
    content, _ = read(tmp_path, "gdc")
    assert content.values["IFI6"].to_dict() == {"TCGA-1-01A": 5, "TCGA-2-01A": 8}


def test_folders_that_are_none_of_these(tmp_path):
    put(tmp_path / "barcodes.tsv", "A\nB\n")
    put(tmp_path / "genes.tsv", tabbed(("ENSG1", "IFI6")))
    put(tmp_path / "matrix.mtx", "%%MatrixMarket matrix coordinate integer general\n")
    assert recognise(tmp_path) is None
