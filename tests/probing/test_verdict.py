import math

import pytest

from mtlbio.config import Probe
from mtlbio.probing.evidence import CovariateEvidence, Evidence, TaskEvidence
from mtlbio.probing.verdict import judge

LINK = dict(effect=0.9, ci_low=0.5, ci_high=1.3, q=1e-5, called=True, firm=True, own=True, share=0.2, metric="auroc")
QUIET = dict(effect=0.05, ci_low=-0.2, ci_high=0.3, q=0.7, share=0.0, removal="harmless", loss=0.0, metric="auroc")


def dim(task=None, technical=None, covariates=(), **changes):
    disease = TaskEvidence("disease", **(task or QUIET))
    covariates = {"age": 0.0, "batch": 0.0, **dict(covariates)}
    rows = tuple(
        CovariateEvidence(n, "technical" if n in ("batch", "chip") else "confounder", s, 0.001, s > 0.005)
        for n, s in covariates.items()
    )
    return Evidence("z1", (disease,), rows, covariates["batch"] if technical is None else technical, **changes)


def verdict(*args, **kwargs):
    return judge(dim(*args, **kwargs), Probe())


def test_biology_takes_the_name_of_the_gene_set_or_the_task():
    named = verdict(LINK, gene_set="HALLMARK_INTERFERON_ALPHA_RESPONSE")
    assert (named.verdict, named.driver) == ("biology", "HALLMARK_INTERFERON_ALPHA_RESPONSE")
    assert "+0.90 SD, 95 % 0.50 to 1.30" in named.why
    assert (verdict(LINK).verdict, verdict(LINK).driver) == ("biology", "disease")


def test_a_programme_may_rise_with_age_and_still_be_biology():
    assert verdict(LINK, covariates={"age": 0.4}).verdict == "biology"


@pytest.mark.parametrize(
    "change, expected",
    [
        (dict(own=False), "underpowered"),
        (dict(called=False, own=False), "underpowered"),
        (dict(called=False, own=False, ci_low=-0.1), "underpowered"),
        (dict(called=False, own=False, ci_low=-0.1, ci_high=0.8), "unused"),
        (dict(firm=False), "underpowered"),
        (dict(share=0.004, ci_high=0.9), "unused"),
        (dict(sign_stable=False, worst_left_out="batch = B1"), "mixed"),
        (dict(outcome=False), "unused"),
    ],
)
def test_what_biology_needs(change, expected):
    found = verdict({**LINK, "removal": "harmless", **change})
    assert found.verdict == expected
    if "worst_left_out" in change:
        assert "batch = B1" in found.why


def test_technical_share_bars_biology():
    found = verdict(LINK, covariates={"batch": 0.3})
    assert found.verdict == "mixed" and "30 %" in found.why
    assert verdict(LINK, technical=0.25).verdict == "mixed"


def test_technical_bin_shortcut_and_open_question():
    assert "technical bin" in verdict(covariates={"batch": 0.8}).why
    loud = verdict({**QUIET, "removal": "harmful", "loss": 0.08}, covariates={"batch": 0.8})
    assert (loud.verdict, loud.driver) == ("technical", "batch")
    assert loud.why.startswith("SHORTCUT") and "disease (auroc -0.080)" in loud.why
    open_ = verdict({**QUIET, "removal": "inconclusive", "donors_needed": 210.0}, covariates={"batch": 0.8})
    assert open_.verdict == "technical" and "210 donors" in open_.why


def test_leaked_disease_in_a_batch_dimension_stays_technical():
    assert verdict(LINK, covariates={"batch": 0.9}).verdict == "technical"


def test_confounder_and_what_turns_it_into_mixed():
    found = verdict(covariates={"age": 0.7})
    assert (found.verdict, found.driver) == ("confounder", "age") and "70 %" in found.why
    assert verdict({**LINK, "share": 0.1}, covariates={"age": 0.7}).verdict == "mixed"
    assert verdict({**LINK, "share": 0.03}, covariates={"age": 0.7}).verdict == "confounder"


def test_not_identifiable_needs_both_sides_and_no_other_owner():
    tangled = {**QUIET, "effect": math.nan, "entangled": ("batch",), "joint": True}
    assert verdict(tangled, covariates={"batch": 0.9}).verdict == "not_identifiable"
    assert verdict(tangled, covariates={"batch": 0.1}).verdict == "not_identifiable"
    assert verdict(tangled, covariates={"batch": 0.1, "age": 0.8}).verdict == "confounder"
    assert verdict({**tangled, "joint": False}, covariates={"batch": 0.9}).verdict == "technical"
    assert verdict(tangled, covariates={"batch": 0.0}).verdict == "unused"


def test_two_dominant_roles_are_mixed():
    assert verdict(covariates={"batch": 0.7, "age": 0.65}).verdict == "mixed"


def test_partial_shares_are_mixed_and_traces_are_not():
    assert verdict(covariates={"age": 0.35}).verdict == "mixed"
    assert verdict(covariates={"age": 0.08}).verdict == "unused"


def test_nothing_is_unused_only_when_every_head_is_harmless():
    assert verdict().verdict == "unused"
    found = verdict({**QUIET, "removal": "inconclusive", "donors_needed": 340.0})
    assert found.verdict == "underpowered" and "340 donors" in found.why
    needed = verdict({**QUIET, "removal": "harmful", "loss": 0.04})
    assert needed.verdict == "underpowered" and "predictions need it" in needed.why


def test_an_uncalled_share_dominates_nothing():
    evidence = Evidence("z1", (TaskEvidence("disease", **QUIET),), (CovariateEvidence("batch", "technical", 0.9),), 0.9)
    assert judge(evidence, Probe()).verdict == "unused"


def test_no_covariates_and_no_outcomes():
    age = TaskEvidence("age", outcome=False, **LINK | {"removal": "harmful", "loss": 0.3})
    found = judge(Evidence("z1", (age,), (CovariateEvidence("age", "confounder", 0.8, 0.0, True),)), Probe())
    assert (found.verdict, found.driver) == ("confounder", "age")


def test_a_large_effect_that_is_not_called_is_not_unused():
    suspected = TaskEvidence("condition", effect=1.8, ci_low=1.4, ci_high=2.2, q=0.11, share=0.85, removal="harmless")
    verdict = judge(Evidence("z01", (suspected,), ()), Probe())
    assert verdict.verdict == "underpowered"
    assert "+1.80 SD, 95 % 1.40 to 2.20" in verdict.why
    nothing = TaskEvidence("condition", effect=0.1, ci_low=-0.2, ci_high=0.4, q=0.8, share=0.01, removal="harmless")
    assert judge(Evidence("z01", (nothing,), ()), Probe()).verdict == "unused"


def test_a_dimension_that_the_folds_did_not_find_again_is_not_judged():
    link = TaskEvidence(
        "disease", effect=0.9, ci_low=0.5, ci_high=1.3, q=1e-4, called=True, firm=True, own=True, share=0.3
    )
    assert judge(Evidence("z01", (link,), ()), Probe()).verdict == "biology"
    lost = judge(Evidence("z01", (link,), (), gene_set="T_CELL", stability=0.2), Probe())
    assert (lost.verdict, lost.driver) == ("underpowered", None) and "stability 0.20" in lost.why


def test_donors_needed_are_only_told_where_the_cohort_has_fewer():
    open_ = TaskEvidence("disease", **{**QUIET, "removal": "inconclusive", "donors_needed": 150.0})
    assert "about 150 donors" in judge(Evidence("z01", (open_,), (), donors=100), Probe()).why
    assert "donors would settle" not in judge(Evidence("z01", (open_,), (), donors=200), Probe()).why


def test_biology_says_what_it_was_held_against():
    link = TaskEvidence(
        "disease", effect=0.9, ci_low=0.5, ci_high=1.3, q=1e-4, called=True, firm=True, own=True, share=0.3,
        given="z02, z03, z04, z05, z06",
    )  # fmt: skip
    why = judge(Evidence("z01", (link,), ()), Probe()).why
    assert "also beside z02, z03, z04 and 2 others" in why and "no processing was recorded" in why


def test_a_weak_hint_that_cannot_be_untangled_bars_biology():
    """At P(batch = disease) = 1 a firm effect of another task made biology of a dimension that is not identifiable."""
    firm = TaskEvidence("response", **LINK)
    tangled = dict(QUIET, entangled=("batch",), joint=False)
    batch = CovariateEvidence("batch", "technical", 0.08, 0.001, True)
    for suspected, wide, expected in ((True, 0.4, "not_identifiable"), (False, 0.4, "biology"), (False, 0.6, None)):
        disease = TaskEvidence("disease", **tangled, joint_suspected=suspected, joint_widest=wide)
        for covariates in ((batch,), ()):  # 80 donors need not show the batch itself
            found = judge(Evidence("z1", (firm, disease), covariates), Probe())
            assert found.verdict == (expected or "not_identifiable")
            assert expected == "biology" or "perhaps disease and batch too" in found.why


def test_more_donors_do_not_tell_what_the_design_cannot():
    """At P(batch = disease) = 1 a third of the interferon dimensions of 80 donors ended as underpowered."""
    tangled = dict(QUIET, removal="inconclusive", entangled=("batch",))
    for suspected, expected in ((True, ("not_identifiable", "batch")), (False, ("underpowered", None))):
        disease = TaskEvidence("disease", **tangled, joint_suspected=suspected)
        found = judge(Evidence("z1", (disease,), ()), Probe())
        assert (found.verdict, found.driver) == expected
        assert not suspected or "more donors of the same design would not tell" in found.why


def test_what_was_done_to_the_samples_moves_every_class():
    """In a lupus cohort the batch shifts patients and leaves healthy donors where they were."""
    for least, uneven, expected in ((0.02, True, "mixed"), (0.02, False, "technical"), (0.5, True, "technical")):
        batch = CovariateEvidence("batch", "technical", 0.7, 0.001, True, uneven, "healthy", least)
        found = judge(Evidence("z1", (TaskEvidence("disease", **QUIET),), (batch,)), Probe())
        assert (found.verdict, found.driver) == (expected, "batch")
    assert (
        "in donors of class healthy only 2 %"
        in judge(
            Evidence("z1", (), (CovariateEvidence("batch", "technical", 0.7, 0.001, True, True, "healthy", 0.02),)),
            Probe(),
        ).why
    )


@pytest.mark.parametrize(
    "share, called, expected",
    [(0.14, True, "biology"), (0.17, True, "mixed"), (0.17, False, "biology"), (0.2, False, "mixed")],
)
def test_a_batch_that_is_shown_to_be_there_counts_from_three_quarters_of_the_limit(share, called, expected):
    """A supervised dimension with 24 % batch in truth was measured just below the limit of 20 %."""
    batch = CovariateEvidence("batch", "technical", share, 0.001 if called else 0.4, called)
    evidence = Evidence("z1", (TaskEvidence("disease", **LINK),), (batch,), technical_share=share)
    assert judge(evidence, Probe()).verdict == expected


def test_biology_is_not_small_against_a_covariate():
    """Borrowed interferon made biology of an age dimension whose share lay just below dominance."""
    assert verdict(dict(LINK, share=0.04), covariates={"age": 0.55}).verdict == "confounder"
    assert verdict(dict(LINK, share=0.03), covariates={"age": 0.35}).verdict == "mixed"
    assert verdict(dict(LINK, share=0.06), covariates={"age": 0.55}).verdict == "biology"


def test_an_effect_that_is_not_firm_withholds_the_answer_even_beside_a_partial_covariate():
    assert verdict(dict(LINK, firm=False), covariates={"age": 0.35}).verdict == "underpowered"


@pytest.mark.parametrize(
    "covariates, expected",
    [
        ({"age": 0.54, "batch": 0.01}, ("confounder", "age")),
        ({"batch": 0.47}, ("mixed", "batch")),
        ({"age": 0.16, "batch": 0.43}, ("mixed", "batch")),
        ({"age": 0.35}, ("mixed", "age")),
    ],
)
def test_a_covariate_that_leads_alone_names_what_is_otherwise_unexplained(covariates, expected):
    """An age dimension of blood methylation (.54) ended as mixed; a batch dimension (.47) stays so, for its other half
    repeated between replicates."""
    found = verdict(QUIET, covariates=covariates)
    assert (found.verdict, found.driver) == expected and "the rest" in found.why
    assert verdict(dict(LINK, firm=False), covariates=covariates).verdict == "underpowered"


def test_neighbours_that_keep_an_effect_from_being_firm_are_named():
    link = dict(LINK, firm=False, given="z02, z05", p=1e-6, p_given=0.01)
    assert "beside z02 and z05 it does not pass" in verdict(link).why
    assert "among so many dimensions it does not pass" in verdict(dict(link, given="nobody")).why


def test_unused_is_said_only_where_a_large_effect_is_excluded():
    """With eight donors an interval of -1.67 to .6 SD was called unused: the heads were at their ceiling."""
    wide = verdict(dict(QUIET, effect=-0.54, ci_low=-1.67, ci_high=0.6))
    assert wide.verdict == "underpowered" and "cannot exclude a large one: disease (-0.54 SD" in wide.why


def test_a_called_effect_that_a_neighbour_may_carry_is_not_unused():
    """Half of a lupus cohort called it unused, the other half biology."""
    found = verdict(dict(LINK, own=False, given="z05", removal="harmless"))
    assert (
        found.verdict == "underpowered"
        and "that its link to disease is its neighbours' alone is not shown" in found.why
    )


UNTESTED = dict(effect=math.nan, ci_low=math.nan, ci_high=math.nan, q=math.nan, removal="harmless", metric="auroc")


def test_what_could_not_be_tested_is_not_unused():
    """Ten scores and seven families left no test, and every harmless dimension was unused with an error rate of 0."""
    few = "could not be tested: too few donors for what is held fixed."
    start = "z1 has no established link to a task or covariate"
    found = verdict(UNTESTED)
    assert found.verdict == "underpowered" and found.why == f"{start}, but whether it is linked to disease {few}"
    related = verdict(UNTESTED, related=True).why
    assert related.endswith("could not be tested: too few donors or families of them for what is held fixed.")
    harmed = verdict({**UNTESTED, "removal": "harmful", "loss": 0.03})
    cost = "yet predictions need it: taking it out costs disease (auroc -0.030), and whether it is linked to disease"
    assert harmed.why == f"{start}, {cost} {few}"
    constant = verdict({**UNTESTED, "q": 1.0})
    assert constant.verdict == "underpowered" and "it does not vary among the donors" in constant.why
    # what cannot be told from the batch is tested without holding the batch fixed
    assert verdict({**UNTESTED, "entangled": ("batch",), "joint_widest": 0.3}).verdict == "unused"
    assert verdict({**UNTESTED, "entangled": ("batch",), "joint_widest": math.inf}).verdict == "underpowered"


@pytest.mark.parametrize(("high", "expected"), [(0.44, "unused"), (0.46, "underpowered")])
def test_an_r_that_may_be_large_is_not_unused(high, expected):
    """Of a plane, and of a label of several classes, no interval is in standard deviations."""
    found = verdict(dict(QUIET, unit="R", effect=0.1, ci_low=0.0, ci_high=high))
    assert found.verdict == expected
    assert ("cannot exclude a large one: disease (R 0.10, 95 % 0.00 to 0.46)" in found.why) == (high > 0.45)


def test_a_confounder_whose_interval_leaves_zero_out_is_not_said_to_show_no_link():
    link = dict(QUIET, effect=0.55, ci_low=0.23, ci_high=0.88, q=0.06)
    start = "z1 follows age: 80 % of its variance; once the covariates are held fixed, no link to disease"
    assert verdict(link, covariates={"age": 0.8}).why == (
        f"{start} passes among so many dimensions, though the interval of disease leaves zero out "
        "(disease: +0.55 SD, 95 % 0.23 to 0.88)."
    )
    quiet = verdict(QUIET, covariates={"age": 0.8}).why
    assert quiet == f"{start} can be shown (disease: +0.05 SD, 95 % -0.20 to 0.30)."
