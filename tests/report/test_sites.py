"""What the page says of sites is what the table holds."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from fabricate import fabricate

from mtlbio.report.entries import entry
from mtlbio.report.figures import plan
from mtlbio.report.inputs import read_inputs
from mtlbio.report.sites import of_dimension, sentence, sites_figure
from mtlbio.report.svg import house_style

SAME = {"dim": "z02", "task": "disease", "class": None, "sites": 3, "all_donors": 0.7, "all_ci_low": 0.5}
SAME |= {"all_ci_high": 0.9, "pooled": 0.6, "pooled_ci_low": -0.4, "pooled_ci_high": 1.6, "i2": 0.81}
SAME |= {"p_heterogeneity": 0.004, "new_site_low": -1.0, "new_site_high": 2.2, "heterogeneity": "differ"}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sites")
    return read_inputs(fabricate(folder, donors=60), folder)


def rows(**changes) -> pd.DataFrame:
    found = [
        ("Basel", 40, 20, 1.4, 1.0, 1.8, 0.3, "same", True),
        ("Leeds", 30, 12, 0.1, -0.3, 0.5, 0.3, "open", False),
        ("Oslo", 50, 22, -0.4, -0.7, -0.1, 0.4, "opposite", False),
        ("Zadar", 20, 2, None, None, None, None, "too_few", False),
    ]
    names = ["site", "n_donors", "n_rarest", "effect", "ci_low", "ci_high", "weight", "call", "carries"]
    table = pd.DataFrame(found, columns=names)
    return table.assign(se=table["effect"] * 0.1, **{**SAME, **changes})


def test_a_sentence_names_who_shows_it_who_does_not_and_who_carries_it():
    assert sentence(rows(), "donors") == (
        "disease: 1 of 3 sites show the effect by themselves (Basel); Oslo the opposite; the interval holds 0 at "
        "Leeds. The sites differ (I² 81 %, p 0.004); the average site has 0.60 (−0.40 to 1.60), one more site may have "
        "−1.00 to 2.20. Without Basel the interval of the others holds 0. Too few donors at Zadar (2 of 20)."
    )


def test_sites_without_donors_enough_are_said_to_be():
    nobody = rows(sites=0, heterogeneity="one_site").assign(call="too_few", carries=False)
    assert sentence(nobody, "donors").startswith(
        "disease: no site has donors enough to ask within it (Basel (20 of 40)"
    )


def test_the_plot_has_a_line_per_site_that_was_tested_and_two_more():
    with house_style():
        figure, title, text = sites_figure(rows(**{"class": "B"}), "z02")
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == [
        "Basel (40)", "Leeds (30)", "Oslo (50)", "average site", "all donors"
    ]  # fmt: skip
    assert title == "disease (B) within sites: z02" and "Basel 1.40 (1.00 to 1.80)" in text


def test_what_is_the_logarithm_of_a_ratio_is_told_as_one():
    said = sentence(rows(), "donors", "hazard ratio")
    assert "the average site has a hazard ratio of 1.82 (0.67 to 4.95), one more site may have 0.37 to 9.03." in said
    with house_style():
        figure, *_ = sites_figure(rows(), "z02", "hazard ratio")
    assert figure.axes[0].get_xlabel() == "adjusted log hazard ratio of disease per SD of z02"


def test_a_page_without_sites_is_as_it_was(inputs):
    assert of_dimension(inputs, "z02") == {} and "sites_z02_disease" not in plan(inputs, ["z02"])
    told = replace(inputs, tables=inputs.tables | {"sites": rows()})
    assert list(of_dimension(told, "z02")) == ["sites_z02_disease"] and "sites_z02_disease" in plan(told, ["z02"])
    assert entry(told, "z02", {})["sites"][0]["sentence"].startswith("disease: 1 of 3")
    assert entry(inputs, "z02", {})["sites"] == entry(told, "z01", {})["sites"] == []
