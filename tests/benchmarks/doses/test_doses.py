"""The benchmark of doses in its small form: the planted table reaches what is promised of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.doses import planted, warfarin
from benchmarks.doses.fitting import cohort_of, compared
from mtlbio.cohort.simulate_doses import simulate_doses

DATA = Path(__file__).parents[3] / "../shared/data"


@pytest.mark.slow
def test_a_drug_with_forty_patients_learns_from_the_others(capsys):
    found = planted.planted(full=False)
    assert found["gain_0"] >= 0.15 and found["r2_0"] >= 0.9
    assert "above 0" in capsys.readouterr().out


@pytest.mark.skipif(not (DATA / "warfarin_iwpc").is_dir(), reason="the warfarin table is not there")
def test_the_analysis_cohort_of_warfarin():
    table = warfarin.patients(DATA)
    assert len(table) == 4809 and table["site"].nunique() == 18
    cohort = cohort_of(table, warfarin.described({"dose": {}}))
    assert np.isfinite(cohort.y("dose")).all() and cohort.y("dose").max() <= 175
    assert cohort.coding.places["vkorc1_imputed"] and cohort.genes.count("cyp2c9=*3/*3") == 1


def test_comparisons_are_paired_and_in_the_units_of_the_dose():
    cohort = cohort_of(
        simulate_doses(a=60, b=60, c=20, variants=0).table,
        {
            "features": {"numeric": ["age", "weight"], "categories": ["cyp"]},
            "metadata": {"sample": "patient", "donor": "patient"},
            "tasks": {"drug_a": {"kind": "regression", "transform": "log"}},
        },
    )
    y = cohort.y("drug_a")
    said = compared(cohort, "drug_a", y + 0.5, y - 1.0)
    assert said.startswith(
        "mae together 0.500, alone 1.000; gain 0.500 (0.500 to 0.500), 50.0% of alone, n 60, above 0"
    )
