"""Panels of planted cohorts: chosen without who is held out, scored beside all features, small and with what acts."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benchmarks.calibration.panels import planted, scored_panels
from mtlbio.cohort.split import make_splits, train_test
from mtlbio.config import Splits
from mtlbio.evaluation.comparisons import call_difference
from mtlbio.evaluation.panel.chosen import EVERYTHING, FINAL, OWN, SHARED, choose_panels
from mtlbio.evaluation.panel.exchange import exchangeable, free_partners, partners_of
from mtlbio.evaluation.panel.fitted import Fitted
from mtlbio.evaluation.panel.front import Scored, front_table, reference, smallest
from mtlbio.evaluation.panel.stability import agreement, in_draws, in_folds
from mtlbio.labels import Multiclass, Ordinal
from mtlbio.labels.survival import Survival
from mtlbio.labels.survival.records import records_of
from mtlbio.tables import PANEL_EXCHANGE, PANEL_FRONT

SIZES = (4, 12, 30)


@pytest.fixture(scope="module")
def cohort():
    return planted(2, donors=240, features=300)


@pytest.fixture(scope="module")
def scored(cohort) -> Scored:
    return scored_panels(cohort[0], SIZES, draws=200)


def row_of(kind: str, task: str = "") -> list:
    return [(kind, task, float(size)) for size in SIZES]


def test_a_fold_does_not_see_who_is_held_out(cohort, scored):
    own = cohort[0]
    splits = make_splits(own, Splits())
    train, test = train_test(splits, 0)
    rng, obs, values = np.random.default_rng(0), own.obs.copy(), own.expression.copy()
    for task in own.tasks:
        obs.iloc[test, obs.columns.get_loc(task)] = obs[task].iloc[rng.permutation(test)].to_numpy()
    values[test] = rng.normal(size=(len(test), values.shape[1]))
    other = choose_panels(replace(own, obs=obs, expression=values), splits, SIZES, 300)
    for panel in [*row_of(SHARED), *row_of(OWN, "severity")]:
        assert other.members[panel, 0].tolist() == scored.panels.members[panel, 0].tolist()
    assert any(other.members[p, 1].tolist() != scored.panels.members[p, 1].tolist() for p in row_of(SHARED))
    assert len(train) + len(test) == 240


def test_all_features_is_the_ridge_of_the_fold_and_a_score_is_its_prediction_standardised(cohort, scored):
    own = cohort[0]
    splits = make_splits(own, Splits())
    train, test = train_test(splits, 2)
    fitted = Fitted.of(own, train, test, 300)
    predicted, scores = fitted.predicted(own.tasks["severity"], np.arange(300))
    np.testing.assert_allclose(predicted, scored.panels.predicted[EVERYTHING, "severity"][test])
    y = own.y("severity")[train]
    np.testing.assert_allclose(predicted, y.mean() + y.std() * scores[""])


def test_the_smallest_panel_is_small_and_holds_what_acts(cohort, scored):
    names, causal = np.array(cohort[0].genes), set(cohort[1])
    tasks = list(cohort[0].tasks)
    found, beside = (ask(scored, row_of(SHARED), tasks) for ask in (smallest, reference))
    assert found is not None and beside != EVERYTHING and 12 <= found[2] <= beside[2]
    assert len(causal & set(names[scored.panels.members[found, FINAL]])) >= 9
    # four features of twelve do as well as all 300 for the disease, and are too few for somebody who may have more
    assert scored.call((SHARED, "", 4.0), beside, "severity") == "worse"


def test_the_front_has_every_panel_with_its_paired_interval(cohort, scored):
    own, tasks = cohort[0], list(cohort[0].tasks)
    rows = {(SHARED, ""): row_of(SHARED)} | {(OWN, t): row_of(OWN, t) for t in tasks}
    prices = np.full(300, 0.5)
    table = front_table(scored, rows, {(SHARED, ""): (SHARED, "", 12.0)}, prices)
    assert list(table.columns) == PANEL_FRONT and len(table) == 3 * (1 + 3 + 3)
    whole = table[table["panel"] == "all"].set_index("task")
    for row in table[table["panel"] != "all"].itertuples():
        assert row.difference == pytest.approx(row.value - whole.loc[row.task, "value"], abs=1e-12)
        assert row.call == call_difference(row.diff_low, row.diff_high, 0.02)
        assert row.size == row.limit and row.price == row.limit / 2
        panel = (row.panel, "" if row.panel == SHARED else row.task, row.limit)
        predicted = scored.panels.predicted[panel, row.task]
        assert row.value == pytest.approx(own.tasks[row.task].score(own.y(row.task), predicted))
    assert table[table["chosen"] == "yes"].groupby("task")["limit"].unique().map(list).to_dict() == {
        t: [12.0] for t in tasks
    }
    assert table["n_donors"].groupby(table["task"]).first().loc["response"] == (~np.isnan(own.y("response"))).sum()


def test_without_a_loss_that_matters_the_sequence_ends_at_the_first_failure(scored):
    class Told(Scored):
        def call(self, panel, other, task):
            return told[panel[2]]

    own = Told(scored.cohort, scored.panels, 200, 0, 0.02)
    row = [(SHARED, "", float(size)) for size in SIZES]
    for calls, expected in (
        (("worse", "no_worse", "no_worse"), 12.0),
        (("no_worse", "undecided", "no_worse"), 30.0),  # the four are not asked
        (("no_worse", "no_worse", "undecided"), None),
    ):
        told = dict(zip(map(float, SIZES), calls, strict=True))
        found = smallest(own, row, ["severity"])
        assert (None if found is None else found[2]) == expected


def test_features_that_act_are_chosen_again_and_others_hardly_ever(cohort, scored):
    own, causal = cohort
    acts = np.isin(own.genes, causal)
    panel = (SHARED, "", 12.0)
    everybody = Fitted.of(own, np.arange(240), np.arange(0), 300)
    again = in_draws(everybody, panel, 300, draws=20)
    folds, draws = in_folds(scored.panels, panel, 300).mean(axis=0), again.mean(axis=0)
    assert draws.sum() == pytest.approx(12) and folds.sum() == pytest.approx(12)
    assert draws[acts].mean() > 20 * draws[~acts].mean() and draws[acts].mean() > 0.5
    np.testing.assert_array_equal(again, in_draws(everybody, panel, 300, draws=20))
    found, error = agreement(again, 300)
    assert 0.3 < found < 1 and 0 < error < 0.1


def test_panels_agree_as_much_as_pairs_of_them_do():
    """Of panels of one size the index is the mean over pairs of what they share beyond chance (Kuncheva 2007)."""
    rng = np.random.default_rng(0)
    inside = np.zeros((40, 30), dtype=bool)
    for row in inside:
        row[rng.choice(12, 6, replace=False)] = True
    chance = 6 / 30
    pairs = [((inside[a] & inside[b]).sum() / 6 - chance) / (1 - chance) for a in range(40) for b in range(a + 1, 40)]
    found, error = agreement(inside, 30)
    assert found == pytest.approx(np.mean(pairs))
    # the error is that of drawing panels, by Monte Carlo
    drawn = [
        agreement(np.stack([np.isin(np.arange(30), rng.choice(12, 6, replace=False)) for _ in range(40)]), 30)[0]
        for _ in range(300)
    ]
    assert error == pytest.approx(np.std(drawn), rel=0.35)


def test_a_copy_can_be_exchanged_and_a_neighbour_cannot(cohort, scored):
    own, causal = cohort
    first = own.genes.index(causal[0])
    inside = scored.panels.members[(SHARED, "", 12.0), FINAL]
    assert first in inside
    values = own.expression.copy()
    values[:, -1] = values[:, first] + 0.05 * np.random.default_rng(0).normal(size=240)
    own = replace(own, expression=values)
    everybody = Fitted.of(own, np.arange(240), np.arange(0), 300)
    pairs = partners_of(everybody, np.sort(inside))
    r = np.corrcoef(values, rowvar=False)
    assert all(found == pytest.approx(r[a, b], abs=1e-5) and abs(found) >= 0.5 for a, b, found in pairs)
    table = exchangeable(own, make_splits(own, Splits()), inside, everybody, scored, list(own.tasks))
    assert list(table.columns) == PANEL_EXCHANGE
    assert own.genes[-1] in free_partners(table)[causal[0]]
    others = table[(table["feature"] == causal[0]) & (table["partner"] != own.genes[-1])]
    assert others["difference"].min() < table.loc[table["partner"] == own.genes[-1], "difference"].min()


def test_classes_and_levels_are_scored_like_numbers(cohort):
    own = cohort[0]
    code = np.digitize(own.obs["severity"], np.quantile(own.obs["severity"], [0.4, 0.7]))
    names = np.array(["low", "middle", "high"])
    obs = own.obs.assign(group=names[code], level=names[code])
    tasks = {"group": Multiclass("group", tuple(names)), "level": Ordinal("level", tuple(names))}
    own = replace(own, obs=obs, tasks=tasks)
    scored = scored_panels(own, (12,), draws=100)
    panel = (SHARED, "", 12.0)
    assert scored.panels.predicted[panel, "group"].shape == scored.panels.predicted[panel, "level"].shape == (240, 3)
    assert set(scored.panels.scores[panel, "group"]) == set(names)
    np.testing.assert_allclose(scored.panels.predicted[panel, "level"].sum(axis=1), 1)
    for task, at_least in (("group", 0.7), ("level", 0.5)):
        found = scored.of(panel, task)
        assert found.ci_low <= found.value <= found.ci_high and found.value > at_least


def test_a_class_that_no_training_donor_has_is_predicted_last(cohort):
    own = cohort[0]
    group = pd.Series(np.where(own.obs["severity"] > 0, "b", "a"), own.obs.index)
    group.iloc[:5] = "c"
    own = replace(own, obs=own.obs.assign(group=group), tasks={"group": Multiclass("group", ("a", "b", "c"))})
    fitted = Fitted.of(own, np.arange(5, 240), np.arange(5), 300)
    predicted, scores = fitted.predicted(own.tasks["group"], np.arange(300))
    assert (
        predicted.shape == (5, 3)
        and (predicted[:, 2] < predicted[:, :2].min(axis=1)).all()
        and set(scores) == {"a", "b"}
    )


def test_a_time_to_an_event_is_ranked_by_its_hazard(cohort):
    own = cohort[0]
    rng = np.random.default_rng(0)
    time = -np.log(rng.random(240)) * np.exp(-own.obs["severity"].to_numpy())
    seen = np.minimum(time, 2), time < 2, np.full(240, -np.inf), np.zeros(240, dtype=int)
    task = Survival("os", records_of(*seen), (0.5, 1.0))
    place = task.table.place(*seen)
    own = replace(own, obs=own.obs.assign(os=place.astype(float)), tasks={"os": task})
    scored = scored_panels(own, (12,), draws=100)
    found = scored.of((SHARED, "", 12.0), "os")
    assert found.value > 0.6 and found.ci_low > 0.5
    assert set(scored.panels.scores[(SHARED, "", 12.0), "os"]) == {""}
