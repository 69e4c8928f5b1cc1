"""The page says how many families there are where the run knows them."""

from dataclasses import replace

from fabricate import fabricate

from mtlbio.cohort.family import FAMILY
from mtlbio.report.facts import facts
from mtlbio.report.inputs import read_inputs


def test_families_stand_before_the_donors(tmp_path):
    inputs = read_inputs(fabricate(tmp_path, donors=80), tmp_path)
    plain = facts(inputs)["sizes"]
    assert plain[0] == (80, "donors")
    place = inputs.obs["donor"].astype(str).rank(method="dense").astype(int) - 1
    related = replace(inputs, obs=inputs.obs.assign(**{FAMILY: [f"F{p // 4}" for p in place]}))
    assert facts(related)["sizes"] == [(20, "families"), *plain]
