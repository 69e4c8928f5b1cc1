"""Planted doses: the truth is what was planted, and the run that is written can be run."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mtlbio.cohort.prepare import build_cohort
from mtlbio.cohort.simulate_doses import AFFINITY, DRUGS, simulate_doses, write_doses
from mtlbio.errors import InputError
from mtlbio.kinds.read import read_run


def test_doses_are_products_of_what_was_planted():
    doses = simulate_doses(seed=1, a=1500, b=1500, c=500, missing=0.0)
    truth, table = doses.truth, doses.table.set_index("patient")
    columns = {
        "enzyme": truth["enzyme"],
        "weight": np.log(table["weight"] / 75),
        "age": (table["age"] - 50) / 10,
        "inhibitor": (table["inhibitor"] == "yes").astype(float),
        "base": 1.0,
    }
    for drug, affinity in zip(DRUGS, AFFINITY, strict=True):
        known = table[drug].notna()
        x = pd.DataFrame(columns, index=table.index)[known]
        found = np.linalg.lstsq(x.to_numpy(), np.log(table.loc[known, drug]).to_numpy(), rcond=None)[0]
        assert found[0] == pytest.approx(affinity, abs=0.06)
        assert found[1] == pytest.approx(0.75, abs=0.15)
        assert found[3] == pytest.approx(-0.5 if drug == "drug_b" else 0.0, abs=0.08)
    assert (np.exp(truth["drug_a_taken"])[table["drug_a"].notna()] - table["drug_a"].dropna()).abs().max() < 1e-9


def test_people_are_partly_disjoint_and_the_seed_fixes_all():
    table = simulate_doses(seed=0).table
    known = table[list(DRUGS)].notna()
    assert known.sum().tolist() == [1000, 1000, 40]
    assert (known["drug_a"] & known["drug_b"]).sum() == 200 and not (known["drug_c"] & known["drug_b"]).any()
    assert table["cyp"].isna().mean() == pytest.approx(0.03, abs=0.015)
    pd.testing.assert_frame_equal(table, simulate_doses(seed=0).table)


def test_the_run_that_is_written_is_a_run(tmp_path):
    cohort, _ = build_cohort(read_run(write_doses(tmp_path, simulate_doses(a=60, b=60, c=20, variants=1))))
    assert list(cohort.tasks) == list(DRUGS) and all(t.multiplicative for t in cohort.tasks.values())
    assert list(cohort.coding.units)[0] == "enzyme" and cohort.coding.groups == {"enzyme": ("cyp", "cyp_expression")}


def test_what_cannot_be_planted():
    with pytest.raises(InputError, match="both: 0.5 of 100 patients on drug A are more than the 20 on drug B"):
        simulate_doses(a=100, b=20, both=0.5)
    with pytest.raises(InputError, match="c: found 3; valid: 10 or more"):
        simulate_doses(c=3)
