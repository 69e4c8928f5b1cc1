"""What the page says of panels, word for word."""

import pandas as pd

from mtlbio.kinds.vocabulary import DONORS
from mtlbio.report.panel_front import front_figure
from mtlbio.report.smaller_panel import covariate_sentence, panel_sentences
from mtlbio.tables import PANEL_EXCHANGE, PANEL_FEATURES, PANEL_FOLLOWS, PANEL_FRONT, PANEL_STABILITY


def front(call: str = "no_worse", chosen: str = "yes", price: float = float("nan")) -> pd.DataFrame:
    common = {"task": "disease", "metric": "auroc", "ci_low": 0.8, "ci_high": 0.95, "n_samples": 90, "n_donors": 90}
    diff = {"diff_low": -0.019, "diff_high": 0.02}
    rows = [
        {"panel": "all", "size": 500, "value": 0.9, "chosen": "no"} | common,
        {"panel": "shared", "limit": 2, "size": 2, "value": 0.91, "difference": 0.01, "call": call} | common | diff,
        {"panel": "shared", "limit": 9, "size": 9, "value": 0.92, "difference": 0.02, "call": "better"} | common | diff,
    ]
    rows[1] |= {"chosen": chosen}
    return pd.DataFrame([row | {"price": price} for row in rows]).reindex(columns=PANEL_FRONT)


def features(price: float = float("nan")) -> pd.DataFrame:
    row = {"panel": "shared", "limit": 2, "price": price, "in_folds": 1.0, "in_draws": 0.9}
    rows = [row | {"feature": "IFI44L", "rank": 1, "exchange": "MX1; IFIT1"}, row | {"feature": "CRP", "rank": 2}]
    rows[1]["in_folds"], rows[1]["in_draws"] = 0.6, 0.2
    return pd.DataFrame([*rows, row | {"feature": "MX1"}]).reindex(columns=PANEL_FEATURES)


def said(**tables: pd.DataFrame) -> list[str]:
    exchange = pd.DataFrame([["IFI44L", "MX1", 0.9, "disease"]], columns=PANEL_EXCHANGE[:4]).reindex(
        columns=PANEL_EXCHANGE
    )
    usual = {
        "front": front(),
        "features": features(),
        "exchange": exchange,
        "follows": pd.DataFrame(columns=PANEL_FOLLOWS),
        "stability": pd.DataFrame(
            [["shared", None, 2, "folds", 5, 0.5, None, None], ["shared", None, 2, "draws", 100, 0.4, 0.3, 0.5]],
            columns=PANEL_STABILITY,
        ),
    }
    return panel_sentences(usual | {"verdicts": pd.DataFrame({"dim": ["CRP"]})} | tables, DONORS, 0.02)


def test_a_panel_that_does_is_told_with_its_numbers_and_features():
    assert said() == [
        "A panel of 2 genes is no worse than all 500 genes by the margin of 0.02: disease AUROC 0.91 (0.80 to 0.95) "
        "beside 0.90 (difference 0.010 (\u22120.019 to 0.020)).",
        "It holds IFI44L and CRP.",
        "In the panel of every fold are 1 of the 2, and in at least half of the panels that are chosen when donors are "
        "drawn again 1. Where 1 is the same panel each time and 0 chance, folds agree by 0.50, draws 0.40 (0.30 to "
        "0.50).",
        "1 of them could be a correlated gene outside, at a loss within the margin for every task: MX1 for IFI44L, "
        "for instance.",
        "No covariate has a material share of a score or of a feature of the panel.",
    ]


def test_a_panel_that_is_not_shown_to_do_is_not_said_to():
    first = said(front=front("undecided", "no", 3.0), features=features(1.5))[0]
    assert first.startswith(
        "No panel was shown to be no worse than all 500 genes for every task, by the margin of 0.02;"
    )
    assert "the best of the front has 2 genes for 3.00: disease" in first
    assert ", and better for disease: " in said(front=front("better"))[0]
    own = front().assign(panel=["all", "own", "own"], chosen=["no", "no", "no"])
    both = pd.concat([front(), own[own["panel"] == "own"]])
    assert "For one task alone: none was shown to do for disease." in said(front=both)


def test_the_covariates_that_sit_in_it_are_named():
    rows = [
        ["MX1", "batch", "technical", 0.72, 0.001, "follows"],
        ["score of disease", "batch", "technical", 0.31, 0.001, "follows"],
        ["CRP", "age", "confounder", 0.4, 0.001, "follows"],
        ["disease", "site", "technical", None, None, "inseparable"],
    ]
    follows, tried = pd.DataFrame(rows, columns=PANEL_FOLLOWS), pd.DataFrame({"dim": ["MX1"]})
    assert covariate_sentence(follows, tried, ["disease", "age"]) == (
        "Covariates: batch sits in the panel, in MX1 (72 %) and score of disease (31 %); age, a task of the panel "
        "itself, is followed by CRP (40 %); disease cannot be told from site in this cohort."
    )
    assert "could not be tested" in covariate_sentence(follows, tried.iloc[:0], ["disease"])


def test_the_picture_describes_every_panel():
    figure, title, described = front_figure(front(), "disease", DONORS)
    assert title == "Smaller panels for disease"
    assert described == (
        "AUROC of all genes 0.90 (0.80 to 0.95); for all tasks 2: 0.91 (0.80 to 0.95); for all tasks 9: 0.92 (0.80 to "
        "0.95). Dashed: all genes."
    )
    axes = figure.axes[0]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["2", "9"]
