"""salmon and kallisto: transcripts, summed to genes where it is known which belong together."""

from __future__ import annotations

import numpy as np
import pytest
from layouts import read, tabbed

SALMON = ("Name", "Length", "EffectiveLength", "TPM", "NumReads")
KALLISTO = ("target_id", "length", "eff_length", "est_counts", "tpm")
TRANSCRIPTS = ("ENST1.1", "ENST2.3", "ENST3.2")
COUNTS = {"S1": (5.25, 0.5, 7), "S2": (6, 1.5, 8.75)}


def salmon(folder, transcripts=TRANSCRIPTS, name="quant.sf", suffix="_quant"):
    for sample, counts in COUNTS.items():
        place = folder / f"{sample}{suffix}"
        place.mkdir(parents=True, exist_ok=True)
        rows = [(t, 100, 90, 1, count) for t, count in zip(transcripts, counts, strict=True)]
        (place / name).write_text(tabbed(SALMON, *rows))
        (place / "cmd_info.json").write_text("{}")


@pytest.mark.parametrize("suffix", ["", "_quant", ".salmon"])
def test_transcripts_are_kept_and_that_is_said(tmp_path, suffix):
    salmon(tmp_path, suffix=suffix)
    content, said = read(tmp_path, "salmon")
    assert list(content.values.index) == ["S1", "S2"] and list(content.values.columns) == list(TRANSCRIPTS)
    np.testing.assert_array_equal(content.values, [[5, 0, 7], [6, 2, 9]])
    assert content.scale == "counts" and "rows are transcripts, not genes" in said and "rounded" in said


PAIRS = ((1, 1), (2, 1), (3, 2))
WITH_HEADER = [("transcript_id", "gene_id", "gene_name"), *[(f"ENST{t}", f"ENSG{g}", f"SYM{g}") for t, g in PAIRS]]
WITH_VERSIONS = [(f"ENST{t}.9", f"ENSG{g}", f"SYM{g}") for t, g in PAIRS]


@pytest.mark.parametrize("rows", [WITH_HEADER, WITH_VERSIONS])
def test_summed_to_genes_by_a_map(tmp_path, rows):
    salmon(tmp_path)
    (tmp_path / "tx2gene.tsv").write_text(tabbed(*rows))
    content, said = read(tmp_path, "salmon")
    assert list(content.values.columns) == ["SYM1", "SYM2"]
    np.testing.assert_array_equal(content.values, [[6, 7], [8, 9]])
    assert "summed to genes by tx2gene.tsv" in said


def test_names_of_gencode_hold_the_gene(tmp_path):
    names = [f"ENST{i}.2|ENSG{g}.5|OTTHUMG|OTTHUMT|X-20{i}|SYM{g}|1657|lncRNA|" for i, g in ((1, 1), (2, 1), (3, 2))]
    salmon(tmp_path, names)
    content, _ = read(tmp_path, "salmon")
    assert list(content.values.columns) == ["SYM1", "SYM2"]
    np.testing.assert_array_equal(content.values, [[6, 7], [8, 9]])


def test_genes_are_read_where_salmon_made_them(tmp_path):
    salmon(tmp_path)
    salmon(tmp_path, ("ENSG1", "ENSG2", "ENSG3"), "quant.genes.sf")
    content, said = read(tmp_path, "salmon")
    assert list(content.values.columns) == ["ENSG1", "ENSG2", "ENSG3"] and "of quant.genes.sf is read" in said


def test_kallisto(tmp_path):
    for sample, counts in COUNTS.items():
        (tmp_path / sample).mkdir()
        rows = [(t, 100, 90, count, 1) for t, count in zip(TRANSCRIPTS, counts, strict=True)]
        (tmp_path / sample / "abundance.tsv").write_text(tabbed(KALLISTO, *rows))
        (tmp_path / sample / "abundance.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    content, _ = read(tmp_path, "kallisto")
    np.testing.assert_array_equal(content.values, [[5, 0, 7], [6, 2, 9]])
    assert list(content.values.index) == ["S1", "S2"]


def test_one_sample(tmp_path):
    salmon(tmp_path)
    content, _ = read(tmp_path / "S2_quant/quant.sf", "salmon")
    assert content.values.to_numpy().tolist() == [[6, 2, 9]] and list(content.values.index) == ["S2"]


@pytest.mark.parametrize("corner", ["", '"",'])
def test_tximport(tmp_path, corner):
    header = ["abundance.S1", "abundance.S2", "counts.S1", "counts.S2", "length.S1", "length.S2", "countsFromAbundance"]
    rows = [["ENSG1", 1, 1, 5.4, 6, 100, 100, "no"], ["ENSG2", 1, 1, 0, 7.7, 100, 100, "no"]]
    text = corner + ",".join(f'"{name}"' for name in header) + "\n"
    path = tmp_path / "txi.csv"
    path.write_text(text + "".join(",".join(map(str, row)) + "\n" for row in rows))
    content, said = read(path, "tximport")
    assert list(content.values.index) == ["S1", "S2"] and list(content.values.columns) == ["ENSG1", "ENSG2"]
    np.testing.assert_array_equal(content.values, [[5, 0], [6, 8]])
    assert "rounded" in said
