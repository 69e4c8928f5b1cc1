"""The rules declare what the steps write (:mod:`mtlbio.integrity.steps`), and read what earlier steps wrote."""

import re
from pathlib import Path

import pytest

from mtlbio.integrity.steps import READS, REPLACES, WRITES
from mtlbio.kinds import STEPS

ROOT = Path(__file__).parents[2]


def rule(step: str) -> str:
    texts = [path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk")]
    found = [part for text in texts for part in text.split("rule ") if part.startswith(f"{step}:")]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("step", STEPS)
def test_a_rule_declares_what_its_step_writes(step):
    outputs = rule(step).partition("output:")[2].partition("log:")[0]
    declared = re.findall(r'f"\{results\}/\{\{run\}\}/([^"]+)"', outputs)
    assert sorted(declared) == sorted([*WRITES[step], *REPLACES.get(step, ()), f"manifest/{step}.json"])
    assert declared[0] == f"manifest/{step}.json"  # deleted first, so that a killed job cannot pass for a finished one
    assert sorted(re.findall(r'directory\(f"\{results\}/\{\{run\}\}/([^"]+)"', outputs)) == sorted(
        REPLACES.get(step, ())
    )


@pytest.mark.parametrize("step", STEPS)
def test_a_rule_reads_what_its_step_may_read(step):
    inputs = rule(step).partition("input:")[2].partition("output:")[0]
    read = re.findall(r'planned\.made\(\s*"(\w+)",\s*"([^"]+)"\s*\)', inputs)
    assert {other for other, _ in read} <= set(READS[step]) and len(read) == inputs.count("planned.made")
    for other, name in read:
        assert name in (*WRITES[other], *REPLACES.get(other, ()))
