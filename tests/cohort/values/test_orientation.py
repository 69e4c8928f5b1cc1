"""Tables with genes in rows are read as they lie: genes, samples and what describes genes are told apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mtlbio.cohort.expression import genes_in, read_expression, sample_names
from mtlbio.cohort.metadata import read_metadata, text_table
from mtlbio.cohort.prepare import build_cohort, build_roster
from mtlbio.cohort.values.orientation import guess_genes_in
from mtlbio.config import Expression
from mtlbio.errors import InputError
from mtlbio.intake.notes import noticing
from mtlbio.kinds.read import read_run

IDS = [f"S{i}" for i in range(6)]
VALUES = np.arange(24, dtype=float).reshape(4, 6) + 0.5


def table(**before: object) -> pd.DataFrame:
    """Four genes in rows, with columns before the samples."""
    values = pd.DataFrame(VALUES, columns=IDS)
    for place, (name, column) in enumerate(before.items()):
        values.insert(place, name, column)
    return values


GENES = ["ENSG1", "ENSG2", "ENSG3", "ENSG4"]
SYMBOLS = ["TP53", "MYC", "EGFR", "KRAS"]
FEATURE_COUNTS = {"Geneid": GENES, "Chr": "chr1;chr1", "Start": "1;2", "End": "5;9", "Strand": "+;+", "Length": 99}
# columns before the samples -> names of the genes
LAYOUTS = {
    "featureCounts": (FEATURE_COUNTS, GENES),
    "one column": ({"gene": GENES}, GENES),
    "id and name": ({"gene_id": GENES, "gene_name": SYMBOLS, "description": "a, b"}, GENES),
    "cBioPortal": ({"Hugo_Symbol": SYMBOLS, "Entrez_Gene_Id": [7157, 4609, 1956, 3845]}, SYMBOLS),
    "Entrez alone": ({"entrez_id": [7157, 4609, 1956, 3845]}, ["7157", "4609", "1956", "3845"]),
    "place first": ({"chromosome": "1", "start": 5, "symbol": SYMBOLS}, SYMBOLS),
    "own words": ({"molecule": SYMBOLS, "biotype": "coding"}, SYMBOLS),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(tmp_path, layout):
    before, genes = LAYOUTS[layout]
    path = tmp_path / "counts.tsv"
    table(**before).to_csv(path, sep="\t", index=False)
    expression = Expression(path=str(path), scale="log2", format="table", genes_in="rows")
    with noticing() as notes:
        data = read_expression(expression, "sample_id", IDS)
    assert data.genes.tolist() == genes and data.samples.tolist() == IDS
    np.testing.assert_array_equal(data.matrix, VALUES.T)
    assert len(before) == 1 or "describe genes and are no samples: left out" in notes[0].text
    assert sample_names(expression, "sample_id", IDS).tolist() == IDS


@pytest.mark.parametrize("by_index", [True, False])
def test_parquet(tmp_path, by_index):
    frame = table(gene=SYMBOLS)
    (frame.set_index("gene") if by_index else frame).to_parquet(tmp_path / "e.parquet", index=by_index)
    expression = Expression(path=str(tmp_path / "e.parquet"), scale="log2", format="table", genes_in="rows")
    data = read_expression(expression, "sample_id", IDS)
    assert data.genes.tolist() == SYMBOLS and data.samples.tolist() == IDS
    np.testing.assert_array_equal(data.matrix, VALUES.T)
    assert sample_names(expression, "sample_id", IDS).tolist() == IDS


def test_row_numbers_of_pandas_are_no_genes(tmp_path):
    table(symbol=SYMBOLS).to_csv(tmp_path / "e.csv")
    data = read_expression(
        Expression(path=str(tmp_path / "e.csv"), scale="log2", format="table", genes_in="rows"), "sample_id", IDS
    )
    assert data.genes.tolist() == SYMBOLS and data.samples.tolist() == IDS


def test_another_column_of_names_is_chosen(tmp_path):
    table(gene_id=GENES, gene_name=SYMBOLS).to_csv(tmp_path / "e.csv", index=False)
    expression = Expression(
        path=str(tmp_path / "e.csv"), scale="log2", format="table", genes_in="rows", genes="gene_name"
    )
    assert read_expression(expression, "sample_id", IDS).genes.tolist() == SYMBOLS
    assert sample_names(expression, "sample_id", IDS).tolist() == IDS
    with pytest.raises(InputError, match="expression.genes: no column 'symbol'"):
        read_expression(expression.model_copy(update={"genes": "symbol"}), "sample_id", IDS)


def test_rows_without_a_name_are_left_out_and_said(tmp_path):
    table(symbol=["TP53", "", None, "KRAS"]).to_csv(tmp_path / "e.csv", index=False)
    with noticing() as notes:
        data = read_expression(
            Expression(path=str(tmp_path / "e.csv"), scale="log2", format="table", genes_in="rows"), "sample_id", IDS
        )
    assert data.genes.tolist() == ["TP53", "KRAS"]
    assert any("2 rows without the name of a gene left out" in n.text and n.doubt for n in notes)
    table(symbol=["TP53", None, None, None]).to_csv(tmp_path / "e.csv", index=False)
    with pytest.raises(InputError, match="3 of 4 rows have no name in column 'symbol'"):
        read_expression(
            Expression(path=str(tmp_path / "e.csv"), scale="log2", format="table", genes_in="rows"), "sample_id", IDS
        )


def test_text_beside_the_samples_is_left_out_and_said(tmp_path):
    frame = table(gene=SYMBOLS)
    frame["pathway hint"] = ["cell cycle", "12", "a", "b"]
    frame.to_csv(tmp_path / "e.csv", index=False)
    with noticing() as notes:
        data = read_expression(
            Expression(path=str(tmp_path / "e.csv"), scale="log2", format="table", genes_in="rows"), "sample_id", IDS
        )
    assert data.samples.tolist() == IDS
    assert any("pathway hint hold text and are no samples of the metadata" in n.text for n in notes)


def test_files_of_featurecounts_are_matched_to_samples(tmp_path):
    frame = table(**FEATURE_COUNTS).rename(columns={i: f"bam/{i}.sorted.bam" for i in IDS})
    frame.to_csv(tmp_path / "e.tsv", sep="\t", index=False)
    expression = Expression(path=str(tmp_path / "e.tsv"), scale="log2", format="table", genes_in="rows")
    with noticing() as notes:
        assert read_expression(expression, "sample_id", IDS).samples.tolist() == IDS
    assert any("'bam/S0.sorted.bam' is 'S0'" in n.text for n in notes)
    assert sample_names(expression, "sample_id", IDS).tolist() == IDS


@pytest.mark.parametrize("reader", [read_expression, sample_names])
def test_the_error_tells_the_key(tmp_path, reader):
    table(gene=GENES).to_csv(tmp_path / "e.csv", index=False)
    with pytest.raises(InputError, match=r"genes in rows\?.*'S0'.*write expression.genes_in: rows"):
        reader(Expression(path=str(tmp_path / "e.csv"), scale="log2"), "sample_id", IDS)
    table(gene=GENES).set_index("gene").T.rename_axis("id").to_csv(tmp_path / "e.csv")
    with pytest.raises(InputError, match="genes_in: rows, but the metadata's samples.*are the rows here"):
        reader(
            Expression(path=str(tmp_path / "e.csv"), scale="log2", format="table", genes_in="rows"), "sample_id", IDS
        )


def test_keys_that_need_genes_in_rows(tmp_path):
    table(gene=GENES).set_index("gene").T.rename_axis("id").to_csv(tmp_path / "e.csv")
    with pytest.raises(InputError, match="expression.genes: 'symbol' given, but only"):
        read_expression(Expression(path=str(tmp_path / "e.csv"), scale="log2", genes="symbol"), "id")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="genes_in: rows given; valid: columns"):
        read_expression(Expression(path=str(tmp_path / "folder"), scale="counts", genes_in="rows"), "id")


def test_orientation_is_guessed_from_the_ids(tmp_path):
    described = pd.DataFrame({"id": IDS, "sex": ["f", "m"] * 3})
    before = {"gene_id": GENES, "biotype": "coding", "length": 99}
    table(**before).rename(columns={i: f"X.bam.{i}.bam" for i in IDS}).to_csv(tmp_path / "r.csv", index=False)
    table(gene=GENES).set_index("gene").T.rename_axis("sample").to_csv(tmp_path / "c.csv")
    assert genes_in(tmp_path / "r.csv", "sample_id", described) == "rows"
    assert genes_in(tmp_path / "c.csv", "sample_id", described) == "columns"


def test_orientation_without_metadata_is_a_doubt(tmp_path):
    with noticing() as notes:
        assert guess_genes_in([f"g{i}" for i in range(20_000)], IDS, None, tmp_path) == "rows"
        assert guess_genes_in(["a", "b"], ["gene_id", "gene_name", *IDS], None, tmp_path) == "rows"
        assert guess_genes_in(IDS, ["id", "TP53"], None, tmp_path) == "columns"
    assert [note.doubt for note in notes] == [True, True]


def test_a_cohort_with_genes_in_rows_is_the_same(small):
    small.write()
    whole, _ = build_cohort(read_run(small.write_run()))
    small.expression.T.rename_axis("gene").reset_index().assign(biotype="coding").to_csv(
        small.folder / "expression.csv", index=False
    )
    small.set("expression.genes_in", "rows")
    run = read_run(small.write_run())
    cohort, _ = build_cohort(run)
    assert cohort.genes == whole.genes and cohort.samples.tolist() == whole.samples.tolist()
    np.testing.assert_array_equal(cohort.expression, whole.expression)
    pd.testing.assert_frame_equal(build_roster(run)[0], cohort.obs)
    assert (
        genes_in(small.folder / "expression.csv", "sample_id", text_table(read_metadata(small.folder / "metadata.csv")))
        == "rows"
    )


def test_genes_that_are_called_like_what_describes_genes_do_not_turn_a_table(tmp_path):
    genes = [f"G{i}" for i in range(40)] + ["IDS", "MAX", "GC"]
    assert guess_genes_in(["D1_a", "D1_b", "D2_a"], ["sample_id", *genes], None, tmp_path / "e.csv") == "columns"
    in_front = ["Geneid", "Chr", "Start", "S1", "S2", "S3"]
    assert guess_genes_in(genes, in_front, None, tmp_path / "e.csv") == "rows"


def test_rows_that_name_no_gene_are_left_out(tmp_path):
    path = tmp_path / "e.csv"
    table(gene=["TP53", "---", "", "KRAS"]).to_csv(path, index=False)
    with noticing() as notes:
        data = read_expression(Expression(path=str(path), scale="log2", genes_in="rows"), "sample_id")
    assert data.genes.tolist() == ["TP53", "KRAS"]
    assert notes[-1].text == "2 rows without the name of a gene left out (below the header: 2, 3)" and notes[-1].doubt


def test_a_table_of_genes_without_rows_says_no_warning(tmp_path, recwarn):
    table(symbol=GENES).iloc[:0].to_csv(tmp_path / "e.csv", index=False)
    expression = Expression(path=str(tmp_path / "e.csv"), scale="log2", format="table", genes_in="rows")
    assert read_expression(expression, "sample_id", IDS).genes.tolist() == [] and not recwarn.list
