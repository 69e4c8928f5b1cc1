"""What an underpowered dimension leaves open, and that all that is said of it answers one question."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.calibration.given_axes import results_of
from benchmarks.calibration.planted import plant
from mtlbio.cohort.family import FAMILY
from mtlbio.config import Probe
from mtlbio.probing.cohorts import examine_cohort
from mtlbio.probing.evidence import Evidence, TaskEvidence
from mtlbio.probing.open_questions import open_question
from mtlbio.probing.sample_size import donors_for_a_verdict
from mtlbio.probing.verdict import judge

TESTED = {"q": 0.5, "ci_low": -0.1, "ci_high": 0.1}
SUSPECTED = dict(effect=0.5, ci_low=0.1, ci_high=0.9, p=0.02, q=0.2, share=0.1)
ORDER = {
    "needed": (
        dict(p=0.2, effect=0.1, removal="harmful", loss=0.05), "taking it out costs", "whose predictions need it",
    ),
    "suspected": (dict(SUSPECTED, removal="inconclusive"), "is suspected", "its suspected link"),
    "shared": (
        dict(q=0.01, p=0.001, p_given=0.01, called=True, given="z02", share=0.1, removal="inconclusive"),
        "its neighbours' alone is not shown", "beside z02",
    ),
    "needed_otherwise": (
        dict(outcome=False, removal="harmful", loss=0.05, effect=0.1), "taking it out costs", "can be no biology here",
    ),
    "removal": (
        dict(removal="inconclusive", donors_needed=200.0, effect=0.9, ci_low=-0.1, ci_high=1.9),
        "can do without it is not shown", "can do without it",
    ),
    "wide": (
        dict(removal="harmless", effect=0.9, ci_low=-0.1, ci_high=1.9),
        "cannot exclude a large one", "exclude an effect",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", ORDER)
def test_why_and_the_number_answer_the_same_question(kind):
    """A suspected link whose removal is open was told a number for the one and a sentence on the other."""
    task, why, needed_for = ORDER[kind]
    found = Evidence("z1", (TaskEvidence("disease", **{"donors": 76, **TESTED, **task}),), (), donors=80, family=40)
    assert open_question(found)[0] == kind
    verdict = judge(found, Probe())
    assert verdict.verdict == "underpowered" and why in verdict.why
    assert needed_for in donors_for_a_verdict(found, Probe())[1]


def test_four_families_test_nothing_so_nothing_is_unused():
    """80 donors of four families: harmless dimensions were unused, with an error rate of 0."""
    planted = plant(80, 3)
    family = np.array([f"F{i % 4}" for i in range(80)], dtype=object)
    obs = planted.obs.assign(**{FAMILY: family})
    planted = replace(planted, obs=obs, cohort=replace(planted.cohort, obs=obs))
    latents, examinee = results_of(planted, 2)
    table = examine_cohort(planted.cohort, latents, examinee, Probe(permutations=199, bootstrap=200))["verdicts"]
    assert table["q_disease"].isna().all()
    for column in ("verdict", "verdict_disease", "verdict_response"):
        assert set(table[column]) == {"underpowered"}
    assert table["donors_needed"].isna().all()
    rest = "could not be tested: too few donors or families of them for what is held fixed"
    for words in table["needed_for"]:
        assert words.startswith("no number can be stated: ") and words.endswith(rest)
