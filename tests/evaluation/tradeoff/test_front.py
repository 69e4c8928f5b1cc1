"""A planted conflict has a front and says so, tasks that do not touch each other have none and say that."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from benchmarks.shared.planted_conflict import OPTIONS, front_of, planted
from mtlbio.cohort.split import make_splits
from mtlbio.config import Splits
from mtlbio.evaluation.bootstrap import bootstrap_weights
from mtlbio.evaluation.tradeoff.hypervolume import hypervolume
from mtlbio.evaluation.tradeoff.points import points_of
from mtlbio.evaluation.tradeoff.scored import PRESENT, call_front
from mtlbio.evaluation.tradeoff.tables import front_table, models_table, smallest_model, summary_table, volumes
from mtlbio.evaluation.tradeoff.trunks import Shape, sizes_of_folds
from mtlbio.tables import TRADEOFF_FRONT, TRADEOFF_SUMMARY

MARGIN = 0.02


@pytest.fixture(scope="module")
def at_odds():
    return front_of(planted(seed=0), OPTIONS)


def test_two_tasks_on_one_dimension_trade(at_odds):
    points, scored = at_odds
    gains = scored.gains(list(points.names))
    assert call_front(gains, MARGIN) == "trade"
    skills = pd.DataFrame(scored.skills([*points.names, PRESENT]), [*points.names, PRESENT], ["one", "two"])
    assert skills.loc["w01"].round(1).tolist() == [0.0, 0.6] and skills.loc["w09"].round(1).tolist() == [0.5, 0.0]
    assert skills.loc["w01", "two"] - skills.loc[PRESENT, "two"] > 0.3
    # linear along the noise ceiling: what one task has the other lacks, and the volume is far above one point's
    assert hypervolume(skills.loc[points.weighted].to_numpy()) > 2 * hypervolume(skills.loc[[PRESENT]].to_numpy())
    table = front_table(scored, points, MARGIN, 0.5)
    assert list(table.columns) == TRADEOFF_FRONT and len(table) == 2 * 12
    ends = table[table["point"] == "w01"].set_index("task")
    assert ends["call"].to_dict() == {"one": "loses", "two": "gains"} and (ends["on_front"] == "yes").all()
    # the worst task is what a tail over tasks serves: more than the present weights do for it, less than its corner
    assert skills.loc["worst tasks"].min() > skills.loc[PRESENT].min() + 0.1


def test_tasks_that_do_not_touch_each_other_are_flat():
    points, scored = front_of(planted(seed=1), OPTIONS.model_copy(update={"block": 8}))
    gains = scored.gains(list(points.names))
    assert call_front(gains, MARGIN) == "flat" and gains["diff_high"].max() < MARGIN
    inner = gains[~gains["point"].isin(["w01", "w09"]) & gains["point"].isin(points.weighted)]
    assert inner["difference"].abs().max() < 0.005
    # a task without any weight is not in the trunk; that is a loss, and no front
    assert gains.set_index(["point", "task"]).loc[("w01", "one"), "diff_high"] < -0.3
    skills = scored.skills([*points.weighted, PRESENT])
    assert hypervolume(skills[:-1]) < 1.02 * hypervolume(skills[-1:])


def test_equal_weights_are_the_run(at_odds):
    points, scored = at_odds
    for task in ("one", "two"):
        assert np.array_equal(scored.points["w05"][task], scored.points[PRESENT][task])


def test_the_summary_says_where_things_are(at_odds):
    points, scored = at_odds
    shapes = {PRESENT: Shape(9, 60), "w01": Shape(1, 60), "w05": Shape(2, 60), "w09": Shape(2, 6)}
    models = models_table(scored, shapes, MARGIN)
    assert smallest_model(models) == "w05"  # the same predictions, and so no worse
    summary = summary_table(scored, points, models, MARGIN)
    assert list(summary.columns) == TRADEOFF_SUMMARY
    said = summary.set_index("what")
    assert said.loc["front", "says"] == "trade" and said.loc["smallest model", "point"] == "w05"
    assert said.loc["reference", "value"].tolist() == [0.0, 0.0]
    assert said.loc["present", "value"] > said.loc["knee", "value"] > 0
    assert said.loc["largest gain", "ci_low"].max() > 0
    volumes = summary[summary["what"] == "hypervolume"].set_index("point")["value"]
    assert volumes[PRESENT] < volumes["weights"] <= volumes["all points"]
    more = summary[summary["what"] == "hypervolume gain"].set_index("point")
    assert 0 < more.loc["weights", "ci_low"] < more.loc["weights", "value"] < more.loc["weights", "ci_high"]


def test_the_interval_of_a_volume_is_of_the_donors_that_are_drawn(at_odds):
    """Of one point the volume is the product of its skills, draw by draw; of itself nothing is gained."""
    _, scored = at_odds
    one, again = volumes(scored, {PRESENT: [PRESENT], "weights": ["w05"]})[:2]
    drawn = scored.drawn_skills(["w05"])[:, 0]
    y = {task: scored.cohort.y(task) for task in ("one", "two")}
    weights = bootstrap_weights(scored.cohort.donors, scored.draws, scored.seed)
    for k, (task, own) in enumerate(y.items()):
        residual, centred = np.square(own - scored.points["w05"][task]), own - (weights[0] @ own) / weights[0].sum()
        assert drawn[0, k] == pytest.approx(1 - weights[0] @ residual / (weights[0] @ centred**2), abs=1e-9)
    low, high = np.quantile(np.maximum(drawn, 0).prod(axis=1), [0.025, 0.975])
    assert [one["ci_low"], one["ci_high"]] == pytest.approx([2 * one["value"] - high, 2 * one["value"] - low])
    assert again == one | {"point": "weights"}
    gain = volumes(scored, {PRESENT: [PRESENT], "weights": ["w05"]})[2]
    assert gain == {"what": "hypervolume gain", "point": "weights", "value": 0.0, "ci_low": 0.0, "ci_high": 0.0}


def test_with_prices_trunks_are_of_panels_that_can_be_paid():
    cohort = planted(seed=0)
    splits = make_splits(cohort, Splits(folds=2))
    prices = np.where(np.arange(60) < 30, 4.0, 1.0)
    folds = [SimpleNamespace(fold=fold) for fold in (0, 1)]
    sizes = sizes_of_folds(cohort, splits, folds, 100, prices)
    *panels, whole = sizes
    assert whole == (60, 150.0) and sizes[whole] == [None, None]
    assert [price for _, price in panels] == [round(share * prices.sum(), 6) for share in (0.02, 0.1, 0.5)]
    for (features, price), of_folds in list(sizes.items())[:-1]:
        assert all(0 < prices[columns].sum() <= price for columns in of_folds)
        assert all((prices[columns] < 4).any() for columns in of_folds)  # the cheap ones pay more
        assert features == round(np.mean([len(columns) for columns in of_folds]))
    assert list(sizes_of_folds(cohort, splits, folds, 100, None))[0][0] == 6


def test_points_have_names_weights_and_tails():
    points = points_of(3, 7, "site")
    table = points.table(["a", "b", "c"])
    assert table.groupby("serves", sort=False)["point"].nunique().to_dict() == {
        "weights": 7, "tasks": 1, "donors": 1, "site": 1,
    }  # fmt: skip
    assert table.loc[table["serves"] == "tasks", "weight"].isna().all()
    assert table.loc[table["serves"] == "weights"].groupby("point")["weight"].sum().round(12).eq(1).all()
