"""Scores of cell types from marker genes."""

from __future__ import annotations

import numpy as np
import pytest
from mixtures import CELLS, mixture

from mtlbio.cohort.composition import LEAST_CORRELATION, LEAST_MARKERS, coherent, estimate_composition
from mtlbio.cohort.genesets import builtin_cells, builtin_sets

MARKERS = {kind: builtin_cells()[kind] for kind in CELLS}


@pytest.mark.parametrize("seed", range(5))
def test_scores_recover_the_shares_of_a_mixture(seed):
    shares, values, genes = mixture(80, seed)
    found = estimate_composition(values, genes, np.arange(80), MARKERS)
    assert found.names == list(CELLS) and not found.refused
    for k, kind in enumerate(found.types):
        assert np.corrcoef(found.scores[:, k], np.log(shares[:, k]))[0, 1] > 0.85
        assert np.corrcoef(found.scores[:, k], shares[:, k])[0, 1] > 0.8
        assert kind.reliability > 0.8 and kind.listed > kind.measured == 15 >= len(kind.markers)
    np.testing.assert_allclose(found.scores.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(found.scores.std(axis=0), 1, atol=1e-12)


def test_the_order_of_samples_and_genes_and_the_unit_of_a_gene_change_nothing():
    _, values, genes = mixture(60, 1)
    donors, rng = np.repeat(np.arange(30), 2), np.random.default_rng(0)
    found = estimate_composition(values, genes, donors, MARKERS)
    rows, columns = rng.permutation(60), rng.permutation(len(genes))
    other = estimate_composition(values[rows][:, columns], genes[columns], donors[rows], MARKERS)
    np.testing.assert_allclose(other.scores, found.scores[rows], atol=1e-10)
    assert [set(k.markers) for k in other.types] == [set(k.markers) for k in found.types]
    scaled = values * rng.uniform(0.5, 3, len(genes)) + rng.normal(size=len(genes))
    np.testing.assert_allclose(estimate_composition(scaled, genes, donors, MARKERS).scores, found.scores, atol=1e-10)


def test_every_donor_counts_once():
    _, values, genes = mixture(40, 2)
    donors = np.arange(40)
    once = estimate_composition(values, genes, donors, MARKERS)
    often = np.repeat(donors, np.where(donors < 5, 6, 1))  # five donors came six times
    more = estimate_composition(values[often], genes, often, MARKERS)
    np.testing.assert_allclose(more.scores, once.scores[often], atol=1e-10)


def test_unrelated_genes_are_no_cell_type():
    rng, refused = np.random.default_rng(3), 0
    names = [f"g{i}" for i in range(20)]
    for _ in range(100):
        found = estimate_composition(rng.normal(size=(40, 20)), names, np.arange(40), {"cells": names})
        refused += "cells" in found.refused
    assert refused == 100
    assert "10 are needed" in found.refused["cells"]


def test_a_marker_that_goes_against_the_rest_is_dropped():
    rng = np.random.default_rng(4)
    cells = rng.normal(size=(100, 1))
    values = np.column_stack([cells + 0.5 * rng.normal(size=(100, 6)), -cells, rng.normal(size=(100, 1))])
    found = estimate_composition(values, list("abcdefgh"), np.arange(100), {"cells": list("abcdefgh")})
    assert found.types[0].markers == tuple("abcdef") and found.types[0].measured == 8
    # alpha of six items that correlate by 1 / 1.25 is 6 r / (1 + 5 r)
    assert found.types[0].reliability == pytest.approx(6 * 0.8 / (1 + 5 * 0.8), abs=0.02)


def test_the_correlation_with_the_rest_is_that_of_the_sums():
    rng = np.random.default_rng(5)
    x = rng.normal(size=(200, 5)) + rng.normal(size=(200, 1))
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    kept, alpha = coherent(np.corrcoef(x, rowvar=False))
    rest = [np.corrcoef(x[:, k], np.delete(x, k, axis=1).sum(axis=1))[0, 1] for k in range(5)]
    assert kept == [0, 1, 2, 3, 4] and min(rest) > LEAST_CORRELATION
    # Cronbach 1951: k / (k - 1) (1 - sum of variances / variance of the sum)
    assert alpha == pytest.approx(5 / 4 * (1 - 5 / x.sum(axis=1).var()))


def test_missing_and_constant_markers_are_counted_out():
    _, values, genes = mixture(50, 6)
    present = [gene for gene in genes if gene not in MARKERS["B_cells"][3:]]
    columns = [list(genes).index(gene) for gene in present]
    found = estimate_composition(values[:, columns], present, np.arange(50), MARKERS)
    assert "B_cells" not in found.names
    assert found.refused["B_cells"].startswith(f"3 of its {len(MARKERS['B_cells'])} markers are measured")
    constant = values.copy()
    constant[:, [list(genes).index(gene) for gene in MARKERS["B_cells"][3:15]]] = 7.0
    assert estimate_composition(constant, genes, np.arange(50), MARKERS).refused["B_cells"].startswith("3 of")
    assert not estimate_composition(values, [f"x{g}" for g in genes], np.arange(50), MARKERS).types


def test_names_match_without_regard_to_case_unless_two_genes_differ_in_nothing_else():
    _, values, genes = mixture(50, 7)
    found = estimate_composition(values, genes, np.arange(50), MARKERS)
    for changed in (str.lower, str.title):
        other = estimate_composition(values, [changed(g) for g in genes], np.arange(50), MARKERS)
        np.testing.assert_array_equal(other.scores, found.scores)
    doubled = np.column_stack([values, values[:, 0]])
    clash = [*(g.lower() for g in genes), genes[0].title()]  # csf3r and Csf3r: which one is CSF3R?
    other = estimate_composition(doubled, clash, np.arange(50), MARKERS)
    assert other.types[0].measured == found.types[0].measured - 1


def test_the_shipped_markers_tell_cells_and_not_their_states():
    table, programmes = builtin_cells(), builtin_sets()
    states = ("INTERFERON_RESPONSE", "INFLAMMATION_NFKB", "IMMEDIATE_EARLY", "ANTIGEN_PRESENTATION", "CELL_CYCLE")
    responding = {gene for name in states for gene in programmes[name]}
    every = [gene for listed in table.values() for gene in listed]
    assert not responding & set(every)
    assert len(every) == len(set(every))  # a gene speaks for one cell type
    assert min(map(len, table.values())) >= 2 * LEAST_MARKERS
