"""The planted times: events, follow-up and what the axes hold."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.calibration.times import (
    AXES,
    COLUMNS,
    HAZARDS,
    STRAIGHT,
    TASK,
    Hazard,
    documented,
    follow,
    judged,
    plant,
    rates,
)
from mtlbio.probing.rates import ANY_FALSE


@pytest.mark.parametrize("events", [30, 100])
def test_so_many_events_are_seen_and_some_are_lost_before(events):
    trial = plant(HAZARDS["interferon"], events, 0)
    time, event, _, _ = trial.tasks[TASK].times(trial.labels(TASK))
    assert event.sum() == events and len(trial.z) == 2.5 * events and trial.z.shape[1] == AXES
    lost = ~event & (time < time.max())
    assert 0.04 < lost.mean() < 0.25 and (~event & (time == time.max())).sum() > 0
    assert len(plant(HAZARDS["interferon; 10 donors per event"], events, 0).z) == 10 * events


def test_the_hazard_is_that_of_the_design():
    rng = np.random.default_rng(0)
    x = rng.normal(size=20_000)
    time, event = follow(0.6 * x, 10_000, rng)
    from mtlbio.labels.cox import fit_cox

    fit = fit_cox(x[:, None], time, event)
    assert abs(fit.coefficients[0] - 0.6) < 4 * fit.se[0] and fit.events == 10_000


def test_axes_hold_some_of_what_age_does_and_interferon_nothing():
    trial = plant(HAZARDS["age, a U"], 2000, 0)
    aged = (trial.obs["age"].to_numpy() - 50) / 17.3
    r2 = np.square([np.corrcoef(z, aged**2)[0, 1] for z in trial.z.T])
    assert r2[0] < 0.005 and ((r2[1:] > 0.02) & (r2[1:] < 0.25)).all()


def test_a_strong_programme_is_found_and_the_table_counts_it():
    HAZARDS["strong"] = Hazard(by_interferon=1.2)
    try:
        rows = pd.DataFrame([judged(("strong", 50, run)) for run in range(2)])
        rows.columns = COLUMNS
        assert rows["found"].all() and not rows["wrong"].any() and (rows["biologies"] == 1).all()
        assert (rows[["p", "plain"]] < 1e-4).all(axis=None) and (rows["p"] != rows["plain"]).all()
        every = "100.0 % (34.2-100.0, n = 2)"
        assert documented(rows)[-1] == f"| strong | 50 | 2 | 0.0 % (0.0-65.8, n = 2) | {every} | {every} | {every} |"
        errors, found = rates(rows)
        assert errors[["part", "donors", "verdict", "n", "wrong"]].to_numpy().tolist() == [
            ["times", 50, "biology", 2, 0]
        ]
        hits = found.set_index("what")["hits"]
        assert hits["interferon"] == 2 and hits[ANY_FALSE] == 0 and (found["n"] == 2).all()
        unfair = pd.concat([rows, rows.assign(hazard=STRAIGHT, wrong=9)])
        pd.testing.assert_frame_equal(rates(unfair)[0], errors)  # what the package does not do says nothing of it
    finally:
        del HAZARDS["strong"]
