"""Genes under names that other tools write."""

import pytest

from mtlbio.training.new_samples.names import kind_of_names, match_genes

SYMBOLS = ["TP53", "CD4", "HLA-A", "C1orf112", "7SK"]
ENSEMBL = ["ENSG00000141510", "ENSG00000010610", "ENSG00000206503"]


@pytest.mark.parametrize(
    "model, file, place, said",
    [
        (SYMBOLS, SYMBOLS[::-1], [4, 3, 2, 1, 0], None),
        (ENSEMBL, [f"{g}.{i + 3}" for i, g in enumerate(ENSEMBL)], [0, 1, 2], "version"),
        ([f"{g}.1" for g in ENSEMBL], ENSEMBL, [0, 1, 2], "version"),
        (SYMBOLS, ["TP53|7157", "CD4|920", "HLA-A|3105"], [0, 1, 2, -1, -1], "part"),
        (SYMBOLS, ["ENSG00000141510.18_TP53", "CD4 (920)"], [0, 1, -1, -1, -1], "part"),
        (SYMBOLS, ["HLA.A", "X7SK", "TP53"], [2, -1, 0, -1, 1], "as R writes"),
        (SYMBOLS, ['"TP53"', " CD4 "], [0, 1, -1, -1, -1], "quotes"),
        (SYMBOLS, ["tp53", "cd4", "c1ORF112"], [0, 1, -1, 2, -1], "case"),
    ],
)
def test_genes_are_found_under_other_names_and_said_how(model, file, place, said):
    match = match_genes(model, file)
    assert match.place.tolist() == place
    assert len(match.notes) == (said is not None) and all(said in note for note in match.notes)


def test_mouse_symbols_are_no_human_genes():
    match = match_genes(["TP53", "CD4", "FOXP3"], ["Tp53", "Cd4", "Foxp3"])
    assert match.place.tolist() == [-1, -1, -1] and match.mouse == 3


def test_a_name_that_means_two_genes_means_none():
    assert match_genes(["TP53"], ["tp53", "Tp53", "A"]).place.tolist() == [-1]
    assert match_genes(["ENSG00000141510.1", "ENSG00000141510.2"], ["ENSG00000141510"]).place.tolist() == [-1, -1]


def test_the_first_of_a_gene_that_stands_twice_is_taken():
    assert match_genes(["CD4"], ["TP53", "CD4", "CD4"]).place.tolist() == [1]


@pytest.mark.parametrize(
    "names, kind",
    [
        (ENSEMBL, "Ensembl gene ids"),
        (["ENST00000269305.9"], "Ensembl transcript ids"),
        (["7157", "920"], "Entrez gene ids"),
        (["P04637", "P01730"], "UniProt accessions"),
        (["201746_at", "203547_x_at"], "Affymetrix probe sets"),
        (["ILMN_1779356"], "Illumina probes"),
        (["cg00000029"], "CpG sites"),
        (["seq.2575.5", "10000-28"], "SomaScan SeqIds"),
        (["Trp53", "Cd4"], "mouse gene symbols"),
        (SYMBOLS, "gene symbols"),
        (["a b", "gene_of_mine"], ""),
    ],
)
def test_names_are_recognised(names, kind):
    assert kind_of_names(names) == kind
