"""Whatever is wrong with the input is one clear line, and nothing is left behind."""

from __future__ import annotations

from collections.abc import Callable

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from small_cohort import SmallCohort

from mtlbio.cohort.prepare import prepare
from mtlbio.errors import InputError
from mtlbio.kinds.read import read_run


def meta(column: str, value: object, rows: object = slice(None)) -> Callable[[SmallCohort], None]:
    """Set values of a metadata column."""

    def spoil(small: SmallCohort) -> None:
        small.metadata[column] = small.metadata[column].astype(object)
        small.metadata.loc[rows, column] = value

    return spoil


def value(number: object, scale: str = "log2", row: int = 3, gene: int = 4) -> Callable[[SmallCohort], None]:
    """Set one value of the expression table, on one scale."""

    def spoil(small: SmallCohort) -> None:
        if scale in ("counts", "beta"):
            getattr(small, scale)()
        small.set("expression.scale", scale)
        small.expression = small.expression.astype(object)
        small.expression.iloc[row, gene] = number

    return spoil


def key(name: str, content: object) -> Callable[[SmallCohort], None]:
    """Change a key of the run."""
    return lambda small: small.set(name, content)


def both(*steps: Callable[[SmallCohort], None]) -> Callable[[SmallCohort], None]:
    """Several changes."""

    def spoil(small: SmallCohort) -> None:
        for step in steps:
            step(small)

    return spoil


def file(name: str, content: str, run_key: str | None = None) -> Callable[[SmallCohort], None]:
    """Write a file of any content and let the run name it."""

    def spoil(small: SmallCohort) -> None:
        (small.folder / name).write_text(content)
        if run_key:
            small.set(run_key, name)

    return spoil


def transpose(small: SmallCohort) -> None:
    small.expression = small.expression.T


def rename_samples(small: SmallCohort) -> None:
    small.expression.index = [f"X{i}" for i in range(len(small.expression))]


def duplicate_expression_row(small: SmallCohort) -> None:
    small.expression = small.expression.iloc[[0, *range(len(small.expression))]]


def duplicate_metadata_row(small: SmallCohort) -> None:
    small.metadata = small.metadata.iloc[[0, *range(len(small.metadata))]].reset_index(drop=True)
    small.metadata.loc[0, "age"] += 1  # a copy word for word would be left out


def unnamed_gene(small: SmallCohort) -> None:
    small.expression.columns = ["GENE1", "", *small.expression.columns[2:]]


def duplicate_column(small: SmallCohort) -> None:
    small.metadata.insert(1, "age", 1.0, allow_duplicates=True)


def label_among_genes(small: SmallCohort) -> None:
    small.expression["age"] = small.metadata["age"].to_numpy()


def constant_expression(small: SmallCohort) -> None:
    small.expression[:] = 7.0


def few_donors(small: SmallCohort) -> None:
    keep = small.metadata["donor_id"].isin(["001", "002", "003", "004"])
    small.metadata = small.metadata[keep]


def one_control_donor(small: SmallCohort) -> None:
    small.metadata["disease"] = np.where(small.metadata["donor_id"] == "001", "control", "case")


def no_rows(small: SmallCohort) -> None:
    small.metadata = small.metadata.iloc[:0]


def single_cells(small: SmallCohort) -> None:
    small.metadata = small.metadata.iloc[np.arange(1300) % 20].assign(sample_id=[f"C{i}" for i in range(1300)])
    small.expression = pd.DataFrame(
        np.random.default_rng(0).poisson(2, (1300, 5)), index=small.metadata["sample_id"], columns=list("ABCDE")
    )
    small.set("expression.scale", "counts")


def h5ad(layer: str | None) -> Callable[[SmallCohort], None]:
    def spoil(small: SmallCohort) -> None:
        ad.AnnData(small.expression.astype(np.float32)).write_h5ad(small.folder / "expression.h5ad")
        small.set("expression.path", "expression.h5ad")
        if layer:
            small.set("expression.layer", layer)

    return spoil


STAGE = "tasks.stage"
SITE = {"role": "technical", "column": "batch"}
LEAVE_OUT = {"kind": "leave_out", "by": "batch"}

# what is wrong: how the cohort is spoilt, and what the line must name
WRONG: dict[str, tuple[Callable[[SmallCohort], None], list[str]]] = {
    # files
    "no expression file": (key("expression.path", "no.csv"), ["expression.path", "no.csv"]),
    "no metadata file": (key("metadata.path", "no.csv"), ["metadata.path", "no.csv"]),
    "unknown expression format": (file("e.abc", "\1\2", "expression.path"), ["expression.path", "'.abc'", "parquet"]),
    "unknown metadata format": (file("m.abc", "\1\2", "metadata.path"), ["metadata.path", "'.abc'", ".csv"]),
    "no workbook": (file("m.xlsx", "x", "metadata.path"), ["m.xlsx", "not an Excel workbook"]),
    "broken parquet": (file("e.parquet", "text", "expression.path"), ["e.parquet", "not a readable parquet"]),
    "broken h5ad": (file("e.h5ad", "text", "expression.path"), ["e.h5ad", "not a readable HDF5"]),
    "broken gzip": (
        lambda small: (
            (small.folder / "m.csv.gz").write_bytes(b"\x1f\x8b\x08text"),
            small.set("metadata.path", "m.csv.gz"),
        ),
        ["m.csv.gz", "not a readable text table"],
    ),
    "empty metadata file": (file("m.csv", "", "metadata.path"), ["m.csv", "empty"]),
    "metadata without rows": (no_rows, ["metadata.csv", "no rows"]),
    "semicolons and commas": (
        file("m.csv", "sample_id,donor_id;x\na,b;c\nd,e;f\n", "metadata.path"),
        ["m.csv", "no column"],
    ),
    "folder that is not 10x": (
        lambda small: ((small.folder / "tenx").mkdir(), small.set("expression.path", "tenx")),
        ["tenx", "matrix.mtx"],
    ),
    "layer of a csv": (key("expression.layer", "raw"), ["expression.layer", "'raw'", "h5ad"]),
    "missing layer": (h5ad("raw"), ["expression.layer", "'raw'"]),
    # columns and identifiers
    "missing sample column": (key("metadata.sample", "sampleid"), ["metadata.sample", "'sampleid'", "'sample_id'"]),
    "missing donor column": (key("metadata.donor", "donor"), ["metadata.donor", "'donor'", "'donor_id'"]),
    "missing task column": (key("tasks.disease.column", "diseas"), ["tasks.disease", "'diseas'", "did you mean 'dis"]),
    "missing covariate column": (key("covariates.plate", SITE | {"column": "plat"}), ["covariates.plate", "'plat'"]),
    "missing pseudobulk column": (key("pseudobulk", {"by": ["tissue"]}), ["pseudobulk.by", "'tissue'", "found: "]),
    "column twice": (duplicate_column, ["metadata.csv", "age", "twice"]),
    "sample twice in metadata": (duplicate_metadata_row, ["metadata.csv", "'sample_id'", "S001_1", "twice"]),
    "sample twice in expression": (duplicate_expression_row, ["expression.csv", "S001_1", "twice"]),
    "sample without identifier": (meta("sample_id", np.nan, 2), ["metadata.csv", "'sample_id'", "row 3"]),
    "no sample in common": (rename_samples, ["expression.csv", "no sample in common", "X0", "S001_1"]),
    "genes in rows": (transpose, ["expression.csv", "genes in rows", "transpose", "S001_1"]),
    "no donor at all": (meta("donor_id", np.nan), ["metadata.donor", "'donor_id'", "empty"]),
    # values
    "gene without a name": (unnamed_gene, ["expression.csv", "number 2", "no name"]),
    "text among the genes": (value("high"), ["expression.csv", "'GENE5'", "'high'", "S002_2"]),
    "missing value": (value(np.nan), ["expression.csv", "'GENE5'", "'S002_2'", "1 missing value", "missing: drop"]),
    "infinite value": (value(np.inf), ["expression.csv", "'GENE5'", "'S002_2'", "inf"]),
    "negative count": (value(-3, "counts"), ["'GENE5'", "'S002_2'", "-3", "scale counts"]),
    "fractional count": (value(2.5, "counts"), ["'GENE5'", "'S002_2'", "2.5", "whole numbers"]),
    "beta above one": (value(1.2, "beta"), ["'GENE5'", "'S002_2'", "1.2", "0 to 1"]),
    "beta below zero": (value(-0.1, "beta"), ["'GENE5'", "'S002_2'", "-0.1", "0 to 1"]),
    "intensities called log2": (value(5000.0), ["'GENE5'", "'S002_2'", "5000", "scale log2", "50"]),
    "constant expression": (constant_expression, ["expression.csv", "constant", "48 samples"]),
    "label among the genes": (label_among_genes, ["expression.csv", "'age'", "not a gene"]),
    "no sample passes": (
        both(SmallCohort.counts, key("qc.min_genes", 1000)),
        ["qc.min_genes", "1000", "30"],
    ),
    # tasks
    "one class": (meta("disease", "case"), ["tasks.disease", "'disease'", "one class", "'case'"]),
    "positive never occurs": (key("tasks.disease.positive", "SLE"), ["tasks.disease.positive", "'SLE'", "case (32)"]),
    "negative never occurs": (key("tasks.disease.negative", "well"), ["tasks.disease.negative", "'well'", "control"]),
    "class never occurs": (
        key(STAGE, {"kind": "ordinal", "classes": ["low", "mid", "severe"]}),
        ["tasks.stage.classes", "'severe'", "high (16)"],
    ),
    "multiclass of one": (
        both(meta("stage", "low"), key(STAGE, {"kind": "multiclass"})),
        ["tasks.stage", "one class", "'low'"],
    ),
    "text where a number is due": (meta("age", "old", 5), ["tasks.age", "'age'", "'old'", "S003_2", "number"]),
    "text among numbers": (meta("age", "adult", 5), ["tasks.age", "'adult'", "S003_2"]),
    "infinite label": (meta("age", "inf", 5), ["tasks.age", "'inf'"]),
    "constant label": (meta("age", 40.0), ["tasks.age", "constant", "40"]),
    "task entirely missing": (meta("disease", np.nan), ["tasks.disease", "'disease'", "empty"]),
    "two diagnoses of a donor": (meta("disease", "case", 0), ["tasks.disease", "001", "case, control"]),
    "two diagnoses, by column": (
        both(
            lambda small: small.metadata.insert(0, "Diagnosis", small.metadata["disease"]),
            meta("Diagnosis", "case", 0),
            key("tasks.ill", {"kind": "binary", "column": "Diagnosis", "positive": "case"}),
        ),
        ["tasks.ill", "001", "case, control"],
    ),
    "fewer donors than folds": (few_donors, ["splits.folds", "5", "4 donor"]),
    "rare class": (one_control_donor, ["tasks.disease", "1 donor", "'control'", "5 folds"]),
    "few labelled donors": (meta("age", np.nan, slice(6, None)), ["tasks.age", "labelled donor", "5 folds"]),
    # covariates
    "two sexes of a donor": (meta("sex", "male", 0), ["covariates.sex", "001", "female, male"]),
    "two sexes, by column": (
        both(
            lambda small: small.metadata.insert(0, "Gender", small.metadata["sex"]),
            meta("Gender", "male", 0),
            key("covariates.g", {"role": "confounder", "column": "Gender"}),
        ),
        ["covariates.g", "001", "female, male"],
    ),
    "identifier as covariate": (key("covariates.vid", SITE | {"column": "id2"}), ["covariates.vid", "48 levels"]),
    "donor as covariate": (key("covariates.who", SITE | {"column": "donor2"}), ["covariates.who", "one level per"]),
    "continuous covariate of text": (key("covariates.batch.kind", "continuous"), ["covariates.batch", "number"]),
    "age as categories": (
        both(lambda small: small.run["tasks"].pop("age"), key("covariates.age.kind", "categorical")),
        ["covariates.age", "kind: continuous"],
    ),
    "covariate entirely missing": (meta("batch", np.nan), ["covariates.batch", "'batch'", "empty"]),
    "constant covariate": (meta("batch", "B1"), ["covariates.batch", "one value only", "B1"]),
    "twins of two kinds": (key("covariates.age.kind", "categorical"), ["covariates.age.kind", "categorical", "contin"]),
    # folds
    "held-out level without labels": (
        both(
            meta("batch", "B3", slice(0, 4)),
            meta("disease", np.nan, slice(0, 4)),
            meta("age", np.nan, slice(0, 4)),
            key("splits", LEAVE_OUT),
        ),
        ["splits.by", "batch", "'B3'", "no label"],
    ),
    "level that holds a whole class": (
        both(
            lambda small: small.metadata.update(small.metadata["disease"].rename("batch")),
            key("splits", LEAVE_OUT),
        ),
        ["splits.by", "batch", "tasks.disease", "no c"],
    ),
    # gene sets
    "no gene set file": (key("gene_sets", "sets.gmt"), ["gene_sets", "sets.gmt"]),
    "empty gene sets": (file("sets.gmt", "", "gene_sets"), ["sets.gmt", "empty"]),
    "gene sets without tabs": (file("sets.gmt", "SET GENE1 GENE2\n", "gene_sets"), ["sets.gmt", "line 1", "tabs"]),
    "gene set twice": (file("sets.gmt", "A\tx\tG1\nA\tx\tG2\n", "gene_sets"), ["sets.gmt", "line 2", "'A'"]),
    "no gene in common": (file("sets.gmt", "SET\tx\tTP53\tMYC\n", "gene_sets"), ["gene_sets", "TP53", "GENE1"]),
    # single cells
    "cells without pseudobulk": (single_cells, ["pseudobulk", "1300", "10 donors"]),
    "too few cells": (key("pseudobulk", {"by": [], "min_cells": 9}), ["pseudobulk.min_cells", "9 cells", "2"]),
    "label varies within a sample": (
        both(key("tasks.visit", {"kind": "binary", "positive": 1}), key("pseudobulk", {"by": [], "min_cells": 1})),
        ["'visit'", "differs between the cells", "001", "pseudobulk.by"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_is_one_clear_line(small, case):
    spoil, words = WRONG[case]
    small.metadata["id2"] = [f"V{i}" for i in range(len(small.metadata))]
    small.metadata["donor2"] = "P" + small.metadata["donor_id"]
    spoil(small)
    path = small.write()
    results = small.folder / "results" / "small"
    with pytest.raises(InputError) as caught:
        prepare(read_run(path), results)
    message = str(caught.value)
    assert "\n" not in message
    assert "np." not in message
    for word in words:
        assert word in message, message
    assert not results.exists()


def test_there_are_enough_of_them():
    assert len(WRONG) >= 60


def test_the_unspoilt_cohort_is_accepted(small):
    prepare(read_run(small.write()), small.folder / "results")
    assert {p.name for p in (small.folder / "results").iterdir()} == {"cohort.h5ad", "qc.tsv", "splits.tsv"}


def test_a_failed_run_leaves_earlier_results_alone(small):
    results = small.folder / "results"
    prepare(read_run(small.write()), results)
    before = {p.name: p.read_bytes() for p in results.iterdir()}
    small.metadata["batch"] = "B1"
    with pytest.raises(InputError):
        prepare(read_run(small.write()), results)
    assert {p.name: p.read_bytes() for p in results.iterdir()} == before
