"""A planted conflict has a front and says so, tasks that do not touch each other have none and say that."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.shared.planted_conflict import OPTIONS, front_of, planted
from mtlbio.evaluation.tradeoff.hypervolume import hypervolume
from mtlbio.evaluation.tradeoff.points import points_of
from mtlbio.evaluation.tradeoff.scored import PRESENT, call_front
from mtlbio.evaluation.tradeoff.tables import front_table, models_table, smallest_model, summary_table
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
    models = models_table(scored, {PRESENT: (9, 60), "w01": (1, 60), "w05": (2, 60), "w09": (2, 6)}, MARGIN)
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


def test_points_have_names_weights_and_tails():
    points = points_of(3, 7, "site")
    table = points.table(["a", "b", "c"])
    assert table.groupby("serves", sort=False)["point"].nunique().to_dict() == {
        "weights": 7, "tasks": 1, "donors": 1, "site": 1,
    }  # fmt: skip
    assert table.loc[table["serves"] == "tasks", "weight"].isna().all()
    assert table.loc[table["serves"] == "weights"].groupby("point")["weight"].sum().round(12).eq(1).all()
