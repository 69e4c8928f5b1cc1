"""A draft reads the measurements as they lie and writes the keys that they need."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import yaml

from mtlbio.cohort.drafts.draft import draft
from mtlbio.cohort.prepare import build_cohort
from mtlbio.errors import InputError
from mtlbio.intake.notes import noticing
from mtlbio.kinds.read import read_run


def drafted(small, **options):
    """``expression`` of the draft, its notes, and the cohort that it gives."""
    text, notes = draft(small.folder / "expression.csv", small.folder / "metadata.csv", folder=small.folder)
    (small.folder / "draft.yaml").write_text(text)
    cohort, qc = build_cohort(read_run(small.folder / "draft.yaml"))
    return yaml.safe_load(text)["expression"], notes, cohort, qc


def test_columns_of_metadata_are_left_out_of_the_genes(small):
    small.expression.insert(0, "is_case", (small.metadata["disease"] == "case").to_numpy().astype(int))
    small.expression["RIN"] = np.linspace(6, 9, 48).round(1)
    small.expression["Weight"] = np.linspace(50, 99, 48).round(1)
    small.expression["ward"] = "north"
    small.write()
    expression, notes, cohort, _ = drafted(small)
    assert expression["scale"] == "log2" and set(expression["drop"]) == {"is_case", "RIN", "Weight"}
    assert any("'Weight', called as metadata are" in note or "'Weight', looks like" in note for note in notes)
    assert len(cohort.genes) == 30


def test_samples_named_by_files_in_rows_of_genes(small):
    small.counts()
    small.expression.index = [f"/data/bam/{name}.sorted.bam" for name in small.expression.index]
    genes = small.expression.T.rename_axis("Geneid")
    genes.insert(0, "Length", 1200)
    genes.insert(0, "Chr", "chr1;chr1")
    genes.loc["__no_feature"] = ["", 0, *[10_000] * 48]
    small.write()
    genes.to_csv(small.folder / "expression.csv")
    with noticing() as notes:
        expression, _, cohort, qc = drafted(small)
    assert expression == {"path": "expression.csv", "scale": "counts", "genes_in": "rows"}
    assert cohort.samples.tolist() == small.metadata["sample_id"].tolist() and len(cohort.genes) == 30
    texts = [note.text for note in notes]
    assert any("Chr, Length describe genes" in text for text in texts)
    assert any("'/data/bam/S001_1.sorted.bam' is 'S001_1'" in text for text in texts)
    assert qc.rows[0][:3] == ("__no_feature", "gene", "summary line of a read counter")


def test_symbols_are_preferred_where_only_they_are_in_gene_sets(small):
    symbols = ["IFI44L", "IFI27", "ISG15", "IFIT1", "MX1", "RSAD2", *[f"SYM{i}" for i in range(24)]]
    small.write()
    genes = small.expression.T.rename_axis("gene_id")
    genes.index = [f"ENSG{i:011d}" for i in range(30)]
    genes.index.name = "gene_id"
    genes.insert(0, "biotype", "protein_coding")
    genes.insert(1, "gene_name", symbols)
    genes.to_csv(small.folder / "expression.csv")
    expression, notes, cohort, _ = drafted(small)
    assert expression == {"path": "expression.csv", "scale": "log2", "genes_in": "rows", "genes": "gene_name"}
    assert cohort.genes[:2] == ("IFI44L", "IFI27") and cohort.preprocessing["genes"] == "gene_name"
    assert any("named by column 'gene_name', as the gene sets name them" in note for note in notes)


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        (lambda x: 2 ** (x - 8), "linear"),
        (lambda x: 100 / (1 + np.exp(7 - x)), "percent"),
        (lambda x: np.floor(2 ** (x * 1.5 - 3)) + 0.4, "linear"),
    ],
)
def test_scales_that_a_run_transforms(small, values, scale):
    small.expression = values(small.expression + np.linspace(-1.5, 1.5, 30))
    small.write()
    expression, _, cohort, _ = drafted(small)
    assert expression["scale"] == scale and np.isfinite(cohort.expression).all()


def test_names_that_fit_no_sample_are_left_to_choose(small):
    small.expression.index = [f"Z{i}" for i in range(48)]
    small.write()
    text, notes = draft(small.folder / "expression.csv", small.folder / "metadata.csv", folder=small.folder)
    assert "sample: TO_CHOOSE" in text
    assert any("those of the expression are called Z0, Z1, Z2" in note for note in notes)


def test_a_sample_of_the_metadata_that_stands_twice_is_named(small):
    again = small.metadata.iloc[:1].assign(age=99.0)
    small.metadata = pd.concat([small.metadata, again], ignore_index=True)
    small.write()
    with pytest.raises(InputError, match="S001_1 stand twice"):
        drafted(small)


def test_files_given_in_the_other_order(small):
    small.expression = pd.concat([small.expression, small.expression.add_prefix("B_").iloc[:, :40]], axis=1)
    small.expression = pd.concat([small.expression, small.expression.add_prefix("C_")], axis=1)
    small.write()
    with pytest.raises(
        InputError, match=r"metadata.csv: holds \d column\(s\) of numbers, .* give the measurements first"
    ):
        draft(small.folder / "metadata.csv", small.folder / "expression.csv")


def test_a_class_that_is_left_out_and_a_guess_without_a_clue_are_said(small):
    disease = small.metadata["disease"].copy()
    first = small.metadata["donor_id"] == small.metadata["donor_id"].iloc[0]
    small.metadata.loc[first, "disease"] = "contorl"
    small.write()
    notes = drafted(small)[1]
    assert any(n.startswith("task disease: ") and "fewer than three donors: 'contorl' (" in n for n in notes)
    small.metadata["disease"] = np.where(disease == "case", "2", "1")
    small.write()
    notes = drafted(small)[1]
    assert any(
        n.startswith("task disease: ") and n.endswith("(neither is called a control: check this)") for n in notes
    )


def test_a_gene_without_any_value_warns_of_nothing(small, recwarn):
    small.expression.iloc[:, 3] = np.nan
    small.write()
    expression, _, cohort, _ = drafted(small)
    assert expression["missing"] in ("drop", "fill") and len(cohort.genes) == 29
    assert not recwarn.list


def test_metadata_with_the_samples_in_columns(small):
    small.write()
    small.metadata.set_index("sample_id").T.to_csv(small.folder / "metadata.csv")
    with pytest.raises(InputError, match=r"metadata.csv: its columns are the samples \(S001_1, .*: transpose it"):
        drafted(small)


def test_a_long_table_is_told(small):
    small.write()
    small.expression.reset_index().melt(id_vars="sample_id").to_csv(small.folder / "expression.csv", index=False)
    with pytest.raises(InputError, match=r"stand twice; .* \(a row for every sample and gene\? pivot it"):
        drafted(small)


def test_ages_that_are_none_in_years_are_said(small):
    small.metadata["age"] = [*[0] * 2, *(20 + np.arange(46) % 40)]
    small.write()
    assert any(
        note.startswith("task age: ") and ", 2 of them 0 and all others above 15: " in note
        for note in drafted(small)[1]
    )
    small.metadata["age"] = 365 * (20 + np.arange(48) % 40)
    small.write()
    assert any(note.startswith("task age: ") and "in days or months? check this" in note for note in drafted(small)[1])
