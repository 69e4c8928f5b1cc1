"""Tables on another scale are recognised by name, and real variation is not."""

from __future__ import annotations

import numpy as np
import pytest

from mtlbio.errors import InputError
from mtlbio.intake.notes import noticing
from mtlbio.training.new_samples.checks import Checks
from mtlbio.training.new_samples.departure import departures
from mtlbio.training.new_samples.readings import Model, looks_like
from mtlbio.training.new_samples.scale import check_scale

GENES = 200


def cohort(n: int, seed: int, z: bool = False) -> np.ndarray:
    """log2 values whose genes differ in mean and spread."""
    genes = np.random.default_rng(7)
    mean, spread = genes.uniform(3, 13, GENES), genes.uniform(0.5, 1.2, GENES)
    rng = np.random.default_rng(seed)
    unit = 0.8 * rng.standard_normal((n, GENES)) + 0.6 * rng.standard_normal((n, 1)) * genes.standard_normal(GENES)
    return unit if z else mean + spread * unit


def model_of(scale: str = "log2", z: bool = False, size: float | None = None, train: np.ndarray | None = None) -> Model:
    values = cohort(120, 0, z) if train is None else train
    first, second = values[:60], values[60:]
    held_out = departures(second, first.mean(0), first.std(0))
    return Model(scale, size, np.arange(GENES), values.mean(0), values.std(0), held_out)


def checked(raw: np.ndarray, model: Model) -> tuple[Checks, list[str]]:
    checks, names = Checks("new.csv"), np.array([f"s{i}" for i in range(len(raw))])
    with noticing() as notes:
        check_scale(raw, raw, names, model, checks)
    return checks, [note.text for note in notes if note.doubt]


@pytest.mark.parametrize("n", [1, 2, 40])
@pytest.mark.parametrize(
    "change, said",
    [
        (lambda x: x * np.log10(2), "log10 of what the model was trained on as log2"),
        (lambda x: x * np.log(2), "natural logarithms of what the model was trained on as log2"),
        (lambda x: x / np.log(2), "log2 of what the model was trained on as natural logarithms"),
        (lambda x: 2**x, "linear values, no logarithms"),
        (lambda x: 2**x - 1, "linear values, no logarithms"),
        (lambda x: x + 6, "values with +"),
        (lambda x: x - cohort(400, 5).mean(0), "z-scores of each gene"),
        (lambda x: (x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True), "centred and scaled each by itself"),
        (lambda x: 1 / (1 + np.exp(8 - x)), "numbers from 0 to 1"),
        (lambda x: -x, "another scale, tissue or platform?"),
    ],
)
def test_another_scale_is_refused_by_name(change, said, n):
    checks, _ = checked(change(cohort(n, 3)), model_of())
    assert len(checks.refusals) == 1 and said in checks.refusals[0]
    assert "\n" not in checks.refusals[0] and "SD per gene from the training means" in checks.refusals[0]
    assert {row["call"] for row in checks.rows if row["check"] == "distance"} == {"refused"}


def test_the_slope_of_another_logarithm_is_said():
    checks, _ = checked(cohort(40, 3) * np.log10(2), model_of())
    assert "(slope 0.30 on the training means, 1 expected): multiply by 3.322" in checks.refusals[0]


def test_a_model_of_z_scores_takes_z_scores_and_names_what_is_none():
    model = model_of("z", z=True)
    assert checked(cohort(20, 4, z=True), model)[0].refusals == []
    checks, _ = checked(cohort(20, 4), model)
    assert "another scale, tissue or platform?" in checks.refusals[0] and "slope" not in checks.refusals[0]


def test_new_samples_of_the_same_kind_pass_without_a_word():
    for seed in range(20, 60):
        for n in (3, 30):
            checks, doubts = checked(cohort(n, seed), model_of())
            assert checks.refusals == [] and doubts == []


def test_a_milder_batch_is_told_and_not_refused():
    checks, doubts = checked(cohort(30, 3) + 1.0, model_of())
    assert checks.refusals == [] and doubts[0].startswith("median shift of the genes, in SD: 1.3")
    shift = next(row for row in checks.rows if row["check"] == "shift")
    assert shift["call"] == "look" and shift["high"] < shift["value"]


def test_one_odd_sample_is_named_and_the_others_are_not():
    values = cohort(30, 3)
    values[4] *= 1.5
    checks, doubts = checked(values, model_of())
    assert checks.refusals == [] and len(doubts) == 1
    assert doubts[0].startswith("1 of 30 samples lie farther") and "s4 (" in doubts[0]
    assert [row["item"] for row in checks.rows if row["check"] == "distance" and row["call"] == "look"] == ["s4"]


def test_what_is_refused_is_a_warning_for_who_insists():
    checks, _ = checked(cohort(9, 3) * 0.30103, model_of())
    with pytest.raises(InputError, match="new.csv: the samples look like log10 .*; --anyway predicts nevertheless"):
        checks.settle(anyway=False)
    with noticing() as notes:
        checks.settle(anyway=True)
    assert len(notes) == 1 and notes[0].doubt


def test_percent_and_m_values_of_a_model_of_beta_values_are_recognised():
    beta = np.random.default_rng(7).uniform(0.05, 0.95, GENES)
    rng = np.random.default_rng(1)
    values = np.clip(beta + 0.03 * rng.standard_normal((160, GENES)), 0.01, 0.99)
    m = np.log2((values + 0.001) / (1 - values + 0.001))
    model = model_of("beta", train=m[:120])
    assert looks_like(values[120:] * 100, None, model).startswith("look like percent: divide by 100")
    assert looks_like(m[120:], None, model).startswith("look like M values: give beta values")


def test_logarithms_where_the_model_takes_none_are_recognised():
    model = model_of("linear")
    for values, base in ((cohort(9, 3), "2"), (cohort(9, 3) * np.log(2), "e"), (cohort(9, 3) * np.log10(2), "10")):
        assert looks_like(values, None, model).startswith(f"look like logarithms (base {base}): give them without")


def test_logarithms_of_counts_are_recognised_whatever_their_base():
    rng = np.random.default_rng(2)
    counts = rng.poisson(np.random.default_rng(7).uniform(5, 500, GENES) * rng.uniform(0.7, 1.4, (160, GENES)))
    total = counts.sum(axis=1, keepdims=True)
    model = model_of("counts", size=10000.0, train=np.log1p(counts / total * 1e4)[:120])
    for values, name in ((np.log2(counts / total * 1e6 + 1), "log2(x + 1)"), (np.log1p(counts), "ln(x + 1)")):
        assert looks_like(values[120:], None, model).startswith(f"look like {name} of counts: give the counts")
    assert looks_like((counts / total * 1e6)[120:], None, model).startswith("look like normalised values (CPM, TPM)")


def test_values_that_lie_higher_are_no_other_logarithm():
    def narrow(n: int, seed: int) -> np.ndarray:  # genes of like means, which a factor would bring back as well
        mean, rng = np.random.default_rng(7).uniform(4.0, 9.5, GENES), np.random.default_rng(seed)
        return mean + rng.standard_normal((n, GENES))

    values = narrow(40, 3) + 3
    said = looks_like(values, values, model_of(train=narrow(120, 0)))
    assert "values with +3.0" in said and "natural" not in said
