"""Sentences take the words of their run, and names that are such words stay what they are."""

from dataclasses import replace

import pandas as pd
import pytest

from benchmarks.calibration.planted import COVARIATES, TASKS, plant
from mtlbio.cohort.cohort import CovariateInfo
from mtlbio.config import Probe
from mtlbio.kinds.vocabulary import CHAINS, DONORS, PATIENTS
from mtlbio.labels import Binary
from mtlbio.probing import sentences
from mtlbio.probing.audit import audit, audited
from mtlbio.probing.evidence import CovariateEvidence, Evidence, TaskEvidence
from mtlbio.probing.plan import Design, task_plan
from mtlbio.probing.plan_words import words as words_of_plan
from mtlbio.probing.sample_size import donors_for_a_verdict
from mtlbio.probing.trial import Trial
from mtlbio.probing.verdict import judge

LINK = dict(effect=0.9, ci_low=0.5, ci_high=1.3, q=1e-5, called=True, firm=True, own=True, share=0.2, metric="auroc")
QUIET = dict(effect=0.05, ci_low=-0.2, ci_high=0.3, q=0.7, share=0.0, removal="harmless", loss=0.0, metric="auroc")
SIZED = dict(donors=76, p=0.004)


def evidence(task=LINK, words=CHAINS, covariates=(), **changes):
    """Evidence on a label that is called batch, beside covariates that are called donors and genes."""
    about = TaskEvidence("batch", **{**SIZED, **task})
    shares = {"donors": 0.0, "genes": 0.0, **dict(covariates)}
    rows = [
        CovariateEvidence(n, "technical" if n == "genes" else "confounder", s, 0.001, s > 0) for n, s in shares.items()
    ]
    given = {"donors": 80, "family": 40, "words": words, **changes}
    return Evidence("z1", (about,), tuple(rows), shares["genes"], **given)


# evidence -> the verdict's sentence of chains
SAID = [
    (
        evidence(stability=0.2),
        "z1 was not found again by another replica (stability 0.20): these chains do not establish it, so nothing can "
        "be said of it.",
    ),
    (
        evidence({**LINK, "entangled": ("donors",), "joint": True}, covariates={"donors": 0.2}),
        "z1 follows batch and donors together (20 % of its variance goes with donors), and in this set of chains the "
        "two cannot be told apart; the design audit says what would help.",
    ),
    (
        evidence({**LINK, "entangled": ("genes",), "joint_suspected": True}),
        "z1 follows batch (+0.90 SD, 95 % 0.50 to 1.30), but perhaps batch and genes too, which in this set of chains "
        "cannot be told apart; the design audit says what would help.",
    ),
    (
        evidence({**QUIET, "removal": "inconclusive", "entangled": ("genes",), "joint_suspected": True}),
        "z1 seems to follow batch and genes, which in this set of chains cannot be told apart: more chains of the same "
        "design would not tell which; the design audit says what would.",
    ),
    (
        evidence(QUIET, covariates={"donors": 0.6, "genes": 0.7}),
        "z1 follows genes (70 %) and donors (60 %), which overlap in this set of chains.",
    ),
    (
        evidence({**QUIET, "removal": "inconclusive", "donors_needed": 210.0}, covariates={"genes": 0.8}),
        "z1 follows genes: 80 % of its variance; whether the heads need it is open for batch (about 210 chains would "
        "settle it).",
    ),
    (
        evidence({**LINK, "firm": False}),
        "z1 may be linked to batch (+0.90 SD, 95 % 0.50 to 1.30, q 1e-05), but among so many dimensions it does not "
        "pass the family-wise level that biology needs; more chains would tell.",
    ),
    (
        evidence({**QUIET, "backwards": True}),
        "z1 was trained to rise with batch and on held-out chains falls with it, and every prediction does as well "
        "without it (loss below 0.02).",
    ),
    (
        evidence({**QUIET, "ci_low": 0.1, "ci_high": 0.5, "share": 0.1}),
        "z1 has no established link to a task or covariate; a link to batch (+0.05 SD, 95 % 0.10 to 0.50) is "
        "suspected, but these chains cannot establish it among so many dimensions.",
    ),
    (
        evidence({**QUIET, "ci_high": 1.3}),
        "z1 has no established link to a task or covariate, but these chains cannot exclude a large one: batch "
        "(+0.05 SD, 95 % -0.20 to 1.30).",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("found", "said"), SAID, ids=[said[:40] for _, said in SAID])
def test_a_verdict_on_residues_speaks_of_chains_and_keeps_names(found, said):
    verdict = judge(found, Probe())
    assert verdict.why == said
    # the words change no verdict, and donors are the words where none are given
    of_donors = judge(replace(found, words=DONORS), Probe())
    assert (of_donors.verdict, of_donors.driver) == (verdict.verdict, verdict.driver)
    for word in ("chains", "this set of", "replica"):
        assert word not in of_donors.why
    assert judge(replace(found, words=PATIENTS), Probe()).why == of_donors.why


def test_what_biology_is_compared_with_and_the_direction_of_its_name():
    found = replace(evidence(gene_set="hydrophobicity", falls=True), covariates=())
    linked = "is still linked to batch once the covariates are held fixed (batch +0.90 SD, 95 % 0.50 to 1.30)"
    assert judge(found, Probe()).why == f"z1 (low hydrophobicity) {linked}; no data set was recorded to compare with."
    assert judge(replace(found, falls=False), Probe()).why.startswith("z1 (hydrophobicity) is still")
    # a programme of genes has a direction too, which no sentence tells
    of_donors = judge(replace(found, words=DONORS), Probe())
    assert of_donors.why == f"z1 (hydrophobicity) {linked}; no processing was recorded to compare with."
    assert of_donors.driver == "hydrophobicity" == judge(found, Probe()).driver


def test_a_technical_covariate_that_moves_one_class():
    cause = CovariateEvidence("batch", "technical", 0.7, 0.0, True, True, "donors", 0.1)
    assert sentences.uneven(evidence(), cause) == (
        "z1 follows batch: 70 % of its variance, but in chains of class donors only 10 %: the data set would move all "
        "of them, so it may be who was recruited when."
    )
    assert "in donors of class donors only 10 %: processing would move" in sentences.uneven(
        evidence(words=DONORS), cause
    )


SETTLED = [
    (evidence(stability=0.4), "to find the dimension again in another replica (stability 0.40 now, 0.5 needed)"),
    (
        evidence({**LINK, "firm": False, "p": 0.001}),
        "to establish its link to batch among 40 dimensions (chains with batch known; 76 now)",
    ),
    (
        evidence({**QUIET, "ci_high": 1.3, "p": 0.5}),
        "to exclude an effect of 1 SD on batch (chains with batch known; 76 now)",
    ),
    (
        evidence({**QUIET, "removal": "inconclusive", "donors_needed": 99.0}),
        "to tell whether batch can do without it (chains with batch known; 76 now)",
    ),
    (
        evidence({**QUIET, "removal": "inconclusive", "donors_needed": 99999.0}),
        "more than 10,000 chains to tell whether batch can do without it (chains with batch known; 76 now)",
    ),
]


@pytest.mark.parametrize(("found", "said"), SETTLED, ids=[said[:40] for _, said in SETTLED])
def test_what_would_settle_a_dimension_of_residues(found, said):
    number, what = donors_for_a_verdict(found, Probe())
    assert what == said
    again, of_donors = donors_for_a_verdict(replace(found, words=DONORS), Probe())
    assert again == pytest.approx(number, nan_ok=True)
    assert "chains" not in of_donors and "replica" not in of_donors


def test_the_audit_of_a_set_of_chains_keeps_the_names_of_its_labels():
    obs = pd.DataFrame({"donor": [f"c{i}" for i in range(60)], "batch": ["no"] * 30 + ["yes"] * 30})
    obs["donors"] = ["a"] * 28 + ["b"] * 32
    obs.loc[[30, 31], "donors"] = "a"
    obs["genes"] = range(60)
    tasks = {"batch": Binary("batch", ("no", "yes"))}
    covariates = {n: CovariateInfo(n, "confounder", k) for n, k in (("donors", "categorical"), ("genes", "continuous"))}
    whys = audit(Trial.to_come(obs, tasks, covariates, Probe(), words=CHAINS))["why"].tolist()
    assert whys[0].startswith(
        "batch and donors cannot be told apart: knowing donors inflates the variance of the batch effect 4.0-fold, and "
        "4 of 60 chains lie outside the majority of their level; to fix it, measure about "
    )
    assert " more chains (" in whys[0] and "with batch = " in whys[0] and "in donors = " in whys[0]
    assert whys[1].startswith("batch and genes ")
    of_donors = audit(Trial.to_come(obs, tasks, covariates, Probe()))["why"].tolist()
    assert [w.replace("chains", "donors") for w in whys] == of_donors
    few = audit(Trial.to_come(obs.iloc[:30], tasks, covariates, Probe(), words=CHAINS))["why"].tolist()
    assert few == ["batch has fewer than two labels among the chains whose covariates are known."] * 2


def test_a_plan_takes_the_words_of_its_design():
    def planned(words):
        obs = plant(40, 0, batch_disease=0.8).obs
        design = Design("a", *audited(Trial.to_come(obs, TASKS, COVARIATES, Probe(), words)), 20, {})
        return words_of_plan(design, [task_plan(design, name) for name in TASKS], [])

    of_chains, of_donors = planned(CHAINS), planned(DONORS)
    assert "a: " in of_chains and "residues of 40 chains" in of_chains and "samples of 40 donors" in of_donors
    assert "\nChains needed, of the kind you have," in of_chains
    assert "donor" not in of_chains.lower() and "sample" not in of_chains.lower()


def test_biology_says_how_strong_something_unrecorded_would_have_to_be():
    """Cinelli & Hazlett's robustness value, next to the strongest covariate that was recorded."""
    covariates = (
        CovariateEvidence("age", "confounder", share=0.12),
        CovariateEvidence("sex", "confounder", share=0.03),
    )
    link = TaskEvidence("disease", **LINK, robustness=0.331)
    why = judge(Evidence("z1", (link,), covariates), Probe()).why
    assert why.endswith(
        " Something unrecorded that explains it away would have to go with 33 % of what the covariates leave of z1 and "
        "of disease; age, the strongest recorded, goes with 12 % of it."
    )
    assert "unrecorded" not in judge(Evidence("z1", (TaskEvidence("disease", **LINK),), covariates), Probe()).why
    assert judge(Evidence("z1", (link,), ()), Probe()).why.endswith("leave of z1 and of disease.")


def test_biology_says_how_unreliable_a_covariate_would_have_to_be():
    """Where that is a reliability which recordings have."""
    link = TaskEvidence("disease", **LINK, robustness=0.331, reliability_needed=0.6, reliability_of="age")
    why = judge(Evidence("z1", (link,), ()), Probe()).why
    said = " If age was recorded with a reliability of 0.60 or less, its disease effect cannot be told from none."
    assert why.endswith("leave of z1 and of disease." + said)
    hardly = replace(link, reliability_needed=0.45)
    assert "reliability" not in judge(Evidence("z1", (hardly,), ()), Probe()).why


def test_an_outcome_that_its_recruitment_tells_is_told_by_other_donors():
    for uneven, how in (
        (("samples per donor",), "as often"),
        (("order of sampling",), "at the same times"),
        (("samples per donor", "order of sampling"), "as often and at the same times"),
    ):
        told = {**LINK, "firm": False, "uneven": uneven, "told": True}
        would = f"chains sampled {how} whatever their batch would tell, more like these would not"
        assert judge(evidence(told), Probe()).why.endswith(f"; {would}.")
        number, needed = donors_for_a_verdict(evidence(told), Probe())
        assert pd.isna(number) and needed.endswith(f": {would}") and "too close to none" not in needed
        open_ = judge(evidence({**told, "told": False}), Probe()).why
        assert open_.endswith("; more chains would tell.")
        borrowed = {**told, "own": False, "removal": "harmless"}
        why = judge(evidence(borrowed), Probe()).why
        held = " and ".join(uneven)
        assert f"Its link to batch does not stand with the {held} held fixed." in why
        assert f"its link to batch is its neighbours' or that of the {held} alone is not shown" in why


def test_biology_says_that_time_is_part_of_a_link_with_states_in_one_order():
    plain = judge(evidence(), Probe())
    ordered = judge(evidence({**LINK, "one_order": True}), Probe())
    assert plain.verdict == ordered.verdict == "biology"
    said = " Chains were seen in one order of batch: what time does by itself is part of the link."
    assert ordered.why == plain.why + said
