"""Pictures on axes: those of the page, on axes that are given or on new ones."""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import mtlbio as mb
from mtlbio.errors import InputError
from mtlbio.report.cards import card_figure, panels_of
from mtlbio.report.heatmap import heatmap_figure
from mtlbio.report.svg import house_style
from mtlbio.text import number

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def texts(axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def points(axes) -> np.ndarray:
    return np.concatenate([np.asarray(cloud.get_offsets()) for cloud in axes.collections if len(cloud.get_offsets())])


def test_verdicts_are_those_of_the_page(trained):
    _, result = trained
    axes = mb.pl.verdicts(result)
    with house_style():
        page = heatmap_figure(result.drawn_from)[0].axes[0]
    assert texts(axes) == texts(page) and len(texts(axes)) == 4 * len(result)
    assert [t.get_text() for t in axes.get_yticklabels()] == [t.get_text() for t in page.get_yticklabels()]
    assert [t.get_text() for t in axes.get_xticklabels()] == ["age", "batch", "disease", "age"]
    own = plt.figure().subplots()
    assert mb.pl.verdicts(result, ax=own) is own and texts(own) == texts(page)


def test_a_dimension_has_the_picture_of_its_card(trained):
    _, result = trained
    for dim in result.verdicts["dim"]:
        axes = mb.pl.dimension(result, dim)
        with house_style():
            page = card_figure(result.drawn_from, dim)[0].axes
        assert len(axes) == len(page) == len(panels_of(result.drawn_from, dim))
        for own, other in zip(axes, page, strict=True):
            assert own.get_xlabel() == other.get_xlabel() and own.get_ylabel() == other.get_ylabel()
            np.testing.assert_array_equal(points(own), points(other))


def test_axes_that_are_given_hold_one_panel_each(trained):
    _, result = trained
    dim = next(d for d in result.verdicts["dim"] if len(panels_of(result.drawn_from, d)) == 2)
    figure, (left, right, third) = plt.subplots(1, 3)
    assert mb.pl.dimension(result, dim, ax=left).tolist() == [left] and not right.has_data()
    assert mb.pl.dimension(result, dim, ax=[right, third]).tolist() == [right, third]
    assert not figure.legends  # a legend of one panel is no legend of somebody's figure
    with pytest.raises(InputError, match=f"ax: found 3 axes; {dim} has 2 panel"):
        mb.pl.dimension(result, dim, ax=[left, right, third])


def test_the_audit_shows_every_pair(trained):
    _, result = trained
    axes = mb.pl.audit(result)
    table = result.audit[result.audit["kind"].isin(["task", "covariate"])]
    assert sorted(texts(axes)) == sorted(number(value) for value in table["value"])
    assert [t.get_text() for t in axes.get_yticklabels()] == ["disease", "age", "batch"]


def test_the_audit_marks_what_cannot_be_told_apart():
    """Batch is disease in all donors, and the site in nearly all."""
    obs = pd.DataFrame({"donor": [f"D{i}" for i in range(60)], "disease": ["case", "control"] * 30})
    obs["batch"], obs["site"] = obs["disease"], np.where(np.arange(60) < 8, "A", obs["disease"])
    Z = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 2)), columns=["z1", "z2"])
    roles = {"batch": "technical", "site": "confounder"}
    found = mb.trial(Z, obs=obs, donor="donor", tasks={"disease": "case"}, covariates=roles, saw="donors")
    calls = found.audit.query("task == 'disease' and kind == 'task'").set_index("covariate")["call"]
    assert calls["batch"] == "not_identifiable"
    axes = mb.pl.audit(found)
    assert (
        "✕ 1.00" in texts(axes)
        and sum(text[0] in "△✕" for text in texts(axes))
        == (found.audit.query("kind in ['task', 'covariate']")["call"] != "ok").sum()
    )
    alone = mb.trial(Z, obs=obs, donor="donor", tasks={"disease": "case"}, saw="donors")
    with pytest.raises(InputError, match="covariates: none in this trial"):
        mb.pl.audit(alone)


def test_settings_of_matplotlib_stay(trained):
    before = dict(matplotlib.rcParams)
    mb.pl.verdicts(trained[1])
    assert dict(matplotlib.rcParams) == before


def test_what_does_not_fit_is_one_line(trained):
    with pytest.raises(InputError, match="trial: found str; expected what mtlbio.trial or mtlbio.train gives"):
        mb.pl.verdicts("results")
    with pytest.raises(InputError, match="no dimension 'z99'; there are z01"):
        mb.pl.dimension(trained[1], "z99")
