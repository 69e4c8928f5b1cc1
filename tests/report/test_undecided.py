"""What keeps dimensions open, and what would settle them, from the words and numbers of ``needed_for``."""

import numpy as np
import pandas as pd
import pytest

from mtlbio.config import TrialOptions
from mtlbio.kinds.vocabulary import CHAINS
from mtlbio.probing.evidence import Evidence, TaskEvidence
from mtlbio.probing.sample_size import donors_for_a_verdict
from mtlbio.report.undecided import ORDER, Open, in_words, open_dimensions, settled


def row(needed, words, **more) -> pd.DataFrame:
    about = {"verdict": "underpowered", "donors_needed": needed, "needed_for": words} | more
    return pd.DataFrame([about], index=["z1"])


def task(**more) -> TaskEvidence:
    known = {"effect": 0.5, "ci_low": 0.1, "ci_high": 0.9, "q": 0.2, "p": 0.02, "removal": "harmless", "donors": 80}
    return TaskEvidence(
        "disease (SLE; now)", **(known | {"p_given": 0.02, "loss_low": -0.01, "loss_high": 0.01} | more)
    )


@pytest.mark.parametrize(
    ("kind", "evidence"),
    [
        ("again", {"tasks": (), "stability": 0.25}),
        ("link", {"tasks": (task(),)}),
        ("link", {"tasks": (task(called=True, own=True, q=0.01, share=0.1),)}),
        ("link", {"tasks": (task(called=True, given="z02, z03", q=0.01, share=0.1),)}),
        ("link", {"tasks": (task(removal="harmful", ci_low=-0.2, loss=0.05),)}),
        ("large", {"tasks": (task(effect=0.2, ci_low=-0.9, ci_high=1.3),)}),
        ("large", {"tasks": (task(effect=0.2, ci_low=0.0, ci_high=0.6, unit="R"),)}),
        ("removal", {"tasks": (task(removal="inconclusive", ci_low=-0.2, loss=0.01, donors_needed=300.0),)}),
    ],
)
def test_every_number_that_the_trial_states_is_understood(kind, evidence):
    """The words are those of the trial itself, whatever it says next year."""
    needed, words = donors_for_a_verdict(Evidence("z1", covariates=(), donors=80, **evidence), TrialOptions())
    (one,) = open_dimensions(row(needed, words), 80)
    assert one.kind == kind and one.now == 80, words
    assert one.task == ("" if kind == "again" else "disease (SLE; now)")
    assert one.needed == pytest.approx(needed, nan_ok=True) or (one.needed == np.inf and "more than" in words)


def test_times_the_donors_of_now_and_what_they_settle():
    known = "(donors with disease known; 80 now)"
    table = pd.concat(
        [
            row(160.0, f"to establish its link to disease among 24 dimensions {known}"),
            row(200.0, f"to exclude an effect of 1 SD on disease {known}"),
            row(240.0, "to find the dimension again when donors are held out (stability 0.25 now, 0.5 needed)"),
            row(np.nan, f"more than 10,000 donors to establish its suspected link to disease {known}"),
            row(np.nan, f"no number can be stated to establish its suspected link to disease {known}: too close"),
            row(np.nan, None, about="disease"),
            row(np.nan, "irrelevant").assign(verdict="biology"),
        ]
    )
    found = open_dimensions(table, donors=120)
    assert [one.kind for one in found] == ["link", "large", "again", "link", "link", "other"]
    np.testing.assert_allclose([one.times for one in found], [2, 2.5, 2, np.inf, np.nan, np.nan])
    assert [settled(found, times) for times in (1.5, 2, 2.5, 10)] == [0, 2, 3, 3]


def test_a_table_without_numbers_leaves_the_reason_open():
    table = pd.DataFrame({"verdict": ["underpowered"]}, index=["z1"])
    (one,) = open_dimensions(table, 40)
    assert one.kind == "other" and np.isnan(one.times)


def test_reasons_in_words():
    assert in_words("link", "{again}") == "perhaps linked to {again}, not established"  # a user's name is not filled
    assert in_words("again", "", CHAINS) == "not found again by another replica"
    assert all(in_words(kind, "disease") for kind in ORDER)
    assert np.isnan(Open("z1", "other", "", 10.0, 0.0).times)
