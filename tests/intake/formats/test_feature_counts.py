"""featureCounts: one table of all BAM files, or one each in a folder."""

from __future__ import annotations

import numpy as np
import pytest
from layouts import read, tabbed

from mtlbio.errors import InputError
from mtlbio.intake.formats.registry import measuring

ABOUT = ["Geneid", "Chr", "Start", "End", "Strand", "Length"]
LINE = '# Program:featureCounts v2.0.3; Command:"featureCounts" "-a" "genes.gtf" "-o" "counts.txt" "a.bam"\n'


def table(path, files, *rows, more=()):
    body = [[gene, "chr1;chr1", "1;5", "2;9", "+;+", 100, *values] for gene, *values in rows]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(LINE + tabbed([*ABOUT, *more, *files], *body))
    return path


@pytest.mark.parametrize(
    "files",
    [
        ["bam/S1.sorted.bam", "bam/S2.sorted.bam"],
        ["/data/run 1/S1/Aligned.sortedByCoord.out.bam", "/data/run 1/S2/Aligned.sortedByCoord.out.bam"],
        ["S1Aligned.sortedByCoord.out.bam", "S2Aligned.sortedByCoord.out.bam"],
        ["S1_Aligned.out.sam", "S2_Aligned.out.sam"],
        ["results/S1.markdup.sorted.bam", "results/S2.markdup.sorted.bam"],
    ],
)
def test_counts_by_sample(tmp_path, files):
    path = table(tmp_path / "counts.txt", files, ("ENSG1", 5, 0), ("ENSG2", 7, 9))
    content, said = read(path, "featurecounts")
    assert list(content.values.index) == ["S1", "S2"] and list(content.values.columns) == ["ENSG1", "ENSG2"]
    np.testing.assert_array_equal(content.values, [[5, 7], [0, 9]])
    assert content.scale == "counts" and "Chr, Start, End, Strand, Length left out" in said


def test_names_of_genes_fractions_and_the_summary(tmp_path):
    path = table(
        tmp_path / "counts.txt", ["S1.bam", "S2.bam"], ("ENSG1", "IFI6", 5.5, 0), ("ENSG2", "MX1", 7, 9.2),
        more=["gene_name"],
    )  # fmt: skip
    (tmp_path / "counts.txt.summary").write_text(
        tabbed(["Status", "S1.bam", "S2.bam"], ["Assigned", 80, 30], ["Unassigned_NoFeatures", 20, 70])
    )
    content, said = read(path, "featurecounts")
    assert list(content.values.columns) == ["IFI6", "MX1"]
    np.testing.assert_array_equal(content.values, [[6, 7], [0, 9]])
    assert "have fractions: rounded" in said and "between 30% and 80% of the reads were assigned" in said


def test_the_summary_alone(tmp_path):
    path = tmp_path / "counts.txt.summary"
    path.write_text(tabbed(["Status", "S1.bam"], ["Assigned", 80]))
    with pytest.raises(InputError, match="the summary of featureCounts, not its counts; give counts.txt"):
        measuring(path).read(path)


def test_a_folder_of_tables(tmp_path):
    for sample, count in (("S1", 5), ("S2", 8)):
        table(tmp_path / f"{sample}.counts.txt", [f"bam/{sample}.bam"], ("ENSG1", count), ("ENSG2", 1))
        (tmp_path / f"{sample}.counts.txt.summary").write_text(tabbed(["Status", "S.bam"], ["Assigned", 80]))
    content, _ = read(tmp_path, "featurecounts")
    assert list(content.values.index) == ["S1", "S2"]
    np.testing.assert_array_equal(content.values, [[5, 1], [8, 1]])


def test_text_among_the_counts(tmp_path):
    path = table(tmp_path / "counts.txt", ["S1.bam", "S2.bam"], ("ENSG1", 5, "many"))
    with pytest.raises(InputError, match="column 'S2.bam', row 'ENSG1': found 'many'"):
        measuring(path).read(path)


def test_counts_that_a_spreadsheet_saved(tmp_path):
    path = tmp_path / "counts.csv"
    rows = [[*ABOUT, "S1.bam", "S2.bam"], ["MX1", "chr1;chr1", "1;5", "2;9", "+;+", 9, 5, 0]]
    path.write_text("".join(",".join(map(str, row)) + "\r\n" for row in rows))
    content, _ = read(path, "featurecounts")
    np.testing.assert_array_equal(content.values, [[5], [0]])
    assert list(content.values.index) == ["S1", "S2"] and list(content.values.columns) == ["MX1"]
