import re

import numpy as np
import pandas as pd
import pytest

from benchmarks.calibration.planted import COVARIATES, TASKS, plant
from mtlbio.config import Probe
from mtlbio.probing.audit import audit
from mtlbio.probing.separation import discordant, donors_off_the_line, donors_to_add, inflation
from mtlbio.probing.trial import Trial


@pytest.mark.parametrize(
    "counts, expected",
    [([[50, 50], [50, 50]], 1.0), ([[45, 5], [5, 45]], 1 / (1 - 0.8**2)), ([[50, 0], [0, 50]], np.inf)],
)
def test_inflation_is_that_of_the_regression_on_the_levels(counts, expected):
    assert inflation(np.array(counts)) == pytest.approx(expected)


@pytest.mark.parametrize("counts", [[[50, 0], [0, 50]], [[48, 2], [2, 48]], [[20, 0, 0], [0, 20, 0], [0, 0, 30]]])
def test_the_donors_to_add_are_enough_and_no_group_too_many(counts):
    counts = np.array(counts)
    added = donors_to_add(counts, 4.0, 5)
    assert inflation(counts + added) < 4 and discordant(counts + added) >= 5
    for place in zip(*np.nonzero(added), strict=True):
        fewer = counts + added
        fewer[place] -= 2
        assert inflation(fewer) >= 4 or discordant(fewer) < 5
    assert donors_to_add(np.array([[30, 30], [30, 30]]), 4.0, 5).sum() == 0


def test_five_donors_do_not_mend_a_large_nested_design_and_the_sentence_asks_for_more():
    planted = plant(200, 0, batch_disease=1.0)
    before = audit(Trial.to_come(planted.obs, TASKS, COVARIATES, Probe()))
    why = before[(before["task"] == "disease") & (before["covariate"] == "batch")]["why"].iloc[0]
    total = int(re.search(r"about (\d+) more donors", why).group(1))
    groups = re.findall(r"(\d+) with disease = (\w+) in batch = (\w+)", why)
    assert sum(int(n) for n, _, _ in groups) == total > 5
    extra = []
    for number, (n, label, batch) in enumerate(groups):
        rows = planted.obs.sample(int(n), random_state=number).assign(disease=label, batch=batch)
        extra.append(rows.assign(donor=[f"new{number}_{i}" for i in range(int(n))]))
    after = audit(Trial.to_come(pd.concat([planted.obs, *extra]), TASKS, COVARIATES, Probe()))
    assert (after[(after["task"] == "disease") & (after["covariate"] == "batch")]["call"] != "not_identifiable").all()


def test_donors_off_the_line_bring_the_inflation_down():
    rng, found = np.random.default_rng(0), []
    for _ in range(100):
        x = rng.normal(size=100)
        y = x + 0.3 * rng.normal(size=100)
        added = donors_off_the_line(100, 1 / (1 - np.corrcoef(x, y)[0, 1] ** 2), 4.0)
        u, v = np.append(x, rng.normal(size=added)), np.append(y, y.std() * rng.normal(size=added))
        found.append(1 / (1 - np.corrcoef(u, v)[0, 1] ** 2))
    assert np.median(found) == pytest.approx(4, rel=0.1)
