"""Sentences with numbers that can be checked against the tables they come from."""

import pandas as pd
import pytest

from mtlbio.report import plain
from mtlbio.tables import COMPARISONS, METRICS


def metrics(*rows):
    return pd.DataFrame([[arm, "y", metric, v, lo, hi, 200, 100] for arm, metric, v, lo, hi in rows], columns=METRICS)


def comparisons(*rows):
    return pd.DataFrame([[a, b, "y", m, d, d - 0.02, d + 0.02, call] for a, b, m, d, call in rows], columns=COMPARISONS)


def test_headline_counts_and_agrees():
    table = pd.DataFrame({"verdict": ["biology", "biology", "confounder"] + ["technical"] * 3 + ["unused"] * 28})
    expected = "Of 34 latent dimensions, 2 are biology, 3 technical, 1 confounder and 28 unused."
    assert plain.headline(table) == expected
    one = pd.DataFrame({"verdict": ["technical", "unused"]})
    expected = "Of 2 latent dimensions, 1 is technical and 1 unused; none could be affirmed as biology."
    assert plain.headline(one) == expected


def test_learnt():
    m = metrics(("multitask", "auroc", 0.88, 0.84, 0.92), ("covariates", "auroc", 0.66, 0.6, 0.7),
                ("ridge", "auroc", 0.9, 0.86, 0.94))  # fmt: skip
    c = comparisons(
        ("multitask", "covariates", "auroc", 0.22, "better"), ("multitask", "ridge", "auroc", -0.02, "worse")
    )
    reading = plain.read_task("y", "auroc", m, c)
    assert reading.level == "learnt"
    assert reading.sentence == (
        "y: AUROC 0.88 (0.84 to 0.92) in 100 held-out donors; beats the covariates-only baseline (0.66) by "
        "0.22 (0.20 to 0.24); the highest score is that of ridge regression on all genes (0.90), to which the model "
        "is inferior."
    )


def test_beats_chance_but_not_the_covariates():
    m = metrics(("multitask", "auroc", 0.68, 0.6, 0.75), ("covariates", "auroc", 0.7, 0.62, 0.78),
                ("ridge", "auroc", 0.69, 0.6, 0.77))  # fmt: skip
    c = comparisons(
        ("multitask", "covariates", "auroc", -0.02, "undecided"), ("ridge", "covariates", "auroc", -0.01, "undecided")
    )
    reading = plain.read_task("y", "auroc", m, c)
    assert reading.level == "covariates"
    assert "no arm beats the covariates-only baseline (0.70); difference −0.02 (−0.04 to 0.00)" in reading.sentence
    assert "The model has not been shown to learn anything about y that the covariates do not say." in reading.sentence


def test_another_arm_that_beats_the_covariates_is_named():
    m = metrics(("multitask", "auroc", 0.68, 0.6, 0.75), ("covariates", "auroc", 0.7, 0.62, 0.78),
                ("ridge", "auroc", 0.8, 0.7, 0.9))  # fmt: skip
    c = comparisons(
        ("multitask", "covariates", "auroc", -0.02, "worse"), ("covariates", "ridge", "auroc", -0.1, "worse")
    )
    sentence = plain.read_task("y", "auroc", m, c).sentence
    assert "it does not beat the covariates-only baseline (0.70)" in sentence
    assert sentence.endswith("although ridge regression on all genes (0.80) came out above that baseline's interval.")


@pytest.mark.parametrize(
    ("metric", "value", "words"),
    [
        ("auroc", 0.53, "the intervals of all arms include chance (0.5): treat as not predictable from these data."),
        ("r2", -0.02, "the interval includes chance (0), and no arm does better than chance: treat as not predictable"),
    ],
)
def test_chance(metric, value, words):
    m = metrics(
        ("multitask", metric, value, value - 0.1, value + 0.1), ("ridge", metric, value, value - 0.1, value + 0.1)
    )
    reading = plain.read_task("y", metric, m, None)
    assert reading.level == "chance" and words in reading.sentence


def test_chance_names_an_arm_that_can():
    m = metrics(("multitask", "auroc", 0.55, 0.45, 0.65), ("ridge", "auroc", 0.71, 0.6, 0.8))
    sentence = plain.read_task("y", "auroc", m, None).sentence
    assert "although ridge regression on all genes (0.71) did better than chance" in sentence


def test_weak_regression_is_called_near_unpredictable():
    m = metrics(("multitask", "r2", 0.05, 0.01, 0.09), ("covariates", "r2", 0.0, -0.02, 0.02))
    c = comparisons(("multitask", "covariates", "r2", 0.05, "better"))
    reading = plain.read_task("y", "r2", m, c)
    assert reading.level == "weak"
    assert reading.sentence.startswith("y: R² 0.05 (0.01 to 0.09)") and "near-unpredictable" in reading.sentence


def test_headline_does_not_count_supervised_dimensions():
    table = pd.DataFrame({"verdict": ["biology", "biology", "unused"]}, index=["z1", "z3", "z2"])
    assert plain.headline(table, frozenset({"z3"})) == (
        "Of 2 latent dimensions, 1 is biology and 1 unused. "
        "1 supervised dimension, trained to follow its task, is judged apart: 1 biology."
    )


def test_without_numbers_nothing_is_claimed():
    assert plain.read_task("y", None, None, None).level == "unknown"
    m = metrics(("multitask", "auroc", 0.8, 0.7, 0.9))
    assert "no covariates-only baseline was compared" in plain.read_task("y", "auroc", m, None).sentence


def test_summary_of_tasks():
    levels = {"a": "learnt", "b": "learnt", "c": "weak", "d": "chance"}
    readings = [plain.Reading(task, level, "", "") for task, level in levels.items()]
    assert plain.summary_of_tasks(readings) == (
        "The model predicts a and b better than the covariates alone; it barely predicts c; "
        "it predicts d no better than chance."
    )
    assert plain.summary_of_tasks(readings[3:]) == "The model predicts d no better than chance."


def test_cautions():
    verdicts = pd.DataFrame(
        {
            "verdict": ["technical", "technical", "biology"],
            "driver": ["chip", "chip", "IFN"],
            "removal_y": ["harmful", "harmless", "harmless"],
            "delta_y": [0.0312, 0.0, 0.0],
            "q_y": [0.5, 0.5, 0.001],
        },
        index=["z1", "z2", "z3"],
    )
    found = plain.cautions(verdicts, [plain.Reading("y", "chance", "no better than chance", "")], alpha=0.05)
    assert len(found) == 3
    assert found[0].startswith("Shortcut: z1 follows chip, which is technical, and taking it out lowers y by 0.031.")
    assert found[1].startswith("Taking out z1 is called harmful for y, but the model predicts y no better than chance")
    assert found[2].startswith("z3 is called biology for y (no better than chance)")
    assert len(plain.cautions(verdicts, [plain.Reading("y", "learnt", "learnt", "")], alpha=0.05)) == 1


def test_error_rate():
    assert plain.error_rate(pd.Series({"verdict": "biology"})) is None
    row = pd.Series({"error_rate": 0.042, "error_rate_low": 0.02, "error_rate_high": 0.08})
    assert plain.error_rate(row) == "Of verdicts like this one, 4.2 in 100 (2.0 to 8.0) were wrong on planted cohorts."
    row["error_rate_from"] = "whole pipeline, 200 donors, P(batch = disease) 0.5: 4 of 95 wrong"
    assert plain.error_rate(row).endswith("on planted cohorts (whole pipeline, 200 donors, P(batch = disease) 0.5).")
