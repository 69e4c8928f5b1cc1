"""The columns of verdicts.tsv: one place, the document, and how a row is filled."""

from pathlib import Path

import pytest

from mtlbio.probing.columns import COLUMNS, ODDS, column_of, documented, of_family, verdict_table
from mtlbio.probing.evidence import CovariateEvidence, Evidence, TaskEvidence
from mtlbio.probing.judgement import Judgement, about_task
from mtlbio.probing.rates import Rate
from mtlbio.probing.verdict import Verdict
from mtlbio.tables import VERDICTS

TABLES = Path(__file__).parents[2] / "docs" / "tables.md"


def judgement():
    tasks = (
        TaskEvidence("disease", effect=0.5, ci_low=0.2, ci_high=0.8, q=0.01, removal="harmless", loss=0.0),
        TaskEvidence("age", outcome=False, effect=-0.1, ci_low=-0.3, ci_high=0.1, q=0.4),
    )
    covariates = (CovariateEvidence("age", "confounder", 0.1), CovariateEvidence("batch", "technical", 0.02))
    block = TaskEvidence("disease", removal="harmful", loss=0.03, loss_low=0.01, loss_high=0.05)
    return Judgement(
        Evidence("z01", tasks, covariates, held_fixed="weight"),
        Verdict("biology", "disease", "z01 is biology."),
        0.9,
        "disease",
        80.0,
        1.25,
        120.0,
        "to establish it",
        {"identity": 0.4, "context": 0.3, "block": "rna+proteins"},
        Evidence("z01+z02", (block,), ()),
        Rate(0.02, 0.01, 0.04, "planted doses"),
        {"disease": "biology"},
        {"biology": 0.9, "confounder": 0.02, "technical": 0.01, "mixed": 0.03, "none": 0.04},
    )


START = [
    *(
        "dim",
        "verdict",
        "driver",
        "verdict_disease",
        "verdict_age",
        "share_age",
        "share_batch",
        "effect_disease",
        "ci_low_disease",
        "ci_high_disease",
    ),
    *("q_disease", "effect_age", "ci_low_age", "ci_high_age", "q_age", "delta_disease", "delta_ci_low_disease"),
    *("delta_ci_high_disease", "delta_age", "delta_ci_low_age", "delta_ci_high_age", "removal_disease", "removal_age"),
    *("stability", "about", "n_effective", "vif", "donors_needed", "needed_for"),
]
RATES = ["error_rate", "error_rate_low", "error_rate_high", "error_rate_from"]


@pytest.mark.parametrize(
    "questions, end",
    [
        ((), ["why", *RATES]),
        (["blocks"], ["subspace", "why", *RATES]),
        (["blocks", "duplicates"], ["held_fixed", "subspace", "why", *RATES]),
        (["block", "blocks"], ["block", "subspace", "why", *RATES]),
        (["identity", "context"], ["identity", "context", "why", *RATES]),
        (["odds"], ["why", *ODDS.values(), *RATES]),
    ],
)
def test_order_of_the_columns_by_what_the_trial_asked(questions, end):
    table = verdict_table([judgement()], questions)
    assert list(table.columns) == START + end
    assert list(table.columns[:3]) == VERDICTS


def test_a_row_is_filled_from_the_judgement():
    rows = verdict_table([judgement()], ["blocks", "block", "duplicates", "identity", "odds"]).iloc[0].to_dict()
    assert [rows[name] for name in START[:5]] == ["z01", "biology", "disease", "biology", None]
    assert [rows[name] for name in START[5:11]] == [0.1, 0.02, 0.5, 0.2, 0.8, 0.01]
    assert [rows[f"{name}_disease"] for name in ("delta", "delta_ci_low", "delta_ci_high")] == [0.03, 0.01, 0.05]
    assert rows["removal_disease"] == "harmful"
    # a task whose head was not asked
    assert rows["delta_age"] != rows["delta_age"] and rows["removal_age"] == "inconclusive"
    assert [rows[name] for name in START[-6:]] == [0.9, "disease", 80.0, 1.25, 120.0, "to establish it"]
    assert [rows[name] for name in ("held_fixed", "identity", "context")] == ["weight", 0.4, 0.3]
    assert rows["block"] == "rna+proteins"
    assert [rows[name] for name in ("subspace", "why")] == ["z01+z02", "z01 is biology."]
    assert [rows[name] for name in ODDS.values()] == [0.9, 0.02, 0.01, 0.03, 0.04]
    assert [rows[name] for name in RATES] == [0.02, 0.01, 0.04, "planted doses"]


def test_the_document_is_written_from_the_columns():
    text = TABLES.read_text(encoding="utf-8")
    assert documented(text) == text
    other = text.replace("| `why` | one plain sentence |", "| `why` | two |", 1)
    assert other != text and documented(other) == text
    for column in COLUMNS:
        assert column.documented() in text


def test_a_family_is_documented_with_what_it_is_per():
    lines = {column.names: column.documented() for column in COLUMNS}
    assert lines["removal"].startswith("| `removal_<task>` | `harmful`, `harmless`")
    assert lines["share"].startswith("| `share_<covariate>` | share of the dimension's variance")


def test_names_of_a_family():
    assert column_of("delta_ci_low", "disease") == "delta_ci_low_disease"
    with pytest.raises(KeyError, match="stability: no such family of columns; there are ci_high, ci_low, delta"):
        column_of("stability", "disease")
    assert of_family("effect", START) == ["effect_disease", "effect_age"]


def test_a_verdict_is_about_the_pair_that_cannot_be_told_apart_else_the_closest_outcome():
    close, far = TaskEvidence("response", q=0.01), TaskEvidence("disease", q=0.2)
    covariate = TaskEvidence("age", outcome=False, q=1e-6)
    assert about_task(Evidence("z01", (far, close, covariate), ())) == "response"
    joint = TaskEvidence("disease", q=0.2, joint=True)
    assert about_task(Evidence("z01", (close, joint), ())) == "disease"
    assert about_task(Evidence("z01", (covariate,), ())) == "age"
