"""A cell type that could be held fixed and is not, where an outcome goes with it more than with those that are."""

import numpy as np
import pandas as pd
import pytest

from mtlbio.cohort.cohort import CovariateInfo
from mtlbio.config import Probe
from mtlbio.labels import Binary
from mtlbio.probing.plan_composition import composition_warnings
from mtlbio.probing.trial import Trial


@pytest.fixture
def trial():
    rng = np.random.default_rng(0)
    disease = np.repeat(["no", "yes"], 30)
    obs = pd.DataFrame({"donor": [f"D{i:02d}" for i in range(60)], "disease": pd.Categorical(disease)})
    obs["cells_B_cells"] = rng.normal(size=60) + 0.5 * (disease == "yes")
    info = CovariateInfo("cells_B_cells", "confounder", "continuous", estimated="cells")
    return Trial.to_come(obs, {"disease": Binary("disease", ("no", "yes"))}, {info.name: info}, Probe())


def eta2(values, disease):
    """Adjusted eta squared."""
    between = sum(30 * (values[disease == c].mean() - values.mean()) ** 2 for c in ("no", "yes"))
    return 1 - (1 - between / np.square(values - values.mean()).sum()) * 59 / 58


def scores(trial, shift):
    noise = np.random.default_rng(1).normal(size=60)
    values = noise + shift * (trial.obs["disease"] == "yes")
    return pd.DataFrame({"cells_T_cells": values, "cells_NK_cells": noise[::-1]}, index=trial.obs.index)


def test_it_is_named_with_both_numbers(trial):
    left, disease = scores(trial, 2.0), trial.obs["disease"].to_numpy()
    ours = eta2(left["cells_T_cells"].to_numpy(), disease)
    theirs = eta2(trial.obs["cells_B_cells"].to_numpy(), disease)
    assert composition_warnings(trial, left) == [
        f"disease goes with estimated T cells (eta2 {ours:.2f}), which is not held fixed; of those that are, B cells "
        f"(eta2 {max(theirs, 0):.2f}) most. `biology` for it may be a matter of T cells; covariates.cells.cell_types "
        "says which to hold fixed."
    ]
    assert ours > 0.4 > theirs


def test_nothing_where_what_is_held_fixed_goes_with_it_more_or_nothing_does(trial):
    assert composition_warnings(trial, scores(trial, 0.0)) == []
    fixed = trial.obs.assign(cells_B_cells=(trial.obs["disease"] == "yes") + 0.1 * np.arange(60) % 1)
    stronger = Trial.to_come(fixed, trial.tasks, trial.covariates, Probe())
    assert composition_warnings(stronger, scores(trial, 2.0)) == []
    assert composition_warnings(trial, pd.DataFrame()) == []
