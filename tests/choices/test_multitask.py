"""What a YAML may say about sharing, balancing and encoders is checked without torch."""

import subprocess
import sys

import pytest

from mtlbio.choices.balancers import BALANCERS
from mtlbio.choices.encoders import ENCODERS
from mtlbio.choices.multitask import MultitaskOptions
from mtlbio.choices.options import Choice, Number
from mtlbio.errors import InputError

COHORT = """\
run: small
expression: {path: expression.csv, scale: log2}
metadata: {path: metadata.csv}
tasks:
  disease: {kind: binary, positive: case}
  age: {kind: regression}
covariates:
  batch: {role: technical}
training:
  sharing: mmoe
  balancing: cagrad
  balancing_options: {c: 0.4}
  gradient: representation
  paths: [dense, curved]
  adversary: {covariate: batch}
"""
PROTEIN = """\
run: small
kind: protein
chains:
  joint: {path: chains.csv}
tasks:
  structure: {kind: secondary_structure, q8: q8}
training: {encoder: lstm, balancing: gradvac, balancing_options: {decay: 0.1}}
"""


def read_apart(yaml: str, folder) -> str:
    """Standard output of a process of its own that reads the YAML and says whether torch came with it."""
    for name in ("expression.csv", "metadata.csv", "chains.csv"):
        (folder / name).touch()
    (folder / "run.yaml").write_text(yaml)
    code = (
        "import sys; from mtlbio.kinds.read import read_run; from mtlbio.errors import InputError\n"
        "try: print(read_run(sys.argv[1]).training.balancing)\n"
        "except InputError as error: print(str(error).partition(': ')[2])\n"
        "print(sorted({'torch', 'scipy', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder / "run.yaml")], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout


@pytest.mark.parametrize("yaml, name", [(COHORT, "cagrad"), (PROTEIN, "gradvac")])
def test_a_yaml_of_other_choices_is_read_without_torch(yaml, name, tmp_path):
    assert read_apart(yaml, tmp_path) == f"{name}\n[]\n"


@pytest.mark.parametrize(
    "yaml, old, new, line",
    [
        (
            COHORT,
            "c: 0.4",
            "c: -1.0",
            "training.balancing_options: balancing cagrad: c: found -1.0; valid: a number above 0 and at most 100",
        ),
        (
            COHORT,
            "mmoe",
            "soft",
            "training.adversary: soft sharing has no shared parameters for it to reach; valid: hard, "
            "offset, cross_stitch, mmoe, ple, attention",
        ),
        (
            PROTEIN,
            "decay: 0.1",
            "momentum: 0.1",
            "training.balancing_options: balancing gradvac: no option 'momentum'; valid: decay",
        ),
    ],
)
def test_wrong_choices_are_one_line_without_torch(yaml, old, new, line, tmp_path):
    assert read_apart(yaml.replace(old, new), tmp_path) == f"{line}\n[]\n"


def test_a_balancer_of_gradients_needs_shared_parameters():
    with pytest.raises(InputError) as caught:
        MultitaskOptions("trace_norm", balancing="pcgrad").check()
    of_losses = [name for name, facts in BALANCERS.items() if not facts.reads_gramian]
    assert of_losses[:3] == ["equal", "uncertainty", "dwa"]
    assert str(caught.value) == (
        "training.balancing: pcgrad reads gradients on shared parameters, and trace_norm sharing has none; valid: "
        + ", ".join(of_losses)
    )


def test_an_option_is_a_number_within_its_bounds_or_one_of_some_words():
    number, choice = Number(1, at_least=0, below=2), Choice("a", ("a", "b"))
    assert number.check("x", 0) == 0.0 and isinstance(number.check("x", 1), float)
    for value in (-0.1, 2, float("nan"), True, "1"):
        with pytest.raises(InputError, match=r"^x: found .*; valid: a number at least 0 and below 2$"):
            number.check("x", value)
    assert choice.check("x", "b") == "b"
    with pytest.raises(InputError, match="^x: found 'c'; valid: a, b$"):
        choice.check("x", "c")


def test_the_encoders_have_a_line_each():
    assert all(10 < len(line) < 120 for line in ENCODERS.values())
