"""Estimated composition as covariates of a run, from its YAML to ``cohort.h5ad``."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from mixtures import CELLS, mixture

from mtlbio.cohort.cohort import read_cohort
from mtlbio.cohort.composition_covariates import principal_variables
from mtlbio.cohort.genesets import builtin_cells
from mtlbio.cohort.prepare import build_roster, prepare
from mtlbio.errors import InputError
from mtlbio.evaluation.covariates import usable_covariates
from mtlbio.kinds.read import read_run
from mtlbio.tables import QC, read_table

DONORS = 24


@pytest.fixture
def mixed(small):
    """The small cohort (24 donors, two visits each) with the expression of mixtures."""
    shares, values, genes = mixture(2 * DONORS)
    small.expression = pd.DataFrame(values.round(4), columns=genes, index=small.metadata["sample_id"])
    small.shares = pd.DataFrame(shares, columns=CELLS)
    small.set("covariates.composition", {"estimate": True})
    return small


def prepared(small):
    prepare(read_run(small.write()), small.folder / "results")
    return read_cohort(small.folder / "results/cohort.h5ad"), read_table(small.folder / "results/qc.tsv", QC)


def test_scores_become_confounders_that_are_marked_as_estimated(mixed):
    mixed.set("covariates.composition", {"estimate": True, "cell_types": ["T_cells", "monocytes"]})
    cohort, qc = prepared(mixed)
    assert list(cohort.covariates) == ["age", "sex", "batch", "composition_T_cells", "composition_monocytes"]
    info = cohort.covariates["composition_T_cells"]
    assert (info.role, info.kind, info.estimated) == ("confounder", "continuous", "composition")
    assert not cohort.covariates["age"].estimated
    r = np.corrcoef(cohort.obs["composition_T_cells"], np.log(mixed.shares["T_cells"]))[0, 1]
    assert r > 0.85
    notes = qc[qc["reason"] == "estimated"]
    assert notes["item"].tolist() == ["composition_T_cells", "composition_monocytes"]
    assert notes["detail"].str.contains(r"1\d of 15 measured markers go together, reliability 0\.[89]").all()
    # what genes tell is no rival of a model that reads genes
    assert [c.name for c in usable_covariates(cohort, "disease")] == ["age", "sex", "batch"]


def test_few_donors_hold_few_cell_types_fixed(mixed):
    cohort, qc = prepared(mixed)
    names = [name for name, info in cohort.covariates.items() if info.estimated]
    assert len(names) == DONORS // 10
    left_out = qc[qc["reason"] == "not held fixed"]
    assert sorted([*left_out["item"], *(n.removeprefix("composition_") for n in names)]) == sorted(CELLS)
    assert set(left_out["detail"]) == {"24 donors leave room for 2"}


def test_components_are_uncorrelated_and_say_what_they_are(mixed):
    mixed.set("covariates.composition", {"estimate": True, "components": 3, "role": "technical"})
    cohort, qc = prepared(mixed)
    parts = cohort.obs[["composition_1", "composition_2", "composition_3"]]
    np.testing.assert_allclose(np.corrcoef(parts, rowvar=False), np.eye(3), atol=1e-8)
    assert cohort.covariates["composition_1"].role == "technical"
    detail = qc.loc[qc["item"] == "composition_1", "detail"].iloc[0]
    assert "% of the variance of the scores; correlation with" in detail and "+" in detail


def test_without_the_key_nothing_of_it_is_there(mixed):
    del mixed.run["covariates"]["composition"]
    cohort, qc = prepared(mixed)
    assert list(cohort.obs.columns) == ["donor", "disease", "age", "sex", "batch"] and not len(qc)


def test_markers_of_ones_own(mixed):
    kinds = {"fat cells": mixed.expression.columns[:15], "muscle": mixed.expression.columns[15:30]}
    text = "".join("\t".join([name, "own", *genes]) + "\n" for name, genes in kinds.items())
    (mixed.folder / "own.gmt").write_text(text)
    mixed.set("covariates.composition", {"estimate": True, "markers": "own.gmt"})
    cohort, _ = prepared(mixed)
    assert list(cohort.covariates)[3:] == ["composition_fat_cells", "composition_muscle"]
    assert np.corrcoef(cohort.obs["composition_muscle"], np.log(mixed.shares["monocytes"]))[0, 1] > 0.85


def test_the_order_of_samples_changes_nothing(mixed):
    first, _ = prepared(mixed)
    order = np.random.default_rng(0).permutation(2 * DONORS)
    mixed.metadata, mixed.expression = mixed.metadata.iloc[order], mixed.expression.iloc[order]
    other, _ = prepared(mixed)
    name = list(first.covariates)[-1]
    np.testing.assert_allclose(other.obs.loc[first.obs.index, name], first.obs[name], atol=1e-8)


def test_the_labels_change_no_score(mixed):
    first, _ = prepared(mixed)
    mixed.metadata["disease"] = np.where(np.arange(2 * DONORS) // 2 % 2 == 0, "control", "case")
    other, _ = prepared(mixed)
    names = [name for name, info in first.covariates.items() if info.estimated]
    pd.testing.assert_frame_equal(first.obs[names], other.obs[names])


def test_a_roster_knows_the_scores(mixed):
    run = read_run(mixed.write())
    obs, tasks, covariates, _ = build_roster(run)
    cohort, _ = prepared(mixed)
    assert list(tasks) == ["disease", "age"] and covariates == cohort.covariates
    np.testing.assert_allclose(obs[list(covariates)[-1]], cohort.obs[list(covariates)[-1]])


def of_ensembl(small):
    small.expression.columns = [f"ENSG{i:011d}.2" for i in range(small.expression.shape[1])]


def of_other_genes(small):
    small.expression.columns = [f"GENE{i}" for i in range(small.expression.shape[1])]


def without_b_cells(small):
    small.expression = small.expression.drop(columns=builtin_cells()["B_cells"][3:15])


@pytest.mark.parametrize(
    ("spoil", "asked", "words"),
    [
        (of_ensembl, {}, "the genes are Ensembl identifiers (ENSG00000000000.2, ENSG00000000001.2"),
        (of_other_genes, {}, "no cell type can be estimated: neutrophils: 0 of its 25 markers are measured, 4 are"),
        (
            without_b_cells,
            {"cell_types": ["B_cells"]},
            "cell_types: B_cells cannot be estimated: 3 of its 25 markers are measured",
        ),
        (None, {"cell_types": ["b cells"]}, "cell_types: found 'b cells'; valid: neutrophils, monocytes"),
        (
            None,
            {"cell_types": ["neutrophils", "B_cells", "neutrophils"]},
            "covariates.composition.cell_types: found 'neutrophils' more than once; valid: each once",
        ),
        (None, {"components": 7}, "composition.components: 7 columns for 24 donors; valid: up to 6"),
        (None, {"cell_types": [], "markers": "builtin"}, "covariates.composition.cell_types: found an empty list"),
        (None, {"cell_types": ["T_cells"], "components": 2}, "composition.cell_types: found components beside it"),
        (None, {"column": "age"}, "composition.column: found 'age' beside estimate: true"),
        (None, {"kind": "categorical"}, "composition.kind: found categorical; valid: continuous"),
        (
            None,
            {"estimate": False, "role": "confounder", "markers": "builtin"},
            "composition.markers: found without estimate",
        ),
        (None, {"markers": "nowhere.gmt"}, "covariates.composition.markers: no such file"),
        (None, {"estimate": "yes"}, "covariates.composition.estimate: found 'yes'; expected true or false"),
        (lambda s: s.set("covariates.cells", {"estimate": True}), {}, "cells.estimate: covariates.composition is"),
        (
            lambda s: s.set("pseudobulk", {"by": []}),
            {},
            "composition.estimate: single cells are counted, not estimated",
        ),
        (
            lambda s: s.set("covariates.composition_T_cells", {"column": "chip", "role": "technical"}),
            {"cell_types": ["T_cells"]},
            "composition_T_cells is the name of something else",
        ),
    ],
)
def test_what_cannot_be_estimated_is_one_line(mixed, spoil, asked, words):
    mixed.set("covariates.composition", {"estimate": True} | asked)
    if spoil is not None:
        spoil(mixed)
    with pytest.raises(InputError) as error:
        prepare(read_run(mixed.write()), mixed.folder / "results")
    assert words in str(error.value) and "\n" not in str(error.value)
    assert not (mixed.folder / "results").exists() or not any((mixed.folder / "results").iterdir())


def test_a_table_of_features_has_no_genes_to_estimate_from(small):
    small.write()
    del small.run["expression"]
    small.set("features", {"path": "metadata.csv", "numeric": ["visit"]})
    small.set("covariates.composition", {"estimate": True})
    with pytest.raises(InputError, match="composition.estimate: needs measurements"):
        read_run(small.write_run())


def test_principal_variables_tell_most_of_all():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 3))
    # two groups of three alike, and one alone: the first of each group tells the others
    table = np.column_stack([x[:, [0] * 3] + 0.2 * rng.normal(size=(500, 3)), x[:, [1] * 3], x[:, 2]])
    chosen = principal_variables(np.corrcoef(table, rowvar=False), 3)
    assert chosen[0] in (3, 4, 5) and chosen[1] in (0, 1, 2) and chosen[2] == 6
    assert len(principal_variables(np.corrcoef(table, rowvar=False), 7)) == 3
