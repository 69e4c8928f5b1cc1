"""Which dimensions go with estimated composition, and what holding it fixed does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benchmarks.calibration.designs import plant_design
from benchmarks.calibration.given_axes import results_of
from benchmarks.calibration.planted import COVARIATES, plant
from mtlbio.cohort.cohort import CovariateInfo
from mtlbio.cohort.composition import estimate_composition
from mtlbio.cohort.genesets import builtin_cells
from mtlbio.config import Probe
from mtlbio.probing.cohorts import examine_cohort
from mtlbio.probing.composition import COLUMNS, LARGE, composition, largest_shares, with_cells
from mtlbio.probing.evidence import Evidence
from mtlbio.probing.trial import Trial

FAST = Probe(permutations=99, bootstrap=100)
DESIGN = "composition drives disease and half of the axes, estimated"


def renamed(planted, **kinds: str):
    """The planted cohort whose genes of an axis are markers of a cell type: ``composition="neutrophils"``."""
    genes = list(planted.cohort.genes)
    for role, kind in kinds.items():
        own = [i for i, gene in enumerate(genes) if gene.startswith(role.upper())]
        for i, symbol in zip(own, builtin_cells()[kind], strict=False):
            genes[i] = symbol
    return replace(planted, cohort=replace(planted.cohort, genes=tuple(genes)))


@pytest.fixture(scope="module")
def tables():
    planted = renamed(plant(120, 1), composition="neutrophils", interferon="monocytes")
    latents, examinee = results_of(planted)
    return planted, examine_cohort(planted.cohort, latents, examinee, FAST)


def test_the_axis_of_a_cell_type_goes_with_it_and_no_other_does(tables):
    planted, made = tables
    table = made["composition"]
    assert list(table.columns) == COLUMNS and len(table) == 2 * len(planted.roles)
    assert not table["held_fixed"].any() and set(table["markers"]) == {20} and (table["reliability"] > 0.9).all()
    shares = table.pivot(index="dim", columns="cell_type", values="share")
    roles = pd.Series(planted.roles, index=shares.index)
    assert shares.loc[roles == "composition", "neutrophils"].item() > 0.95
    assert shares.loc[roles == "interferon", "monocytes"].item() > 0.95
    assert shares.loc[roles == "noise"].to_numpy().max() < 0.1
    first = table.drop_duplicates("dim").set_index("dim")["share"]
    np.testing.assert_array_equal(first, shares.max(axis=1)[first.index])


def test_it_is_said_of_biology_and_decides_nothing(tables):
    planted, made = tables
    plain = examine_cohort(plant(120, 1).cohort, *results_of(plant(120, 1)), FAST)
    assert plain["composition"].empty
    verdicts, before = made["verdicts"].set_index("dim"), plain["verdicts"].set_index("dim")
    pd.testing.assert_frame_equal(verdicts.drop(columns="why"), before.drop(columns="why"))
    dim = verdicts.index[planted.roles.index("interferon")]
    assert verdicts.loc[dim, "verdict"] == "biology"
    assert verdicts.loc[dim, "why"] == before.loc[dim, "why"] + " It goes with estimated monocytes (100 %)."
    others = verdicts.index != dim
    pd.testing.assert_series_equal(verdicts.loc[others, "why"], before.loc[others, "why"])


def test_the_share_is_the_squared_correlation_where_nothing_is_given(tables):
    planted, _ = tables
    score = np.random.default_rng(0).normal(size=len(planted.obs))
    obs = planted.obs.assign(c_cells=score)
    info = CovariateInfo("c_cells", "confounder", "continuous", estimated="c")
    dims = tuple(f"z{i}" for i in range(planted.z.shape[1]))
    z = 0.6 * score[:, None] + planted.z
    trial = Trial(z, dims, np.array(["axis"] * len(dims)), obs, {}, {"c_cells": info}, FAST)
    own = {"cells": ["A", "B", "C", "D"]}  # no gene of the cohort
    table = composition(trial, planted.cohort, own).set_index("dim").loc[list(dims)]
    assert set(table["cell_type"]) == {"cells"} and table["held_fixed"].all()
    r2 = np.array([np.corrcoef(score, z[:, d])[0, 1] ** 2 for d in range(len(dims))])
    first = replace(info, name="c_1")
    as_component = replace(trial, obs=obs.assign(c_1=score), covariates={"c_1": first})
    assert set(composition(as_component, planted.cohort, own)["cell_type"]) == {"c_1"}
    chance = (1 - r2) / (len(z) - 2)  # epsilon squared takes this off (Kelley 1935)
    np.testing.assert_allclose(table["share"], r2 - chance, atol=1e-9)


def test_what_is_held_fixed_is_not_said_again():
    table = pd.DataFrame({"dim": ["a", "a", "b"], "cell_type": ["B_cells", "NK_cells", "B_cells"], "held_fixed": False})
    table["share"] = [0.6, 0.4, LARGE - 0.01]
    assert largest_shares(table) == {"a": ("B_cells", 0.6)}
    items = [Evidence("a", (), ()), Evidence("b", (), ())]
    assert [item.cells for item in with_cells(items, table)] == ["B cells", None]
    assert [item.cells for item in with_cells(items, table.assign(held_fixed=True))] == [None, None]
    assert with_cells(items, pd.DataFrame(columns=COLUMNS))[0].cells is None


def test_held_fixed_it_names_axes_and_a_programme_of_its_own_remains():
    found = {"confounder": 0, "biology": 0}
    for seed in range(4):
        planted, roles = plant_design(DESIGN, 120, seed)
        verdicts = examine_cohort(planted.cohort, *results_of(planted), FAST)["verdicts"]
        named = verdicts["driver"].fillna("").str.startswith("composition_")
        assert not named[0] and not named[6:].any()  # interferon, and the axes of nothing
        found["confounder"] += int(named[1:6].sum())
        found["biology"] += int(verdicts["verdict"][0] == "biology")
        false = verdicts["verdict"].to_numpy()[np.array(roles) != "interferon"] == "biology"
        assert not false.any()
        assert {f"share_{c}" for c in planted.cohort.covariates} <= set(verdicts.columns)
        assert len(planted.cohort.covariates) > len(COVARIATES) + 3
    assert found["biology"] >= 3 and found["confounder"] >= 5


def test_few_donors_hold_few_fixed_and_the_others_are_said_as_without_the_key(tables):
    planted, made = tables
    plain = made["composition"].set_index(["dim", "cell_type"])
    wide = estimate_composition(planted.cohort.expression, planted.cohort.genes, planted.cohort.donors, builtin_cells())
    assert wide.names == ["neutrophils", "monocytes"]
    obs = planted.cohort.obs.assign(c_neutrophils=wide.scores[:, 0])
    info = CovariateInfo("c_neutrophils", "confounder", "continuous", estimated="c")
    cohort = replace(planted.cohort, obs=obs, covariates=planted.cohort.covariates | {info.name: info})
    latents, examinee = results_of(planted)
    found = examine_cohort(cohort, latents, examinee, FAST)
    table = found["composition"].set_index(["dim", "cell_type"])
    held = table["held_fixed"].groupby("cell_type").agg(["min", "max"])
    assert held.loc["neutrophils"].tolist() == [True, True] and held.loc["monocytes"].tolist() == [False, False]
    for column in ("share", "markers", "reliability"):
        np.testing.assert_allclose(table[column], plain[column].reindex(table.index), atol=1e-6)
    verdicts = found["verdicts"].set_index("dim")
    dim = verdicts.index[planted.roles.index("interferon")]
    assert verdicts.loc[dim, "verdict"] == "biology"
    assert verdicts.loc[dim, "why"].endswith(" It goes with estimated monocytes (100 %).")
    assert not verdicts["why"].str.contains("goes with estimated neutrophils").any()


def test_markers_of_ones_own_are_those_that_are_asked_for(tables):
    planted, _ = tables
    own = {"granulo cytes": builtin_cells()["neutrophils"], "nobody": ["A", "B"]}
    latents, examinee = results_of(planted)
    found = examine_cohort(planted.cohort, latents, examinee, FAST, markers=own)["composition"]
    assert set(found["cell_type"]) == {"granulo cytes"}
