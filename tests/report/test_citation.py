"""A sentence that can be copied into a paper, with every number of the claim."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from fabricate import fabricate

from mtlbio import __version__
from mtlbio.kinds.vocabulary import CHAINS
from mtlbio.report.citation import citation
from mtlbio.report.inputs import Inputs, read_inputs

RUN = f"(mtlbio {__version__}, run fabricated)"


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("citation")
    read = read_inputs(fabricate(folder, donors=80), folder)
    verdicts = read.verdicts.assign(error_rate=np.nan, error_rate_low=np.nan, error_rate_high=np.nan)
    verdicts["error_rate_from"] = None
    rate = [0.036, 0.029, 0.046, "given axes, 80 donors: 68 of 1865 wrong"]
    verdicts.loc["z02", ["error_rate", "error_rate_low", "error_rate_high", "error_rate_from"]] = rate
    verdicts["donors_needed"], verdicts["needed_for"] = np.nan, None
    about = [125, "to establish its link to response among 12 dimensions (donors with response known; 40 now)"]
    verdicts.loc["z07", ["donors_needed", "needed_for"]] = about
    verdicts["about"] = "disease"
    return replace(read, verdicts=verdicts)


def test_biology(inputs):
    low, high = inputs.verdicts.loc["z02", ["ci_low_disease", "ci_high_disease"]]
    assert citation(inputs, "z02") == (
        "Latent dimension z02 (Interferon alpha response (Hallmark)) is called biology: disease +0.90 SD "
        f"({low:.2f} to {high:.2f}), given age, sex, site and batch (q < 0.001, 80 donors). Of such verdicts, 3.6 in "
        "100 (95 % 2.9 to 4.6) were wrong on planted data (given axes, 80 donors: 68 of 1865 wrong). " + RUN
    )


def test_the_test_says_who_took_part_and_what_was_held_fixed(inputs):
    terms = "age, batch (97 levels pooled, the label's mean in each held fixed), age x batch (straight line)"
    row = {"dim": "z02", "question": "task", "variable": "disease", "n_donors": 76, "adjusted_for": terms}
    asked = pd.DataFrame([{**row, "question": "joint", "n_donors": 1}, row])
    with_tests = replace(inputs, tables=inputs.tables | {"association": asked})
    assert ", given age and batch (q < 0.001, 76 donors)." in citation(with_tests, "z02")
    nothing = replace(inputs, tables={"association": asked.assign(adjusted_for="nothing")})
    assert ", without covariates (q < 0.001, 76 donors)." in citation(nothing, "z02")


def test_estimated_cell_types_are_named_together(inputs):
    cohort = inputs.cohort
    estimated = {
        name: replace(info, estimated="cells" * (name in ("sex", "site"))) for name, info in cohort.covariates.items()
    }
    known = replace(inputs, cohort=replace(cohort, covariates=estimated))
    assert ", given age, cells (estimated) and batch (q < 0.001" in citation(known, "z02")


def test_covariates_and_batch_say_their_share(inputs):
    assert citation(inputs, "z01").startswith(
        "Latent dimension z01 (age) is called a confounder: 71 % of its variance goes with age; disease "
    )
    assert ": 82 % of its variance goes with batch; disease " in citation(inputs, "z03")
    assert citation(inputs, "z03").endswith(f" No error rate was counted for such a verdict. {RUN}")


def test_what_stays_open_says_what_it_would_take_and_claims_nothing(inputs):
    text = citation(inputs, "z07")
    assert text.startswith("Latent dimension z07 stays undecided (underpowered): disease ")
    assert text.endswith(
        f"donors). It would take about 125 donors to establish its link to response among 12 dimensions. {RUN}"
    )
    assert "error rate" not in text


def test_supervised_dimensions_and_other_words(inputs, monkeypatch):
    about = inputs.about.assign(block="supervised", task="disease")
    assert citation(replace(inputs, about=about), "z08").startswith(
        "Latent dimension z08 (response), trained for disease, is called biology: "
    )
    monkeypatch.setattr(Inputs, "words", CHAINS)
    bare = replace(inputs, tables={})
    assert "80 chains)" in citation(bare, "z02")
    assert "cannot be told apart in this set of chains" in citation(bare, "z06")


def test_a_dimension_that_is_a_covariate_has_no_effect(inputs):
    fixed = inputs.verdicts.assign(held_fixed=["age"] + [None] * 11)
    assert citation(replace(inputs, verdicts=fixed), "z01") == (
        "Latent dimension z01 (age) is called a confounder: 71 % of its variance goes with age. "
        f"No error rate was counted for such a verdict. {RUN}"
    )
