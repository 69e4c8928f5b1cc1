import numpy as np
import pandas as pd

from mtlbio.config import Probe
from mtlbio.probing.evidence import CovariateEvidence, Evidence, TaskEvidence
from mtlbio.probing.judgement import judgements

LINK = dict(effect=0.9, ci_low=0.5, ci_high=1.3, q=1e-5, called=True, firm=True, own=True, share=0.2, metric="auroc")
AUDIT = pd.DataFrame({"kind": ["task"] * 2, "task": ["type", "response"], "n_effective": [0.0, 40.0]})


def test_an_outcome_that_nobody_can_tell_from_a_covariate_does_not_silence_the_others():
    """Eight studies, one cancer each: every dimension was `not_identifiable`, and what it said of response was lost."""
    type_ = TaskEvidence("type", q=1e-9, joint=True, joint_suspected=True, entangled=("study",), removal="harmless")
    study = CovariateEvidence("study", "technical", share=0.15, called=True)
    age = TaskEvidence("age", outcome=False, removal="harmless")
    evidence = Evidence("z01", (type_, TaskEvidence("response", **LINK), age), (study,), technical_share=0.1)
    item = judgements([evidence], AUDIT.assign(vif_all=1.0), np.array([0.9]), Probe())[0]
    assert item.verdict.verdict == "not_identifiable"
    assert item.by_task == {"type": "not_identifiable", "response": "biology"}
    assert item.verdict.why.endswith(" For response alone it is biology.")


def test_one_outcome_alone_gets_the_verdict_of_the_dimension():
    evidence = Evidence("z01", (TaskEvidence("response", **LINK),), ())
    item = judgements([evidence], AUDIT.assign(vif_all=1.0), np.array([0.9]), Probe())[0]
    assert item.by_task == {"response": item.verdict.verdict} == {"response": "biology"}
